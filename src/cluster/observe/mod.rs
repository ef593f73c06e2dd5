//! Observes the cluster, and the effect of applying. Reads and dry runs only.
//!
//! `members` reads what the inventory has, in one paged LIST for each kind. `examine` finds out
//! what of it is proven to stay as it is, which costs nothing more. `look` asks the server about
//! the rest, by dry run, and `holders` finds the objects that hold a value which another one wants
//! alone. `unrecorded` looks for members of a record that is gone.

mod holders;
mod members;
mod members_diff;
mod observe_object;
mod unrecorded;

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt as _};

pub use self::members::Members;
pub(super) use self::members::{HeldBytes, typed};
use self::members_diff::{Comparison, Examined, examine};
use self::observe_object::{KnownMembers, ObserveRequest, ObserveResult, SendSource};
pub use self::unrecorded::UnrecordedMembers;
use super::Cluster;
use super::immutable::definition_key;
use crate::core::annotations::Mode;
use crate::core::desired::Desired;
use crate::core::dry_run_cache::DryRunCache;
use crate::core::health::HealthAssessor;
use crate::core::inventory::{Inventory, Record};
use crate::core::kinds::catalog::{AnnouncedKind, Catalog, Lookup, Served, is_namespace};
use crate::core::kinds::schemas::Schemas;
use crate::core::object::{GroupKind, Object, ObjectKey};
use crate::core::observed::{Observation, Observed, Prerequisite, Preview, Unrecorded};

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
        let known =
            KnownMembers { verdicts: self.recall(question.inventory), schemas: Schemas::newest() };
        let trusted = (!question.verify).then_some(&known);
        let ObserveOptions { desired, assessor, .. } = *question;
        assessor.reset_cost();
        let measure = Comparison { desired, assessor, known: trusted, whole: question.whole };
        let Examined { same, left, mut others, verdicts, unready } = examine(&mut members, measure);
        let mut remembered = DryRunCache::default();
        remembered.extend(verdicts);

        let mut observed = Observed {
            objects: BTreeMap::new(),
            unlisted: members.unlisted,
            unready: unready.into_iter().collect(),
            begun_with: question.record.and_then(|record| record.past.objects),
            finished: question.record.map(|it| it.finished.clone()).unwrap_or_default(),
            unrecorded: Unrecorded::default(),
            taken: BTreeMap::new(),
        };
        for (key, live) in same {
            let preview = if left.contains(&key) { Preview::Left } else { Preview::Same };
            let seen = Observation::Seen { live: Some(live), preview: Some(preview) };
            observed.objects.insert(key, seen);
        }
        let unproven = question.desired.objects.iter();
        let unproven = unproven.filter(|(key, _)| !observed.objects.contains_key(*key));
        let (namespaces, rest): (Vec<_>, Vec<_>) = unproven.partition(|(key, _)| is_namespace(key));
        let mut unborn = BTreeSet::new();
        for part in [namespaces, rest] {
            let (mut looks, mut deferred) = (Vec::new(), Vec::new());
            for (key, manifest) in part {
                let object = &manifest.object;
                let mode = Mode::treatment_of(object).map(|treatment| treatment.mode);
                if mode == Some(Mode::Ignore) && !observed.is_unlisted(key) {
                    let (live, preview) = (others.remove(key), Some(Preview::Left));
                    observed.objects.insert(key.clone(), Observation::Seen { live, preview });
                    continue;
                }
                let served = question.catalog.lookup(&key.group_kind(), object.version());
                let seen = match (prerequisite(object, question.catalog, &unborn), served) {
                    (None, Lookup::Served(served)) => {
                        let sent = SendSource { question, key, manifest };
                        let member = others.remove(key);
                        let look = ObserveRequest {
                            served,
                            send: sent.beside(member.as_ref()),
                            sent: sent.depends_on_live().then_some(sent),
                            member,
                            is_unlisted: observed.is_unlisted(key),
                            promised: question.catalog.promised_by(object.api_version()),
                            definition: question.definition(served),
                            mode,
                        };
                        looks.push((key, look));
                        continue;
                    }
                    (Some(prerequisite), _) => {
                        deferred.push((key, prerequisite, others.remove(key)));
                        continue;
                    }
                    (None, _) => Observation::Unknown("its kind is not served".to_owned()),
                };
                observed.objects.insert(key.clone(), seen);
            }
            let deferred = deferred.into_iter().map(|(key, prerequisite, member)| async move {
                let looked = self.observe_present(question, key, prerequisite, member).await;
                (key, looked)
            });
            let mut deferred = stream::iter(deferred).buffer_unordered(self.connection.concurrency);
            while let Some((key, observation)) = deferred.next().await {
                observed.objects.insert(key.clone(), observation);
            }
            let looks = looks
                .into_iter()
                .map(|(key, look)| async move { (key, self.observe_object(look, trusted).await) });
            let mut looks = stream::iter(looks).buffer_unordered(self.connection.concurrency);
            while let Some((key, ObserveResult { observation, verdict })) = looks.next().await {
                let is_there =
                    |live: Option<&Object>| live.is_some_and(|live| !live.is_terminating());
                let is_unknown = matches!(observation, Observation::Unknown(_))
                    || question
                        .desired
                        .objects
                        .get(key)
                        .is_some_and(|it| Mode::ignores(&it.object));
                if is_namespace(key) && !is_unknown && !is_there(observation.live()) {
                    unborn.insert(key.name.clone());
                }
                remembered.extend(verdict);
                let health = observation.live().map(|live| assessor.health(live));
                if let Some(health) = health.filter(|health| !health.is_ready()) {
                    observed.unready.insert(key.clone(), health);
                }
                observed.objects.insert(key.clone(), observation);
            }
            lost_with(&unborn, question, &mut observed);
        }
        for (key, live) in others {
            observed.objects.insert(key, Observation::Seen { live: Some(live), preview: None });
        }
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
        key: &ObjectKey,
        prerequisite: Prerequisite,
        member: Option<Object>,
    ) -> Observation {
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

/// The objects that are still in a terminating namespace: they are deleted with it, and have to be
/// recreated.
fn lost_with(unborn: &BTreeSet<String>, question: &ObserveOptions<'_>, observed: &mut Observed) {
    for (key, observation) in &mut observed.objects {
        let Some(namespace) = &key.namespace else { continue };
        if unborn.contains(namespace)
            && observation.live().is_some()
            && question.desired.objects.contains_key(key)
        {
            let preview = Some(Preview::Deferred(Prerequisite::Namespace(namespace.clone())));
            *observation = Observation::Seen { live: None, preview };
            observed.unready.remove(key);
        }
    }
}

/// The prerequisite, of what the commit brings and the cluster lacks.
fn prerequisite(
    object: &Object,
    catalog: &Catalog,
    unborn: &BTreeSet<String>,
) -> Option<Prerequisite> {
    let kind = object.group_kind();
    match catalog.lookup(&kind, object.version()) {
        Lookup::Defined(defined) => return Some(Prerequisite::Definition(defined.by.clone())),
        Lookup::Promised(AnnouncedKind { by, silence, known: _ }) => {
            let silence = silence.map(str::to_owned);
            return Some(Prerequisite::Server { by: by.clone(), silence });
        }
        _ => {}
    }
    let namespace = object.namespace()?;
    unborn.contains(namespace).then(|| Prerequisite::Namespace(namespace.to_owned()))
}
