//! The difference of a change, line by line, with the lines that are needed to see where it
//! belongs.
//!
//! How a line looks is up to the form that shows it.

use std::time::{Duration, Instant};

use similar::{Algorithm, DiffOp, capture_diff_slices_deadline, group_diff_ops};

use crate::core::diff::Delta;

/// Equal lines shown around a difference.
const CONTEXT: usize = 3;
/// Texts that are not compared by then are shown as a coarser difference.
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
pub(super) fn of(delta: &Delta) -> Vec<Line<'_>> {
    let (was, is) = (split(&delta.before_text), split(&delta.after_text));
    let mut lines = Vec::new();
    let mut told = 0; // how many lines of `was` are behind us
    for group in group_diff_ops(ops(delta, &was, &is), CONTEXT) {
        let start = group.first().map_or(0, |op: &DiffOp| op.old_range().start);
        if told > 0 && start > told {
            lines.push(Line::Gap);
        }
        let keys = above(&was, start).into_iter().filter(|i| *i >= told);
        lines.extend(keys.map(|i| Line::Above(was[i])));
        for op in &group {
            let (old, new) = (&was[op.old_range()], &is[op.new_range()]);
            if let DiffOp::Equal { .. } = op {
                lines.extend(old.iter().copied().map(Line::Equal));
            } else {
                lines.extend(old.iter().copied().map(Line::Removed));
                lines.extend(new.iter().copied().map(Line::Added));
            }
        }
        told = group.last().map_or(told, |op| op.old_range().end);
    }
    lines
}

/// Which lines are equal, go and come, piece by piece: only within a field that both have are the
/// lines themselves compared, as those of a text.
fn ops(delta: &Delta, was: &[&str], is: &[&str]) -> Vec<DiffOp> {
    let deadline = Instant::now() + PATIENCE;
    let mut ops = Ops::default();
    for piece in &delta.pieces {
        let old = &was[ops.old..][..piece.before];
        let new = &is[ops.new..][..piece.after];
        if old == new {
            ops.equal(old.len());
        } else if old.is_empty() || new.is_empty() {
            ops.one_sided(old.len(), new.len());
        } else {
            let within = capture_diff_slices_deadline(Algorithm::Myers, old, new, Some(deadline));
            for op in within {
                match op {
                    DiffOp::Equal { len, .. } => ops.equal(len),
                    op => ops.differing(op.old_range().len(), op.new_range().len()),
                }
            }
        }
    }
    ops.ops
}

/// Which lines are equal, go and come, so far. Of fields that differ one after the other, the lines
/// that go stand before those that come in their place.
#[derive(Default)]
struct Ops {
    ops: Vec<DiffOp>,
    /// Whether the last of them are a field or an element that only one text has.
    is_one_sided: bool,
    /// The next line of each text.
    old: usize,
    new: usize,
}

impl Ops {
    fn equal(&mut self, lines: usize) {
        match self.ops.last_mut() {
            Some(DiffOp::Equal { len, .. }) => *len += lines,
            _ => self.ops.push(DiffOp::Equal {
                old_index: self.old,
                new_index: self.new,
                len: lines,
            }),
        }
        self.old += lines;
        self.new += lines;
    }

    /// Removed lines stay in front of what comes after it, and so beside its own neighbours.
    fn one_sided(&mut self, old: usize, new: usize) {
        self.add(old, new, true);
    }

    fn differing(&mut self, old: usize, new: usize) {
        self.add(old, new, false);
    }

    fn add(&mut self, old: usize, new: usize, is_one_sided: bool) {
        let is_alone = is_one_sided || self.is_one_sided;
        self.is_one_sided = is_one_sided;
        match self.ops.last_mut() {
            Some(DiffOp::Replace { old_len, new_len, .. })
                if !is_alone || old == 0 || *new_len == 0 =>
            {
                *old_len += old;
                *new_len += new;
            }
            _ => self.ops.push(DiffOp::Replace {
                old_index: self.old,
                old_len: old,
                new_index: self.new,
                new_len: new,
            }),
        }
        self.old += old;
        self.new += new;
    }
}

/// The lines, without their ends.
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

#[cfg(test)]
mod tests;
