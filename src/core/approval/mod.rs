//! An approved plan, in a form that can be kept and compared with what is found later.
//!
//! An [`Approval`] holds no value of any object. It names the commit, the cluster and every object
//! that is not simply kept, with digests of what the approved difference depends on (see
//! [`digest`]): the live fields that it changes, and what they become. A status, a field of another
//! manager, an annotation of a controller are no part of that, so they may move.
//!
//! Data only: [`crate::local::plan_file`] keeps it in a file, [`crate::app`] looks again.

pub mod digest;
pub mod document;
mod moved;
mod wrong_place;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::core::desired::Desired;
use crate::core::inventory::Inventory;
use crate::core::object::ObjectKey;
use crate::core::observed::Unlisted;
use crate::core::plan::{Action, Change, Plan};
use crate::core::policy::Permissions;
use crate::core::redact::Redactor;
use digest::Digest;

pub use moved::{MoveReason, MovedObject};
pub use wrong_place::WrongPlace;

/// A plan that was approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Its purpose.
    pub purpose: Purpose,
    /// A digest of everything that the commit declares.
    pub desired: Digest,
    /// Every object that is not simply kept, in the order of carrying out.
    pub changes: Vec<Approved>,
}

/// The purpose of a plan, and the permissions when it was made. Digests are salted with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "purpose"))]
#[serde(deny_unknown_fields)]
pub struct Purpose {
    /// The target's name.
    pub target: String,
    /// Whether `trueup.yaml` of the commit says more of this target.
    pub declared: bool,
    /// Its paths from the checkout's root; the empty path is the whole of it.
    pub paths: Vec<String>,
    /// The namespace of namespaced objects that name none.
    pub namespace: String,
    /// The record of what the target put there.
    pub inventory: Inventory,
    /// Where it is to be carried out.
    pub cluster: ApprovedCluster,
    /// The commit, by its full id.
    pub commit: String,
    /// The id of the repository's first commit.
    pub repository: String,
    /// The operator's permissions. Those of the commit are in the commit.
    pub permissions: Permissions,
}

/// The cluster that a plan was made for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "purpose_cluster"))]
#[serde(deny_unknown_fields)]
pub struct ApprovedCluster {
    /// Its name for people.
    pub name: String,
    /// Its identity.
    pub uid: String,
}

/// The approval of one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approved {
    /// The approved action.
    pub action: Action,
    /// Which object.
    pub object: ObjectKey,
    /// The version in which it is declared, or in which it was seen.
    pub version: String,
    /// The live object's uid; `None` where there is none.
    pub uid: Option<String>,
    /// A digest of the live fields that the change depends on.
    pub live: Option<Digest>,
    /// A digest of what it becomes.
    pub becomes: Option<Digest>,
}

/// The present observation, to make an approval of or to compare with one.
#[derive(Clone, Copy)]
pub struct ApprovalInput<'a> {
    /// The decision.
    pub plan: &'a Plan,
    /// The declared objects.
    pub desired: &'a Desired,
    /// Kinds whose objects could not be listed.
    pub unlisted: &'a [Unlisted],
    /// Knows every Secret that was seen.
    pub redactor: &'a Redactor,
}

/// How an approval and what was found later differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApprovalDifference {
    /// The commit declares something else than it did, as a renderer of another version makes it.
    pub desired: bool,
    /// Every object whose relevant state moved, in the order of their keys.
    pub moved: Vec<MovedObject>,
}

impl ApprovalDifference {
    /// Whether exactly what was approved comes out again, apart from what is done already.
    pub fn is_none(&self) -> bool {
        !self.desired && self.moved.is_empty()
    }
}

impl Approval {
    /// The approval of a plan.
    pub fn new(purpose: Purpose, found: ApprovalInput<'_>) -> Self {
        let approved = found.plan.changes().filter(|change| change.action() != Action::Keep);
        let changes = approved.map(|change| Approved::new(change, &purpose, found.redactor));
        let changes = changes.collect();
        let desired = digest::desired(&purpose, found.desired, found.redactor);
        Self { purpose, desired, changes }
    }

    /// How what is found now differs from what was approved.
    pub fn difference(&self, found: ApprovalInput<'_>) -> ApprovalDifference {
        let approved: BTreeMap<&ObjectKey, &Approved> =
            self.changes.iter().map(|approved| (&approved.object, approved)).collect();
        let now: BTreeMap<&ObjectKey, &Change> =
            found.plan.changes().map(|change| (&change.key, change)).collect();
        let keys: BTreeSet<&ObjectKey> = approved.keys().chain(now.keys()).copied().collect();
        let moved = keys.into_iter().filter_map(|key| {
            let (approved, now) = (approved.get(key).copied(), now.get(key).copied());
            let why = match (approved, now) {
                (None, Some(now)) => {
                    (now.action() != Action::Keep).then_some(MoveReason::NotApproved)
                }
                (Some(approved), Some(now)) => self.moved_object(approved, now, found.redactor),
                (Some(approved), None) => {
                    let is_known = found.unlisted.iter().all(|kind| kind.kind != key.group_kind());
                    (!is_known && approved.action != Action::Refuse).then_some(MoveReason::Unknown)
                }
                (None, None) => None,
            };
            Some(MovedObject {
                object: key.clone(),
                approved: approved.map(|approved| approved.action),
                now: now.map(Change::action),
                why: why?,
            })
        });
        let moved = moved.collect();
        let desired = digest::desired(&self.purpose, found.desired, found.redactor);
        ApprovalDifference { desired: desired != self.desired, moved }
    }

    /// Whether `now`, which was found a moment ago, is what was approved for its object.
    pub fn holds(&self, now: &Change, redactor: &Redactor) -> bool {
        let approved = self.changes.iter().find(|approved| approved.object == now.key);
        approved.is_some_and(|approved| self.moved_object(approved, now, redactor).is_none())
    }

    fn moved_object(
        &self,
        approved: &Approved,
        now: &Change,
        redactor: &Redactor,
    ) -> Option<MoveReason> {
        moved::why(approved, now, &Approved::new(now, &self.purpose, redactor))
    }
}

impl Approved {
    fn new(change: &Change, purpose: &Purpose, redactor: &Redactor) -> Self {
        let Change { key, version, .. } = change;
        let action = change.action();
        let digests = digest::change(purpose, change, redactor);
        // Nothing is done to what is refused, so nothing of it can move.
        let live = change.live().filter(|_| action != Action::Refuse);
        Self {
            action,
            object: key.clone(),
            version: version.clone(),
            uid: live.and_then(|live| live.uid()).map(str::to_owned),
            live: digests.live,
            becomes: digests.becomes,
        }
    }
}

#[cfg(test)]
mod tests;
