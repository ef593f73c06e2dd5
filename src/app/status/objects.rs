//! The objects of a target: which differ from the commit that runs, and how healthy they are.

use super::StatusOptions;
use super::listed::{ListedTargets, ProvenTarget};
use super::running::Running;
use crate::app::survey::{ClusterHead, survey_from};
use crate::app::wait::is_exempt;
use crate::app::{Error, Survey};
use crate::core::health::{Health, HealthAssessor, HealthState};
use crate::core::inventory::Record;
use crate::core::object::{GroupKind, ObjectKey};
use crate::core::plan::{Action, Change, ReasonKind};
use crate::core::redact::Redactor;
use crate::core::status::{
    CommitRelation, HealthCounts, ImageStatus, SyncState, TargetStatus, UnhealthyObject, sync_state,
};

/// A look at the objects of one target.
#[derive(Clone, Copy)]
pub(super) struct ObjectsLook<'a> {
    pub(super) options: StatusOptions<'a>,
    pub(super) index: usize,
    pub(super) running: &'a Running,
    pub(super) record: &'a Record,
    pub(super) listed: &'a ListedTargets,
}

/// The state of a target's objects.
#[derive(Default)]
pub(super) struct ObjectsFound {
    pub(super) drift: Vec<ObjectKey>,
    pub(super) health: HealthCounts,
    pub(super) images: Vec<ImageStatus>,
    /// Why it can't be told whether the objects differ.
    unknown: Option<String>,
    /// The plan; `None` where all is proven to be in sync.
    survey: Option<Box<Survey>>,
    /// Knows the Secrets, where there is no plan that does.
    redactor: Option<Redactor>,
}

impl ObjectsLook<'_> {
    /// Looks at the objects; `None` where the commit that runs is not here.
    pub(super) async fn look(self, head: ClusterHead) -> Result<ObjectsFound, Error> {
        let Self { options, index, running, record, listed } = self;
        let Some(check) = running.check.as_ref().filter(|_| running.elsewhere.is_none()) else {
            return Ok(ObjectsFound::default());
        };
        if let Some(proven) = &listed.proven[index]
            && let Some(found) = self.proven(proven)
        {
            return Ok(found);
        }
        let id = check.inventory.id();
        let members = listed.members.members(&id, &record.kinds, head.catalog());
        let head = head.with_members(record.clone(), members);
        let (checkout, cluster) = (options.checkout, options.cluster);
        let mut survey = survey_from(check, checkout, cluster, None, Some(head)).await?;
        self.forgive_late_claims(&id, &mut survey).await;
        Ok(ObjectsFound::of(survey))
    }

    /// The state of a target that is proven to be in sync; `None` where its Secrets are not known, to mask
    /// them.
    fn proven(self, proven: &ProvenTarget) -> Option<ObjectsFound> {
        let Self { running, listed, .. } = self;
        let ProvenTarget { ready, unready } = proven;
        let health = HealthCounts { ready: *ready, ..HealthCounts::default() };
        let redactor = listed.can_mask(running).then(|| listed.redactor(running))?;
        let unready = unready.iter().map(|(key, health)| (key, health)).collect();
        let health = with_others(health, unready, &redactor);
        let redactor = Some(redactor);
        Some(ObjectsFound { health, redactor, ..ObjectsFound::default() })
    }

    /// A claim whose volume is bound when the first pod uses it is ready without one.
    async fn forgive_late_claims(self, id: &str, survey: &mut Survey) {
        let claim = GroupKind::new("", "PersistentVolumeClaim");
        let class = GroupKind::new("storage.k8s.io", "StorageClass");
        let Some(served) = survey.found.catalog.preferred(&class) else { return };
        if !survey.found.unready.keys().any(|key| key.group_kind() == claim) {
            return;
        }
        // Without the right to list them, a claim that waits for a pod counts as not ready.
        let Ok(late_binding) = self.options.cluster.late_binding(served).await else { return };
        let assessor = HealthAssessor { late_binding, ..survey.found.assessor.clone() };
        for object in self.listed.members.objects(id, &claim) {
            if assessor.health(&object).is_ready() {
                survey.found.unready.remove(&object.key());
            }
        }
    }
}

impl ObjectsFound {
    /// The state that a plan at the commit that runs shows.
    fn of(survey: Survey) -> Self {
        let plan = &survey.decided.plan;
        let differs = |change: &&Change| {
            change.is_work() || change.action() == Action::Refuse && !is_unknown(change)
        };
        let drift: Vec<ObjectKey> =
            plan.changes().filter(differs).map(|change| change.key.clone()).collect();
        let is_told = !drift.is_empty() || survey.is_in_sync();
        let unknown = (!is_told).then(|| unknown(&survey));
        let health = health_of(&survey);
        let images = Vec::new();
        let (survey, redactor) = (Some(Box::new(survey)), None);
        Self { drift, health, images, unknown, survey, redactor }
    }

    /// Knows the Secrets of the target; `None` where there is nothing to say that could quote one.
    pub(super) fn redactor(&self) -> Option<&Redactor> {
        self.survey.as_ref().map(|survey| survey.redactor()).or(self.redactor.as_ref())
    }

    /// Fills in what was found, and gives the state.
    pub(super) fn fill(self, status: &mut TargetStatus, relation: CommitRelation) -> SyncState {
        if let Some(redactor) = self.redactor() {
            redactor.mask_in(status);
        }
        let Self { drift, health, images, unknown, .. } = self;
        status.drift = drift;
        status.health = health;
        status.images = images;
        match unknown {
            Some(why) => SyncState::Unknown(why),
            None => sync_state(relation, !status.drift.is_empty()),
        }
    }
}

/// Whether an object is refused only because it could not be read: it may well be as declared.
fn is_unknown(change: &Change) -> bool {
    let kind = change.reason.as_ref().map(|reason| &*reason.kind);
    matches!(
        kind,
        Some(ReasonKind::Unknown { .. } | ReasonKind::NotLookedUp | ReasonKind::NotAsked)
    )
}

/// Why it can't be told whether the objects differ, though none is known to.
fn unknown(survey: &Survey) -> String {
    let problems = survey.masked_problems();
    if let Some(problem) = problems.first() {
        return format!("{}: {}", problem.place(), problem.message());
    }
    if let Some(unlisted) = survey.found.unlisted.first() {
        return format!("{} can't be listed: {}", unlisted.kind, unlisted.reason);
    }
    let unread = survey.decided.plan.changes().find(|change| is_unknown(change));
    match unread.and_then(|change| Some((&change.key, change.reason.as_ref()?))) {
        Some((key, reason)) => {
            let why = survey.redactor().text_about(key, &reason.to_string());
            format!("{key} can't be read: {why}")
        }
        None => "not all objects could be read".to_owned(),
    }
}

/// How the live objects are that the commit declares.
fn health_of(survey: &Survey) -> HealthCounts {
    let mut counts = HealthCounts::default();
    let mut others: Vec<(&ObjectKey, &Health)> = Vec::new();
    let declared = survey.decided.plan.changes().filter(|change| change.origin.is_some());
    for change in declared {
        if change.live().is_none() || is_exempt(survey, change) {
            continue;
        }
        match survey.found.unready.get(&change.key) {
            None => counts.ready += 1,
            Some(health) => others.push((&change.key, health)),
        }
    }
    with_others(counts, others, survey.redactor())
}

/// The counts with the objects that are not ready, the worst first.
fn with_others(
    mut counts: HealthCounts,
    mut others: Vec<(&ObjectKey, &Health)>,
    redactor: &Redactor,
) -> HealthCounts {
    others.sort_by_key(|(key, health)| (std::cmp::Reverse(health.state), *key));
    counts.failed = others.iter().filter(|(_, it)| it.state == HealthState::Failed).count();
    counts.progressing = others.len() - counts.failed;
    counts.first = others.first().map(|(key, health)| UnhealthyObject {
        key: (*key).clone(),
        why: redactor.text_about(key, &health.why),
    });
    counts
}
