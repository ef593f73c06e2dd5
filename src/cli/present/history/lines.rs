//! Answers as text. A round is a line, and one more where there is something to say of its end.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr as _;

use super::words::{ending, mark, time, took_words};
use super::{Answer, Below, HistoryView, answers};
use crate::cli::present::Glyphs;
use crate::cli::present::ink::Ink;
use crate::cli::present::wrap::wrapped;
use crate::core::history::{KnownRun, RanAt};

/// The most columns of a target's name.
const TARGET: usize = 20;
/// The most columns of a user's name.
const USER: usize = 20;

/// Writes an answer.
pub(super) fn write(
    out: &mut dyn Write,
    view: &HistoryView<'_>,
    glyphs: Glyphs,
    below: &mut Below<'_>,
) -> io::Result<()> {
    match &view.answer {
        Answer::Runs(runs) => {
            let columns = LineColumns::of(runs, view);
            for run in runs {
                columns.write(out, run, glyphs)?;
                below(out, run, glyphs)?;
            }
        }
        Answer::At { time: at, ran } => {
            writeln!(out, "{}", time(*at, &view.zone))?;
            for ran in ran {
                ran_at(out, ran, view, glyphs)?;
            }
        }
        Answer::Images { .. } | Answer::Object { .. } | Answer::Stats { .. } => {
            for section in answers::sections(view, glyphs) {
                if let Some(title) = &section.title {
                    let title = wrapped(&glyphs.inert(title), glyphs.limit(), 0, 4);
                    let bold = Ink::BOLD;
                    writeln!(out, "{bold}{}{bold:#}", title.join("\n"))?;
                }
                if !section.table.rows.is_empty() {
                    let indent = if section.title.is_some() { 2 } else { 0 };
                    for line in section.table.text(indent, glyphs) {
                        writeln!(out, "{line}")?;
                    }
                }
                for note in &section.notes {
                    writeln!(
                        out,
                        "{}",
                        wrapped(&glyphs.inert(note), glyphs.limit(), 0, 2).join("\n")
                    )?;
                }
            }
        }
    }
    Ok(())
}

/// The columns of the rounds' lines.
struct LineColumns<'a> {
    view: &'a HistoryView<'a>,
    /// The width of the names; `None` where they are not shown.
    target: Option<usize>,
}

impl<'a> LineColumns<'a> {
    fn of(runs: &[&KnownRun], view: &'a HistoryView<'a>) -> Self {
        let width = |run: &&KnownRun| name(run, view).width();
        let widest = runs.iter().map(width).max().unwrap_or_default().min(TARGET);
        Self { view, target: view.names_target.then_some(widest) }
    }

    /// `✓ 2026-10-03 14:02 prod 8be01d3 Third replica for web · 12 s · ann`
    fn write(&self, out: &mut dyn Write, run: &KnownRun, glyphs: Glyphs) -> io::Result<()> {
        let summary = &run.summary;
        let (mark, style) = mark(summary.outcome, glyphs);
        let at = time(summary.started, &self.view.zone);
        let target = self.target.map(|width| {
            let name = glyphs.cut(&glyphs.inert(&name(run, self.view)), width.max(4));
            format!("{name}{} ", " ".repeat(width.saturating_sub(name.width())))
        });
        let target = target.unwrap_or_default();
        let commit = glyphs.inert(&summary.short()).into_owned();
        let by = glyphs.cut(&glyphs.inert(summary.who()), USER);
        let mut end = format!("{}{}", glyphs.dot(), took_words(summary));
        if !by.is_empty() {
            end.push_str(glyphs.dot());
            end.push_str(&by);
        }
        let used = mark.width() + at.width() + target.width() + commit.width() + end.width() + 3;
        let subject = glyphs.inert(&summary.subject);
        let subject = match glyphs.limit() {
            Some(columns) => glyphs.cut(&subject, columns.saturating_sub(used).max(8)),
            None => subject.into_owned(),
        };
        let yellow = Ink::YELLOW;
        let (dim, bold) = (Ink::DIM, Ink::BOLD);
        writeln!(
            out,
            "{style}{mark}{style:#} {at} {bold}{target}{bold:#}{yellow}{commit}{yellow:#} \
             {subject}{dim}{end}{dim:#}"
        )?;
        let Some(ending) = ending(run) else { return Ok(()) };
        let lines = wrapped(&glyphs.inert(&ending), glyphs.limit(), 4, 6);
        writeln!(out, "    {}", lines.join("\n"))
    }
}

/// The target's name, with its context where there are several.
fn name(run: &KnownRun, view: &HistoryView<'_>) -> String {
    answers::name(run.place(), view.names_context)
}

/// `prod  8be01d3 Third replica for web · since 2026-10-03 10:14 · ann`, and the command that shows it.
fn ran_at(
    out: &mut dyn Write,
    ran: &RanAt<'_>,
    view: &HistoryView<'_>,
    glyphs: Glyphs,
) -> io::Result<()> {
    let bold = Ink::BOLD;
    let name = answers::name(ran.place, view.names_context);
    write!(out, "{bold}{}{bold:#} ", glyphs.inert(&name))?;
    let dot = glyphs.dot();
    match (ran.by, ran.commit) {
        (None, _) => writeln!(out, "not known: the history has no round that ended well by then")?,
        (Some(by), None) => {
            writeln!(out, "nothing: removed {}", time(by.summary.ended, &view.zone))?
        }
        (Some(by), Some(commit)) => {
            let summary = &by.summary;
            let end = format!("{dot}since {}", time(summary.ended, &view.zone));
            let by_whom = format!("{dot}{}", glyphs.cut(&glyphs.inert(summary.who()), USER));
            let is_its = summary.commit == *commit;
            let is_dirty = is_its && summary.dirty;
            let commit = glyphs.inert(&answers::ran_commit(ran)).into_owned();
            let subject = match is_its {
                true => glyphs.inert(&summary.subject).into_owned(),
                false => format!("restored after {} failed", glyphs.inert(&summary.short())),
            };
            let used = name.width() + 2 + commit.width() + end.width() + by_whom.width();
            let subject = match glyphs.limit() {
                Some(columns) => glyphs.cut(&subject, columns.saturating_sub(used).max(8)),
                None => subject,
            };
            writeln!(out, "{commit} {subject}{end}{by_whom}")?;
            if let Some(ending) = ending(by) {
                let lines = wrapped(&glyphs.inert(&ending), glyphs.limit(), 4, 6);
                writeln!(out, "    {}", lines.join("\n"))?;
            }
            match is_dirty {
                true => {
                    writeln!(out, "    with changes that were in no commit: git can't show them")?
                }
                false => writeln!(out, "    git show {commit}")?,
            }
        }
    }
    let Some(mixed) = ran.mixed else { return Ok(()) };
    let (mark, style) = mark(mixed.summary.outcome, glyphs);
    let at = time(mixed.summary.ended, &view.zone);
    let what = ending(mixed).unwrap_or_default();
    let line =
        format!("{} at {at}: {what}; it may have changed some objects", mixed.summary.short());
    let lines = wrapped(&glyphs.inert(&line), glyphs.limit(), 6, 6);
    writeln!(out, "    {style}{mark}{style:#} {}", lines.join("\n"))
}
