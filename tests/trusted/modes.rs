//! Which commits have to be signed, for which paths, and the seals that end the look at ancestors.

use super::signing::{Machine, TIME};
use crate::support::git::git;

/// A machine that trusts `dev@x` and `platform@x`.
fn machine(rule: &str) -> Machine {
    let machine = Machine::new();
    let mut allowed = String::new();
    for name in ["dev", "platform"] {
        machine.ssh_key(name, "ed25519");
        allowed += &format!("{name}@x {}\n", machine.public(name));
    }
    machine.write("allowed", allowed).ssh_rule(rule);
    machine
}

const GOOD: &str = "trusted: true";

#[test]
fn mode_all_wants_every_commit_back_to_a_seal() {
    let machine = machine("  mode: all\n");
    machine.plain_commit("Old");
    let first = machine.ssh_commit("dev", "Signed");
    assert_eq!(machine.verdict(&first), "ancestor");
    let seal = machine.ssh_commit("dev", "Begin\n\ntrueup-seal: reviewed up to here");
    assert_eq!(machine.verdict(&seal), GOOD);
    let next = machine.ssh_commit("dev", "Next");
    assert_eq!(machine.verdict(&next), GOOD);
    let listed = machine.trueup(&["verify", &format!("{first}..HEAD")]).exits(0);
    assert!(listed.stdout.contains("seals its ancestors"), "{listed}");

    // A commit of a branch counts, too, and so does one under a signed merge.
    git(machine.repo(), ["checkout", "--quiet", "-b", "side"]);
    machine.plain_commit("Side");
    git(machine.repo(), ["checkout", "--quiet", "main"]);
    git(machine.repo(), ["merge", "--quiet", "--no-ff", "--no-commit", "side"]);
    let merge = machine.ssh_commit("dev", "Merge");
    assert_eq!(machine.verdict(&merge), "ancestor");
    machine.ssh_tag("dev", "mended", &["Mended", "trueup-seal: looked at the branch"]);
    assert_eq!(machine.verdict(&merge), GOOD);
    assert_eq!(machine.verdict(&machine.ssh_commit("dev", "More")), GOOD);
    // A seal that is not signed is none.
    machine.plain_commit("Text\n\ntrueup-seal: by a stranger");
    assert_eq!(machine.verdict("HEAD"), "unsigned");
    assert_eq!(machine.verdict(&machine.ssh_commit("dev", "Above")), "ancestor");
}

#[test]
fn a_signer_signs_for_its_paths_alone() {
    for mode in ["head", "all"] {
        let rule = "  mode: MODE\n  signers: {platform@x: ['infra/**']}\n".replace("MODE", mode);
        let machine = machine(&rule);
        machine.file("shop/a", "1").file("infra/a", "1");
        let first = machine.ssh_commit("dev", "First");
        assert_eq!(machine.verdict(&first), GOOD, "{mode}");
        machine.file("infra/a", "2");
        assert_eq!(machine.verdict(&machine.ssh_commit("platform", "Infra")), GOOD, "{mode}");
        machine.file("shop/a", "2").file("infra/a", "3");
        let refused = machine.ssh_commit("platform", "Both");
        assert_eq!(machine.verdict(&refused), "not-allowed", "{mode}");
        let said = machine.trueup(&["verify"]).exits(1);
        assert!(said.stdout.contains("platform@x may not sign for shop/a"), "{said}");
        // The next commit of that signer does not carry the other's along.
        machine.file("infra/a", "4");
        let next = machine.ssh_commit("platform", "Infra again");
        let expected = if mode == "head" { "not-allowed" } else { "ancestor" };
        assert_eq!(machine.verdict(&next), expected, "{mode}");
        // A seal of theirs is none.
        let seal = machine.ssh_commit("platform", "Seal\n\ntrueup-seal: mine");
        assert_eq!(machine.verdict(&seal), expected, "{mode}");
    }
}

#[test]
fn a_merge_counts_as_a_change_of_what_it_brings() {
    let machine = machine("  mode: all\n  signers: {platform@x: [infra]}\n");
    machine.file("shop/a", "1").file("infra/a", "1");
    machine.ssh_commit("dev", "First");
    git(machine.repo(), ["checkout", "--quiet", "-b", "side"]);
    machine.file("shop/a", "2");
    machine.ssh_commit("dev", "Shop");
    git(machine.repo(), ["checkout", "--quiet", "main"]);
    git(machine.repo(), ["merge", "--quiet", "--no-ff", "--no-commit", "side"]);
    let merge = machine.ssh_commit("platform", "Merge");
    assert_eq!(machine.verdict(&merge), "not-allowed");
    git(machine.repo(), ["reset", "--quiet", "--hard", "HEAD~1"]);
    git(machine.repo(), ["merge", "--quiet", "--no-ff", "--no-commit", "side"]);
    assert_eq!(machine.verdict(&machine.ssh_commit("dev", "Merge")), GOOD);
}

#[test]
fn mode_tag_wants_a_signed_tag_with_its_own_name() {
    let machine = machine("  mode: tag\n");
    let first = machine.ssh_commit("dev", "First");
    assert_eq!(machine.verdict(&first), "no-tag");
    git(machine.repo(), ["tag", "light"]);
    git(machine.repo(), ["tag", "-a", "-m", "Plain", "plain"]);
    assert_eq!(machine.verdict(&first), "unsigned");
    machine.ssh_tag("dev", "v1", &["One"]);
    assert_eq!(machine.verdict(&first), GOOD);
    assert_eq!(machine.verdict("v1"), GOOD);

    // A commit without a signature is what the tag vouches for; a moved name is not.
    let second = machine.commit(&[], "Second", TIME);
    machine.ssh_tag("dev", "v2", &["Two"]);
    assert_eq!(machine.verdict(&second), GOOD);
    let third = machine.plain_commit("Third");
    git(machine.repo(), ["tag", "-d", "v2"]);
    assert_eq!(machine.verdict(&second), "no-tag");
    git(machine.repo(), ["update-ref", "refs/tags/v3", "refs/tags/v1"]);
    assert_eq!(machine.verdict(&first), GOOD, "by its own name");
    git(machine.repo(), ["tag", "-d", "v1"]);
    assert_eq!(machine.verdict(&first), "unsigned", "the tag v3 says that it is v1");
    assert_eq!(machine.verdict(&third), "no-tag");
}

#[test]
fn the_first_rule_of_a_named_target_counts_and_else_all_of_them() {
    let machine = machine("");
    machine.rules(
        "verify:
- targets: [test]
  ssh: {allowed-signers: DIR/allowed}
  mode: tag
- targets: ['*']
  ssh: {allowed-signers: DIR/allowed}
",
    );
    machine.ssh_commit("dev", "First");
    machine.trueup(&["verify", "--target", "prod"]).exits(0);
    machine.trueup(&["verify", "--target", "test"]).exits(1);
    machine.trueup(&["verify"]).exits(1);
    machine.ssh_tag("dev", "v1", &["One"]);
    machine.trueup(&["verify"]).exits(0);
    machine.rules("verify:\n- targets: [prod]\n  ssh: {allowed-signers: DIR/allowed}\n");
    let none = machine.trueup(&["verify", "--target", "test"]).exits(2);
    assert!(none.stderr.contains("this machine has no verify rule for target test"), "{none}");
}

#[test]
fn a_target_that_there_is_not_has_no_verdict() {
    let machine = machine("");
    machine.file("trueup.yaml", "targets: {prod: {paths: [.]}}\n");
    machine.ssh_commit("dev", "First");
    machine.trueup(&["verify", "--target", "prod"]).exits(0);
    let said = machine.trueup(&["verify", "--target", "prd"]).exits(2);
    assert!(said.stderr.contains("trueup.yaml has no target \"prd\""), "{said}");
    assert!(said.stderr.contains("did you mean \"prod\"?"), "{said}");
}

#[test]
fn a_merge_does_not_take_back_what_others_signed() {
    for mode in ["head", "all"] {
        let rule = "  mode: MODE\n  signers: {platform@x: ['infra/**']}\n".replace("MODE", mode);
        let machine = machine(&rule);
        machine.file("shop/a", "1").file("infra/a", "1");
        let first = machine.ssh_commit("dev", "First");
        machine.file("shop/a", "2");
        machine.ssh_commit("dev", "Shop");
        // Against its first parent, only infra differs.
        git(machine.repo(), ["checkout", "--quiet", "-b", "side", &first]);
        machine.file("infra/a", "2");
        git(machine.repo(), ["add", "--all"]);
        let side = machine.ssh_commit("platform", "Infra");
        git(machine.repo(), ["merge", "--quiet", "--no-ff", "--no-commit", "-s", "ours", "main"]);
        let merge = machine.ssh_commit("platform", "Merge");
        assert_eq!(machine.verdict(&merge), "not-allowed", "{mode}");
        let said = machine.trueup(&["verify"]).exits(1);
        assert!(said.stdout.contains("platform@x may not sign for shop/a"), "{said}");
        // With a commit on top it stays so.
        machine.file("infra/a", "3");
        assert!(machine.verdict(&machine.ssh_commit("platform", "Next")) != GOOD, "{mode}");

        // A merge into the line keeps what is there.
        git(machine.repo(), ["checkout", "--quiet", "main"]);
        git(machine.repo(), ["merge", "--quiet", "--no-ff", "--no-commit", &side]);
        assert_eq!(machine.verdict(&machine.ssh_commit("platform", "Merge")), GOOD, "{mode}");
    }
}
