//! The line that says what to do about a reason.

use std::io::{self, Write};

use super::Glyphs;
use super::wrap::wrapped;

/// Writes what to do, in as many lines as it needs.
pub(super) fn write(out: &mut impl Write, line: &str, glyphs: Glyphs) -> io::Result<()> {
    const INTRODUCTION: &str = "    do this: ";
    let indent = INTRODUCTION.len();
    let lines = wrapped(&glyphs.inert(line), glyphs.limit(), indent, indent);
    writeln!(out, "{INTRODUCTION}{}", lines.join("\n"))
}
