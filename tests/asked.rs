//! A running watch begins a round when `trueup sync` or a signal asks for one.

use std::fs;
use std::path::Path;

use crate::support::command::state;
use crate::support::eventually::eventually;
use crate::support::objects::config;
use crate::support::repo::Repo;
use crate::support::sandbox;
use crate::support::watching::Watching;

/// A watch that begins a second round only when it is asked.
fn rarely(repo: &Repo<'_>, checkout: &Path) -> Watching {
    let place = checkout.to_str().unwrap();
    let watch = ["-C", place, "watch", "--interval", "1h", "--no-watch-api"];
    Watching::running(repo, repo.trueup(&watch))
}

#[test]
fn sync_asks_a_watch_for_a_round_and_says_what_came_of_it() {
    let repo = Repo::new("asked-sync", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let checkout = repo.outside().join("checkout");
    let place = checkout.to_str().unwrap();
    let url = format!("file://{}", repo.path().display());
    repo.run(&["-C", place, "pull", "--url", &url]).exits(0);
    let sync = |args: &[&str]| repo.trueup(&[&["sync"], args].concat()).dir(&checkout).run();
    let none = sync(&[]).exits(2);
    assert!(none.stderr.contains("no trueup watch of this user runs in this checkout"), "{none}");

    let watching = rarely(&repo, &checkout);
    watching.says("1 changed");
    let idle = sync(&[]).exits(0);
    assert_eq!(idle.stdout, "checkout: in sync\n");
    repo.write_config("one", "2").commit("Second");
    let synced = sync(&["checkout"]).exits(0);
    assert!(synced.stdout.starts_with("checkout: "), "{synced}");
    assert!(synced.stdout.contains("1 changed"), "{synced}");
    assert_eq!(repo.value("one"), "2", "it has ended");

    repo.write("bad.yaml", "a: b: c\n").commit("Broken");
    for _ in 0..2 {
        let broken = sync(&[]).exits(1);
        assert!(broken.stdout.contains("bad.yaml:1:"), "each time: {broken}");
    }
    fs::rename(repo.path(), repo.outside().join("away")).unwrap();
    sync(&[]).exits(2);
    fs::rename(repo.outside().join("away"), repo.path()).unwrap();
    repo.remove("bad.yaml").commit("Mended");
    sync(&[]).exits(0);
    let unknown = sync(&["other"]).exits(2);
    assert!(unknown.stderr.contains("has a target \"other\""), "{unknown}");

    // One that is killed leaves its socket and its mark behind, until the next one begins.
    let mark = format!("trueup/watches/{}.json", watching.id());
    drop(watching);
    sync(&[]).exits(2);
    let watching = rarely(&repo, &checkout);
    watching.says("in sync");
    assert!(!Path::new(&state()).join(mark).exists());
    sync(&[]).exits(0);
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn signals_begin_a_round() {
    let repo = Repo::new("asked-signal", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let watching = rarely(&repo, &repo.path());
    watching.says("1 changed");
    for signal in ["-USR1", "-HUP", "-HUP", "-USR1"] {
        repo.delete_config_map("one");
        watching.signal(signal);
        eventually(&format!("{signal}: it is put back"), || repo.value("one") == "1");
    }
    let rules = "targets:\n  asked-signal:\n    paths: [.]\n    ignore: [{kind: ConfigMap, paths: [/data/key]}]\n";
    repo.write("trueup.yaml", rules).commit("Other settings");
    let by_hand = "s/key: \"1\"/key: \"by hand\"/";
    repo.edit(&["configmap", "one"], by_hand).exits(0);
    watching.signal("-HUP");
    repo.run(&["sync"]).exits(0);
    assert_eq!(repo.value("one"), "by hand", "the settings were read");
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn sync_of_a_target_that_goes_away_ends() {
    let repo = Repo::new("asked-gone", sandbox::bare());
    for name in ["one", "two"] {
        repo.write(&format!("{name}/config.yaml"), config(name, "1"));
    }
    repo.write("trueup.yaml", "targets: {one: {paths: [one]}, two: {paths: [two]}}\n");
    repo.commit("First");
    let watch = ["watch", "--all-targets", "--interval", "1h", "--no-watch-api"];
    let watching = Watching::running(&repo, repo.trueup(&watch));
    eventually("both are applied", || watching.times("1 changed") == 2);
    repo.write("trueup.yaml", "targets: {one: {paths: [one]}}\n").commit("Second");
    let gone = repo.run(&["sync", "two", "--timeout", "60s"]).exits(2);
    let expected = "no watch of this checkout has a target \"two\"";
    assert!(gone.stderr.contains(expected), "{gone}");
    repo.run(&["sync", "--timeout", "60s"]).exits(0);
    assert_eq!(watching.stop(), Some(0));
}
