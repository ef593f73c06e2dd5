//! A fault and its spot in the file: a [`Problem`](crate::core::problem::Problem) before the file's
//! name and the line itself are put to it, which is [`super::fault_problem`]'s.

/// A line and a column in characters of the file, both from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) line: u32,
    pub(super) column: u32,
}

impl Spot {
    pub(super) const START: Self = Self { line: 1, column: 1 };
}

/// One thing that is wrong. What the texts quote from the file stands between backticks, so that it
/// can be taken out where it could be a Secret's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ManifestFault {
    pub(super) spot: Spot,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl ManifestFault {
    pub(super) fn new(spot: Spot, message: impl Into<String>) -> Self {
        Self { spot, message: message.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
