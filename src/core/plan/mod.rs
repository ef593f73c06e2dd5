//! The decision: for every object of desired ∪ inventory one action, in the order in which they
//! are carried out. Pure, total and deterministic.
//!
//! diff prints and apply carries out the same [`Plan`].

mod admission_limits;
mod approved;
mod budget;
mod change;
mod conflicts;
mod context;
mod decide;
mod decision;
mod deletion_switches;
mod edges;
mod fixed_fields;
pub mod graph;
mod guards;
mod idle_rules;
mod lost_record;
mod modes;
mod order;
mod order_switches;
mod ordered_changes;
pub mod queue;
mod reason;
mod replace;
mod selector;
mod sequence;
mod unique_values;

use std::collections::BTreeSet;

pub use approved::NotApproved;
pub use change::{Change, Confidence, Effect, NoPreview, Write};
pub use context::PlanContext;
use decide::{Subject, decide};
use decision::Decision;
use graph::Graph;
use guards::PruneRules;
pub use guards::{may_be_replaced, may_go};
pub use idle_rules::idle_rules;
pub use ordered_changes::{ChangePart, ChangeTurn, OrderedChanges};
pub use reason::{
    DeletionGuard, DependencyEnd, DependencyReason, PruneBlocker, Reason, ReasonKind, ValueHolder,
};
use sequence::{CreationOrder, deleting, making};
pub use sequence::{says_turn, turns};
use serde::{Deserialize, Serialize};
pub use unique_values::{FreedValue, deleted_first};

use crate::core::annotations::Mode;
use crate::core::compare::dropped;
use crate::core::desired::Desired;
use crate::core::inventory::{Inventory, PART_OF};
use crate::core::manifest::Manifest;
use crate::core::object::{Object, ObjectKey};
use crate::core::observed::{Observation, Observed};
use crate::core::problem::{Cause, Problem};

/// The action on one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "action"))]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It does not exist: make it.
    Create,
    /// It differs: change it.
    Update,
    /// It differs in a way that no update can make true: delete and recreate it. Only ever planned
    /// on request.
    Replace,
    /// It is in the inventory and no longer desired: delete it.
    Delete,
    /// Leave its values as they are, and have nothing to do with it from now on: it is a member of
    /// the inventory no more.
    Abandon,
    /// Leave it as it is.
    Keep,
    /// It should be otherwise, and trueup or the API server refuses to make it so.
    Refuse,
}

impl Action {
    /// Every action, in the order of the summary.
    pub const ALL: [Self; 7] = [
        Self::Create,
        Self::Update,
        Self::Replace,
        Self::Delete,
        Self::Abandon,
        Self::Keep,
        Self::Refuse,
    ];

    /// The action's name, as in output and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Delete => "delete",
            Self::Abandon => "abandon",
            Self::Keep => "keep",
            Self::Refuse => "refuse",
        }
    }
}

/// One action for every object: first what is desired, then what is to go.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The changes of desired objects.
    pub desired: OrderedChanges,
    /// The changes of objects in the inventory that are no longer desired.
    pub undesired: OrderedChanges,
    /// Which objects are not pruned because a kind could not be listed.
    pub held_back: Vec<ObjectKey>,
    /// How many kinds could not be listed, though the user may: they may hold what is to be pruned.
    pub unlisted: usize,
    /// Warnings about the order.
    pub warnings: Vec<Problem>,
    /// Which objects the server takes without some field that is declared.
    pub short: Vec<ObjectKey>,
    /// How many objects the inventory has, where that is to be recorded before any is added.
    pub begins_with: Option<usize>,
}

impl Plan {
    /// Changes to be looked at: none waits for another.
    pub fn loose(changes: Vec<Change>) -> Self {
        let graph = Graph::loose(changes.len());
        Self { desired: OrderedChanges::new(changes, graph, Vec::new()), ..Self::default() }
    }

    /// Every change, in the order in which they are carried out.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        let parts = ChangePart::ALL.into_iter();
        parts.flat_map(|part| self.desired.part(part).chain(self.undesired.part(part)))
    }

    /// Every change with its turn, in the same order.
    pub fn turns(&self) -> impl Iterator<Item = (&Change, ChangeTurn<'_>)> {
        let parts = ChangePart::ALL.into_iter();
        parts.flat_map(|part| self.desired.turns(part).chain(self.undesired.turns(part)))
    }

    /// How many objects have this action.
    pub fn count(&self, action: Action) -> usize {
        self.changes().filter(|change| change.action() == action).count()
    }

    /// Whether there is nothing to carry out and nothing refused.
    pub fn is_noop(&self) -> bool {
        self.changes().all(|change| change.action() == Action::Keep)
    }

    /// Whether the cluster is as the plan wants it, as far as it was seen.
    pub fn is_true(&self) -> bool {
        self.is_noop() && self.held_back.is_empty() && self.short.is_empty() && self.unlisted == 0
    }

    /// Whether anything would be written.
    pub fn writes(&self) -> bool {
        self.changes().any(Change::is_work)
    }
}

/// Decides what to do with every object of desired ∪ inventory.
pub fn plan(
    desired: &Desired,
    mut observed: Observed,
    inventory: &Inventory,
    allowed: &PlanContext,
) -> Plan {
    lost_record::take_in(&mut observed, allowed);
    let id = inventory.id();
    let is_member = |live: &&Object| live.label(PART_OF) == Some(id.as_str());
    // Some of what was observed is moved into the plan.
    let live = observed.objects.values().filter_map(Observation::live);
    let members = budget::base(live.filter(is_member).count(), observed.begun_with);
    let CreationOrder { order, graph, waves, mut refused, warnings } =
        making(desired, &observed.taken);
    let mut changes = Vec::with_capacity(order.len());
    let mut short = Vec::new();
    for (key, manifest) in order.iter().filter_map(|key| desired.objects.get_key_value(*key)) {
        let observation = observed.objects.get(key);
        let live = observation.and_then(Observation::live);
        let send = desired.sent(key, manifest, live);
        let subject = Subject { key, manifest, send: &send, observation };
        let why_not =
            lost_record::why_not(key, &observed.unrecorded).or_else(|| refused.remove(key));
        let mut decision = match modes::finished(key, manifest, observation, &observed.finished) {
            Some(decision) => decision,
            None => wanted(subject, desired, inventory, allowed, why_not),
        };
        if let Some(reason) = falls_short(&decision, manifest, &send) {
            decision.reason = Some(reason);
            short.push(key.clone());
        }
        let is_sent = !matches!(decision.action, Action::Keep | Action::Abandon);
        let send = is_sent.then(|| match (decision.action, &decision.live) {
            (Action::Replace, Some(live)) => {
                desired.recreate_manifest(key, manifest, live).into_owned()
            }
            _ => send.into_owned(),
        });
        // An abandoned object exists in the version that it was seen in.
        let seen = decision.live.as_ref().filter(|_| decision.action == Action::Abandon);
        let version = seen.unwrap_or(&manifest.object).version().to_owned();
        decision.live = decision.live.or_else(|| observed.take(key));
        changes.push(Change {
            key: key.clone(),
            version,
            origin: Some(manifest.declared()),
            reason: decision.reason.take(),
            effect: decision.into_effect(send),
        });
    }
    let taken = std::mem::take(&mut observed.taken);
    let is_everything = desired.objects.is_empty() && allowed.policy.operator.allow_empty;
    let gone = loop {
        let refused = changes.iter().filter(|change| change.action() == Action::Refuse).count();
        let undesired = PruneRules {
            inventory,
            left_out: &desired.left_out,
            leaving: &desired.leaving,
            is_last: desired.objects.is_empty(),
            blocked: guards::why_not_prune(desired, &observed, refused, allowed),
            allowed,
        };
        let mut gone = leaving(desired, &observed, &undesired);
        guards::keep_homes(&changes, &mut gone);
        budget::keep_within(&mut gone, allowed.policy.max_prune(), is_everything, members);
        let is_refused = admission_limits::settle(&mut changes, &gone, desired);
        if !unique_values::settle(&mut changes, &gone, &taken, desired) && !is_refused {
            break gone;
        }
    };
    let is_held_back = |change: &&Change| {
        let why = change.reason.as_ref().map(|reason| &*reason.kind);
        let is_blocked = why.is_some_and(ReasonKind::holds_all_back);
        change.action() == Action::Keep && (change.live().is_none() || is_blocked)
    };
    let held_back = match observed.unlisted.is_empty() {
        true => Vec::new(),
        false => gone.iter().filter(is_held_back).map(|change| change.key.clone()).collect(),
    };
    let unlisted = observed.unlisted.iter().filter(|kind| !kind.is_forbidden).count();
    let begins_with = budget::begins_with(members, &changes, &gone, is_member);
    let later = unique_values::after_deletions(&changes, &graph);
    let holders = changes.iter().flat_map(deleted_first).cloned().collect();
    let undesired = sorted(gone, &holders);
    let desired = OrderedChanges { later, ..OrderedChanges::new(changes, graph, waves) };
    Plan { desired, undesired, held_back, short, unlisted, warnings, begins_with }
}

/// The declared fields that the server drops, if its own answer says so.
fn falls_short(decision: &Decision, manifest: &Manifest, send: &Object) -> Option<Reason> {
    let is_asked = matches!(decision.action, Action::Create | Action::Update | Action::Keep)
        && decision.confidence == Confidence::Server
        && decision.reason.is_none();
    let merged = decision.merged.as_ref().filter(|_| is_asked)?;
    let fields = dropped(send, merged);
    if fields.is_empty() {
        return None;
    }
    let kind = ReasonKind::FieldsDropped;
    let cause = |field| Cause { field, message: kind.to_string(), place: None };
    let causes = manifest.located(fields.into_iter().map(cause).collect());
    let remedy = "remove it from the manifest, unless the server is about to support it";
    Some(Reason { causes, ..Reason::with_remedy(kind, remedy) })
}

/// Decides about a desired object. It is refused where the reason `why_not` is given, such as an
/// unknown turn. So is one with an invalid annotation, and one that keeps track of others.
fn wanted(
    subject: Subject<'_>,
    desired: &Desired,
    inventory: &Inventory,
    allowed: &PlanContext,
    why_not: Option<Reason>,
) -> Decision {
    let Subject { manifest, send, observation, .. } = subject;
    let unclear = modes::wrong(manifest);
    let decision = modes::decide(manifest, observation, inventory).unwrap_or_else(|| {
        let mut decision = decide(subject, inventory, allowed);
        if unclear.is_none() {
            conflicts::settle(&mut decision, subject, desired);
        }
        decision
    });
    let why_not = why_not.filter(|_| !Mode::ignores(&manifest.object));
    let keeper = || {
        let live = observation?.live()?;
        let untouched = guards::why_untouched(decision.action, live);
        untouched.or_else(|| guards::why_owned(decision.action, send, live))
    };
    match unclear.or(why_not).or_else(keeper).filter(|_| decision.action != Action::Refuse) {
        None => decision,
        Some(reason) => Decision {
            action: Action::Refuse,
            live: decision.live,
            merged: None,
            confidence: Confidence::Server,
            reason: Some(reason),
        },
    }
}

/// The decisions about objects in the inventory that are no longer desired.
fn leaving(desired: &Desired, observed: &Observed, undesired: &PruneRules<'_>) -> Vec<Change> {
    let mut changes = Vec::new();
    for (key, observation) in &observed.objects {
        if desired.objects.contains_key(key) {
            continue;
        }
        let (action, live, reason) = match observation {
            Observation::Unknown(why) => {
                let why = ReasonKind::Unknown { message: why.clone() };
                (Action::Keep, None, Some(why.into()))
            }
            Observation::Seen { live: None, .. } => continue,
            Observation::Seen { live: Some(live), .. } => {
                let (action, reason) = undesired.decide(key, live);
                (action, Some(live.clone()), reason)
            }
        };
        let version = live.as_ref().map_or_else(String::new, |live| live.version().to_owned());
        let effect = match (action, live) {
            (Action::Delete, Some(live)) => Effect::Delete { live },
            (Action::Abandon, Some(live)) => {
                Effect::Abandon { released: released_copy(&live), live }
            }
            (Action::Refuse, live) => Effect::Refuse { live, send: None },
            (_, live) => Effect::Keep { live, becomes: None },
        };
        changes.push(Change { key: key.clone(), version, origin: None, effect, reason });
    }
    changes
}

/// The object as it is, and no member of the inventory.
fn released_copy(live: &Object) -> Object {
    let mut free = live.clone();
    if let Some(crate::core::json::Value::Object(labels)) = free.metadata_mut().get_mut("labels") {
        labels.remove(PART_OF);
    }
    free
}

/// Deletions in the order in which they are carried out; others of the plan wait for those of
/// `holders`.
fn sorted(changes: Vec<Change>, holders: &BTreeSet<ObjectKey>) -> OrderedChanges {
    let live: Vec<_> = changes.iter().map(|change| (&change.key, change.live())).collect();
    let (places, graph, waves) = deleting(&live);
    let mut changes: Vec<Option<Change>> = changes.into_iter().map(Some).collect();
    let in_order: Vec<Change> = places.into_iter().filter_map(|at| changes[at].take()).collect();
    let later = unique_values::other_deletions(&in_order, &graph, holders);
    OrderedChanges { later, ..OrderedChanges::new(in_order, graph, waves) }
}

#[cfg(test)]
mod tests;
