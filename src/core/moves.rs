//! The other inventories of a repository in the cluster. Objects move between targets: another target
//! takes over what one no longer declares, and neither deletes it. A target that is gone from
//! `trueup.yaml` leaves its inventory behind.

use std::collections::{BTreeMap, BTreeSet};

use super::inventory::{Inventory, Record};
use super::object::{Object, ObjectKey};

/// Why an object that this target no longer declares is not deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Another target of the commit declares it.
    Target {
        /// Its name.
        name: String,
        /// Whether the object stays in the old inventory until that target takes it; else it is let go
        /// at once.
        is_kept: bool,
    },
    /// Another target of the commit can't be read, and may declare it.
    Unread(String),
}

/// An inventory of this repository that is another one than the target's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryInventory {
    /// The inventory.
    pub inventory: Inventory,
    /// The name under which `trueup.yaml` declared its target.
    pub target: Option<String>,
    /// The commit that it was last made true to in full.
    pub revision: Option<String>,
    /// The branch or tag that its target tracks.
    pub tracked: Option<String>,
}

/// A target that is gone from `trueup.yaml`, and whose inventory is still there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RemovedTarget {
    /// Its name.
    pub name: String,
    /// Its inventory.
    pub inventory: Inventory,
}

/// The inventories of this repository among the parents in the cluster, without `own`.
pub fn of_repository(
    parents: &[Object],
    repository: &str,
    own: &Inventory,
) -> Vec<RepositoryInventory> {
    let others = parents.iter().filter_map(|parent| {
        let (inventory, record) = record_of(parent)?;
        let is_its = record.repository == repository && inventory != *own;
        let revision = record.revision.map(|it| it.trim_end_matches("-dirty").to_owned());
        let (target, tracked) = (record.target, record.tracked);
        is_its.then_some(RepositoryInventory { inventory, target, revision, tracked })
    });
    others.collect()
}

/// The inventory that a parent is of, and its record.
pub fn record_of(parent: &Object) -> Option<(Inventory, Record)> {
    let (name, namespace) = (parent.name().to_owned(), parent.namespace()?.to_owned());
    let inventory = Inventory { name, namespace };
    let record = inventory.read(parent).ok()?;
    Some((inventory, record))
}

/// Those whose target is none of `declared`.
pub fn removed(others: &[RepositoryInventory], declared: &BTreeSet<&str>) -> Vec<RemovedTarget> {
    let removed = others.iter().filter_map(|RepositoryInventory { inventory, target, .. }| {
        let name = target.clone().filter(|name| !declared.contains(name.as_str()))?;
        Some(RemovedTarget { name, inventory: inventory.clone() })
    });
    removed.collect()
}

/// A target that no longer declares some of its objects.
pub struct Leaving<'a> {
    /// Its name.
    pub target: &'a str,
    /// Whether it is gone from `trueup.yaml`, and is taken down.
    pub is_removal: bool,
    /// Other targets that have an inventory in this cluster.
    pub here: BTreeSet<&'a str>,
    /// The objects that it and others declared at the commit that it was last made true to; `None`
    /// where that is not known.
    pub before: Option<DeclaredElsewhere>,
}

impl Leaving<'_> {
    /// Whether `other` declared an object beside this target before.
    fn both_had(&self, key: &ObjectKey, other: &str) -> bool {
        let before = self.before.as_ref().and_then(|before| before.objects.get(key));
        before.is_some_and(|had| had.contains(other) && had.contains(self.target))
    }
}

/// The objects that other targets of a commit declare.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeclaredElsewhere {
    /// The objects, each with its targets.
    pub objects: BTreeMap<ObjectKey, BTreeSet<String>>,
    /// Targets that can't be read in full.
    pub unread: BTreeSet<String>,
}

impl DeclaredElsewhere {
    /// Leaves a target out, as where it belongs to another cluster.
    pub fn leave_out(&mut self, target: &str) {
        self.unread.remove(target);
        self.objects.values_mut().for_each(|targets| {
            targets.remove(target);
        });
    }

    /// Where an object that a target no longer declares goes, if it goes anywhere. A target without an
    /// inventory in this cluster may be of another one with the same objects. So it takes over only what
    /// the two did not both declare before. An object that waits for it since was not.
    pub fn destination(&self, key: &ObjectKey, leaving: &Leaving<'_>) -> Option<Destination> {
        let is_here = |target: &String| leaving.here.contains(target.as_str());
        let mut targets = self.objects.get(key).into_iter().flatten();
        let target = targets.find(|target| is_here(target) || !leaving.both_had(key, target));
        let mut unread = self.unread.iter().filter(|target| is_here(target));
        match target {
            Some(name) => {
                let is_kept = is_here(name) || !leaving.is_removal;
                Some(Destination::Target { name: name.clone(), is_kept })
            }
            None => unread.next().cloned().map(Destination::Unread),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::inventory::InventorySource;

    fn key(name: &str) -> ObjectKey {
        ObjectKey {
            group: String::new(),
            kind: "ConfigMap".to_owned(),
            namespace: Some("shop".to_owned()),
            name: name.to_owned(),
        }
    }

    fn parent(name: &str, repository: &str, target: Option<&str>) -> Object {
        let inventory = Inventory { name: format!("trueup-{name}"), namespace: "shop".to_owned() };
        let source = InventorySource {
            repository: repository.to_owned(),
            target: target.map(str::to_owned),
            paths: BTreeSet::new(),
            revision: None,
            tracked: None,
        };
        inventory.parent(&Record::of(source, []))
    }

    #[test]
    fn targets_that_are_gone_are_those_of_this_repository() {
        let mut copy = parent("copy", "r", Some("copy"));
        copy.metadata_mut().insert("name".to_owned(), "elsewhere".into());
        let parents = [
            parent("own", "r", Some("own")),
            parent("other", "r", Some("other")),
            parent("gone", "r", Some("gone")),
            parent("paths", "r", None),
            parent("theirs", "q", Some("theirs")),
            copy,
        ];
        let own = Inventory { name: "trueup-own".to_owned(), namespace: "shop".to_owned() };
        let others = of_repository(&parents, "r", &own);
        let names: Vec<_> = others.iter().map(|it| it.target.as_deref()).collect();
        assert_eq!(names, [Some("other"), Some("gone"), None]);
        let gone = removed(&others, &["own", "other"].into());
        let names: Vec<_> = gone.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["gone"]);
    }

    #[test]
    fn an_object_moves_to_a_target_that_is_here_or_has_it_newly() {
        let of = |targets: &[&str]| {
            let targets = targets.iter().map(|target| (*target).to_owned()).collect();
            BTreeMap::from([(key("a"), targets)])
        };
        let mut now =
            DeclaredElsewhere { objects: of(&["b"]), unread: BTreeSet::from(["c".to_owned()]) };
        let before =
            |targets| Some(DeclaredElsewhere { objects: of(targets), unread: BTreeSet::new() });
        let leaving = |here: &[&'static str], before| Leaving {
            target: "own",
            is_removal: false,
            here: here.iter().copied().collect(),
            before,
        };
        let to_b = |is_kept| Some(Destination::Target { name: "b".to_owned(), is_kept });
        for (here, then, expected) in [
            (&["b"][..], before(&["b", "own"]), to_b(true)),
            // It is of another cluster.
            (&[], before(&["b", "own"]), None),
            // It waits since.
            (&[], before(&["b"]), to_b(true)),
            (&[], before(&["own"]), to_b(true)),
            (&[], None, to_b(true)),
        ] {
            assert_eq!(now.destination(&key("a"), &leaving(here, then)), expected, "{here:?}");
        }
        let removal = |here| Leaving { is_removal: true, ..leaving(here, None) };
        assert_eq!(now.destination(&key("a"), &removal(&[])), to_b(false));
        assert_eq!(now.destination(&key("a"), &removal(&["b"])), to_b(true));
        let unread = Some(Destination::Unread("c".to_owned()));
        assert_eq!(now.destination(&key("x"), &leaving(&["c"], None)), unread);
        assert_eq!(now.destination(&key("x"), &leaving(&[], None)), None);
        now.leave_out("b");
        assert_eq!(now.destination(&key("a"), &leaving(&["b"], None)), None, "of another cluster");
    }
}
