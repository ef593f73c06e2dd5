//! A problem as it can be shown.

use super::Redactor;
use crate::core::problem::{Location, Problem};

/// A problem with everything masked that a redactor knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaskedProblem {
    shown: Problem,
    /// Whether a part of the excerpt is masked.
    is_excerpt_masked: bool,
}

impl MaskedProblem {
    /// Where it is.
    pub fn place(&self) -> &Location {
        &self.shown.place
    }

    /// The message, in a phrase without a final full stop.
    pub fn message(&self) -> &str {
        &self.shown.message
    }

    /// The line at the place, without its line break; `None` where it can't be shown.
    pub fn excerpt(&self) -> Option<&str> {
        self.shown.excerpt.as_deref()
    }

    /// The remedy.
    pub fn hint(&self) -> Option<&str> {
        self.shown.hint.as_deref()
    }

    /// Whether the column of the place is that of the excerpt, too. A mask moves what stands behind
    /// it.
    pub fn is_column_of_excerpt(&self) -> bool {
        self.shown.place.column > 0 && !self.is_excerpt_masked
    }
}

impl Redactor {
    /// A copy of a problem that can be shown.
    pub fn problem(&self, problem: &Problem) -> MaskedProblem {
        let Problem { place, message, excerpt, hint } = problem;
        let masked = |text: &Option<String>| text.as_deref().map(|text| self.text(text));
        let shown = Problem {
            place: place.clone(),
            message: self.text(message),
            excerpt: masked(excerpt),
            hint: masked(hint),
        };
        MaskedProblem { is_excerpt_masked: shown.excerpt != *excerpt, shown }
    }
}
