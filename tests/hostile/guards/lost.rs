//! What a commit could get rid of by having an object made anew, or given an owner.

use crate::support::objects::config;
use crate::support::repo::Repo;
use crate::support::sandbox;

fn fixed(value: &str) -> String {
    config("a", value).replace("\ndata:", "\nimmutable: true\ndata:")
}

#[test]
fn live_prune_annotation_forbids_a_replace_without_it() {
    let repo = Repo::new("lost-anew", sandbox::bare());
    let anew = "metadata:\n  annotations: {trueup.dev/replace: \"true\"}\n";
    for (at, word) in [
        "trueup.dev/prune=false",
        "helm.sh/resource-policy=keep",
        "argocd.argoproj.io/sync-options=Prune=confirm",
        "trueup.dev/replace=false",
    ]
    .into_iter()
    .enumerate()
    {
        repo.write("a.yaml", fixed("1")).commit("First").run(&["apply"]).exits(0);
        repo.kubectl(&["annotate", "configmap", "a", word]).exits(0);
        let changed = fixed("2").replace("metadata:\n", anew);
        repo.write("a.yaml", changed).commit("Made anew");
        let refused = repo.run(&["apply", "--yes"]).exits(1);
        assert_eq!(repo.value("a"), "1", "{word}\n{refused}");
        assert!(refused.stdout.contains("1 refused"), "{word}\n{refused}");
        // Who takes it off the object has it made anew.
        let name = word.split('=').next().unwrap();
        repo.kubectl(&["annotate", "configmap", "a", &format!("{name}-")]).exits(0);
        repo.run(&["apply", "--yes"]).exits(0);
        assert_eq!(repo.value("a"), "2", "round {at}");
        repo.delete_config_map("a");
    }
}

#[test]
fn owner_reference_in_a_manifest_is_refused() {
    let repo = Repo::new("lost-owner", sandbox::bare());
    repo.write("a.yaml", config("a", "1")).commit("First").run(&["apply"]).exits(0);
    let owner = "metadata:\n  ownerReferences:\n  - {apiVersion: v1, kind: ConfigMap, name: gone, uid: 00000000-0000-0000-0000-000000000001}\n";
    let owned = config("a", "2").replace("metadata:\n", owner);
    repo.write("a.yaml", owned).commit("Owned by what is not there");
    let refused = repo.run(&["apply", "--yes"]).exits(1);
    assert!(refused.stdout.contains("metadata.ownerReferences would have"), "{refused}");
    let value = repo.kubectl(&["get", "configmap", "a", "-o", "jsonpath={.data.key}"]).exits(0);
    assert_eq!(value.stdout, "1");
}

/// The first commit of the other repository is here, loose or merged, and the history began elsewhere.
#[test]
fn a_history_that_only_has_anothers_first_commit_is_not_that_repository() {
    let plane = sandbox::bare();
    let victim = Repo::new("lost-history", plane);
    victim.write("p/kept.yaml", config("kept", "1")).commit("First");
    let settings = "targets: {lost-history: {paths: [p]}}\n";
    victim.write("trueup.yaml", settings).commit("Settings").run(&["apply"]).exits(0);

    let other = tempfile::tempdir().unwrap();
    let git = |args: &[&str]| crate::support::git::git(other.path(), args);
    git(&["init", "--quiet", "--initial-branch=main"]);
    crate::support::git::write(other.path().join("p/evil.yaml"), &config("evil", "1"));
    crate::support::git::write(other.path().join("trueup.yaml"), settings);
    git(&["add", "--all"]);
    let commit = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
    git(&[&commit[..], &["commit", "--quiet", "-m", "Evil"]].concat());
    let from = victim.path();
    let root = victim.git(&["rev-list", "--max-parents=0", "HEAD"]).stdout;
    git(&["fetch", "--quiet", from.to_str().unwrap(), root.trim()]);
    let diff = || victim.trueup(&["diff"]).dir(other.path()).run().exits(2);
    assert!(diff().stderr.contains("another repository"), "{}", diff());
    let merge = ["merge", "--quiet", "--allow-unrelated-histories", "-s", "ours", "-m", "m"];
    git(&[&commit[..], &merge, &[root.trim()]].concat());
    assert!(diff().stderr.contains("another repository"), "{}", diff());
}
