//! Which commit diff, apply, watch and pull use where `HEAD` is not trusted, and what they say.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::signing::{Machine, private};
use crate::support::between::Between;
use crate::support::command::{Cmd, Output};
use crate::support::eventually::eventually;
use crate::support::git::git;
use crate::support::objects::config;
use crate::support::repo::Repo;
use crate::support::sandbox;
use crate::support::watching::Watching;

/// A repository with a first commit by `dev@x`, whom the machine trusts.
struct Trusted {
    repo: Repo<'static>,
    machine: Machine,
}

impl Trusted {
    fn new(name: &str) -> Self {
        let repo = Repo::new(name, sandbox::bare());
        let machine = Machine::beside(&repo.path());
        machine.ssh_key("dev", "ed25519");
        machine.write("allowed", format!("dev@x {}\n", machine.public("dev"))).ssh_rule("");
        let trusted = Self { repo, machine };
        trusted.repo.write("trueup.yaml", format!("targets: {{{name}: {{paths: [objects]}}}}\n"));
        trusted.signed("1");
        trusted
    }

    fn write(&self, value: &str) {
        self.repo.write("objects/a.yaml", config("a", value));
    }

    /// A signed commit that declares this value.
    fn signed(&self, value: &str) -> String {
        self.write(value);
        self.machine.ssh_commit("dev", &format!("Value {value}"))
    }

    /// The same without a signature.
    fn plain(&self, value: &str) -> String {
        self.write(value);
        self.machine.plain_commit(&format!("Value {value}"))
    }

    fn command(&self, args: &[&str]) -> Cmd {
        self.machine.on(self.repo.trueup(args))
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).run()
    }

    fn value(&self) -> String {
        self.repo.value("a")
    }

    /// An annotation of the inventory's parent.
    fn recorded(&self, annotation: &str) -> String {
        let parent = self.repo.config_map(&self.repo.parent()).unwrap();
        parent["metadata"]["annotations"][annotation].as_str().unwrap_or_default().to_owned()
    }
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_str(&output.stdout).unwrap()
}

/// The first seven digits of an id.
fn short(id: &str) -> &str {
    &id[..7]
}

#[test]
fn the_newest_trusted_ancestor_stays_applied() {
    let trusted = Trusted::new("trusted-stays");
    let first = trusted.signed("1");
    let second = trusted.plain("2");
    let said = trusted.run(&["apply"]).exits(1);
    let refusal = format!(
        "{} by Author is not trusted: it is not signed; stays at {}",
        short(&second),
        short(&first)
    );
    let flat = said.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains(&refusal), "{said}");
    assert!(flat.contains("git commit -S"), "{said}");
    assert_eq!((trusted.value().as_str(), trusted.recorded("trueup.dev/revision")), ("1", first));
    // In sync with it, and still not at HEAD.
    trusted.run(&["diff"]).exits(1);
    trusted.run(&["apply"]).exits(1);
    trusted.run(&["diff", "--exit-zero"]).exits(0);
    let json = json(&trusted.run(&["diff", "-o", "json"]).exits(1));
    let trust = &json["revision"]["trust"];
    assert_eq!(trust["trusted"], true);
    assert_eq!(trust["signer"]["principal"], "dev@x");
    assert_eq!(trust["refused"]["commit"], second.as_str());
    assert_eq!(trust["refused"]["reason"], "unsigned");

    // The settings of a commit that is not trusted do not count, whatever they say.
    trusted.repo.write("trueup.yaml", "targets: {other: {paths: [objects]}}\n");
    trusted.machine.plain_commit("Another name");
    trusted.repo.write("trueup.yaml", "targets: [\n");
    trusted.machine.plain_commit("Broken");
    trusted.run(&["apply"]).exits(1);
    assert_eq!(trusted.value(), "1");

    trusted.repo.write("trueup.yaml", "targets: {trusted-stays: {paths: [objects]}}\n");
    trusted.signed("3");
    trusted.run(&["apply"]).exits(0);
    assert_eq!(trusted.value(), "3");
}

#[test]
fn nothing_older_than_the_applied_commit_is_applied() {
    let trusted = Trusted::new("trusted-behind");
    let second = trusted.plain("2");
    let refused = trusted.run(&["apply", "--rev", &second]).exits(1);
    assert!(refused.stderr.contains("is not trusted"), "{refused}");
    trusted.run(&["apply", "--rev", &second, "--unverified"]).exits(0);
    assert_eq!(trusted.value(), "2");
    assert_eq!(trusted.recorded("trueup.dev/unverified"), "true");
    let json = trusted.run(&["diff", "--rev", &second, "--unverified", "-o", "json"]).exits(0);
    assert_eq!(self::json(&json)["revision"]["trust"]["trusted"], false, "{json}");

    // HEAD is not trusted, and the trusted commit is older than what is applied.
    let writes = trusted.repo.writes();
    for verb in [
        &["diff"][..],
        &["diff", "-o", "json"],
        &["diff", "--all-targets"],
        &["apply"],
        &["apply", "--yes"],
        &["apply", "--all-targets", "--yes"],
        &["watch", "--once"],
    ] {
        let said = trusted.run(verb).exits(1);
        let said = format!("{}{}", said.stdout, said.stderr);
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let stays = format!("stays at {}; it was not applied", short(&second));
        assert!(said.contains(&stays), "{verb:?}: {said}");
        // The answer and the error of a run that applies all each say why a target failed.
        let times = if verb.ends_with(&["--all-targets", "--yes"]) { 2 } else { 1 };
        assert_eq!(said.matches("stays at").count(), times, "{verb:?}: {said}");
    }
    assert_eq!((trusted.value().as_str(), trusted.repo.writes()), ("2", writes));

    trusted.signed("3");
    trusted.run(&["apply"]).exits(0);
    assert_eq!(
        (trusted.value().as_str(), trusted.recorded("trueup.dev/unverified")),
        ("3", String::new())
    );
}

#[test]
fn the_work_tree_and_a_plan_need_the_word_too() {
    let trusted = Trusted::new("trusted-exact");
    trusted.run(&["apply"]).exits(0);
    trusted.write("2");
    let refused = trusted.run(&["diff", "--worktree"]).exits(1);
    assert!(refused.stderr.contains("the work tree is not trusted: uncommitted"), "{refused}");
    trusted.run(&["apply", "--worktree", "--unverified"]).exits(0);
    assert_eq!(trusted.value(), "2");
    assert_eq!(trusted.recorded("trueup.dev/unverified"), "true");
    let alone = trusted.run(&["apply", "--unverified"]).exits(2);
    assert!(alone.stderr.contains("--unverified needs --rev or --worktree"), "{alone}");

    let plain = trusted.plain("3");
    let plan = trusted.repo.outside().join("plan.json").display().to_string();
    trusted.run(&["diff", "--rev", &plain, "--unverified", "--out", &plan]).exits(1);
    let refused = trusted.run(&["apply", "--plan", &plan]).exits(1);
    assert!(refused.stderr.contains("is not trusted"), "{refused}");
    assert_eq!(trusted.value(), "2");
    trusted.run(&["apply", "--plan", &plan, "--unverified"]).exits(0);
    assert_eq!(trusted.value(), "3");
}

#[test]
fn without_any_trusted_commit_nothing_is_applied() {
    let repo = Repo::new("trusted-none", sandbox::bare());
    repo.write("a.yaml", config("a", "1")).commit("First");
    let machine = Machine::beside(&repo.path());
    machine.ssh_key("dev", "ed25519");
    machine.write("allowed", format!("dev@x {}\n", machine.public("dev"))).ssh_rule("");
    for verb in [&["diff"][..], &["apply"], &["diff", "--all-targets"], &["watch", "--once"]] {
        let said = machine.on(repo.trueup(verb)).run().exits(1);
        let said = said.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("is not trusted: it is not signed; it was not applied"), "{said}");
    }
    assert!(repo.config_map("a").is_none());
    // A rule for another target is for a run without a name, and not for one with another name.
    machine.rules("verify:\n- targets: [prod]\n  ssh: {allowed-signers: DIR/allowed}\n");
    machine.on(repo.trueup(&["apply"])).run().exits(1);
    repo.write("trueup.yaml", "targets: {test: {paths: [.]}}\n").commit("Test");
    machine.on(repo.trueup(&["apply"])).run().exits(1);
    machine.on(repo.trueup(&["apply", "--target", "test"])).run().exits(0);
    assert_eq!(repo.value("a"), "1");
}

#[test]
fn status_of_a_target_without_a_trusted_commit_leaves_the_others_as_they_are() {
    let repo = Repo::new("trusted-status", sandbox::bare());
    repo.write("trueup.yaml", "targets: {prod: {paths: [prod]}, test: {paths: [test]}}\n");
    repo.write("prod/a.yaml", config("a", "1")).write("test/b.yaml", config("b", "1"));
    repo.commit("First");
    repo.run(&["apply", "--all-targets", "--yes"]).exits(0);
    let machine = Machine::beside(&repo.path());
    machine.ssh_key("dev", "ed25519");
    machine.write("allowed", format!("dev@x {}\n", machine.public("dev")));
    machine.rules("verify:\n- targets: [prod]\n  ssh: {allowed-signers: DIR/allowed}\n");
    repo.write("prod/a.yaml", config("a", "2")).commit("Second");
    let json = machine.on(repo.trueup(&["status", "-o", "json"])).run().exits(1);
    let document: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    let [prod, test] = [0, 1].map(|place| &document["targets"][place]);
    assert_eq!((&prod["held"]["code"], &prod["state"]), (&"not-trusted".into(), &"behind".into()));
    assert_eq!(prod["held"]["message"], "it is not signed");
    assert_eq!(prod["runs"]["subject"], "First");
    assert_eq!((&test["held"], &test["state"]), (&serde_json::Value::Null, &"behind".into()));
    let text = machine.on(repo.trueup(&["status"])).run().exits(1);
    assert!(text.stdout.contains("the newest commit is not trusted: it is not signed"), "{text}");
    machine.on(repo.trueup(&["status", "prod"])).run().exits(1);
}

#[test]
fn watch_says_once_that_a_commit_is_not_trusted() {
    let trusted = Trusted::new("trusted-watch");
    let checkout = trusted.repo.outside().join("checkout");
    let url = format!("file://{}", trusted.repo.path().display());
    trusted.run(&["-C", checkout.to_str().unwrap(), "pull", "--url", &url]).exits(0);
    let watch = ["-C", checkout.to_str().unwrap(), "watch", "--interval", "0.2"];
    let watching = Watching::running(&trusted.repo, trusted.command(&watch));
    watching.says("1 changed");

    let plain = trusted.plain("2");
    let refusal = format!("! {} by Author is not trusted: it is not signed", short(&plain));
    watching.says(&refusal);
    let rounds = trusted.repo.rounds();
    eventually("more rounds", || trusted.repo.rounds() > rounds + 3);
    assert_eq!(watching.times("is not trusted"), 1, "{:#?}", watching.said());
    // Drift from the trusted commit is put back meanwhile.
    trusted.repo.delete_config_map("a");
    eventually("drift is put back", || trusted.repo.config_map("a").is_some());
    assert_eq!(trusted.value(), "1");

    trusted.signed("3");
    watching.says("recovered @");
    eventually("the signed commit is live", || trusted.value() == "3");
    assert_eq!(watching.stop(), Some(0));

    // Its pull says the same, and fetches all the same.
    let plain = trusted.plain("4");
    let pull = ["-C", checkout.to_str().unwrap(), "pull"];
    let said = trusted.run(&pull).exits(1);
    assert!(said.stderr.contains("is not trusted"), "{said}");
    assert_eq!(git(&checkout, ["rev-parse", "HEAD"]), plain);
    let json = json(&trusted.run(&[&pull[..], &["-o", "json"]].concat()).exits(1));
    assert_eq!(json["untrusted"]["reason"], "unsigned");
}

#[test]
fn watch_says_that_a_commit_is_not_trusted_while_the_cluster_is_away() {
    let trusted = Trusted::new("trusted-away");
    let is_away = Arc::new(AtomicBool::new(false));
    let away = Arc::clone(&is_away);
    let between = Between::answering(sandbox::bare(), move |_| {
        let head = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0";
        away.load(Ordering::SeqCst).then(|| format!("{head}\r\n\r\n"))
    });
    let watch = ["watch", "--no-pull", "--interval", "0.2", "--no-watch-api"];
    let watch = trusted.command(&watch).env("KUBECONFIG", between.kubeconfig());
    let watching = Watching::running(&trusted.repo, watch);
    watching.says("1 changed");
    is_away.store(true, Ordering::SeqCst);
    let plain = trusted.plain("2");
    watching.says(&format!("! {} by Author is not trusted: it is not signed", short(&plain)));
    is_away.store(false, Ordering::SeqCst);
    let rounds = trusted.repo.rounds();
    eventually("more rounds", || trusted.repo.rounds() > rounds + 3);
    assert_eq!(watching.times("is not trusted"), 1, "{:#?}", watching.said());
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn watch_verifies_a_refused_signature_once() {
    let trusted = Trusted::new("trusted-once");
    trusted.machine.ssh_key("other", "ed25519");
    for value in ["2", "3"] {
        trusted.write(value);
        trusted.machine.ssh_commit("other", &format!("Value {value}"));
    }
    // The real program, with a line for each of its runs.
    let (bin, log) = (trusted.machine.path("bin"), trusted.machine.path("runs"));
    fs::create_dir(&bin).unwrap();
    let real = Cmd::new("sh").args(["-c", "command -v ssh-keygen"]).run().exits(0);
    let script = format!(
        "#!/bin/sh\necho run >> '{}'\nexec '{}' \"$@\"\n",
        log.display(),
        real.stdout.trim()
    );
    trusted.machine.write("bin/ssh-keygen", script);
    private(&bin.join("ssh-keygen"), 0o755);
    let path = format!("{}:/usr/bin:/bin", bin.display());
    let runs = || fs::read_to_string(&log).unwrap_or_default().lines().count();

    let watch = ["watch", "--no-pull", "--interval", "0.2"];
    let watching = Watching::running(&trusted.repo, trusted.command(&watch).env("PATH", path));
    watching.says("is not trusted");
    let before = runs();
    assert!(before >= 2, "{before}");
    let rounds = trusted.repo.rounds();
    eventually("more rounds", || trusted.repo.rounds() > rounds + 3);
    assert_eq!(runs(), before);
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn a_missing_program_is_not_a_verdict() {
    let trusted = Trusted::new("trusted-program");
    let empty = trusted.machine.path("empty");
    fs::create_dir(&empty).unwrap();
    // The first run has kept what it knows: another machine has not.
    let cache = trusted.machine.path("other-cache");
    let bare = trusted.command(&["diff"]).env("PATH", &empty).env("XDG_CACHE_HOME", cache);
    let said = bare.run().exits(2);
    assert!(said.stderr.contains("ssh-keygen is not on PATH"), "{said}");
}
