//! Looks at git and the cluster, and decides. Writes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use std::time::Instant;

use jiff::Timestamp;

use crate::cluster::{ApiError, Cluster, Members, ObserveOptions};
use crate::config;
use crate::core::annotations::Mode;
use crate::core::desired::Desired;
use crate::core::field_rules::FieldRule;
use crate::core::health::{Health, HealthRules, HealthState};
use crate::core::inventory::{Finished, Inventory, InventorySource, Record};
use crate::core::kinds::catalog::{Catalog, is_namespace};
use crate::core::object::ObjectKey;
use crate::core::observed::{Observation, Observed, Unlisted};
use crate::core::plan::{Action, Change, Plan, PlanContext, idle_rules, plan};
use crate::core::problem::Problem;
use crate::core::redact::{Inputs, Redactor};
use crate::core::source::snapshot::Revision;
use crate::core::suggest::suggest;
use crate::git::{Checkout, Uncommitted};

use super::apply::can_begin;
use super::declare::declare_ignored_too;
use super::definitions;
use super::enabled::put_off;
use super::former_release::FormerRelease;
use super::{Declared, Error, Explained, LastRead, Target, declare, declare_again};

/// An observation, and the plan that follows from it.
pub struct Survey {
    /// When looking began.
    pub begun: Instant,
    /// The commit that is to be made true.
    pub revision: Revision,
    /// Declared objects, and problems in reading them.
    pub desired: Desired,
    /// The decision.
    pub plan: Plan,
    /// What the user allowed when it was made.
    pub allowed: PlanContext,
    /// What the inventory's parent says now; `None` before the first apply.
    pub before: Option<Record>,
    /// Its content once the plan is carried out in full.
    pub after: Record,
    /// Which kinds there are.
    pub catalog: Catalog,
    /// Made when it is first asked for.
    redactor: OnceLock<Redactor>,
    /// Fields that are masked as a Secret's values are.
    redact: Vec<FieldRule>,
    /// Secret inputs of rendering programs.
    inputs: Inputs,
    /// The cluster's identity, where the user may see it.
    pub cluster_uid: Option<String>,
    /// Texts that are read otherwise than their author most likely meant.
    pub warnings: Vec<Problem>,
    /// Why the plan is as it is; empty until [`explain`](super::explain) was asked.
    pub explained: Explained,
    /// Kinds whose objects could not be listed, so that each was asked for by its name.
    pub unlisted: Vec<Unlisted>,
    /// Desired objects that are live and not ready, and why.
    pub unready: BTreeMap<ObjectKey, Health>,
    /// Says which objects are ready.
    pub judge: HealthRules,
    /// The namespace of the inventory.
    home: String,
    /// Changes in the work tree under the target's paths that are not in the commit.
    pub uncommitted: Uncommitted,
}

impl Survey {
    /// Knows every Secret that was seen.
    pub fn redactor(&self) -> &Redactor {
        let declared = self.desired.objects.values().map(|manifest| &manifest.object);
        let made =
            || Redactor::of_plan_with_rules(&self.plan, declared, &self.redact, &self.inputs);
        self.redactor.get_or_init(made)
    }

    /// Whether carrying it out writes anything, even if only the inventory's record.
    pub fn writes(&self) -> bool {
        let record = || self.record(&self.unlisted);
        let is_known = || self.unlisted.iter().all(|kind| kind.is_forbidden);
        let records = || self.is_sound() && is_known() && self.before.as_ref() != Some(&record());
        match self.plan.writes() {
            true => can_begin(&self.plan, &self.home),
            false => !self.is_nothing() && records(),
        }
    }

    /// Whether the commit was taken back before because it failed.
    pub fn has_failed(&self) -> bool {
        self.before.as_ref().is_some_and(|before| before.has_failed(&self.revision))
    }

    /// Whether there is nothing in the commit that can't be used, nothing that is refused or dropped,
    /// and nothing known to be left over.
    pub(super) fn is_sound(&self) -> bool {
        self.desired.problems.is_empty()
            && self.plan.count(Action::Refuse) == 0
            && self.plan.held_back.is_empty()
            && self.plan.short.is_empty()
    }

    /// Whether there is nothing to record: nothing was there, nothing is wanted.
    pub(super) fn is_nothing(&self) -> bool {
        self.before.is_none() && self.desired.objects.is_empty()
    }

    /// What the inventory's parent will say where all goes well and nothing holds a deletion up, of
    /// some kinds being `unlisted`.
    pub(super) fn record(&self, unlisted: &[Unlisted]) -> Record {
        let mut record = self.after.clone();
        let stays = |change: &&Change| change.origin.is_none() && change.action() == Action::Keep;
        record.extend(self.plan.changes().filter(stays).map(|change| &change.key));
        record.namespaces.insert(self.home.clone());
        // What could not be seen is there as far as the record is concerned.
        record.kinds.extend(unlisted.iter().map(|unlisted| unlisted.kind.clone()));
        if let Some(before) = self.before.as_ref().filter(|_| !unlisted.is_empty()) {
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
    let begun = Instant::now();
    let declare = async {
        match last {
            Some(last) => declare_again(target, checkout, last).await,
            None => declare(target, checkout).await,
        }
    };
    let (declared, found) = futures::try_join!(declare, find(&target.inventory, cluster))?;
    let InventoryContents { mut catalog, record: before, mut members, cluster_uid } = found;
    let Declared {
        revision,
        manifests,
        problems,
        mut warnings,
        inputs,
        files: _,
        has_ignore_files,
        uncommitted,
    } = declared;

    let repository = whose(target, checkout, &revision, before.as_ref())?;

    let objects = manifests.iter().map(|manifest| &manifest.object);
    catalog.define(objects.filter(|object| !Mode::ignores(object)));
    cluster.notice(&mut catalog).await;
    know_kinds(target, &catalog)?;
    if let Some(before) = &before {
        members.miss(before, &catalog);
    }
    let mut desired = Desired::new(manifests, &catalog, &target.namespace);
    desired.join(&target.inventory);
    desired.problems.splice(0..0, problems);
    desired.ignore.clone_from(&target.ignore);
    desired.on_conflict = target.policy.on_conflict();
    let is_strict = target.strict && !desired.problems.is_empty();
    if is_strict || desired.objects.is_empty() && !desired.problems.is_empty() {
        let objects = desired.objects.values().map(|manifest| &manifest.object);
        let redactor = Redactor::with_rules(objects, &target.redact, &inputs);
        let problems = desired.problems.iter().map(|it| redactor.problem(it)).collect();
        return Err(match is_strict {
            true => Error::Strict { problems },
            false => Error::Unusable { problems },
        });
    }

    if before.is_none() && !desired.objects.is_empty() {
        has_home(target, &desired, cluster).await?;
    }

    let judge = HealthRules { rules: target.health.clone(), ..HealthRules::default() };
    let question = ObserveOptions {
        judge: &judge,
        desired: &desired,
        catalog: &catalog,
        inventory: &target.inventory,
        record: before.as_ref(),
        verify: target.verify,
        whole: target.whole,
    };
    let by_namespace = members.by_namespace();
    let strange = cluster.unrecorded(&question, &by_namespace);
    let (strange, mut observed) = futures::join!(strange, cluster.observe(&question, members));
    strange.join(&mut observed);
    let now = (&revision, &desired);
    let former =
        FormerRelease { target, checkout, catalog: &catalog, before: before.as_ref(), now };
    former.find_members(&mut observed, cluster).await;
    if has_ignore_files && is_anything_undesired(&desired, &observed) {
        let manifests = declare_ignored_too(target, checkout, &revision).await?;
        let all = Desired::new(manifests, &catalog, &target.namespace).objects;
        let all = all.into_iter().map(|(key, manifest)| (key, manifest.origin));
        desired.left_out = all.filter(|(key, _)| !desired.objects.contains_key(key)).collect();
    }
    put_off(&mut desired, &mut observed);
    definitions::hold(&desired, &mut observed);
    let instances = cluster.instances(&observed, &catalog).await;
    let allowed = PlanContext {
        policy: target.policy.clone(),
        siblings: target.siblings.clone(),
        instances: instances
            .map_err(api("list the objects of a definition that is to be deleted"))?,
        now: Timestamp::now(),
    };
    let unlisted = observed.unlisted.clone();
    let unready = std::mem::take(&mut observed.unready);
    let plan = plan(&desired, observed, &target.inventory, &allowed);

    let dirty = if revision.dirty { "-dirty" } else { "" };
    let source = InventorySource {
        repository,
        target: target.declared.clone(),
        paths: target.recorded_paths(),
        revision: Some(format!("{}{dirty}", revision.commit)),
    };
    let is_declared = |change: &&Change| change.origin.is_some();
    let id = target.inventory.id();
    let applied = plan.changes().filter(is_declared).filter(|change| change.ends_in(Some(&id)));
    let mut after = Record::of(source, applied.map(|change| &change.key));
    after.remember(before.as_ref());
    after.finished = finished(&plan, &desired, &unready);
    let gone: Vec<ObjectKey> = after.finished.keys().cloned().collect();
    after.extend(&gone);
    warnings.extend(plan.warnings.iter().cloned());
    warnings.extend(idle_rules(&target.ignore, &desired, &plan));
    warnings.extend(idle_rules(&target.redact, &desired, &plan));
    Ok(Survey {
        begun,
        home: target.inventory.namespace.clone(),
        revision,
        desired,
        plan,
        allowed,
        before,
        after,
        catalog,
        redactor: OnceLock::new(),
        redact: target.redact.clone(),
        inputs,
        cluster_uid,
        explained: Explained::default(),
        unlisted,
        unready,
        judge,
        warnings,
        uncommitted,
    })
}

/// The Jobs that were run once the plan is carried out. One that was seen to fail is not done: it
/// is recreated once it is gone.
fn finished(plan: &Plan, desired: &Desired, unready: &BTreeMap<ObjectKey, Health>) -> Finished {
    let mut finished = Finished::default();
    for change in plan.changes().filter(|change| change.action() != Action::Refuse) {
        let failed = |health: &Health| health.state == HealthState::Failed;
        if let Some(manifest) = desired.objects.get(&change.key)
            && !Mode::ignores(&manifest.object)
            && (change.is_work() || !unready.get(&change.key).is_some_and(failed))
        {
            finished.note(&change.key, &manifest.object);
        }
    }
    finished
}

/// Whether anything that was seen would be pruned, as far as it is not kept.
fn is_anything_undesired(desired: &Desired, observed: &Observed) -> bool {
    let is_undesired = |(key, seen): (&ObjectKey, &Observation)| {
        seen.live().is_some() && !desired.objects.contains_key(key)
    };
    observed.objects.iter().any(is_undesired)
}

/// The inventory's objects in the cluster.
struct InventoryContents {
    catalog: Catalog,
    record: Option<Record>,
    members: Members,
    cluster_uid: Option<String>,
}

/// The attempt that fails without a connection.
const REACH: &str = "reach the cluster";

/// The error of one of the questions that are asked at once and first. Where there is no connection
/// it is the same, whichever of them fails first.
fn first(attempt: &'static str) -> impl FnOnce(ApiError) -> Error {
    move |source| {
        let attempt = if source.is_of_connection() { REACH } else { attempt };
        Error::Api { attempt, source }
    }
}

/// Asks what the cluster has of the inventory, while git is read.
async fn find(inventory: &Inventory, cluster: &Cluster) -> Result<InventoryContents, Error> {
    let (catalog, parent, cluster_uid) = futures::try_join!(
        async { cluster.discover().await.map_err(first("ask which kinds the cluster has")) },
        async { cluster.parent(inventory).await.map_err(first("read the inventory")) },
        async { cluster.uid().await.map_err(api(REACH)) },
    )?;
    let record = parent.as_ref().map(|parent| inventory.read(parent)).transpose()?;
    let members = match &record {
        Some(record) => cluster.members(inventory, record, &catalog).await,
        None => Members::default(),
    };
    Ok(InventoryContents { catalog, record, members, cluster_uid })
}

/// Whether the operator's flags, and the key that counts where they are left out, name kinds that there
/// are: a slip would allow nothing, and not say so.
fn know_kinds(target: &Target, catalog: &Catalog) -> Result<(), Error> {
    let Some(known) = catalog.kinds() else { return Ok(()) };
    let of_flag = |flag: &str, name: &String| (flag.to_owned(), name.clone());
    let mut named: Vec<(String, String)> = target
        .policy
        .operator
        .allow_delete
        .iter()
        .map(|name| of_flag("--allow-delete", name))
        .collect();
    match &target.policy.operator.replace {
        Some(names) => named.extend(names.iter().map(|name| of_flag("--replace", name))),
        None => named.extend(target.replace_at.iter().map(|(name, (line, column))| {
            (format!("{}:{line}:{column}: replace", config::FILE), name.clone())
        })),
    }
    match named.into_iter().find(|(_, name)| !known.contains(name.as_str())) {
        None => Ok(()),
        Some((by, name)) => {
            let near = suggest(&name, known).into_iter().map(str::to_owned).collect();
            Err(Error::UnknownKind { by, name, near })
        }
    }
}

/// Whether the inventory's namespace is there, or at least in the commit.
async fn has_home(target: &Target, desired: &Desired, cluster: &Cluster) -> Result<(), Error> {
    let name = &target.inventory.namespace;
    let is_declared = desired.objects.iter().any(|(key, manifest)| {
        is_namespace(key) && key.name == *name && !Mode::ignores(&manifest.object)
    });
    let attempt = "look for the namespace of the inventory";
    if is_declared || cluster.has_namespace(name).await.map_err(api(attempt))? {
        return Ok(());
    }
    Err(Error::NoNamespace(name.clone()))
}

/// The repository's identity, once it is known that the inventory is this target's. A target that
/// `trueup.yaml` declares is known by its name there, so the commit may give it other paths; any
/// other is known by its paths.
fn whose(
    target: &Target,
    checkout: &Checkout,
    revision: &Revision,
    before: Option<&Record>,
) -> Result<String, Error> {
    let Inventory { name, .. } = &target.inventory;
    let Some(before) = before else { return Ok(checkout.root_commit(revision)?.0) };
    let known = before.revision.as_deref().map(|known| known.trim_end_matches("-dirty"));
    if !checkout.is_of_root(revision, &before.repository, known)? {
        return Err(Error::OtherRepository {
            name: name.clone(),
            other: before.repository.clone(),
            shallow: checkout.is_shallow(),
        });
    }
    let now = target.recorded_paths();
    let is_its_own = target.declared.is_some() && target.declared == before.target;
    if before.paths != now && !is_its_own && !target.policy.operator.moved {
        let say = |paths: &BTreeSet<String>| {
            paths.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
        };
        return Err(Error::OtherPaths {
            name: name.clone(),
            was: say(&before.paths),
            now: say(&now),
            target: before.target.clone().filter(|_| target.declared != before.target),
        });
    }
    Ok(before.repository.clone())
}

/// Names what was tried.
pub(super) fn api(attempt: &'static str) -> impl FnOnce(crate::cluster::ApiError) -> Error {
    move |source| Error::Api { attempt, source }
}
