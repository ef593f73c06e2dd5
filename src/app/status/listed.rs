//! The members of all targets, with one LIST for each kind. Of what is proven to be in sync and is ready as
//! soon as it exists, the versions are enough.

use std::collections::BTreeMap;

use super::running::Running;
use super::{CommonState, StatusOptions};
use crate::app::in_sync::{LookAt, ProofCandidate};
use crate::cluster::{SharedKind, SharedMembers};
use crate::core::annotations::{self, WAIT};
use crate::core::health::{Health, HealthAssessor};
use crate::core::inventory::Record;
use crate::core::object::{GroupKind, Object, ObjectKey};
use crate::core::redact::{Inputs, Redactor};

/// The members of all targets.
pub(super) struct ListedTargets {
    pub(super) members: SharedMembers,
    /// Of each target, its health where it is proven to be in sync.
    pub(super) proven: Vec<Option<ProvenTarget>>,
}

/// A target that is proven to be in sync.
pub(super) struct ProvenTarget {
    /// How many objects are ready; some may say that they are not waited for.
    pub(super) ready: usize,
    /// Those that are not.
    pub(super) unready: Vec<(ObjectKey, Health)>,
}

impl ListedTargets {
    /// Lists what the proofs, and health, need.
    pub(super) async fn list(
        options: StatusOptions<'_>,
        common: &CommonState,
        running: &[Running],
    ) -> Self {
        let mut candidates = Vec::with_capacity(running.len());
        for running in running {
            candidates.push(candidate(options, running).await);
        }
        let mut agenda = Agenda::default();
        for (running, candidate) in running.iter().zip(&candidates) {
            let Some((record, _)) = of_interest(running) else { continue };
            let assessor = assessor(running);
            for kind in &record.kinds {
                let is_light =
                    candidate.is_some() && is_light(&assessor, kind) && !masks(running, kind);
                agenda.add(common, running, kind, !is_light);
            }
        }
        let members = options.cluster.shared_members(agenda.kinds()).await;
        let mut listed = Self { members, proven: Vec::new() };
        for (running, candidate) in running.iter().zip(candidates) {
            let proven = candidate.and_then(|it| listed.prove(options, common, running, &it));
            listed.proven.push(proven);
        }
        listed
    }

    /// Lists the rest of those that are not proven, for surveys.
    pub(super) async fn complete(
        &mut self,
        options: StatusOptions<'_>,
        common: &CommonState,
        running: &[Running],
    ) {
        let mut agenda = Agenda::default();
        for (running, proven) in running.iter().zip(&self.proven) {
            let Some((record, id)) = of_interest(running) else { continue };
            if proven.is_some() {
                continue;
            }
            let missing = record.kinds.iter().filter(|kind| !self.members.has_objects(&id, kind));
            missing.for_each(|kind| agenda.add(common, running, kind, true));
        }
        self.members.join(options.cluster.shared_members(agenda.kinds()).await);
    }

    /// The proof of a target, where it holds and all is healthy.
    fn prove(
        &self,
        options: StatusOptions<'_>,
        common: &CommonState,
        running: &Running,
        candidate: &ProofCandidate,
    ) -> Option<ProvenTarget> {
        let (record, id) = of_interest(running)?;
        let target = running.check.as_ref()?;
        let at = LookAt { target, checkout: options.checkout, cluster: options.cluster };
        let head = common.head().with_members(record.clone(), None);
        let is_there = |kind: &&GroupKind| {
            common.catalog.preferred(kind).is_some()
                || common.catalog.silence(&kind.group).is_some()
        };
        let versions = self.members.versions(&id, record.kinds.iter().filter(is_there));
        at.statement(candidate, &head, versions)?;
        let assessor = assessor(running);
        let (mut ready, mut unready) = (0, Vec::new());
        for kind in &record.kinds {
            if !self.members.has_objects(&id, kind) {
                ready += self.members.count(&id, kind);
                continue;
            }
            for object in self.members.objects(&id, kind) {
                match health(&assessor, &object) {
                    None => {}
                    Some(health) if health.is_ready() => ready += 1,
                    Some(health) => unready.push((object.key(), health)),
                }
            }
        }
        // A claim may be one that waits for its first pod, which the survey finds out.
        let is_claim = |(key, _): &(ObjectKey, Health)| key.kind == "PersistentVolumeClaim";
        (!unready.iter().any(is_claim)).then_some(ProvenTarget { ready, unready })
    }

    /// A redactor that knows the Secrets of a target that is proven to be in sync, and its masked fields.
    /// Such a target is not rendered, so that there are no other secret inputs.
    pub(super) fn redactor(&self, running: &Running) -> Redactor {
        let Some((record, id)) = of_interest(running) else { return Redactor::default() };
        let rules = running.check.as_ref().map(|it| it.redact.as_slice()).unwrap_or_default();
        let objects: Vec<Object> =
            record.kinds.iter().flat_map(|kind| self.members.objects(&id, kind)).collect();
        Redactor::with_rules(&objects, rules, &Inputs::default())
    }

    /// Whether the Secrets of a target, and its masked fields, could be listed.
    pub(super) fn can_mask(&self, running: &Running) -> bool {
        let Some((record, id)) = of_interest(running) else { return false };
        let mut secret = record.kinds.iter().filter(|kind| masks(running, kind));
        secret.all(|kind| self.members.has_objects(&id, kind))
    }
}

/// Whether objects of a kind have to be known to mask texts: messages of commits and about objects may
/// quote a Secret, or a field that is masked as one.
fn masks(running: &Running, kind: &GroupKind) -> bool {
    let has_rules = running.check.as_ref().is_some_and(|it| !it.redact.is_empty());
    has_rules || *kind == GroupKind::new("", "Secret")
}

/// The health of a live object; `None` where it says itself that it is not waited for.
fn health(assessor: &HealthAssessor, object: &Object) -> Option<Health> {
    let is_exempt = annotations::flag(object, WAIT) == Some(false);
    (!is_exempt).then(|| assessor.health(object))
}

/// Whether objects of a kind are ready as soon as they exist.
fn is_light(assessor: &HealthAssessor, kind: &GroupKind) -> bool {
    let GroupKind { group, kind } = kind.clone();
    assessor.is_ready_at_once(&ObjectKey { group, kind, namespace: None, name: String::new() })
}

fn assessor(running: &Running) -> HealthAssessor {
    let rules = running.check.as_ref().map(|target| target.health.clone()).unwrap_or_default();
    HealthAssessor { rules, ..HealthAssessor::default() }
}

/// The record of a target whose objects are looked at, and its inventory's id.
fn of_interest(running: &Running) -> Option<(&Record, String)> {
    let target = running.check.as_ref().filter(|_| running.elsewhere.is_none())?;
    let record = running.record.as_ref().ok()?.as_ref()?;
    Some((record, target.inventory.id()))
}

/// The proof that may hold of a target. One that can't be read is none.
async fn candidate(options: StatusOptions<'_>, running: &Running) -> Option<ProofCandidate> {
    let target = running.check.as_ref().filter(|_| running.elsewhere.is_none())?;
    let at = LookAt { target, checkout: options.checkout, cluster: options.cluster };
    at.candidate().await.ok().flatten()
}

/// The LISTs to make: of each kind, whole or of metadata, of which inventories.
#[derive(Default)]
struct Agenda(BTreeMap<(GroupKind, bool), SharedKind>);

impl Agenda {
    fn add(&mut self, common: &CommonState, running: &Running, kind: &GroupKind, whole: bool) {
        let Some((record, id)) = of_interest(running) else { return };
        let Some(served) = common.catalog.preferred(kind) else { return };
        let list = self.0.entry((kind.clone(), whole));
        let new = || SharedKind { served: served.clone(), ids: BTreeMap::new(), whole };
        list.or_insert_with(new).ids.insert(id, record.namespaces.clone());
    }

    fn kinds(self) -> Vec<SharedKind> {
        self.0.into_values().collect()
    }
}
