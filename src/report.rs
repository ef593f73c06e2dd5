//! What carrying out a plan came to: an outcome for every change that was to be made, and the
//! events on the way there.

use crate::health::Proof;
use crate::object::ObjectKey;
use crate::plan::{Action, Reason};

/// How one change ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was made.
    Done,
    /// The deletion is taken and waits for finalizers.
    Going,
    /// It failed.
    Failed(Reason),
    /// It was not tried.
    Skipped(Reason),
}

/// One change and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which object.
    pub key: ObjectKey,
    /// What was to be done.
    pub action: Action,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a plan was carried out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Every change that the plan asked for, in the order in which they ended.
    pub steps: Vec<Step>,
    /// What was deleted and is still there, and what holds it where that is known.
    pub held: Vec<(ObjectKey, Option<String>)>,
    /// Whether a signal ended it early.
    pub interrupted: bool,
    /// Whether the inventory's record now names this commit: everything is as declared.
    pub at_commit: bool,
    /// How the objects are; `None` where nobody waited for them.
    pub proof: Option<Proof>,
}

impl Report {
    /// How many changes ended as `wanted` says.
    pub fn count(&self, wanted: impl Fn(&Outcome) -> bool) -> usize {
        self.steps.iter().filter(|step| wanted(&step.outcome)).count()
    }

    /// Whether everything is as declared, and healthy as far as somebody waited for it.
    pub fn is_good(&self) -> bool {
        self.at_commit && self.proof.as_ref().is_none_or(Proof::is_ready)
    }

    /// How many changes were made.
    pub fn done(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Done | Outcome::Going))
    }

    /// How many failed.
    pub fn failed(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Failed(_)))
    }

    /// How many were not tried.
    pub fn skipped(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Skipped(_)))
    }
}
