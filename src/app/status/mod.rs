//! The commit that runs on each target of a cluster, against the one that git has: `trueup status`. Nothing is
//! written, and no lock is taken.
//!
//! Targets share the questions: the kinds, the inventories' records, their histories, and one LIST for each
//! kind. A target that is proven to be in sync needs no more. Of any other the plan is made at the commit
//! that *runs*, from the same lists. So drift is what diff would say at that commit.
//!
//! | module | what it does |
//! |---|---|
//! | `running` | compares the commit that runs with git's |
//! | `listed` | lists the members of all targets |
//! | `masked` | masks texts by the Secrets of both commits |
//! | `objects` | says which objects differ and how healthy they are |
//! | `workloads` | finds the pods' trouble, and the images |
//! | `wait_for` | waits until a commit is healthy |

mod listed;
mod masked;
mod objects;
mod running;
mod wait_for;
mod workloads;

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt as _};

use self::listed::ListedTargets;
use self::masked::GitSecrets;
use self::objects::ObjectsLook;
use self::running::Running;
pub use self::wait_for::{AwaitedTarget, FIRST_LOOK, WaitForEnd, WaitForOptions, pause, wait_for};
use self::workloads::Workloads;
use super::right_cluster::check_cluster;
use super::survey::ClusterHead;
use super::trust::Judged;
use super::{Error, Target};
use crate::cluster::{ApiError, Cluster, ParentsRead};
use crate::core::history::Summary;
use crate::core::inventory::{Inventory, Record};
use crate::core::kinds::catalog::Catalog;
use crate::core::moves::RemovedTarget;
use crate::core::moves::record_of;
use crate::core::object::{GroupKind, Object};
use crate::core::status::{RunningCommit, SyncState, TargetStatus};
use crate::git::Checkout;
use crate::local::watch_marks::WatchMark;

/// How many targets are surveyed side by side.
const AT_ONCE: usize = 4;

/// A target whose status is asked for.
pub struct StatusTarget {
    /// Its name for people.
    pub name: String,
    /// The target as git has it now.
    pub target: Target,
    /// The commit that git has, and how far it is trusted.
    pub judged: Judged,
}

/// Reads a target as the settings of another commit have it, by its place among the targets.
pub type TargetAt<'a> = dyn Fn(usize, &str) -> Result<Target, String> + Send + Sync + 'a;

/// A question about some targets of one cluster.
#[derive(Clone, Copy)]
pub struct StatusOptions<'a> {
    /// The targets.
    pub targets: &'a [StatusTarget],
    /// Where they are declared.
    pub checkout: &'a Checkout,
    /// Where they run.
    pub cluster: &'a Cluster,
    /// Reads a target at the commit that runs.
    pub at: &'a TargetAt<'a>,
    /// Whether images are wanted.
    pub images: bool,
    /// Whether the targets are all of `trueup.yaml`, so that those that are gone from it are told.
    pub are_all: bool,
    /// The watches of this machine.
    pub watches: &'a [WatchMark],
}

/// One target of a cluster.
pub enum StatusRow {
    /// It may be there.
    Here(Box<TargetStatus>),
    /// It belongs to another cluster.
    Elsewhere {
        /// Its name.
        name: String,
        /// Why that is known.
        why: String,
    },
}

/// The status of a cluster's targets.
pub struct ClusterStatus {
    /// The identity of the cluster, where the user may see it.
    pub cluster_uid: Option<String>,
    /// The targets in their order, then those that are gone from `trueup.yaml`.
    pub rows: Vec<StatusRow>,
    /// Why the history could not be read.
    pub no_history: Option<ApiError>,
    /// Why pods could not be read, where they were needed.
    pub no_pods: Option<ApiError>,
}

/// The state that the inventories of a cluster share.
struct CommonState {
    catalog: Catalog,
    cluster_uid: Option<String>,
    parents: Vec<Object>,
    /// Why some parents could not be read, by the inventories' ids: they may be there.
    unread: BTreeMap<String, ApiError>,
    /// By the inventories' ids.
    summaries: BTreeMap<String, Vec<Summary>>,
    no_history: Option<ApiError>,
}

/// Looks at all targets of a cluster.
///
/// # Errors
///
/// When the API server does not answer. What can't be told of one target is said of that target.
pub async fn status(options: StatusOptions<'_>) -> Result<ClusterStatus, Error> {
    let common = Box::pin(CommonState::find(options)).await?;
    let running = tokio::task::block_in_place(|| Running::of_all(options, &common));
    let mut listed = ListedTargets::list(options, &common, &running).await;
    listed.complete(options, &common, &running).await;
    let head = common.head();
    let looks = running.iter().enumerate().map(|(index, running)| {
        let (head, listed) = (head.clone(), &listed);
        async move {
            match &running.record {
                Ok(Some(record)) => {
                    let look = ObjectsLook { options, index, running, record, listed };
                    Some(Box::pin(look.look(head)).await)
                }
                _ => None,
            }
        }
    });
    let looks: Vec<_> = stream::iter(looks).buffered(AT_ONCE).collect().await;
    let mut looks: Vec<_> = looks.into_iter().map(|look| look.transpose()).collect();
    let workloads = Workloads { options, running: &running, listed: &listed };
    let no_pods = workloads.explain(&mut looks).await;
    let secrets = running.iter().enumerate().map(|(at, it)| GitSecrets::of(options, it, at));
    let secrets: Vec<GitSecrets> = stream::iter(secrets).buffered(AT_ONCE).collect().await;
    let mut rows = Vec::with_capacity(running.len());
    for (index, (running, look)) in running.into_iter().zip(looks).enumerate() {
        let knows_running = matches!(&look, Ok(Some(found)) if found.redactor().is_some());
        let mut row = row(options, &common, index, running, look);
        if let StatusRow::Here(status) = &mut row {
            secrets[index].mask(status, knows_running);
        }
        rows.push(row);
    }
    if options.are_all {
        rows.extend(common.removed(options).into_iter().map(|it| StatusRow::Here(Box::new(it))));
    }
    let CommonState { cluster_uid, no_history, .. } = common;
    Ok(ClusterStatus { cluster_uid, rows, no_history, no_pods })
}

/// The row of one target.
fn row(
    options: StatusOptions<'_>,
    common: &CommonState,
    index: usize,
    running: Running,
    look: Result<Option<objects::ObjectsFound>, Error>,
) -> StatusRow {
    let StatusTarget { name, target, .. } = &options.targets[index];
    if let Some(why) = running.elsewhere {
        return StatusRow::Elsewhere { name: name.clone(), why };
    }
    let id = target.inventory.id();
    let is_its = |mark: &&WatchMark| {
        mark.inventory == target.inventory && mark.server == options.cluster.url()
    };
    let Running { record, git, relation, held, .. } = running;
    let history = common.summaries.get(&id).cloned().unwrap_or_default();
    let mut status = TargetStatus {
        git,
        held,
        next_due: options.watches.iter().filter(is_its).map(|mark| mark.next).min(),
        last: history.last().cloned(),
        history,
        runs: running.runs,
        inventory: Some(target.inventory.clone()),
        ..common.unknown(options.cluster, name)
    };
    // The inventory says under which name the target was last applied.
    let is_renamed = match (&record, &target.declared) {
        (Ok(Some(record)), Some(now)) => record.target.as_ref().is_some_and(|then| then != now),
        _ => false,
    };
    status.state = match (record, relation) {
        (Err(why), _) => SyncState::Unknown(why),
        (Ok(None), _) => SyncState::NotApplied,
        (Ok(Some(record)), relation) => {
            status.is_unverified = record.is_unverified;
            status.former_name = record.target.filter(|_| is_renamed);
            match (relation, look) {
                (Err(why), _) => SyncState::Unknown(why),
                (Ok(_), Err(error)) => SyncState::Unknown(whole_error(&error)),
                (Ok(relation), Ok(found)) => {
                    let found = found.unwrap_or_default();
                    found.fill(&mut status, relation)
                }
            }
        }
    };
    StatusRow::Here(Box::new(status))
}

/// An error with its causes on one line.
fn whole_error(error: &Error) -> String {
    let mut words = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        words = format!("{words}: {cause}");
        source = cause.source();
    }
    words
}

impl CommonState {
    async fn find(options: StatusOptions<'_>) -> Result<Self, Error> {
        let cluster = options.cluster;
        let api = |attempt| move |source| Error::Api { attempt, source };
        let inventories: Vec<&Inventory> =
            options.targets.iter().map(|it| &it.target.inventory).collect();
        let parents =
            async { cluster.parents_read(&inventories).await.map_err(api("read the inventories")) };
        let (catalog, cluster_uid, read, summaries) = futures::try_join!(
            async { cluster.discover().await.map_err(api("ask which kinds the cluster has")) },
            async { cluster.uid().await.map_err(api("reach the cluster")) },
            parents,
            async { Ok(cluster.summaries_everywhere(&inventories).await) },
        )?;
        let (summaries, no_history) = match summaries {
            Ok(summaries) => (summaries, None),
            Err(error) => (BTreeMap::new(), Some(error)),
        };
        let ParentsRead { parents, unread } = read;
        Ok(Self { catalog, cluster_uid, parents, unread, summaries, no_history })
    }

    /// The record of an inventory; `None` where it was not applied yet.
    fn record(&self, inventory: &Inventory) -> Result<Option<Record>, String> {
        if let Some(error) = self.unread.get(&inventory.id()) {
            return Err(format!("the inventory can't be read: {error}"));
        }
        let is_its = |parent: &&Object| {
            parent.name() == inventory.name && parent.namespace() == Some(&inventory.namespace)
        };
        let parent = self.parents.iter().find(is_its);
        parent.map(|parent| inventory.read(parent)).transpose().map_err(|error| error.to_string())
    }

    fn head(&self) -> ClusterHead {
        let parents = self.parents.clone().into();
        ClusterHead::new(self.catalog.clone(), self.cluster_uid.clone(), parents)
    }

    /// A target of which nothing is known yet.
    fn unknown(&self, cluster: &Cluster, name: &str) -> TargetStatus {
        TargetStatus {
            context: cluster.name().to_owned(),
            server: cluster.host().to_owned(),
            cluster_uid: self.cluster_uid.clone(),
            ..TargetStatus::unknown(name, String::new())
        }
    }

    /// The targets that are gone from `trueup.yaml`, and have an inventory here.
    fn removed(&self, options: StatusOptions<'_>) -> Vec<TargetStatus> {
        let Some(StatusTarget { target, judged, .. }) = options.targets.first() else {
            return Vec::new();
        };
        let Ok(root) = options.checkout.root_commit(&judged.revision) else { return Vec::new() };
        let removed = super::moved::removed_of(
            target,
            &self.parents,
            &root.0,
            options.checkout,
            &judged.revision,
        );
        removed.into_iter().map(|it| self.removed_row(options, &it)).collect()
    }

    fn removed_row(&self, options: StatusOptions<'_>, removed: &RemovedTarget) -> TargetStatus {
        let parent = self.parents.iter().filter_map(record_of);
        let record = parent.into_iter().find(|(inventory, _)| *inventory == removed.inventory);
        let runs: Option<RunningCommit> = record.and_then(|(_, record)| {
            let runs = running::running_commit(options.checkout, &record)?;
            let may_quote = record.kinds.contains(&GroupKind::new("", "Secret"));
            Some(if may_quote { runs.without_texts() } else { runs })
        });
        let history = self.summaries.get(&removed.inventory.id()).cloned().unwrap_or_default();
        let last = history.last().cloned();
        let state = SyncState::Removed;
        let inventory = Some(removed.inventory.clone());
        let unknown = self.unknown(options.cluster, &removed.name);
        TargetStatus { inventory, runs, last, history, state, ..unknown }
    }

    /// Whether a target belongs to another cluster, and why that is known.
    fn elsewhere(&self, target: &Target, cluster: &Cluster, repository: &str) -> Option<String> {
        let uid = self.cluster_uid.as_deref();
        match check_cluster(target, cluster, uid, repository) {
            Ok(()) => None,
            Err(error) => Some(error.to_string()),
        }
    }
}
