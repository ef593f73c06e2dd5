//! `KUBECTL_EXTERNAL_DIFF`: the diff shown by a program of the user's own, as kubectl does it
//! (kubernetes/kubectl, `pkg/cmd/diff/diff.go`).
//!
//! The program gets two folders, `LIVE-…` and `MERGED-…`, with a file for each object that would
//! change; what is in them has been through the redactor. Other than kubectl's, its arguments may
//! hold anything and stand before the folders.

mod files;
mod words;

use std::ffi::OsString;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use anyhow::{Context as _, anyhow};
use tokio::process::Command;

use super::exit::Failure;
use super::present::PlanView;
use super::signals;
use crate::local::search;
use files::Files;

/// The variable that names the program.
const VARIABLE: &str = "KUBECTL_EXTERNAL_DIFF";

/// A program that shows differences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The program, and what it gets before the two folders.
    words: Vec<String>,
}

impl Program {
    /// The one that the environment names, if any.
    ///
    /// # Errors
    ///
    /// When a quote in the variable is not ended, or the variable is not text.
    #[allow(clippy::disallowed_methods, reason = "a convention of kubectl, not a setting of ours")]
    pub fn from_environment() -> Result<Option<Self>, Failure> {
        match std::env::var_os(VARIABLE) {
            Some(command) => Ok(Self::parse(command)?),
            None => Ok(None),
        }
    }

    fn parse(command: OsString) -> Result<Option<Self>, anyhow::Error> {
        let command = command.into_string().map_err(|_| anyhow!("{VARIABLE} is not UTF-8"))?;
        let words = words::split(&command)
            .ok_or_else(|| anyhow!("{VARIABLE} has an unterminated quote: {command}"))?;
        Ok((!words.is_empty()).then_some(Self { words }))
    }

    /// Shows what would change; `None` when a signal ended it. The folders are gone afterwards.
    ///
    /// # Errors
    ///
    /// When the files can't be written, or the program can't be run or fails: its status is neither
    /// 0 nor 1.
    pub async fn show(&self, view: &PlanView<'_>) -> Result<Option<()>, Failure> {
        // Heard from here on, so that no signal ends the process while there are files.
        let stop = signals::next()?;
        let files =
            Files::write(view).with_context(|| format!("cannot write the files for {VARIABLE}"))?;
        if files.is_empty() {
            return Ok(Some(()));
        }
        let shown = tokio::select! {
            status = self.run(files.live(), files.merged()) => Some(status?),
            () = stop => None,
        };
        let Some(status) = shown else { return Ok(None) };
        match status.code() {
            Some(0 | 1) => Ok(Some(())),
            _ => Err(Failure {
                error: anyhow!("{} of {VARIABLE} failed: {status}", self.words[0]),
                hints: vec!["it must exit with status 0 or 1, as diff does".to_owned()],
            }),
        }
    }

    async fn run(&self, live: &Path, merged: &Path) -> Result<ExitStatus, Failure> {
        let (program, args) = self.words.split_first().ok_or_else(|| anyhow!("no program"))?;
        let mut command = Command::new(program);
        command.args(args).arg(live).arg(merged).stdin(Stdio::inherit()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| {
            let skipped = search::find(program, &super::search_path::path()).note(program);
            let unset = format!("unset {VARIABLE} for trueup's own diff");
            Failure {
                error: anyhow::Error::from(error)
                    .context(format!("cannot run {program} of {VARIABLE}")),
                hints: skipped.into_iter().chain([unset]).collect(),
            }
        })?;
        Ok(child.wait().await?)
    }
}
