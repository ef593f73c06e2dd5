//! Questions about the rounds of several targets: those of a time, and what ran then.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::figures::{Deployments, Window};
use super::record::{Cause, RunOutcome, RunRecord};
use super::summary::Summary;
use crate::core::inventory::Inventory;

/// A round, from the cluster, from this machine, or from both.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownRun {
    /// The context of its cluster.
    pub context: String,
    /// The inventory that it is of.
    pub inventory: Inventory,
    /// Its summary. The target's name is a label: the inventory says which one it is.
    pub summary: Summary,
    /// All of it, where that was read.
    pub record: Option<Box<RunRecord>>,
}

impl KnownRun {
    /// A round of which all is known.
    pub fn of(context: String, record: RunRecord) -> Self {
        let summary = Summary::of(&record);
        let inventory = record.inventory.clone();
        Self { context, inventory, summary, record: Some(Box::new(record)) }
    }

    /// A round of which only the summary is known.
    pub fn in_short(context: String, inventory: Inventory, summary: Summary) -> Self {
        Self { context, inventory, summary, record: None }
    }

    /// The target that it is of.
    pub fn place(&self) -> TargetPlace<'_> {
        let (target, context) = (&self.summary.target, &self.context);
        TargetPlace { target, context, inventory: Some(&self.inventory) }
    }

    /// Why it failed or was refused, where that is known.
    pub fn reason(&self) -> Option<&str> {
        let whole = self.record.as_ref().and_then(|record| record.reason.as_deref());
        whole.or(self.summary.reason.as_deref())
    }

    /// The commit that the target had after it, and since when; `None` where it changed nothing about
    /// that, or where that can't be told.
    fn leaves(&self) -> Option<Option<&str>> {
        let Summary { cause, outcome, commit, restored, .. } = &self.summary;
        match (outcome, cause) {
            (RunOutcome::Healthy | RunOutcome::Applied, Cause::Removal) => Some(None),
            (RunOutcome::Healthy | RunOutcome::Applied | RunOutcome::Unhealthy, _) => {
                Some(Some(commit))
            }
            (RunOutcome::RolledBack, _) => restored.as_deref().map(Some),
            _ => None,
        }
    }

    /// When it was over. Of a run that was killed it is only known when that was noticed, and all that it
    /// did may have been done at its begin.
    fn over(&self) -> Timestamp {
        match self.summary.outcome {
            RunOutcome::Killed => self.summary.started,
            _ => self.summary.ended,
        }
    }

    /// Whether it may have left the target between two commits.
    fn may_leave_a_mixture(&self) -> bool {
        self.summary.is_broken_off()
    }
}

/// A target on a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TargetPlace<'a> {
    /// Its name.
    pub target: &'a str,
    /// The context of its cluster.
    pub context: &'a str,
    /// Its inventory; `None` of all targets together.
    pub inventory: Option<&'a Inventory>,
}

impl TargetPlace<'_> {
    /// All targets together.
    pub const ALL: Self = Self { target: "", context: "", inventory: None };
}

/// The rounds to show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Those that ended at or after this time.
    pub since: Option<Timestamp>,
    /// Those that began before this time.
    pub until: Option<Timestamp>,
    /// Those that did not end well.
    pub failed: bool,
}

impl RunFilter {
    /// Whether it lets a round through.
    pub fn takes(&self, run: &KnownRun) -> bool {
        let Summary { started, ended, outcome, .. } = &run.summary;
        self.since.is_none_or(|since| *ended.max(started) >= since)
            && self.until.is_none_or(|until| *started < until)
            && (!self.failed || !outcome.is_success())
    }
}

/// The rounds of clusters and of this machine's log together, each once, the newest first. Of a round
/// that both have, the log's counts: any client of the cluster may have written the other.
///
/// A round is known by its inventory and its id: the target's name is what `name_of` says that its
/// target is called today, else what the newest round of its inventory says.
pub fn merged(
    clusters: Vec<KnownRun>,
    log: Vec<KnownRun>,
    name_of: impl Fn(&KnownRun) -> Option<String>,
) -> Vec<KnownRun> {
    let key = |run: &KnownRun| (run.inventory.clone(), run.summary.id.clone());
    let mut seen = BTreeSet::new();
    let contexts: BTreeMap<(Inventory, String), String> =
        clusters.iter().map(|run| (key(run), run.context.clone())).collect();
    let mut runs: Vec<KnownRun> = Vec::with_capacity(clusters.len() + log.len());
    for mut run in log.into_iter().chain(clusters) {
        let key = key(&run);
        // The name that the cluster goes by today.
        if let Some(context) = contexts.get(&key) {
            run.context.clone_from(context);
        }
        if seen.insert(key) {
            runs.push(run);
        }
    }
    runs.sort_by(|one, other| {
        let (one, other) = (&one.summary, &other.summary);
        (other.started, &other.id).cmp(&(one.started, &one.id))
    });
    let mut names: BTreeMap<(Inventory, String), String> = BTreeMap::new();
    for run in &mut runs {
        let place = (run.inventory.clone(), run.context.clone());
        let name = || name_of(run).unwrap_or_else(|| run.summary.target.clone());
        let name = names.entry(place).or_insert_with(name);
        run.summary.target.clone_from(name);
        if let Some(record) = &mut run.record {
            record.target.clone_from(name);
        }
    }
    runs
}

/// The rounds of each target, in the order given.
pub fn by_target(runs: &[KnownRun]) -> BTreeMap<TargetPlace<'_>, Vec<&KnownRun>> {
    let mut found: BTreeMap<TargetPlace<'_>, Vec<&KnownRun>> = BTreeMap::new();
    for run in runs {
        found.entry(run.place()).or_default().push(run);
    }
    found
}

/// The commit that ran on a target at some time.
#[derive(Clone, Debug, PartialEq)]
pub struct RanAt<'a> {
    /// The target.
    pub place: TargetPlace<'a>,
    /// Full id of the commit; `None` where the target was taken down, or the history says nothing.
    pub commit: Option<&'a str>,
    /// The round that brought it there; `None` where the history does not reach back.
    pub by: Option<&'a KnownRun>,
    /// The last round after that one that may have changed some objects and did not end well.
    pub mixed: Option<&'a KnownRun>,
}

/// The commit that ran on each target at a time. `runs` are sorted, the newest first.
pub fn ran_at(runs: &[KnownRun], time: Timestamp) -> Vec<RanAt<'_>> {
    let targets = by_target(runs).into_iter();
    let ran = targets.map(|(place, runs)| {
        let mut past: Vec<&KnownRun> = runs.into_iter().filter(|run| run.over() <= time).collect();
        past.sort_by_key(|run| std::cmp::Reverse(run.over()));
        let last = past.iter().position(|run| run.leaves().is_some());
        let newer = &past[..last.unwrap_or(past.len())];
        let by = last.map(|at| past[at]);
        RanAt {
            place,
            commit: by.and_then(KnownRun::leaves).flatten(),
            by,
            mixed: newer.iter().find(|run| run.may_leave_a_mixture()).copied(),
        }
    });
    ran.collect()
}

/// The deployments of several targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentsByTarget<'a> {
    /// Those of each target.
    pub targets: BTreeMap<TargetPlace<'a>, Deployments>,
    /// All of them together.
    pub total: Deployments,
}

/// The deployments of each target in a window, and of all together.
pub fn deployments(runs: &[KnownRun], window: Window) -> DeploymentsByTarget<'_> {
    let (mut targets, mut total) = (BTreeMap::new(), Deployments::default());
    for (place, runs) in by_target(runs) {
        let found = Deployments::of(runs.into_iter().map(|run| &run.summary), window);
        total.add(found.clone());
        targets.insert(place, found);
    }
    DeploymentsByTarget { targets, total }
}
