//! The history as one JSON document.

use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use super::answers::DEFINITIONS;
use super::words::took;
use super::{Answer, HistoryView};
use crate::cli::present::json;
use crate::core::history::{
    Cause, Deployments, Figures, ImageSpan, KnownRun, ObjectChange, RanAt, RecordedObject,
    RunOutcome, RunRecord, Spread, Summary, TargetPlace, Window,
};
use crate::core::object::ObjectKey;

/// The answer of `trueup history`.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "history"))]
pub(in crate::cli::present) struct HistoryDocument<'a> {
    #[cfg_attr(test, schemars(extend("enum" = [1])))]
    version: u32,
    /// The rounds, the newest first; absent where something else was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    runs: Option<Vec<RunDocument<'a>>>,
    /// Of `--at`: what ran then.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<AtDocument<'a>>,
    /// Of `--image`: when its versions came and went.
    #[serde(skip_serializing_if = "Option::is_none")]
    images: Option<ImagesDocument<'a>>,
    /// Of `--object`: when it changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<ObjectHistoryDocument<'a>>,
    /// Of `--stats`: DORA's figures.
    #[serde(skip_serializing_if = "Option::is_none")]
    stats: Option<StatsDocument<'a>>,
    /// Where the answer is from.
    sources: Vec<SourceDocument<'a>>,
    /// How many requests were made.
    requests: usize,
    /// Seconds.
    elapsed: f64,
}

/// A round.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "history_run"))]
pub(super) struct RunDocument<'a> {
    id: &'a str,
    target: &'a str,
    /// The context of its cluster.
    context: &'a str,
    /// Full id of the commit.
    commit: &'a str,
    /// Whether files of the work tree were read in its place.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dirty: bool,
    /// The name that led to it.
    r#ref: &'a str,
    subject: &'a str,
    author: &'a str,
    committed: Timestamp,
    cause: Cause,
    outcome: RunOutcome,
    /// How many changes were made.
    changed: usize,
    user: &'a str,
    host: &'a str,
    started: Timestamp,
    /// Of a run that was killed: when that was noticed.
    ended: Timestamp,
    /// How long it took; null of a run that was killed.
    seconds: Option<u64>,
    /// Full id of the commit that was restored, where it was rolled back.
    #[serde(skip_serializing_if = "Option::is_none")]
    restored: Option<&'a str>,
    /// Why it failed or was refused, cut where the record was not read; null where it did not.
    reason: Option<&'a str>,
    /// The whole record, where it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<&'a RunRecord>,
}

/// The commits that ran at a time.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "history_at"))]
struct AtDocument<'a> {
    time: Timestamp,
    targets: Vec<RanDocument<'a>>,
}

/// The commit that ran on a target.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "history_ran"))]
struct RanDocument<'a> {
    target: &'a str,
    context: &'a str,
    /// Full id; null where the target was removed, or that is not known.
    commit: Option<&'a str>,
    /// The round that brought it there; null where that is not known.
    by: Option<RunDocument<'a>>,
    /// The id of a later round that did not end well and may have changed some objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    mixed_by: Option<&'a str>,
}

/// The versions of an image.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "history_images"))]
struct ImagesDocument<'a> {
    name: &'a str,
    versions: Vec<VersionDocument<'a>>,
    /// How many rounds do not name all their images.
    silent: usize,
}

/// A version of an image in a container.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "history_version"))]
struct VersionDocument<'a> {
    target: &'a str,
    context: &'a str,
    object: &'a ObjectKey,
    container: &'a str,
    image: &'a str,
    /// When it came; null where that is before the history.
    from: Option<Timestamp>,
    /// The id of the round that brought it.
    #[serde(skip_serializing_if = "Option::is_none")]
    from_run: Option<&'a str>,
    /// When it went; null where it is still there.
    until: Option<Timestamp>,
    /// The id of the round that took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    until_run: Option<&'a str>,
}

/// The changes of an object.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "history_object"))]
struct ObjectHistoryDocument<'a> {
    name: &'a str,
    changes: Vec<ObjectChangeDocument<'a>>,
    /// How many rounds do not name all their objects.
    silent: usize,
}

/// A change of an object.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "history_change"))]
struct ObjectChangeDocument<'a> {
    /// The id of the round.
    run: &'a str,
    target: &'a str,
    context: &'a str,
    commit: &'a str,
    started: Timestamp,
    object: &'a RecordedObject,
}

/// DORA's figures.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "history_stats"))]
struct StatsDocument<'a> {
    from: Timestamp,
    until: Timestamp,
    targets: Vec<FiguresDocument<'a>>,
    total: FiguresDocument<'a>,
    definitions: Vec<DefinitionDocument>,
}

/// The meaning of a figure.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "history_definition"))]
struct DefinitionDocument {
    name: &'static str,
    definition: &'static str,
}

/// The figures of a target; times are seconds.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "history_figures"))]
struct FiguresDocument<'a> {
    /// Empty in the total.
    target: &'a str,
    context: &'a str,
    deployments: usize,
    per_day: f64,
    lead: SpreadDocument,
    failed: usize,
    /// Null without a deployment.
    failure_rate: Option<f64>,
    restore: SpreadDocument,
    /// Failures that are not restored yet.
    unrestored: usize,
    /// Deployments without a lead time, since the commit is dated after them.
    skewed: usize,
    /// When the oldest known round began.
    oldest: Option<Timestamp>,
}

/// How samples are spread.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "history_spread"))]
struct SpreadDocument {
    samples: usize,
    /// Null without a sample.
    median: Option<u64>,
    /// Null of fewer than ten samples.
    p90: Option<u64>,
}

/// Where the answer is from.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "history_source"))]
struct SourceDocument<'a> {
    /// The context of a cluster; null for this machine's log.
    context: Option<&'a str>,
    records: usize,
    /// Why it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

/// Writes the answer.
pub(super) fn write(out: &mut dyn Write, view: &HistoryView<'_>) -> io::Result<()> {
    writeln!(out, "{}", json::text(&document(view))?)
}

fn document<'a>(view: &'a HistoryView<'_>) -> HistoryDocument<'a> {
    let sources = view.sources.iter().map(|it| SourceDocument {
        context: it.context.as_deref(),
        records: it.records,
        error: it.error.as_deref(),
    });
    let mut document = HistoryDocument {
        version: 1,
        runs: None,
        at: None,
        images: None,
        object: None,
        stats: None,
        sources: sources.collect(),
        requests: view.requests,
        elapsed: view.elapsed.as_secs_f64(),
    };
    match &view.answer {
        Answer::Runs(runs) => document.runs = Some(runs.iter().map(|run| run_of(run)).collect()),
        Answer::At { time, ran } => {
            let targets = ran.iter().map(ran_of).collect();
            document.at = Some(AtDocument { time: *time, targets });
        }
        Answer::Images { name, spans, silent } => {
            let versions = spans.iter().map(version_of).collect();
            document.images = Some(ImagesDocument { name, versions, silent: *silent });
        }
        Answer::Object { name, changes, silent } => {
            let changes = changes.iter().map(change_of).collect();
            document.object = Some(ObjectHistoryDocument { name, changes, silent: *silent });
        }
        Answer::Stats { window, deployments } => {
            let targets = deployments.targets.iter();
            let targets = targets.map(|(place, found)| figures_of(*place, found, *window));
            let definitions =
                DEFINITIONS.map(|(name, definition)| DefinitionDocument { name, definition });
            document.stats = Some(StatsDocument {
                from: window.from,
                until: window.until,
                targets: targets.collect(),
                total: figures_of(TargetPlace::ALL, &deployments.total, *window),
                definitions: definitions.into(),
            });
        }
    }
    document
}

fn run_of(run: &KnownRun) -> RunDocument<'_> {
    let summary = &run.summary;
    let Summary { id, target, commit, named, subject, author, user, host, restored, .. } = summary;
    RunDocument {
        id,
        target,
        context: &run.context,
        commit,
        dirty: summary.dirty,
        r#ref: named,
        subject,
        author,
        committed: summary.committed,
        cause: summary.cause,
        outcome: summary.outcome,
        changed: summary.changed,
        user,
        host,
        started: summary.started,
        ended: summary.ended,
        seconds: took(summary),
        restored: restored.as_deref(),
        reason: run.reason(),
        record: run.record.as_deref(),
    }
}

fn ran_of<'a>(ran: &RanAt<'a>) -> RanDocument<'a> {
    RanDocument {
        target: ran.place.target,
        context: ran.place.context,
        commit: ran.commit,
        by: ran.by.map(run_of),
        mixed_by: ran.mixed.map(|run| run.summary.id.as_str()),
    }
}

fn version_of<'a>(span: &ImageSpan<'a>) -> VersionDocument<'a> {
    VersionDocument {
        target: span.place.target,
        context: span.place.context,
        object: span.key,
        container: span.container,
        image: span.image,
        from: span.from.map(|(at, _)| at),
        from_run: span.from.map(|(_, run)| run.summary.id.as_str()),
        until: span.until.map(|(at, _)| at),
        until_run: span.until.map(|(_, run)| run.summary.id.as_str()),
    }
}

fn change_of<'a>(change: &ObjectChange<'a>) -> ObjectChangeDocument<'a> {
    let ObjectChange { run, object } = change;
    ObjectChangeDocument {
        run: &run.summary.id,
        target: &run.summary.target,
        context: &run.context,
        commit: &run.summary.commit,
        started: run.summary.started,
        object,
    }
}

fn figures_of<'a>(
    place: TargetPlace<'a>,
    found: &Deployments,
    window: Window,
) -> FiguresDocument<'a> {
    let Figures { deployments, per_day, lead, failed, failure_rate, restore } =
        found.figures(window);
    let spread = |of: Spread| {
        let Spread { samples, median, p90 } = of;
        SpreadDocument { samples, median, p90 }
    };
    FiguresDocument {
        target: place.target,
        context: place.context,
        deployments,
        per_day,
        lead: spread(lead),
        failed,
        failure_rate,
        restore: spread(restore),
        unrestored: found.unrestored,
        skewed: found.skewed,
        oldest: found.oldest,
    }
}
