//! Values that begin alike, in an order in which those that a text goes on with are found without
//! a look at each: many Secrets may share a long beginning.

use std::cmp::Ordering;

use super::needle::{MatchContext, Needle};
use super::views::dense;

/// Values that begin alike.
pub(super) struct Group {
    /// By their bytes without white space.
    members: Vec<Member>,
}

struct Member {
    /// The value without white space.
    dense: Vec<u8>,
    needle: Needle,
    /// The last one before it that it begins with.
    prefix: Option<usize>,
}

impl Group {
    pub(super) fn new(needles: impl IntoIterator<Item = Needle>) -> Self {
        let member = |needle: Needle| {
            let dense = dense(&needle.value).map_or_else(|| needle.value.clone(), |it| it.bytes);
            Member { dense, needle, prefix: None }
        };
        let mut members: Vec<Member> = needles.into_iter().map(member).collect();
        members.sort_by(|a, b| (&a.dense, &a.needle).cmp(&(&b.dense, &b.needle)));
        for at in 1..members.len() {
            // A prefix that a value shares with the one before it is that one, or a prefix of it.
            let mut prefix = Some(at - 1);
            while let Some(known) = prefix
                && !members[at].dense.starts_with(&members[known].dense)
            {
                prefix = members[known].prefix;
            }
            members[at].prefix = prefix;
        }
        Self { members }
    }

    /// Adds to `found` those that `text` may begin with, and returns how many bytes were compared.
    /// White space does not count.
    pub(super) fn in_text<'a>(&'a self, text: &[u8], found: &mut Vec<&'a Needle>) -> usize {
        let (mut from, mut to, mut cost) = (0, self.members.len(), 0);
        while from < to {
            let middle = usize::midpoint(from, to);
            let (order, compared) = compare(&self.members[middle].dense, text);
            cost += compared + 1;
            match order {
                Ordering::Greater => to = middle,
                Ordering::Less | Ordering::Equal => from = middle + 1,
            }
        }
        let mut at = from.checked_sub(1);
        while let Some(member) = at.map(|at| &self.members[at]) {
            // Once one is there, so is all that it begins with.
            if found.is_empty() {
                let (order, compared) = compare(&member.dense, text);
                cost += compared;
                if order == Ordering::Equal {
                    found.push(&member.needle);
                }
            } else {
                found.push(&member.needle);
            }
            cost += 1;
            at = member.prefix;
        }
        cost
    }

    /// One that counts anywhere and begins with what is shown of it, which has no white space, and
    /// how many bytes were compared.
    pub(super) fn that_begins_with(&self, shown: &[u8]) -> (Option<&Needle>, usize) {
        let mut cost = 0;
        let from = self.members.partition_point(|member| {
            cost += shown.len();
            member.dense.as_slice() < shown
        });
        let mut same = self.members[from..].iter().take_while(|member| {
            cost += shown.len() + 1;
            member.dense.starts_with(shown)
        });
        let found = same.find(|member| member.needle.stands == MatchContext::Anywhere);
        (found.map(|member| &member.needle), cost)
    }
}

/// How a value without white space and the beginning of a text compare, in which none counts, and
/// how many bytes were looked at. A text that begins with the value is equal to it.
fn compare(value: &[u8], text: &[u8]) -> (Ordering, usize) {
    let mut value = value.iter();
    let mut looked = 0;
    for byte in text {
        if value.as_slice().is_empty() {
            break;
        }
        looked += 1;
        if byte.is_ascii_whitespace() {
            continue;
        }
        match value.next().map(|expected| expected.cmp(byte)) {
            Some(Ordering::Equal) => {}
            Some(order) => return (order, looked),
            None => break,
        }
    }
    let order = if value.as_slice().is_empty() { Ordering::Equal } else { Ordering::Greater };
    (order, looked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needle(value: &str) -> Needle {
        Needle { value: value.into(), number: 1, stands: MatchContext::Anywhere }
    }

    #[test]
    fn prefix_match_does_not_scan_every_value() {
        let beginning = "the same beginning of all ";
        let many = (0..1000).map(|at| format!("{beginning}{at:04}"));
        let nested = ["0500 and", "0500 and more", "0500 and most", "0500 z"];
        let nested = nested.iter().map(|end| format!("{beginning}{end}"));
        let group = Group::new(many.chain(nested).map(|value| needle(&value)));
        let mut found = Vec::new();
        let cost = group.in_text(b"the same beginning\n of all 0500 and more of it", &mut found);
        let ends: Vec<_> = found.iter().map(|it| &it.value[beginning.len()..]).collect();
        assert_eq!(ends, [&b"0500 and more"[..], b"0500 and", b"0500"]);
        assert!(cost < 20 * 50, "{cost}");
        let (found, cost) = group.that_begins_with(b"thesamebeginningofall07");
        assert_eq!(found.map(|it| it.value.ends_with(b"0700")), Some(true));
        assert!(cost < 20 * 50, "{cost}");
        found_none(&group);
    }

    fn found_none(group: &Group) {
        let mut found = Vec::new();
        group.in_text(b"the same beginning of all others", &mut found);
        assert!(found.is_empty());
        assert!(group.that_begins_with(b"thesamebeginningofally").0.is_none());
    }
}
