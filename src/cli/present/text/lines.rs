//! The lines in which an object differs, as text: marked, coloured, and with the part that differs
//! standing out.

use std::io::{self, Write};
use std::ops::Range;

use crate::cli::present::hunks::{self, Line};
use crate::cli::present::ink::Ink;
use crate::cli::present::{Glyphs, emphasis};
use crate::core::diff::Delta;

/// In more lines than this that change together, pairs of lines are of no use.
const RUN: usize = 100;

/// A line of an object. It is harmless but for tabs, which are part of some texts' layout.
pub(in crate::cli::present) fn body(line: &str, glyphs: Glyphs) -> String {
    let parts: Vec<_> = line.split('\t').map(|part| glyphs.inert(part)).collect();
    parts.join("\t")
}

/// Writes the lines that differ, with a few equal ones around them and the keys that they stand
/// under, so that every line says where it belongs.
pub(super) fn diff(out: &mut impl Write, delta: &Delta, glyphs: Glyphs) -> io::Result<()> {
    let (red, green) = (Ink::RED, Ink::GREEN);
    let dim = Ink::DIM;
    let lines = hunks::of(delta);
    for (at, line) in lines.iter().enumerate() {
        match *line {
            Line::Gap => writeln!(out, "    {dim}{}{dim:#}", glyphs.gap())?,
            Line::Above(text) => writeln!(out, "    {dim}{}{dim:#}", body(text, glyphs))?,
            Line::Equal(text) => {
                writeln!(out, "{}", format!("    {}", body(text, glyphs)).trim_end())?;
            }
            Line::Removed(text) => {
                let (part, _) = replaced(&lines, at)
                    .map(|(old, new)| emphasis::parts(old, new))
                    .unwrap_or_default();
                changed(out, "  - ", red, text, part, glyphs)?;
            }
            Line::Added(text) => {
                let (_, part) = replaced(&lines, at)
                    .map(|(old, new)| emphasis::parts(old, new))
                    .unwrap_or_default();
                changed(out, "  + ", green, text, part, glyphs)?;
            }
        }
    }
    Ok(())
}

/// Writes a line that goes or comes; the part that differs from its counterpart stands out.
fn changed(
    out: &mut impl Write,
    mark: &str,
    colour: Ink,
    text: &str,
    part: Range<usize>,
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
