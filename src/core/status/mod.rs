//! The commit that runs on each target, the one that git has, and whether the two and the objects' health
//! agree: the data of `trueup status`, of its JSON and of the page. Plain data; [`crate::app`] fills it.

mod awaited;
mod compare;
mod images;
mod mask;
mod pods;

use jiff::Timestamp;

pub use self::awaited::{Awaited, AwaitedCommit, AwaitedEnd, CommitOrder};
pub use self::compare::{CommitRelation, sync_state};
pub use self::images::{PodTemplate, image_statuses, pod_template};
pub use self::pods::PodsByOwner;
use crate::core::history::Summary;
use crate::core::inventory::Inventory;
use crate::core::object::ObjectKey;
use crate::core::source::snapshot::Revision;

/// One target on one cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetStatus {
    /// The kubeconfig's context.
    pub context: String,
    /// The API server's address, without what may be secret in that.
    pub server: String,
    /// The uid of `kube-system`, where the user may read it.
    pub cluster_uid: Option<String>,
    /// The target's name in `trueup.yaml`, or else the inventory's.
    pub target: String,
    /// Its inventory, where that is known.
    pub inventory: Option<Inventory>,
    /// The commit that runs; `None` before the first apply.
    pub runs: Option<RunningCommit>,
    /// The commit that git has for it.
    pub git: Option<GitCommit>,
    /// How the two compare.
    pub state: SyncState,
    /// Live objects that differ from what runs, though git did not change: how many, and the first.
    pub drift: Vec<ObjectKey>,
    /// How the live objects are.
    pub health: HealthCounts,
    /// The last round that the history has.
    pub last: Option<Summary>,
    /// The rounds that the history has, the oldest first.
    pub history: Vec<Summary>,
    /// When a watch on this machine looks next.
    pub next_due: Option<Timestamp>,
    /// Why it does not follow git, where it does not.
    pub held: Option<Held>,
    /// Declared and running images, where they were asked for.
    pub images: Vec<ImageStatus>,
    /// Whether an unverified commit runs.
    pub is_unverified: bool,
    /// The name under which it was last applied, where it has another one since.
    pub former_name: Option<String>,
}

/// The answer about a target in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StatusVerdict {
    /// It is what git has, in sync and healthy.
    Good,
    /// It is not.
    NotGood,
    /// It could not be told.
    Unknown,
}

impl TargetStatus {
    /// A target of which nothing is known yet.
    pub fn unknown(target: &str, why: String) -> Self {
        Self {
            context: String::new(),
            server: String::new(),
            cluster_uid: None,
            target: target.to_owned(),
            inventory: None,
            runs: None,
            git: None,
            state: SyncState::Unknown(why),
            drift: Vec::new(),
            health: HealthCounts::default(),
            last: None,
            history: Vec::new(),
            next_due: None,
            held: None,
            images: Vec::new(),
            is_unverified: false,
            former_name: None,
        }
    }

    /// Whether it is as git has it, in sync and healthy. A target that is gone from `trueup.yaml` is not
    /// held against the others.
    pub fn verdict(&self) -> StatusVerdict {
        let is_held = matches!(self.held, Some(Held::RolledBack { .. } | Held::NotTrusted { .. }));
        match &self.state {
            SyncState::Unknown(_) => StatusVerdict::Unknown,
            SyncState::Removed => StatusVerdict::Good,
            SyncState::InSync if self.health.is_ready() && !is_held => StatusVerdict::Good,
            _ => StatusVerdict::NotGood,
        }
    }
}

impl HealthCounts {
    /// Whether every object is ready.
    pub fn is_ready(&self) -> bool {
        self.progressing + self.failed == 0
    }
}

/// The commit that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningCommit {
    /// Full id.
    pub commit: String,
    /// Whether files of a work tree were applied in its place.
    pub is_dirty: bool,
    /// The branch or tag that led to it, where the target tracks one.
    pub tracked: Option<String>,
    /// The first line of its message, where the checkout has it.
    pub subject: Option<String>,
    /// Its author, where the checkout has it.
    pub author: Option<String>,
    /// Since when.
    pub since: Option<Timestamp>,
    /// The party that applied it.
    pub by: Option<String>,
}

impl RunningCommit {
    /// The same without what its author wrote, which may quote a Secret that is not known here.
    pub fn without_texts(self) -> Self {
        Self { subject: None, author: None, ..self }
    }
}

/// The commit that git has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitCommit {
    /// Full id.
    pub commit: String,
    /// The name that led to it.
    pub named: String,
    /// The first line of its message.
    pub subject: String,
    /// Its author.
    pub author: String,
    /// When it was committed.
    pub time: Timestamp,
}

impl GitCommit {
    /// Of a commit as it was found.
    pub fn of(revision: &Revision) -> Self {
        let Revision { commit, named, summary, author, time, tracked, .. } = revision;
        Self {
            commit: commit.clone(),
            named: tracked.clone().unwrap_or_else(|| named.clone()),
            subject: summary.clone(),
            author: author.clone(),
            time: *time,
        }
    }
}

/// How what runs compares with git.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyncState {
    /// It is what git has, and the cluster is as it says.
    InSync,
    /// Git has newer commits: how many, where the history shows it.
    Behind(Option<usize>),
    /// It is the commit that git has, and some objects differ.
    Drifted,
    /// The running commit is newer than the one that git has here: by how many commits, where the history
    /// shows it.
    Ahead(Option<usize>),
    /// Neither is an ancestor of the other.
    Diverged,
    /// Nothing was applied yet.
    NotApplied,
    /// It is gone from `trueup.yaml`, and its objects are still there.
    Removed,
    /// It could not be told, and why.
    Unknown(String),
}

/// Why a target does not follow git.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// The commit that git has failed, and the last healthy one runs.
    RolledBack {
        /// Full id of the commit that failed.
        failed: String,
    },
    /// The commit that git has is not trusted.
    NotTrusted {
        /// Why.
        why: String,
    },
    /// The target names one commit.
    Pinned {
        /// The commit that it names.
        at: String,
    },
    /// It is suspended.
    Suspended {
        /// Why, by whom and until when, in words.
        why: String,
    },
    /// Its settings keep it where it is.
    Waits {
        /// The setting.
        on: WaitsOn,
        /// Why, in words.
        why: String,
    },
}

/// The setting that keeps a target where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitsOn {
    /// Its mode is `detect`.
    Detect,
    /// Its mode is `hold`, and git's commit is not released.
    Release,
    /// Its windows are closed.
    Window,
}

impl WaitsOn {
    /// The code in JSON.
    pub fn code(self) -> &'static str {
        match self {
            Self::Detect => "detect",
            Self::Release => "not-released",
            Self::Window => "window",
        }
    }

    /// The same in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Detect => "detected only",
            Self::Release => "not released",
            Self::Window => "waits for a window",
        }
    }
}

/// How the live objects of a target are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HealthCounts {
    /// How many are ready.
    pub ready: usize,
    /// How many are not ready yet.
    pub progressing: usize,
    /// How many failed.
    pub failed: usize,
    /// The first that is not ready, and why.
    pub first: Option<UnhealthyObject>,
}

/// An object that is not ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnhealthyObject {
    /// Which object.
    pub key: ObjectKey,
    /// Why.
    pub why: String,
}

/// One image of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageStatus {
    /// Which object declares it.
    pub key: ObjectKey,
    /// The container.
    pub container: String,
    /// The image that it declares; `None` for one that only runs.
    pub declared: Option<String>,
    /// The images that its pods run, with their digests and on how many pods.
    pub running: Vec<RunningImage>,
}

/// An image as pods report it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningImage {
    /// The image's name.
    pub image: String,
    /// Its digest, as in `sha256:…`, where the pod's status has it.
    pub digest: Option<String>,
    /// On how many pods.
    pub pods: usize,
}
