//! The share of the targets that a replica watches.

use crate::app::GroupView;
use crate::core::replicas::{TargetSet, owned};

/// The share of one replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The group.
    pub group: String,
    /// The targets that this replica watches.
    pub owned: Vec<String>,
    /// How many targets there are.
    pub listed: usize,
    /// How many members the group has, as far as this one sees.
    pub members: usize,
    /// Whether this replica is one of them.
    pub is_member: bool,
    /// Why it is none, or does not see the others.
    pub fault: Option<String>,
}

impl Share {
    /// The share of this replica, as it sees its group.
    pub(super) fn of(view: &GroupView, targets: &TargetSet) -> Self {
        let (members, own) = view.members();
        let is_member = view.tenure().is_some();
        Self {
            group: view.group.clone(),
            owned: if is_member { owned(targets, &members, own) } else { Vec::new() },
            listed: targets.names.len(),
            members: members.len(),
            is_member,
            fault: view.fault().map(str::to_owned),
        }
    }

    /// Whether there is anything to say that was not said: at the beginning nothing is known yet, and
    /// the same fault may have other words each time.
    pub(super) fn is_news(&self, told: Option<&Self>) -> bool {
        let without_words = |share: &Self| {
            let fault = share.fault.as_ref().map(|_| String::new());
            Self { fault, ..share.clone() }
        };
        let is_known = self.is_member || self.fault.is_some();
        is_known && told.map(without_words) != Some(without_words(self))
    }
}
