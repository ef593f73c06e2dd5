//! One change as text: its line, why it is as it is, and what becomes different.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr as _;

use super::lines::{body, diff};
use crate::cli::present::hint;
use crate::cli::present::ink::Ink;
use crate::cli::present::wrap::wrapped;
use crate::cli::present::{Glyphs, PlanView, because, brief, explanation, hint_of};
use crate::core::masked_plan::{ChangeHeading, MaskedChange};
use crate::core::plan::{Action, Reason};

/// More objects than this that are kept for one reason are told in one line.
const FEW: usize = 5;

fn style(action: Action) -> Ink {
    match action {
        Action::Create => Ink::GREEN,
        Action::Update => Ink::YELLOW,
        Action::Replace => Ink::MAGENTA,
        Action::Delete => Ink::RED,
        Action::Abandon => Ink::CYAN,
        Action::Keep => Ink::DIM,
        Action::Refuse => Ink::RED.bold(),
    }
}

/// Writes one change: its line, and what becomes different.
pub(in crate::cli::present) fn change(
    out: &mut impl Write,
    change: MaskedChange<'_>,
    view: &PlanView<'_>,
    glyphs: Glyphs,
) -> io::Result<()> {
    header(out, change.heading(), glyphs)?;
    for line in brief::confidence(change) {
        note(out, &line, glyphs)?;
    }
    if let Some(reason) = change.reason() {
        self::reason(out, &reason, glyphs)?;
    }
    let delta = view.delta(change);
    for line in brief::joining(&delta) {
        note(out, &line, glyphs)?;
    }
    if delta.only_ownership {
        note(out, "only who owns which field changes", glyphs)?;
    }
    for list in &delta.reordered {
        note(out, &list.words(glyphs.arrow(), glyphs.gap()), glyphs)?;
    }
    if delta.only_masked {
        note(out, "only what is masked changes", glyphs)?;
    }
    match change.action() {
        Action::Create => {
            let green = Ink::GREEN;
            for line in delta.after_text.lines() {
                let line = format!("  + {}", body(line, glyphs));
                writeln!(out, "{green}{}{green:#}", line.trim_end())?;
            }
        }
        _ => diff(out, &delta, glyphs)?,
    }
    explanation::write(out, change, view, glyphs)
}

/// `~ apps/v1 Deployment shop/web · update · envs/prod/web.yaml:12`
pub(in crate::cli::present) fn header(
    out: &mut impl Write,
    heading: ChangeHeading<'_>,
    glyphs: Glyphs,
) -> io::Result<()> {
    let ChangeHeading { key, version, origin, action } = heading;
    let api: Vec<&str> =
        [key.group.as_str(), version].into_iter().filter(|part| !part.is_empty()).collect();
    let api = api.join("/");
    let object = format!("{api}{}{key}", if api.is_empty() { "" } else { " " });
    let (object, dot) = (glyphs.inert(&object), glyphs.dot());
    let (colour, bold, mark) = (style(action), Ink::BOLD, glyphs.mark(action));
    write!(out, "{colour}{mark}{colour:#} {bold}{object}{bold:#}{dot}{}", action.name())?;
    let Some(origin) = origin else { return writeln!(out) };
    let place = format!("{}:{}", origin.path, origin.line);
    let place = glyphs.inert(&place);
    let used = mark.width() + 1 + object.width() + dot.width() + action.name().len();
    if used + dot.width() + place.width() <= glyphs.columns() {
        writeln!(out, "{dot}{place}")
    } else {
        writeln!(out, "\n    {place}")
    }
}

/// Writes why something is refused, kept or failed, and what to do about it.
pub(in crate::cli::present) fn reason(
    out: &mut impl Write,
    reason: &Reason,
    glyphs: Glyphs,
) -> io::Result<()> {
    for line in because(reason) {
        note(out, &line, glyphs)?;
    }
    let hint = hint_of(reason).unwrap_or_default();
    hint.lines().try_for_each(|line| hint::write(out, line, glyphs))
}

/// Writes a line of a message, in as many as it needs.
fn note(out: &mut impl Write, line: &str, glyphs: Glyphs) -> io::Result<()> {
    let lines = wrapped(&glyphs.inert(line), glyphs.limit(), 4, 6);
    writeln!(out, "    {}", lines.join("\n"))
}

/// Writes the objects that are left for one reason.
pub(super) fn kept_objects(
    out: &mut impl Write,
    reason: &Reason,
    changes: &[MaskedChange<'_>],
    glyphs: Glyphs,
) -> io::Result<()> {
    if changes.len() <= FEW {
        for change in changes {
            header(out, change.heading(), glyphs)?;
            self::reason(out, reason, glyphs)?;
        }
        return Ok(());
    }
    let (action, n) = (changes[0].action(), changes.len());
    let left = match action {
        _ if reason.kind.holds_all_back() => "",
        Action::Refuse => "not deleted: ",
        _ => "kept: ",
    };
    let (colour, mark) = (style(action), glyphs.mark(action));
    let line = format!("{n} objects {left}{}", glyphs.inert(&reason.to_string()));
    let lines = wrapped(&line, glyphs.limit(), 2, 4);
    writeln!(out, "{colour}{mark}{colour:#} {}", lines.join("\n"))?;
    for change in &changes[..FEW] {
        writeln!(out, "    {}", glyphs.inert(&change.key().to_string()))?;
    }
    writeln!(out, "    and {} more", n - FEW)?;
    let hints = hint_of(reason).unwrap_or_default();
    hints.lines().try_for_each(|line| hint::write(out, line, glyphs))
}
