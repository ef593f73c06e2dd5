//! Wrong input: a message that says what, where and what to do; the right status; no write.

use std::fs;
use std::net::TcpListener;

use crate::support::command::{Cmd, Output};
use crate::support::objects::{Definition, config};
use crate::support::repo::Repo;
use crate::support::sandbox;

/// Asserts that a run came to nothing, and the whole of what it says of the reason.
#[track_caller]
fn stops(output: Output, case: &str) {
    assert_eq!(output.stdout, "", "\n{output}");
    output.shows(&format!("wrong-input/{case}")).exits(2);
}

/// Asserts that a run came to nothing for a reason that it names, with something to do about it.
#[track_caller]
fn refused(output: Output, message: &str, hint: &str) {
    let output = output.exits(2);
    assert!(output.stderr.contains(message), "no {message:?} in\n{output}");
    assert!(output.stderr.contains(hint), "no {hint:?} in\n{output}");
    assert_eq!(output.stdout, "", "\n{output}");
}

#[test]
fn no_kubeconfig() {
    let repo = Repo::new("wrong-kubeconfig", sandbox::bare());
    repo.write_config("one", "1").commit("One setting");
    let home = repo.outside().join("home");
    let without = repo.trueup(&["diff"]).env_remove("KUBECONFIG").env("HOME", &home);
    stops(without.run(), "no-kubeconfig");
    // What is proposed is there.
    for args in [&["watch", "--once", "--no-pull"][..], &["schemas", "pull", "--to", "schemas"]] {
        let without = repo.trueup(args).env_remove("KUBECONFIG").env("HOME", &home).run();
        assert!(!without.stderr.contains("--sandbox"), "{without}");
        refused(without, "no kubeconfig", "set KUBECONFIG or use --kubeconfig FILE");
    }

    // Whatever else is wrong: this is what has to be corrected first.
    let overlay = "resources: [nothere.yaml]\n";
    repo.write("overlay/kustomization.yaml", overlay).commit("An overlay that can't be built");
    for args in [&["diff"][..], &["diff", "overlay"], &["apply", "overlay"]] {
        let named = repo.trueup(args).env("KUBECONFIG", "/nosuch").run();
        let message = "the kubeconfig /nosuch, which KUBECONFIG names, does not exist";
        refused(named, message, "correct KUBECONFIG");
    }

    let missing = repo.run(&["diff", "--kubeconfig", "/nowhere/config"]);
    stops(missing, "kubeconfig-that-is-missing");
    let broken = repo.outside().join("broken");
    fs::write(&broken, "clusters: [").unwrap();
    let broken = broken.to_str().unwrap();
    stops(repo.run(&["diff", "--kubeconfig", broken]), "kubeconfig-that-is-broken");
}

#[test]
fn an_unknown_context() {
    let repo = Repo::new("wrong-context", sandbox::bare());
    repo.write_config("one", "1").commit("One setting");
    let run = repo.run(&["apply", "--context", "prod"]);
    stops(run, "unknown-context");
    assert_eq!(repo.writes(), 0);
}

#[test]
fn a_server_that_is_down() {
    let repo = Repo::new("wrong-server", sandbox::bare());
    repo.write_config("one", "1").commit("One setting");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let kubeconfig = repo.outside().join("down");
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: down\n\
         clusters: [{{name: down, cluster: {{server: 'http://127.0.0.1:{port}'}}}}]\n\
         users: [{{name: down, user: {{}}}}]\n\
         contexts: [{{name: down, context: {{cluster: down, user: down}}}}]\n"
    );
    fs::write(&kubeconfig, text).unwrap();
    let run = repo.run(&["diff", "--kubeconfig", kubeconfig.to_str().unwrap()]);
    stops(run, "server-that-is-down");
}

#[test]
fn no_rights() {
    let plane = sandbox::bare();
    let repo = Repo::new("wrong-rights", plane);
    repo.write_config("one", "1").commit("One setting");
    let run = repo.run(&["apply", "--as", "nobody"]);
    stops(run, "no-rights");

    // Rights for the inventory and for reading, but not for one of the kinds.
    let rules = ["--verb=get,list,patch,create", "--resource=configmaps"];
    repo.kubectl(&[&["create", "role", "some"], &rules[..]].concat()).exits(0);
    let _ =
        repo.kubectl(&["create", "rolebinding", "some", "--role=some", "--user=someone"]).exits(0);
    let account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: robot}\n";
    repo.write("robot.yaml", account).commit("And an account");
    let part = repo.run(&["apply", "--as", "someone"]);
    part.shows("apply/rights-for-some-kinds").exits(1);
    assert!(repo.config_map("one").is_some());
    assert_eq!(repo.kubectl(&["get", "serviceaccount", "robot"]).status, Some(1));
}

#[test]
fn not_a_git_repository() {
    let folder = tempfile::tempdir().unwrap();
    let run = Cmd::trueup().dir(folder.path()).args(["diff"]).run();
    stops(run, "no-git-repository");
}

#[test]
fn a_branch_without_commits() {
    let repo = Repo::new("wrong-unborn", sandbox::bare());
    stops(repo.run(&["diff"]), "branch-without-commits");
}

#[test]
fn an_unknown_path_or_revision() {
    let repo = Repo::new("wrong-path", sandbox::bare());
    repo.write("envs/prod/one.yaml", config("one", "1")).commit("One setting");
    stops(repo.run(&["apply", "envs/prdo"]), "unknown-path");
    stops(repo.run(&["diff", "--rev", "v1.2.3"]), "unknown-revision");
    stops(repo.run(&["diff", "../elsewhere"]), "path-outside");
    assert_eq!(repo.writes(), 0);
}

#[test]
fn unknown_kind_fails_that_object_only() {
    let repo = Repo::new("wrong-kind", sandbox::bare());
    let odd = "apiVersion: apps/v1\nkind: Deploymnet\nmetadata:\n  name: web\n";
    repo.write("odd.yaml", odd);
    repo.commit("A slip of the pen");
    stops(repo.run(&["apply"]), "unknown-kind");
    repo.write_config("one", "1").commit("And a sound one");
    repo.run(&["apply"]).shows("apply/unknown-kind").exits(1);
    assert_eq!(repo.members("configmap"), ["configmap/one"]);

    let old = "apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata:\n  name: web\n";
    repo.write("odd.yaml", old).commit("A version of long ago");
    repo.run(&["diff"]).shows("diff/removed-version").exits(1);
}

#[test]
fn broken_yaml_as_the_only_file() {
    let repo = Repo::new("wrong-yaml", sandbox::bare());
    repo.write("web.yaml", "kind: ConfigMap\nmetadata: labels: a\n").commit("Broken");
    stops(repo.run(&["apply"]), "broken-yaml");
    assert_eq!(repo.writes(), 0);
}

#[test]
fn yaml_that_ends_the_parser() {
    let repo = Repo::new("wrong-tag", sandbox::bare());
    repo.write_config("one", "1");
    repo.write("tag.yaml", "kind: ConfigMap\ndata:\n  a: [\"v1\"!, x]\n").commit("A glued tag");
    let run = repo.run(&["diff"]).shows("diff/yaml-that-ends-the-parser").exits(1);
    assert_eq!(run.stderr, "", "the parser's own words show");
}

#[test]
fn reinterpreted_yaml_is_only_a_warning() {
    let repo = Repo::new("wrong-looks", sandbox::bare());
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\nimmutable: no\n";
    repo.write("one.yaml", map).commit("Not immutable");
    let expected = "warning: one.yaml:4:12: Kubernetes reads `no` as `false`; \
                    write `false`, or `\"no\"` if you mean text\n";
    assert_eq!(repo.run(&["diff"]).exits(1).stderr, expected);
    assert_eq!(repo.run(&["apply", "--strict"]).exits(0).stderr, expected);
    assert_eq!(repo.run(&["diff"]).exits(0).stderr, expected);

    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: two}\nimmutable: off\n";
    repo.write("two.yaml", secret).commit("A Secret");
    let output = repo.run(&["diff"]).exits(1);
    assert!(output.stderr.contains("two.yaml:4:12: Kubernetes reads `…` as `…`"), "{output}");
    assert!(!output.stderr.contains("off"), "{output}");

    for number in 0..10 {
        let map = map.replace("one", &format!("more-{number}"));
        repo.write(&format!("a-{number}.yaml"), map);
    }
    repo.commit("Many");
    let output = repo.run(&["diff"]).exits(1);
    assert_eq!(output.stderr.lines().count(), 2, "{output}");
    let folded = "if you mean text; and 10 more: a-1.yaml:4:12, a-2.yaml:4:12, a-3.yaml:4:12, \
                  a-4.yaml:4:12, a-5.yaml:4:12, …\n";
    assert!(output.stderr.contains(folded), "{output}");

    // Each with a reason of its own.
    let words = ["No", "NO", "off", "Off", "OFF", "yes", "Yes", "YES", "on", "On"];
    for (number, word) in words.iter().enumerate() {
        let map =
            map.replace("one", &format!("more-{number}")).replace(": no", &format!(": {word}"));
        repo.write(&format!("a-{number}.yaml"), map);
    }
    repo.commit("Many kinds");
    let output = repo.run(&["diff"]).exits(1);
    assert_eq!(output.stderr.lines().count(), 11, "{output}");
    assert!(output.stderr.ends_with("warning: 2 more like these\n"), "{output}");
}

#[test]
fn strict_refuses_the_whole_commit_for_one_wrong_document() {
    let repo = Repo::new("wrong-strict", sandbox::bare());
    repo.write_config("one", "1").write("broken.yaml", "kind: [\n").commit("One is broken");
    repo.run(&["diff"]).exits(1);
    let whole = "the commit is refused as a whole";
    for verb in ["diff", "apply"] {
        stops(repo.run(&[verb, "--strict"]), &format!("{verb}-strict"));
    }
    repo.run(&["watch", "--once", "--strict"]).shows("watch/strict").exits(2);

    let widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a}\n";
    repo.write("broken.yaml", widget).commit("One is of an unknown kind");
    refused(repo.run(&["apply", "--strict"]), "has no kind Widget", whole);

    let remote = "resources: [https://example.com/base]\n";
    repo.remove("broken.yaml").write("app/kustomization.yaml", remote).commit("A remote base");
    refused(repo.run(&["apply", "--strict"]), "! app/kustomization.yaml:1:13: ", whole);
    assert_eq!(repo.writes(), 0);

    repo.remove("app/kustomization.yaml").commit("Mended");
    repo.run(&["apply", "--strict"]).exits(0);
}

#[test]
fn the_same_object_twice() {
    let repo = Repo::new("wrong-twice", sandbox::bare());
    repo.write("a.yaml", config("one", "1")).write("b.yaml", config("one", "2"));
    repo.write_config("two", "2").commit("One setting, two values");
    repo.run(&["apply"]).shows("apply/same-object-twice").exits(1);
    assert_eq!(repo.members("configmap"), ["configmap/two"], "neither of the two is applied");
}

#[test]
fn a_document_of_two_megabytes() {
    let repo = Repo::new("wrong-size", sandbox::bare());
    repo.write_config("big", &"x".repeat(2 << 20)).write_config("one", "1").commit("Too much");
    repo.run(&["apply"]).shows("apply/document-of-two-megabytes").exits(1);
    assert_eq!(repo.members("configmap"), ["configmap/one"]);
}

#[test]
fn namespace_that_does_not_exist() {
    let repo = Repo::new("wrong-namespace", sandbox::bare());
    repo.write_config("one", "1").commit("One setting");
    stops(repo.run(&["apply", "-n", "nowhere-at-all"]), "unknown-namespace");
    let other = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: far, namespace: far-away}\n";
    repo.write("far.yaml", other).commit("One far away");
    repo.run(&["apply"]).shows("apply/unknown-namespace").exits(1);
    assert_eq!(repo.members("configmap"), ["configmap/one"]);

    // Of a kind that is born in the commit: the server can be asked only while carrying out.
    let born = include_str!("../fixtures/born-together.yaml").replace("vouchers", "stamps");
    let born = born.replace("Voucher", "Stamp").replace("voucher", "stamp");
    let born: Vec<&str> =
        born.split("---\n").filter(|document| document.contains("born.example")).collect();
    let born = born.join("---\n").replace("namespace: born-together", "namespace: far-away");
    repo.write("far.yaml", born).commit("A kind, and one of it far away");
    let run = repo.run(&["apply"]).exits(1);
    assert!(run.stdout.contains("add Namespace far-away to the commit"), "{run}");
    let tries = run.stdout.lines().last().unwrap().split(" · ").nth(1).unwrap();
    let tries: usize = tries.split(' ').next().unwrap().parse().unwrap();
    assert!(tries < 30, "it is tried again and again\n{run}");
}

#[test]
fn wrong_settings() {
    let repo = Repo::new("wrong-settings", sandbox::bare());
    repo.write_config("one", "1");
    repo.write("trueup.yaml", "targets:\n  prod:\n    path: [.]\n").commit("A slip of the pen");
    stops(repo.run(&["diff"]), "settings-unknown-key");
    repo.write("trueup.yaml", "targets:\n  prod: {paths: [a]}\n  edge: {paths: [b]}\n");
    repo.commit("Two targets");
    stops(repo.run(&["diff"]), "settings-two-targets");
    stops(repo.run(&["diff", "-t", "test"]), "settings-unknown-target");
    let committed = "targets:\n  prod: {paths: [a]}\n  edge: {paths: [b]}\n";
    repo.write("trueup.yaml", format!("{committed}  test: {{paths: [c]}}\n"));
    let said = repo.run(&["diff", "-t", "test"]).exits(2);
    let hint = "do this: trueup.yaml of the work tree has it: commit it, or use --worktree";
    assert!(said.stderr.contains(hint), "{said}");
    repo.write("trueup.yaml", committed);
    for (range, end) in [("HEAD~1..", "HEAD"), ("..HEAD", "HEAD"), ("HEAD~1...main", "main")] {
        let said = repo.run(&["diff", "-t", "prod", "--rev", range]).exits(2);
        let message = format!("error: `{range}` is a range of commits, and one commit is wanted");
        assert!(said.stderr.contains(&message), "{said}");
        let hint =
            format!("do this: name its last commit alone: {end}; `trueup verify` reads ranges");
        assert!(said.stderr.contains(&hint), "{said}");
    }
    stops(repo.run(&["diff", "-t", "prd"]), "settings-misspelt-target");
    stops(repo.run(&["diff", "--no-such-flag"]), "unknown-flag");
    stops(repo.run(&["diff", "-o", "xml"]), "unknown-format");
    stops(repo.run(&["aply"]), "unknown-command");
    stops(repo.run(&["diff", "--target", "prd", "-o", "json"]), "json-error");
    let commit = repo.git(&["rev-parse", "--short=7", "HEAD"]).stdout;
    repo.write("trueup.yaml", "targets:\n  prod:\n    paths:\n    - .\n    - ./charts/mailer/\n");
    repo.commit("A path that is not there");
    let now = repo.git(&["rev-parse", "--short=7", "HEAD"]).stdout;
    let says = format!("trueup.yaml:5:7: prod's path charts/mailer is not in {}", now.trim());
    for verb in ["diff", "check", "render"] {
        refused(repo.run(&[verb]), &says, "correct it in trueup.yaml; if it is not committed yet");
        stops(repo.run(&[verb]), &format!("settings-path-{verb}"));
    }
    refused(repo.run(&["apply"]), &says, "correct it in trueup.yaml");
    let watched = repo.run(&["watch", "--once", "--no-pull"]);
    assert!(watched.stdout.contains(&says), "{watched}");
    let says = "trueup.yaml:5:7: prod's path charts/mailer is not in the work tree";
    for verb in ["diff", "check", "render"] {
        let output = repo.run(&[verb, "--worktree"]);
        assert!(!output.stderr.contains("use --worktree"), "{output}");
        refused(output, says, "correct it in trueup.yaml; files that git ignores are not read");
    }
    let says = "`charts` does not exist in the work tree";
    refused(repo.run(&["diff", "--worktree", "charts"]), says, "that git ignores are not read");
    // A path of the command line is none of trueup.yaml.
    let says = format!("`charts` does not exist in commit {}", commit.trim());
    refused(repo.run(&["diff", "--rev", "HEAD~1", "charts"]), &says, "only what is committed");
}

#[test]
fn unknown_kind_in_a_flag_is_refused_with_a_suggestion() {
    let repo = Repo::new("wrong-flag", sandbox::bare());
    repo.write_config("one", "1").commit("One setting");
    for (flag, kind, hint) in [
        ("--allow-delete", "Namespac", "did you mean Namespace?"),
        ("--allow-delete", "namespace", "did you mean Namespace?"),
        ("--replace", "Deploymint", "did you mean Deployment?"),
        ("--replace", "Zzzzzzzz", "kubectl api-resources"),
    ] {
        for verb in ["diff", "apply"] {
            let message = format!("{flag} {kind}: unknown kind");
            refused(repo.run(&[verb, flag, kind]), &message, hint);
        }
    }
    assert_eq!(repo.writes(), 0);
    repo.run(&["apply", "--allow-delete", "Namespace", "--replace", "Job"]).exits(0);

    // The settings are the commit's, and so is the place.
    let settings = "targets:\n  prod:\n    paths: [one.yaml]\n    replace: [Job, Deploymint]\n";
    repo.write("trueup.yaml", settings).commit("A slip of the pen");
    for verb in ["diff", "apply"] {
        let message = "trueup.yaml:4:20: replace Deploymint: unknown kind";
        refused(repo.run(&[verb]), message, "did you mean Deployment?");
    }
    // The flag is in its place.
    repo.run(&["diff", "--replace", "Job"]).exits(1);
    repo.remove("trueup.yaml").commit("No settings");

    // One that the commit itself brings is known.
    let definition = Definition::new("wrong-flag.example.com", "Cog").schema("{type: object}");
    repo.write("crd.yaml", definition.to_string()).commit("A kind");
    repo.run(&["diff", "--replace", "Cog"]).exits(1);
}

#[test]
fn a_config_map_that_is_too_large() {
    let repo = Repo::new("wrong-large", sandbox::bare());
    repo.write("big.yaml", config("big", &"x".repeat(1_100_000))).commit("A large one");
    let refused = repo.run(&["diff"]).exits(1);
    assert!(refused.stdout.contains("big.yaml:5:1: data: Too long"), "{refused}");
    let json = repo.run(&["diff", "-o", "json"]).exits(1);
    assert!(!json.stdout.contains("[]: Too long"), "{}", &json.stdout[..2000]);
}

#[test]
fn an_object_in_no_namespace_is_named_without_one() {
    let repo = Repo::new("wrong-scope", sandbox::bare());
    let role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: wrong-scope}\nrulez: []\n";
    repo.write("role.yaml", role).commit("A slip");
    for args in [&["diff"][..], &["diff", "-o", "json"], &["apply"], &["apply", "-o", "json"]] {
        let refused = repo.run(args).exits(1);
        assert!(!refused.stdout.contains("(/wrong-scope"), "{refused}");
        assert!(refused.stdout.contains("rulez"), "{refused}");
    }
}

#[test]
fn a_stateful_set_whose_claims_change() {
    let repo = Repo::new("wrong-claims", sandbox::bare());
    let set = |size: &str, replicas: u32| {
        format!(
            "apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: db}}
spec:
  replicas: {replicas}
  serviceName: db
  selector: {{matchLabels: {{app: db}}}}
  template:
    metadata: {{labels: {{app: db}}}}
    spec:
      containers: [{{name: main, image: registry.example/db:1}}]
  volumeClaimTemplates:
  - metadata: {{name: data}}
    spec:
      accessModes: [ReadWriteOnce]
      resources:
        requests:
          storage: {size}
"
        )
    };
    repo.write("db.yaml", set("1Gi", 1)).commit("First");
    repo.run(&["apply"]).exits(0);
    repo.write("db.yaml", set("2Gi", 2)).commit("Larger");
    let refused = repo.run(&["diff"]).exits(1);
    let field =
        "db.yaml:18:11: spec.volumeClaimTemplates[0].spec.resources.requests.storage: Forbidden";
    assert!(refused.stdout.contains(field), "{refused}");
    assert!(!refused.stdout.contains("spec.replicas:"), "{refused}");
    let replaced = repo.run(&["diff", "--replace", "StatefulSet"]).exits(1);
    let why = "spec.volumeClaimTemplates[0].spec.resources.requests.storage can't be changed";
    assert!(replaced.stdout.contains(why), "{replaced}");
}
