//! `clusters` of the machine's file: which cluster each target belongs to, and by which context of
//! the kubeconfig it is reached.

use std::path::Path;

use serde::{Deserialize, Deserializer};

use super::scalars::Scalar;
use crate::core::field_rules::is_like;
use crate::core::manifest::{self, PathPart};
use crate::core::right_cluster::{AllowedCluster, ClusterRule};

/// One entry of `clusters`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetCluster {
    /// Patterns of the targets that it is about, with `*` and `?`.
    pub targets: Vec<String>,
    /// The cluster that they belong to.
    #[serde(default, deserialize_with = "allowed")]
    pub cluster: Option<AllowedCluster>,
    /// The kubeconfig's context that leads there.
    pub context: Option<String>,
    /// Its line and column, from 1.
    #[serde(skip)]
    pub at: (usize, usize),
}

fn allowed<'de, D: Deserializer<'de>>(from: D) -> Result<Option<AllowedCluster>, D::Error> {
    from.deserialize_any(Scalar(AllowedCluster::read)).map(Some)
}

impl TargetCluster {
    /// Whether it is about this target.
    fn is_about(&self, target: &str) -> bool {
        self.targets.iter().any(|pattern| is_like(pattern, target))
    }
}

/// The rule about a target's cluster: the first entry that names one counts.
pub fn rule_of(entries: &[TargetCluster], target: &str, file: &Path) -> Option<ClusterRule> {
    let mut entries = entries.iter().filter(|entry| entry.is_about(target));
    entries.find_map(|entry| {
        let (line, column) = entry.at;
        let place = format!("{}:{line}:{column}", file.display());
        Some(ClusterRule { allowed: entry.cluster.clone()?, place })
    })
}

/// The context by which a target is reached: the first entry that names one counts.
pub fn context_of<'a>(entries: &'a [TargetCluster], target: &str) -> Option<&'a str> {
    let mut entries = entries.iter().filter(|entry| entry.is_about(target));
    entries.find_map(|entry| entry.context.as_deref())
}

/// An entry that can't be used.
pub(super) struct InvalidEntry {
    /// Line and column, from 1.
    pub(super) at: (usize, usize),
    /// The fault.
    pub(super) message: String,
}

/// Notes where each entry stands, and says what is wrong with it.
///
/// # Errors
///
/// When an entry is about no target, or says nothing.
pub(super) fn locate(entries: &mut [TargetCluster], bytes: &[u8]) -> Result<(), InvalidEntry> {
    if entries.is_empty() {
        return Ok(());
    }
    let value = manifest::value("config.yaml", bytes).ok().flatten();
    for (index, entry) in entries.iter_mut().enumerate() {
        let path = [PathPart::Key("clusters"), PathPart::Index(index)];
        let place = |path: &[PathPart<'_>]| value.as_ref()?.1.of_value(path);
        entry.at = place(&path).unwrap_or((1, 1));
        let wrong = if entry.targets.iter().all(String::is_empty) {
            "targets: a pattern is missing; for all targets write `targets: [\"*\"]`"
        } else if entry.cluster.is_none() && entry.context.is_none() {
            "a key is missing: cluster or context"
        } else if entry.context.as_deref() == Some("") {
            "context: a name is missing"
        } else {
            let of_cluster = [&path[..], &[PathPart::Key("cluster")]].concat();
            entry.at = place(&of_cluster).unwrap_or(entry.at);
            continue;
        };
        return Err(InvalidEntry { at: entry.at, message: format!("clusters[{index}]: {wrong}") });
    }
    Ok(())
}
