//! Which versions are in a range.

use std::fmt;

use super::version::Version;

/// A range of versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRange {
    /// As it was written.
    pub(super) text: String,
    /// One of them must hold.
    pub(super) alternatives: Vec<Alternative>,
}

/// Bounds that must all hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Alternative {
    pub(super) bounds: Vec<Bound>,
}

/// One bound: an operator and a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bound {
    pub(super) operator: Operator,
    /// The version; numbers that are not given are 0.
    pub(super) version: Version,
    /// How many of its numbers are given: `1.2.x` and `1.2` have two.
    pub(super) given: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Is,
    IsNot,
    Above,
    Below,
    AtLeast,
    AtMost,
    Tilde,
    Caret,
}

impl VersionRange {
    /// Whether `version` is in the range. A pre-release is in it only where one of the bounds beside
    /// names a pre-release, and `<2.0.0` leaves pre-releases of 2.0.0 out.
    pub fn contains(&self, version: &Version) -> bool {
        self.alternatives.iter().any(|it| it.contains(version, Bound::contains))
    }

    /// Whether a version is in it as the library reads it, where that differs from
    /// [`contains`](Self::contains).
    pub fn is_taken_elsewhere(&self, version: &Version) -> bool {
        let is_taken = self.alternatives.iter().any(|it| it.contains(version, Bound::holds));
        is_taken && !self.contains(version)
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Alternative {
    fn contains(&self, version: &Version, holds: fn(&Bound, &Version) -> bool) -> bool {
        let names_one = self.bounds.iter().any(|bound| bound.version.is_pre_release());
        let may_be = names_one || !version.is_pre_release();
        may_be && self.bounds.iter().all(|bound| holds(bound, version))
    }
}

impl Bound {
    /// The same as [`holds`](Self::holds), and a pre-release of the first version that is too new
    /// is too new as well.
    fn contains(&self, version: &Version) -> bool {
        let is_of_bound = version.is_pre_release()
            && !self.version.is_pre_release()
            && version.release() == self.version.release();
        self.holds(version) && !(self.operator == Operator::Below && is_of_bound)
    }

    /// The library's reading.
    fn holds(&self, version: &Version) -> bool {
        let Self { operator, version: bound, given } = self;
        let ([major, minor, patch], [to_major, to_minor, to_patch]) =
            (version.numbers, bound.numbers);
        match (operator, given) {
            (Operator::Is, 3) => version.cmp(bound).is_eq(),
            (Operator::Is, _) | (Operator::Tilde, _) => self.is_near(version),
            (Operator::IsNot, 1) => major != to_major,
            (Operator::IsNot, 2) => {
                [major, minor] != [to_major, to_minor] || version.pre != bound.pre
            }
            (Operator::IsNot, _) => version.cmp(bound).is_ne(),
            (Operator::Above, 1) => major > to_major,
            (Operator::Above, 2) => [major, minor] > [to_major, to_minor],
            (Operator::Above, _) => version > bound,
            (Operator::Below, _) => version < bound,
            (Operator::AtLeast, _) => version >= bound,
            (Operator::AtMost, 3) => version <= bound,
            (Operator::AtMost, 1) => major <= to_major,
            (Operator::AtMost, _) => [major, minor] <= [to_major, to_minor],
            (Operator::Caret, _) if version < bound => false,
            (Operator::Caret, 1) => major == to_major,
            (Operator::Caret, _) if to_major > 0 => major == to_major,
            (Operator::Caret, 2) => [major, minor] == [to_major, to_minor],
            (Operator::Caret, _) if to_minor > 0 => [major, minor] == [to_major, to_minor],
            (Operator::Caret, _) => [major, minor, patch] == [to_major, to_minor, to_patch],
        }
    }

    /// Whether a version is at or above the bound, and has the numbers before the last given one.
    fn is_near(&self, version: &Version) -> bool {
        let Self { version: bound, given, .. } = self;
        let is_any = bound.numbers == [0; 3] && matches!(given, 0 | 3);
        let kept = if *given == 1 { 1 } else { 2 };
        version >= bound && (is_any || version.numbers[..kept] == bound.numbers[..kept])
    }
}
