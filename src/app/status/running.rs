//! The commit that runs on a target, against the one that git has.

use std::collections::BTreeMap;

use super::{CommonState, StatusOptions, StatusTarget};
use crate::app::Target;
use crate::app::hold::{WantedCommit, hold_at};
use crate::app::trust::{Judged, Trust};
use crate::core::inventory::Record;
use crate::core::modes::{HoldCause, Passes};
use crate::core::source::snapshot::Revision;
use crate::core::status::{CommitRelation, GitCommit, Held, RunningCommit, WaitsOn};
use crate::git::Checkout;

/// A target before its objects are looked at.
pub(super) struct Running {
    /// The inventory's record; `None` before the first apply. An error says why it is not this target's.
    pub(super) record: Result<Option<Record>, String>,
    pub(super) runs: Option<RunningCommit>,
    pub(super) git: Option<GitCommit>,
    /// How the commits compare, or why that can't be told.
    pub(super) relation: Result<CommitRelation, String>,
    pub(super) held: Option<Held>,
    /// The target at the commit that runs: its objects are held against that. `None` where that is not
    /// known.
    pub(super) check: Option<Target>,
    /// Why it is not of this cluster.
    pub(super) elsewhere: Option<String>,
}

/// Answers about commits, each looked up once: most targets run the same few of one history.
#[derive(Default)]
struct KnownCommits {
    relations: BTreeMap<(String, String), CommitRelation>,
    /// The first commit of each.
    roots: BTreeMap<String, String>,
}

impl KnownCommits {
    fn relation(&mut self, checkout: &Checkout, runs: &str, now: &str) -> CommitRelation {
        let pair = (runs.to_owned(), now.to_owned());
        *self.relations.entry(pair).or_insert_with(|| checkout.relation(runs, now))
    }

    /// The first commit of a history; empty where that is not here.
    fn root(&mut self, checkout: &Checkout, of: &Revision) -> String {
        let root = || checkout.root_commit(of).map(|root| root.0).unwrap_or_default();
        self.roots.entry(of.commit.clone()).or_insert_with(root).clone()
    }
}

impl Running {
    /// Of every target.
    pub(super) fn of_all(options: StatusOptions<'_>, common: &CommonState) -> Vec<Self> {
        let mut known = KnownCommits::default();
        let places = 0..options.targets.len();
        places.map(|index| Self::of(options, common, index, &mut known)).collect()
    }

    fn of(
        options: StatusOptions<'_>,
        common: &CommonState,
        index: usize,
        known: &mut KnownCommits,
    ) -> Self {
        let StatusOptions { targets, checkout, cluster, at, .. } = options;
        let StatusTarget { target, judged, .. } = &targets[index];
        let record = common.record(&target.inventory);
        let newest = newest(judged);
        let git = Some(GitCommit::of(newest));
        let mut running = Self {
            runs: None,
            git,
            relation: Ok(CommitRelation::Same),
            held: held(target, judged, record.as_ref().ok().and_then(Option::as_ref)),
            check: None,
            elsewhere: None,
            record,
        };
        let repository = match &running.record {
            Ok(Some(record)) => record.repository.clone(),
            _ => known.root(checkout, &judged.revision),
        };
        running.elsewhere = common.elsewhere(target, cluster, &repository);
        let Ok(Some(record)) = &running.record else { return running };
        running.runs = running_commit(checkout, record);
        let Some(runs) = &running.runs else {
            running.relation = Err("the first apply is not finished".to_owned());
            return running;
        };
        running.relation = Ok(known.relation(checkout, &runs.commit, &newest.commit));
        let is_now = runs.commit == judged.revision.commit;
        let check = match is_now {
            true => Ok(target.clone()),
            // That commit is named by the record of what was applied.
            false if checkout.has_commit(&runs.commit) => at(index, &runs.commit)
                .map(|target| Target { trust: Trust::default(), doubt: None, ..target }),
            false => return running,
        };
        match check {
            Ok(check) => running.check = Some(check),
            Err(why) => running.relation = Err(why),
        }
        running
    }
}

/// The newest commit that git has for a target, trusted or not.
pub(super) fn newest(judged: &Judged) -> &Revision {
    let refused = judged.refused.as_ref().and_then(|refused| refused.revision.as_ref());
    refused.unwrap_or(&judged.revision)
}

/// The commit that a record names; `None` while the first apply is not finished.
pub(super) fn running_commit(checkout: &Checkout, record: &Record) -> Option<RunningCommit> {
    let revision = record.revision.as_ref()?;
    let commit = revision.trim_end_matches("-dirty");
    let known = checkout.resolve(Some(commit)).ok().filter(|known| known.commit == commit);
    let applied = record.past.applied.as_ref();
    Some(RunningCommit {
        commit: commit.to_owned(),
        is_dirty: revision.ends_with("-dirty"),
        tracked: record.tracked.clone(),
        subject: known.as_ref().map(|known| known.summary.clone()),
        author: known.map(|known| known.author),
        since: applied.map(|applied| applied.at),
        by: applied.map(|applied| applied.what.clone()),
    })
}

/// Why a target does not follow git.
fn held(target: &Target, judged: &Judged, record: Option<&Record>) -> Option<Held> {
    let commit = Some(judged.revision.commit.as_str());
    let hold = hold_at(target, record, WantedCommit { commit, kinds: None }, Passes::default());
    if let Some(hold) = hold.as_ref().filter(|hold| hold.is_suspension()) {
        return Some(Held::Suspended { why: hold.details() });
    }
    if let Some(refused) = &judged.refused {
        return Some(Held::NotTrusted { why: refused.fault.message() });
    }
    let failed = record.and_then(|record| record.past.failed.clone());
    if let Some(failed) = failed.filter(|failed| *failed == judged.revision.commit) {
        return Some(Held::RolledBack { failed });
    }
    if let Some(hold) = hold {
        let on = match hold.cause {
            HoldCause::Unreleased { .. } => WaitsOn::Release,
            HoldCause::Closed { .. } => WaitsOn::Window,
            _ => WaitsOn::Detect,
        };
        return Some(Held::Waits { on, why: hold.details() });
    }
    let at = target.tracks.as_ref()?.commit()?;
    Some(Held::Pinned { at: at.to_owned() })
}
