//! Objects that git declares in a version of their kind that the same commit brings: they are there
//! already, in another version.

use crate::support::objects::{Definition, OPEN};
use crate::support::repo::Repo;
use crate::support::sandbox;

const GROUP: &str = "next.example.com";

fn definition(versions: &[&str]) -> String {
    let mut definition = Definition::new(GROUP, "Thing");
    for (at, version) in versions.iter().enumerate() {
        definition = definition.version(version, at == 0, OPEN);
    }
    definition.to_string()
}

fn thing(name: &str, version: &str, spec: &str) -> String {
    format!(
        "apiVersion: {GROUP}/{version}\nkind: Thing\nmetadata:\n  name: {name}\nspec:\n  {spec}\n"
    )
}

#[test]
fn object_in_another_version_is_compared_and_needs_adopt() {
    let plane = sandbox::bare();
    let repo = Repo::new("next-version", plane);
    repo.write("definition.yaml", definition(&["v1"]));
    repo.write("ours.yaml", thing("ours", "v1", "a: 1")).commit("First");
    repo.run(&["apply", "--yes"]).exits(0);
    let theirs = thing("theirs", "v1", "a: 1").replace(
        "  name: theirs\n",
        "  name: theirs\n  labels: {app.kubernetes.io/managed-by: Helm}\n  annotations: {meta.helm.sh/release-name: shop, meta.helm.sh/release-namespace: shop}\n",
    );
    plane.create("next-version", &theirs);

    repo.write("definition.yaml", definition(&["v1", "v2"]));
    repo.write("ours.yaml", thing("ours", "v2", "a: 2"));
    repo.write("theirs.yaml", thing("theirs", "v2", "a: 2"));
    repo.write("new.yaml", thing("new", "v2", "a: 2")).commit("Second");
    let diff = repo.run(&["diff"]).exits(1);
    assert!(diff.stdout.contains("Thing next-version/new · create"), "{diff}");
    assert!(diff.stdout.contains("Thing next-version/ours · update"), "{diff}");
    let version = format!("- apiVersion: {GROUP}/v1\n  + apiVersion: {GROUP}/v2\n");
    assert!(diff.stdout.contains(&version), "{diff}");
    assert!(diff.stdout.contains("-   a: 1\n  +   a: 2\n"), "{diff}");
    assert!(diff.stdout.contains("Thing next-version/theirs · refuse"), "{diff}");
    assert!(diff.stdout.contains("it belongs to Helm release shop"), "{diff}");
    repo.run(&["apply", "--yes"]).exits(1);
    let values = ["get", &format!("things.v1.{GROUP}"), "-o", "jsonpath={.items[*].spec.a}"];
    assert_eq!(repo.kubectl(&values).exits(0).stdout, "2 2 1", "new, ours, theirs");

    let apply = repo.run(&["apply", "--yes", "--adopt"]).exits(0);
    assert!(apply.stdout.contains("next-version/theirs  updated"), "{apply}");
    let writes = repo.writes();
    repo.run(&["apply", "--yes"]).exits(0);
    assert_eq!(repo.writes(), writes);
}

#[test]
fn a_plan_that_was_approved_is_carried_out_in_the_new_version() {
    let repo = Repo::new("next-approved", sandbox::bare());
    let own = |text: String| text.replace(GROUP, "approved.example.com");
    repo.write("definition.yaml", own(definition(&["v1"])));
    repo.write("ours.yaml", own(thing("ours", "v1", "a: 1"))).commit("First");
    repo.run(&["apply", "--yes"]).exits(0);
    repo.write("definition.yaml", own(definition(&["v1", "v2"])));
    repo.write("ours.yaml", own(thing("ours", "v2", "a: 2"))).commit("Second");
    let plan = repo.outside().join("plan");
    let plan = plan.to_str().unwrap();
    repo.run(&["diff", "--out", plan]).exits(1);
    let apply = repo.run(&["apply", "--plan", plan]).exits(0);
    assert!(apply.stdout.contains("2 objects, 2 changed"), "{apply}");
    repo.run(&["diff"]).exits(0);
}
