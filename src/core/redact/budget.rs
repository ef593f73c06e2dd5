//! How much searching may be done. A repository can hold texts that were made to be searched for
//! ever, one of them or many: what takes more than this is hidden.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How many bytes may be searched for each byte of a text, in all of its views.
const FOR_A_BYTE: usize = 128;
/// How many for each text, however short it is.
const FOR_A_TEXT: usize = 16 << 10;
/// How many more one text may take of what all texts share.
const MORE_FOR_A_TEXT: usize = 8 << 20;
/// How many more all texts of a run may take together.
const MORE_FOR_ALL: usize = 256 << 20;

/// The search could not be made, or not be brought to its end.
#[derive(Debug)]
pub(super) struct SearchFailed;

/// The budget that the texts of a run share.
pub(super) struct SearchBudget {
    shared: AtomicUsize,
}

impl Default for SearchBudget {
    fn default() -> Self {
        Self::of(MORE_FOR_ALL)
    }
}

impl SearchBudget {
    /// A budget of which all texts together may take so much beyond what each has of its own.
    pub(super) fn of(shared: usize) -> Self {
        Self { shared: AtomicUsize::new(shared) }
    }

    /// The budget for a text of this length.
    pub(super) fn of_text(&self, length: usize) -> Allowance<'_> {
        let own = FOR_A_TEXT.saturating_add(FOR_A_BYTE.saturating_mul(length));
        Allowance { own, more: MORE_FOR_A_TEXT, budget: self }
    }

    /// How much is left of what is shared.
    #[cfg(test)]
    pub(super) fn left(&self) -> usize {
        self.shared.load(Ordering::Relaxed)
    }
}

/// The remaining budget of one text.
pub(super) struct Allowance<'a> {
    /// Of its own.
    own: usize,
    /// Of what is shared.
    more: usize,
    budget: &'a SearchBudget,
}

impl Allowance<'_> {
    /// Takes the cost of what is done.
    pub(super) fn take(&mut self, cost: usize) -> Result<(), SearchFailed> {
        if let Some(own) = self.own.checked_sub(cost) {
            self.own = own;
            return Ok(());
        }
        let missing = cost - std::mem::take(&mut self.own);
        self.more = self.more.checked_sub(missing).ok_or(SearchFailed)?;
        let less = |shared: usize| shared.checked_sub(missing);
        let taken = self.budget.shared.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        taken.map(drop).map_err(|_| SearchFailed)
    }
}
