//! Why something is as it is, as a value: its kind with a stable code, what to do about it, and the
//! fields that it is about.

mod facts;
mod kind;
mod mask;
mod words;

pub use facts::{DeletionGuard, DependencyEnd, DependencyReason, PruneBlocker, ValueHolder};
pub use kind::ReasonKind;
use serde::Serialize;

use crate::core::mask::Mask;
use crate::core::problem::Cause;
use crate::core::remedy::Remedy;

/// Why something is as it is, and what to do about it. Displayed, it is a phrase without a final full
/// stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// Its kind.
    #[serde(flatten)]
    pub kind: Box<ReasonKind>,
    /// The remedy.
    pub remedy: Option<Remedy>,
    /// The same field by field, with the place of each in its file.
    pub causes: Vec<Cause>,
}

impl Reason {
    /// A reason with a remedy.
    pub fn with_remedy(kind: ReasonKind, remedy: impl Into<Remedy>) -> Self {
        Self { remedy: Some(remedy.into()), ..Self::from(kind) }
    }
}

impl ReasonKind {
    /// Whether it is why nothing at all is pruned: something is not known, or refused.
    pub fn holds_all_back(&self) -> bool {
        matches!(
            self,
            Self::NotPrunedProblems { .. }
                | Self::NotPrunedUnlisted { .. }
                | Self::NotPrunedRefusals { .. }
        )
    }
}

impl From<ReasonKind> for Reason {
    fn from(kind: ReasonKind) -> Self {
        Self { kind: Box::new(kind), remedy: None, causes: Vec::new() }
    }
}

impl Mask for Reason {
    fn mask(&mut self, masked: &dyn Fn(&str) -> String) {
        let Self { kind, remedy, causes } = self;
        kind.mask(masked);
        remedy.mask(masked);
        causes.mask(masked);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_another_one_and_is_serialised() {
        let codes: BTreeSet<&str> = ReasonKind::CODES.iter().copied().collect();
        assert_eq!(codes.len(), ReasonKind::CODES.len());
        let is_plain = |c: char| c.is_ascii_lowercase() || c == '-';
        assert!(codes.iter().all(|code| code.chars().all(is_plain)), "{codes:?}");
        let unknown = || ReasonKind::Unknown { message: "it hides".to_owned() };
        let why = Some(Box::new(unknown()));
        let holder = crate::core::object::ObjectKey {
            group: String::new(),
            kind: "Service".to_owned(),
            namespace: Some("shop".to_owned()),
            name: "web".to_owned(),
        };
        let stays = ValueHolder::NotDeleted { holder, why };
        let (field, value) = ("spec.clusterIP".to_owned(), "10.0.0.1".to_owned());
        for kind in [
            unknown(),
            ReasonKind::ValueTaken { field, value, stays },
            ReasonKind::Guarded { guard: DeletionGuard::Instances(2), approval: None },
            ReasonKind::Interrupted,
        ] {
            let reason = crate::core::json::to_value(Reason::from(kind.clone())).unwrap();
            assert_eq!(reason["code"], kind.code(), "{reason}");
        }
    }

    #[test]
    fn nested_reasons_are_masked() {
        let inner = ReasonKind::RequestFailed { message: "no hunter2".to_owned() };
        let mut reason = Reason::with_remedy(
            ReasonKind::DeletedNotRecreated { why: Box::new(inner) },
            Remedy::Either(vec!["not hunter2".into(), Remedy::Adopt]),
        );
        let cause = |text: &str| Cause { field: text.into(), message: text.into(), place: None };
        reason.causes.push(cause("hunter2"));
        reason.mask(&|text| text.replace("hunter2", "(secret)"));
        let text = format!("{reason:?} {reason}");
        assert!(!text.contains("hunter2") && text.matches("(secret)").count() >= 4, "{text}");
    }
}
