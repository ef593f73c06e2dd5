//! The words of every reason, each a phrase without a final full stop. Here and nowhere else.

use std::fmt;

use super::facts::{DeletionGuard, DependencyEnd, DependencyReason, PruneBlocker, ValueHolder};
use super::{Reason, ReasonKind};
use crate::core::source::selection::IGNORE_FILE;

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.kind {
            // Their causes say it all.
            ReasonKind::Conflict | ReasonKind::ProtectedByOther | ReasonKind::LeftToOthers => {
                let causes: Vec<String> = self.causes.iter().map(ToString::to_string).collect();
                f.write_str(&causes.join(", "))
            }
            ReasonKind::NotAsPlanned => match self.causes.as_slice() {
                [one] => {
                    let (field, message) = (&one.field, &one.message);
                    write!(f, "applied, but {field} differs from the plan: {message}")
                }
                many => {
                    let count = many.len();
                    write!(f, "applied, but {count} fields differ from the plan")
                }
            },
            kind => kind.fmt(f),
        }
    }
}

impl fmt::Display for ReasonKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use ReasonKind::*;
        match self {
            Unknown { message } | RefusedByServer { message } | Immutable { message } => {
                f.write_str(message)
            }
            NotLookedUp => f.write_str("it was not looked up"),
            NotAsked => f.write_str("the API server was not asked about it"),
            FieldsDropped => f.write_str("declared, and dropped by the server"),
            IsInventory => f.write_str("this ConfigMap is the inventory itself"),
            IsRecord { keeper } => {
                write!(f, "it is {}, which nothing is applied to", keeper.words())
            }
            OtherApplySet { id, target: None } => {
                write!(f, "it is a member of another ApplySet, {id}")
            }
            OtherApplySet { target: Some(target), .. } => {
                write!(f, "it belongs to target {target}")
            }
            OtherOwner { owner } => write!(f, "it belongs to {owner}"),
            OwnerReferences => f.write_str(
                "metadata.ownerReferences would have the garbage collector delete it with its owner",
            ),
            UnrecordedMembers { count, named, is_gone } => {
                let (are, carry) =
                    if *count == 1 { ("object", "carries") } else { ("objects", "carry") };
                let record = if *is_gone { "is gone" } else { "does not name them" };
                let names: Vec<String> = named.iter().map(ToString::to_string).collect();
                let names = names.join(", ");
                write!(f, "{count} {are} {carry} this inventory's label, ")?;
                write!(f, "but its record {record}: {names}")?;
                match count - named.len() {
                    0 => Ok(()),
                    more => write!(f, " and {more} more"),
                }
            }
            InvalidAnnotation { faults } => {
                let said = |it: &crate::core::annotations::AnnotationFault| {
                    format!("{}: {}", it.annotation, it.message)
                };
                f.write_str(&faults.iter().map(said).collect::<Vec<_>>().join(", "))
            }
            InvalidOrder { fault } => f.write_str(&fault.message),
            Cycle { objects } => {
                let names: Vec<String> =
                    objects.iter().chain(objects.first()).map(ToString::to_string).collect();
                write!(f, "dependency cycle: {}", names.join(" → "))
            }
            Conflict => f.write_str("other managers own fields of it"),
            ProtectedByOther => f.write_str("other managers protect it from deletion"),
            LeftToOthers => f.write_str("some of its fields are left to other managers"),
            ValueTaken { field, value, stays } => match field.as_str() {
                "" => write!(f, "{value} {stays}"),
                field => write!(f, "{field}: {value} {stays}"),
            },
            NotRecreatable { fields, message } => {
                let fields = Fields(fields);
                write!(
                    f,
                    "{fields} can't be changed, and it can't be recreated either: {message}"
                )
            }
            RecreateLosesProtection { fields } => write!(
                f,
                "{} can't be changed, and recreating the object would lose a live field that \
                protects it",
                Fields(fields)
            ),
            NotRecreated { fields, why } => {
                write!(f, "{} can't be changed, and {why}", Fields(fields))
            }
            Recreated { fields } => {
                write!(f, "{} can't be changed: it is deleted and recreated", Fields(fields))
            }
            RecreatedOnceGone => {
                f.write_str("terminating; will be recreated once it is gone")
            }
            NotOurs => f.write_str("trueup did not make it, so it does not delete it"),
            Definition => f.write_str("every object of its kind would be deleted with it"),
            Running => f.write_str("it is still running"),
            CreateOnly { said, is_member } => {
                let what = match is_member {
                    true => "kept as it is",
                    false => "it existed before: left unchanged",
                };
                write!(f, "{what}, as {said} says")
            }
            Unmanaged { said } => write!(f, "no longer managed by trueup, as {said} says"),
            FinishedJob => f.write_str("it finished, and its TTL removed it"),
            NotPrunedProblems { count } => {
                let problems = if *count == 1 { "problem" } else { "problems" };
                write!(f, "not pruned: {count} {problems} in the manifests")
            }
            NotPrunedUnlisted { kind } => write!(f, "not pruned: {kind} could not be listed"),
            NotPrunedRefusals { count } => {
                let are = if *count == 1 { "object is refused" } else { "objects are refused" };
                write!(f, "not pruned: {count} {are}")
            }
            NothingDeclared => {
                f.write_str("the commit declares no object, so every object would be deleted")
            }
            OverMaxPrune { count, members, max } => {
                write!(f, "would delete {count} of {members} objects; the limit is {max}")
            }
            NeverApplied => {
                f.write_str("it carries the inventory's label, but trueup never applied it")
            }
            BeingDeleted { holder: None } => f.write_str("it is already being deleted"),
            BeingDeleted { holder: Some(holder) } => {
                write!(f, "it is already being deleted and waits for {holder}")
            }
            RecordKept { keeper } => {
                write!(f, "kept: it is {}, which is never pruned", keeper.words())
            }
            IgnoredFile { place } => {
                write!(f, "kept: {place} declares it, and {IGNORE_FILE} leaves that file out")
            }
            MovesTo { target, is_kept: true } => {
                write!(f, "moves to target {target}, which takes it over when it is applied")
            }
            MovesTo { target, is_kept: false } => write!(
                f,
                "moves to target {target}, which takes it over when it is applied; trueup does not \
                manage it until then"
            ),
            MayMove { target } => {
                write!(f, "kept: target {target} can't be read, and may declare it")
            }
            Kept { said } => write!(f, "stays in the cluster; trueup no longer manages it, as {said} says"),
            Unconfirmed { said, approval: None } => write!(f, "kept, as {said} says"),
            Unconfirmed { said, approval: Some(why_not) } => {
                write!(f, "kept, as {said} says: {why_not}")
            }
            UnclearProtection { fault } => {
                let (annotation, message) = (&fault.annotation, &fault.message);
                write!(f, "unknown whether it stays: {annotation}: {message}")
            }
            HoldsInventory => f.write_str(
                "the inventory is kept in it, and the commit still declares other objects",
            ),
            Guarded { guard, approval: None } => guard.fmt(f),
            Guarded { guard, approval: Some(why_not) } => write!(f, "{guard}: {why_not}"),
            StillNeeded { need, object, is_declared } => {
                let why = if *is_declared { "the commit declares" } else { "stays" };
                write!(f, "{need} {object}, which {why}")
            }
            RequestFailed { message } | ConditionUnmet { message } => f.write_str(message),
            NotServed => f.write_str("its kind is not served"),
            ServerSilent { by, message } => {
                write!(f, "the server behind {by} does not answer: {message}")
            }
            NoSuchKind { by, kind, api_version } => {
                write!(f, "the server behind {by} has no kind {kind} in {api_version}")
            }
            WrongScope { kind, is_namespaced: true } => {
                write!(f, "objects of kind {kind} live in a namespace")
            }
            WrongScope { kind, is_namespaced: false } => {
                write!(f, "objects of kind {kind} live in no namespace")
            }
            ThereAlready { is_ours: true } => {
                f.write_str("it already exists, and that was not approved")
            }
            ThereAlready { is_ours: false } => {
                f.write_str("it already exists, and trueup does not manage it")
            }
            NotAsSeen => {
                f.write_str("it was taken over, changed or recreated since the plan was made")
            }
            NotAsApproved => {
                f.write_str("it changed since the plan was made, and that was not approved")
            }
            AbandonOutrun => f.write_str("it changes faster than trueup can give up its fields"),
            ReadOutrun => {
                f.write_str("it changes faster than the fields that are left alone can be read")
            }
            NotAsPlanned => f.write_str("applied, but the result differs from the plan"),
            LeftNotRecreatable { message } => {
                write!(f, "it is left as it is, since it can't be made: {message}")
            }
            NotGone { holder: None } => f.write_str("it is deleted and not gone yet"),
            NotGone { holder: Some(holder) } => {
                write!(f, "it is deleted and waits for {holder}")
            }
            DeletedNotRecreated { why } => {
                write!(f, "it is deleted, and could not be recreated yet: {why}")
            }
            Interrupted => f.write_str("interrupted"),
            LockLost { to: None } => f.write_str("the lock was lost"),
            LockLost { to: Some(to) } => write!(f, "the lock was lost to {to}"),
            Dependency { object, fate, is_by_wave, is_deletion, health } => {
                match (is_deletion, is_by_wave) {
                    (false, true) => write!(f, "{object} of an earlier wave {fate}"),
                    (false, false) => write!(f, "needs {object}, which {fate}"),
                    (true, _) if *fate == DependencyEnd::Terminating => {
                        write!(f, "{object} {fate}, and may need it until it is gone")
                    }
                    (true, _) => write!(f, "{object} may need it, whose deletion {fate}"),
                }?;
                health.as_ref().map_or(Ok(()), |health| write!(f, ": {health}"))
            }
            ValueHeld { holder, fate } => write!(f, "needs what {holder} holds, which {fate}"),
            ForbiddenBy { object, fate } => write!(f, "is forbidden by {object}, which {fate}"),
            StillUsed { workloads } => {
                write!(f, "pods of {} may still use it", workloads.join(", "))
            }
            AfterPostponed { object } => {
                write!(f, "{object} goes first, and is left for the next run")
            }
            NothingDeleted { shortfall } => shortfall.fmt(f),
            InventoryNeeded { is_deleting } => {
                let what = match is_deleting {
                    true => "others are still being deleted",
                    false => "something failed",
                };
                write!(f, "{what}, and the inventory is kept in this namespace")
            }
        }
    }
}

/// Fields that can't change, as far as the server names them.
struct Fields<'a>(&'a [String]);

impl fmt::Display for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => f.write_str("a part of it"),
            fields => f.write_str(&fields.join(", ")),
        }
    }
}

impl fmt::Display for ValueHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Promised { rival } => write!(f, "is to be {rival}'s"),
            Self::Declared { holder, place } => {
                write!(f, "is held by {holder}, which declares it, too, at {place}")
            }
            Self::Refused { holder } => write!(f, "is held by {holder}, which is refused"),
            Self::Kept { holder } => {
                write!(f, "is held by {holder} of the same commit, which keeps it")
            }
            Self::NotDeleted { holder, why } => {
                write!(f, "is held by {holder}, which is no longer declared and not deleted")?;
                why.as_ref().map_or(Ok(()), |why| write!(f, ": {why}"))
            }
            Self::Foreign { holder } => {
                write!(f, "is held by {holder}, which is none of this target's")
            }
        }
    }
}

impl fmt::Display for DeletionGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contents => f.write_str("everything in it would be deleted with it"),
            Self::Data => f.write_str("data may be deleted with it"),
            Self::Instances(1) => f.write_str("1 object of its kind would be deleted with it"),
            Self::Instances(count) => {
                write!(f, "{count} objects of its kind would be deleted with it")
            }
            Self::Claims => {
                f.write_str("its volume claims would be deleted with it, and their data")
            }
        }
    }
}

impl fmt::Display for DependencyReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Defines => "it defines",
            Self::Serves => "it serves",
            Self::Holds => "it holds",
        })
    }
}

impl fmt::Display for DependencyEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Terminating => "is still being deleted",
            Self::Unready => "is not ready",
            Self::Differs => "differs from the plan",
            Self::Refused => "is refused",
            Self::Failed => "failed",
            Self::Undeletable => "could not be deleted",
            Self::NotDeleted => "is not deleted",
        })
    }
}

impl fmt::Display for PruneBlocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Skipped => "something was not tried, and what is there may still need it",
            Self::Unready => "something is not ready, and may still need it",
            Self::Differs => "something differs from the plan, and may still need it",
            Self::Failed => "something failed, and what failed may still need it",
        })
    }
}
