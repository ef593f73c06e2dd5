//! Which objects change hands between the targets of a repository.

use std::collections::{BTreeMap, BTreeSet};

use super::declare::declare_whole;
use super::{OtherTarget, Target};
use crate::config::{Config, FILE};
use crate::core::annotations::Mode;
use crate::core::desired::Desired;
use crate::core::inventory::{PART_OF, Record};
use crate::core::kinds::catalog::Catalog;
use crate::core::moves::{
    DeclaredElsewhere, Destination, RemovedTarget, RepositoryInventory, of_repository, removed,
};
use crate::core::object::{Object, ObjectKey};
use crate::core::observed::{Observation, Observed};
use crate::core::source::snapshot::Revision;
use crate::git::Checkout;

/// The inputs of the search.
pub(super) struct MoveSearch<'a> {
    pub(super) target: &'a Target,
    pub(super) checkout: &'a Checkout,
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
        if self.target.declared.is_none() || left.is_empty() && claimed.is_empty() {
            return Moves::default();
        }
        let now = self.declared_by(&self.target.others, self.target.rev.clone()).await;
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
        let near = self.others.iter().filter(|other| self.is_near(other));
        let here: BTreeSet<&str> = near.filter_map(|other| other.target.as_deref()).collect();
        let before = self.declared_before().await;
        for key in left {
            if let Some(destination) = now.destination(&key, &here, before.as_ref()) {
                moves.leave.insert(key, destination);
            }
        }
        moves
    }

    /// Whether the inventory was made true to a commit before or after this one, if to any.
    fn is_near(&self, other: &RepositoryInventory) -> bool {
        let now = &self.revision.commit;
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

    /// The objects that other targets declared at the commit that was last made true in full; `None`
    /// where that is not known.
    async fn declared_before(&self) -> Option<DeclaredElsewhere> {
        let commit = self.before?.revision.clone()?;
        let revision = self.checkout.resolve(Some(&commit)).ok()?;
        let file = self.checkout.read_file(&revision, FILE).ok()?;
        let mut config = Config::read(&file.unwrap_or_default()).ok()?;
        config.targets.retain(|name, _| Some(name) != self.target.declared.as_ref());
        let former = config.targets.into_iter().map(|(name, target)| {
            let (paths, namespace, formats) =
                (target.plain_paths(), target.namespace, target.render);
            (name, OtherTarget { paths, namespace, formats })
        });
        let found = self.declared_by(&former.collect(), Some(commit)).await;
        found.unread.is_empty().then_some(found)
    }

    /// The objects that other targets declare at a commit.
    async fn declared_by(
        &self,
        others: &BTreeMap<String, OtherTarget>,
        rev: Option<String>,
    ) -> DeclaredElsewhere {
        let mut found = DeclaredElsewhere::default();
        for (name, other) in others {
            let mut read = Target {
                declared: Some(name.clone()),
                paths: other.paths.clone(),
                worktree: self.target.worktree && rev == self.target.rev,
                rev: rev.clone(),
                namespace: other.namespace.clone().unwrap_or_else(|| self.target.namespace.clone()),
                is_removed: false,
                ..self.target.clone()
            };
            read.render.formats = other.formats.clone();
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
/// after this one, or of another branch, is not gone.
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
    let mut others = of_repository(parents, repository, &target.inventory);
    others.retain(|other| {
        let is_declared = other.target.as_deref().is_none_or(|name| declared.contains(name));
        let is_before = |then: &String| checkout.is_in_history(then, &revision.commit);
        !is_declared && other.revision.as_ref().is_none_or(is_before)
    });
    removed(&others, &declared)
}
