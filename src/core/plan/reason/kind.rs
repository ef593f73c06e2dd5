//! Every kind of reason with its stable code. The words are in `words.rs`, and are made of these values:
//! nothing reads a sentence again.

use serde::Serialize;

use super::facts::{DeletionGuard, DependencyEnd, DependencyReason, PruneBlocker, ValueHolder};
use crate::core::annotations::AnnotationFault;
use crate::core::inventory::reserved::ReservedObject;
use crate::core::mask::Mask;
use crate::core::object::{GroupKind, ObjectKey};
use crate::core::plan::approved::NotApproved;
use crate::core::policy::MaxPrune;
use crate::core::problem::Location;

/// Declares the kinds with their codes, so that none can be without one, nor any text in it be
/// forgotten where texts are masked.
macro_rules! kinds {
    ($(
        $(#[$doc:meta])*
        $code:literal $kind:ident $({ $( $(#[$about:meta])* $field:ident: $type:ty, )* })?
    )*) => {
        /// Why something is as it is.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        #[serde(tag = "code")]
        pub enum ReasonKind {
            $(
                $(#[$doc])*
                #[serde(rename = $code)]
                $kind $({ $( $(#[$about])* $field: $type, )* })?,
            )*
        }

        impl ReasonKind {
            /// The code of every kind, in the order of the documentation.
            pub const CODES: &[&str] = &[$($code),*];

            /// Its code, which stays as it is while JSON's `version` does.
            pub fn code(&self) -> &'static str {
                match self { $( Self::$kind $({ $( $field: _, )* })? => $code, )* }
            }
        }

        impl Mask for ReasonKind {
            fn mask(&mut self, masked: &dyn Fn(&str) -> String) {
                let _ = masked; // kinds without fields have nothing to mask
                match self {
                    $( Self::$kind $({ $( $field, )* })? => { $($( $field.mask(masked); )*)? } )*
                }
            }
        }
    };
}

kinds! {
    /// It could not be read: the words of whoever tried.
    "unknown" Unknown {
        /// The fault.
        message: String,
    }
    /// It was not read.
    "not-looked-up" NotLookedUp
    /// The server was not asked what it would become.
    "not-asked" NotAsked
    /// The server refuses it.
    "refused-by-server" RefusedByServer {
        /// The server's words.
        message: String,
    }
    /// The server drops fields that are declared.
    "fields-dropped" FieldsDropped
    /// It is the ConfigMap that the inventory's record is in.
    "is-inventory" IsInventory
    /// It keeps track of other objects.
    "is-record" IsRecord {
        /// Its kind.
        keeper: ReservedObject,
    }
    /// It is a member of another ApplySet.
    "other-applyset" OtherApplySet {
        /// The other one's id.
        id: String,
        /// The target of this repository that it is of, and its inventory.
        target: Option<String>,
    }
    /// Another tool says that it is its own.
    "other-owner" OtherOwner {
        /// The owner, in words.
        owner: String,
    }
    /// The manifest gives it an owner with which the garbage collector would delete it.
    "owner-references" OwnerReferences
    /// Members are there of which the inventory's record says nothing.
    "unrecorded-members" UnrecordedMembers {
        /// How many they are.
        count: usize,
        /// Some of them.
        named: Vec<ObjectKey>,
        /// There is no record at all.
        is_gone: bool,
    }
    /// An annotation of trueup's own says nothing that it can mean.
    "invalid-annotation" InvalidAnnotation {
        /// All that is wrong.
        faults: Vec<AnnotationFault>,
    }
    /// Its annotations do not say when its turn is.
    "invalid-order" InvalidOrder {
        /// The fault.
        fault: AnnotationFault,
    }
    /// It would wait for itself.
    "cycle" Cycle {
        /// Each waits for the next, and the last for the first.
        objects: Vec<ObjectKey>,
    }
    /// Others own fields that are declared otherwise; the causes name them.
    "conflict" Conflict
    /// Others protect it by an annotation that the manifest has otherwise; the causes name them.
    "protected-by-other" ProtectedByOther
    /// Some fields are left to others, as is asked for; the causes name them.
    "left-to-others" LeftToOthers
    /// Another object has a value that only one can have.
    "value-taken" ValueTaken {
        /// The field that was to have it.
        field: String,
        /// The value.
        value: String,
        /// Why it does not get free.
        stays: ValueHolder,
    }
    /// Fields of it can't change, in the server's words.
    "immutable" Immutable {
        /// The server's words.
        message: String,
    }
    /// Fields of it can't change, and the server refuses what would take its place.
    "not-recreatable" NotRecreatable {
        /// The fields.
        fields: Vec<String>,
        /// The server's words.
        message: String,
    }
    /// Fields of it can't change, and its protection would be lost with it.
    "recreate-loses-protection" RecreateLosesProtection {
        /// The fields.
        fields: Vec<String>,
    }
    /// Fields of it can't change, and something forbids that it is deleted for it.
    "not-recreated" NotRecreated {
        /// The fields.
        fields: Vec<String>,
        /// The reason.
        why: Box<ReasonKind>,
    }
    /// Fields of it can't change: it is deleted and recreated.
    "recreated" Recreated {
        /// The fields.
        fields: Vec<String>,
    }
    /// It is being deleted, and is recreated once it is gone.
    "recreated-once-gone" RecreatedOnceGone
    /// It is none of trueup's own.
    "not-ours" NotOurs
    /// It is a definition, and has objects.
    "definition" Definition
    /// It is a Job that has not ended.
    "running" Running
    /// It is only ever created, says an annotation.
    "create-only" CreateOnly {
        /// The annotation and its value.
        said: String,
        /// trueup created it.
        is_member: bool,
    }
    /// It is ignored, says an annotation.
    "unmanaged" Unmanaged {
        /// The annotation and its value.
        said: String,
    }
    /// It is a Job that ran, and that its TTL took away.
    "finished-job" FinishedJob
    /// Nothing is pruned: some manifests can't be used.
    "not-pruned-problems" NotPrunedProblems {
        /// How many problems there are.
        count: usize,
    }
    /// Nothing is pruned: a kind could not be listed.
    "not-pruned-unlisted" NotPrunedUnlisted {
        /// The kind.
        kind: GroupKind,
    }
    /// Nothing is pruned: other objects are refused.
    "not-pruned-refusals" NotPrunedRefusals {
        /// How many they are.
        count: usize,
    }
    /// Nothing is pruned: the commit declares nothing at all.
    "nothing-declared" NothingDeclared
    /// More would be pruned than one run may.
    "over-max-prune" OverMaxPrune {
        /// How many would be.
        count: usize,
        /// How many the inventory has.
        members: usize,
        /// How many may be.
        max: MaxPrune,
    }
    /// It has the inventory's label, and trueup never applied it.
    "never-applied" NeverApplied
    /// Its deletion has begun.
    "being-deleted" BeingDeleted {
        /// Its holder, where that is known.
        holder: Option<String>,
    }
    /// It keeps track of other objects, and is not pruned.
    "record-kept" RecordKept {
        /// Its kind.
        keeper: ReservedObject,
    }
    /// A file that an ignore file leaves out declares it.
    "ignored-file" IgnoredFile {
        /// Where that is.
        place: Location,
    }
    /// Another target of the commit declares it, and takes it over.
    "moves-to" MovesTo {
        /// The target.
        target: String,
        /// Whether it stays in the old inventory until then.
        is_kept: bool,
    }
    /// Another target of the commit can't be read, and may declare it.
    "may-move" MayMove {
        /// The target.
        target: String,
    }
    /// An annotation says that it stays.
    "kept" Kept {
        /// The annotation and its value.
        said: String,
    }
    /// An annotation says that its deletion is to be confirmed.
    "unconfirmed" Unconfirmed {
        /// The annotation and its value.
        said: String,
        /// The fault of its approval, where there is one.
        approval: Option<NotApproved>,
    }
    /// An annotation on the live object says nothing that it can mean.
    "unclear-protection" UnclearProtection {
        /// The fault.
        fault: AnnotationFault,
    }
    /// The inventory's record is in it.
    "holds-inventory" HoldsInventory
    /// More than itself would be deleted with it.
    "guarded" Guarded {
        /// The guard.
        guard: DeletionGuard,
        /// The fault of its approval, where there is one.
        approval: Option<NotApproved>,
    }
    /// An object that stays needs it.
    "still-needed" StillNeeded {
        /// How it needs it.
        need: DependencyReason,
        /// Which object.
        object: ObjectKey,
        /// The commit declares that object.
        is_declared: bool,
    }

    /// The request failed.
    "request-failed" RequestFailed {
        /// The error.
        message: String,
    }
    /// Its kind is not served.
    "not-served" NotServed
    /// The server of its kind does not answer.
    "server-silent" ServerSilent {
        /// The object that stands for that server.
        by: ObjectKey,
        /// The error.
        message: String,
    }
    /// The server of its group has no such kind.
    "no-such-kind" NoSuchKind {
        /// The object that stands for that server.
        by: ObjectKey,
        /// The kind.
        kind: String,
        /// The group and version.
        api_version: String,
    }
    /// It is declared in a namespace where its kind has none, or the other way round.
    "wrong-scope" WrongScope {
        /// The kind.
        kind: String,
        /// Objects of the kind are in namespaces.
        is_namespaced: bool,
    }
    /// It is there, and was not seen when the plan was made.
    "there-already" ThereAlready {
        /// trueup applied it, and its change was not approved.
        is_ours: bool,
    }
    /// It is another one than was planned for.
    "not-as-seen" NotAsSeen
    /// It changed since it was approved.
    "not-as-approved" NotAsApproved
    /// It changes faster than it can be abandoned.
    "abandon-outrun" AbandonOutrun
    /// It changes faster than it can be read.
    "read-outrun" ReadOutrun
    /// It is applied, and does not get into the condition that others need.
    "condition-unmet" ConditionUnmet {
        /// The actual state.
        message: String,
    }
    /// The server took it, and it is not as planned; the causes say where.
    "not-as-planned" NotAsPlanned
    /// It is left as it is, since the server refuses what would take its place.
    "left-not-recreatable" LeftNotRecreatable {
        /// The server's words.
        message: String,
    }
    /// It is deleted to be recreated, and not gone yet.
    "not-gone" NotGone {
        /// Its holder, where that is known.
        holder: Option<String>,
    }
    /// It is deleted, and could not be recreated.
    "deleted-not-recreated" DeletedNotRecreated {
        /// The reason.
        why: Box<ReasonKind>,
    }
    /// The run was interrupted.
    "interrupted" Interrupted
    /// The lock was lost.
    "lock-lost" LockLost {
        /// To whom, where that matters.
        to: Option<String>,
    }
    /// A dependency did not end well.
    "dependency" Dependency {
        /// The dependency.
        object: ObjectKey,
        /// How that ended.
        fate: DependencyEnd,
        /// It waited for its wave.
        is_by_wave: bool,
        /// It was to be deleted.
        is_deletion: bool,
        /// How that object is, where it is not ready.
        health: Option<String>,
    }
    /// The holder of a wanted value is not deleted.
    "value-held" ValueHeld {
        /// The holder.
        holder: ObjectKey,
        /// How its deletion ended.
        fate: DependencyEnd,
    }
    /// The object that forbids it is not deleted.
    "forbidden-by" ForbiddenBy {
        /// The object that forbids it.
        object: ObjectKey,
        /// How its deletion ended.
        fate: DependencyEnd,
    }
    /// Pods may still use it.
    "still-used" StillUsed {
        /// The workloads of these pods: kind and name.
        workloads: Vec<String>,
    }
    /// Another deletion goes first, and is left for the next run.
    "after-postponed" AfterPostponed {
        /// The object that is first.
        object: ObjectKey,
    }
    /// Nothing is deleted: not all that was to be applied is as it should be.
    "nothing-deleted" NothingDeleted {
        /// The reason.
        shortfall: PruneBlocker,
    }
    /// The inventory's namespace is not deleted: not all else went well.
    "inventory-needed" InventoryNeeded {
        /// Others are still being deleted; otherwise something failed.
        is_deleting: bool,
    }
}
