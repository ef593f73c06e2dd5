//! The parts that some reasons are made of.

use serde::Serialize;

use super::ReasonKind;
use crate::core::mask::Mask;
use crate::core::object::ObjectKey;
use crate::core::problem::Location;

/// Why a value does not get free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "as", rename_all = "kebab-case")]
pub enum ValueHolder {
    /// Another object of the commit is to have it.
    Promised {
        /// That object.
        rival: ObjectKey,
    },
    /// An object has it that declares it, too.
    Declared {
        /// That object.
        holder: ObjectKey,
        /// Where it is declared.
        place: Location,
    },
    /// An object has it that is refused.
    Refused {
        /// That object.
        holder: ObjectKey,
    },
    /// An object of the same commit has it, and keeps it.
    Kept {
        /// That object.
        holder: ObjectKey,
    },
    /// An object has it that is no longer declared, and not deleted.
    NotDeleted {
        /// That object.
        holder: ObjectKey,
        /// Why it is not deleted.
        why: Option<Box<ReasonKind>>,
    },
    /// An object has it that is none of this target's.
    Foreign {
        /// That object.
        holder: ObjectKey,
    },
}

/// Objects or data that are deleted with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeletionGuard {
    /// All that is in a namespace.
    Contents,
    /// The data of a volume.
    Data,
    /// So many objects of a kind.
    Instances(usize),
    /// The claims of a StatefulSet, and their data.
    Claims,
}

/// How an object needs another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DependencyReason {
    /// By being of the kind that it defines.
    Defines,
    /// By being of a group that it serves.
    Serves,
    /// By being in it.
    Holds,
}

/// How something ended that another one waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DependencyEnd {
    /// It is still being deleted.
    Terminating,
    /// It is not ready.
    Unready,
    /// It is not as planned.
    Differs,
    /// It is refused.
    Refused,
    /// It failed.
    Failed,
    /// It could not be deleted.
    Undeletable,
    /// It was not deleted.
    NotDeleted,
}

/// The reason why a run deletes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PruneBlocker {
    /// Something was not tried.
    Skipped,
    /// Something is not ready.
    Unready,
    /// Something is not as planned.
    Differs,
    /// Something failed.
    Failed,
}

impl Mask for ValueHolder {
    fn mask(&mut self, masked: &dyn Fn(&str) -> String) {
        if let Self::NotDeleted { why: Some(why), .. } = self {
            why.mask(masked);
        }
    }
}
