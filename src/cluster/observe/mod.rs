//! Observes the cluster, and the effect of applying. Reads and dry runs only.
//!
//! `members` brings what the inventory has, in one paged LIST for each kind. `members_diff` finds
//! out what of it is proven to stay as it is, which costs nothing more. `agenda` says, without a
//! request, what the server has to be asked of the rest, and folds its answers into what is observed;
//! `observe_object` asks, by dry run. `holders` finds out who holds what an object wants alone, and
//! `unrecorded` looks for what is of a record that is gone.

mod agenda;
mod holders;
mod members;
mod members_diff;
mod metadata;
mod observe_object;
mod shared;
mod unrecorded;
mod versions;

use futures::stream::{self, StreamExt as _};

use self::agenda::{Agenda, DeferredObject, ObservationFold};
pub use self::members::Members;
pub(super) use self::members::{HeldBytes, typed};
use self::members_diff::{Comparison, examine};
use self::observe_object::KnownMembers;
pub use self::shared::{SharedKind, SharedMembers};
pub use self::unrecorded::UnrecordedMembers;
pub(super) use self::versions::AT_ONCE;
use super::Cluster;
use super::immutable::definition_key;
use crate::core::desired::Desired;
use crate::core::health::HealthAssessor;
use crate::core::inventory::{Inventory, Record};
use crate::core::kinds::catalog::{Catalog, Lookup, Served, is_namespace};
use crate::core::object::{GroupKind, Object};
use crate::core::observed::{Observation, Observed, Prerequisite, Preview};

/// The scope of an observation.
pub struct ObserveOptions<'a> {
    /// The declared objects.
    pub desired: &'a Desired,
    /// Which kinds there are.
    pub catalog: &'a Catalog,
    /// Of which inventory.
    pub inventory: &'a Inventory,
    /// The content of the inventory's parent; `None` before the first apply.
    pub record: Option<&'a Record>,
    /// Says which objects are ready.
    pub assessor: &'a HealthAssessor,
    /// Whether to ask the server about objects that are proven to stay as they are, too.
    pub verify: bool,
    /// Whether objects that stay as they are are kept whole.
    pub whole: bool,
}

impl ObserveOptions<'_> {
    /// The CustomResourceDefinition of the commit that has a kind.
    fn definition(&self, served: &Served) -> Option<&Object> {
        let key = definition_key(served);
        self.desired.objects.get(&key).map(|manifest| &manifest.object)
    }

    /// The kind in the version in which it is declared; `None` where it is not, or not served so.
    fn declared(&self, kind: &GroupKind) -> Option<&Served> {
        let mut declared = self.desired.objects.iter().filter(|(key, _)| key.group_kind() == *kind);
        declared.find_map(|(_, manifest)| {
            match self.catalog.lookup(kind, manifest.object.version()) {
                Lookup::Served(served) => Some(served),
                _ => None,
            }
        })
    }
}

impl Cluster {
    /// Looks at every object of desired ∪ inventory.
    pub async fn observe(&self, question: &ObserveOptions<'_>, mut members: Members) -> Observed {
        self.list_as_declared(question, &mut members).await;
        let known = KnownMembers { verdicts: self.recall(question.inventory) };
        let trusted = (!question.verify).then_some(&known);
        let ObserveOptions { desired, assessor, .. } = *question;
        assessor.reset_cost();
        let measure = Comparison { desired, assessor, known: trusted, whole: question.whole };
        let examined = examine(&mut members, measure);
        let mut fold = ObservationFold::new(question, examined, members.unlisted);
        let (namespaces, rest): (Vec<_>, Vec<_>) =
            fold.unproven().into_iter().partition(|declared| is_namespace(declared.key));
        for part in [namespaces, rest] {
            let Agenda { requests, deferred } = fold.agenda(part);
            let deferred = deferred.into_iter().map(|it| async move {
                let key = it.key;
                (key, self.observe_present(question, it).await)
            });
            let mut deferred = stream::iter(deferred).buffer_unordered(self.connection.concurrency);
            while let Some((key, observation)) = deferred.next().await {
                fold.insert(key, observation);
            }
            let requests = requests
                .into_iter()
                .map(|(key, it)| async move { (key, self.observe_object(it, trusted).await) });
            let mut results = stream::iter(requests).buffer_unordered(self.connection.concurrency);
            while let Some((key, result)) = results.next().await {
                fold.add(key, result);
            }
            fold.drop_lost_with_namespaces();
        }
        let (mut observed, remembered) = fold.finish();
        self.find_holders(question, &mut observed).await;
        if remembered != known.verdicts {
            self.remember(question.inventory, &remembered);
        }
        observed
    }

    /// Looks at an object that can't be asked about until its prerequisite is there. Where the kind
    /// is served in another version, it may be there already in that one.
    async fn observe_present(
        &self,
        question: &ObserveOptions<'_>,
        deferred: DeferredObject<'_>,
    ) -> Observation {
        let DeferredObject { key, prerequisite, member } = deferred;
        let served = question.catalog.preferred(&key.group_kind());
        let is_new = matches!(
            prerequisite,
            Prerequisite::Definition(_) | Prerequisite::Server { silence: None, .. }
        );
        let served = served.filter(|_| is_new);
        let live = match (served, member) {
            (Some(_), Some(member)) => Some(member),
            (Some(served), None) => {
                match self.get(served, key.namespace.as_deref(), &key.name).await {
                    Ok(live) => live,
                    Err(error) => return Observation::Unknown(error.to_string()),
                }
            }
            (None, _) => None,
        };
        Observation::Seen { live, preview: Some(Preview::Deferred(prerequisite)) }
    }

    /// Lists kinds again that are declared in another version than the server prefers: only in the
    /// same version can two objects be compared.
    async fn list_as_declared(&self, question: &ObserveOptions<'_>, members: &mut Members) {
        let Some(record) = question.record else { return };
        let held = HeldBytes::default();
        for list in members.lists.iter_mut().filter(|list| !list.items.is_empty()) {
            let Some(served) = question.declared(&list.kind) else { continue };
            if super::path::api_version(served) != list.api_version
                // An object that can't be listed in this version is compared by dry run.
                && let Ok(again) = self.list_kind(&held, served, question.inventory, &record.namespaces).await
            {
                *list = again;
            }
        }
    }
}
