//! The context of a plan.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::core::inventory::Siblings;
use crate::core::object::ObjectKey;
use crate::core::policy::Policy;

/// The plan's context: all that decides about it besides the desired and the observed objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanContext {
    /// The permissions of the run.
    pub policy: Policy,
    /// The inventories of this repository's other targets.
    pub siblings: Siblings,
    /// Declared objects that another inventory of this repository gives up, with its id.
    pub handovers: BTreeMap<ObjectKey, String>,
    /// How many objects each definition still has in the cluster that this run would not delete
    /// itself; definitions without any are left out.
    pub instances: BTreeMap<ObjectKey, usize>,
    /// The present time: an approval may not be of the future.
    pub now: Timestamp,
}

impl PlanContext {
    /// Whether objects of `kind` may be deleted though data goes with them.
    pub(super) fn allows_deletion_of(&self, kind: &str) -> bool {
        self.policy.operator.allow_delete.contains(kind)
    }
}
