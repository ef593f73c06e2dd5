//! The permissions of a run: what the operator allows by flags or by an approved plan, and what the
//! commit's `trueup.yaml` says of the same. Who decides is [`precedence`](super::precedence)'s.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::precedence::SettingLayers;
use super::{MaxPrune, OnConflict};

/// The operator's permissions for one run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "permissions"))]
#[serde(deny_unknown_fields)]
pub struct Permissions {
    /// Kinds with data behind them that may be deleted.
    pub allow_delete: BTreeSet<String>,
    /// Whether everything may be deleted because the commit declares nothing.
    pub allow_empty: bool,
    /// How much of the inventory may be deleted at once, where the operator says so.
    pub max_prune: Option<MaxPrune>,
    /// Kinds whose objects may be deleted and recreated where a change is not possible, where the
    /// operator says so.
    pub replace: Option<BTreeSet<String>>,
    /// The operator's choice about fields that other managers own with another value.
    pub on_conflict: Option<OnConflict>,
    /// Whether objects with another owner may be adopted.
    pub adopt: bool,
    /// Whether the inventory may have been made from other paths of the repository.
    pub moved: bool,
}

/// A target's permissions in the commit's `trueup.yaml`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepositoryPolicy {
    /// Kinds whose objects may be deleted and recreated where a change is not possible.
    pub replace: BTreeSet<String>,
    /// How much of the inventory may be deleted at once.
    pub max_prune: Option<MaxPrune>,
    /// The choice about fields that other managers own with another value.
    pub on_conflict: Option<OnConflict>,
}

/// The permissions of a run, by whoever gives them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// The operator, for this run.
    pub operator: Permissions,
    /// The commit's `trueup.yaml`.
    pub repository: RepositoryPolicy,
}

impl Policy {
    /// Kinds whose objects may be deleted and recreated.
    pub fn replace(&self) -> SettingLayers<&BTreeSet<String>> {
        SettingLayers {
            operator: self.operator.replace.as_ref(),
            repository: Some(&self.repository.replace),
        }
    }

    /// How much of the inventory may be deleted at once.
    pub fn max_prune(&self) -> SettingLayers<MaxPrune> {
        SettingLayers { operator: self.operator.max_prune, repository: self.repository.max_prune }
    }

    /// The choice about fields that other managers own with another value.
    pub fn on_conflict(&self) -> SettingLayers<OnConflict> {
        SettingLayers {
            operator: self.operator.on_conflict,
            repository: self.repository.on_conflict,
        }
    }
}
