//! Guards between a plan and a deletion.

use std::collections::{BTreeMap, BTreeSet};

use super::approved::{self, NotApproved};
use super::context::PlanContext;
use super::deletion_switches;
use super::{Action, Change, DeletionGuard, DependencyReason, Reason, ReasonKind};
use crate::core::annotations::{REPLACE, flag};
use crate::core::desired::Desired;
use crate::core::finalizers::what_holds;
use crate::core::inventory::Inventory;
use crate::core::inventory::reserved::ReservedObject;
use crate::core::kinds::catalog::{brought_by, definition, is_crd, is_namespace};
use crate::core::managed_fields;
use crate::core::manifest::Origin;
use crate::core::moves::Destination;
use crate::core::object::{Object, ObjectKey};
use crate::core::observed::Observed;
use crate::core::remedy::Remedy;

/// Why nothing at all may be pruned in this run; `None` when it may.
///
/// Unknown is not absent: whatever could not be read, listed or asked about may hold any object of
/// the inventory.
pub(super) fn why_not_prune(
    desired: &Desired,
    observed: &Observed,
    refused: usize,
    allowed: &PlanContext,
) -> Option<(Action, Reason)> {
    if !desired.problems.is_empty() {
        let kind = ReasonKind::NotPrunedProblems { count: desired.problems.len() };
        return Some((Action::Keep, kind.into()));
    }
    if let Some(unlisted) = observed.unlisted.first() {
        let kind = &unlisted.kind;
        let remedy = unlisted.is_forbidden.then(|| {
            let remedy = format!(
                "let this user list {kind}, in the cluster or in every namespace of the inventory"
            );
            remedy.into()
        });
        let kind = ReasonKind::NotPrunedUnlisted { kind: kind.clone() };
        return Some((Action::Keep, Reason { remedy, ..kind.into() }));
    }
    if refused > 0 {
        let kind = ReasonKind::NotPrunedRefusals { count: refused };
        return Some((Action::Keep, kind.into()));
    }
    if desired.objects.is_empty() && !allowed.policy.operator.allow_empty {
        let reason = Reason::with_remedy(ReasonKind::NothingDeclared, Remedy::AllowEmpty);
        return Some((Action::Refuse, reason));
    }
    None
}

/// The rules for live objects that carry the inventory's label and are not desired.
pub(super) struct PruneRules<'a> {
    /// The inventory.
    pub(super) inventory: &'a Inventory,
    /// The objects that an ignore file leaves out, and where each is declared.
    pub(super) left_out: &'a BTreeMap<ObjectKey, Origin>,
    /// The objects that another target of the commit takes over.
    pub(super) leaving: &'a BTreeMap<ObjectKey, Destination>,
    /// Whether nothing is desired any more, so that the record itself may go.
    pub(super) is_last: bool,
    /// Why nothing at all may be pruned.
    pub(super) blocked: Option<(Action, Reason)>,
    /// The user's permissions.
    pub(super) allowed: &'a PlanContext,
}

impl PruneRules<'_> {
    /// The decision about one of them, and why it is not deleted if it is not.
    pub(super) fn decide(&self, key: &ObjectKey, live: &Object) -> (Action, Option<Reason>) {
        let keep = |why: ReasonKind| (Action::Keep, Some(why.into()));
        if !managed_fields::is_ours(live, &self.inventory.id()) {
            return keep(ReasonKind::NeverApplied);
        }
        if live.is_terminating() {
            return keep(ReasonKind::BeingDeleted { holder: what_holds(live) });
        }
        if let Some(keeper) = ReservedObject::of(live) {
            return keep(ReasonKind::RecordKept { keeper });
        }
        match self.leaving.get(key) {
            Some(Destination::Target { name, is_kept }) => {
                let action = if *is_kept { Action::Keep } else { Action::Abandon };
                let kind = ReasonKind::MovesTo { target: name.clone(), is_kept: *is_kept };
                return (action, Some(kind.into()));
            }
            Some(Destination::Unread(target)) => {
                return keep(ReasonKind::MayMove { target: target.clone() });
            }
            None => {}
        }
        if let Some(origin) = self.left_out.get(key) {
            let kind = ReasonKind::IgnoredFile { place: origin.location() };
            let remedy = "to delete it, remove it from that file";
            return (Action::Keep, Some(Reason::with_remedy(kind, remedy)));
        }
        if let Some((action, reason)) = &self.blocked {
            return (*action, Some(reason.clone()));
        }
        match deletion_switches::switch_of(live, self.allowed) {
            Some(deletion_switches::DeletionSwitch::Keep(said)) => {
                return (Action::Abandon, Some(ReasonKind::Kept { said }.into()));
            }
            Some(deletion_switches::DeletionSwitch::Confirm(said)) => {
                let approval = match approved::approval(live, self.allowed.now) {
                    Err(NotApproved::Missing) | Ok(()) => None,
                    Err(why_not) => Some(why_not),
                };
                let remedy = Remedy::ConfirmDelete { kind: key.kind.clone() };
                let kind = ReasonKind::Unconfirmed { said, approval };
                return (Action::Keep, Some(Reason::with_remedy(kind, remedy)));
            }
            Some(deletion_switches::DeletionSwitch::Unclear(fault)) => {
                let remedy = fault.hint.clone();
                let kind = ReasonKind::UnclearProtection { fault };
                return (Action::Refuse, Some(Reason::with_remedy(kind, remedy)));
            }
            None => {}
        }
        match self.why_home(key).or_else(|| self.why_guarded(key, live)) {
            Some(reason) => (Action::Refuse, Some(reason)),
            None => (Action::Delete, None),
        }
    }

    /// Why what holds data is not deleted: neither the user nor a person on the object allows it.
    fn why_guarded(&self, key: &ObjectKey, live: &Object) -> Option<Reason> {
        let GuardedObject { guard, remedy } = guarded(key, live, self.allowed)?;
        let approval = match approved::approval(live, self.allowed.now) {
            Ok(()) => return None,
            Err(NotApproved::Missing) => None,
            Err(why_not) => Some(why_not),
        };
        Some(Reason::with_remedy(ReasonKind::Guarded { guard, approval }, remedy))
    }

    /// Without its record, the other objects of the inventory would be unknown.
    fn why_home(&self, key: &ObjectKey) -> Option<Reason> {
        let is_home = is_namespace(key) && key.name == self.inventory.namespace;
        (is_home && !self.is_last).then(|| {
            Reason::with_remedy(
                ReasonKind::HoldsInventory,
                "declare the namespace again; it goes with the last of the objects",
            )
        })
    }
}

/// Whether an object that was to be deleted may still be deleted as it is now: in the meantime it
/// may have got an annotation against it, or lost an approval.
pub fn may_go(key: &ObjectKey, live: &Object, allowed: &PlanContext) -> bool {
    let is_guarded = || guarded(key, live, allowed).is_some();
    ReservedObject::of(live).is_none()
        && deletion_switches::switch_of(live, allowed).is_none()
        && (!is_guarded() || approved::is_approved(live, allowed.now))
}

/// Why deleting this object takes a word of the user's, whatever is approved on it.
pub(super) fn why_guarded(key: &ObjectKey, live: &Object, allowed: &PlanContext) -> Option<Reason> {
    let GuardedObject { guard, remedy } = guarded(key, live, allowed)?;
    Some(Reason::with_remedy(ReasonKind::Guarded { guard, approval: None }, remedy))
}

/// The objects and data that are deleted with an object, and how that is allowed.
struct GuardedObject {
    guard: DeletionGuard,
    remedy: Remedy,
}

fn guarded(key: &ObjectKey, live: &Object, allowed: &PlanContext) -> Option<GuardedObject> {
    let mut kind = key.kind.as_str();
    let guard = match (key.group.as_str(), kind) {
        _ if is_namespace(key) => DeletionGuard::Contents,
        ("", "PersistentVolumeClaim" | "PersistentVolume") => DeletionGuard::Data,
        _ if is_crd(key) => DeletionGuard::Instances(*allowed.instances.get(key)?),
        ("apps", "StatefulSet") if takes_claims_with_it(live) => {
            kind = "PersistentVolumeClaim";
            DeletionGuard::Claims
        }
        _ => return None,
    };
    if allowed.allows_deletion_of(kind) {
        return None;
    }
    Some(GuardedObject { guard, remedy: Remedy::AllowDelete { kind: kind.to_owned() } })
}

/// Why a live object that keeps track of others is not written to, though a manifest of the same name
/// does not look like it.
pub(super) fn why_untouched(action: Action, live: &Object) -> Option<Reason> {
    let keeper = ReservedObject::of(live).filter(|_| action != Action::Keep)?;
    Some(Reason::with_remedy(
        ReasonKind::IsRecord { keeper },
        "give the object in the manifest another name, or list its file in .trueupignore",
    ))
}

/// Why a manifest is not applied that gives a live object an owner which it does not have. The
/// garbage collector deletes what it belongs to together with its owner, or at once where there is
/// no such owner. It does not ask whether the object holds data or is to stay
/// (kubernetes/pkg/controller/garbagecollector).
pub(super) fn why_owned(action: Action, send: &Object, live: &Object) -> Option<Reason> {
    let owners = |object: &Object| -> BTreeSet<String> {
        let owners = object.metadata().and_then(|metadata| metadata.get("ownerReferences"));
        let owners = owners.and_then(|owners| owners.as_array()).into_iter().flatten();
        owners.map(|owner| owner["uid"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let adds = matches!(action, Action::Update | Action::Replace)
        && !owners(send).is_subset(&owners(live));
    adds.then(|| {
        Reason::with_remedy(ReasonKind::OwnerReferences, "take ownerReferences out of the manifest")
    })
}

/// Whether a live object may be deleted to be recreated: it may say that it stays, or is not to be
/// replaced, and what takes its place may not.
pub fn may_be_replaced(live: &Object, send: &Object) -> bool {
    !deletion_switches::is_loosened(live, send) && flag(live, REPLACE) != Some(false)
}

/// Whether a controller deletes the claims of a StatefulSet once it is deleted.
fn takes_claims_with_it(live: &Object) -> bool {
    let spec = live.0.get("spec");
    let policy = spec.and_then(|spec| spec.get("persistentVolumeClaimRetentionPolicy"));
    let claims = spec.and_then(|spec| spec["volumeClaimTemplates"].as_array());
    policy.is_some_and(|policy| policy["whenDeleted"] == "Delete")
        && claims.is_some_and(|claims| !claims.is_empty())
}

/// Refuses to delete a namespace, a definition or an APIService that something needs which stays.
pub(super) fn keep_homes(desired: &[Change], undesired: &mut [Change]) {
    if undesired.is_empty() {
        return;
    }
    let mut stays = BTreeMap::new();
    let leaves = |change: &Change| change.action() == Action::Delete || change.is_terminating();
    for change in desired.iter().chain(&*undesired).filter(|change| !leaves(change)) {
        let is_declared = change.origin.is_some();
        stays.entry(change.key.clone()).or_insert((is_declared, change.version.clone()));
    }
    for change in undesired.iter_mut().filter(|change| change.action() == Action::Delete) {
        let kind = change.live().filter(|_| is_crd(&change.key)).and_then(definition);
        let served = change.live().and_then(brought_by);
        let is_home = |key: &ObjectKey, version: &str| match (&kind, &served) {
            (Some((kind, _)), _) => key.group_kind() == *kind,
            (_, Some(served)) => *served == format!("{}/{version}", key.group),
            _ => is_namespace(&change.key) && key.namespace.as_ref() == Some(&change.key.name),
        };
        let mut stays = stays.iter();
        if let Some((key, (is_declared, _))) =
            stays.find(|(key, (_, version))| is_home(key, version))
        {
            let need = match (&kind, &served) {
                (Some(_), _) => DependencyReason::Defines,
                (_, Some(_)) => DependencyReason::Serves,
                _ => DependencyReason::Holds,
            };
            let (object, is_declared) = (key.clone(), *is_declared);
            change.refuse(ReasonKind::StillNeeded { need, object, is_declared }.into());
        }
    }
}
