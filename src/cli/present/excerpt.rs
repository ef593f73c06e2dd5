//! A problem as text: where and what, the line itself with a caret under the place, and what to do.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr as _;

use super::Glyphs;
use super::hint;
use super::ink::Ink;
use super::wrap::wrapped;
use crate::core::redact::MaskedProblem;

/// Writes one problem.
pub(super) fn write(
    out: &mut impl Write,
    problem: &MaskedProblem,
    glyphs: Glyphs,
) -> io::Result<()> {
    let place = problem.place();
    let (red, dim) = (Ink::RED.bold(), Ink::DIM);
    let inert = |text: &str| glyphs.inert(text).into_owned();
    let mut lines = problem.message().trim_end().lines();
    let first = inert(lines.next().unwrap_or_default());
    let first = format!("{}: {first}", inert(&place.to_string()));
    let first = wrapped(&first, glyphs.limit(), 2, 4);
    writeln!(out, "{red}!{red:#} {}", first.join("\n"))?;
    for line in lines {
        writeln!(out, "    {}", wrapped(&inert(line), glyphs.limit(), 4, 6).join("\n"))?;
    }
    let mut hint = problem.hint();
    if let Some(excerpt) = problem.excerpt() {
        writeln!(out, "{dim}{:>7} |{dim:#} {}", place.line, inert(excerpt))?;
        if problem.is_column_of_excerpt() {
            let before: String = excerpt.chars().take(place.column - 1).collect();
            let pad = " ".repeat(inert(&before).width());
            let room = glyphs.columns().saturating_sub(8 + 2 + pad.len() + 2);
            let beside = hint.take_if(|hint| !hint.contains('\n') && hint.width() <= room);
            let beside = beside.map(|hint| format!(" {}", inert(hint))).unwrap_or_default();
            writeln!(out, "{dim}{:>7} |{dim:#} {pad}{red}^{red:#}{beside}", "")?;
        }
    }
    hint.iter().flat_map(|hint| hint.lines()).try_for_each(|line| hint::write(out, line, glyphs))
}
