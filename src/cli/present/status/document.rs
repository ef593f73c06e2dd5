//! The JSON of `trueup status`. `docs/json.md` explains the keys.

use jiff::Timestamp;
use serde::Serialize;

use super::StatusView;
use crate::core::history::{Cause, RunOutcome, Summary};
use crate::core::object::ObjectKey;
use crate::core::status::{
    GitCommit, HealthCounts, Held, ImageStatus, RunningCommit, RunningImage, SyncState,
    TargetStatus, UnhealthyObject,
};

/// The answer of `trueup status`.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "status"))]
pub(in crate::cli::present) struct StatusDocument<'a> {
    #[cfg_attr(test, schemars(extend("enum" = [1])))]
    version: u32,
    /// As of when.
    at: Timestamp,
    /// When something was last fetched; null where it is not known.
    fetched: Option<Timestamp>,
    /// The targets.
    targets: Vec<StatusTargetDocument<'a>>,
    /// The contexts that were looked at.
    contexts: Vec<StatusContextDocument<'a>>,
    requests: usize,
    elapsed: f64,
}

/// A context that was looked at.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "status_context"))]
struct StatusContextDocument<'a> {
    context: &'a str,
    /// Host and port; empty where they are not known.
    server: &'a str,
    cluster_uid: Option<&'a str>,
    /// Why nothing is known of it; null where it was reached.
    error: Option<&'a str>,
    requests: usize,
}

/// One target on one cluster.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "status_target"))]
struct StatusTargetDocument<'a> {
    target: &'a str,
    context: &'a str,
    server: &'a str,
    cluster_uid: Option<&'a str>,
    /// Whether it is git's commit, in sync and healthy.
    good: bool,
    /// The commit that runs; null before the first apply.
    runs: Option<RunningDocument<'a>>,
    /// The commit that git has.
    git: Option<GitDocument<'a>>,
    /// How the two compare.
    #[cfg_attr(test, schemars(with = "StateCode"))]
    state: &'static str,
    /// By how many commits it is behind or ahead; null where it is neither, or where that is not known.
    commits: Option<usize>,
    /// Why its state is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    /// The objects that differ from the commit that runs.
    drift: &'a [ObjectKey],
    health: HealthDocument<'a>,
    /// The reason why it does not follow git; null where it does.
    held: Option<HeldDocument<'a>>,
    /// The last round that the history has.
    last: Option<LastDocument<'a>>,
    /// When a watch on this machine looks next.
    next_due: Option<Timestamp>,
    /// With --images: each container.
    #[serde(skip_serializing_if = "Option::is_none")]
    images: Option<Vec<ImageDocument<'a>>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "status_runs"))]
struct RunningDocument<'a> {
    commit: &'a str,
    /// Whether files of a work tree were applied in its place.
    dirty: bool,
    /// Whether it was applied with --unverified.
    unverified: bool,
    tracked: Option<&'a str>,
    subject: Option<&'a str>,
    author: Option<&'a str>,
    since: Option<Timestamp>,
    by: Option<&'a str>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "status_git"))]
struct GitDocument<'a> {
    commit: &'a str,
    named: &'a str,
    subject: &'a str,
    author: &'a str,
    time: Timestamp,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "status_health"))]
struct HealthDocument<'a> {
    ready: usize,
    progressing: usize,
    failed: usize,
    /// The first object that is not ready; null where all are.
    first: Option<UnhealthyDocument<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "status_unhealthy"))]
struct UnhealthyDocument<'a> {
    #[serde(flatten)]
    key: &'a ObjectKey,
    why: &'a str,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "status_held"))]
struct HeldDocument<'a> {
    #[cfg_attr(test, schemars(with = "HeldCode"))]
    code: &'static str,
    /// The commit that failed, or that the target is pinned to; null where it is not known.
    commit: Option<&'a str>,
    /// Why, in words; null where the code says it all.
    message: Option<&'a str>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "status_last"))]
struct LastDocument<'a> {
    id: &'a str,
    commit: &'a str,
    outcome: RunOutcome,
    cause: Cause,
    started: Timestamp,
    ended: Timestamp,
    user: &'a str,
    host: &'a str,
    changed: usize,
    restored: Option<&'a str>,
    /// Why it failed or was refused, cut; null where it did not.
    reason: Option<&'a str>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "status_image"))]
struct ImageDocument<'a> {
    #[serde(flatten)]
    key: &'a ObjectKey,
    container: &'a str,
    /// Null for one that only runs.
    declared: Option<&'a str>,
    differs: bool,
    running: Vec<RunningImageDocument<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "status_running_image"))]
struct RunningImageDocument<'a> {
    image: &'a str,
    digest: Option<&'a str>,
    pods: usize,
}

/// The codes of a state.
#[cfg(test)]
#[derive(schemars::JsonSchema)]
#[schemars(rename = "status_state", rename_all = "kebab-case")]
#[allow(dead_code, reason = "the schema is made of it")]
enum StateCode {
    InSync,
    Behind,
    Ahead,
    Drifted,
    Diverged,
    NotApplied,
    Removed,
    Unknown,
}

/// The codes of what holds a target.
#[cfg(test)]
#[derive(schemars::JsonSchema)]
#[schemars(rename = "status_held_code", rename_all = "kebab-case")]
#[allow(dead_code, reason = "the schema is made of it")]
enum HeldCode {
    RolledBack,
    NotTrusted,
    Pinned,
    Suspended,
    Detect,
    NotReleased,
    Window,
}

/// The code of a state.
pub(super) fn state_code(state: &SyncState) -> &'static str {
    match state {
        SyncState::InSync => "in-sync",
        SyncState::Behind(_) => "behind",
        SyncState::Ahead(_) => "ahead",
        SyncState::Drifted => "drifted",
        SyncState::Diverged => "diverged",
        SyncState::NotApplied => "not-applied",
        SyncState::Removed => "removed",
        SyncState::Unknown(_) => "unknown",
    }
}

impl<'a> StatusDocument<'a> {
    /// The document of a view.
    pub(super) fn of(view: &'a StatusView<'_>) -> Self {
        let targets = view.rows.iter().map(|row| target(row, view.has_images)).collect();
        let contexts = view.contexts.iter().map(|context| StatusContextDocument {
            context: &context.context,
            server: &context.server,
            cluster_uid: context.cluster_uid.as_deref(),
            error: context.error.as_deref(),
            requests: context.requests,
        });
        Self {
            version: 1,
            at: view.now,
            fetched: view.fetched,
            targets,
            contexts: contexts.collect(),
            requests: view.requests,
            elapsed: view.elapsed.as_secs_f64(),
        }
    }
}

fn target(row: &TargetStatus, has_images: bool) -> StatusTargetDocument<'_> {
    let commits = match &row.state {
        SyncState::Behind(by) | SyncState::Ahead(by) => *by,
        _ => None,
    };
    let message = match &row.state {
        SyncState::Unknown(why) => Some(why.as_str()),
        _ => None,
    };
    StatusTargetDocument {
        target: &row.target,
        context: &row.context,
        server: &row.server,
        cluster_uid: row.cluster_uid.as_deref(),
        good: row.verdict() == crate::core::status::StatusVerdict::Good,
        runs: row.runs.as_ref().map(|it| running(it, row.is_unverified)),
        git: row.git.as_ref().map(git),
        state: state_code(&row.state),
        commits,
        message,
        drift: &row.drift,
        health: health(&row.health),
        held: row.held.as_ref().map(held),
        last: row.last.as_ref().map(last),
        next_due: row.next_due,
        images: has_images.then(|| row.images.iter().map(image).collect()),
    }
}

fn running(runs: &RunningCommit, unverified: bool) -> RunningDocument<'_> {
    let RunningCommit { commit, is_dirty, tracked, subject, author, since, by } = runs;
    RunningDocument {
        commit,
        dirty: *is_dirty,
        unverified,
        tracked: tracked.as_deref(),
        subject: subject.as_deref(),
        author: author.as_deref(),
        since: *since,
        by: by.as_deref(),
    }
}

fn git(git: &GitCommit) -> GitDocument<'_> {
    let GitCommit { commit, named, subject, author, time } = git;
    GitDocument { commit, named, subject, author, time: *time }
}

fn health(health: &HealthCounts) -> HealthDocument<'_> {
    let HealthCounts { ready, progressing, failed, first } = health;
    let first = first.as_ref().map(|UnhealthyObject { key, why }| UnhealthyDocument { key, why });
    HealthDocument { ready: *ready, progressing: *progressing, failed: *failed, first }
}

fn held(held: &Held) -> HeldDocument<'_> {
    let (code, commit, message) = match held {
        Held::RolledBack { failed } => ("rolled-back", Some(failed), None),
        Held::NotTrusted { why } => ("not-trusted", None, Some(why)),
        Held::Pinned { at } => ("pinned", Some(at), None),
        Held::Suspended { why } => ("suspended", None, Some(why)),
        Held::Waits { on, why } => (on.code(), None, Some(why)),
    };
    HeldDocument { code, commit: commit.map(String::as_str), message: message.map(String::as_str) }
}

fn last(last: &Summary) -> LastDocument<'_> {
    LastDocument {
        id: &last.id,
        commit: &last.commit,
        outcome: last.outcome,
        cause: last.cause,
        started: last.started,
        ended: last.ended,
        user: &last.user,
        host: &last.host,
        changed: last.changed,
        restored: last.restored.as_deref(),
        reason: last.reason.as_deref(),
    }
}

fn image(image: &ImageStatus) -> ImageDocument<'_> {
    let ImageStatus { key, container, declared, running } = image;
    let running = running.iter().map(|RunningImage { image, digest, pods }| RunningImageDocument {
        image,
        digest: digest.as_deref(),
        pods: *pods,
    });
    ImageDocument {
        key,
        container,
        declared: declared.as_deref(),
        differs: image.differs(),
        running: running.collect(),
    }
}
