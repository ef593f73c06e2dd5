//! The completion scripts in `completions/` are those that this trueup prints.
//! A trueup without `sandbox`, as on Windows, has fewer verbs to complete.

use std::fs;
use std::path::Path;

use crate::support::command::Cmd;

const SCRIPTS: [(&str, &str); 5] = [
    ("bash", "trueup.bash"),
    ("elvish", "trueup.elv"),
    ("fish", "trueup.fish"),
    ("powershell", "_trueup.ps1"),
    ("zsh", "_trueup"),
];

#[test]
fn the_committed_scripts_are_what_completions_prints() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions");
    for (shell, file) in SCRIPTS {
        let printed = Cmd::trueup().args(["completions", shell]).run().exits(0);
        assert_eq!(printed.stderr, "");
        assert!(printed.stdout.contains("trueup"), "{printed}");
        let committed = fs::read_to_string(folder.join(file)).unwrap_or_default();
        assert!(
            committed == printed.stdout,
            "completions/{file} is old; bring it up to date with\n\
             \x20 cargo run -- completions {shell} > completions/{file}"
        );
    }
    let committed = fs::read_dir(folder).unwrap().count();
    assert_eq!(committed, SCRIPTS.len(), "completions/ holds a script that nobody checks");
}

#[test]
fn an_unknown_shell_is_a_usage_error_that_names_the_known_ones() {
    let output = Cmd::trueup().args(["completions", "tcsh"]).run().exits(2);
    assert_eq!(output.stdout, "");
    for (shell, _) in SCRIPTS {
        assert!(output.stderr.contains(shell), "{output}");
    }
}
