//! Which part of a line differs from the line that it replaces, so that a terminal can show it.

use std::ops::Range;

/// The parts that differ, as ranges of bytes; empty where all of it differs, as nothing would stand
/// out then.
pub(super) fn parts(before: &str, after: &str) -> (Range<usize>, Range<usize>) {
    let same = |(a, b): &(char, char)| a == b;
    let start: usize =
        before.chars().zip(after.chars()).take_while(same).map(|(c, _)| c.len_utf8()).sum();
    let (old, new) = (&before[start..], &after[start..]);
    let end: usize =
        old.chars().rev().zip(new.chars().rev()).take_while(same).map(|(c, _)| c.len_utf8()).sum();
    let has_common =
        !before[..start].trim().is_empty() || !old[old.len() - end..].trim().is_empty();
    match has_common {
        true => (start..before.len() - end, start..after.len() - end),
        false => (0..0, 0..0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_part_is_between_common_prefix_and_suffix() {
        let differs = |before: &'static str, after: &'static str| {
            let (old, new) = parts(before, after);
            (&before[old], &after[new])
        };
        assert_eq!(differs("  replicas: 5", "  replicas: 2"), ("5", "2"));
        assert_eq!(differs("image: web:1.4.1", "image: web:1.4.0"), ("1", "0"));
        assert_eq!(differs("a: xbc", "a: xyzbc"), ("", "yz"));
        assert_eq!(differs("a: é1", "a: è1"), ("é", "è"));
        assert_eq!(differs("  one", "  two"), ("", ""), "nothing in common");
        assert_eq!(differs("", "x"), ("", ""));
    }
}
