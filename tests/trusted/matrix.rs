//! Signatures of every kind, made with the real programs: the verdict of `git verify-commit`, and that
//! of trueup.

use std::fs;

use super::signing::{Machine, TIME, private};
use crate::readme::read;
use crate::support::command::Cmd;
use crate::support::git::{git, raw_commit};

/// A commit, and what both say of it.
struct Row {
    name: &'static str,
    commit: String,
    /// Whether `git verify-commit` ends with 0.
    git: bool,
    /// The word of trueup.
    trueup: &'static str,
}

/// The settings of git that name the same files as trueup's rule.
const GIT: [&str; 2] = ["gpg.ssh.allowedSignersFile=allowed", "gpg.ssh.revocationFile=revoked"];

fn git_says(machine: &Machine, commit: &str) -> bool {
    let folder = machine.path("");
    let settings = GIT.iter().flat_map(|setting| {
        let (name, file) = setting.split_once('=').unwrap();
        ["-c".to_owned(), format!("{name}={}", folder.join(file).display())]
    });
    let verify = machine.on(Cmd::new("git")).dir(machine.repo()).args(settings);
    verify.args(["verify-commit", commit]).run().status == Some(0)
}

/// Holds each row, and that `docs/verification.md` has the rows of this kind, and no other of it.
#[track_caller]
fn hold(machine: &Machine, kind: &str, rows: &[Row]) {
    let (mut table, mut wrong) = (Vec::new(), Vec::new());
    for Row { name, commit, git, trueup } in rows {
        let (of_git, of_trueup) = (git_says(machine, commit), machine.verdict(commit));
        let git_word = if of_git { "good" } else { "refused" };
        let word = if of_trueup == GOOD { "good" } else { of_trueup.as_str() };
        let other = if of_git == (of_trueup == GOOD) { "" } else { " (differs)" };
        table.push(format!("| {kind} | {name} | {git_word} | {word}{other} |"));
        let is_as_expected = of_git == *git && of_trueup == *trueup;
        if !is_as_expected {
            wrong.push(*name);
        }
    }
    let whole = table.join("\n");
    assert!(wrong.is_empty(), "{wrong:?} in\n{whole}");
    let page = read("docs/verification.md");
    let documented: Vec<&str> =
        page.lines().filter(|line| line.starts_with(&format!("| {kind} |"))).collect();
    assert_eq!(documented, table, "docs/verification.md should have\n{whole}");
}

const GOOD: &str = "trusted: true";

#[test]
fn ssh_signatures_are_judged_as_git_judges_them() {
    let machine = Machine::new();
    let keys = [
        ("ed", "ed25519"),
        ("ec", "ecdsa"),
        ("rsa", "rsa"),
        ("stranger", "ed25519"),
        ("old", "ed25519"),
        ("future", "ed25519"),
        ("revoked", "ed25519"),
        ("file", "ed25519"),
        ("twice", "ed25519"),
        ("wild", "ed25519"),
        ("ca", "ed25519"),
        ("user", "ed25519"),
        ("other", "ed25519"),
        ("late", "ed25519"),
    ];
    for (name, kind) in keys {
        machine.ssh_key(name, kind);
    }
    let certify = |name: &str, more: &[&str]| {
        let [ca, key] = ["ca", name].map(|it| machine.path(&format!("keys/{it}")));
        let certify =
            Cmd::new("ssh-keygen").args(["-q", "-I", name]).args(more).args(["-s"]).args([ca]);
        certify.args([key.with_extension("pub")]).run().exits(0);
    };
    certify("user", &["-n", "user@x"]);
    certify("other", &["-n", "other@y"]);
    certify("late", &["-n", "user@x", "-V", "20200101:20200201"]);
    let line = |options: &str, key: &str| format!("{options} {}\n", machine.public(key));
    let allowed = [
        line("ed@x", "ed"),
        line("ec@x,second@x", "ec"),
        line("rsa@x", "rsa"),
        line("old@x valid-before=\"20240101\"", "old"),
        line("future@x valid-after=\"20990101\"", "future"),
        line("revoked@x", "revoked"),
        line("file@x namespaces=\"file\"", "file"),
        line("once@x namespaces=\"file\"", "twice"),
        line("twice@x namespaces=\"git\"", "twice"),
        line("*@wild", "wild"),
        line("*@x cert-authority", "ca"),
    ];
    machine.write("allowed", allowed.concat()).write("revoked", line("", "revoked").trim_start());
    machine.ssh_rule("");
    machine.rules(
        "verify:\n- targets: ['*']\n  ssh: {allowed-signers: DIR/allowed, revoked: DIR/revoked}\n",
    );

    let mut rows = Vec::new();
    let mut row = |name, commit, git, trueup| rows.push(Row { name, commit, git, trueup });
    row("unsigned", machine.plain_commit("Plain"), false, "unsigned");
    for (name, key, git, trueup) in [
        ("Ed25519", "ed", true, GOOD),
        ("ECDSA", "ec", true, GOOD),
        ("RSA", "rsa", true, GOOD),
        ("key that no line has", "stranger", false, "unknown-key"),
        ("before `valid-after`", "future", false, "not-yet-valid"),
        ("revoked key", "revoked", false, "revoked"),
        ("key for another namespace", "file", false, "wrong-namespace"),
        ("first line for another namespace, second good", "twice", false, "wrong-namespace"),
        ("wildcard principal", "wild", true, GOOD),
        ("certificate", "user-cert", true, GOOD),
        ("certificate for a principal of no line", "other-cert", false, "certificate"),
        ("certificate out of its time", "late-cert", false, "certificate"),
    ] {
        row(name, machine.ssh_commit(key, key), git, trueup);
    }
    // 2023-12-31T23:00Z; the lifetime is in local time, which is UTC here.
    for (name, time, git, trueup) in [
        ("long before `valid-before`", TIME, true, GOOD),
        ("an hour before `valid-before`", "1704063600 +0900", true, GOOD),
        ("an hour after `valid-before`", "1704070800 -0900", false, "expired"),
    ] {
        row(name, machine.ssh_commit_at("old", name, time), git, trueup);
    }

    let good = git(machine.repo(), ["cat-file", "commit", &machine.ssh_commit("ed", "good")]);
    let evil = raw_commit(machine.repo(), &(good.replace("\n\ngood", "\n\nevil") + "\n"));
    row("content changed", evil, false, "bad-signature");

    machine.plain_commit("By hand");
    let [ed, stranger] = ["ed", "stranger"].map(|key| machine.signature(key, "git"));
    let elsewhere = machine.signature("ed", "file");
    let mut by_hand = |name, signatures: &[&str], git, trueup| {
        row(name, machine.with_signatures(signatures), git, trueup);
    };
    by_hand("written by hand", &[&ed], true, GOOD);
    by_hand("signed for another namespace", &[&elsewhere], false, "wrong-namespace");
    by_hand("two headers: good, unknown", &[&ed, &stranger], true, "several-signatures");
    by_hand("two headers: unknown, good", &[&stranger, &ed], false, "several-signatures");
    let both = format!("{ed}{stranger}");
    by_hand("one header: good, unknown", &[&both], true, "several-signatures");
    let x509 = "-----BEGIN SIGNED MESSAGE-----\nMIIB\n-----END SIGNED MESSAGE-----\n";
    by_hand("X.509", &[x509], false, "unsupported");
    by_hand("no signature, but text", &["rubbish\n"], false, "unsupported");
    by_hand("cut short", &[&ed[..ed.len() / 2]], false, "bad-signature");
    hold(&machine, "SSH", &rows);

    // A KRL in place of the list.
    let krl = machine.path("revoked");
    fs::remove_file(&krl).unwrap();
    let key = machine.path("keys/rsa.pub");
    Cmd::new("ssh-keygen").args(["-q", "-k", "-f"]).args([&krl, &key]).run().exits(0);
    private(&krl, 0o644);
    let mut rows = Vec::new();
    for (name, key, git, trueup) in
        [("key in the KRL", "rsa", false, "revoked"), ("key outside of it", "revoked", true, GOOD)]
    {
        rows.push(Row { name, commit: machine.ssh_commit(key, name), git, trueup });
    }
    hold(&machine, "SSH, KRL", &rows);
}

#[test]
fn lifetimes_are_in_the_time_zone_of_the_machine() {
    let machine = Machine::new();
    machine.ssh_key("old", "ed25519");
    let line = format!("old@x valid-before=\"20240101\" {}\n", machine.public("old"));
    machine.write("allowed", line).ssh_rule("");
    // 2023-12-31T23:00Z, which is the next year in Tokyo.
    machine.ssh_commit_at("old", "edge", "1704063600 +0000");
    let verify = |zone: &str| {
        machine.on(Cmd::trueup()).dir(machine.repo()).env("TZ", zone).args(["verify"]).run()
    };
    verify("UTC").exits(0);
    let late = verify("Asia/Tokyo").exits(1);
    assert!(late.stdout.contains("the signing key has expired"), "{late}");
    verify("UTC").exits(0);
}

#[test]
fn openpgp_signatures_are_judged_as_git_judges_them() {
    let machine = Machine::new();
    let past = Some(("20200101T000000", "30d"));
    machine.openpgp_key("ed", "ed25519", None).openpgp_key("rsa", "rsa2048", None);
    machine.openpgp_key("gone", "ed25519", None).openpgp_key("old", "ed25519", past);
    machine.openpgp_key("other", "ed25519", None);
    let user = "sub <sub@x>";
    let quick = ["--batch", "--quiet", "--passphrase", ""];
    machine.gpg(&[&quick[..], &["--quick-gen-key", user, "ed25519", "cert", "never"]].concat());
    let fingerprint = |user: &str| {
        let listed = machine.gpg(&["--list-keys", "--with-colons", user]).stdout;
        let line = listed.lines().find(|line| line.starts_with("fpr")).unwrap();
        line.split(':').nth(9).unwrap().to_owned()
    };
    machine.gpg(
        &[&quick[..], &["--quick-add-key", &fingerprint("sub@x"), "ed25519", "sign"]].concat(),
    );
    let wrapper = |name: &str, options: &str| {
        machine.write(name, format!("#!/bin/sh\nexec gpg {options} \"$@\"\n"));
        private(&machine.path(name), 0o755);
        format!("gpg.program={}", machine.path(name).display())
    };
    let sha1 = wrapper("sha1", "--digest-algo SHA1");
    let then = wrapper("then", "--faked-system-time 20200110T000000");
    let signed = |user: &str, more: &[&str]| {
        let key = format!("user.signingKey={user}");
        machine.commit(&[&[key.as_str()][..], more].concat(), user, TIME)
    };
    let mut rows = Vec::new();
    let mut row = |name, commit, git, trueup| rows.push(Row { name, commit, git, trueup });
    let ed = signed("ed@x", &[]);
    row("Ed25519", ed.clone(), true, GOOD);
    row("RSA", signed("rsa@x", &[]), true, GOOD);
    row("subkey", signed("sub@x", &[]), true, GOOD);
    row("SHA-1", signed("rsa@x", &[&sha1]), true, "weak-digest");
    row("expired since it signed", signed("old@x", &[&then]), false, "expired");
    row("key outside of the rule's file", signed("other@x", &[]), true, "unknown-key");
    let gone = signed("gone@x", &[]);
    row("revoked key", gone, false, "revoked");
    let content = git(machine.repo(), ["cat-file", "commit", &ed]);
    let evil = raw_commit(machine.repo(), &(content.replace("\n\ned@x", "\n\nevil") + "\n"));
    row("content changed", evil, false, "bad-signature");
    machine.plain_commit("By hand");
    let content = git(machine.repo(), ["cat-file", "commit", "HEAD"]);
    machine.write("payload", format!("{content}\n"));
    let (payload, out) = (machine.path("payload"), machine.path("two.asc"));
    let sign = [&quick[..2], &["-bsa", "-u", "ed@x", "-u", "rsa@x", "-o"]].concat();
    machine.gpg(&[&sign[..], &[out.to_str().unwrap(), payload.to_str().unwrap()]].concat());
    let two = fs::read_to_string(out).unwrap();
    row("two signatures", machine.with_signatures(&[&two]), false, "several-signatures");
    let message = two.replace("PGP SIGNATURE", "PGP MESSAGE");
    row("a message in place of it", machine.with_signatures(&[&message]), false, "unsupported");

    // Revoked once it had signed.
    let file = machine.path(&format!("gnupg/openpgp-revocs.d/{}.rev", fingerprint("gone@x")));
    let revocation = fs::read_to_string(file).unwrap().replace(":-----BEGIN", "-----BEGIN");
    machine.write("revocation", revocation);
    machine.gpg(&["--batch", "--quiet", "--import", machine.path("revocation").to_str().unwrap()]);
    let exported = ["ed@x", "rsa@x", "gone@x", "old@x", "sub@x"];
    let keys = machine.gpg(&[&["--armor", "--export"][..], &exported].concat()).stdout;
    machine.write("signers.asc", keys);
    machine.rules("verify:\n- targets: ['*']\n  openpgp: {keys: DIR/signers.asc}\n");
    hold(&machine, "OpenPGP", &rows);

    // Without certifications, git calls the key undefined and takes it all the same.
    fs::remove_file(machine.path("gnupg/trustdb.gpg")).unwrap();
    let undefined = Row { name: "undefined trust (`U`)", commit: ed, git: true, trueup: GOOD };
    hold(&machine, "OpenPGP, no trustdb", &[undefined]);
}
