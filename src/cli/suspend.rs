//! `trueup suspend`: nothing is written to a target until it is resumed.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use clap::Args;
use jiff::{Timestamp, Zoned};

use super::access::AccessArgs;
use super::exit::{Exit, Failure};
use super::headings::HOW;
use super::holding::HeldTargetArgs;
use super::locking;
use super::ui::Ui;
use crate::app::suspend;
use crate::core::modes::{Suspension, until};
use crate::core::policy::run_options::duration;

/// The end of `trueup suspend --help`.
const EXAMPLES: &str = "\
Examples:
  trueup suspend prod --for 2h --reason \"database migration\"
  trueup suspend prod --until 18:00 --reason stock-taking
  trueup suspend prod --reason \"until the incident is over\"
  trueup resume prod                     go on";

/// Keep everyone from writing to a target, for a while
///
/// It is noted in the cluster, beside the inventory: watch on every machine looks and reports, and writes
/// nothing, and apply refuses, until the time is up or trueup resume ends it. A run that is under way is
/// not stopped. A second suspension replaces the first.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SuspendArgs {
    #[command(flatten)]
    target: HeldTargetArgs,

    /// Why, for everyone who meets it
    #[arg(long, value_name = "TEXT", required = true, value_parser = reason, help_heading = HOW, display_order = 1)]
    reason: String,

    /// How long: 90s, 30m, 2h; a plain number counts seconds
    #[arg(long = "for", value_name = "TIME", value_parser = duration, conflicts_with = "until", help_heading = HOW, display_order = 2)]
    lasts: Option<Duration>,

    /// Until when: 18:00, 2026-10-03T14:00
    ///
    /// In the machine's time zone. A date is where that day begins. Without --for and --until it lasts
    /// until trueup resume.
    #[arg(long, value_name = "TIME", value_parser = end, help_heading = HOW, display_order = 3)]
    until: Option<Timestamp>,

    #[command(flatten)]
    access: AccessArgs,
}

/// Reads a reason.
fn reason(text: &str) -> Result<String, String> {
    const MOST: usize = 1000;
    match text.trim() {
        "" => Err("a reason is missing".to_owned()),
        text if text.chars().count() > MOST => Err(format!("it has more than {MOST} characters")),
        text => Ok(text.to_owned()),
    }
}

/// Reads the end of a suspension.
fn end(text: &str) -> Result<Timestamp, String> {
    until(text, &Zoned::now())
}

/// Suspends a target.
///
/// # Errors
///
/// When there is no such target, it was not applied yet, or its inventory can't be written.
pub async fn run(args: SuspendArgs, directory: &Path, ui: &mut Ui) -> Result<Exit, Failure> {
    let SuspendArgs { target, reason, lasts, until, access } = args;
    let now = Timestamp::now();
    let lasts = lasts.map(|lasts| now.checked_add(lasts)).transpose();
    let until = lasts.map_err(anyhow::Error::new)?.or(until);
    let held = target.open(access, directory).await?;
    let by = locking::who().person();
    let suspension = Suspension { by, at: now, until, reason };
    let before = suspend(held.place(), &suspension).await?;
    let glyphs = ui.glyphs();
    let line = |text: &str| glyphs.inert(text).into_owned();
    let name = &held.named.name;
    let running =
        before.holding.suspended.filter(|it| it.as_ref().is_ok_and(|it| !it.is_over(now)));
    if let Some(Ok(before)) = running {
        ui.note(&format!("it was suspended {}", before.words()));
    }
    writeln!(ui.stdout(), "{} is suspended {}", line(name), line(&suspension.words()))?;
    Ok(Exit::AtCommit)
}
