//! Looks at git and the cluster, and decides. Writes nothing.

mod finished_jobs;
mod inventory;
mod proof;
mod shown;

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::cluster::{Cluster, ObserveOptions};
use crate::core::annotations::Mode;
use crate::core::desired::Desired;
use crate::core::field_rules::FieldRule;
use crate::core::health::{Health, HealthAssessor};
use crate::core::inventory::{InventorySource, Record};
use crate::core::kinds::catalog::Catalog;
use crate::core::manifest::Manifest;
use crate::core::moves::{RemovedTarget, of_repository};
use crate::core::object::ObjectKey;
use crate::core::observed::{Observation, Observed, Unlisted};
use crate::core::plan::{Action, Change, Plan, PlanContext, idle_rules, plan};
use crate::core::problem::Problem;
use crate::core::redact::{Inputs, Redactor};
use crate::core::source::snapshot::Revision;
use crate::git::{Checkout, Uncommitted};

use self::finished_jobs::finished;
pub(super) use self::inventory::whose;
pub(super) use self::inventory::{
    ClusterHead, InventoryHead, find_cluster, find_head, parents_near,
};
use self::inventory::{InventoryContents, find, has_home, know_kinds};
use self::proof::note;
pub(super) use self::proof::{fingerprint_of_cluster, may_be_proven};
use super::apply::can_begin;
use super::declare::declare_ignored_too;
use super::definitions;
use super::elsewhere::note_definitions_elsewhere;
use super::enabled::put_off;
use super::former_release::FormerRelease;
use super::moved::{MoveSearch, removed_of};
use super::right_cluster::check_cluster;
use super::trust::{Judged, JudgedBy, hold};
use super::{Declared, Error, Explained, LastRead, Target, declare, declare_again};

/// Findings, the decisions made from them, and the reasons.
pub struct Survey {
    /// The state of git and of the cluster.
    pub found: Found,
    /// The plan, and what led to it.
    pub decided: Decided,
    /// Why it is to be done; empty until [`explain`](super::explain) was asked.
    pub explained: Explained,
    /// Made when it is first asked for.
    redactor: OnceLock<Redactor>,
}

/// The state of git and of the cluster.
pub struct Found {
    /// When looking began.
    pub begun: Instant,
    /// How long it took.
    pub took: Duration,
    /// The commit that is to be made true.
    pub revision: Revision,
    /// How far it is trusted, and which commit it stands in for.
    pub judged: Box<Judged>,
    /// Changes in the work tree under the target's paths that are not in the commit.
    pub uncommitted: Uncommitted,
    /// The desired objects, and the problems of those that could not be read.
    pub desired: Desired,
    /// The inventory's record as it is; `None` before the first apply.
    pub before: Option<Record>,
    /// Which kinds there are.
    pub catalog: Catalog,
    /// The cluster's identity, where the user may see it.
    pub cluster_uid: Option<String>,
    /// Kinds whose objects could not be listed, so that each was asked for by its name.
    pub unlisted: Vec<Unlisted>,
    /// Desired objects that are live and not ready, and why.
    pub unready: BTreeMap<ObjectKey, Health>,
    /// Says which objects are ready.
    pub assessor: HealthAssessor,
    /// Targets that are gone from `trueup.yaml`, whose inventories are still there.
    pub removed: Vec<RemovedTarget>,
    /// Whether it is of such a target, to take it down.
    pub is_removal: bool,
    /// The namespace of the inventory.
    home: String,
    /// Fields that are masked as a Secret's values are.
    redact: Vec<FieldRule>,
    /// The secret inputs of programs that render.
    inputs: Inputs,
}

/// The plan, and what led to it.
pub struct Decided {
    /// The action for every object.
    pub plan: Plan,
    /// The permissions that were in force when it was made.
    pub context: PlanContext,
    /// The inventory's record once the plan is carried out in full.
    pub after: Record,
    /// Text that is read as something else than its author most likely meant.
    pub warnings: Vec<Problem>,
}

impl Survey {
    /// Whether carrying it out writes anything, even if only the inventory's record.
    pub fn writes(&self) -> bool {
        let Found { unlisted, before, home, .. } = &self.found;
        let record = || self.record(unlisted);
        let is_known = || unlisted.iter().all(|kind| kind.is_forbidden);
        let records = || self.is_sound() && is_known() && before.as_ref() != Some(&record());
        match self.decided.plan.writes() {
            true => can_begin(&self.decided.plan, home),
            false => !self.is_nothing() && records(),
        }
    }

    /// Whether the cluster is as the commit has it, and all of the commit can be used.
    pub fn is_in_sync(&self) -> bool {
        self.decided.plan.is_true() && self.found.desired.problems.is_empty()
    }

    /// Whether the commit was taken back before because it failed.
    pub fn has_failed(&self) -> bool {
        let Found { before, revision, .. } = &self.found;
        before.as_ref().is_some_and(|before| before.has_failed(revision))
    }

    /// Whether there is nothing in the commit that can't be used, nothing that is refused or dropped,
    /// and nothing known to be left over.
    pub(super) fn is_sound(&self) -> bool {
        let plan = &self.decided.plan;
        self.found.desired.problems.is_empty()
            && plan.count(Action::Refuse) == 0
            && plan.held_back.is_empty()
            && plan.short.is_empty()
    }

    /// Whether there is nothing to record: nothing was there, nothing is wanted.
    pub(super) fn is_nothing(&self) -> bool {
        self.found.before.is_none() && self.found.desired.objects.is_empty()
    }

    /// The record that the inventory's parent will hold where all goes well and nothing holds a
    /// deletion up, of some kinds being `unlisted`.
    pub(super) fn record(&self, unlisted: &[Unlisted]) -> Record {
        let mut record = self.decided.after.clone();
        let stays = |change: &&Change| change.origin.is_none() && change.action() == Action::Keep;
        record.extend(self.decided.plan.changes().filter(stays).map(|change| &change.key));
        record.namespaces.insert(self.found.home.clone());
        // For the record, a kind that could not be listed still has members.
        record.kinds.extend(unlisted.iter().map(|unlisted| unlisted.kind.clone()));
        if let Some(before) = self.found.before.as_ref().filter(|_| !unlisted.is_empty()) {
            record.namespaces.extend(before.namespaces.iter().cloned());
        }
        record
    }
}

/// Looks at git and the cluster at the same time, and decides what to do. A commit that was read
/// `last` is not read again.
///
/// # Errors
///
/// When git can't be read, when the API server does not answer, or when the inventory is not this
/// target's. Nothing was written.
pub async fn survey(
    target: &Target,
    checkout: &Checkout,
    cluster: &Cluster,
    last: Option<&LastRead>,
) -> Result<Survey, Error> {
    Box::pin(survey_from(target, checkout, cluster, last, None)).await
}

/// The same, where some of the cluster is `known` already.
///
/// # Errors
///
/// As of [`survey`].
pub(super) async fn survey_from(
    target: &Target,
    checkout: &Checkout,
    cluster: &Cluster,
    last: Option<&LastRead>,
    known: Option<InventoryHead>,
) -> Result<Survey, Error> {
    let begun = Instant::now();
    let declare = async {
        match last {
            Some(last) => declare_again(target, checkout, last).await,
            None => declare(target, checkout).await,
        }
    };
    let (declared, contents) = futures::try_join!(declare, find(target, cluster, known))?;
    let InventoryContents { head, mut members } = contents;
    let InventoryHead { mut catalog, record: before, cluster_uid, parents, listed: _ } = head;
    let cluster_state = before
        .as_ref()
        .map(|before| fingerprint_of_cluster(cluster_uid.as_deref(), &catalog, before));
    let requests = cluster.counted();
    let Declared {
        revision,
        manifests,
        mut problems,
        mut warnings,
        unreferenced,
        others,
        inputs,
        files: _,
        is_rendered,
        has_ignore_files,
        uncommitted,
        read_elsewhere: _,
    } = declared;
    // Whoever wants all of a commit or nothing wants these, too.
    if target.strict { &mut problems } else { &mut warnings }.extend(unreferenced);
    // Where no file is a manifest, trueup may look in the wrong place.
    let is_in_doubt = target.strict || manifests.is_empty();
    if is_in_doubt { &mut problems } else { &mut warnings }.extend(others);
    let judged = Box::new(hold(target, checkout, before.as_ref()).await?);
    let owner = whose(target, checkout, &revision, before.as_ref())?;
    let repository = owner.repository.clone();
    check_cluster(target, cluster, cluster_uid.as_deref(), &repository)?;

    let objects = manifests.iter().map(|manifest| &manifest.object);
    catalog.define(objects.filter(|object| !Mode::ignores(object)));
    cluster.notice(&mut catalog).await;
    know_kinds(target, &catalog)?;
    note_definitions_elsewhere(target, checkout, &revision, &manifests, &mut catalog).await;
    if let Some(before) = &before {
        members.miss(before, &catalog);
    }
    let mut desired = desired(target, manifests, problems, &catalog);
    usable(target, &desired, &inputs)?;
    if before.is_none() && !desired.objects.is_empty() {
        has_home(target, &desired, cluster).await?;
    }

    let assessor = HealthAssessor { rules: target.health.clone(), ..HealthAssessor::default() };
    let options = ObserveOptions {
        assessor: &assessor,
        desired: &desired,
        catalog: &catalog,
        inventory: &target.inventory,
        record: before.as_ref(),
        verify: target.verify,
        whole: target.whole,
    };
    let by_namespace = members.by_namespace();
    let unrecorded = cluster.unrecorded(&options, &by_namespace);
    let (unrecorded, mut observed) = futures::join!(unrecorded, cluster.observe(&options, members));
    unrecorded.join(&mut observed);
    let now = (&revision, &desired);
    let former =
        FormerRelease { target, checkout, catalog: &catalog, before: before.as_ref(), now };
    former.find_members(&mut observed, cluster).await;
    owner.check_objects(target, &desired, &observed)?;
    if has_ignore_files && is_anything_undesired(&desired, &observed) {
        let manifests = declare_ignored_too(target, checkout, &revision).await?;
        let all = Desired::new(manifests, &catalog, &target.namespace).objects;
        let all = all.into_iter().map(|(key, manifest)| (key, manifest.origin));
        desired.left_out = all.filter(|(key, _)| !desired.objects.contains_key(key)).collect();
    }
    put_off(&mut desired, &mut observed);
    definitions::hold(&desired, &mut observed);
    let others = of_repository(&parents, &repository, &target.inventory);
    let search = MoveSearch {
        target,
        checkout,
        cluster,
        cluster_uid: cluster_uid.as_deref(),
        repository: &repository,
        revision: &revision,
        catalog: &catalog,
        before: before.as_ref(),
        others: &others,
    };
    let moves = search.find(&desired, &observed).await;
    desired.leaving = moves.leave;
    let mut context = context(target, cluster, &observed, &catalog).await?;
    context.handovers = moves.come;

    let found = Found {
        begun,
        took: begun.elapsed(),
        uncommitted,
        before,
        catalog,
        cluster_uid,
        unlisted: observed.unlisted.clone(),
        unready: std::mem::take(&mut observed.unready),
        assessor,
        home: target.inventory.namespace.clone(),
        redact: target.redact.clone(),
        inputs,
        removed: removed_of(target, &parents, &repository, checkout, &revision),
        is_removal: target.is_removed,
        revision,
        judged,
        desired,
    };
    let plan = plan(&found.desired, observed, &target.inventory, &context);
    let after = record_after(target, repository, &found, &plan);
    let warnings = warnings
        .into_iter()
        .chain(plan.warnings.iter().cloned())
        .chain(idle_rules(&target.ignore, &found.desired, &plan))
        .chain(idle_rules(&target.redact, &found.desired, &plan))
        .collect();
    let decided = Decided { plan, context, after, warnings };
    let explained = Explained::default();
    let survey = Survey { found, decided, explained, redactor: OnceLock::new() };
    // An answer to any other question could be another one next time.
    if let Some(state) = cluster_state.filter(|_| !is_rendered && cluster.counted() == requests) {
        note(target, cluster, &survey, state);
    }
    Ok(survey)
}

/// The desired objects, as the target treats them.
fn desired(
    target: &Target,
    manifests: Vec<Manifest>,
    problems: Vec<Problem>,
    catalog: &Catalog,
) -> Desired {
    let mut desired = Desired::new(manifests, catalog, &target.namespace);
    desired.join(&target.inventory);
    desired.problems.splice(0..0, problems);
    desired.ignore.clone_from(&target.ignore);
    desired.on_conflict = target.policy.on_conflict();
    desired
}

/// Whether there is anything to go by: not where every document is wrong, or any one is and the
/// target is strict.
fn usable(target: &Target, desired: &Desired, inputs: &Inputs) -> Result<(), Error> {
    if desired.problems.is_empty() || !target.strict && !desired.objects.is_empty() {
        return Ok(());
    }
    let objects = desired.objects.values().map(|manifest| &manifest.object);
    let redactor = Redactor::with_rules(objects, &target.redact, inputs);
    let problems = desired.problems.iter().map(|it| redactor.problem(it)).collect();
    Err(match target.strict {
        true => Error::Strict { problems },
        false => Error::Unusable { problems },
    })
}

/// The plan's context: all that decides about it besides the desired and the observed objects.
async fn context(
    target: &Target,
    cluster: &Cluster,
    observed: &Observed,
    catalog: &Catalog,
) -> Result<PlanContext, Error> {
    let instances = cluster.instances(observed, catalog).await;
    Ok(PlanContext {
        policy: target.policy.clone(),
        siblings: target.siblings.clone(),
        handovers: BTreeMap::new(),
        instances: instances
            .map_err(api("list the objects of a definition that is to be deleted"))?,
        now: Timestamp::now(),
    })
}

/// The inventory's record once the plan is carried out in full.
fn record_after(target: &Target, repository: String, found: &Found, plan: &Plan) -> Record {
    let Found { revision, before, desired, unready, .. } = found;
    let dirty = if revision.dirty { "-dirty" } else { "" };
    let source = InventorySource {
        repository,
        target: target.declared.clone(),
        paths: target.recorded_paths(),
        revision: Some(format!("{}{dirty}", revision.commit)),
        tracked: revision.tracked.clone(),
    };
    let is_declared = |change: &&Change| change.origin.is_some();
    let id = target.inventory.id();
    let applied = plan.changes().filter(is_declared).filter(|change| change.ends_in(Some(&id)));
    let mut after = Record::of(source, applied.map(|change| &change.key));
    after.is_unverified = matches!(found.judged.by, JudgedBy::Waived(_));
    after.remember(before.as_ref());
    after.finished = finished(plan, desired, unready);
    let gone: Vec<ObjectKey> = after.finished.keys().cloned().collect();
    after.extend(&gone);
    after
}

/// Whether anything that was seen would be pruned, as far as it is not kept.
fn is_anything_undesired(desired: &Desired, observed: &Observed) -> bool {
    let is_undesired = |(key, seen): (&ObjectKey, &Observation)| {
        seen.live().is_some() && !desired.objects.contains_key(key)
    };
    observed.objects.iter().any(is_undesired)
}

/// Names what was tried.
pub(super) fn api(attempt: &'static str) -> impl FnOnce(crate::cluster::ApiError) -> Error {
    move |source| Error::Api { attempt, source }
}
