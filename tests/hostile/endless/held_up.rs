//! Verbs that can't go on: settings that can't be read, and a file that nobody writes to.

use std::ffi::OsStr;
use std::fs::OpenOptions;

use crate::support::command::Cmd;
use crate::support::repo::Repo;
use crate::support::sandbox;
use crate::support::watching::Watching;

fn repo(name: &str, settings: &str) -> Repo<'static> {
    let repo = Repo::new(name, sandbox::bare());
    repo.write("trueup.yaml", settings).write_config("a", "1").commit("One");
    repo
}

#[test]
fn watch_with_invalid_settings_waits_for_the_fix() {
    let (wrong, right) = ("targets: {all: {pahts: [.]}}\n", "targets: {all: {paths: [.]}}\n");
    let repo = repo("endless-begin", wrong);
    let watching = Watching::start(&repo, &[]);
    watching.says("! trueup.yaml:1:");
    repo.write("trueup.yaml", right).commit("Mended");
    watching.says("1 changed");
    assert_eq!(watching.times("! trueup.yaml"), 1, "{:#?}", watching.said());
    assert_eq!(watching.stop(), Some(0));
    // Once is once, and what is not there to begin with is not waited for.
    repo.write("trueup.yaml", wrong).commit("Wrong again");
    repo.run(&["watch", "--once"]).exits(2);
    repo.run(&["watch"]).exits(2);
}

/// A verb whose own thread waits for a file that nobody writes to does not hear of a signal.
#[test]
fn a_signal_ends_a_verb_that_is_held_up() {
    let repo = repo("endless-held-up", "targets: {all: {paths: [.]}}\n");
    let pipe = repo.outside().join("pipe");
    Cmd::new("mkfifo").args([&pipe]).run().exits(0);
    for verb in [&["watch"][..], &["apply", "--yes"]] {
        let command = repo.trueup(verb).args([OsStr::new("--kubeconfig"), pipe.as_os_str()]);
        let watching = Watching::running(&repo, command);
        // It has come to the pipe once somebody else gets to write to it.
        let opened = OpenOptions::new().write(true).open(&pipe).unwrap();
        assert_eq!(watching.stop(), Some(130), "{verb:?}");
        drop(opened);
    }
}
