//! A cluster that is lost is brought back from the commit with one command, in order.

use std::time::Instant;

use crate::support::command::{Cmd, Output};
use crate::support::objects::{config, namespace};
use crate::support::repo::Repo;
use crate::support::sandbox::{self, Plane};

/// How many objects there are in all.
const OBJECTS: usize = 500;

fn definition(number: usize) -> String {
    format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n\
        metadata: {{name: parts{number}.recovery.example}}\nspec:\n  group: recovery.example\n  \
        scope: Namespaced\n  names: {{kind: Part{number}, plural: parts{number}, singular: part{number}, listKind: Part{number}List}}\n  \
        versions:\n  - name: v1\n    served: true\n    storage: true\n    \
        schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}\n"
    )
}

/// Three targets: definitions, namespaces with their settings, and workloads.
fn repository(plane: &Plane) -> Repo<'_> {
    let repo = Repo::new("recovery", plane);
    repo.write(
        "trueup.yaml",
        "targets:\n  apps: {paths: [apps], after: [homes, kinds]}\n  homes: {paths: [homes], after: [kinds]}\n  kinds: {paths: [kinds]}\n",
    );
    let (kinds, homes) = (10, 20);
    for number in 0..kinds {
        repo.write(&format!("kinds/{number}.yaml"), definition(number));
    }
    for number in 0..homes {
        let home = format!("recovery-{number}");
        repo.write(&format!("homes/{number}.yaml"), namespace(&home));
    }
    for number in 0..OBJECTS - kinds - homes {
        let home = format!("recovery-{}", number % homes);
        let object = match number % 3 {
            0 => config(&format!("c{number}"), "1")
                .replace("metadata:\n", &format!("metadata:\n  namespace: {home}\n")),
            1 => format!(
                "apiVersion: recovery.example/v1\nkind: Part{}\nmetadata: {{name: p{number}, namespace: {home}}}\nspec: {{size: {number}}}\n",
                number % kinds
            ),
            _ => format!(
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: w{number}, namespace: {home}, annotations: {{trueup.dev/wait: 'false'}}}}\n\
                spec:\n  selector: {{matchLabels: {{app: w{number}}}}}\n  template:\n    metadata: {{labels: {{app: w{number}}}}}\n    \
                spec: {{containers: [{{name: main, image: registry.example/web:1}}]}}\n"
            ),
        };
        repo.write(&format!("apps/{number}.yaml"), object);
    }
    repo.commit("First");
    repo
}

fn apply(repo: &Repo<'_>, plane: &Plane) -> Cmd {
    plane.command(repo.trueup(&["apply", "--all-targets", "--yes", "--new-cluster"]))
}

#[test]
#[allow(clippy::print_stdout, reason = "the time is what one runs this for")]
fn a_lost_cluster_is_brought_back_with_one_command() {
    let lost = sandbox::own();
    let repo = repository(&lost);
    let first = apply(&repo, &lost).run().exits(0);
    assert!(first.stdout.contains("3 targets · 3 at the commit"), "{first}");
    // The processes are gone, and all that they held.
    let new = sandbox::own();
    new.create_namespace(repo.namespace());
    let begin = Instant::now();
    let back = apply(&repo, &new).run().exits(0);
    let elapsed = begin.elapsed();
    let lines: Vec<&str> = back.stdout.lines().rev().take(5).collect();
    println!("{OBJECTS} objects of three targets in {elapsed:.1?}:");
    lines.iter().rev().for_each(|line| println!("{line}"));
    let at = |text: &str| back.stdout.find(text).unwrap_or_else(|| panic!("{text}: {back}"));
    let last_of = |text: &str| back.stdout.rfind(text).unwrap_or_else(|| panic!("{text}: {back}"));
    assert!(last_of("kinds  ✓ ") < at("homes  ✓ "), "each in its turn");
    assert!(last_of("homes  ✓ ") < at("apps  ✓ "), "each in its turn");
    let done = back.stdout.lines().filter(|line| line.contains("  ✓ ")).count();
    assert_eq!(done, OBJECTS, "{back}");
    let diff = new.command(repo.trueup(&["diff", "--all-targets"])).run().exits(0);
    assert!(diff.stdout.contains("3 targets · 3 in sync"), "{diff}");
}

#[test]
fn an_empty_cluster_of_the_runs_own_proves_the_commit() {
    let repo = repository_of_two();
    let proved = sandboxed(&repo).exits(0);
    assert!(proved.stdout.contains("2 targets · 2 at the commit"), "{proved}");
    repo.write("apps/bad.yaml", format!("{}lables: {{}}\n", config("bad", "1"))).commit("Bad");
    let refused = sandboxed(&repo).exits(1);
    assert!(refused.stdout.contains("1 at the commit, 1 not at the commit"), "{refused}");
}

/// Applies all targets to a cluster of the run's own, which has no namespace of this test.
fn sandboxed(repo: &Repo<'_>) -> Output {
    let apply = repo.trueup(&["apply", "--all-targets", "--sandbox"]);
    apply.env_remove("TRUEUP_NAMESPACE").run()
}

fn repository_of_two() -> Repo<'static> {
    let repo = Repo::new("recovery-proof", sandbox::bare());
    repo.write(
        "trueup.yaml",
        "targets:\n  apps: {paths: [apps], namespace: proof-home, after: [homes]}\n  homes: {paths: [homes], namespace: default}\n",
    );
    repo.write("homes/home.yaml", namespace("proof-home"))
        .write("apps/one.yaml", config("one", "1"));
    repo.commit("First");
    repo
}
