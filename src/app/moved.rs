//! Which objects change hands between the targets of a repository.

use std::collections::{BTreeMap, BTreeSet};

use super::declare::declare_whole;
use super::right_cluster::is_of_other_cluster;
use super::trust::Trust;
use super::{ClusterChoice, OtherRevision, OtherTarget, OtherTargets, Target};
use crate::cluster::Cluster;
use crate::config::{Config, FILE};
use crate::core::annotations::Mode;
use crate::core::desired::Desired;
use crate::core::inventory::{PART_OF, Record};
use crate::core::kinds::catalog::Catalog;
use crate::core::moves::{
    DeclaredElsewhere, Destination, Leaving, RemovedTarget, RepositoryInventory, of_repository,
    removed,
};
use crate::core::object::{Object, ObjectKey};
use crate::core::observed::{Observation, Observed};
use crate::core::source::snapshot::Revision;
use crate::git::Checkout;

/// The inputs of the search.
pub(super) struct MoveSearch<'a> {
    pub(super) target: &'a Target,
    pub(super) checkout: &'a Checkout,
    pub(super) cluster: &'a Cluster,
    /// The cluster's identity, where the user may see it.
    pub(super) cluster_uid: Option<&'a str>,
    /// The repository's identity.
    pub(super) repository: &'a str,
    pub(super) revision: &'a Revision,
    pub(super) catalog: &'a Catalog,
    /// The content of the inventory's parent.
    pub(super) before: Option<&'a Record>,
    /// The other inventories of this repository in the cluster.
    pub(super) others: &'a [RepositoryInventory],
}

/// The objects that change hands.
#[derive(Default)]
pub(super) struct Moves {
    /// Objects that are no longer declared, and the target that takes each over.
    pub(super) leave: BTreeMap<ObjectKey, Destination>,
    /// Declared objects that another inventory of this repository gives up, with its id.
    pub(super) come: BTreeMap<ObjectKey, String>,
}

impl MoveSearch<'_> {
    /// Reads other targets only where anything may change hands.
    pub(super) async fn find(&self, desired: &Desired, observed: &Observed) -> Moves {
        let is_left = |(key, seen): (&ObjectKey, &Observation)| {
            let key = (!desired.objects.contains_key(key)).then_some(key);
            key.filter(|_| seen.live().is_some()).cloned()
        };
        let left: Vec<ObjectKey> = observed.objects.iter().filter_map(is_left).collect();
        let by_id: BTreeMap<String, &RepositoryInventory> = self
            .others
            .iter()
            .filter(|other| !self.is_of_other_branch(other))
            .map(|other| (other.inventory.id(), other))
            .collect();
        let claim = |(key, seen): (&ObjectKey, &Observation)| {
            let id = seen.live().and_then(|live: &Object| live.label(PART_OF))?;
            let other = by_id.get(id)?;
            desired.objects.contains_key(key).then(|| (key.clone(), *other))
        };
        let claimed: Vec<_> = observed.objects.iter().filter_map(claim).collect();
        // Paths alone are no target of trueup.yaml, and may be a part of any.
        let Some(own) = &self.target.declared else { return Moves::default() };
        if left.is_empty() && claimed.is_empty() {
            return Moves::default();
        }
        let mut now = self.declared_by(self.target).await;
        let mut moves = Moves::default();
        for (key, RepositoryInventory { inventory, target, .. }) in claimed {
            let is_declared_there = target.as_ref().is_some_and(|target| {
                now.unread.contains(target)
                    || now.objects.get(&key).is_some_and(|targets| targets.contains(target))
            });
            if !is_declared_there {
                moves.come.insert(key, inventory.id());
            }
        }
        if left.is_empty() {
            return moves;
        }
        let Self { cluster, cluster_uid, repository, .. } = *self;
        for (name, other) in self.target.others.iter() {
            if is_of_other_cluster(name, other, cluster, cluster_uid, repository) {
                now.leave_out(name);
            }
        }
        let near = self.others.iter().filter(|other| self.is_near(other));
        let leaving = Leaving {
            target: own,
            is_removal: self.target.is_removed,
            here: near.filter_map(|other| other.target.as_deref()).collect(),
            before: self.declared_before(&now).await,
        };
        for key in left {
            if let Some(destination) = now.destination(&key, &leaving) {
                moves.leave.insert(key, destination);
            }
        }
        moves
    }

    /// Whether another target is of the commit that this one is of, so far as is known.
    fn is_of_same_commit(&self, name: &str) -> bool {
        let other = self.target.others.get(name);
        other.is_none_or(|other| other.at == OtherRevision::Same)
    }

    /// Whether the inventory was made true to a commit before or after that of its target now, if to
    /// any.
    fn is_near(&self, other: &RepositoryInventory) -> bool {
        let name = other.target.as_ref().filter(|name| !self.is_of_same_commit(name));
        let read = name.and_then(|name| self.target.other(name, self.checkout));
        let own = read.and_then(|read| read.revision(self.checkout).ok());
        let now = &own.as_ref().unwrap_or(self.revision).commit;
        other.revision.as_ref().is_none_or(|then| {
            self.checkout.is_in_history(then, now) || self.checkout.is_in_history(now, then)
        })
    }

    /// Whether the inventory is of another line of commits, such as that of a preview. Of a commit that
    /// is not here, that is not known.
    fn is_of_other_branch(&self, other: &RepositoryInventory) -> bool {
        let is_here = other.revision.as_ref().is_some_and(|then| self.checkout.has_commit(then));
        is_here && !self.is_near(other)
    }

    /// The objects that this target and others declared at the commit that was last made true in full; `None`
    /// where that is not known.
    async fn declared_before(&self, now: &DeclaredElsewhere) -> Option<DeclaredElsewhere> {
        let commit = self.before?.revision.clone()?;
        let revision = self.checkout.resolve(Some(&commit)).ok()?;
        let file = self.checkout.read_file(&revision, FILE).ok()?;
        let mut config = Config::read(&file.unwrap_or_default()).ok()?;
        config.targets.retain(|name, _| self.is_of_same_commit(name));
        let former = config.targets.into_iter().map(|(name, target)| {
            let (paths, namespace, formats) =
                (target.plain_paths(), target.namespace, target.render);
            let (at, trust) = (OtherRevision::Same, Trust::default());
            let cluster = ClusterChoice::default();
            (name, OtherTarget { paths, namespace, formats, at, trust, cluster })
        });
        let then = Target {
            rev: Some(commit.clone()),
            tracks: None,
            worktree: false,
            others: OtherTargets::new(former.collect(), None),
            // This commit is named by the record of what was applied.
            trust: Trust::default(),
            ..self.target.clone()
        };
        let mut found = self.declared_by(&then).await;
        // One with a commit of its own declared it already where that commit was there before.
        let is_older = |name: &&String| {
            let read = self.target.other(name, self.checkout);
            let own = read.and_then(|read| read.revision(self.checkout).ok());
            own.is_some_and(|own| self.checkout.is_in_history(&own.commit, &commit))
        };
        let elsewhere = self.target.others.keys().filter(|name| !self.is_of_same_commit(name));
        let older: BTreeSet<&String> = elsewhere.filter(is_older).collect();
        for (key, targets) in &now.objects {
            let had = targets.iter().filter(|target| older.contains(target)).cloned();
            found.objects.entry(key.clone()).or_default().extend(had);
        }
        found.unread.is_empty().then_some(found)
    }

    /// The objects that the other targets of a target declare.
    async fn declared_by(&self, target: &Target) -> DeclaredElsewhere {
        let mut found = DeclaredElsewhere::default();
        for name in target.others.keys() {
            let Some(read) = target.other(name, self.checkout) else {
                found.unread.insert(name.clone());
                continue;
            };
            let (manifests, is_whole) = declare_whole(&read, self.checkout).await;
            if !is_whole {
                found.unread.insert(name.clone());
            }
            let declared = Desired::new(manifests, self.catalog, &read.namespace);
            let objects = declared.objects.into_iter();
            let objects = objects.filter(|(_, manifest)| !Mode::ignores(&manifest.object));
            for (key, _) in objects {
                found.objects.entry(key).or_default().insert(name.clone());
            }
        }
        found
    }
}

/// The targets of this repository that are gone from the commit's `trueup.yaml`, by the parents in the
/// cluster. None where paths alone say which target this is. A target that was last made true to a commit
/// after this one, or of another branch, is not gone; nor is one whose inventory another target names, as
/// after it was renamed.
pub(super) fn removed_of(
    target: &Target,
    parents: &[Object],
    repository: &str,
    checkout: &Checkout,
    revision: &Revision,
) -> Vec<RemovedTarget> {
    let Some(own) = &target.declared else { return Vec::new() };
    let mut declared: BTreeSet<&str> = target.others.keys().map(String::as_str).collect();
    declared.insert(own);
    let listing = target.listing(checkout, revision);
    let mut others = of_repository(parents, repository, &target.inventory);
    others.retain(|other| {
        let is_declared = other.target.as_deref().is_none_or(|name| declared.contains(name))
            || target.siblings.get(&other.inventory.id()).is_some();
        let is_before = |then: &String| checkout.is_in_history(then, &listing.commit);
        // The commit of a ref of its own need not be in this history.
        !is_declared && (other.tracked.is_some() || other.revision.as_ref().is_none_or(is_before))
    });
    removed(&others, &declared)
}
