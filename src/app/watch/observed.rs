//! The observation of a target that an event of a watch makes. All of its texts come from masked
//! values.

use jiff::Timestamp;

use super::fault::is_no_answer;
use super::{GitResult, HeldRound, Round, RoundError, WaitingCommit, WatchEvent};
use crate::app;
use crate::app::trust::{Refusal, TrustError};
use crate::core::health::{HealthState, WaitEnd};
use crate::core::notify::{
    Commit, Culprit, Drift, Failure, Observation, Reach, RefusedCommit, RoundEnd, Step,
    SuspendedRound, Taken, WaitingNews, key_digest,
};
use crate::core::object::ObjectKey;
use crate::core::plan::{Action, Reason};
use crate::core::redact::MaskedProblem;
use crate::core::report::{Outcome, Report};
use crate::core::source::snapshot::Revision;
use crate::git::pull::{PullError, Pulled};

/// The class of objects that are not healthy. How they are not may change from round to round.
const HEALTH: &str = "health";
/// The class of manifests that can't be used.
const UNUSABLE: &str = "unusable";

/// The circumstances of an event.
pub struct Watched<'a> {
    /// The target's name.
    pub target: &'a str,
    /// When the event came.
    pub at: Timestamp,
    /// Whether a remote is pulled from.
    pub pulls: bool,
    /// The commit that the checkout is at, of which an error may not know.
    pub head: &'a dyn Fn() -> Option<Revision>,
}

impl WatchEvent {
    /// The observation that the event makes; `None` where it makes none.
    pub fn observation(&self, watched: &Watched<'_>) -> Option<Observation> {
        let Watched { target, at, pulls, .. } = *watched;
        let seen = |git, cluster, step| {
            Some(Observation { target: target.to_owned(), at, git, cluster, step })
        };
        match self {
            Self::Healed { round, .. } => {
                let (commit, drift) = (of_round(round), drift(round));
                seen(Reach::NotAsked, Reach::Reached, Step::Healed { commit, drift })
            }
            Self::Begun { .. }
            | Self::HeldBack { .. }
            | Self::Known(_)
            | Self::Waits { .. }
            | Self::Gone { .. }
            | Self::Left
            | Self::Shared(_)
            | Self::Unlisted(_)
            | Self::Listed(_) => None,
            Self::Deploying(commit) => {
                seen(Reach::NotAsked, Reach::Reached, Step::Deploying(commit.clone()))
            }
            Self::Idle { .. } => {
                let git = if pulls { Reach::Reached } else { Reach::NotAsked };
                let end = RoundEnd { is_proven: true, ..RoundEnd::default() };
                seen(git, Reach::Reached, Step::Ended(Box::new(end)))
            }
            Self::Ended { round, git, .. } => match &**round {
                Ok(round) => seen(reach(round.pulled.as_ref()), Reach::Reached, step(round)),
                Err(error) => {
                    let (cluster, step) = of_error(error, watched.head);
                    seen(reach(git.pulled.as_ref()), cluster, with_git(step, git))
                }
            },
        }
    }
}

/// Whether the remote answered.
fn reach(pulled: Option<&Result<Pulled, PullError>>) -> Reach {
    match pulled {
        None => Reach::NotAsked,
        Some(Err(error)) if error.is_of_remote() => Reach::Lost(error.to_string()),
        Some(_) => Reach::Reached,
    }
}

pub(super) fn commit(revision: &Revision, subject: &str) -> Commit {
    let Revision { commit, author, .. } = revision;
    Commit { id: commit.clone(), subject: subject.to_owned(), author: author.clone() }
}

/// The commit of a round.
fn of_round(round: &Round) -> Commit {
    commit(&round.survey.found.revision, &round.survey.masked_summary())
}

fn culprit(key: &ObjectKey, class: &str, text: String) -> Culprit {
    Culprit { object: Some(key.to_string()), class: class.to_owned(), text }
}

fn of_reason(key: &ObjectKey, reason: &Reason) -> Culprit {
    culprit(key, reason.kind.code(), reason.to_string())
}

/// A failure of the whole target.
fn whole(class: &str, text: String) -> Culprit {
    Culprit { object: None, class: class.to_owned(), text }
}

fn step(round: &Round) -> Step {
    let (survey, report) = (&round.survey, &round.report);
    let is_cut = report.interrupted || report.lost.is_some() || report.superseded.is_some();
    if is_cut {
        return Step::Cut { commit: of_round(round), drift: drift(round) };
    }
    let found = &survey.found;
    if let Some(held) = round.held.as_ref().filter(|held| held.hold.is_suspension()) {
        let text = held.hold.details();
        let key = key_digest(&["suspended", &text]);
        return Step::Suspended(SuspendedRound { key, text, ends_soon: held.ends_soon });
    }
    let commit = of_round(round);
    let waits = round.held.as_ref().and_then(|held| held.waits.as_ref().map(|it| waits(held, it)));
    let refused = found.judged.refused.as_ref().map(refused);
    let refused = refused.or_else(|| unusable(&survey.masked_problems(), &commit));
    if round.held.as_ref().is_some_and(|held| held.is_idle) {
        let drift = unrestored(round);
        return match refused.is_some() || report.at_commit && found.unready.is_empty() {
            true => {
                Step::Ended(Box::new(RoundEnd { drift, waits, refused, ..RoundEnd::default() }))
            }
            false => Step::Kept { drift, waits },
        };
    }
    let (culprits, taken) = (culprits(round), taken(round, &commit));
    let failure = (!culprits.is_empty() || taken.is_some()).then_some(Failure { culprits, taken });
    // Something is left for the next round, which is no fault.
    if failure.is_none() && refused.is_none() && !report.is_good() {
        return Step::Cut { commit, drift: drift(round) };
    }
    let is_waited = report.proof.is_some();
    let unready = found.unready.keys().filter(|_| !is_waited);
    let unready = unready.map(|key| culprit(key, HEALTH, "it is not ready".to_owned()));
    let drift = drift(round);
    let (unready, is_proven) = (unready.collect(), is_waited && report.is_good());
    Step::Ended(Box::new(RoundEnd {
        commit: Some(commit),
        is_proven,
        failure,
        unready,
        refused,
        drift,
        waits,
    }))
}

/// All that failed, the likely cause first.
fn culprits(round: &Round) -> Vec<Culprit> {
    let survey = &round.survey;
    let report = survey.masked_report(&round.report);
    let report: &Report = &report;
    let failed = report.steps.iter().filter_map(|step| match &step.outcome {
        Outcome::Failed(reason) | Outcome::Differs(reason) => Some(of_reason(&step.key, reason)),
        _ => None,
    });
    let mut culprits: Vec<Culprit> = failed.collect();
    let plan = survey.masked_plan();
    for change in plan.changes() {
        if change.action() == Action::Refuse || plan.is_short(change.key()) {
            let reason = change.reason();
            culprits.extend(reason.map(|reason| of_reason(change.key(), &reason)));
        }
    }
    let proof = report.proof.iter();
    let proof = proof.filter(|it| !matches!(it.ended, WaitEnd::Superseded | WaitEnd::Interrupted));
    let mut others: Vec<_> = proof.flat_map(|proof| &proof.others).collect();
    others.sort_by_key(|other| other.health.state != HealthState::Failed);
    culprits.extend(others.into_iter().map(|it| culprit(&it.key, HEALTH, it.health.why.clone())));
    culprits.extend(of_pull(round.pulled.as_ref()));
    culprits
}

/// All that a pull failed for, but for a remote that is away.
fn of_pull(pulled: Option<&Result<Pulled, PullError>>) -> Vec<Culprit> {
    match pulled {
        Some(Err(error)) if !error.is_of_remote() => vec![whole("pull", error.to_string())],
        Some(Ok(pulled)) => {
            let refused = pulled.refused.iter();
            refused.map(|it| whole("ref", it.message.clone())).collect()
        }
        Some(Err(_)) | None => Vec::new(),
    }
}

/// The step of a round that came to nothing, with all that is known of git.
fn with_git(step: Step, git: &GitResult) -> Step {
    let culprits = of_pull(git.pulled.as_ref());
    let refused = git.refused.as_ref().map(self::refused);
    match step {
        Step::Unknown if culprits.is_empty() && refused.is_none() => Step::Unknown,
        Step::Unknown => Step::Nothing { culprits, refused },
        Step::Nothing { culprits: known, refused: first } => {
            Step::Nothing { culprits: [known, culprits].concat(), refused: first.or(refused) }
        }
        step => step,
    }
}

/// The commit that was taken back, in this round or before.
fn taken(round: &Round, commit: &Commit) -> Option<Taken> {
    if let Some(failed) = &round.held_back {
        let failed = Commit { id: failed.clone(), ..Commit::default() };
        return Some(Taken { failed, to: commit.id.clone() });
    }
    let rollback = round.report.rollback.as_ref()?;
    rollback.report.as_ref()?;
    Some(Taken { failed: commit.clone(), to: rollback.to.clone()? })
}

fn refused(refusal: &Refusal) -> RefusedCommit {
    let revision = refusal.revision.as_ref();
    // Its text may be anything: no rule trusts it.
    let commit = revision.map(|revision| commit(revision, "")).unwrap_or_default();
    let (class, text) = (refusal.fault.word().to_owned(), refusal.fault.message());
    RefusedCommit { commit, class, text, stays: refusal.stays.clone() }
}

fn unusable(problems: &[MaskedProblem], commit: &Commit) -> Option<RefusedCommit> {
    let first = problems.first()?;
    let others = match problems.len() {
        1 => String::new(),
        count => format!("; and {} more", count - 1),
    };
    let text = format!("{}: {}{others}", first.place(), first.message());
    Some(RefusedCommit { commit: commit.clone(), class: UNUSABLE.to_owned(), text, stays: None })
}

fn waits(held: &HeldRound, waits: &WaitingCommit) -> WaitingNews {
    let commit = commit(&waits.revision, &waits.summary);
    WaitingNews { commit, text: held.hold.brief().unwrap_or_default() }
}

/// The objects that differ from the commit that runs, and are not put back.
fn unrestored(round: &Round) -> Vec<Drift> {
    let found = &round.survey.found;
    let applied = found.before.as_ref().and_then(|record| record.revision.as_ref());
    if applied != Some(&found.revision.commit) {
        return Vec::new();
    }
    let is_kept = |action| matches!(action, Action::Keep | Action::Refuse);
    let plan = round.survey.masked_plan();
    let changes = plan.changes().filter(|change| !is_kept(change.action()));
    changes.map(|it| Drift { object: it.key().to_string(), is_put_back: false }).collect()
}

/// The objects that differed although their commit was applied, and were put back, with a new commit, too.
/// Those that could not be are failures.
fn drift(round: &Round) -> Vec<Drift> {
    let found = &round.survey.found;
    let applied = found.before.as_ref().and_then(|record| record.revision.as_ref());
    let put_back = |key: &ObjectKey| Drift { object: key.to_string(), is_put_back: true };
    if applied != Some(&found.revision.commit) {
        let former = round.former_drift.iter().filter(|(_, drift)| drift.is_put_back());
        return former.map(|(key, _)| put_back(key)).collect();
    }
    let is_done = |outcome: &Outcome| matches!(outcome, Outcome::Done | Outcome::Terminating);
    let steps = round.report.steps.iter().filter(|step| is_done(&step.outcome));
    let steps = steps.filter(|step| step.action != Action::Abandon);
    steps.map(|step| put_back(&step.key)).collect()
}

/// Whether the API server answered, and how far a round came that came to nothing.
fn of_error(error: &RoundError, head: &dyn Fn() -> Option<Revision>) -> (Reach, Step) {
    let culprit = |class: &str, text: String| Step::Nothing {
        culprits: vec![whole(class, text)],
        refused: None,
    };
    let failed = |class: &str| culprit(class, error.to_string());
    let refused =
        |refused: RefusedCommit| Step::Nothing { culprits: Vec::new(), refused: Some(refused) };
    let of_head = |class: &str, text: String| {
        let commit = head().map(|head| commit(&head, "")).unwrap_or_default();
        refused(RefusedCommit { commit, class: class.to_owned(), text, stays: None })
    };
    let step = match error {
        RoundError::Connect(error) => return (Reach::Lost(error.to_string()), Step::Unknown),
        RoundError::Reconcile(app::Error::Api { attempt, source }) => match is_no_answer(source) {
            true => return (Reach::Lost(source.to_string()), Step::Unknown),
            false => {
                let reach = if source.is_forbidden() { Reach::Refused } else { Reach::NotAsked };
                return (reach, culprit("api", format!("cannot {attempt}: {source}")));
            }
        },
        RoundError::Settings(error) if error.is_refusal => of_head("trust", error.message.clone()),
        RoundError::Settings(error) if !error.is_of_commit => failed("machine"),
        RoundError::Settings(error) => of_head("settings", error.message.clone()),
        RoundError::Reconcile(app::Error::Trust(TrustError::Refused(refusal))) => {
            refused(self::refused(refusal))
        }
        RoundError::Reconcile(error) if !error.problems().is_empty() => {
            let commit = head().map(|head| commit(&head, "")).unwrap_or_default();
            unusable(error.problems(), &commit).map_or(Step::Unknown, refused)
        }
        RoundError::Reconcile(error) => match class(error) {
            Some(class) => failed(class),
            None => Step::Unknown,
        },
        RoundError::Git(_) => failed("git"),
        RoundError::NothingToKeep { .. } => failed("nothing-to-keep"),
        RoundError::OtherCluster { .. } => failed("other-cluster"),
        RoundError::Task(_) => Step::Unknown,
    };
    (Reach::NotAsked, step)
}

/// The class of an error; `None` where the next round may well not have it.
fn class(error: &app::Error) -> Option<&'static str> {
    Some(match error {
        app::Error::Locked { .. }
        | app::Error::Lost(_)
        | app::Error::Superseded(_)
        | app::Error::Held { .. }
        | app::Error::NoInventory { .. }
        | app::Error::Overtaken(_)
        | app::Error::Stopped
        | app::Error::Task(_) => return None,
        app::Error::Git(_) | app::Error::NoDeclaredPath { .. } => "git",
        app::Error::Trust(_) => "trust",
        app::Error::Api { .. } => "api",
        app::Error::Parent(_)
        | app::Error::OtherRepository { .. }
        | app::Error::OtherPaths { .. } => "inventory",
        app::Error::NoNamespace(_) => "namespace",
        app::Error::UnknownKind { .. } => "kind",
        app::Error::Unusable { .. } | app::Error::Strict { .. } => UNUSABLE,
        app::Error::Schemas(_) => "schemas",
        app::Error::Ignore(_) => "ignore",
        app::Error::WrongCluster(_) => "wrong-cluster",
    })
}
