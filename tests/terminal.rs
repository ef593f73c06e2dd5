//! What is otherwise on a terminal: a diff goes through the pager, and who says no is told that
//! nothing was written.

use std::fs;
use std::process::Command;

use crate::support::repo::Repo;
use crate::support::sandbox;
use crate::support::terminal::Terminal;

/// A trueup command for a terminal.
fn on_terminal(repo: &Repo<'_>, args: &[&str], pager: Option<&str>) -> Command {
    let mut command = repo.trueup(args).env("TERM", "xterm").into_inner();
    command.env_remove("NO_COLOR").env_remove("LESS").env_remove("TRUEUP_PAGER");
    match pager {
        Some(pager) => command.env("PAGER", pager),
        None => command.env_remove("PAGER"),
    };
    command
}

#[test]
fn diff_on_a_terminal_uses_the_pager() {
    let repo = Repo::new("terminal-pager", sandbox::bare());
    let hostile =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata:\n  key: \"a\\e[31m\"\n";
    repo.write("one.yaml", hostile).commit("First");
    let paged = repo.outside().join("paged");
    let pager = format!("echo $LESS; tee {}", paged.display());
    let (shown, status) = Terminal::run(on_terminal(&repo, &["diff"], Some(&pager))).ends();
    assert_eq!(status, Some(1), "{shown}");
    assert!(shown.contains("FRX\n"), "{shown}");
    let text = fs::read_to_string(&paged).unwrap();
    assert!(text.contains("1 to create"), "{text}");
    assert!(text.contains("\u{1b}[32m"), "its colours are kept\n{text}");
    assert!(!text.contains("a\u{1b}[31m"), "what it is given is inert\n{text}");

    // Who has seen enough of it ends it, which is no failure.
    let (_, status) = Terminal::run(on_terminal(&repo, &["diff"], Some("true"))).ends();
    assert_eq!(status, Some(1));

    fs::remove_file(&paged).unwrap();
    for args in [&["diff", "--no-pager"][..], &["diff", "-o", "json"], &["apply", "--yes"]] {
        let (shown, _) = Terminal::run(on_terminal(&repo, args, Some(&pager))).ends();
        assert!(!paged.exists(), "{args:?}\n{shown}");
        assert!(shown.contains("one"), "{args:?}\n{shown}");
    }
    let plain = repo.trueup(&["diff"]).env("PAGER", &pager).run().exits(0);
    assert!(plain.stdout.contains("in sync") && !paged.exists(), "{plain}");
    for pager in ["", "cat"] {
        let (shown, status) = Terminal::run(on_terminal(&repo, &["diff"], Some(pager))).ends();
        assert!(shown.contains("in sync"), "{shown}");
        assert_eq!(status, Some(0));
    }
    // Where no less is installed, it is shown all the same.
    let mut without = on_terminal(&repo, &["diff"], None);
    without.env("PATH", repo.outside());
    let (shown, status) = Terminal::run(without).ends();
    assert!(shown.contains("in sync") && !shown.contains("warning"), "{shown}");
    assert_eq!(status, Some(0));
}

#[test]
fn declined_prompt_reports_that_nothing_was_written() {
    let repo = Repo::new("terminal-no", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let mut terminal = Terminal::run(on_terminal(&repo, &["apply"], None));
    terminal.types("n\n");
    let (shown, status) = terminal.ends();
    assert!(shown.contains("[y/N]"), "{shown}");
    assert!(shown.ends_with("nothing was written\n"), "{shown}");
    assert_eq!((status, repo.writes()), (Some(1), 0));
}
