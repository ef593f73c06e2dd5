//! Findings that say the same of several places, folded to one: the first, how many more there are,
//! and where. Formats for machines keep each of them.

use std::collections::HashMap;
use std::hash::Hash;

/// So many equal findings are folded; fewer are read faster one by one.
const FOLDED: usize = 3;
/// How many of the other places are named.
const NAMED: usize = 5;

/// A finding, and those that repeat it.
#[derive(Debug, PartialEq, Eq)]
pub struct Repeated<'a, T> {
    /// The first one.
    pub first: &'a T,
    /// The others, in order.
    pub others: Vec<&'a T>,
}

/// The items in the order of the first of each kind, where items with the same `kind` are folded.
pub fn folded<'a, T, K: Eq + Hash>(
    items: &'a [T],
    kind: impl Fn(&'a T) -> K,
) -> Vec<Repeated<'a, T>> {
    let mut kinds: HashMap<K, Vec<usize>> = HashMap::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        kinds.entry(kind(item)).or_default().push(index);
    }
    let mut of_first: HashMap<usize, Vec<&'a T>> = HashMap::new();
    for indices in kinds.into_values() {
        match indices.split_first() {
            Some((first, others)) if indices.len() >= FOLDED => {
                of_first.insert(*first, others.iter().map(|other| &items[*other]).collect());
            }
            _ => of_first.extend(indices.into_iter().map(|index| (index, Vec::new()))),
        }
    }
    let folded = items.iter().enumerate().filter_map(|(index, first)| {
        let others = of_first.remove(&index)?;
        Some(Repeated { first, others })
    });
    folded.collect()
}

impl<T> Repeated<'_, T> {
    /// `and 139 more: a.yaml:2:1, b.yaml:2:1, c.yaml:2:1, …`, by the place of each; `None` where
    /// nothing repeats it.
    pub fn more(&self, place: impl Fn(&T) -> String, gap: &str) -> Option<String> {
        if self.others.is_empty() {
            return None;
        }
        let mut places: Vec<String> = Vec::with_capacity(NAMED);
        let mut left_out = false;
        for other in &self.others {
            let place = place(other);
            match places.contains(&place) {
                true => {}
                false if places.len() < NAMED => places.push(place),
                false => {
                    left_out = true;
                    break;
                }
            }
        }
        if left_out {
            places.push(gap.to_owned());
        }
        Some(format!("and {} more: {}", self.others.len(), places.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of texts whose first letter is their kind and whose others are their place.
    fn lines(items: &[&str]) -> Vec<String> {
        let kind = |item: &&str| item[..1].to_owned();
        let line = |it: &Repeated<'_, &str>| match it.more(|item| item[1..].to_owned(), "…") {
            Some(more) => format!("{} {more}", it.first),
            None => (*it.first).to_owned(),
        };
        folded(items, kind).iter().map(line).collect()
    }

    #[test]
    fn equal_ones_are_folded_from_three_on() {
        for (items, expected) in [
            (&[][..], &[][..]),
            (&["a1", "b2", "a3"], &["a1", "b2", "a3"]),
            (&["a1", "b2", "a3", "b4", "a5"], &["a1 and 2 more: 3, 5", "b2", "b4"]),
            (&["c0", "a1", "a2", "a3", "a4"], &["c0", "a1 and 3 more: 2, 3, 4"]),
            (&["a1", "a2", "a3", "a4", "a5", "a6", "a7"], &["a1 and 6 more: 2, 3, 4, 5, 6, …"]),
            (&["a1", "a1", "a1", "a1", "a1"], &["a1 and 4 more: 1"]),
        ] {
            assert_eq!(lines(items), expected, "{items:?}");
        }
    }
}
