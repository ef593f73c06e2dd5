//! The status as text: a line for each target, one with the commit that runs, and more only where something
//! is wrong.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr as _;

use super::words::{self, Detail};
use super::{StatusView, is_removed};
use crate::cli::present::Glyphs;
use crate::cli::present::ink::Ink;
use crate::cli::present::story::{TimeStyle, ago};
use crate::cli::present::text::{cost, end};
use crate::cli::present::wrap::wrapped;
use crate::core::status::{StatusVerdict, SyncState, TargetStatus};

/// The spaces between two columns.
const GAP: usize = 2;
/// The fewest columns that a column of the table is cut to.
const NARROW: usize = 8;
/// The columns of a row besides that of the context.
const COLUMNS: [&str; 6] = ["TARGET", "RUNS", "SINCE", "GIT", "STATE", "HEALTH"];

/// Writes the table and the line that every run ends with.
pub(super) fn write(out: &mut impl Write, view: &StatusView<'_>, glyphs: Glyphs) -> io::Result<()> {
    let table: Vec<Vec<String>> = view.rows.iter().map(|row| cells(row, view, glyphs)).collect();
    let mut header: Vec<String> = COLUMNS.map(str::to_owned).to_vec();
    if view.has_several_contexts() {
        header.insert(1, "CONTEXT".to_owned());
    }
    let mut widths: Vec<usize> = header
        .iter()
        .enumerate()
        .map(|(column, title)| {
            let cells = table.iter().map(|cells| cells[column].width());
            cells.chain([title.width()]).max().unwrap_or_default()
        })
        .collect();
    if let Some(columns) = glyphs.limit() {
        narrow(&mut widths, columns);
    }
    if !table.is_empty() {
        let (bold, line) = (Ink::BOLD, line(&header, &widths, glyphs));
        writeln!(out, "{bold}{line}{bold:#}")?;
    }
    for (row, cells) in view.rows.iter().zip(&table) {
        let ink = match row.verdict() {
            StatusVerdict::Good => Ink::default(),
            StatusVerdict::NotGood => Ink::YELLOW,
            StatusVerdict::Unknown => Ink::MAGENTA,
        };
        writeln!(out, "{ink}{}{ink:#}", line(cells, &widths, glyphs))?;
        running(out, row, view, glyphs)?;
        for Detail { mark, text } in words::details(row, TimeStyle::Ago(view.now)) {
            detail(out, mark, &text, glyphs)?;
        }
        if view.has_images {
            images(out, row, glyphs)?;
        }
    }
    for context in view.contexts {
        if let Some(error) = &context.error {
            detail(out, '?', &format!("context {}: {error}", context.context), glyphs)?;
        }
    }
    writeln!(out)?;
    let mut parts = view.counts();
    if let Some(fetched) = view.fetched {
        parts.push(format!("fetched {}", ago(fetched, view.now)));
    }
    parts.extend(next_round(view));
    parts.extend(cost(view.requests, view.elapsed));
    end(out, &parts, glyphs)
}

/// When the next round of a watch on this machine is due.
fn next_round(view: &StatusView<'_>) -> Option<String> {
    let next = view.rows.iter().filter_map(|row| row.next_due).min()?;
    let seconds = next.as_second() - view.now.as_second();
    Some(match seconds {
        ..=0 => "watched, next round now".to_owned(),
        1..=119 => format!("watched, next round in {seconds} s"),
        _ => format!("watched, next round in {} min", seconds / 60),
    })
}

/// The cells of a target.
fn cells(row: &TargetStatus, view: &StatusView<'_>, glyphs: Glyphs) -> Vec<String> {
    let since = row.runs.as_ref().and_then(|runs| runs.since);
    let git = if is_removed(row) { "-".to_owned() } else { words::git(row.git.as_ref()) };
    let health = match row.state {
        SyncState::NotApplied | SyncState::Removed => "-".to_owned(),
        _ => words::health(&row.health),
    };
    let mut cells = vec![
        row.target.clone(),
        words::runs(row.runs.as_ref()),
        since.map_or_else(|| "-".to_owned(), |since| ago(since, view.now)),
        git,
        words::state(row),
        health,
    ];
    if view.has_several_contexts() {
        cells.insert(1, row.context.clone());
    }
    cells.into_iter().map(|cell| glyphs.inert(&cell).into_owned()).collect()
}

/// Takes columns from the widest until all of them fit, so that no row is broken.
fn narrow(widths: &mut [usize], columns: usize) {
    let gaps = GAP * widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > columns {
        let Some(widest) = widths.iter_mut().max().filter(|width| **width > NARROW) else { return };
        *widest -= 1;
    }
}

/// The commit that runs, and the party that applied it, below the target.
fn running(
    out: &mut impl Write,
    row: &TargetStatus,
    view: &StatusView<'_>,
    glyphs: Glyphs,
) -> io::Result<()> {
    let Some(runs) = &row.runs else { return Ok(()) };
    let subject = runs.subject.as_ref().map(|subject| format!("\"{}\"", glyphs.inert(subject)));
    let mut ends: Vec<String> = Vec::new();
    ends.extend(runs.author.as_ref().map(|author| glyphs.inert(author).into_owned()));
    ends.extend(words::rounds(row, view.now).iter().map(|text| glyphs.inert(text).into_owned()));
    let end = ends.join(glyphs.dot());
    let subject = subject.unwrap_or_default();
    let gap = if subject.is_empty() || end.is_empty() { "" } else { glyphs.dot() };
    let text = match glyphs.limit().map(|columns| columns.saturating_sub(2)) {
        None => format!("{subject}{gap}{end}"),
        Some(columns) => {
            let room = columns.saturating_sub(gap.width() + end.width()).max(2 * NARROW);
            let subject = glyphs.cut(&subject, room);
            glyphs.cut(&format!("{subject}{gap}{end}"), columns)
        }
    };
    if text.is_empty() {
        return Ok(());
    }
    let dim = Ink::DIM;
    writeln!(out, "  {dim}{text}{dim:#}")
}

fn line(cells: &[String], widths: &[usize], glyphs: Glyphs) -> String {
    let mut line = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        let cell = &glyphs.cut(cell, *width);
        line.push_str(cell);
        line.push_str(&" ".repeat(width - cell.width() + GAP));
    }
    line.trim_end().to_owned()
}

/// A line below a target.
fn detail(out: &mut impl Write, mark: char, text: &str, glyphs: Glyphs) -> io::Result<()> {
    let ink = match mark {
        '!' => Ink::RED,
        '?' => Ink::MAGENTA,
        _ => Ink::YELLOW,
    };
    let lines = text.lines().flat_map(|line| wrapped(&glyphs.inert(line), glyphs.limit(), 4, 4));
    let text = lines.map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
    let first = text.first().map(String::as_str).unwrap_or_default();
    writeln!(out, "  {ink}{mark}{ink:#} {first}")?;
    for line in text.iter().skip(1) {
        writeln!(out, "    {}", line.trim_start())?;
    }
    Ok(())
}

/// The images of a target: each container with the one that is declared and those that run.
fn images(out: &mut impl Write, row: &TargetStatus, glyphs: Glyphs) -> io::Result<()> {
    for image in &row.images {
        let mark = if image.differs() { "!" } else { "=" };
        let declared = image.declared.as_deref().unwrap_or("not declared");
        let head = format!("{} {}: {declared}", image.key, image.container);
        let head = wrapped(&glyphs.inert(&head), glyphs.limit(), 4, 4).join("\n");
        writeln!(out, "  {mark} {head}")?;
        for running in words::running(image) {
            let running = wrapped(&glyphs.inert(&running), glyphs.limit(), 6, 8).join("\n");
            writeln!(out, "      {running}")?;
        }
    }
    Ok(())
}
