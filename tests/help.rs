//! What `--help` says fits 80 columns, and has what a newcomer looks for.

use crate::support::command::Cmd;

const VERBS: [&str; 8] =
    ["pull", "diff", "apply", "watch", "check", "render", "sandbox", "completions"];

#[track_caller]
fn help(args: &[&str]) -> String {
    let output = Cmd::trueup().args(args).run().exits(0);
    assert_eq!(output.stderr, "");
    output.stdout
}

#[test]
fn no_line_of_any_help_is_wider_than_80_columns() {
    for verb in VERBS.map(Some).into_iter().chain([None]) {
        for flag in ["-h", "--help"] {
            let args: Vec<&str> = verb.into_iter().chain([flag]).collect();
            for line in help(&args).lines() {
                assert!(line.chars().count() <= 80, "trueup {}: {line}", args.join(" "));
            }
        }
    }
}

#[test]
fn every_verb_is_listed_with_what_it_does_and_shows_examples() {
    let top = help(&["--help"]);
    assert!(top.contains("\nExamples:\n") && top.contains("\nExit status:\n"), "{top}");
    let listed: Vec<&str> = top
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .map_while(|line| line.split_whitespace().next())
        .filter(|verb| *verb != "help")
        .collect();
    let mut expected = VERBS;
    expected.sort_unstable();
    assert_eq!(
        {
            let mut listed = listed;
            listed.sort_unstable();
            listed
        },
        expected
    );
    for verb in VERBS {
        let help = help(&[verb, "--help"]);
        let about = help.lines().next().unwrap();
        assert!(top.contains(about), "{verb}: {about}");
        assert!(!about.contains("arguments of"), "{verb}: {about}");
        let examples = help.split_once("\nExamples:\n").map(|(_, examples)| examples);
        assert!(
            examples.is_some_and(|e| e.contains(&format!("trueup {verb}")) || e.contains(" pull ")),
            "{help}"
        );
    }
}
