//! The result of applying a plan: an outcome for every change that was to be made, and the events on
//! the way there.

mod rollback;

pub use rollback::{Rollback, RollbackOutcome, Shortfall};
use serde::Serialize;

use crate::core::health::HealthSummary;
use crate::core::inventory::Record;
use crate::core::kinds::catalog::Served;
use crate::core::mask::Masked;
use crate::core::object::ObjectKey;
use crate::core::plan::{Action, Reason};
use crate::core::redact::Redactor;

/// The label for the number of objects that deviate from the plan.
pub const DIFFERING: &str = "not as planned";

/// How one change ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", content = "reason", rename_all = "kebab-case")]
pub enum Outcome {
    /// It was made.
    Done,
    /// The deletion is taken and waits for finalizers.
    Terminating,
    /// It failed.
    Failed(Reason),
    /// The server took it, and its answer is not what the plan said.
    Differs(Reason),
    /// It was not tried.
    Skipped(Reason),
    /// It is left for the next run, which is not a fault: something transient may still need it.
    Postponed(Reason),
}

/// One change and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangeOutcome {
    /// Which object.
    pub key: ObjectKey,
    /// The planned action.
    pub action: Action,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// How a plan was carried out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Every change that the plan asked for, in the order in which they ended.
    pub steps: Vec<ChangeOutcome>,
    /// Deleted objects that are still there, and the holder of each where that is known.
    pub held: Vec<(ObjectKey, Option<String>)>,
    /// Whether a signal ended it early.
    pub interrupted: bool,
    /// How many kinds could not be listed, though the user may: what the inventory has of them is
    /// unknown, and so is whether something is left to prune.
    pub unlisted: usize,
    /// Whether the inventory's record now names this commit: everything is as declared.
    pub at_commit: bool,
    /// How the objects are; `None` where the run did not wait for them.
    pub proof: Option<HealthSummary>,
    /// To whom the lock was lost, if that ended it early.
    pub lost: Option<String>,
    /// The rollback to the last healthy commit, where this one failed.
    pub rollback: Option<Rollback>,
    /// The newer commit for which no more was waited for, where not everything was good by then.
    pub superseded: Option<String>,
    /// Kinds that became known while it was carried out, of servers that came up.
    #[serde(skip)]
    pub kinds: Vec<Served>,
    /// The content of the inventory's parent now, where all of it is known.
    #[serde(skip)]
    pub recorded: Option<Record>,
}

impl Outcome {
    /// Why it did not end as it should, if it did not.
    pub fn reason(&self) -> Option<&Reason> {
        match self {
            Self::Done | Self::Terminating => None,
            Self::Failed(reason)
            | Self::Differs(reason)
            | Self::Skipped(reason)
            | Self::Postponed(reason) => Some(reason),
        }
    }

    fn reason_mut(&mut self) -> Option<&mut Reason> {
        match self {
            Self::Done | Self::Terminating => None,
            Self::Failed(reason)
            | Self::Differs(reason)
            | Self::Skipped(reason)
            | Self::Postponed(reason) => Some(reason),
        }
    }
}

impl ChangeOutcome {
    /// The same with everything masked that `redactor` knows.
    pub fn masked(&self, redactor: &Redactor) -> Masked<Self> {
        let mut masked = self.clone();
        masked.mask(redactor);
        Masked::new(masked)
    }

    fn mask(&mut self, redactor: &Redactor) {
        let Some(reason) = self.outcome.reason_mut() else { return };
        redactor.mask_about(&self.key, reason);
    }
}

/// A health summary with everything masked that `redactor` knows.
pub fn masked_health(proof: &HealthSummary, redactor: &Redactor) -> Masked<HealthSummary> {
    let mut masked = proof.clone();
    mask_health(&mut masked, redactor);
    Masked::new(masked)
}

fn mask_health(proof: &mut HealthSummary, redactor: &Redactor) {
    for standing in &mut proof.others {
        let key = &standing.key;
        for text in [&mut standing.health.why].into_iter().chain(&mut standing.details) {
            *text = redactor.text_about(key, text);
        }
    }
    for note in &mut proof.notes {
        *note = redactor.text(note);
    }
}

impl Report {
    /// The report of an apply that had nothing to do, as the target is known to be in sync.
    pub fn in_sync() -> Masked<Self> {
        Masked::new(Self { at_commit: true, ..Self::default() })
    }

    /// The same with everything masked that `redactor` knows.
    pub fn masked(&self, redactor: &Redactor) -> Masked<Self> {
        self.clone().into_masked(redactor)
    }

    /// The same without a copy.
    pub fn into_masked(mut self, redactor: &Redactor) -> Masked<Self> {
        self.steps.iter_mut().for_each(|step| step.mask(redactor));
        self.proof.iter_mut().for_each(|proof| mask_health(proof, redactor));
        for (key, holder) in &mut self.held {
            *holder = holder.as_deref().map(|holder| redactor.text_about(key, holder));
        }
        Masked::new(self)
    }

    /// Notes that a newer commit has come, where this one is not known to be good.
    pub fn supersede(&mut self, newer: Option<&str>) {
        let is_open = !self.is_good() && !self.interrupted && self.lost.is_none();
        self.superseded = newer.filter(|_| is_open).map(str::to_owned);
    }

    /// How many changes ended as `wanted` says.
    pub fn count(&self, wanted: impl Fn(&Outcome) -> bool) -> usize {
        self.steps.iter().filter(|step| wanted(&step.outcome)).count()
    }

    /// Whether everything is as declared, and healthy as far as the run waited for it.
    pub fn is_good(&self) -> bool {
        self.at_commit && self.proof.as_ref().is_none_or(HealthSummary::is_ready)
    }

    /// How many changes were made.
    pub fn done(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Done | Outcome::Terminating))
    }

    /// How many failed.
    pub fn failed(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Failed(_)))
    }

    /// How many were taken by the server and are not as the plan said.
    pub fn differing(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Differs(_)))
    }

    /// How many did not end as planned, whatever came in between.
    pub fn unfinished(&self) -> usize {
        self.failed() + self.differing() + self.skipped()
    }

    /// How many were not tried.
    pub fn skipped(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Skipped(_)))
    }
}
