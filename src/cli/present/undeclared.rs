//! `diff --all-fields`: what others set beside what git declares, object by object.

use std::io::{self, Write};

use super::ink::Ink;
use super::story::{TimeStyle, names};
use super::wrap::wrapped;
use super::{Glyphs, PlanView, brief};
use crate::core::attribution::UndeclaredField;

/// Writes every field that others set and git does not declare; nothing where that was not asked for.
///
/// # Errors
///
/// When `out` does not take it.
pub(super) fn write(out: &mut impl Write, view: &PlanView<'_>, glyphs: Glyphs) -> io::Result<()> {
    let Some(found) = &view.explained.undeclared else { return Ok(()) };
    writeln!(out)?;
    if found.is_empty() {
        return writeln!(out, "nothing was set beside what git declares");
    }
    writeln!(out, "set beside what git declares, and left by apply:")?;
    let objects = view.plan.changes().filter_map(|it| Some((it.key(), found.get(it.key())?)));
    let (bold, dim) = (Ink::BOLD, Ink::DIM);
    for (key, fields) in objects {
        writeln!(out, "  {bold}{}{bold:#}", glyphs.inert(&key.to_string()))?;
        for field in fields {
            let writers = names(&field.writers, TimeStyle::Ago(view.now));
            let field = wrapped(&glyphs.inert(&line(field)), glyphs.limit(), 4, 6);
            writeln!(out, "    {}", field.join("\n"))?;
            let writers = wrapped(&glyphs.inert(&writers), glyphs.limit(), 6, 8);
            writeln!(out, "      {dim}{}{dim:#}", writers.join("\n"))?;
        }
    }
    Ok(())
}

/// `spec.replicas: 5`; a value that is long is in the JSON.
fn line(field: &UndeclaredField) -> String {
    match brief::short(Some(&field.value)) {
        Some(value) => format!("{}: {value}", field.path),
        None => format!("{}: …", field.path),
    }
}
