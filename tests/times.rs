//! Every time is written in one form, and `--timeout` means one thing.

use crate::support::command::Cmd;
use crate::support::objects::config;
use crate::support::repo::Repo;
use crate::support::sandbox;

#[test]
fn a_time_is_written_alike_everywhere() {
    let repo = Repo::new("times-all", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    for flag in ["--interval", "--timeout", "--wait-timeout", "--lock-timeout", "--pull-timeout"] {
        for time in ["2", "2s", "0.5", "1m", "1h30m"] {
            repo.run(&["watch", "--once", flag, time]).exits(0);
        }
        let wrong = repo.run(&["watch", "--once", flag, "2x"]).exits(2);
        assert!(wrong.stderr.contains("expected 90s, 5m or 1h30m"), "{wrong}");
    }
    repo.trueup(&["watch", "--once"]).env("TRUEUP_INTERVAL", "1m").run().exits(0);
    for flag in ["--timeout", "--lock-timeout"] {
        repo.run(&["apply", flag, "1m"]).exits(0);
    }
    for flag in ["--pull-timeout", "--timeout"] {
        let none = repo.run(&["pull", flag, "1m"]).exits(2);
        assert!(none.stderr.contains("no remote"), "{none}");
    }
    for verb in ["pull", "watch", "apply"] {
        let help = Cmd::trueup().args([verb, "--help"]).run().exits(0);
        assert!(!help.stdout.contains("<SECONDS>"), "{help}");
    }
}

#[test]
fn the_timeout_of_watch_is_that_of_apply() {
    let repo = Repo::new("times-timeout", sandbox::bare());
    let health = "health: [{kind: ConfigMap, ready: object.data.key == 'good'}]";
    repo.write("trueup.yaml", format!("targets:\n  all:\n    paths: [.]\n    {health}\n"));
    repo.write("a/a.yaml", config("a", "1")).commit("First");
    let watched = repo.run(&["watch", "--once", "--timeout", "1s"]).exits(1);
    assert!(watched.stdout.contains("1 not ready after 1s"), "{watched}");
    let applied = repo.run(&["apply", "--wait", "--timeout", "1s"]).exits(1);
    let hint = "wait longer with --timeout, or annotate an object not to wait for with trueup.dev/wait: \"false\"";
    assert!(applied.stdout.contains(hint), "{applied}");
}
