//! Clap's errors about arguments, and Rust's panics: both repeat texts from outside.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, Write as _};
use std::panic::PanicHookInfo;

use clap::CommandFactory as _;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue};

use super::Ui;
use super::guard::OutputGuard;
use crate::cli::Cli;
use crate::cli::exit::Exit;
use crate::cli::habits;
use crate::cli::present::Glyphs;
use crate::cli::present::ink::adopted;
use crate::core::credentials::url_without_credentials;
use crate::core::sanitize::is_harmless;

/// Of a text that is repeated within another's lines.
const GLYPHS: Glyphs = Glyphs { utf8: true, width: None };

impl Ui {
    /// Says what is wrong with the arguments, or what they ask for: help, the version.
    pub fn usage(&mut self, error: &clap::Error) -> Exit {
        let text = text(error, are_harmless());
        // A closed stream has no reader.
        match error.use_stderr() {
            true => {
                let _ = self.stderr.write_all(text.as_bytes());
                Exit::CouldNot
            }
            false => {
                let _ = self.stdout.write_all(text.as_bytes());
                Exit::AtCommit
            }
        }
    }
}

/// Clap's own text. Its styles are ours where nothing that it repeats could hold any.
fn text(error: &clap::Error, are_harmless: bool) -> String {
    let hinted = habits::hint(error).map(|hint| with_hint(error, hint));
    let error = hinted.as_ref().unwrap_or(error);
    if are_harmless {
        return adopted(&error.render().ansi().to_string());
    }
    let mut inert = clap::Error::new(error.kind()).with_cmd(&Cli::command());
    for (kind, value) in error.context() {
        inert.insert(kind, self::inert(value));
    }
    let mut text = inert.render().to_string();
    if let Some(source) = std::error::Error::source(error) {
        text.push_str(&format!("  {}\n", GLYPHS.inert(&masked(&source.to_string()))));
    }
    text
}

/// The error with what does the same here, in place of what clap takes for similar.
fn with_hint(error: &clap::Error, hint: &'static str) -> clap::Error {
    let mut hinted = clap::Error::new(error.kind()).with_cmd(&Cli::command());
    for (kind, value) in error.context() {
        match kind {
            ContextKind::SuggestedCommand
            | ContextKind::SuggestedSubcommand
            | ContextKind::SuggestedArg
            | ContextKind::TrailingArg
            | ContextKind::Suggested => {}
            kind => drop(hinted.insert(kind, value.clone())),
        }
    }
    hinted.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![hint.into()]));
    hinted
}

fn inert(value: &ContextValue) -> ContextValue {
    let one = |text: &String| GLYPHS.inert(&masked(text)).into_owned();
    match value {
        ContextValue::String(text) => ContextValue::String(one(text)),
        ContextValue::Strings(texts) => ContextValue::Strings(texts.iter().map(one).collect()),
        // A tip that repeats a password is left out.
        ContextValue::StyledStrs(tips) => {
            let is_safe = |tip: &&StyledStr| !holds_credentials(&tip.to_string());
            ContextValue::StyledStrs(tips.iter().filter(is_safe).cloned().collect())
        }
        other => other.clone(),
    }
}

/// An argument that is shown: of a URL, what stands before its last `@` may be a password.
fn masked(text: &str) -> String {
    if text.contains("://") { url_without_credentials(text) } else { text.to_owned() }
}

fn holds_credentials(text: &str) -> bool {
    masked(text) != text
}

/// Whether all that clap could repeat is plain to see: the arguments, and what stands for some in
/// the environment.
#[allow(clippy::disallowed_methods, reason = "clap has read the same")]
fn are_harmless() -> bool {
    let is_plain = |text: &str| text.chars().all(is_harmless) && !holds_credentials(text);
    let is_harmless = |text: &std::ffi::OsStr| text.to_str().is_some_and(is_plain);
    let is_ours = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with("TRUEUP_");
    std::env::args_os().all(|argument| is_harmless(&argument))
        && std::env::vars_os().all(|(name, value)| !is_ours(&name) || is_harmless(&value))
}

/// Says that this program is at fault, and where. The message may quote anything.
pub(in crate::cli) fn panicked(panic: &PanicHookInfo<'_>) {
    let payload = panic.payload();
    let message = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let message = message.or_else(|| payload.downcast_ref::<String>().cloned());
    let message = GLYPHS.broken("  ", &message.unwrap_or_default());
    let thread = std::thread::current();
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let mut text =
        format!("thread '{}' panicked at {place}:\n  {message}\n", thread.name().unwrap_or("?"));
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        text.push_str(&trace.to_string());
    }
    // A closed stderr has no reader.
    let _ = OutputGuard::new(io::stderr()).write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::Cli;
    use crate::cli::ui::guarded;

    fn told(argument: &str) -> String {
        let error = Cli::try_parse_from(["trueup", "diff", argument]).unwrap_err();
        guarded(&text(&error, argument.chars().all(is_harmless)))
    }

    #[test]
    fn usage_is_coloured_where_no_argument_could_be() {
        let text = told("--nope");
        assert!(text.starts_with("\u{1b}[1m\u{1b}[31merror:\u{1b}[0m unexpected"), "{text:?}");
        assert!(text.contains("--nope") && text.contains("Usage:"), "{text:?}");
    }

    #[test]
    fn hint_for_another_tools_flag_replaces_claps_suggestion() {
        let error = Cli::try_parse_from(["trueup", "plan"]).unwrap_err();
        let expected = "error: unrecognized subcommand 'plan'\n\n  \
             tip: `trueup diff` shows what apply would change\n";
        let plain = guarded(&text(&error, false));
        assert!(plain.starts_with(expected), "{plain}");
        assert_eq!(plain.matches("tip:").count(), 1, "{plain}");
        assert!(text(&error, true).contains("`trueup diff` shows what apply would change"));
        let option = told("--dry-run=server");
        assert!(option.contains("--dry-run"), "{option}");
        assert!(option.contains("`trueup diff` shows what apply would change"), "{option}");
    }

    #[test]
    fn url_password_is_removed_from_usage_errors() {
        let url = "https://user:canary@git.example/shop";
        let named = |option: &str| format!("{option}={url}");
        let arguments = [
            ["pull", url],
            ["diff", &format!("--{url}")],
            ["diff", &named("--output")],
            ["apply", &named("--max-prune")],
        ];
        for [verb, argument] in arguments {
            let error = Cli::try_parse_from(["trueup", verb, argument]).unwrap_err();
            let plain = guarded(&text(&error, false));
            assert!(plain.contains("git.example/shop"), "{plain}");
            assert!(!plain.contains("canary"), "{plain}");
        }
    }

    #[test]
    fn an_argument_that_is_repeated_is_inert() {
        for argument in ["--a\u{1b}[31mb", "--a\n::error::x", "--output=\u{1b}[31m\nerror: no"] {
            let text = told(argument);
            assert!(text.starts_with("error: ") && !text.contains('\u{1b}'), "{text:?}");
            assert!(text.contains("\\x1b[31m") || text.contains("\\n::error::x"), "{text:?}");
            assert!(text.lines().filter(|line| line.starts_with("error")).count() == 1, "{text}");
        }
    }
}
