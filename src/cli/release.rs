//! `trueup release`: lets a commit through that a target in mode hold waits with.

use std::io::Write as _;
use std::path::Path;

use clap::Args;
use jiff::Timestamp;

use super::access::AccessArgs;
use super::exit::{Exit, Failure};
use super::headings::WHAT;
use super::holding::HeldTargetArgs;
use super::locking;
use super::ui::Ui;
use crate::app::release;
use crate::core::modes::Release;

/// The end of `trueup release --help`.
const EXAMPLES: &str = "\
Examples:
  trueup pull && trueup release prod     the commit that git has for it
  trueup release prod --rev v1.4.2       one on the way there";

/// Let a new commit through to a target in mode hold
///
/// It is noted in the cluster, beside the inventory, with who and when: watch on any machine applies it
/// in its next round. Later commits wait again.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ReleaseArgs {
    #[command(flatten)]
    target: HeldTargetArgs,

    /// The commit, branch or tag to release [default: what the target follows]
    #[arg(long, value_name = "REV", help_heading = WHAT, display_order = 3)]
    rev: Option<String>,

    #[command(flatten)]
    access: AccessArgs,
}

/// Releases a commit.
///
/// # Errors
///
/// When there is no such target or commit, or the target's inventory can't be written.
pub async fn run(args: ReleaseArgs, directory: &Path, ui: &mut Ui) -> Result<Exit, Failure> {
    let held = args.target.open_at(args.rev, args.access, directory).await?;
    let revision = &held.named.judged.revision;
    let (by, commit, at) = (locking::who().person(), revision.commit.clone(), Timestamp::now());
    let before = release(held.place(), &Release { commit, by, at }).await?;
    let runs = before.runs.as_deref() == Some(&revision.commit);
    let end = match (runs, before.holding.is_suspended(at)) {
        (true, _) => "runs already",
        (false, true) => "is released; the target is suspended",
        (false, false) => "is released",
    };
    let text = format!("{}: {} {end}", held.named.name, revision.shown());
    let text = ui.glyphs().inert(&text).into_owned();
    writeln!(ui.stdout(), "{text}")?;
    Ok(Exit::AtCommit)
}
