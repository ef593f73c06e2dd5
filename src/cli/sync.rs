//! `trueup sync`: a round of a running watch at once, and what came of it.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use clap::Args;

use super::exit::{Exit, Failure};
use super::headings::{HOW, WHAT};
use super::ui::Ui;
#[cfg(unix)]
use super::watch::{socket_folders, socket_name};
#[cfg(unix)]
use crate::core::asking::SyncRequest;
use crate::core::asking::{SyncAnswer, SyncResult};
use crate::core::log::one_line;
use crate::core::policy::run_options::duration;
use crate::git::Checkout;
#[cfg(unix)]
use crate::local::control_socket;

/// The end of `trueup sync --help`.
const EXAMPLES: &str = "\
Examples:
  trueup sync                    all targets that are watched from this checkout
  trueup sync prod               one of them
  trueup -C /srv/shop sync       those of another checkout";

/// Ask a running watch for a round now
///
/// It waits for the end of the round, which pulls and looks at all objects. The watch has to be of this
/// checkout, and the same user's.
///
/// Exit status 0: the cluster is at the commit, 1: it is not, 2: could not tell, or there is no watch.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SyncArgs {
    /// The targets [default: all that are watched]
    #[arg(value_name = "TARGET", help_heading = WHAT, display_order = 1)]
    targets: Vec<String>,

    /// How long to wait for the end of the rounds: 90s, 5m
    ///
    /// A plain number counts seconds.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration, help_heading = HOW, display_order = 1)]
    timeout: Duration,
}

/// Asks for the rounds and prints what came of them.
///
/// # Errors
///
/// When there is no such watch, or it does not answer in time.
pub async fn run(args: SyncArgs, directory: &Path, ui: &mut Ui) -> Result<Exit, Failure> {
    let checkout = Checkout::discover(directory)?;
    let asking = ask(&args.targets, checkout.root());
    let Ok(answers) = tokio::time::timeout(args.timeout, asking).await else {
        let error = anyhow::anyhow!("the rounds have not ended within {:?}", args.timeout);
        let hints = vec!["they go on; trueup status shows what is going on".to_owned()];
        return Err(Failure { error, hints });
    };
    if answers.is_empty() {
        let error = anyhow::anyhow!("no trueup watch of this user runs in this checkout");
        let hints = vec!["start one: trueup watch".to_owned()];
        return Err(Failure { error, hints });
    }
    let (mut rounds, mut fault) = (Vec::new(), None);
    for answer in answers {
        match answer {
            Ok(answer) => rounds.extend(answer.rounds),
            Err(error) => fault = Some(error),
        }
    }
    let mut exit = Exit::AtCommit;
    for round in &rounds {
        let of_round = match round.result {
            SyncResult::AtCommit => Exit::AtCommit,
            SyncResult::NotAtCommit => Exit::NotAtCommit,
            SyncResult::CouldNot => Exit::CouldNot,
        };
        exit = worse(exit, of_round);
        let in_sync = ["in sync".to_owned()];
        let lines = if round.lines.is_empty() { &in_sync[..] } else { &round.lines };
        for line in lines {
            writeln!(ui.stdout(), "{}: {}", round.target, one_line(line))?;
        }
    }
    let found: BTreeSet<&String> = rounds.iter().map(|round| &round.target).collect();
    let unknown: Vec<_> = args.targets.iter().filter(|name| !found.contains(name)).collect();
    match (unknown.first(), fault) {
        (_, Some(error)) => {
            Err(anyhow::Error::new(error).context("the watch did not answer").into())
        }
        (Some(name), None) => {
            Err(anyhow::anyhow!("no watch of this checkout has a target {name:?}").into())
        }
        (None, None) => Ok(exit),
    }
}

fn worse(one: Exit, other: Exit) -> Exit {
    match (one, other) {
        (Exit::CouldNot, _) | (_, Exit::CouldNot) => Exit::CouldNot,
        (Exit::NotAtCommit, _) | (_, Exit::NotAtCommit) => Exit::NotAtCommit,
        _ => Exit::AtCommit,
    }
}

/// The answers of all watches of a checkout.
#[cfg(unix)]
async fn ask(targets: &[String], root: &Path) -> Vec<std::io::Result<SyncAnswer>> {
    let request = SyncRequest { targets: targets.to_vec() };
    let request = serde_json::to_string(&request).unwrap_or_default();
    let answers = control_socket::ask(&socket_folders(), &socket_name(root), &request).await;
    let read = |answer: String| serde_json::from_str(&answer).map_err(std::io::Error::other);
    answers.into_iter().map(|answer| answer.and_then(read)).collect()
}

/// Elsewhere there are no such sockets.
#[cfg(not(unix))]
async fn ask(_: &[String], _: &Path) -> Vec<std::io::Result<SyncAnswer>> {
    Vec::new()
}
