//! A plan as text: what changes object by object, what is left alone and why, what is wrong.
//!
//! Marks and words carry the meaning, colour only repeats it. Our own lines fit into 80 columns as
//! far as names and paths let them; nobody's text is ever cut.

use std::io::{self, Write};
use std::ops::Range;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr as _;

use super::hunks::{self, Line};
use super::{Glyphs, PlanView, emphasis, excerpt, shown, why};
use crate::object::ObjectKey;
use crate::plan::{Action, Change, Confidence, Lack, Plan, Reason};
use crate::redact::Redactor;

/// The columns that our own lines fit into.
pub(super) const WIDTH: usize = 80;
/// In more lines than this that change together nobody looks for the one that replaces another.
const RUN: usize = 100;
/// More objects than this that are kept for one reason are told in one line.
const FEW: usize = 5;

/// Writes the whole of it: what it is for, the changes, the problems, the closing line.
///
/// # Errors
///
/// When `out` does not take it.
pub fn write(out: &mut impl Write, view: &PlanView<'_>, glyphs: Glyphs) -> io::Result<()> {
    writeln!(out, "{}", header_line(view, glyphs))?;
    for change in shown(view.plan).filter(|change| !is_left(change)) {
        writeln!(out)?;
        self::change(out, change, view, glyphs)?;
    }
    left(out, view, glyphs)?;
    problems(out, view, glyphs)?;
    closing(out, view, glyphs)
}

/// Writes all but the differences, for where somebody else shows these.
pub(super) fn write_beside(
    out: &mut impl Write,
    view: &PlanView<'_>,
    glyphs: Glyphs,
) -> io::Result<()> {
    writeln!(out, "{}", header_line(view, glyphs))?;
    left_alone(out, view, glyphs)?;
    closing(out, view, glyphs)
}

fn closing(out: &mut impl Write, view: &PlanView<'_>, glyphs: Glyphs) -> io::Result<()> {
    if shown(view.plan).next().is_some() || !view.problems.is_empty() {
        writeln!(out)?;
    }
    writeln!(out, "{}", with_dots(&summary_line(view.plan, view.requests, view.elapsed), glyphs))
}

/// Writes what a plan leaves as it is: what is refused, what is kept for a reason, and what could
/// not be read.
///
/// # Errors
///
/// When `out` does not take it.
pub(super) fn left_alone(
    out: &mut impl Write,
    view: &PlanView<'_>,
    glyphs: Glyphs,
) -> io::Result<()> {
    let is_refused = |change: &&Change| change.action == Action::Refuse && !is_left(change);
    for change in shown(view.plan).filter(is_refused) {
        writeln!(out)?;
        self::change(out, change, view, glyphs)?;
    }
    left(out, view, glyphs)?;
    problems(out, view, glyphs)
}

/// Whether the object is left in the cluster for a reason of trueup's own, which many can share:
/// it is kept, or no longer declared and not deleted all the same.
pub(super) fn is_left(change: &Change) -> bool {
    let is_undeclared = change.origin.is_none();
    change.action == Action::Keep || (change.action == Action::Refuse && is_undeclared)
}

/// Writes the objects that are left for a reason, those of one reason together.
fn left(out: &mut impl Write, view: &PlanView<'_>, glyphs: Glyphs) -> io::Result<()> {
    let mut left: Vec<(&Reason, Vec<&Change>)> = Vec::new();
    for change in shown(view.plan).filter(|change| is_left(change)) {
        let Some(reason) = &change.reason else { continue };
        match left.iter_mut().find(|(other, _)| *other == reason) {
            Some((_, changes)) => changes.push(change),
            None => left.push((reason, vec![change])),
        }
    }
    for (reason, changes) in left {
        writeln!(out)?;
        lefts(out, (reason, &changes), view.redactor, glyphs)?;
    }
    Ok(())
}

/// Writes what could not be read, and what follows from it.
fn problems(out: &mut impl Write, view: &PlanView<'_>, glyphs: Glyphs) -> io::Result<()> {
    for problem in view.problems {
        writeln!(out)?;
        excerpt::write(out, problem, view.redactor, glyphs)?;
    }
    let (yellow, n) = (AnsiColor::Yellow.on_default(), view.problems.len());
    let (documents, they) = match n {
        0 => return Ok(()),
        1 => ("document", "it is"),
        _ => ("documents", "they are"),
    };
    writeln!(
        out,
        "{yellow}?{yellow:#} {n} {documents} can't be used: nothing is pruned until {they} mended"
    )
}

/// What the plan is for: target, cluster, paths and commit, and whether nothing is to be done.
pub fn header_line(view: &PlanView<'_>, glyphs: Glyphs) -> String {
    let (target, revision) = (&view.target, &view.revision);
    let mut parts = vec![target.name.to_owned()];
    match (target.cluster, target.cluster_id) {
        ("", _) => {}
        (cluster, "") => parts.push(cluster.to_owned()),
        (cluster, id) => parts.push(format!("{cluster} (cluster {id})")),
    }
    let at = match target.paths {
        [] => revision.short().to_owned(),
        paths => format!("{} @ {}", paths.join(" "), revision.short()),
    };
    parts.push(at);
    if revision.dirty {
        parts.push("with uncommitted changes".to_owned());
    }
    let in_sync = shown(view.plan).next().is_none() && view.problems.is_empty();
    if in_sync {
        parts.push("in sync".to_owned());
    }
    let mut line = filled(&parts);
    if !in_sync && !revision.summary.is_empty() {
        let summary = format!(" \"{}\"", view.redactor.text(revision.summary));
        let last = line.lines().last().unwrap_or_default();
        let fits = last.width() + summary.width() <= WIDTH;
        line.push_str(if fits { "" } else { "\n   " });
        line.push_str(&summary);
    }
    let lines: Vec<String> = line.lines().map(|line| with_dots(line, glyphs)).collect();
    lines.join("\n")
}

/// The parts with dots between them, on as many lines as they need.
pub(super) fn filled(parts: &[String]) -> String {
    let mut lines = String::new();
    let mut width = 0;
    for part in parts {
        let dotted = format!(" · {part}");
        if width == 0 {
            lines.push_str(part);
            width = part.width();
        } else if width + dotted.width() <= WIDTH {
            lines.push_str(&dotted);
            width += dotted.width();
        } else {
            lines.push_str(&format!("\n    {part}"));
            width = 4 + part.width();
        }
    }
    lines
}

/// The line that every run ends with.
///
/// `412 objects · 3 to create, 1 to update, 0 to delete · 61 requests · 0.4 s`; what is to be
/// replaced or refused is told only when there is any, and no counts when there is nothing to do.
pub fn summary_line(plan: &Plan, requests: usize, elapsed: Duration) -> String {
    let plural = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let mut parts = vec![plural(plan.changes().count(), "object")];
    if !plan.is_noop() {
        let count = |action| plan.count(action);
        let mut counts = format!(
            "{} to create, {} to update, {} to delete",
            count(Action::Create),
            count(Action::Update),
            count(Action::Delete)
        );
        for (action, words) in [(Action::Replace, "to replace"), (Action::Refuse, "refused")] {
            if count(action) > 0 {
                counts.push_str(&format!(", {} {words}", count(action)));
            }
        }
        parts.push(counts);
    }
    parts.push(cost(requests, elapsed));
    parts.join(" · ")
}

/// What a run cost: `61 requests · 0.4 s`.
pub(super) fn cost(requests: usize, elapsed: Duration) -> String {
    let plural = if requests == 1 { "" } else { "s" };
    format!("{requests} request{plural} · {}", seconds(elapsed))
}

/// `0.09 s`, `0.4 s`, `11.8 s`.
fn seconds(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64();
    if seconds < 0.095 { format!("{seconds:.2} s") } else { format!("{seconds:.1} s") }
}

/// One line of our own with the dots that the terminal can show, and nothing that harms it.
pub(super) fn with_dots(line: &str, glyphs: Glyphs) -> String {
    let parts: Vec<_> = line.split(" · ").map(|part| glyphs.inert(part)).collect();
    parts.join(glyphs.dot())
}

fn style(action: Action) -> Style {
    match action {
        Action::Create => AnsiColor::Green.on_default(),
        Action::Update => AnsiColor::Yellow.on_default(),
        Action::Replace => AnsiColor::Magenta.on_default(),
        Action::Delete => AnsiColor::Red.on_default(),
        Action::Keep => Style::new().dimmed(),
        Action::Refuse => AnsiColor::Red.on_default().bold(),
    }
}

/// Writes one change: its line, and what becomes different.
pub(super) fn change(
    out: &mut impl Write,
    change: &Change,
    view: &PlanView<'_>,
    glyphs: Glyphs,
) -> io::Result<()> {
    let redactor = view.redactor;
    header(out, change, glyphs)?;
    if let Confidence::Local(Lack::DryRun(why)) = &change.confidence {
        let why = redactor.text_about(&change.key, why);
        writeln!(out, "    as far as trueup itself can tell, since the server can't be asked:")?;
        writeln!(out, "    {}", glyphs.inert(&why))?;
    }
    if let Some(reason) = &change.reason {
        because(out, (reason, change), redactor, glyphs)?;
    }
    let delta = view.delta(change);
    if delta.joins {
        writeln!(out, "    joins the inventory")?;
    }
    if delta.only_ownership {
        writeln!(out, "    only who owns which field changes")?;
    }
    for list in &delta.reordered {
        writeln!(out, "    the order of {} changes", glyphs.inert(list))?;
    }
    if delta.only_masked {
        writeln!(out, "    only what is masked changes")?;
    }
    match change.action {
        Action::Create => {
            let green = AnsiColor::Green.on_default();
            for line in delta.after_text.lines() {
                let line = format!("  + {}", body(line, glyphs));
                writeln!(out, "{green}{}{green:#}", line.trim_end())?;
            }
        }
        _ => diff(out, &delta.before_text, &delta.after_text, glyphs)?,
    }
    why::write(out, change, view, glyphs)
}

/// `~ apps/v1 Deployment shop/web · update · envs/prod/web.yaml:12`
fn header(out: &mut impl Write, change: &Change, glyphs: Glyphs) -> io::Result<()> {
    let Change { action, key, version, origin, .. } = change;
    let api: Vec<&str> =
        [key.group.as_str(), version].into_iter().filter(|part| !part.is_empty()).collect();
    let api = api.join("/");
    let object = format!("{api}{}{key}", if api.is_empty() { "" } else { " " });
    let (object, dot) = (glyphs.inert(&object), glyphs.dot());
    let (colour, bold, mark) = (style(*action), Style::new().bold(), glyphs.mark(*action));
    write!(out, "{colour}{mark}{colour:#} {bold}{object}{bold:#}{dot}{}", action.name())?;
    let Some(origin) = origin else { return writeln!(out) };
    let place = format!("{}:{}", origin.path, origin.line);
    let place = glyphs.inert(&place);
    let used = mark.width() + 1 + object.width() + dot.width() + action.name().len();
    if used + dot.width() + place.width() <= WIDTH {
        writeln!(out, "{dot}{place}")
    } else {
        writeln!(out, "\n    {place}")
    }
}

/// Writes why something is refused or kept, and what to do about it.
fn because(
    out: &mut impl Write,
    (reason, change): (&Reason, &Change),
    redactor: &Redactor,
    glyphs: Glyphs,
) -> io::Result<()> {
    // A refusal may quote the object; every other reason is trueup's own.
    let about = (change.action == Action::Refuse).then_some(&change.key);
    self::reason(out, (about, reason), redactor, glyphs)
}

/// Writes a reason and what to do about it; one that may quote an object is about that object.
pub(super) fn reason(
    out: &mut impl Write,
    (about, reason): (Option<&ObjectKey>, &Reason),
    redactor: &Redactor,
    glyphs: Glyphs,
) -> io::Result<()> {
    let show = |text: &str| match about {
        Some(key) => redactor.text_about(key, text),
        None => redactor.text(text),
    };
    for line in super::because(reason, show) {
        writeln!(out, "    {}", glyphs.inert(&line))?;
    }
    for line in reason.hint.as_deref().map(show).unwrap_or_default().lines() {
        writeln!(out, "    do this: {}", glyphs.inert(line))?;
    }
    Ok(())
}

/// Writes the objects that are left for one reason.
fn lefts(
    out: &mut impl Write,
    (reason, changes): (&Reason, &[&Change]),
    redactor: &Redactor,
    glyphs: Glyphs,
) -> io::Result<()> {
    if changes.len() <= FEW {
        for change in changes {
            header(out, change, glyphs)?;
            because(out, (reason, change), redactor, glyphs)?;
        }
        return Ok(());
    }
    let (action, n) = (changes[0].action, changes.len());
    let why = redactor.text(&reason.message);
    let left = match action {
        _ if why.starts_with("not pruned") => "",
        Action::Refuse => "not deleted: ",
        _ => "kept: ",
    };
    let (colour, mark) = (style(action), glyphs.mark(action));
    writeln!(out, "{colour}{mark}{colour:#} {n} objects {left}{}", glyphs.inert(&why))?;
    for change in &changes[..FEW] {
        writeln!(out, "    {}", glyphs.inert(&change.key.to_string()))?;
    }
    writeln!(out, "    and {} more", n - FEW)?;
    for line in reason.hint.iter().flat_map(|hint| hint.lines()) {
        writeln!(out, "    do this: {}", glyphs.inert(&redactor.text(line)))?;
    }
    Ok(())
}

/// A line of an object. It is harmless but for tabs, which are part of some texts' layout.
pub(super) fn body(line: &str, glyphs: Glyphs) -> String {
    let parts: Vec<_> = line.split('\t').map(|part| glyphs.inert(part)).collect();
    parts.join("\t")
}

/// Writes the lines that differ, with a few equal ones around them and the keys that they stand
/// under, so that every line says where it belongs.
fn diff(out: &mut impl Write, before: &str, after: &str, glyphs: Glyphs) -> io::Result<()> {
    let (red, green) = (AnsiColor::Red.on_default(), AnsiColor::Green.on_default());
    let dim = Style::new().dimmed();
    let lines = hunks::between(before, after);
    for (at, line) in lines.iter().enumerate() {
        match *line {
            Line::Gap => writeln!(out, "    {dim}{}{dim:#}", glyphs.gap())?,
            Line::Above(text) => writeln!(out, "    {dim}{}{dim:#}", body(text, glyphs))?,
            Line::Equal(text) => {
                writeln!(out, "{}", format!("    {}", body(text, glyphs)).trim_end())?;
            }
            Line::Removed(text) => {
                let (part, _) = replaced(&lines, at).map(pair_parts).unwrap_or_default();
                changed(out, ("  - ", red), (text, part), glyphs)?;
            }
            Line::Added(text) => {
                let (_, part) = replaced(&lines, at).map(pair_parts).unwrap_or_default();
                changed(out, ("  + ", green), (text, part), glyphs)?;
            }
        }
    }
    Ok(())
}

/// Writes a line that goes or comes; the part that differs from its counterpart stands out.
fn changed(
    out: &mut impl Write,
    (mark, colour): (&str, Style),
    (text, part): (&str, Range<usize>),
    glyphs: Glyphs,
) -> io::Result<()> {
    let (start, end) = (body(&text[..part.start], glyphs), body(&text[part.end..], glyphs));
    let strong = colour.bold().underline();
    let part = body(&text[part], glyphs);
    match part.as_str() {
        "" => writeln!(out, "{colour}{mark}{start}{end}{colour:#}"),
        part => writeln!(
            out,
            "{colour}{mark}{start}{colour:#}{strong}{part}{strong:#}{colour}{end}{colour:#}"
        ),
    }
}

/// The line that goes and the line that comes in its place, where as many come as go; `at` is one
/// of the two.
fn replaced<'a>(lines: &[Line<'a>], at: usize) -> Option<(&'a str, &'a str)> {
    let is_changed = |line: &Line<'_>| matches!(line, Line::Removed(_) | Line::Added(_));
    let before = lines[..at].iter().rev().take(RUN).take_while(|line| is_changed(line)).count();
    let run = lines[at - before..].iter().take(RUN).take_while(|line| is_changed(line));
    let run: Vec<&Line<'a>> = run.collect();
    if run.len() == RUN {
        return None;
    }
    let goes = run.iter().take_while(|line| matches!(line, Line::Removed(_))).count();
    let comes = &run[goes..];
    if comes.len() != goes || comes.iter().any(|line| matches!(line, Line::Removed(_))) {
        return None;
    }
    match (run.get(before % goes)?, comes.get(before % goes)?) {
        (Line::Removed(old), Line::Added(new)) => Some((old, new)),
        _ => None,
    }
}

fn pair_parts((old, new): (&str, &str)) -> (Range<usize>, Range<usize>) {
    emphasis::parts(old, new)
}
