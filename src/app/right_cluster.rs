//! Holds the cluster that answers against the one that the target belongs to, and remembers it with
//! the first apply. It is kept on this machine, since neither the repository nor the cluster is to
//! say which cluster is meant.

use std::path::PathBuf;

use jiff::Timestamp;

use super::{Error, OtherTarget, Survey, Target};
use crate::cluster::Cluster;
use crate::core::right_cluster::{ClusterFacts, ClusterRule, Expected, RememberedCluster, SANDBOX};
use crate::local::sealed_cache::{AnswerKey, CacheBounds, Seal, SealedCache};

/// How much is remembered: each target takes some hundred bytes.
const KEPT: CacheBounds = CacheBounds { answers: 10_000, bytes: 16 << 20 };

/// The sources that say which cluster a target belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterChoice {
    /// The rule of the machine's file; nothing is remembered where there is one.
    pub rule: Option<ClusterRule>,
    /// Where the context leads that the machine's file has for it: another target's, which is not asked.
    pub by_context: Option<ClusterFacts>,
    /// The folder with the clusters of earlier applies; `None` to remember none.
    pub memory: Option<PathBuf>,
    /// Whether another cluster than the remembered one is meant.
    pub is_new: bool,
}

impl ClusterChoice {
    /// Where the cluster of a target is remembered. The namespace is no part of it: it may be the
    /// context's own.
    fn seal(target: &Target, repository: &str) -> Seal {
        match &target.declared {
            Some(name) => Self::seal_of(b"declared", name, repository),
            None => Self::seal_of(b"paths", &target.inventory.name, repository),
        }
    }

    fn seal_of(is_declared: &[u8], name: &str, repository: &str) -> Seal {
        let mut key = AnswerKey::default();
        for part in [b"cluster of a target", repository.as_bytes(), is_declared, name.as_bytes()] {
            key.add(part);
        }
        key.seal()
    }

    fn store(&self) -> Option<SealedCache> {
        SealedCache::open(self.memory.as_ref()?, KEPT).ok()
    }

    fn recall(&self, seal: &Seal) -> Option<RememberedCluster> {
        let kept = self.store()?.recall(seal)?;
        serde_json::from_slice(&kept).ok()
    }

    /// The cluster that is expected, where any is: `cluster` may be one of the run's own.
    fn expected(&self, seal: &Seal, cluster: &Cluster) -> Option<Expected> {
        match &self.rule {
            Some(rule) => Some(Expected::Rule(rule.clone())),
            None if self.is_new || cluster.name() == SANDBOX => None,
            None => self.recall(seal).map(Expected::Remembered),
        }
    }
}

/// Whether another target of a repository is known to belong to another cluster than this one.
pub(super) fn is_of_other_cluster(
    name: &str,
    other: &OtherTarget,
    cluster: &Cluster,
    uid: Option<&str>,
    repository: &str,
) -> bool {
    let seal = ClusterChoice::seal_of(b"declared", name, repository);
    let now = cluster.facts(uid);
    match other.cluster.expected(&seal, cluster) {
        Some(expected) => expected.excludes(&now),
        // One that was never applied.
        None if cluster.name() == SANDBOX => false,
        None => other.cluster.by_context.as_ref().is_some_and(|there| there.is_another(&now)),
    }
}

/// Whether this is the cluster that the target of this repository belongs to.
///
/// # Errors
///
/// When it is another one. Nothing was written.
pub(super) fn check_cluster(
    target: &Target,
    cluster: &Cluster,
    uid: Option<&str>,
    repository: &str,
) -> Result<(), Error> {
    let expected = target.cluster.expected(&ClusterChoice::seal(target, repository), cluster);
    let Some(expected) = expected else { return Ok(()) };
    let name = target.declared.as_deref().unwrap_or(&target.inventory.name);
    Ok(expected.check(name, cluster.facts(uid))?)
}

/// Remembers the cluster of a target that is applied, unless that is known. Gives whether it was
/// remembered without a uid.
pub fn remember_cluster(
    target: &Target,
    cluster: &Cluster,
    uid: Option<&str>,
    repository: &str,
) -> bool {
    let choice = &target.cluster;
    if choice.rule.is_some() || cluster.name() == SANDBOX {
        return false;
    }
    let seal = ClusterChoice::seal(target, repository);
    let (now, known) = (cluster.facts(uid), choice.recall(&seal));
    let is_known = known.is_some_and(|known| {
        // An address without a uid is replaced by the uid, as soon as that can be read.
        known.cluster.uid == now.uid || now.uid.is_none() && !choice.is_new
    });
    let Some(store) = choice.store().filter(|_| !is_known) else { return false };
    let is_by_address = now.uid.is_none();
    let kept = RememberedCluster { cluster: now, at: Timestamp::now() };
    let kept = serde_json::to_vec(&kept).unwrap_or_default();
    store.keep(&seal, &kept);
    is_by_address
}

/// Remembers the cluster of what was surveyed.
pub(super) fn remember_cluster_of(survey: &Survey, target: &Target, cluster: &Cluster) -> bool {
    let uid = survey.found.cluster_uid.as_deref();
    remember_cluster(target, cluster, uid, &survey.decided.after.repository)
}
