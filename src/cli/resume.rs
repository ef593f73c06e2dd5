//! `trueup resume`: ends the suspension of a target.

use std::io::Write as _;
use std::path::Path;

use clap::Args;
use jiff::Timestamp;

use super::access::AccessArgs;
use super::exit::{Exit, Failure};
use super::holding::HeldTargetArgs;
use super::ui::Ui;
use crate::app::resume;

/// The end of `trueup resume --help`.
const EXAMPLES: &str = "\
Examples:
  trueup resume                          the only target of trueup.yaml
  trueup resume prod";

/// End the suspension of a target
///
/// Watch on every machine goes on in its next round.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ResumeArgs {
    #[command(flatten)]
    target: HeldTargetArgs,

    #[command(flatten)]
    access: AccessArgs,
}

/// Ends the suspension of a target.
///
/// # Errors
///
/// When there is no such target, or its inventory can't be written.
pub async fn run(args: ResumeArgs, directory: &Path, ui: &mut Ui) -> Result<Exit, Failure> {
    let held = args.target.open(args.access, directory).await?;
    let before = resume(held.place()).await?;
    let was = match before.holding.suspended {
        None => "was not suspended".to_owned(),
        Some(Ok(it)) if it.is_over(Timestamp::now()) => "was suspended no longer".to_owned(),
        Some(Ok(it)) => format!("is resumed; it was suspended {}", it.words()),
        Some(Err(_)) => "is resumed; the annotation could not be read".to_owned(),
    };
    let text = format!("{} {was}", held.named.name);
    let text = ui.glyphs().inert(&text).into_owned();
    writeln!(ui.stdout(), "{text}")?;
    Ok(Exit::AtCommit)
}
