//! Candidates for the shell's completion: the targets, contexts, kinds and revisions that there
//! are.
//!
//! The scripts of [`super::completions`] call trueup back, with the words so far. The answer is
//! read from files alone: no cluster is asked, and no plugin of a kubeconfig runs. What can't be
//! read is left out without a word, for an error would end up in the middle of a command line.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use clap::{Arg, Command, CommandFactory as _};
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};

use super::Cli;
use super::target::FilesArgs;
use crate::cluster::context_names;
use crate::core::kinds::schemas::Schemas;
use crate::git::Checkout;

/// The variable by which a script asks; its value is the shell.
pub const VARIABLE: &str = "_TRUEUP_COMPLETE";

/// The kinds that `--allow-delete` is needed for.
const GUARDED: [&str; 4] =
    ["CustomResourceDefinition", "Namespace", "PersistentVolume", "PersistentVolumeClaim"];

/// Answers a shell that asks; whether one did.
#[allow(clippy::disallowed_methods, reason = "the script's own variable, no setting")]
pub fn answer() -> bool {
    if std::env::var_os(VARIABLE).is_none_or(|shell| shell.is_empty()) {
        return false;
    }
    std::panic::set_hook(Box::new(|_| {}));
    let here = std::env::current_dir().ok();
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let asked = CompleteEnv::with_factory(command).var(VARIABLE).bin("trueup");
        asked.completer("trueup").try_complete(std::env::args_os(), here.as_deref())
    }));
    true
}

/// The command line, with what is found here as values of its options.
fn command() -> Command {
    let place = Place::of(std::env::args_os());
    let command = Cli::command();
    let verbs: Vec<String> =
        command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    verbs.into_iter().fold(command, |command, name| {
        command.mut_subcommand(name, |verb| verb.mut_args(|arg| place.completes(arg)))
    })
}

/// Where to look, from the words so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Place {
    directory: PathBuf,
    kubeconfig: Option<PathBuf>,
}

impl Place {
    fn of(words: impl Iterator<Item = OsString>) -> Self {
        let words: Vec<OsString> = words.skip_while(|word| word != "--").skip(1).collect();
        let value = |names: &[&str]| {
            let mut values = words.iter().enumerate().filter_map(|(at, word)| {
                let word = word.to_str()?;
                names.iter().find_map(|name| match word.strip_prefix(name)? {
                    "" => words.get(at + 1).map(PathBuf::from),
                    joined => joined.strip_prefix('=').map(PathBuf::from),
                })
            });
            values.next().filter(|value| !value.as_os_str().is_empty())
        };
        let directory = value(&["-C", "--directory"]).unwrap_or_else(|| PathBuf::from("."));
        Self { directory, kubeconfig: value(&["--kubeconfig"]) }
    }

    fn completes(&self, arg: Arg) -> Arg {
        let find: fn(&Self) -> Vec<String> = match arg.get_id().as_str() {
            "target" | "targets" => Self::targets,
            "rev" | "wait_for" => Self::revisions,
            "context" | "contexts" => Self::contexts,
            "allow_delete" => |_| GUARDED.map(str::to_owned).to_vec(),
            "replace" => |_| kinds(),
            _ => return arg,
        };
        let place = self.clone();
        arg.add(ArgValueCandidates::new(move || {
            let names = find(&place).into_iter().filter(|name| is_plain(name));
            names.map(CompletionCandidate::new).collect()
        }))
    }

    fn targets(&self) -> Vec<String> {
        let Ok(checkout) = Checkout::discover(&self.directory) else { return Vec::new() };
        let files = FilesArgs {
            paths: Vec::new(),
            target: None,
            rev: None,
            is_named_by_checkout: false,
            worktree: !checkout.is_bare(),
            namespace: None,
        };
        let config = files.config(&checkout);
        config.map(|config| config.targets.into_keys().collect()).unwrap_or_default()
    }

    fn revisions(&self) -> Vec<String> {
        let checkout = Checkout::discover(&self.directory);
        checkout.map(|checkout| checkout.ref_names()).unwrap_or_default()
    }

    fn contexts(&self) -> Vec<String> {
        context_names(self.kubeconfig.as_deref().map(Path::new))
    }
}

/// Every kind of the newest Kubernetes release.
fn kinds() -> Vec<String> {
    let names = Schemas::newest().names();
    let kinds = names.filter_map(|name| Some(name.rsplit_once('/')?.1.to_owned()));
    kinds.collect::<BTreeSet<String>>().into_iter().collect()
}

/// Whether a shell takes the name as it is: it lands on the command line without quotes, and it may
/// come from a repository that others write.
fn is_plain(name: &str) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./@:+,%".contains(c);
    !name.is_empty() && !name.starts_with('-') && name.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_the_one_that_the_words_name() {
        let place = |words: &[&str]| {
            Place::of(["trueup", "--", "trueup"].iter().chain(words).map(OsString::from))
        };
        let at = |directory: &str, kubeconfig: Option<&str>| Place {
            directory: directory.into(),
            kubeconfig: kubeconfig.map(Into::into),
        };
        assert_eq!(place(&["diff", "-t", ""]), at(".", None));
        assert_eq!(place(&["-C", "shop", "diff", "--kubeconfig=a"]), at("shop", Some("a")));
        assert_eq!(
            place(&["diff", "--directory=shop", "--kubeconfig", "b"]),
            at("shop", Some("b"))
        );
        assert_eq!(place(&["diff", "-C", ""]), at(".", None));
    }

    #[test]
    fn a_name_that_a_shell_would_read_otherwise_is_left_out() {
        for (name, expected) in [
            ("prod", true),
            ("feature/x-1", true),
            ("arn:aws:eks:eu-1:1:cluster/a", true),
            ("größe", true),
            ("", false),
            ("--rev", false),
            ("a b", false),
            ("$(id)", false),
            ("a;b", false),
            ("a\u{1b}[2J", false),
        ] {
            assert_eq!(is_plain(name), expected, "{name:?}");
        }
    }

    #[test]
    fn the_guarded_kinds_are_among_all() {
        let kinds = kinds();
        assert!(GUARDED.iter().all(|kind| kinds.iter().any(|known| known == kind)), "{kinds:?}");
    }
}
