//! What `--help` and `trueup help` print fits 80 columns, and has what a newcomer looks for. Man
//! pages have the same.

use clap::CommandFactory as _;
use trueup::cli::Cli;

use crate::support::command::Cmd;

const VERBS: [&str; 20] = [
    "pull",
    "diff",
    "apply",
    "watch",
    "sync",
    "status",
    "suspend",
    "resume",
    "release",
    "verify",
    "rbac",
    "install",
    "check",
    "explain",
    "schemas",
    "render",
    "history",
    "sandbox",
    "completions",
    "help",
];

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
fn the_brief_help_of_each_verb() {
    for verb in VERBS {
        let brief = Cmd::trueup().args([verb, "-h"]).run();
        brief.shows(&format!("help/{verb}")).exits(0);
    }
    Cmd::trueup().args(["-h"]).run().shows("help/trueup").exits(0);
    Cmd::trueup().args(["help"]).run().shows("help/list").exits(0);
}

/// The headings of a verb's help, in the order in which they may stand.
const HEADINGS: [&str; 5] = ["What", "How", "Guards", "Cluster", "Everywhere"];

/// The most used options.
const COMMON: [&str; 5] = ["--yes", "--wait", "--plan", "--target", "--rev"];

/// The headings of a help text, without those of the examples and of the exit status.
fn headings(help: &str) -> Vec<&str> {
    let headings = help.lines().filter_map(|line| line.strip_suffix(':'));
    headings.filter(|line| !line.contains(' ') && *line != "Examples").collect()
}

#[test]
fn the_brief_help_fits_one_screen() {
    for verb in VERBS.map(Some).into_iter().chain([None]) {
        let args: Vec<&str> = verb.into_iter().chain(["-h"]).collect();
        let brief = help(&args);
        assert!(brief.lines().count() <= 24, "{}", brief.lines().count());
        assert!(!brief.contains("[possible values") && !brief.contains("[env"), "{brief}");
        let last = brief.lines().last().unwrap();
        match verb {
            Some(verb) => assert_eq!(last, format!("trueup {verb} --help shows all options")),
            None => assert!(last.starts_with("trueup --help shows all options"), "{brief}"),
        }
        // Each option has its help on its own line.
        let lines = brief.lines().filter(|line| line.trim_start().starts_with('-'));
        for line in lines {
            assert!(line.trim_start().contains("  "), "{line:?} of\n{brief}");
        }
    }
}

#[test]
fn the_common_options_come_before_the_guards() {
    for verb in ["diff", "apply", "watch"] {
        let (brief, whole) = (help(&[verb, "-h"]), help(&[verb, "--help"]));
        for (text, flag) in [(&brief, "-h"), (&whole, "--help")] {
            let (common, _) = text.split_once("\nGuards:\n").unwrap();
            for option in COMMON.iter().filter(|option| whole.contains(&format!("{option} <"))) {
                assert!(common.contains(&format!("{option} ")), "{verb} {flag} {option}\n{text}");
            }
        }
    }
    let apply = help(&["apply", "-h"]);
    let (common, _) = apply.split_once("\nGuards:\n").unwrap();
    for option in COMMON {
        assert!(common.contains(option), "{option}\n{apply}");
    }
}

#[test]
fn every_option_has_one_of_the_headings() {
    let mut cli = Cli::command();
    cli.build();
    for command in cli.get_subcommands().filter(|command| !command.is_hide_set()) {
        let verb = command.get_name();
        let whole = help(&[verb, "--help"]);
        let found = headings(&whole);
        let expected: Vec<&str> =
            HEADINGS.into_iter().filter(|heading| found.contains(heading)).collect();
        assert_eq!(found, expected, "{verb}");
        for option in command.get_arguments() {
            let heading = option.get_help_heading().unwrap_or_default();
            assert!(HEADINGS.contains(&heading), "{verb} {option:?}");
            let (_, group) = whole.split_once(&format!("\n{heading}:\n")).unwrap();
            let group = group.split_once("\n\n\n").map_or(group, |(group, _)| group);
            let name = match option.get_long() {
                Some(long) => format!("--{long}"),
                None => option.get_value_names().unwrap()[0].to_string(),
            };
            assert!(group.contains(&name), "{verb} {heading} {name}\n{whole}");
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

#[test]
fn the_list_has_every_command_and_topic() {
    let list = help(&["help"]);
    let (commands, topics) = list.split_once("\nTopics:\n").unwrap();
    for verb in VERBS {
        assert!(commands.contains(&format!("\n  {verb} ")), "{verb}: {list}");
    }
    assert!(topics.contains("\n  waiting ") && !list.contains("  man "), "{list}");
    for line in list.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn the_help_of_a_command_is_that_of_its_flag() {
    for verb in VERBS {
        assert_eq!(help(&["help", verb]), help(&[verb, "--help"]), "{verb}");
    }
}

#[test]
fn a_topic_is_its_page_as_plain_text() {
    let page = help(&["help", "waiting"]);
    assert!(page.starts_with("WAITING\n\n`apply` waits until"), "{page}");
    assert!(page.contains("\nHealth rules\n\n") && page.contains("\n    targets:\n"), "{page}");
    assert!(!page.contains("```") && !page.contains("](") && !page.contains("|---"), "{page}");
    for line in page.lines().filter(|line| !line.starts_with("    ")) {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn an_unknown_name_is_an_error_with_a_suggestion() {
    for name in ["nosuch", "wiating", "aply", "rollback"] {
        let output = Cmd::trueup().args(["help", name]).run();
        output.shows(&format!("help/unknown-{name}")).exits(2);
    }
}

#[test]
fn a_reader_may_stop_reading() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut help = Cmd::trueup().args(["help", "waiting"]).into_inner();
    let output = help.stdout(writer).stderr(std::process::Stdio::piped()).output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn man_writes_a_page_for_each_command_and_topic() {
    let folder = tempfile::tempdir().unwrap();
    let output = Cmd::trueup().args(["man"]).args([folder.path()]).run().exits(0);
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let count = |name: &str| std::fs::read_dir(folder.path().join(name)).unwrap().count();
    for verb in VERBS {
        let page = read(&format!("man1/trueup-{verb}.1"));
        assert!(page.contains(&format!(".TH trueup-{verb} 1 ")), "{page}");
    }
    let top = read("man1/trueup.1");
    assert!(top.contains("trueup\\-waiting\\fR(7)") && top.contains(".SH NAME"), "{top}");
    let list = help(&["help"]);
    let topics = list.split_once("\nTopics:\n").unwrap().1;
    let topics = topics.lines().map_while(|line| line.strip_prefix("  ")?.split(' ').next());
    let topics: Vec<&str> = topics.collect();
    for topic in &topics {
        let page = read(&format!("man7/trueup-{topic}.7"));
        assert!(page.contains(&format!(".TH trueup-{topic} 7 ")), "{page}");
    }
    assert_eq!((count("man1"), count("man7")), (VERBS.len() + 1, topics.len()));
}
