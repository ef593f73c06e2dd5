//! Which element of one list is which of another where nothing tells them from each other: equal ones
//! belong together, and between those the ones that are most alike. So an element that changes is one
//! that changes, and one that goes or comes does so as a whole.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::embedded;
use super::matched::Match;

use crate::core::json::Value;

/// Of lists with more pairs of elements than this, no equal ones are looked for but those at both
/// ends.
const MOST: usize = 1 << 20;
/// Between two equal elements with more pairs than this, each element is held against the one at its
/// place alone.
const MOST_BETWEEN: usize = 1 << 12;

/// The elements of both lists in the order of each, as they belong together.
pub(super) fn alike(before: &[Value], after: &[Value]) -> Vec<Match> {
    let same = |(old, new): &(&Value, &Value)| old == new;
    let start = before.iter().zip(after).take_while(same).count();
    let ends = before[start..].iter().rev().zip(after[start..].iter().rev());
    let end = ends.take_while(same).count();
    let (olds, news) = (start..before.len() - end, start..after.len() - end);

    let mut lists = Lists { before, after, matches: Vec::new() };
    lists.equal(0, 0, start);
    let (mut old, mut new) = (olds.start, news.start);
    if olds.len().saturating_mul(news.len()) <= MOST {
        let texts = |items: &[Value]| items.iter().map(Value::to_string).collect::<Vec<_>>();
        let (left, right) = (texts(&before[olds.clone()]), texts(&after[news.clone()]));
        for op in capture_diff_slices(Algorithm::Myers, &left, &right) {
            if let DiffOp::Equal { old_index, new_index, len } = op {
                let (first, second) = (start + old_index, start + new_index);
                lists.between(old..first, new..second);
                lists.equal(first, second, len);
                (old, new) = (first + len, second + len);
            }
        }
    }
    lists.between(old..olds.end, new..news.end);
    lists.equal(olds.end, news.end, end);
    lists.matches
}

/// The same with one that comes in the place of one that goes, as long as there are both.
pub(super) fn in_place(before: &[Value], after: &[Value]) -> Vec<Match> {
    let mut matches = Vec::new();
    let mut gone = VecDeque::new();
    for next in alike(before, after) {
        match next {
            Match { before: Some(_), after: Some(_) } => {
                matches.extend(gone.drain(..).map(Match::removed));
                matches.push(next);
            }
            Match { before: Some(old), after: None } => gone.push_back(old),
            Match { before: None, .. } => {
                matches.push(Match { before: gone.pop_front(), ..next });
            }
        }
    }
    matches.extend(gone.into_iter().map(Match::removed));
    matches
}

struct Lists<'a> {
    before: &'a [Value],
    after: &'a [Value],
    matches: Vec<Match>,
}

impl Lists<'_> {
    /// The next elements of both are equal.
    fn equal(&mut self, before: usize, after: usize, len: usize) {
        self.matches.extend((0..len).map(|i| Match::both(before + i, after + i)));
    }

    /// Matches the next elements, none of which are equal.
    fn between(&mut self, olds: Range<usize>, news: Range<usize>) {
        let pairs = self.pairs(olds.clone(), news.clone());
        let (mut old, mut new) = (olds.start, news.start);
        for pair in pairs {
            self.one_sided(old..pair.before, new..pair.after);
            self.matches.push(Match::both(pair.before, pair.after));
            (old, new) = (pair.before + 1, pair.after + 1);
        }
        self.one_sided(old..olds.end, new..news.end);
    }

    fn one_sided(&mut self, olds: Range<usize>, news: Range<usize>) {
        self.matches.extend(olds.map(Match::removed).chain(news.map(Match::new)));
    }

    /// Those that belong together, chosen so that as much as possible is the same.
    fn pairs(&self, olds: Range<usize>, news: Range<usize>) -> Vec<ElementPair> {
        let likeness = |old: usize, new: usize| likeness(&self.before[old], &self.after[new]);
        if olds.len().saturating_mul(news.len()) > MOST_BETWEEN {
            let pairs = olds.zip(news).map(|(before, after)| ElementPair { before, after });
            return pairs.filter(|pair| likeness(pair.before, pair.after) > 0).collect();
        }
        let (rows, columns) = (olds.len(), news.len());
        let score = |row: usize, column: usize| likeness(olds.start + row, news.start + column);
        let scores: Vec<Vec<usize>> =
            (0..rows).map(|row| (0..columns).map(|column| score(row, column)).collect()).collect();
        // The most that can be the same from here on.
        let mut best = vec![vec![0; columns + 1]; rows + 1];
        for row in (0..rows).rev() {
            for column in (0..columns).rev() {
                let together = scores[row][column] + best[row + 1][column + 1];
                best[row][column] = together.max(best[row + 1][column]).max(best[row][column + 1]);
            }
        }
        let (mut row, mut column, mut pairs) = (0, 0, Vec::new());
        while row < rows && column < columns {
            let score = scores[row][column];
            if score > 0 && best[row][column] == score + best[row + 1][column + 1] {
                pairs.push(ElementPair { before: olds.start + row, after: news.start + column });
                (row, column) = (row + 1, column + 1);
            } else if best[row][column] == best[row + 1][column] {
                row += 1;
            } else {
                column += 1;
            }
        }
        pairs
    }
}

/// Two elements that belong together.
struct ElementPair {
    before: usize,
    after: usize,
}

/// How much two elements are alike: by what they have in common, and where that is as much as with
/// others, by the keys that both have. 0 where they have nothing in common.
fn likeness(before: &Value, after: &Value) -> usize {
    const MOST_KEYS: usize = 63;
    let keys = match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            before.keys().filter(|key| after.contains_key(key)).count()
        }
        _ => 0,
    };
    match common(before, after) {
        0 => 0,
        lines => lines * (MOST_KEYS + 1) + keys.min(MOST_KEYS),
    }
}

/// How many lines two values have in common as YAML, about.
fn common(before: &Value, after: &Value) -> usize {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            let both = before.iter().filter_map(|(key, old)| Some((old, after.get(key)?)));
            let line = |old: &Value, new: &Value| usize::from(is_long(old) && is_long(new));
            both.map(|(old, new)| line(old, new) + common(old, new)).sum()
        }
        (Value::Array(before), Value::Array(after)) => {
            before.iter().zip(after).map(|(old, new)| common(old, new)).sum()
        }
        (Value::String(before), Value::String(after)) if before != after => {
            if embedded::laid_out_pair(before, after).is_some() {
                return 1;
            }
            if !before.contains('\n') || !after.contains('\n') {
                return 0;
            }
            let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
            before.lines().for_each(|line| *lines.entry(line).or_default() += 1);
            let mut common = 0;
            for line in after.lines() {
                if let Some(left) = lines.get_mut(line).filter(|left| **left > 0) {
                    *left -= 1;
                    common += 1;
                }
            }
            common
        }
        (before, after) => usize::from(before == after),
    }
}

/// Whether the value stands below its key.
fn is_long(value: &Value) -> bool {
    match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => false,
    }
}
