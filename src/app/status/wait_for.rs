//! Waits until one commit is healthy on targets, whichever machine applies it. The inventories' records and
//! histories are read again and again; the objects are looked at only once the commit runs.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::{StatusOptions, StatusRow, StatusTarget, status};
use crate::cluster::ApiError;
use crate::core::history::Summary;
use crate::core::inventory::{Inventory, Record};
use crate::core::object::Object;
use crate::core::status::{
    Awaited, AwaitedCommit, AwaitedEnd, CommitOrder, HealthCounts, SyncState, TargetStatus,
};

/// How long to wait from one look to the next.
const PAUSE: Duration = Duration::from_secs(2);
/// The shortest time from one look to the next, as where the time is nearly up.
const SHORTEST: Duration = Duration::from_millis(100);
/// How long the first look may take, even where the time to wait is shorter: without it there is no answer. As
/// `kubectl wait --timeout=0`, which looks once.
pub const FIRST_LOOK: Duration = Duration::from_secs(10);
/// In how many looks in a row something has to have failed: a controller may still mend it.
const FAILED_LOOKS: usize = 3;

/// In how many looks in a row the same has to have kept us from telling: a server may yet recover, but a right
/// that lacks does not come by waiting.
const UNKNOWN_LOOKS: usize = 10;

/// The commit to wait for, and the targets.
#[derive(Clone, Copy)]
pub struct WaitForOptions<'a> {
    /// The targets of one cluster.
    pub status: StatusOptions<'a>,
    /// Full id of the commit.
    pub commit: &'a str,
    /// Until when.
    pub end: Instant,
}

/// A target that a commit was waited for on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwaitedTarget {
    /// Its name.
    pub name: String,
    /// How waiting ended.
    pub end: WaitForEnd,
}

/// How waiting for a commit on one target ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitForEnd {
    /// It is healthy there.
    Healthy,
    /// It will not come.
    Over(AwaitedEnd),
    /// It runs, and something failed: what and why.
    Unhealthy(String),
    /// It can't be told whether it is there, as where the user may not see it: why.
    Unknown(String),
    /// It was not there yet when waiting ended: what was waited for.
    Waiting(String),
}

impl WaitForEnd {
    /// Whether waiting for the others is in vain.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Over(_) | Self::Unhealthy(_) | Self::Unknown(_))
    }
}

/// A target that is waited for.
struct OpenTarget {
    end: WaitForEnd,
    /// In how many looks in a row something had failed.
    failed_looks: usize,
    /// Why the last look could not tell, and how many in a row could not for that reason.
    unknown: Option<UnknownLooks>,
}

/// Looks in a row that one thing kept from telling.
#[derive(Clone)]
struct UnknownLooks {
    why: String,
    count: usize,
}

impl UnknownLooks {
    /// With one look more, which may have another reason.
    fn and(before: Option<Self>, why: String) -> Self {
        let count = before.filter(|before| before.why == why).map_or(0, |before| before.count);
        Self { why, count: count + 1 }
    }
}

/// Waits until the commit is healthy on every target, it can't get so on one of them, or the time is up. It
/// looks once at least.
pub async fn wait_for(options: WaitForOptions<'_>) -> Vec<AwaitedTarget> {
    let targets = options.status.targets;
    let nothing = || WaitForEnd::Waiting("nothing was read yet".to_owned());
    let new = |_: &StatusTarget| OpenTarget { end: nothing(), failed_looks: 0, unknown: None };
    let mut open: Vec<OpenTarget> = targets.iter().map(new).collect();
    let mut look_end = options.end.max(Instant::now() + FIRST_LOOK);
    loop {
        // A server that does not answer must not hold the time limit up.
        let _ = tokio::time::timeout_at(look_end, options.look(&mut open)).await;
        look_end = options.end;
        let is_over = open.iter().any(|it| it.end.is_failure())
            || open.iter().all(|it| it.end == WaitForEnd::Healthy);
        if is_over || !pause(options.end).await {
            break;
        }
    }
    let ended = targets.iter().zip(open);
    ended.map(|(target, it)| AwaitedTarget { name: target.name.clone(), end: it.end }).collect()
}

/// Waits for the next look; `false` once the time is up.
pub async fn pause(end: Instant) -> bool {
    let left = end.saturating_duration_since(Instant::now());
    if !left.is_zero() {
        sleep_until(end.min(Instant::now() + PAUSE.min(left / 2).max(SHORTEST))).await;
    }
    Instant::now() < end
}

impl WaitForOptions<'_> {
    /// Looks at those that are not healthy yet.
    async fn look(&self, open: &mut [OpenTarget]) {
        let Self { status: StatusOptions { targets, checkout, cluster, .. }, commit, .. } = *self;
        let is_open = |(_, it): &(&StatusTarget, &OpenTarget)| it.end != WaitForEnd::Healthy;
        let inventories: Vec<&Inventory> = targets
            .iter()
            .zip(&*open)
            .filter(is_open)
            .map(|(target, _)| &target.target.inventory)
            .collect();
        let (parents, summaries) = match self.read(&inventories).await {
            Ok(read) => read,
            Err(error) => {
                let why = format!("{}: {error}", cluster.name());
                // Anything else may pass.
                let end = match error.is_forbidden() {
                    true => WaitForEnd::Unknown(why),
                    false => WaitForEnd::Waiting(why),
                };
                let waiting = open.iter_mut().filter(|it| it.end != WaitForEnd::Healthy);
                waiting.for_each(|it| it.end = end.clone());
                return;
            }
        };
        let awaited = AwaitedCommit { commit: commit.to_owned() };
        for (index, target) in targets.iter().enumerate() {
            let state = &mut open[index];
            if state.end == WaitForEnd::Healthy {
                continue;
            }
            let inventory = &target.target.inventory;
            let id = inventory.id();
            let read = parents.get(&id).map(|parent| inventory.read(parent)).transpose();
            let record = match read {
                Ok(record) => record,
                Err(error) => {
                    state.end = WaitForEnd::Waiting(error.to_string());
                    continue;
                }
            };
            let history = summaries.get(&id).map(Vec::as_slice).unwrap_or_default();
            let order = order(checkout, record.as_ref(), commit);
            match awaited.progress(record.as_ref(), history, order) {
                // A mark is of the time when it was set.
                Awaited::Healthy => self.look_at_objects(index, state, true).await,
                Awaited::Waiting(why) => state.end = WaitForEnd::Waiting(why),
                Awaited::Over(why) => state.end = WaitForEnd::Over(why),
                Awaited::Running => self.look_at_objects(index, state, false).await,
            }
        }
    }

    /// The parents, and the histories, by the inventories' ids. A history that can't be read is none.
    async fn read(
        &self,
        inventories: &[&Inventory],
    ) -> Result<(BTreeMap<String, Object>, BTreeMap<String, Vec<Summary>>), ApiError> {
        let cluster = self.status.cluster;
        let (parents, summaries) =
            futures::join!(cluster.parents_of(inventories), cluster.summaries(inventories));
        Ok((parents?, summaries.unwrap_or_default()))
    }

    /// Looks whether the objects of the commit that runs are as it says, and healthy. Where that can't be
    /// told, a mark that says so counts.
    async fn look_at_objects(&self, index: usize, state: &mut OpenTarget, is_marked: bool) {
        let all = self.status;
        let unknown = state.unknown.take();
        let at = |_: usize, commit: &str| (all.at)(index, commit);
        let one = StatusOptions {
            targets: &all.targets[index..=index],
            at: &at,
            images: false,
            are_all: false,
            watches: &[],
            ..all
        };
        let found = match Box::pin(status(one)).await {
            Ok(found) => found.rows.into_iter().next(),
            Err(error) => {
                state.end = WaitForEnd::Waiting(super::whole_error(&error));
                return;
            }
        };
        let Some(StatusRow::Here(found)) = found else {
            state.end = WaitForEnd::Waiting("it belongs to another cluster".to_owned());
            return;
        };
        let TargetStatus { runs, health, state: sync, drift, .. } = *found;
        // Meanwhile another one may run.
        if runs.is_none_or(|runs| runs.commit != self.commit || runs.is_dirty) {
            state.end = WaitForEnd::Waiting("another commit was applied meanwhile".to_owned());
            return;
        }
        if let SyncState::Unknown(why) = sync {
            state.end = match is_marked {
                true => WaitForEnd::Healthy,
                false => {
                    let unknown = UnknownLooks::and(unknown, why.clone());
                    let is_over = unknown.count >= UNKNOWN_LOOKS;
                    state.unknown = Some(unknown);
                    if is_over { WaitForEnd::Unknown(why) } else { WaitForEnd::Waiting(why) }
                }
            };
            return;
        }
        if let Some(first) = drift.first() {
            state.end = WaitForEnd::Waiting(format!("{first} differs from it"));
            return;
        }
        state.failed_looks = if health.failed > 0 { state.failed_looks + 1 } else { 0 };
        let words = unhealthy_words(&health);
        state.end = match words {
            None => WaitForEnd::Healthy,
            Some(why) if state.failed_looks >= FAILED_LOOKS => WaitForEnd::Unhealthy(why),
            Some(why) => WaitForEnd::Waiting(why),
        };
    }
}

/// The first object that is not ready, in words; `None` where everything is.
fn unhealthy_words(health: &HealthCounts) -> Option<String> {
    if health.is_ready() {
        return None;
    }
    let first = health.first.as_ref().map(|first| match first.why.as_str() {
        "" => format!("{} is not ready", first.key),
        why => format!("{}: {why}", first.key),
    });
    first.or_else(|| Some("not everything is ready".to_owned()))
}

/// How the commit that runs stands towards the one that is waited for.
fn order(checkout: &crate::git::Checkout, record: Option<&Record>, commit: &str) -> CommitOrder {
    let runs = record.and_then(|record| record.revision.as_deref());
    match runs.map(|runs| runs.trim_end_matches("-dirty")) {
        Some(runs) if runs != commit => checkout.order(runs, commit),
        _ => CommitOrder::Unknown,
    }
}
