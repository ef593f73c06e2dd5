//! What the cluster has, and what applying would do. Reads and dry runs only.
//!
//! [`members`] brings what the inventory has, in one paged LIST for each kind. What is proven to
//! stay as it is costs nothing more; [`look`] asks the server about the rest, by dry run.

mod look;
mod members;

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt as _};

use self::look::{Known, Look, Looked};
use super::Cluster;
use crate::catalog::{Catalog, Lookup, Served, is_namespace};
use crate::desired::Desired;
use crate::inventory::{Inventory, Record};
use crate::object::{GroupKind, Object};
use crate::observed::{Observation, Observed, Prerequisite, Preview};
use crate::schemas::Schemas;
use crate::verdicts::Verdicts;

/// What to look at.
pub struct Question<'a> {
    /// What should exist.
    pub desired: &'a Desired,
    /// Which kinds there are.
    pub catalog: &'a Catalog,
    /// Of which inventory.
    pub inventory: &'a Inventory,
    /// What the inventory's parent says; `None` before the first apply.
    pub record: Option<&'a Record>,
    /// Whether to ask the server about objects that are proven to stay as they are, too.
    pub verify: bool,
}

impl Question<'_> {
    /// The kind in the version in which it is declared, else in the one that the server prefers.
    fn served(&self, kind: &GroupKind) -> Option<&Served> {
        let mut declared = self.desired.objects.iter().filter(|(key, _)| key.group_kind() == *kind);
        let declared = declared.find_map(|(_, manifest)| {
            match self.catalog.look_up(kind, manifest.object.version()) {
                Lookup::Served(served) => Some(served),
                _ => None,
            }
        });
        declared.or_else(|| self.catalog.preferred(kind))
    }
}

impl Cluster {
    /// Looks at every object of desired ∪ inventory.
    pub async fn observe(&self, question: &Question<'_>) -> Observed {
        let (mut members, unlisted) = self.members(question).await;
        let known = Known {
            verdicts: self.recall(question.inventory),
            schemas: LazyCell::new(Schemas::newest),
        };
        let trusted = (!question.verify).then_some(&known);
        let mut verdicts = Verdicts::default();

        let mut observed = Observed { objects: BTreeMap::new(), unlisted };
        let (namespaces, others): (Vec<_>, Vec<_>) =
            question.desired.objects.iter().partition(|(key, _)| is_namespace(key));
        let mut unborn = BTreeSet::new();
        for part in [namespaces, others] {
            let mut looks = Vec::new();
            for (key, manifest) in part {
                let object = &manifest.object;
                let served = question.catalog.look_up(&key.group_kind(), object.version());
                let look = match (prerequisite(object, question.catalog, &unborn), served) {
                    (None, Lookup::Served(served)) => Look {
                        served,
                        send: question.inventory.member(object),
                        member: members.remove(key),
                        is_unlisted: observed.is_unlisted(key),
                    },
                    (Some(prerequisite), _) => {
                        let preview = Some(Preview::Deferred(prerequisite));
                        let seen = Observation::Seen { live: None, preview };
                        observed.objects.insert(key.clone(), seen);
                        continue;
                    }
                    (None, _) => {
                        let unknown = Observation::Unknown("its kind is not served".to_owned());
                        observed.objects.insert(key.clone(), unknown);
                        continue;
                    }
                };
                match trusted.and_then(|known| look.proven(known)) {
                    Some(Looked { observation, verdict }) => {
                        verdicts.extend(verdict);
                        observed.objects.insert(key.clone(), observation);
                    }
                    None => looks.push((key, look)),
                }
            }
            let looks = looks
                .into_iter()
                .map(|(key, look)| async move { (key, self.look(look, trusted).await) });
            let mut looks = stream::iter(looks).buffer_unordered(self.concurrency);
            while let Some((key, Looked { observation, verdict })) = looks.next().await {
                if is_namespace(key) && matches!(observation, Observation::Seen { live: None, .. })
                {
                    unborn.insert(key.name.clone());
                }
                verdicts.extend(verdict);
                observed.objects.insert(key.clone(), observation);
            }
        }
        for (key, live) in members {
            observed.objects.insert(key, Observation::Seen { live: Some(live), preview: None });
        }
        if verdicts != known.verdicts {
            self.remember(question.inventory, &verdicts);
        }
        observed
    }
}

/// What has to exist first, of what the commit brings and the cluster lacks.
fn prerequisite(
    object: &Object,
    catalog: &Catalog,
    unborn: &BTreeSet<String>,
) -> Option<Prerequisite> {
    let kind = object.group_kind();
    if let Lookup::Defined(defined) = catalog.look_up(&kind, object.version()) {
        return Some(Prerequisite::Definition(defined.by.clone()));
    }
    let namespace = object.namespace()?;
    unborn.contains(namespace).then(|| Prerequisite::Namespace(namespace.to_owned()))
}
