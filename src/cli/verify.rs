//! `trueup verify`: the line of commits, and which of them the machine's rules trust.

use std::path::Path;

use clap::{Args, ValueEnum};

use super::exit::{Exit, Failure};
use super::headings::{HOW, WHAT};
use super::present::verified as present;
use super::tracked;
use super::trust::{self, NamedBy};
use super::ui::Ui;
use crate::app::trust::LineOptions;
use crate::config::{Config, ConfigError, FILE};
use crate::core::source::snapshot::Revision;
use crate::git::Checkout;
use crate::git::pull::TrackingTarget;

/// The end of `trueup verify --help`.
const EXAMPLES: &str = "\
Examples:
  trueup verify                          HEAD, back to the newest trusted commit
  trueup verify main..feature            the commits of a branch, as in CI
  trueup verify v1.4                     back from a tag
  trueup verify --target prod -o json    by the rule for one target";

/// The most commits that are shown.
const MOST: usize = 1_000;

/// Show which commits the verify rules of this machine trust
///
/// Each commit of the first-parent line with its verdict, the newest first, back to the first that is
/// trusted or to the one before the dots.
///
/// Exit status 0: all are trusted, 1: some are not, 2: could not tell.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct VerifyArgs {
    /// A commit, branch or tag, or two with dots between [default: HEAD]
    #[arg(value_name = "REV..REV", help_heading = WHAT, display_order = 1)]
    range: Option<String>,

    /// The target whose rule counts, and whose `ref` [default: all rules, HEAD]
    #[arg(short, long, value_name = "NAME", help_heading = WHAT, display_order = 2)]
    target: Option<String>,

    /// How to print the answer
    #[arg(short, long, value_name = "FORMAT", default_value = "text", help_heading = HOW)]
    output: VerifyFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum VerifyFormat {
    /// Lines for people
    Text,
    /// One JSON object
    Json,
}

/// The commit of the ref that a target tracks, trusted or not; `None` where it tracks none, or there is no
/// such target.
fn tracked_commit(target: &str, checkout: &Checkout) -> Result<Option<Revision>, Failure> {
    let tracking = tracked::tracking(checkout).into_iter().find(|it| it.target == target);
    let Some(TrackingTarget { tracks, .. }) = tracking else { return Ok(None) };
    let found = checkout.resolve_tracked(&tracks)?;
    let tag = found.revision.tracked.clone().filter(|_| found.is_of_tag());
    Ok(Some(Revision { tracked: tag, ..found.revision }))
}

/// Refuses a target that HEAD's trueup.yaml does not have. Where that names none, or can't be read, a rule's
/// is taken.
fn known_target(name: &str, checkout: &Checkout) -> Result<(), Failure> {
    let file = checkout.read_file(&checkout.resolve(None)?, FILE)?;
    let Ok(config) = Config::read(&file.unwrap_or_default()) else { return Ok(()) };
    match config.targets.is_empty() || config.targets.contains_key(name) {
        true => Ok(()),
        false => {
            let known = config.targets.into_keys().collect();
            Err(ConfigError::UnknownTarget { name: name.to_owned(), known }.into())
        }
    }
}

/// Runs the verb.
///
/// # Errors
///
/// When the rules or the repository can't be read, or there is no rule.
pub fn run(args: VerifyArgs, directory: &Path, ui: &mut Ui) -> Result<Exit, Failure> {
    let VerifyArgs { range, target, output } = args;
    let checkout = Checkout::discover(directory)?;
    if let Some(target) = &target {
        known_target(target, &checkout)?;
    }
    let tracked = match (&range, &target) {
        (None, Some(target)) => tracked_commit(target, &checkout)?,
        _ => None,
    };
    let named = target.as_deref().map_or(NamedBy::Checkout, NamedBy::Operator);
    let trust = trust::trust(named, &checkout, false)?;
    if !trust.has_rules() {
        let of = target.map(|target| format!(" for target {target}")).unwrap_or_default();
        let error = anyhow::anyhow!("this machine has no verify rule{of}");
        let hints = vec!["write one into its config.yaml; see docs/verification.md".to_owned()];
        return Err(Failure { error, hints });
    }
    let (until, from) = match range.as_deref().map(|range| (range, range.split_once(".."))) {
        None => (None, None),
        Some((_, Some((until, from)))) => {
            let until = Some(until).filter(|until| !until.is_empty());
            let until = checkout.resolve(until)?.commit;
            (Some(until), Some(from).filter(|from| !from.is_empty()))
        }
        Some((rev, None)) => (None, Some(rev)),
    };
    let from = match tracked {
        Some(revision) => revision,
        None => checkout.resolve(from)?,
    };
    let (from, tag) = (from.commit, from.tracked);
    let line = trust.line(&checkout, &LineOptions { from, tag, until, most: MOST })?;
    let glyphs = ui.glyphs();
    match output {
        VerifyFormat::Text => present::line_text(ui.stdout(), &line, glyphs)?,
        VerifyFormat::Json => present::line_json(ui.stdout(), &line)?,
    }
    if line.is_empty() {
        ui.note("no commits");
    }
    Ok(present::exit(&line))
}
