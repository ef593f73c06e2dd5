//! What differs between two texts, line by line, with what is needed to see where it belongs.
//!
//! How a line looks is up to the form that shows it.

use std::time::Duration;

use similar::{Algorithm, ChangeTag, DiffOp, TextDiff};

/// Equal lines shown around a difference.
const CONTEXT: usize = 3;
/// Two texts that are not compared by then are shown as a coarser difference.
const PATIENCE: Duration = Duration::from_millis(500);

/// One line of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// Equal lines that are left out.
    Gap,
    /// A key that the next lines stand under.
    Above(&'a str),
    /// In both.
    Equal(&'a str),
    /// In the first alone.
    Removed(&'a str),
    /// In the second alone.
    Added(&'a str),
}

/// The lines that differ, with a few equal ones around them and the keys that they stand under, so
/// that every line says where it belongs.
pub(super) fn between<'a>(before: &'a str, after: &'a str) -> Vec<Line<'a>> {
    let diff = TextDiff::configure()
        .algorithm(Algorithm::Myers)
        .timeout(PATIENCE)
        .diff_lines(before, after);
    let old: Vec<&str> = before.lines().collect();
    let (was, is): (Vec<&str>, Vec<&str>) = (split(before), split(after));
    let mut lines = Vec::new();
    let mut told = 0; // how many lines of `old` are behind us
    for group in diff.grouped_ops(CONTEXT) {
        let start = group.first().map_or(0, |op: &DiffOp| op.old_range().start);
        if told > 0 && start > told {
            lines.push(Line::Gap);
        }
        let keys = above(&old, start).into_iter().filter(|i| *i >= told);
        lines.extend(keys.map(|i| Line::Above(old[i])));
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let line = match (change.tag(), change.old_index(), change.new_index()) {
                (ChangeTag::Equal, Some(i), _) => was.get(i).copied().map(Line::Equal),
                (ChangeTag::Delete, Some(i), _) => was.get(i).copied().map(Line::Removed),
                (ChangeTag::Insert, _, Some(i)) => is.get(i).copied().map(Line::Added),
                _ => None,
            };
            lines.extend(line);
        }
        told = group.last().map_or(told, |op| op.old_range().end);
    }
    lines
}

/// The lines as they are compared, without their ends.
fn split(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').map(|line| line.trim_end_matches('\n')).collect()
}

/// The lines above line `start` that it stands under, outermost first.
fn above(lines: &[&str], start: usize) -> Vec<usize> {
    // A list's dash stands as far left as its key, and still belongs under it.
    let depth = |line: &str| {
        let text = line.trim_start();
        2 * (line.len() - text.len()) + usize::from(text == "-" || text.starts_with("- "))
    };
    let Some(first) = lines[start.min(lines.len())..].iter().find(|line| !line.is_empty()) else {
        return Vec::new();
    };
    let mut limit = depth(first);
    let mut found = Vec::new();
    for (i, line) in lines[..start].iter().enumerate().rev() {
        if limit > 0 && !line.is_empty() && depth(line) < limit {
            limit = depth(line);
            found.push(i);
        }
    }
    found.reverse();
    found
}
