//! A real terminal, where progress is drawn and a question is asked.

use serde_json::json;

use super::{CANARY, hostile, run, storable, yaml};
use crate::support::command::Cmd;
use crate::support::repo::Repo;
use crate::support::sandbox;

/// Runs a shell command on a terminal of its own (`script` of util-linux).
fn on_a_terminal(cmd: Cmd, command: &str) -> String {
    let script = format!("printf 'n\\n' | script --quiet --return --command '{command}' /dev/null");
    String::from_utf8(run(cmd.shell(&script)).stdout).unwrap()
}

#[test]
fn a_plan_and_a_question_on_a_terminal_are_inert() {
    let repo = Repo::new("terminal-screen", sandbox::bare());
    let object = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "one" },
        "data": { "text": storable("\n"), "line": storable(" ") },
    });
    repo.write("one.yaml", yaml(object)).commit(&hostile(" "));
    let trueup = env!("CARGO_BIN_EXE_trueup");
    let cmd = repo.trueup(&[]).env("TERM", "xterm").env_remove("NO_COLOR");
    let screen = on_a_terminal(cmd, &format!("{trueup} apply"));
    assert!(screen.contains("[y/N]") && screen.contains(CANARY), "{screen:?}");
    // Progress moves the cursor, and our own styles colour: nothing else does anything.
    let foreign = ["[31mC4NARY", "]0;", "\u{9b}", "\u{202e}", "\u{200b}", "\r::notice", "##["];
    for foreign in foreign {
        let foreign = if foreign.starts_with(['[', ']']) {
            format!("\u{1b}{foreign}")
        } else {
            foreign.to_owned()
        };
        assert!(!screen.contains(&foreign), "{foreign:?} in {screen:?}");
    }
}
