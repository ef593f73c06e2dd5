//! One round, as it is remembered.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::inventory::Inventory;
use crate::core::object::ObjectKey;
use crate::core::plan::Action;
use crate::core::verification::Signer;

/// The most objects that a record names.
pub(super) const OBJECTS: usize = 50;
/// The most images that a record names.
pub(super) const IMAGES: usize = 50;
/// The most characters of a text in a record.
pub(super) const TEXT: usize = 300;

/// One round that changed something, failed, rolled back or was refused. It holds no value of an object
/// but the images of its containers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "record"))]
pub struct RunRecord {
    /// Its id: when it began, and some random digits. Ids sort by time.
    pub id: String,
    /// The target's name in `trueup.yaml`, or else the inventory's.
    pub target: String,
    /// The inventory.
    pub inventory: Inventory,
    /// Id of the repository's first commit.
    pub repository: String,
    /// The cluster.
    pub cluster: RecordedCluster,
    /// The commit that was to be made true; of a refused one, that one.
    pub commit: RecordedCommit,
    /// Full id of the commit that the inventory named before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Why the round was run.
    pub cause: Cause,
    /// By whom.
    pub by: RanBy,
    /// When it began.
    pub started: Timestamp,
    /// When it ended. Of a run that was killed: when that was noticed.
    pub ended: Timestamp,
    /// How long each part took.
    pub phases: Phases,
    /// A digest of the plan: of the actions and objects, not of any value.
    pub plan: String,
    /// How many objects the plan had for each action, by the action's code.
    pub counts: BTreeMap<String, usize>,
    /// The objects that were to change, up to a bound.
    pub objects: Vec<RecordedObject>,
    /// How many more there were.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more_objects: usize,
    /// The images that changed, up to a bound.
    pub images: Vec<ImageChange>,
    /// How many more there were.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more_images: usize,
    /// How it ended.
    pub outcome: RunOutcome,
    /// How many changes were made.
    pub changed: usize,
    /// The one thing that it failed or was refused for, with its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How the objects were in the end, where they were waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<CommitHealth>,
    /// The rollback, where the commit failed and there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback: Option<RunRollback>,
    /// How many requests were sent to the API server.
    pub requests: usize,
}

/// A cluster, as its records name it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "record_cluster"))]
pub struct RecordedCluster {
    /// The uid of `kube-system`, where the user may read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// The kubeconfig's context.
    pub context: String,
    /// The API server's address.
    pub server: String,
}

/// A commit, as records name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "record_commit"))]
pub struct RecordedCommit {
    /// Full id.
    pub id: String,
    /// The name that led to it: a branch, a tag, or `HEAD`.
    #[serde(rename = "ref")]
    pub named: String,
    /// The first line of its message.
    pub subject: String,
    /// Its author.
    pub author: String,
    /// When it was committed.
    pub time: Timestamp,
    /// Whether files of the work tree were read in its place.
    #[serde(default, skip_serializing_if = "is_false")]
    pub dirty: bool,
    /// The signer, where that was verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<Signer>,
    /// The verdict in one word, where the machine has a rule: `trusted`, `unverified`, or the fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
}

/// Why a round was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "record_cause"))]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Another commit was to be made true, or the target's first.
    Deployment,
    /// The commit was there already, and the cluster was not as it says.
    Drift,
    /// The commit was there already but for what a round left that did not come to its end.
    Cleanup,
    /// A target that is gone from `trueup.yaml` was taken down.
    Removal,
}

impl Cause {
    /// Its code in JSON.
    pub fn code(self) -> &'static str {
        match self {
            Self::Deployment => "deployment",
            Self::Drift => "drift",
            Self::Cleanup => "cleanup",
            Self::Removal => "removal",
        }
    }
}

/// The user, machine and program of a round.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "record_by"))]
pub struct RanBy {
    /// The user name that the API server knows the run by, where it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The user on that machine.
    pub login: String,
    /// The machine.
    pub host: String,
    /// trueup's version.
    pub version: String,
    /// The verb: `apply` or `watch`.
    pub verb: String,
}

/// How long the parts of a round took, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "record_phases"))]
pub struct Phases {
    /// Looking at git and the cluster, and deciding.
    pub survey: f64,
    /// Waiting for the lock.
    pub lock: f64,
    /// Carrying out.
    pub apply: f64,
    /// Waiting until everything was healthy.
    pub wait: f64,
    /// Rolling back.
    pub rollback: f64,
}

/// An object that was to change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "record_object"))]
pub struct RecordedObject {
    /// Which object.
    #[serde(flatten)]
    pub key: ObjectKey,
    /// The planned action.
    pub action: Action,
    /// How it ended: `done`, `terminating`, `failed`, `differs`, `skipped`, `postponed`, or
    /// `refused`; `unknown` of a run that was killed.
    pub outcome: String,
    /// Where it is declared: `path:line`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
}

/// An image of a container that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "record_image"))]
pub struct ImageChange {
    /// Which object.
    #[serde(flatten)]
    pub key: ObjectKey,
    /// The container.
    pub container: String,
    /// The image before; `None` where the container is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The image now; `None` where the container is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// How a round ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "record_outcome"))]
#[serde(rename_all = "kebab-case")]
pub enum RunOutcome {
    /// The cluster is at the commit, and everything was seen healthy.
    Healthy,
    /// The cluster is at the commit. Its health was not waited for.
    Applied,
    /// The cluster is at the commit, and not everything got healthy.
    Unhealthy,
    /// The cluster is not at the commit.
    Failed,
    /// The commit failed, and the last healthy one was restored.
    RolledBack,
    /// Nothing was written: a guard, a rule, or an object that can't be used.
    Refused,
    /// A signal, a lost lock, or a newer commit ended it.
    Interrupted,
    /// The process ended without a word.
    Killed,
}

impl RunOutcome {
    /// Every outcome.
    pub const ALL: [Self; 8] = [
        Self::Healthy,
        Self::Applied,
        Self::Unhealthy,
        Self::Failed,
        Self::RolledBack,
        Self::Refused,
        Self::Interrupted,
        Self::Killed,
    ];

    /// Its code in JSON.
    pub fn code(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Applied => "applied",
            Self::Unhealthy => "unhealthy",
            Self::Failed => "failed",
            Self::RolledBack => "rolled-back",
            Self::Refused => "refused",
            Self::Interrupted => "interrupted",
            Self::Killed => "killed",
        }
    }

    /// Whether the cluster is at the commit in the end, as far as the run saw.
    pub fn is_success(self) -> bool {
        matches!(self, Self::Healthy | Self::Applied)
    }

    /// Whether the commit failed in the cluster, which is a failed deployment by DORA's definition.
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Unhealthy | Self::Failed | Self::RolledBack)
    }
}

/// How the objects were in the end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "record_health"))]
pub struct CommitHealth {
    /// How many are ready.
    pub ready: usize,
    /// How many are not ready yet.
    pub progressing: usize,
    /// How many failed.
    pub failed: usize,
}

/// A rollback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "record_rollback"))]
pub struct RunRollback {
    /// Full id of the commit that was restored, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// How it ended, by its code.
    pub outcome: String,
}

impl RunRecord {
    /// Cuts what is longer than a record may be.
    pub fn bounded(mut self) -> Self {
        self.more_objects += self.objects.len().saturating_sub(OBJECTS);
        self.objects.truncate(OBJECTS);
        self.more_images += self.images.len().saturating_sub(IMAGES);
        self.images.truncate(IMAGES);
        let RecordedCommit { named, subject, author, .. } = &mut self.commit;
        for text in [named, subject, author].into_iter().chain(&mut self.reason) {
            *text = cut(text, TEXT);
        }
        self
    }

    /// Whether it is another try of the same commit with the same end, which says nothing new.
    pub fn repeats(&self, before: &Self) -> bool {
        let told =
            |it: &Self| (it.commit.id.clone(), it.outcome, it.reason.clone(), it.plan.clone());
        self.changed == 0 && told(self) == told(before)
    }
}

/// A record's id: when it began, by UTC and to the millisecond, and six hexadecimal digits of `random`.
pub fn record_id(started: Timestamp, random: u32) -> String {
    format!("{}-{:06x}", started.strftime("%Y%m%dT%H%M%S%.3fZ"), random & 0x00ff_ffff)
}

/// At most so many characters of a text.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some(_) => text.chars().take(most - 1).chain(['…']).collect(),
        None => text.to_owned(),
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}
