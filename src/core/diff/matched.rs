//! A pair of elements of two lists.

/// Where one element stands in two lists; at least in one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) before: Option<usize>,
    pub(super) after: Option<usize>,
}

impl Match {
    pub(super) fn removed(at: usize) -> Self {
        Self { before: Some(at), after: None }
    }

    pub(super) fn new(at: usize) -> Self {
        Self { before: None, after: Some(at) }
    }

    pub(super) fn both(before: usize, after: usize) -> Self {
        Self { before: Some(before), after: Some(after) }
    }

    pub(super) fn is_both(self) -> bool {
        self.before.is_some() && self.after.is_some()
    }
}
