//! A plan as it can be shown. Objects are compared as they are, since a difference between two values
//! has to be seen before both are masked; what is handed out is masked.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use crate::core::diff::{self, Delta, FieldOrder};
use crate::core::manifest::Origin;
use crate::core::mask::Masked;
use crate::core::object::ObjectKey;
use crate::core::plan::{Action, Change, ChangeTurn, Confidence, NoPreview, Plan, Reason};
use crate::core::redact::Redactor;

/// A plan with everything masked that a redactor knows.
#[derive(Clone, Debug)]
pub struct MaskedPlan<'a> {
    plan: &'a Plan,
    redactor: &'a Redactor,
    /// The objects that it is limited to; `None` for all.
    only: Option<BTreeSet<ObjectKey>>,
    /// How many objects stay as they are besides those of the plan, since they are proven to.
    proven: usize,
}

impl<'a> MaskedPlan<'a> {
    /// `plan` with everything masked that `redactor` knows. That has to know every Secret of the plan:
    /// see [`Redactor::of_plan`].
    pub fn new(plan: &'a Plan, redactor: &'a Redactor) -> Self {
        Self { plan, redactor, only: None, proven: 0 }
    }

    /// A plan of nothing, for what holds no values.
    pub fn none() -> MaskedPlan<'static> {
        MaskedPlan::in_sync(0)
    }

    /// The plan for so many objects that are all proven to stay as they are.
    pub fn in_sync(objects: usize) -> MaskedPlan<'static> {
        static PLAN: LazyLock<Plan> = LazyLock::new(Plan::default);
        static REDACTOR: LazyLock<Redactor> = LazyLock::new(Redactor::default);
        MaskedPlan { proven: objects, ..MaskedPlan::new(&PLAN, &REDACTOR) }
    }

    /// How many objects it is about.
    pub fn object_count(&self) -> usize {
        self.changes().count() + self.proven
    }

    /// The changes of these objects alone.
    pub fn only(&self, objects: impl IntoIterator<Item = ObjectKey>) -> Self {
        Self { only: Some(objects.into_iter().collect()), proven: 0, ..*self }
    }

    /// Every change, in the order in which they are carried out.
    pub fn changes(&self) -> impl Iterator<Item = MaskedChange<'a>> {
        let redactor = self.redactor;
        let changes = self.plan.changes().filter(|change| self.has(&change.key));
        changes.map(move |change| MaskedChange { change, redactor })
    }

    /// Every change with its turn, in the same order.
    pub fn turns(&self) -> impl Iterator<Item = (MaskedChange<'a>, ChangeTurn<'a>)> {
        let redactor = self.redactor;
        let turns = self.plan.turns().filter(|(change, _)| self.has(&change.key));
        turns.map(move |(change, turn)| (MaskedChange { change, redactor }, turn))
    }

    /// How many objects have this action.
    pub fn count(&self, action: Action) -> usize {
        let proven = if action == Action::Keep { self.proven } else { 0 };
        self.changes().filter(|change| change.action() == action).count() + proven
    }

    /// Whether there is nothing to carry out and nothing refused.
    pub fn is_noop(&self) -> bool {
        self.changes().all(|change| change.action() == Action::Keep)
    }

    /// Whether anything would be written.
    pub fn writes(&self) -> bool {
        self.changes().any(|change| change.change.is_work())
    }

    /// Which objects are not pruned because a kind could not be listed.
    pub fn held_back(&self) -> impl Iterator<Item = &'a ObjectKey> {
        self.plan.held_back.iter().filter(|key| self.has(key))
    }

    /// Whether the server takes this object without some field that is declared.
    pub fn is_short(&self, key: &ObjectKey) -> bool {
        self.has(key) && self.plan.short.contains(key)
    }

    /// How many objects the server takes without some field that is declared.
    pub fn short_count(&self) -> usize {
        self.plan.short.iter().filter(|key| self.has(key)).count()
    }

    /// How many kinds could not be listed, though the user may.
    pub fn unlisted(&self) -> usize {
        if self.only.is_none() { self.plan.unlisted } else { 0 }
    }

    fn has(&self, key: &ObjectKey) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(key))
    }
}

/// A change with everything masked.
#[derive(Clone, Copy, Debug)]
pub struct MaskedChange<'a> {
    change: &'a Change,
    redactor: &'a Redactor,
}

/// The identity of a change: the object, its place in a file, the action. It holds no value.
#[derive(Clone, Copy, Debug)]
pub struct ChangeHeading<'a> {
    /// Which object.
    pub key: &'a ObjectKey,
    /// The version in which it is declared, or in which it was seen.
    pub version: &'a str,
    /// Where it is declared; `None` when it no longer is.
    pub origin: Option<&'a Origin>,
    /// The action.
    pub action: Action,
}

impl<'a> MaskedChange<'a> {
    /// Its identity.
    pub fn heading(self) -> ChangeHeading<'a> {
        let Change { key, version, origin, .. } = self.change;
        ChangeHeading { key, version, origin: origin.as_ref(), action: self.action() }
    }

    /// Which object.
    pub fn key(self) -> &'a ObjectKey {
        &self.change.key
    }

    /// The version in which it is declared, or in which it was seen.
    pub fn version(self) -> &'a str {
        &self.change.version
    }

    /// Where it is declared; `None` when it no longer is.
    pub fn origin(self) -> Option<&'a Origin> {
        self.change.origin.as_ref()
    }

    /// The action.
    pub fn action(self) -> Action {
        self.change.action()
    }

    /// Whether there is a reason to tell.
    pub fn has_reason(self) -> bool {
        self.change.reason.is_some()
    }

    /// Why it is refused, or why it is kept though not desired.
    pub fn reason(self) -> Option<Masked<Reason>> {
        let mut reason = self.change.reason.clone()?;
        // A refusal may quote the object; every other reason is trueup's own.
        match self.action() {
            Action::Refuse => self.redactor.mask_about(self.key(), &mut reason),
            _ => self.redactor.mask_in(&mut reason),
        }
        Some(Masked::new(reason))
    }

    /// The source of the prediction of the object.
    pub fn confidence(self) -> Masked<Confidence> {
        let mut confidence = self.change.confidence().clone();
        if let Confidence::Local(why) = &mut confidence {
            match why {
                NoPreview::DryRun(words) => self.redactor.mask_about(self.key(), words),
                NoPreview::Prerequisite(prerequisite) => {
                    self.redactor.mask_about(self.key(), prerequisite);
                }
                NoPreview::Recreate | NoPreview::Value(_) => {}
            }
        }
        Masked::new(confidence)
    }

    /// The difference, in the order in which a file declares the object.
    pub fn delta(self, order: &FieldOrder) -> Delta {
        Delta::in_order(self.change, self.redactor, order)
    }

    /// The same with texts that hold the objects as they are laid out by the server, for other
    /// programs to compare.
    pub fn plain_delta(self, order: &FieldOrder) -> Delta {
        Delta::plain(self.change, self.redactor, order)
    }

    /// The object that the change deletes, as YAML.
    pub fn deleted_text(self) -> String {
        diff::gone_text(self.change, self.redactor)
    }
}
