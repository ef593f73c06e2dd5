//! `--verify`: whether this machine's log is whole, by itself and beside the records of the clusters.

use std::collections::{BTreeMap, BTreeSet};

use super::sought::SoughtTarget;
use super::sources::{self, SourceOptions};
use super::{HistoryArgs, Ui};
use crate::cli::exit::{Exit, Failure};
use crate::cli::locking::who;
use crate::cli::present::history::HistoryFormat;
use crate::cli::present::history::log_check::{self as present, CheckedLog, LogFaultView};
use crate::core::history::{KnownRun, LogProblem, RunRecord};
use crate::local::history_log::FileFault;

/// Checks the log, and says what is wrong with it.
///
/// # Errors
///
/// When it can't be read, or the answer has no such form.
pub(super) async fn run(
    args: &HistoryArgs,
    targets: &[SoughtTarget],
    ui: &mut Ui,
) -> Result<Exit, Failure> {
    if !matches!(args.output, HistoryFormat::Text | HistoryFormat::Json) {
        return Err(anyhow::anyhow!("--verify goes with -o text and -o json alone").into());
    }
    let log = sources::log().ok_or_else(|| anyhow::anyhow!("this user has no home folder"))?;
    let unread = |error| anyhow::Error::new(error).context("cannot read this machine's log");
    let check = log.verify().map_err(unread)?;
    let records = log.records().map_err(unread)?;
    let mut faults: Vec<LogFaultView> = check.faults.into_iter().map(fault).collect();
    let mut checked = CheckedLog {
        folder: log.folder().display().to_string(),
        lines: check.lines,
        dropped: check.dropped,
        compared: None,
        faults: Vec::new(),
    };
    if !args.local && !targets.is_empty() {
        let options =
            SourceOptions { targets, access: Some(&args.access), whole: true, takes: &|_| false };
        let known = sources::read(options, ui).await;
        match known.failure {
            Some(failure) => {
                let error = failure.error;
                ui.warning(&format!("not compared with the cluster's records: {error:#}"));
            }
            None => {
                // Records that the log dropped for their age are not missing.
                let kept = records.iter().map(|record| record.id.as_str()).min();
                let from = kept.filter(|_| check.dropped > 0).unwrap_or_default();
                let (compared, found) = beside(&known.runs, &records, from);
                checked.compared = Some(compared);
                faults.extend(found);
            }
        }
    }
    let is_whole = faults.is_empty();
    checked.faults = faults;
    let glyphs = ui.glyphs();
    match args.output {
        HistoryFormat::Json => present::json(ui.stdout(), &checked)?,
        _ => present::text(ui.stdout(), &checked, glyphs)?,
    }
    Ok(if is_whole { Exit::AtCommit } else { Exit::NotAtCommit })
}

/// A fault of the log by itself, in words.
fn fault(FileFault { file, line, problem }: FileFault) -> LogFaultView {
    let (code, message) = match problem {
        LogProblem::Unreadable => {
            ("unreadable", "not a record; it was cut off or overwritten".into())
        }
        LogProblem::Missing(1) => ("missing", "the line before it is missing".into()),
        LogProblem::Missing(count) => ("missing", format!("{count} lines before it are missing")),
        LogProblem::Altered => {
            ("altered", "the line before it was altered since this one was written".into())
        }
        LogProblem::Ends => ("ends", "lines that were written here are missing".into()),
    };
    let place = Some((file.display().to_string(), line));
    LogFaultView { place, run: None, code, message }
}

/// Holds the clusters' records of this machine against its log: how many, and what is wrong. A record is of
/// this machine where its host and its login are those of this process, whatever is left of the log. Those
/// that the log has count as well, as a machine may have had another name. The log goes back to the id
/// `from`.
fn beside(runs: &[KnownRun], records: &[RunRecord], from: &str) -> (usize, Vec<LogFaultView>) {
    let me = who();
    let logged = records.iter().map(|it| (&*it.by.host, &*it.by.login));
    let own: BTreeSet<(&str, &str)> = logged.chain([(&*me.host, &*me.user)]).collect();
    let logged: BTreeMap<&str, &RunRecord> =
        records.iter().map(|record| (&*record.id, record)).collect();
    let (mut compared, mut faults) = (0, Vec::new());
    for run in runs {
        let Some(record) = &run.record else { continue };
        let is_own = own.contains(&(&*record.by.host, &*record.by.login));
        let found = logged.get(&*record.id);
        if (!is_own || *record.id < *from) && found.is_none() {
            continue;
        }
        compared += 1;
        let (code, message) = match found {
            None => ("not-logged", "the cluster has it from this machine; the log does not"),
            // The target's name is the one of today.
            Some(logged)
                if RunRecord { target: run.summary.target.clone(), ..(*logged).clone() }
                    == **record =>
            {
                continue;
            }
            Some(_) => ("differs", "the cluster's record and the log's differ"),
        };
        let message = message.to_owned();
        faults.push(LogFaultView { place: None, run: Some(record.id.clone()), code, message });
    }
    (compared, faults)
}
