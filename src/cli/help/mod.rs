//! `trueup help`: the help of a command, or a page of `docs/`.
//!
//! The pages are the files of `docs/` themselves, so that the program, the man pages and the
//! repository have one text. [`markdown`] reads them, [`plain`] sets them for a terminal and
//! [`man`] for `man`.

pub mod man;
mod markdown;
mod plain;
mod topics;

use std::ffi::OsStr;
use std::io::{self, Write as _};

use anyhow::anyhow;
use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Args, Command, CommandFactory as _};

use super::Cli;
use super::exit::{Exit, Failure};
use super::headings::WHAT;
use super::ui::Ui;
use crate::core::suggest::suggest;
use topics::{TOPICS, Topic};

/// The widest line of a page.
const WIDTH: usize = 80;

/// Explain a command or a topic
///
/// Without NAME, list both. The topics are the pages of the documentation; their man pages are
/// called `trueup-TOPIC`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trueup help                            list the commands and topics
  trueup help waiting                    explain how trueup waits for health
  trueup help apply                      the same as trueup apply --help")]
pub struct HelpArgs {
    /// A command or a topic
    #[arg(value_name = "NAME", value_parser = Names, hide_possible_values = true, help_heading = WHAT)]
    name: Option<String>,
}

/// Takes any name, and tells completions the known ones. The check is left to [`run`], whose error
/// says more than clap's.
#[derive(Clone)]
struct Names;

impl TypedValueParser for Names {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let commands = commands().into_iter();
        let commands = commands.map(|Listed { name, about }| PossibleValue::new(name).help(about));
        let topics = TOPICS.iter();
        let topics = topics.map(|Topic { name, about, .. }| PossibleValue::new(*name).help(*about));
        Some(Box::new(commands.chain(topics)))
    }
}

/// A command in a list.
struct Listed {
    name: String,
    about: String,
}

/// The commands that `trueup --help` lists.
fn commands() -> Vec<Listed> {
    let cli = Cli::command();
    let shown = cli.get_subcommands().filter(|command| !command.is_hide_set());
    let listed = shown.map(|command| Listed {
        name: command.get_name().to_owned(),
        about: command.get_about().map(ToString::to_string).unwrap_or_default(),
    });
    listed.collect()
}

/// Prints the list, the help of a command or the page of a topic.
///
/// # Errors
///
/// When the name is unknown, or stdout can't be written to.
pub fn run(args: &HelpArgs, ui: &mut Ui) -> Result<Exit, Failure> {
    let width = ui.glyphs().width.unwrap_or(WIDTH).clamp(20, WIDTH);
    let text = match args.name.as_deref() {
        None => list(),
        Some(name) => match TOPICS.iter().find(|topic| topic.name == name) {
            Some(topic) => plain::page(&markdown::parse(topic.text), width),
            None => return command(name, ui),
        },
    };
    match ui.stdout().write_all(text.as_bytes()).and_then(|()| ui.stdout().flush()) {
        // A reader such as `head` may close the pipe once it has enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(Exit::AtCommit),
    }
}

/// Prints exactly what `trueup NAME --help` prints.
fn command(name: &str, ui: &mut Ui) -> Result<Exit, Failure> {
    if !commands().iter().any(|command| command.name == name) {
        return Err(unknown(name));
    }
    match Cli::command().try_get_matches_from(["trueup", name, "--help"]) {
        Err(help) => Ok(ui.usage(&help)),
        Ok(_) => Ok(Exit::AtCommit),
    }
}

fn unknown(name: &str) -> Failure {
    let commands: Vec<String> = commands().into_iter().map(|command| command.name).collect();
    let topics = || TOPICS.iter().map(|topic| topic.name);
    let names = commands.iter().map(String::as_str).chain(topics());
    let mut hints: Vec<String> = suggest(name, names)
        .first()
        .map(|near| format!("did you mean {near}?"))
        .into_iter()
        .collect();
    let word = name.to_lowercase();
    let has_section = |topic: &&Topic| {
        let mut headlines = topic.text.lines().filter_map(|line| line.strip_prefix('#'));
        headlines.any(|line| line.to_lowercase().split_whitespace().any(|part| part == word))
    };
    let pages: Vec<&str> = TOPICS.iter().filter(has_section).map(|topic| topic.name).collect();
    if !pages.is_empty() {
        hints.push(format!("{word} is a section of {}", pages.join(", ")));
    }
    hints.push(format!("the commands are {}", commands.join(", ")));
    hints.push(format!("the topics are {}", topics().collect::<Vec<_>>().join(", ")));
    Failure { error: anyhow!("unknown command or topic {name:?}"), hints }
}

/// All commands and topics, each with one line.
fn list() -> String {
    let commands = commands();
    let names =
        commands.iter().map(|it| it.name.len()).chain(TOPICS.iter().map(|it| it.name.len()));
    let width = names.max().unwrap_or_default();
    let mut text = "Commands:\n".to_owned();
    for Listed { name, about } in &commands {
        text += &format!("  {name:width$}  {about}\n");
    }
    text += "\nTopics:\n";
    for Topic { name, about, .. } in TOPICS {
        text += &format!("  {name:width$}  {about}\n");
    }
    text += "\nUse `trueup help NAME` for one of them.\n";
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_command_or_one_topic() {
        let mut names: Vec<String> = commands().into_iter().map(|command| command.name).collect();
        names.extend(TOPICS.iter().map(|topic| topic.name.to_owned()));
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn an_unknown_name_has_a_suggestion_and_the_list() {
        let failure = unknown("wating");
        assert_eq!(failure.error.to_string(), "unknown command or topic \"wating\"");
        assert_eq!(failure.hints[0], "did you mean waiting?");
        assert!(failure.hints.last().unwrap().contains("waiting, "), "{:?}", failure.hints);
        let failure = unknown("rollback");
        assert_eq!(failure.hints[0], "rollback is a section of locking");
    }
}
