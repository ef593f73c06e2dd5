//! A document that is written as a text within a kustomization: where its lines are in the file.

use super::KustomizationText;
use crate::core::manifest::PathPart;

/// The lines and columns before the text at `path`: where it is a literal block, whose lines are
/// lines of the file. `None` of a text that is written in another way.
pub(super) fn offset(
    kustomization: &KustomizationText<'_>,
    path: &[PathPart<'_>],
    content: &str,
) -> Option<(usize, usize)> {
    let (line, column) = kustomization.positions.of_value(path)?;
    let text = std::str::from_utf8(kustomization.text).ok()?;
    let mut lines = text.lines().skip(line.checked_sub(1)?);
    let head: String = lines.next()?.chars().skip(column.checked_sub(1)?).collect();
    if !head.starts_with('|') {
        return None;
    }
    let spaces = |line: &str| line.chars().take_while(|char| *char == ' ').count();
    // The first line with anything in it says how far the block is indented.
    let at = content.lines().position(|line| !line.trim().is_empty())?;
    let own = content.lines().nth(at)?;
    let written = lines.nth(at)?;
    let indent = spaces(written).checked_sub(spaces(own))?;
    (written.get(indent..) == Some(own)).then_some((line, indent))
}
