//! Answers as data, one row a fact, for CSV: full ids, and times as RFC 3339 has them.

use jiff::Timestamp;

use super::table::Table;
use super::words::took;
use super::{Answer, HistoryView};
use crate::core::history::{
    Deployments, Figures, ImageSpan, KnownRun, ObjectChange, RanAt, Summary, TargetPlace, Window,
};

/// The answer as data.
pub(super) fn table(view: &HistoryView<'_>) -> Table {
    match &view.answer {
        Answer::Runs(runs) => {
            let mut table = Table::new(&[
                "id",
                "target",
                "context",
                "commit",
                "ref",
                "subject",
                "author",
                "committed",
                "cause",
                "outcome",
                "changed",
                "user",
                "host",
                "started",
                "ended",
                "seconds",
                "restored",
                "reason",
                "dirty",
            ]);
            table.rows = runs.iter().map(|run| run_row(run)).collect();
            table
        }
        Answer::At { ran, .. } => {
            let mut table = Table::new(&[
                "target", "context", "commit", "since", "outcome", "user", "host", "mixed_by",
            ]);
            table.rows = ran.iter().map(ran_row).collect();
            table
        }
        Answer::Images { spans, .. } => {
            let mut table = Table::new(&[
                "target",
                "context",
                "group",
                "kind",
                "namespace",
                "name",
                "container",
                "image",
                "from",
                "from_commit",
                "until",
                "until_commit",
            ]);
            table.rows = spans.iter().map(image_row).collect();
            table
        }
        Answer::Object { changes, .. } => {
            let mut table = Table::new(&[
                "id",
                "target",
                "context",
                "started",
                "commit",
                "subject",
                "user",
                "group",
                "kind",
                "namespace",
                "name",
                "action",
                "result",
                "origin",
                "outcome",
            ]);
            table.rows = changes.iter().map(object_row).collect();
            table
        }
        Answer::Stats { window, deployments } => {
            let mut table = Table::new(&[
                "target",
                "context",
                "from",
                "until",
                "deployments",
                "per_day",
                "lead_samples",
                "lead_median",
                "lead_p90",
                "failed",
                "failure_rate",
                "restore_samples",
                "restore_median",
                "restore_p90",
                "unrestored",
                "skewed",
                "oldest",
            ]);
            let targets = deployments.targets.iter();
            let total = (TargetPlace::ALL, &deployments.total);
            let targets = targets.map(|(place, found)| (*place, found));
            table.rows = targets
                .chain([total])
                .map(|(place, found)| stats_row(place, found, *window))
                .collect();
            table
        }
    }
}

fn run_row(run: &KnownRun) -> Vec<String> {
    let Summary { id, target, commit, named, subject, author, committed, .. } = &run.summary;
    let Summary { cause, outcome, changed, user, host, started, ended, restored, .. } =
        &run.summary;
    vec![
        id.clone(),
        target.clone(),
        run.context.clone(),
        commit.clone(),
        named.clone(),
        subject.clone(),
        author.clone(),
        committed.to_string(),
        cause.code().to_owned(),
        outcome.code().to_owned(),
        changed.to_string(),
        user.clone(),
        host.clone(),
        started.to_string(),
        ended.to_string(),
        took(&run.summary).map(|it| it.to_string()).unwrap_or_default(),
        restored.clone().unwrap_or_default(),
        run.reason().unwrap_or_default().to_owned(),
        run.summary.dirty.to_string(),
    ]
}

fn ran_row(ran: &RanAt<'_>) -> Vec<String> {
    let by = ran.by.map(|by| &by.summary);
    let of = |text: fn(&Summary) -> String| by.map(text).unwrap_or_default();
    vec![
        ran.place.target.to_owned(),
        ran.place.context.to_owned(),
        ran.commit.unwrap_or_default().to_owned(),
        of(|it| it.ended.to_string()),
        of(|it| it.outcome.code().to_owned()),
        of(|it| it.user.clone()),
        of(|it| it.host.clone()),
        ran.mixed.map(|it| it.summary.id.clone()).unwrap_or_default(),
    ]
}

fn image_row(span: &ImageSpan<'_>) -> Vec<String> {
    let at = |end: Option<(Timestamp, &KnownRun)>| {
        end.map_or_else(Default::default, |(at, run)| [at.to_string(), run.summary.commit.clone()])
    };
    let [from, from_commit] = at(span.from);
    let [until, until_commit] = at(span.until);
    vec![
        span.place.target.to_owned(),
        span.place.context.to_owned(),
        span.key.group.clone(),
        span.key.kind.clone(),
        span.key.namespace.clone().unwrap_or_default(),
        span.key.name.clone(),
        span.container.to_owned(),
        span.image.to_owned(),
        from,
        from_commit,
        until,
        until_commit,
    ]
}

fn object_row(change: &ObjectChange<'_>) -> Vec<String> {
    let ObjectChange { run, object } = change;
    let summary = &run.summary;
    vec![
        summary.id.clone(),
        summary.target.clone(),
        run.context.clone(),
        summary.started.to_string(),
        summary.commit.clone(),
        summary.subject.clone(),
        summary.user.clone(),
        object.key.group.clone(),
        object.key.kind.clone(),
        object.key.namespace.clone().unwrap_or_default(),
        object.key.name.clone(),
        object.action.name().to_owned(),
        object.outcome.clone(),
        object.origin.clone().unwrap_or_default(),
        summary.outcome.code().to_owned(),
    ]
}

fn stats_row(place: TargetPlace<'_>, found: &Deployments, window: Window) -> Vec<String> {
    let Figures { deployments, per_day, lead, failed, failure_rate, restore } =
        found.figures(window);
    let number = |value: Option<u64>| value.map(|it| it.to_string()).unwrap_or_default();
    vec![
        place.target.to_owned(),
        place.context.to_owned(),
        window.from.to_string(),
        window.until.to_string(),
        deployments.to_string(),
        format!("{per_day:.4}"),
        lead.samples.to_string(),
        number(lead.median),
        number(lead.p90),
        failed.to_string(),
        failure_rate.map(|rate| format!("{rate:.4}")).unwrap_or_default(),
        restore.samples.to_string(),
        number(restore.median),
        number(restore.p90),
        found.unrestored.to_string(),
        found.skewed.to_string(),
        found.oldest.map(|it| it.to_string()).unwrap_or_default(),
    ]
}
