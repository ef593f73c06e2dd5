//! A checkout that tries to choose its judges, one test for each way. The stranger's key is sound, and
//! the machine does not know it.

use std::fs;

use super::signing::{Machine, private};
use crate::support::command::Cmd;
use crate::support::git::git;
use crate::support::objects::config;

/// A machine that trusts `dev@x`, and a repository whose `HEAD` a stranger signed.
fn machine() -> Machine {
    let machine = Machine::new();
    machine.ssh_key("dev", "ed25519").ssh_key("stranger", "ed25519");
    machine.write("allowed", format!("dev@x {}\n", machine.public("dev"))).ssh_rule("");
    machine.ssh_commit("dev", "First");
    machine.file("signers", &format!("dev@x {}\n", machine.public("stranger")));
    machine.ssh_commit("stranger", "Second");
    machine
}

/// A program that leaves a file behind and calls everything good.
fn accomplice(machine: &Machine) -> String {
    let ran = machine.path("ran");
    let good = "Good \"git\" signature for dev@x with ED25519 key SHA256:x";
    let script = format!("#!/bin/sh\ntouch {}\necho dev@x\necho '{good}'\n", ran.display());
    machine.file("accomplice", &script);
    private(&machine.repo().join("accomplice"), 0o755);
    machine.repo().join("accomplice").display().to_string()
}

#[track_caller]
fn is_refused(machine: &Machine) {
    assert_eq!(machine.verdict("HEAD"), "unknown-key");
    assert!(!machine.path("ran").exists(), "a program of the checkout was run");
}

#[test]
fn configuration_of_the_checkout_names_no_keys() {
    let machine = machine();
    let signers = machine.repo().join("signers").display().to_string();
    for (key, value) in [
        ("gpg.ssh.allowedSignersFile", signers.as_str()),
        ("gpg.ssh.allowedSignersFile", "signers"),
        ("gpg.minTrustLevel", "undefined"),
        ("user.signingKey", "signers"),
    ] {
        git(machine.repo(), ["config", key, value]);
        is_refused(&machine);
    }
    // git itself would take it.
    let verify = machine.on(Cmd::new("git")).dir(machine.repo());
    git(machine.repo(), ["config", "gpg.ssh.allowedSignersFile", &signers]);
    let _ = verify.args(["verify-commit", "HEAD"]).run().exits(0);
}

#[test]
fn configuration_of_the_checkout_runs_no_program() {
    let machine = machine();
    let accomplice = accomplice(&machine);
    for key in [
        "gpg.program",
        "gpg.ssh.program",
        "gpg.openpgp.program",
        "gpg.x509.program",
        "gpg.ssh.defaultKeyCommand",
        "core.fsmonitor",
        "core.sshCommand",
        "core.pager",
        "core.editor",
    ] {
        git(machine.repo(), ["config", key, &accomplice]);
    }
    git(machine.repo(), ["config", "core.hooksPath", machine.repo().to_str().unwrap()]);
    is_refused(&machine);
}

#[test]
fn included_configuration_changes_nothing() {
    let machine = machine();
    let accomplice = accomplice(&machine);
    let signers = machine.repo().join("signers");
    let more = format!(
        "[gpg \"ssh\"]\n\tprogram = {accomplice}\n\tallowedSignersFile = {}\n",
        signers.display()
    );
    machine.file("more", &more);
    let more = machine.repo().join("more").display().to_string();
    git(machine.repo(), ["config", "include.path", &more]);
    git(machine.repo(), ["config", "includeIf.gitdir:/**.path", &more]);
    is_refused(&machine);
}

#[test]
fn attributes_run_no_program() {
    let machine = machine();
    let accomplice = accomplice(&machine);
    machine.file(".gitattributes", "* filter=evil diff=evil merge=evil export-subst\n");
    for key in
        ["filter.evil.smudge", "filter.evil.clean", "diff.evil.textconv", "merge.evil.driver"]
    {
        git(machine.repo(), ["config", key, &accomplice]);
    }
    is_refused(&machine);
}

#[test]
fn environment_of_git_changes_nothing() {
    let machine = machine();
    let accomplice = accomplice(&machine);
    let signers = machine.repo().join("signers").display().to_string();
    let verify = machine.on(Cmd::trueup()).dir(machine.repo()).args(["verify"]);
    let verify = verify
        .env("GIT_CONFIG_COUNT", "2")
        .env("GIT_CONFIG_KEY_0", "gpg.ssh.allowedSignersFile")
        .env("GIT_CONFIG_VALUE_0", &signers)
        .env("GIT_CONFIG_KEY_1", "gpg.ssh.program")
        .env("GIT_CONFIG_VALUE_1", &accomplice)
        .env("GIT_CONFIG_PARAMETERS", format!("'gpg.ssh.program'='{accomplice}'"))
        .env("SSH_AUTH_SOCK", &signers);
    let said = verify.run().exits(1);
    assert!(said.stdout.contains("not one of the allowed signers'"), "{said}");
    is_refused(&machine);
}

#[test]
fn a_settings_file_of_the_checkout_says_nothing_of_trust() {
    let machine = machine();
    machine.file("trueup.yaml", "targets: {prod: {paths: [a], verify: false}}\n");
    machine.file("config.yaml", "verify: []\n").file(".config/trueup/config.yaml", "verify: []\n");
    machine.ssh_commit("stranger", "Settings");
    is_refused(&machine);
    machine.file("trueup.yaml", "verify: []\ntargets: {prod: {paths: [a]}}\n");
    machine.ssh_commit("dev", "Rules");
    let said = machine.trueup(&["check"]).exits(2);
    assert!(said.stderr.contains("trueup.yaml:1:1: unknown key \"verify\""), "{said}");
}

#[test]
fn keys_in_the_checkout_or_that_others_can_change_are_an_error() {
    let machine = machine();
    let signers = machine.repo().join("signers");
    private(&signers, 0o644);
    let rule = |path: &str| {
        machine.rules(&format!("verify:\n- targets: ['*']\n  ssh: {{allowed-signers: {path}}}\n"));
        machine.trueup(&["verify"]).exits(2).stderr
    };
    let said = rule(signers.to_str().unwrap());
    assert!(said.contains("is in the checkout, which must not choose whom to trust"), "{said}");
    let in_git = machine.repo().join(".git/signers");
    fs::copy(&signers, &in_git).unwrap();
    let said = rule(in_git.to_str().unwrap());
    assert!(said.contains("is in the checkout"), "{said}");
    std::os::unix::fs::symlink(&signers, machine.path("link")).unwrap();
    let said = rule("DIR/link");
    assert!(said.contains("is in the checkout"), "{said}");
    private(&machine.path("allowed"), 0o666);
    let said = rule("DIR/allowed");
    assert!(said.contains("allowed: every user may change it"), "{said}");
    let said = rule("DIR/missing");
    assert!(said.contains("cannot read") && said.contains("missing"), "{said}");
    let said = rule("signers");
    assert!(
        said.contains("config.yaml:3:26: verify[0]: signers is not an absolute path"),
        "{said}"
    );
}

#[test]
fn replacements_put_no_other_files_below_a_commit() {
    let machine = Machine::new();
    machine.ssh_key("dev", "ed25519");
    machine
        .write("allowed", format!("dev@x {}\n", machine.public("dev")))
        .ssh_rule("  mode: all\n");
    machine.file("a.yaml", &config("a", "good"));
    machine.plain_commit("Plain");
    let plain = git(machine.repo(), ["rev-parse", "HEAD"]);
    machine.ssh_commit("dev", "Signed");
    assert_eq!(machine.verdict("HEAD"), "ancestor");
    // Another content of the file, and a signed commit in place of the plain one.
    let good = git(machine.repo(), ["rev-parse", "HEAD:a.yaml"]);
    machine.file("other.yaml", &config("a", "other"));
    let other = git(machine.repo(), ["hash-object", "-w", "other.yaml"]);
    git(machine.repo(), ["replace", &good, &other]);
    let head = git(machine.repo(), ["rev-parse", "HEAD"]);
    git(machine.repo(), ["replace", &plain, &head]);
    assert_eq!(machine.verdict("HEAD"), "ancestor");
    let rendered = machine.trueup(&["render", "a.yaml"]).exits(0);
    assert!(rendered.stdout.contains("good"), "{rendered}");
}

#[test]
fn the_machines_file_is_one_that_others_can_not_write() {
    let machine = machine();
    private(&machine.path("config/trueup/config.yaml"), 0o666);
    let refused = machine.trueup(&["verify"]).exits(2);
    assert!(refused.stderr.contains("every user may change it"), "{refused}");
    private(&machine.path("config/trueup/config.yaml"), 0o644);

    let text = fs::read_to_string(machine.path("config/trueup/config.yaml")).unwrap();
    machine.file("config.yaml", &text);
    fs::remove_file(machine.path("config/trueup/config.yaml")).unwrap();
    let link = machine.path("config/trueup/config.yaml");
    std::os::unix::fs::symlink(machine.repo().join("config.yaml"), link).unwrap();
    let refused = machine.trueup(&["verify"]).exits(2);
    assert!(refused.stderr.contains("is in the checkout"), "{refused}");
}
