//! The budget of an expression, counted as Kubernetes counts it for its own rules (cel-go,
//! `interpreter/runtimecost.go`; k8s.io/apiserver, `pkg/apis/cel/config.go`).
//!
//! One unit is one step, such as a field or a call; what goes through a text costs a tenth of its
//! length. Where our steps do more than cel-go counts, as where lists are copied or compared, each
//! element counts. Everything that is made is paid for first, so that the cost bounds the memory,
//! too: a unit is good for ten bytes of text, or one element.

use super::EvaluationError;

/// A list that is written out.
pub(super) const LIST: u64 = 10;
/// The compilation of a pattern.
pub(super) const COMPILE: u64 = 2000;
/// A map that is written out.
pub(super) const MAP: u64 = 30;

/// The remaining budget.
#[derive(Debug)]
pub(super) struct CostBudget {
    limit: u64,
    spent: u64,
}

impl CostBudget {
    pub(super) fn of(limit: u64) -> Self {
        Self { limit, spent: 0 }
    }

    pub(super) fn spent(&self) -> u64 {
        self.spent.min(self.limit)
    }

    /// Takes the cost of what is about to be done.
    ///
    /// # Errors
    ///
    /// When there is not so much left; then nothing more is done.
    pub(super) fn take(&mut self, cost: u64) -> Result<(), EvaluationError> {
        self.spent = self.spent.saturating_add(cost);
        if self.spent > self.limit { Err(EvaluationError::Costly) } else { Ok(()) }
    }

    /// Takes the cost of going through so many bytes of text.
    pub(super) fn take_text(&mut self, bytes: usize) -> Result<(), EvaluationError> {
        self.take(through(bytes))
    }

    /// Takes the cost of a number of elements.
    pub(super) fn take_elements(&mut self, count: usize) -> Result<(), EvaluationError> {
        self.take(u64::try_from(count).unwrap_or(u64::MAX))
    }
}

/// The cost of going through so many bytes of text.
pub(super) fn through(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX).div_ceil(10)
}
