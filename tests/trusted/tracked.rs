//! Which commit counts of targets that track a ref, where commits are not trusted.

use super::signing::Machine;
use crate::support::command::Output;
use crate::support::git::git;
use crate::support::objects::config;
use crate::support::repo::Repo;
use crate::support::sandbox;

/// A repository with two targets, one of which tracks a ref, on a machine that trusts `dev@x`.
struct Tracked {
    repo: Repo<'static>,
    machine: Machine,
}

impl Tracked {
    /// The first commit is signed, and declares `one` and `two` with the value 1.
    fn new(name: &str, reference: &str) -> Self {
        let repo = Repo::new(name, sandbox::bare());
        let machine = Machine::beside(&repo.path());
        machine.ssh_key("dev", "ed25519");
        machine.write("allowed", format!("dev@x {}\n", machine.public("dev"))).ssh_rule("");
        let tracked = Self { repo, machine };
        tracked.targets(reference);
        tracked.repo.write("two/two.yaml", config("two", "1"));
        tracked.signed("1");
        tracked
    }

    fn targets(&self, reference: &str) {
        self.repo.write(
            "trueup.yaml",
            format!(
                "targets:\n  one: {{paths: [one], ref: {reference}}}\n  two: {{paths: [two]}}\n"
            ),
        );
    }

    fn signed(&self, value: &str) -> String {
        self.repo.write("one/one.yaml", config("one", value));
        self.machine.ssh_commit("dev", &format!("Value {value}"))
    }

    fn plain(&self, value: &str) -> String {
        self.repo.write("one/one.yaml", config("one", value));
        self.machine.plain_commit(&format!("Value {value}"))
    }

    fn git(&self, args: &[&str]) -> String {
        git(self.repo.path(), args)
    }

    fn run(&self, args: &[&str]) -> Output {
        self.machine.on(self.repo.trueup(args)).run()
    }

    fn apply(&self) -> Output {
        self.run(&["apply", "--yes", "--target", "one"])
    }
}

fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_newest_trusted_commit_of_a_branch_is_applied_whatever_head_is() {
    let tracked = Tracked::new("trusted-branch", "release");
    tracked.git(&["checkout", "--quiet", "-b", "release"]);
    let good = tracked.signed("2");
    tracked.git(&["checkout", "--quiet", "main"]);
    tracked.plain("head");
    // The settings of HEAD are not its own: only which ref counts, as a trusted commit says.
    tracked.apply().exits(0);
    assert_eq!(tracked.repo.value("one"), "2");

    tracked.git(&["checkout", "--quiet", "release"]);
    let bad = tracked.plain("3");
    tracked.git(&["checkout", "--quiet", "main"]);
    let said = tracked.apply().exits(1);
    let expected = format!(
        "release ({}) by Author is not trusted: it is not signed; stays at {}",
        &bad[..7],
        &good[..7]
    );
    assert!(flat(&said.stderr).contains(&expected), "{said}");
    assert_eq!(tracked.repo.value("one"), "2");
    tracked.run(&["diff", "--target", "one"]).exits(1);
}

#[test]
fn an_untrusted_commit_does_not_move_a_target_to_another_ref() {
    let tracked = Tracked::new("trusted-moved-ref", "release");
    tracked.git(&["tag", "old"]);
    tracked.signed("2");
    tracked.git(&["branch", "release"]);
    tracked.apply().exits(0);
    assert_eq!(tracked.repo.value("one"), "2");

    tracked.targets("old");
    let bad = tracked.machine.plain_commit("Back to an old release");
    // It is said, whatever the settings there say.
    let said = tracked.apply().exits(1);
    assert!(
        flat(&said.stderr).contains(&format!("{} by Author is not trusted", &bad[..7])),
        "{said}"
    );
    assert_eq!(tracked.repo.value("one"), "2");
    // A trusted commit may.
    tracked.targets("old");
    tracked.repo.write("note", "x");
    tracked.machine.ssh_commit("dev", "Back to an old release");
    tracked.apply().exits(0);
    assert_eq!(tracked.repo.value("one"), "1");
}

#[test]
fn the_newest_trusted_tag_of_a_range_is_applied_and_no_commit_between_tags() {
    let tracked = Tracked::new("trusted-range", "{semver: '>=1.0'}");
    tracked.git(&["tag", "v1.0.0"]);
    tracked.signed("between");
    tracked.plain("2");
    tracked.git(&["tag", "v1.1.0"]);
    tracked.plain("3");
    tracked.git(&["tag", "v1.2.0"]);
    let said = tracked.apply().exits(1);
    assert!(flat(&said.stderr).contains("is not trusted: it is not signed; stays at"), "{said}");
    assert_eq!(tracked.repo.value("one"), "1");
    assert_eq!(tracked.repo.annotation("trueup-one", "trueup.dev/ref"), "v1.0.0");

    tracked.signed("4");
    tracked.git(&["tag", "v1.3.0"]);
    tracked.apply().exits(0);
    assert_eq!(tracked.repo.value("one"), "4");
}

#[test]
fn for_one_tag_nothing_stands_in_and_other_targets_go_on() {
    let tracked = Tracked::new("trusted-tag", "v1");
    tracked.plain("2");
    tracked.git(&["tag", "v1"]);
    tracked.git(&["checkout", "--quiet", "-b", "back", "HEAD^"]);
    let said = tracked.apply().exits(1);
    assert!(flat(&said.stderr).contains("is not signed; it was not applied"), "{said}");
    assert!(tracked.repo.config_map("one").is_none());

    for verb in [&["diff", "--all-targets"][..], &["apply", "--yes", "--all-targets"]] {
        let said = tracked.run(verb).exits(1);
        assert!(said.stderr.contains("is not trusted"), "{verb:?}: {said}");
    }
    assert!(tracked.repo.config_map("one").is_none());
    assert_eq!(tracked.repo.value("two"), "1");
    // A ref that leads nowhere is a fault of the run, and the others go on all the same.
    tracked.targets("nowhere");
    tracked.machine.ssh_commit("dev", "Track a ref that is not there");
    let said = tracked.run(&["apply", "--yes", "--all-targets"]).exits(2);
    assert!(said.stderr.contains("nowhere"), "{said}");
    assert!(said.stdout.contains("two is at"), "{said}");
}

#[test]
fn pull_names_the_targets_whose_commits_are_not_trusted() {
    let tracked = Tracked::new("trusted-pull", "release");
    tracked.git(&["branch", "release"]);
    let checkout = tracked.repo.outside().join("checkout");
    let at = checkout.to_str().unwrap();
    let url = format!("file://{}", tracked.repo.path().display());
    tracked.run(&["-C", at, "pull", "--url", &url]).exits(0);
    tracked.git(&["checkout", "--quiet", "release"]);
    let bad = tracked.plain("2");
    let said = tracked.run(&["-C", at, "pull"]).exits(1);
    assert!(
        flat(&said.stderr)
            .contains(&format!("one: release ({}) by Author is not trusted", &bad[..7])),
        "{said}"
    );
    let json = tracked.run(&["-C", at, "pull", "-o", "json"]).exits(1);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["untrusted_targets"]["one"]["commit"], bad.as_str(), "{json}");
    assert!(json.get("untrusted").is_none(), "{json}");
}

#[test]
fn in_mode_tag_the_tag_of_the_range_is_the_signed_one() {
    let tracked = Tracked::new("trusted-own-tag", "{semver: '>=1.0'}");
    tracked.machine.ssh_rule("  mode: tag\n");
    tracked.machine.ssh_tag("dev", "v1.0.0", &["One"]);
    tracked.signed("2");
    tracked.machine.ssh_tag("dev", "v1.1.0", &["Two"]);
    tracked.apply().exits(0);
    assert_eq!(tracked.repo.value("one"), "2");
    // A plain tag at a commit that another tag vouches for.
    tracked.git(&["tag", "v1.6.0", "v1.0.0^{commit}"]);
    let said = tracked.apply().exits(1);
    assert!(flat(&said.stderr).contains("v1.6.0 ("), "{said}");
    assert!(flat(&said.stderr).contains("git tag -s"), "{said}");
    assert_eq!(tracked.repo.value("one"), "2");
    let verify = tracked.run(&["verify", "--target", "one"]).exits(1);
    assert!(verify.stdout.contains("no signed tag points at it"), "{verify}");
    // A signed one may go back.
    tracked.git(&["tag", "-d", "v1.6.0"]);
    tracked.git(&["checkout", "--quiet", "v1.0.0"]);
    tracked.machine.ssh_tag("dev", "v1.7.0", &["Back"]);
    tracked.git(&["checkout", "--quiet", "main"]);
    tracked.apply().exits(0);
    assert_eq!(tracked.repo.value("one"), "1");
}

#[test]
fn an_unsigned_tag_does_not_lead_back() {
    let tracked = Tracked::new("trusted-back", "{semver: '>=1.0'}");
    tracked.git(&["tag", "v1.0.0"]);
    tracked.signed("2");
    tracked.git(&["tag", "v1.1.0"]);
    tracked.apply().exits(0);
    tracked.git(&["tag", "v1.9.0", "v1.0.0"]);
    let said = tracked.apply().exits(1);
    assert!(flat(&said.stderr).contains("leads back behind what is applied"), "{said}");
    assert_eq!(tracked.repo.value("one"), "2");
    tracked.run(&["apply", "--yes", "--target", "one", "--rev", "v1.0.0"]).exits(0);
    assert_eq!(tracked.repo.value("one"), "1");
}

#[test]
fn an_untrusted_commit_does_not_hide_which_ref_is_tracked() {
    let tracked = Tracked::new("trusted-hidden-ref", "canary");
    let first = tracked.git(&["rev-parse", "HEAD"]);
    tracked.git(&["branch", "canary"]);
    tracked.targets("release");
    tracked.signed("2");
    let second = tracked.git(&["rev-parse", "HEAD"]);
    tracked.git(&["branch", "release"]);
    tracked.apply().exits(0);
    assert_eq!(tracked.repo.value("one"), "2");
    // Its first parent is the older of the two.
    let tree = format!("{first}^{{tree}}");
    let args = ["commit-tree", "-p", &first, "-p", &second, "-m", "Merge", &tree];
    let merge = tracked.git(&args);
    tracked.git(&["reset", "--quiet", "--hard", &merge]);
    let said = tracked.apply().exits(1);
    assert!(flat(&said.stderr).contains("is not trusted"), "{said}");
    assert_eq!(tracked.repo.value("one"), "2");
}

#[test]
fn a_target_without_a_rule_takes_nothing_from_one_with_a_rule() {
    let tracked = Tracked::new("trusted-taken", "main");
    tracked.machine.rules("verify:\n- targets: [one]\n  ssh: {allowed-signers: DIR/allowed}\n");
    tracked.repo.write("trueup.yaml", "targets:\n  one: {paths: [one]}\n  two: {paths: [two]}\n");
    tracked.signed("1");
    tracked.run(&["apply", "--yes", "--all-targets"]).exits(0);
    tracked.git(&["mv", "one/one.yaml", "two/one.yaml"]);
    tracked.repo.write("one/three.yaml", config("three", "1"));
    tracked.machine.plain_commit("Take it");
    tracked.run(&["apply", "--yes", "--target", "two"]).exits(1);
    let inventory = |target: &str| {
        let parent = tracked.repo.config_map(&format!("trueup-{target}")).unwrap();
        parent["metadata"]["labels"]["applyset.kubernetes.io/id"].clone()
    };
    let part_of = || {
        let one = tracked.repo.config_map("one").unwrap();
        one["metadata"]["labels"]["applyset.kubernetes.io/part-of"].clone()
    };
    assert_eq!(part_of(), inventory("one"));
    // Once a signed commit says so, it may.
    tracked.repo.write("note", "x");
    tracked.machine.ssh_commit("dev", "Take it");
    tracked.run(&["apply", "--yes", "--target", "two"]).exits(0);
    assert_eq!(part_of(), inventory("two"));
}
