//! Targets that are held: suspended ones are looked at and not written, by any command, and in modes
//! detect and hold new commits wait.

use std::fs;

use crate::support::eventually::eventually;
use crate::support::repo::Repo;
use crate::support::sandbox;
use crate::support::watching::Watching;

const SUSPENDED: &str = "trueup.dev/suspended";

/// A repository with a target `prod`, which was applied.
fn applied(name: &str) -> Repo<'static> {
    let repo = Repo::new(name, sandbox::bare());
    let settings = format!("targets:\n  prod:\n    paths: [.]\n    name: {name}\n");
    repo.write("trueup.yaml", settings).write_config("one", "1").commit("First");
    repo.run(&["apply"]).exits(0);
    repo
}

#[test]
fn a_suspended_target_is_left_alone_until_it_is_resumed() {
    let repo = applied("hold-suspend");
    let watching = Watching::start(&repo, &[]);
    watching.says("in sync");
    let suspended = repo.run(&["suspend", "prod", "--reason", "stock-taking"]).exits(0);
    let says = "suspended by ";
    assert!(suspended.stdout.starts_with("prod is suspended by "), "{suspended}");
    assert!(suspended.stdout.ends_with(" until it is resumed: stock-taking\n"), "{suspended}");
    watching.says(says);

    repo.edit(&["configmap", "one"], "s/key: \"1\"/key: \"by hand\"/").exits(0);
    repo.write_config("two", "2").commit("Second");
    let commit = repo.git(&["rev-parse", "--short=7", "HEAD"]).stdout.trim().to_owned();
    watching.says("new commit");
    watching.says(&format!("{commit} waits: 2 changes"));
    let rounds = repo.rounds();
    eventually("more rounds", || repo.rounds() > rounds + 3);
    assert_eq!((repo.value("one"), repo.config_map("two")), ("by hand".to_owned(), None));
    assert_eq!(watching.times(says), 1, "{:#?}", watching.said());
    assert_eq!(watching.times("drift"), 0, "{:#?}", watching.said());

    let status = repo.run(&["status"]).exits(1);
    assert!(status.stdout.contains("1 commit behind, suspended"), "{status}");
    assert!(status.stdout.contains("! suspended by "), "{status}");
    let json = repo.run(&["status", "-o", "json"]).exits(1);
    assert!(json.stdout.contains("\"code\": \"suspended\""), "{json}");
    let diff = repo.run(&["diff"]).exits(1);
    assert!(diff.stderr.contains("warning: prod is suspended by "), "{diff}");
    let writes = repo.writes();
    let apply = repo.run(&["apply", "--yes"]).exits(1);
    assert!(
        apply.stderr.contains("until it is resumed: stock-taking; nothing was written"),
        "{apply}"
    );
    let hint = "trueup resume prod ends that; trueup apply --suspended applies in spite of it";
    assert!(apply.stderr.contains(hint), "{apply}");
    let all = repo.run(&["apply", "--all-targets", "--yes"]).exits(1);
    assert!(all.stdout.contains("prod was not applied: suspended by "), "{all}");
    assert_eq!(repo.writes(), writes);

    let resumed = repo.run(&["resume"]).exits(0);
    assert!(resumed.stdout.starts_with("prod is resumed; it was suspended by "), "{resumed}");
    watching.says("no longer suspended");
    eventually("the new commit is live", || repo.value("two") == "2");
    eventually("drift is put back", || repo.value("one") == "1");
    assert_eq!(repo.annotation(&repo.parent(), SUSPENDED), "");
    let again = repo.run(&["resume"]).exits(0);
    assert_eq!(again.stdout, "prod was not suspended\n");
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn a_suspension_ends_by_itself_and_a_write_of_the_record_keeps_it() {
    let repo = applied("hold-ends");
    repo.run(&["suspend", "--for", "1h", "--reason", "first"]).exits(0);
    repo.write_config("one", "2").commit("Second");
    let passed = repo.run(&["apply", "--yes", "--suspended"]).exits(0);
    assert_eq!(repo.value("one"), "2", "{passed}");
    assert!(repo.annotation(&repo.parent(), SUSPENDED).contains("\"reason\":\"first\""));
    // In sync, there is nothing to refuse.
    repo.run(&["apply", "--yes", "--wait"]).exits(0);
    let watching = Watching::start(&repo, &[]);
    watching.says("until 20");
    repo.write_config("one", "3").commit("Third");
    watching.says("waits: 1 change");
    let shorter = repo.run(&["suspend", "--for", "8", "--reason", "second"]).exits(0);
    assert!(shorter.stderr.contains("it was suspended by "), "{shorter}");
    watching.says("second");
    watching.says("the suspension ends at ");
    watching.says("no longer suspended");
    eventually("the third commit is live", || repo.value("one") == "3");
    let log = watching.log.clone();
    assert_eq!(watching.stop(), Some(0));
    assert_eq!(fs::read_to_string(log).unwrap().matches("ends at").count(), 1);
}

/// With rounds an hour apart and nothing that rings, only the end of the suspension begins one.
#[test]
fn the_end_of_a_suspension_ends_the_pause() {
    let repo = applied("hold-pause");
    repo.write_config("one", "2").commit("Second");
    repo.run(&["suspend", "--for", "40", "--reason", "x"]).exits(0);
    let watch = ["watch", "--no-pull", "--interval", "1h", "--no-watch-api"];
    let watching = Watching::running(&repo, repo.trueup(&watch));
    watching.says("suspended by ");
    watching.says("no longer suspended");
    eventually("the second commit is live", || repo.value("one") == "2");
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn an_annotation_that_cannot_be_read_suspends() {
    let repo = applied("hold-unreadable");
    let parent = repo.parent();
    let value = format!("{SUSPENDED}=\u{1b}[2Jincident");
    repo.kubectl(&["annotate", "configmap", &parent, &value]).exits(0);
    repo.write_config("one", "2").commit("Second");
    let apply = repo.run(&["apply", "--yes"]).exits(1);
    let says = "suspended until it is resumed: the annotation trueup.dev/suspended can't be read: ";
    assert!(apply.stderr.contains(says) && !apply.stderr.contains('\u{1b}'), "{apply}");
    let once = repo.run(&["watch", "--once", "--no-pull"]).exits(1);
    assert!(once.stdout.contains(says), "{once}");
    assert_eq!(repo.value("one"), "1");
    repo.run(&["resume", "prod"]).exits(0);
    repo.run(&["apply", "--yes"]).exits(0);
    assert_eq!(repo.value("one"), "2");
}

#[test]
fn of_a_suspended_target_a_commit_that_cannot_be_used_is_recorded_here_alone() {
    let repo = applied("hold-unusable");
    repo.run(&["suspend", "--reason", "x"]).exits(0);
    let watching = Watching::start(&repo, &[]);
    watching.says("suspended by ");
    let (rounds, writes) = (repo.rounds(), repo.writes());
    eventually("more rounds", || repo.rounds() > rounds + 3);
    assert_eq!(watching.times("in sync"), 1, "{:#?}", watching.said());
    let settings = "targets:\n  prod: {paths: [.], name: hold-unusable, strict: true}\n";
    repo.write("trueup.yaml", settings).write("bad.yaml", "a: b: c\n").commit("Broken");
    watching.says("! bad.yaml:1:");
    repo.write("trueup.yaml", format!("{settings}    pahts: [.]\n")).commit("Broken settings");
    watching.says("! trueup.yaml:");
    assert_eq!(repo.writes(), writes);

    // The cluster has them with the first record after that.
    repo.write("trueup.yaml", settings).write_config("bad", "2").commit("Mended");
    repo.run(&["resume"]).exits(0);
    watching.says("no longer suspended");
    eventually("the mended commit is live", || repo.value("bad") == "2");
    let history = || {
        let elsewhere = repo.outside().join("elsewhere");
        let history = repo.trueup(&["history"]).env("XDG_STATE_HOME", elsewhere);
        history.run().exits(0).stdout
    };
    eventually("they are recorded", || history().matches(" refused: ").count() == 2);
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn a_suspension_needs_an_inventory_a_reason_and_an_end_to_come() {
    let repo = Repo::new("hold-none", sandbox::bare());
    repo.write("trueup.yaml", "targets:\n  prod:\n    paths: [.]\n    name: hold-none\n");
    repo.write_config("one", "1").commit("First");
    let none = repo.run(&["suspend", "prod", "--reason", "x"]).exits(2);
    assert!(none.stderr.contains("prod was not applied to this cluster yet"), "{none}");
    for (args, expected) in [
        (&["suspend", "prod"][..], "--reason <TEXT>"),
        (&["suspend", "prod", "--reason", " "], "a reason is missing"),
        (&["suspend", "prod", "--reason", "x", "--until", "2020-01-01"], "is over"),
        (&["suspend", "prod", "--reason", "x", "--until", "soon"], "invalid time"),
        (&["suspend", "prod", "--reason", "x", "--for", "0"], "--for"),
        (&["suspend", "prd", "--reason", "x"], "did you mean \"prod\"?"),
    ] {
        let wrong = repo.run(args).exits(2);
        assert!(wrong.stderr.contains(expected), "{wrong}");
    }
}

/// The same with a mode in trueup.yaml.
fn in_mode(name: &str, mode: &str) -> Repo<'static> {
    let repo = Repo::new(name, sandbox::bare());
    let settings = format!("targets:\n  prod: {{paths: [.], name: {name}, mode: {mode}}}\n");
    repo.write("trueup.yaml", settings).write_config("one", "1").commit("First");
    repo
}

fn head(repo: &Repo<'_>) -> String {
    repo.git(&["rev-parse", "--short=7", "HEAD"]).stdout.trim().to_owned()
}

fn by_hand(repo: &Repo<'_>) {
    repo.edit(&["configmap", "one"], "s/key: \".*\"/key: \"by hand\"/").exits(0);
}

#[test]
fn in_mode_hold_drift_is_put_back_and_commits_wait_for_their_release() {
    let repo = in_mode("hold-hold", "hold");
    // The first commit waits, too, and there is no inventory yet to note a release on.
    let first = repo.run(&["apply", "--yes"]).exits(1);
    assert!(first.stderr.contains("prod is in mode hold, and "), "{first}");
    repo.run(&["release"]).exits(2);
    repo.run(&["apply", "--yes", "--release"]).exits(0);
    repo.run(&["apply", "--yes", "--wait"]).exits(0);
    let watching = Watching::start(&repo, &[]);
    watching.says("in sync");

    repo.write_config("one", "2").write_config("two", "2").commit("Second");
    let second = head(&repo);
    watching.says(&format!("new commit {second} "));
    watching.says(&format!("{second} waits: not released, in mode hold"));
    by_hand(&repo);
    watching.says("drift: ConfigMap hold-hold/one data.key by hand → 1, put back");
    assert_eq!((repo.value("one"), repo.config_map("two")), ("1".to_owned(), None));
    let status = repo.run(&["status"]).exits(1);
    assert!(status.stdout.contains("1 commit behind, not released"), "{status}");
    let refused = repo.run(&["apply", "--yes"]).exits(1);
    let hint = "trueup release prod releases it; trueup apply --release releases and applies it";
    assert!(refused.stderr.contains(hint), "{refused}");
    let diff = repo.run(&["diff"]).exits(1);
    assert!(diff.stderr.contains("warning: prod is in mode hold, and "), "{diff}");

    let released = repo.run(&["release", "prod"]).exits(0);
    assert_eq!(released.stdout, format!("prod: {second} is released\n"));
    eventually("the released commit is live", || repo.value("two") == "2");
    watching.says(&format!("at {second}"));
    let again = repo.run(&["release"]).exits(0);
    assert_eq!(again.stdout, format!("prod: {second} runs already\n"));

    // A released commit is applied though a newer one waits.
    repo.write_config("two", "3").commit("Third");
    let third = head(&repo);
    repo.write_config("two", "4").commit("Fourth");
    let fourth = head(&repo);
    watching.says(&format!("{fourth} waits"));
    repo.run(&["release", "prod", "--rev", &third]).exits(0);
    eventually("the third commit is live", || repo.value("two") == "3");
    by_hand(&repo);
    eventually("drift is put back to the third", || repo.value("one") == "2");
    assert_eq!(repo.value("two"), "3");
    // Back to where it was: no release is needed for the commit that runs.
    repo.run(&["apply", "--yes", "--rev", &third]).exits(0);
    repo.run(&["apply", "--yes", "--rev", &second]).exits(1);

    // A commit that changes the mode lets itself through.
    let settings = "targets:\n  prod: {paths: [.], name: hold-hold, mode: enforce}\n";
    repo.write("trueup.yaml", settings).commit("Enforce");
    eventually("the last commit is live", || repo.value("two") == "4");
    for commit in [second, fourth] {
        assert_eq!(watching.times(&format!("{commit} waits")), 1, "{:#?}", watching.said());
    }
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn in_mode_detect_nothing_is_written() {
    let repo = in_mode("hold-detect", "detect");
    let refused = repo.run(&["apply", "--yes"]).exits(1);
    assert!(refused.stderr.contains("prod is in mode detect; nothing was written"), "{refused}");
    assert!(
        refused.stderr.contains("trueup apply --mode enforce applies all the same"),
        "{refused}"
    );
    let never = repo.run(&["watch", "--once", "--no-pull"]).exits(1);
    assert!(never.stdout.contains("waits: mode detect: 1 change"), "{never}");
    repo.run(&["apply", "--yes", "--mode", "enforce"]).exits(0);
    let writes = repo.writes();
    repo.run(&["watch", "--once", "--no-pull"]).exits(0);
    let status = repo.run(&["status"]).exits(0);
    assert!(status.stdout.contains("in sync, detected only"), "{status}");

    let watching = Watching::start(&repo, &[]);
    watching.says("in sync");
    by_hand(&repo);
    watching.says("drift: ConfigMap hold-detect/one data.key by hand → 1, not put back");
    repo.write_config("two", "2").commit("Second");
    watching.says(&format!("{} waits: mode detect", head(&repo)));
    let rounds = repo.rounds();
    eventually("more rounds", || repo.rounds() > rounds + 3);
    assert_eq!(watching.times("drift"), 1, "{:#?}", watching.said());
    assert_eq!((repo.value("one"), repo.config_map("two")), ("by hand".to_owned(), None));
    // The one write is that of the person.
    assert_eq!(repo.writes(), writes + 1);

    // A commit that can't be used is recorded on this machine alone.
    let settings =
        "targets:\n  prod: {paths: [.], name: hold-detect, mode: detect, strict: true}\n";
    repo.write("trueup.yaml", settings).write("bad.yaml", "a: b: c\n").commit("Broken");
    watching.says("! bad.yaml:1:");
    repo.write("trueup.yaml", format!("{settings}    pahts: [.]\n")).commit("Broken settings");
    watching.says("! trueup.yaml:");
    assert_eq!(repo.writes(), writes + 1);
    assert_eq!(watching.stop(), Some(0));
}

/// With rounds an hour apart, nothing but a touch begins one.
#[test]
fn objects_of_a_target_that_is_held_are_watched_from_the_beginning() {
    let repo = in_mode("hold-touched", "detect");
    repo.run(&["apply", "--yes", "--mode", "enforce"]).exits(0);
    let watching = Watching::running(&repo, repo.trueup(&["watch", "--interval", "1h"]));
    watching.says("in sync");
    by_hand(&repo);
    watching.says("drift: ConfigMap hold-touched/one data.key by hand → 1, not put back");
    assert_eq!(watching.stop(), Some(0));

    repo.run(&["suspend", "--reason", "x"]).exits(0);
    let watch = ["watch", "--mode", "enforce", "--interval", "1h"];
    let watching = Watching::running(&repo, repo.trueup(&watch));
    watching.says("suspended by ");
    repo.run(&["resume"]).exits(0);
    eventually("it goes on at once", || repo.value("one") == "1");
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn the_file_of_the_machine_counts_before_the_repository_and_the_flag_before_both() {
    let repo = applied("hold-machine");
    let settings = repo.outside().join("settings/trueup");
    fs::create_dir_all(&settings).unwrap();
    let home = repo.outside().join("settings");
    let run =
        |args: &[&str]| repo.trueup(args).env("XDG_CONFIG_HOME", home.to_str().unwrap()).run();
    let says = |text: &str| fs::write(settings.join("config.yaml"), text).unwrap();
    repo.write_config("one", "2").commit("Second");
    says("modes:\n- {targets: [other], mode: enforce}\n- {targets: ['pr*'], mode: hold}\n");
    let held = run(&["apply", "--yes"]).exits(1);
    assert!(held.stderr.contains("prod is in mode hold, and "), "{held}");
    run(&["apply", "--yes", "--mode", "detect"]).exits(1);
    let once = run(&["watch", "--once", "--no-pull"]).exits(1);
    assert!(once.stdout.contains("waits: not released, in mode hold"), "{once}");
    let once = run(&["watch", "--once", "--no-pull", "--mode", "enforce"]).exits(0);
    assert!(once.stdout.contains("1 changed"), "{once}");
    for (text, expected) in [
        ("modes:\n- {targets: [a]}\n", "config.yaml:2:3: modes[0]: a key is missing: mode"),
        ("modes:\n- {targets: [], mode: hold}\n", "config.yaml:2:3: modes[0]: targets: a pattern"),
        ("modes:\n- {targets: [a], mode: off}\n", "config.yaml:2:24: modes[0].mode: unknown"),
    ] {
        says(text);
        let wrong = run(&["apply", "--yes"]).exits(2);
        assert!(wrong.stderr.contains(expected), "{wrong}");
    }
}

#[test]
fn a_release_that_cannot_be_read_releases_nothing() {
    let repo = in_mode("hold-release", "hold");
    repo.run(&["apply", "--yes", "--release"]).exits(0);
    repo.write_config("one", "2").commit("Second");
    let parent = repo.parent();
    repo.kubectl(&["annotate", "configmap", &parent, "trueup.dev/released=HEAD"]).exits(0);
    let refused = repo.run(&["apply", "--yes"]).exits(1);
    let says = "is not released; the annotation trueup.dev/released can't be read: ";
    assert!(refused.stderr.contains(says), "{refused}");
    let once = repo.run(&["watch", "--once", "--no-pull"]).exits(1);
    assert!(once.stdout.contains("the annotation trueup.dev/released can't be read: "), "{once}");
    assert_eq!(repo.value("one"), "1");
    repo.run(&["suspend", "--reason", "x"]).exits(0);
    let suspended = repo.run(&["release"]).exits(0);
    assert!(suspended.stdout.ends_with(" is released; the target is suspended\n"), "{suspended}");
    repo.run(&["apply", "--yes"]).exits(1);
    let over = r#"{"by":"ops@jump","at":"2020-01-01T00:00:00Z","until":"2020-01-02T00:00:00Z","reason":"x"}"#;
    let over = format!("{SUSPENDED}={over}");
    repo.kubectl(&["annotate", "configmap", &parent, "--overwrite", &over]).exits(0);
    let no_longer = repo.run(&["release"]).exits(0);
    assert!(no_longer.stdout.ends_with(" is released\n"), "{no_longer}");
    repo.run(&["resume"]).exits(0);
    repo.run(&["apply", "--yes"]).exits(0);
    assert_eq!(repo.value("one"), "2");
}

#[test]
fn outside_its_windows_a_target_stays_where_it_is() {
    let repo = Repo::new("hold-windows", sandbox::bare());
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let (from, to) = (today.yesterday().unwrap(), today.tomorrow().unwrap());
    let opens = format!("{}T00:00:00Z", to.tomorrow().unwrap());
    let settings = |drift: &str| {
        format!(
            "targets:\n  prod:\n    paths: [.]\n    name: hold-windows\n    windows:\n    \
            - {{deny: {from}..{to}, kinds: [ConfigMap], drift: {drift}}}\n"
        )
    };
    let secret = |value: &str| {
        let kind = "apiVersion: v1\nkind: Secret\nmetadata: {name: key}\n";
        format!("{kind}stringData: {{key: {value}}}\n")
    };
    repo.write("trueup.yaml", settings("heal")).write_config("one", "1").commit("First");
    let closed = format!("outside its windows until {opens}: deny {from}..{to}, UTC, of ConfigMap");
    let refused = repo.run(&["apply", "--yes"]).exits(1);
    assert!(
        refused.stderr.contains(&format!("prod is {closed}; nothing was written")),
        "{refused}"
    );
    let hint = "wait until then; trueup apply --outside-windows applies all the same";
    assert!(refused.stderr.contains(hint), "{refused}");
    repo.run(&["apply", "--yes", "--outside-windows"]).exits(0);

    // Of other kinds.
    repo.write("key.yaml", secret("abcdefgh")).commit("Second");
    repo.run(&["apply", "--yes"]).exits(0);
    let watching = Watching::start(&repo, &[]);
    watching.says("in sync");
    repo.write_config("one", "2").write("key.yaml", secret("ijklmnop")).commit("Third");
    watching.says("new commit");
    watching.says(&format!("{} waits: until {opens}, deny {from}..{to}, UTC", head(&repo)));
    by_hand(&repo);
    watching.says("drift: ConfigMap hold-windows/one data.key by hand → 1, put back");
    let diff = repo.run(&["diff"]).exits(1);
    assert!(diff.stderr.contains(&format!("warning: prod is {closed}")), "{diff}");
    let every = repo.run(&["diff", "--all-targets"]).exits(1);
    assert!(every.stderr.contains(&format!("warning: prod is {closed}")), "{every}");
    let writes = repo.writes();
    let all = repo.run(&["apply", "--all-targets", "--yes"]).exits(1);
    assert!(all.stdout.contains(&format!("prod was not applied: {closed}")), "{all}");
    assert_eq!(repo.writes(), writes);

    // Whatever is wrong with the object waits, too, where a window says so.
    repo.write("trueup.yaml", settings("hold")).commit("Fourth");
    watching.says(&format!("{} waits", head(&repo)));
    by_hand(&repo);
    watching.says("drift: ConfigMap hold-windows/one data.key by hand → 1, not put back");
    let rounds = repo.rounds();
    eventually("more rounds", || repo.rounds() > rounds + 3);
    assert_eq!(repo.value("one"), "by hand");
    assert_eq!(watching.stop(), Some(0));

    // The windows of the machine's file count before these, and are those of status as well.
    let home = repo.outside().join("settings");
    fs::create_dir_all(home.join("trueup")).unwrap();
    let run = |machine: &str, args: &[&str]| {
        fs::write(home.join("trueup/config.yaml"), machine).unwrap();
        repo.trueup(args).env("XDG_CONFIG_HOME", home.to_str().unwrap()).run()
    };
    let never = "modes: [{targets: ['*'], windows: [{allow: 2020-01-01, zone: Europe/Berlin}]}]";
    let status = run(never, &["status"]).exits(1);
    assert!(status.stdout.contains("waits for a window"), "{status}");
    let by = "! outside its windows for more than a year: allow 2020-01-01, Europe/Berlin";
    assert!(status.stdout.contains(by), "{status}");
    run(never, &["apply", "--yes"]).exits(1);
    for (machine, expected) in [
        (
            "modes:\n- targets: [a]\n  windows:\n  - {zone: UTC}\n",
            "config.yaml:4:5: modes[0]: windows[0]: a key is missing: allow or deny",
        ),
        ("modes:\n- {targets: [a], windows: [{deny: noon}]}\n", "invalid span \"noon\": expected "),
        (
            "modes:\n- {targets: ['*'], windows: [{deny: Mon, kinds: [ConfigMpa]}]}\n",
            "windows: kind ConfigMpa: unknown kind",
        ),
    ] {
        let wrong = run(machine, &["apply", "--yes"]).exits(2);
        assert!(wrong.stderr.contains(expected), "{wrong}");
    }
    run("modes: [{targets: ['*'], windows: []}]", &["apply", "--yes"]).exits(0);
    assert_eq!(repo.value("one"), "2");
}
