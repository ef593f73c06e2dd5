//! The words for the parts of a status.

use jiff::Timestamp;

use crate::cli::present::story::{TimeStyle, ago};
use crate::core::history::{Cause, RunOutcome, Summary};
use crate::core::source::snapshot::{short, shown};
use crate::core::status::{
    GitCommit, HealthCounts, Held, ImageStatus, RunningCommit, RunningImage, SyncState,
    TargetStatus, WaitsOn,
};

/// The commit that runs: `v1.4.2 (abc1234)`, `abc1234-dirty`.
pub(super) fn runs(runs: Option<&RunningCommit>) -> String {
    runs.map_or_else(
        || "-".to_owned(),
        |runs| {
            let id = short(&runs.commit);
            let id = if runs.is_dirty { format!("{id}-dirty") } else { id.to_owned() };
            shown(&id, runs.tracked.as_deref())
        },
    )
}

/// The commit that git has.
pub(super) fn git(git: Option<&GitCommit>) -> String {
    git.map_or_else(|| "-".to_owned(), |git| short(&git.commit).to_owned())
}

/// How the two compare, and what keeps the target where it is.
pub(super) fn state(row: &TargetStatus) -> String {
    let commits = |by: &Option<usize>, word: &str| match by {
        Some(1) => format!("1 commit {word}"),
        Some(by) => format!("{by} commits {word}"),
        None => word.to_owned(),
    };
    let objects = match row.drift.len() {
        1 => "1 object differs".to_owned(),
        count => format!("{count} objects differ"),
    };
    let state = match &row.state {
        SyncState::InSync => "in sync".to_owned(),
        SyncState::Behind(by) => commits(by, "behind"),
        SyncState::Ahead(by) => commits(by, "ahead of git"),
        SyncState::Drifted => objects,
        SyncState::Diverged => "diverged".to_owned(),
        SyncState::NotApplied => "not applied".to_owned(),
        SyncState::Removed => "removed".to_owned(),
        SyncState::Unknown(_) => "unknown".to_owned(),
    };
    let held = row.held.as_ref().map(|held| match held {
        Held::RolledBack { .. } => "rolled back",
        Held::NotTrusted { .. } => "not trusted",
        Held::Pinned { .. } => "pinned",
        Held::Suspended { .. } => "suspended",
        Held::Waits { on, .. } => on.words(),
    });
    // That git has something newer goes without saying where it is not applied on purpose.
    let is_kept_back = matches!(row.state, SyncState::Behind(_))
        && matches!(row.held, Some(Held::RolledBack { .. } | Held::NotTrusted { .. }));
    let state = (!is_kept_back).then_some(state);
    let words = [held, row.is_unverified.then_some("unverified")].into_iter().flatten();
    state.into_iter().chain(words.map(str::to_owned)).collect::<Vec<_>>().join(", ")
}

/// How healthy the objects are: `57 ready, 1 failed`.
pub(super) fn health(health: &HealthCounts) -> String {
    let HealthCounts { ready, progressing, failed, .. } = *health;
    let counts = [(ready, "ready"), (failed, "failed"), (progressing, "not ready")];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts.map(|(count, word)| format!("{count} {word}")).collect();
    if counts.is_empty() { "-".to_owned() } else { counts.join(", ") }
}

/// One thing that is wrong, or worth knowing, with its mark.
pub(super) struct Detail {
    pub(super) mark: char,
    pub(super) text: String,
}

/// The lines below a target: each says what is wrong.
pub(super) fn details(row: &TargetStatus, times: TimeStyle) -> Vec<Detail> {
    let mut details = Vec::new();
    let mut add = |mark: char, text: String| details.push(Detail { mark, text });
    match &row.state {
        SyncState::Unknown(why) => add('?', why.clone()),
        SyncState::Removed => add(
            '-',
            format!("gone from trueup.yaml; trueup apply --removed {} takes it down", row.target),
        ),
        _ => {}
    }
    if let Some(former) = &row.former_name {
        add('~', format!("was {former} when it was last applied; the next apply renames it"));
    }
    if let Some(first) = row.drift.first() {
        let more = match row.drift.len() - 1 {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        add('~', format!("{first} differs{more}"));
    }
    if let Some(first) = &row.health.first {
        let why = if first.why.is_empty() { "is not ready" } else { &first.why };
        add('!', format!("{}: {why}", first.key));
    }
    match &row.held {
        Some(Held::RolledBack { failed }) => add(
            '!',
            format!(
                "{} failed and was rolled back; watch does not apply it again{}",
                short(failed),
                why_of(row, failed)
            ),
        ),
        Some(Held::NotTrusted { why }) => {
            add('!', format!("the newest commit is not trusted: {why}"));
        }
        Some(Held::Suspended { why }) => add('!', format!("suspended {why}")),
        Some(Held::Waits { on: WaitsOn::Release | WaitsOn::Window, why }) => add('!', why.clone()),
        Some(Held::Pinned { .. } | Held::Waits { .. }) | None => {}
    }
    let rolled_back = matches!(row.held, Some(Held::RolledBack { .. }));
    if let Some(last) = row.last.as_ref().and_then(failed_round).filter(|_| !rolled_back) {
        let when = times.format(row.last.as_ref().map_or_else(Default::default, |it| it.ended));
        let why = row.last.as_ref().and_then(|last| last.reason.as_ref());
        let why = why.map(|why| format!(": {why}")).unwrap_or_default();
        add('!', format!("the last round {last} {when}{why}"));
    }
    details
}

/// The rounds behind the commit that runs: who applied it, and who put drift back since.
pub(super) fn rounds(row: &TargetStatus, now: Timestamp) -> Vec<String> {
    let mut rounds = Vec::new();
    let by_whom = row.runs.as_ref().and_then(|runs| runs.by.as_ref());
    rounds.extend(by_whom.map(|by| format!("applied by {by}")));
    let put_back = row.last.as_ref().filter(|last| {
        let is_good = matches!(last.outcome, RunOutcome::Healthy | RunOutcome::Applied);
        is_good && last.cause == Cause::Drift && last.changed > 0
    });
    rounds.extend(
        put_back.map(|last| format!("drift put back {} {}", by(last), ago(last.ended, now))),
    );
    rounds
}

/// The reason that the last round had, where that was of the commit: `: REASON`.
fn why_of(row: &TargetStatus, commit: &str) -> String {
    let last = row.last.as_ref().filter(|last| last.commit == commit);
    let why = last.and_then(|last| last.reason.as_ref());
    why.map(|why| format!(": {why}")).unwrap_or_default()
}

/// A last round that is not good: `failed: abc1234 by ops on host`.
fn failed_round(last: &Summary) -> Option<String> {
    let ended = match last.outcome {
        RunOutcome::Healthy | RunOutcome::Applied => return None,
        RunOutcome::Unhealthy => "did not get healthy",
        RunOutcome::Failed => "failed",
        RunOutcome::RolledBack => "was rolled back",
        RunOutcome::Refused => "was refused",
        RunOutcome::Interrupted => "was interrupted",
        RunOutcome::Killed => "was killed",
    };
    Some(format!("{ended}: {} {}", last.short(), by(last)))
}

/// The party that ran a round: `by ops on host`.
fn by(last: &Summary) -> String {
    match last.host.as_str() {
        "" => format!("by {}", last.who()),
        host => format!("by {} on {host}", last.who()),
    }
}

/// The images that the pods run of one container.
pub(super) fn running(image: &ImageStatus) -> Vec<String> {
    let one = |RunningImage { image: name, digest, pods }: &RunningImage| {
        let name = match &image.declared {
            Some(declared) if declared == name => String::new(),
            _ => format!("{name} "),
        };
        let digest = digest.as_deref().unwrap_or("no digest yet");
        let plural = if *pods == 1 { "" } else { "s" };
        format!("{name}{} on {pods} pod{plural}", short_digest(digest))
    };
    image.running.iter().map(one).collect()
}

/// Enough of a digest to tell images apart.
fn short_digest(digest: &str) -> &str {
    const SHORT: usize = "sha256:".len() + 12;
    match digest.starts_with("sha256:") {
        true => digest.get(..SHORT).unwrap_or(digest),
        false => digest,
    }
}
