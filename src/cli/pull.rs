//! `trueup pull`: fetch, and fast-forward the checkout.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::exit::{Exit, Failure};
use super::seconds;
use super::ui::Ui;
use crate::git::pull::{PullError, PullOptions, Pulled, pull};
use crate::snapshot::short;

/// Fetch the remote's new commits and fast-forward the checkout
///
/// Local work is never touched: a change in the way, or a branch that has diverged, is refused.
#[derive(Debug, Args)]
pub struct PullArgs {
    /// Clone from here if there is no checkout yet, and refuse a checkout of anything else
    #[arg(long)]
    url: Option<String>,

    /// The branch to check out when cloning, and the one that must be checked out
    #[arg(long)]
    branch: Option<String>,

    /// Clone without a work tree
    #[arg(long, requires = "url")]
    bare: bool,

    /// How long the remote may be silent
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    timeout: Duration,

    /// How to print what was done
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// One line
    Text,
    /// One JSON object
    Json,
}

/// The JSON answer.
#[derive(Serialize)]
struct Answer<'a> {
    version: u32,
    #[serde(flatten)]
    pulled: &'a Pulled,
}

/// Runs the verb.
pub fn run(args: PullArgs, directory: PathBuf, ui: &mut Ui) -> Result<Exit, Failure> {
    let PullArgs { url, branch, bare, timeout, output } = args;
    let interrupt = Arc::new(AtomicBool::new(false));
    let options = PullOptions { directory, url, branch, bare, timeout, interrupt };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let pulled = match runtime.block_on(interruptible(options)).context("the pull broke off")? {
        Ok(pulled) => pulled,
        Err(PullError::Interrupted) => return Ok(Exit::Interrupted),
        Err(error) => {
            let refused = error.is_refusal();
            let hints = error.hint().into_iter().collect();
            let failure = Failure { error: error.into(), hints };
            if !refused {
                return Err(failure);
            }
            ui.failure(&failure);
            return Ok(Exit::NotAtCommit);
        }
    };
    match output {
        Format::Text => writeln!(ui.stdout(), "{}", line(&pulled))?,
        Format::Json => {
            let answer = serde_json::to_string_pretty(&Answer { version: 1, pulled: &pulled })?;
            writeln!(ui.stdout(), "{answer}")?;
        }
    }
    Ok(Exit::AtCommit)
}

/// Pulls in a thread of its own, so that a signal can be heard meanwhile.
async fn interruptible(
    options: PullOptions,
) -> Result<Result<Pulled, PullError>, tokio::task::JoinError> {
    let interrupt = options.interrupt.clone();
    let mut pulling = tokio::task::spawn_blocking(move || pull(&options));
    tokio::select! {
        pulled = &mut pulling => return pulled,
        () = super::signal::wanted_to_stop() => interrupt.store(true, Ordering::Relaxed),
    }
    pulling.await
}

/// What was done, in one line.
fn line(pulled: &Pulled) -> String {
    let Pulled { branch, before, after, commits, authors: _, files, ahead, cloned } = pulled;
    let (after, files) = (short(after), counted(*files, "file"));
    let commits = counted(*commits, "commit");
    match before {
        _ if *ahead > 0 => {
            format!("{branch} is {} ahead of its upstream @ {after}", counted(*ahead, "commit"))
        }
        Some(_) if pulled.is_up_to_date() => format!("{branch} is up to date @ {after}"),
        Some(before) => format!("{branch} {}..{after} ({commits}, {files})", short(before)),
        None if *cloned => format!("{branch} cloned @ {after} ({commits}, {files})"),
        None => format!("{branch} new @ {after} ({commits}, {files})"),
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
