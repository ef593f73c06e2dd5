//! Answers as tables: for people, with a title and notes, and as data, one row a fact, for CSV.

use jiff::Timestamp;

use super::table::Table;
use super::words::{ending, mark, span, time, took_words};
use super::{Answer, HistoryView};
use crate::cli::present::Glyphs;
use crate::cli::present::markdown::escape::words as escaped;
use crate::core::history::{
    Deployments, Figures, ImageSpan, KnownRun, ObjectChange, P90_NEEDS, RanAt, Spread, TargetPlace,
    Window, image_version,
};
use crate::core::source::snapshot::short;

/// A table with what is said about it.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) title: Option<String>,
    pub(super) table: Table,
    pub(super) notes: Vec<String>,
}

/// The definitions of the figures, as they are printed.
pub(in crate::cli) const DEFINITIONS: [(&str, &str); 4] = [
    (
        "deployments",
        "commits that were made true or failed in the cluster; successive rounds of one commit are one \
         deployment; drift, refusals and interrupted rounds are not counted",
    ),
    (
        "lead time",
        "from the commit's time to the end of the first round that got it healthy, or applied where \
         health is not waited for",
    ),
    ("failed", "deployments with a round that failed, got not healthy, or was rolled back"),
    (
        "restore",
        "from the begin of a failed round to the end of the next that left the target healthy, or of \
         the rollback",
    ),
];

/// A target's name, with its context where that is to be told.
pub(super) fn name(place: TargetPlace<'_>, names_context: bool) -> String {
    match names_context {
        true => format!("{}@{}", place.target, place.context),
        false => place.target.to_owned(),
    }
}

/// The answer in Markdown.
pub(super) fn markdown(view: &HistoryView<'_>) -> String {
    let glyphs = Glyphs { utf8: true, width: None };
    let mut text = String::new();
    for Section { title, table, notes } in sections(view, glyphs) {
        text.extend(title.map(|title| format!("**{}**\n\n", escaped(&title))));
        if !table.rows.is_empty() {
            text.push_str(&table.markdown());
            text.push('\n');
        }
        for note in notes {
            text.push_str(&format!("{}\n\n", escaped(&note)));
        }
    }
    text
}

/// The answer for people.
pub(super) fn sections(view: &HistoryView<'_>, glyphs: Glyphs) -> Vec<Section> {
    match &view.answer {
        Answer::Runs(runs) => vec![runs_section(runs, view, glyphs)],
        Answer::At { time: at, .. } => vec![Section {
            title: Some(time(*at, &view.zone)),
            table: at_table(view),
            notes: Vec::new(),
        }],
        Answer::Images { name, spans, silent } => images(name, spans, *silent, view),
        Answer::Object { name, changes, silent } => vec![object(name, changes, *silent, view)],
        Answer::Stats { window, .. } => vec![stats(*window, view)],
    }
}

fn runs_section(runs: &[&KnownRun], view: &HistoryView<'_>, glyphs: Glyphs) -> Section {
    let header = ["", "began", "target", "commit", "subject", "by", "took", "end"];
    let mut table = Table::new(&header);
    for run in runs {
        let summary = &run.summary;
        table.rows.push(vec![
            mark(summary.outcome, glyphs).0.to_owned(),
            time(summary.started, &view.zone),
            name(run.place(), view.names_context),
            summary.short(),
            summary.subject.clone(),
            summary.who().to_owned(),
            took_words(summary),
            ending(run).unwrap_or_else(|| "healthy".to_owned()),
        ]);
    }
    let notes = if runs.is_empty() { vec!["no rounds".to_owned()] } else { Vec::new() };
    Section { title: None, table, notes }
}

/// The commit that ran, as people read it.
pub(super) fn ran_commit(ran: &RanAt<'_>) -> String {
    let by = ran.by.filter(|by| ran.commit == Some(by.summary.commit.as_str()));
    let commit = || ran.commit.map(|commit| short(commit).to_owned());
    by.map(|by| by.summary.short()).or_else(commit).unwrap_or_default()
}

fn at_table(view: &HistoryView<'_>) -> Table {
    let Answer::At { ran, .. } = &view.answer else { return Table::default() };
    let mut table = Table::new(&["target", "commit", "since", "by", "note"]);
    for ran in ran {
        let summary = ran.by.map(|by| &by.summary);
        let note = match (ran.by, ran.commit, ran.mixed) {
            (_, _, Some(mixed)) => {
                format!("{} may have changed some objects later", mixed.summary.short())
            }
            (None, _, _) => "not known".to_owned(),
            (Some(_), None, _) => "removed".to_owned(),
            (Some(by), _, _) => ending(by).unwrap_or_default(),
        };
        table.rows.push(vec![
            name(ran.place, view.names_context),
            ran_commit(ran),
            summary.map(|it| time(it.ended, &view.zone)).unwrap_or_default(),
            summary.map(|it| it.who().to_owned()).unwrap_or_default(),
            note,
        ]);
    }
    table
}

/// A section for each container, with the versions of its image.
fn images(
    asked: &str,
    spans: &[ImageSpan<'_>],
    silent: usize,
    view: &HistoryView<'_>,
) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut order: Vec<&ImageSpan<'_>> = spans.iter().collect();
    let title_of = |span: &ImageSpan<'_>| {
        let (image, _) = image_version(span.image);
        format!("{image} in {}, container {}", span.key, span.container)
    };
    // The sort is stable, so that the versions stay in their order.
    order.sort_by_cached_key(|span| title_of(span));
    for span in order {
        let title = title_of(span);
        if sections.last().and_then(|it| it.title.as_ref()) != Some(&title) {
            let table = Table::new(&["from", "to", "target", "commit", "version"]);
            sections.push(Section { title: Some(title), table, notes: Vec::new() });
        }
        let Some(section) = sections.last_mut() else { continue };
        let at = |end: Option<(Timestamp, &KnownRun)>, else_: &str| {
            end.map_or_else(|| else_.to_owned(), |(at, _)| time(at, &view.zone))
        };
        let commit = span.from.map(|(_, run)| run.summary.short());
        section.table.rows.push(vec![
            at(span.from, "earlier"),
            at(span.until, "now"),
            if view.names_target { name(span.place, view.names_context) } else { String::new() },
            commit.unwrap_or_default(),
            image_version(span.image).1.to_owned(),
        ]);
    }
    let mut notes = Vec::new();
    if spans.is_empty() {
        notes.push(format!("no round changed an image {asked}"));
    }
    notes.extend(silence(silent, "images"));
    sections.extend((!notes.is_empty()).then(|| Section {
        title: None,
        table: Table::default(),
        notes,
    }));
    sections
}

fn object(
    asked: &str,
    changes: &[ObjectChange<'_>],
    silent: usize,
    view: &HistoryView<'_>,
) -> Section {
    let mut table = Table::new(&["when", "target", "commit", "action", "result", "origin"]);
    let names_namespace = changes.windows(2).any(|pair| pair[0].object.key != pair[1].object.key);
    for ObjectChange { run, object } in changes {
        let result = match names_namespace {
            true => format!("{} ({})", object.outcome, object.key),
            false => object.outcome.clone(),
        };
        table.rows.push(vec![
            time(run.summary.started, &view.zone),
            if view.names_target { name(run.place(), view.names_context) } else { String::new() },
            run.summary.short(),
            object.action.name().to_owned(),
            result,
            object.origin.clone().unwrap_or_default(),
        ]);
    }
    let mut notes = Vec::new();
    if changes.is_empty() {
        notes.push(format!("no round changed {asked}"));
    }
    notes.extend(silence(silent, "objects"));
    Section { title: Some(asked.to_owned()), table, notes }
}

/// A note that the answer may lack something.
fn silence(silent: usize, what: &str) -> Option<String> {
    (silent > 0).then(|| format!("{silent} more rounds do not name all their {what}"))
}

fn stats(window: Window, view: &HistoryView<'_>) -> Section {
    let Answer::Stats { deployments, .. } = &view.answer else {
        return Section { title: None, table: Table::default(), notes: Vec::new() };
    };
    let header = ["target", "deployments", "lead time", "p90", "failed", "restore", "p90"];
    let mut table = Table::new(&header);
    let mut notes = Vec::new();
    let targets = deployments.targets.iter();
    let targets = targets.map(|(place, found)| (name(*place, view.names_context), found));
    let total = (deployments.targets.len() != 1).then(|| ("all".to_owned(), &deployments.total));
    for (name, found) in targets.chain(total) {
        table.rows.push(figures_row(name, found, window));
    }
    let total = &deployments.total;
    if let Some(oldest) = total.oldest.filter(|oldest| *oldest > window.from) {
        notes.push(format!("the history begins {}.", time(oldest, &view.zone)));
    }
    if total.unrestored > 0 {
        notes.push(format!("{} failed and not healthy since.", total.unrestored));
    }
    if total.skewed > 0 {
        notes.push(format!(
            "{} without a lead time: the commit is dated after it was deployed.",
            total.skewed
        ));
    }
    notes.push(format!(
        "lead time and restore are medians, of how many in brackets; a 90th percentile needs {P90_NEEDS}."
    ));
    notes.extend(DEFINITIONS.map(|(name, definition)| format!("{name}: {definition}.")));
    let days = format!("{:.1}", window.days());
    let seconds = window.until.as_second().saturating_sub(window.from.as_second());
    let seconds = u64::try_from(seconds).unwrap_or_default();
    let length = match days.trim_end_matches(".0") {
        _ if window.days() < 1.0 => span(seconds),
        "1" => "1 day".to_owned(),
        days => format!("{days} days"),
    };
    let (from, until) = (time(window.from, &view.zone), time(window.until, &view.zone));
    let title = format!("{from} to {until} ({length})");
    Section { title: Some(title), table, notes }
}

fn figures_row(name: String, found: &Deployments, window: Window) -> Vec<String> {
    let Figures { deployments, per_day, lead, failed, failure_rate, restore } =
        found.figures(window);
    let median = |of: Spread| of.median.map(|it| format!("{} ({})", span(it), of.samples));
    let dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let rate = failure_rate.map(|rate| format!("{failed} ({:.0}%)", rate * 100.0));
    let often = match per_day {
        0.0 => "0".to_owned(),
        // A rate of a day that was not looked at would be a guess.
        _ if window.days() < 1.0 => deployments.to_string(),
        often if often >= 0.95 => format!("{deployments} ({often:.1} a day)"),
        often => format!("{deployments} ({:.1} a week)", often * 7.0),
    };
    vec![
        name,
        often,
        dash(median(lead)),
        dash(lead.p90.map(span)),
        dash(rate),
        dash(median(restore)),
        dash(restore.p90.map(span)),
    ]
}
