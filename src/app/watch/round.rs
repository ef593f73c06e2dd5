//! One round: pull, look, decide, and do.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::calm::follow;
use super::former_drift::drift_of_former;
use super::held::HeldRound;
use super::identity::ClusterIdentity;
use super::remote_poller::RemotePoller;
use super::{
    RoundMemory, SettingsError, TouchedTarget, WakeReason, Watch, WatchEvent, WatchSettings,
    observed,
};
use crate::app::round::is_unproven;
use crate::app::{
    self, LastRead, Look, RecordedPlace, RoundEnd, RoundOptions, Runner, Survey, TIMEOUT, Target,
    WaitWhen, look, record_killed, record_refusal, round, survey,
};
use crate::cluster::{Cluster, ConnectError};
use crate::core::attribution::FormerDrift;
use crate::core::health::WaitEnd;
use crate::core::metrics::Phase;
use crate::core::modes::Passes;
use crate::core::object::ObjectKey;
use crate::core::redact::MaskedProblem;
use crate::core::remedy::Remedy;
use crate::core::report::Report;
use crate::core::source::snapshot::{Revision, short};
use crate::git::pull::{PullError, Pulled};
use crate::git::{self, Checkout};
use crate::local::cancel::{Cancellation, Interrupt};

/// The result of a round.
pub struct Round {
    /// The result of the pull. Where it failed, the cluster was made true to the commit that is
    /// there. `None` without a remote.
    pub pulled: Option<Result<Pulled, PullError>>,
    /// The observation and the plan.
    pub survey: Survey,
    /// The report of the run.
    pub report: Report,
    /// Of a round that changed the commit: the objects that were not as the former one declares
    /// them, and were put back or changed.
    pub former_drift: BTreeMap<ObjectKey, FormerDrift>,
    /// The commit that is not tried, as it was taken back; the last healthy one is kept true.
    pub held_back: Option<String>,
    /// Why nothing was written, where the target is held.
    pub held: Option<HeldRound>,
    /// Why there was no lock, where the user may not have one.
    pub warning: Option<String>,
    /// Why it could not be recorded everywhere, nor those before it that came to nothing.
    pub unrecorded: Vec<String>,
    /// How long looking took, by its parts.
    pub phases: BTreeMap<Phase, Duration>,
    /// How many requests it took.
    pub requests: usize,
    /// How long it took.
    pub elapsed: Duration,
}

/// Why a round came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum RoundError {
    /// The checkout could not be read.
    #[error(transparent)]
    Git(#[from] git::Error),
    /// No way to the cluster.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The settings could not be read.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The target could not be surveyed or carried out.
    #[error(transparent)]
    Reconcile(#[from] app::Error),
    /// The commit was taken back, and the one to keep true in its place is not here.
    #[error(
        "{} failed before and is not applied again; {}, the last healthy commit, is not in this \
        checkout",
        short(.failed),
        short(.healthy)
    )]
    NothingToKeep {
        /// The commit that failed.
        failed: String,
        /// The one that was healthy.
        healthy: String,
        /// git's error.
        source: Box<git::Error>,
    },
    /// The kubeconfig leads elsewhere since the watch began.
    #[error(
        "the kubeconfig now points to {now}, but this watch began with {before}; nothing was \
        written"
    )]
    OtherCluster {
        /// The cluster that it began on.
        before: Box<ClusterIdentity>,
        /// The cluster that the kubeconfig leads to.
        now: Box<ClusterIdentity>,
    },
    /// A task of our own ended without an answer.
    #[error("the pull was interrupted")]
    Task(#[from] tokio::task::JoinError),
}

impl RoundError {
    /// The problems of the manifests, where they are the error.
    pub fn problems(&self) -> &[MaskedProblem] {
        match self {
            Self::Reconcile(error) => error.problems(),
            _ => &[],
        }
    }

    /// The remedy.
    pub fn hint(&self) -> Option<Remedy> {
        match self {
            Self::Git(error) => error.hint().map(Remedy::Text),
            Self::Connect(error) => error.hint(),
            Self::Reconcile(error) => error.hint(),
            Self::Settings(error) => error.hint.clone().map(Remedy::Text),
            Self::NothingToKeep { failed, .. } => {
                Some(Remedy::RetryCommit { commit: short(failed).to_owned() })
            }
            Self::OtherCluster { .. } => Some(
                "restore the kubeconfig, or start trueup watch again if that cluster is intended"
                    .into(),
            ),
            Self::Task(_) => None,
        }
    }
}

/// A round half-way: what was found, and nothing done about it yet.
pub(super) struct PendingRound {
    pub(super) begin: Instant,
    pub(super) phases: BTreeMap<Phase, Duration>,
    pub(super) pulled: Option<Result<Pulled, PullError>>,
    checkout: Checkout,
    pub(super) cluster: Cluster,
    /// The settings of the commit that the target follows.
    wanted: WatchSettings,
    /// The target to apply instead, where that commit was rolled back.
    target: Target,
    pub(super) survey: Survey,
    pub(super) held_back: Option<String>,
    pub(super) held: Option<HeldRound>,
}

impl PendingRound {
    /// That the commit which the target follows is not applied again, where that is so.
    pub(super) fn holding(&self) -> Option<WatchEvent> {
        let healthy = self.survey.found.revision.commit.clone();
        self.held_back.clone().map(|failed| WatchEvent::HeldBack { failed, healthy })
    }
}

impl PendingRound {
    /// That objects of a new commit are about to be written, where that is so.
    pub(super) fn deploying(&self) -> Option<WatchEvent> {
        let found = &self.survey.found;
        let applied = found.before.as_ref().and_then(|record| record.revision.as_ref());
        let is_new = applied != Some(&found.revision.commit);
        let writes = self.survey.writes() && self.survey.masked_plan().writes();
        let commit = || observed::commit(&found.revision, &self.survey.masked_summary());
        (is_new && writes && self.held.is_none()).then(|| WatchEvent::Deploying(commit()))
    }
}

impl RoundMemory {
    /// Notes the cluster of the first round, and holds later ones against it.
    fn keep_to(&mut self, now: ClusterIdentity) -> Result<(), RoundError> {
        let before = self.place.get_or_insert_with(|| now.clone());
        match before.is_same(&now) {
            true => Ok(()),
            false => Err(RoundError::OtherCluster {
                before: Box::new(before.clone()),
                now: Box::new(now),
            }),
        }
    }
}

/// A round once it has looked.
pub(super) enum BegunRound {
    /// Nothing has moved since a round that had nothing to do and nothing to tell.
    Idle,
    /// Anything else.
    Pending(Box<PendingRound>),
}

/// Pulls, looks at git and the cluster, and decides.
pub(super) async fn begin_round(
    watch: &Watch,
    memory: &mut RoundMemory,
) -> Result<BegunRound, RoundError> {
    let begin = Instant::now();
    let was_quiet = std::mem::take(&mut memory.is_quiet);
    memory.touches = watch.touched.as_ref().and_then(TouchedTarget::touches);
    // An object that was touched does not wait for a remote that may be slow.
    let is_touch = memory.has_pulled && memory.reasons.iter().eq([&WakeReason::Touched]);
    let pulled = match &watch.pull {
        Some(options) if !is_touch => Some(memory.remote.next(options, watch.interval).await?),
        _ => None,
    };
    if let Some(pulled) = &pulled {
        memory.has_pulled = pulled.as_ref().is_ok_and(|it| it.refused.is_empty());
    }
    let mut phases = BTreeMap::from([(Phase::Pull, begin.elapsed())]);
    let checkout = Checkout::discover(&watch.directory)?;
    let cluster = Cluster::connect(&watch.access).await?;
    cluster.on_delay(watch.delays.clone());
    let wanted = (watch.settings)(&checkout, &cluster, None)?;
    memory.note_watched(&wanted.target, &cluster);
    let brings_nothing = match &pulled {
        None => true,
        Some(pulled) => pulled.as_ref().is_ok_and(|it| it.is_up_to_date() && it.refused.is_empty()),
    };
    if was_quiet && brings_nothing && memory.is_calm(watch, &wanted.target, &checkout, &cluster) {
        memory.is_quiet = true;
        return Ok(BegunRound::Idle);
    }
    let mut found = None;
    if was_quiet && brings_nothing {
        match look(&wanted.target, &checkout, &cluster, Some(&memory.last)).await? {
            Look::InSync(synced) => {
                let now = ClusterIdentity::of(&cluster, synced.cluster_uid.as_ref());
                memory.keep_to(now)?;
                memory.is_quiet = true;
                memory.note_calm(&wanted.target, &checkout, &cluster);
                if let Some(recording) = &watch.recording {
                    let target = &wanted.target;
                    let place = RecordedPlace { target, cluster: &cluster, checkout: &checkout };
                    Box::pin(record_killed(recording, place)).await;
                }
                return Ok(BegunRound::Idle);
            }
            Look::Survey(survey) => found = Some(*survey),
        }
    }
    let place = RoundPlace { watch, checkout: &checkout, cluster: &cluster };
    let chosen = Box::pin(choose(place, &wanted.target, found, memory)).await;
    if let (Some(recording), Err(RoundError::Reconcile(error))) = (&watch.recording, &chosen) {
        let place =
            RecordedPlace { target: &wanted.target, cluster: &cluster, checkout: &checkout };
        let told = Box::pin(record_refusal(recording, place, error)).await;
        memory.unrecorded.extend(told);
    }
    let (target, survey, held_back) = chosen?;
    let now = ClusterIdentity::of(&cluster, survey.found.cluster_uid.as_ref());
    memory.keep_to(now)?;
    phases.insert(Phase::Survey, begin.elapsed().saturating_sub(phases[&Phase::Pull]));
    let held = HeldRound::of(&survey);
    let pending = PendingRound {
        begin,
        phases,
        pulled,
        checkout,
        cluster,
        wanted,
        target,
        survey,
        held_back,
        held,
    };
    Ok(BegunRound::Pending(Box::new(pending)))
}

/// The checkout and the cluster of a round.
#[derive(Clone, Copy)]
struct RoundPlace<'a> {
    pub(super) watch: &'a Watch,
    pub(super) checkout: &'a Checkout,
    pub(super) cluster: &'a Cluster,
}

/// The commit to apply: the target's, or the last healthy one where that one was rolled back,
/// whoever did that. The cluster says so, so that it is known after a restart and on another
/// machine as well. The target's commit may be `found` already.
async fn choose(
    place: RoundPlace<'_>,
    target: &Target,
    found: Option<Survey>,
    memory: &mut RoundMemory,
) -> Result<(Target, Survey, Option<String>), RoundError> {
    let RoundPlace { watch, checkout, cluster } = place;
    let back = |failed: &str, healthy: &str| {
        checkout.resolve(Some(healthy)).map_err(|source| RoundError::NothingToKeep {
            failed: failed.to_owned(),
            healthy: healthy.to_owned(),
            source: Box::new(source),
        })?;
        Ok::<_, RoundError>(at(watch, checkout, cluster, target, healthy)?)
    };
    let now = target.revision(checkout).map_err(app::Error::from)?.commit;
    if let Some((failed, healthy)) = memory.held_back.take().filter(|(failed, _)| *failed == now) {
        let target = back(&failed, &healthy)?;
        let survey = survey(&target, checkout, cluster, Some(&memory.last)).await?;
        if held_back(&survey, &failed).as_ref() == Some(&healthy) {
            memory.held_back = Some((failed.clone(), healthy));
            return Ok((target, survey, Some(failed)));
        }
    }
    let failing = match found {
        Some(found) => found,
        None => survey(target, checkout, cluster, Some(&memory.last)).await?,
    };
    let failed = failing.found.revision.commit.clone();
    let Some(healthy) = held_back(&failing, &failed).filter(|_| failing.has_failed()) else {
        return Ok((target.clone(), failing, None));
    };
    let target = back(&failed, &healthy)?;
    let survey = survey(&target, checkout, cluster, Some(&memory.last)).await?;
    memory.held_back = Some((failed.clone(), healthy));
    Ok((target, survey, Some(failed)))
}

/// The target as another commit's settings have it, to go back there; its inventory is the same.
fn at(
    watch: &Watch,
    checkout: &Checkout,
    cluster: &Cluster,
    now: &Target,
    commit: &str,
) -> Result<Target, SettingsError> {
    let WatchSettings { target, .. } = (watch.settings)(checkout, cluster, Some(commit))?;
    let (rev, inventory) = (Some(commit.to_owned()), now.inventory.clone());
    let mut policy = target.policy.clone();
    policy.operator.moved = true;
    Ok(Target { rev, inventory, policy, worktree: false, ..target })
}

/// The last healthy commit, where the inventory says that `commit` was taken back.
fn held_back(survey: &Survey, commit: &str) -> Option<String> {
    let past = &survey.found.before.as_ref()?.past;
    past.failed.as_ref().filter(|failed| *failed == commit)?;
    past.healthy.as_ref().map(|healthy| healthy.what.clone())
}

/// Does what was decided. A newer commit ends what is only waited for.
pub(super) async fn act(
    watch: &Watch,
    looked: PendingRound,
    memory: &mut RoundMemory,
    interrupt: &Interrupt,
) -> Result<Round, RoundError> {
    let PendingRound {
        begin,
        phases,
        pulled,
        checkout,
        cluster,
        wanted,
        target,
        survey,
        held_back,
        held: _,
    } = looked;
    let RoundMemory { last, watched, proved, remote, is_quiet, unrecorded, .. } = &mut *memory;
    let cancel = Cancellation::with(interrupt);
    let options = RoundOptions {
        target: &target,
        checkout: &checkout,
        cluster: &cluster,
        who: &watch.who,
        lock_timeout: Some(wanted.lock_timeout),
        watched,
        passes: Passes::default(),
        approval: None,
        passing: wanted.wait.unwrap_or(TIMEOUT),
        wait: wanted.wait,
        wait_when: match watch.once {
            true => WaitWhen::Always,
            false => WaitWhen::Needed { proven: proved.as_deref() },
        },
        cascade: wanted.cascade,
        rolls_back: wanted.rolls_back,
        recording: watch.recording.as_ref(),
        cancel: &cancel,
    };
    let mut watching = WatchRound {
        watch,
        target: &target,
        checkout: &checkout,
        cluster: &cluster,
        last,
        warning: None,
        unrecorded: std::mem::take(unrecorded),
    };
    let mut lookout =
        RemotePoller { remote, watch, target: &wanted.target, held_back: held_back.as_deref() };
    let ended = round(options, survey, &mut watching, &mut lookout).await?;
    let WatchRound { warning, unrecorded, .. } = watching;
    let RoundEnd { survey, report } = ended;
    if is_settled(&report) {
        proved.clone_from(&survey.decided.after.revision);
    }
    let is_calm =
        |it: &Result<Pulled, PullError>| it.as_ref().is_ok_and(|it| it.refused.is_empty());
    *is_quiet = pulled.as_ref().is_none_or(is_calm)
        && held_back.is_none()
        && warning.is_none()
        && survey.found.judged.refused.is_none()
        && report.is_good()
        && report.steps.is_empty()
        && survey.found.unready.is_empty()
        && (wanted.wait.is_none() || !is_unproven(&report, proved.as_deref()));
    memory.has_written = !report.steps.is_empty();
    follow(watch, &survey, &target, &cluster);
    memory.note_calm(&wanted.target, &checkout, &cluster);
    let former = |commit: &str| at(watch, &checkout, &cluster, &target, commit).ok();
    let former_drift = drift_of_former(&checkout, former, &survey, &report).await;
    let (requests, elapsed) = (cluster.requests(), begin.elapsed());
    Ok(Round {
        pulled,
        survey,
        report,
        former_drift,
        held_back,
        held: None,
        warning,
        unrecorded,
        phases,
        requests,
        elapsed,
    })
}

/// A round of a watch under way.
struct WatchRound<'a> {
    watch: &'a Watch,
    target: &'a Target,
    checkout: &'a Checkout,
    cluster: &'a Cluster,
    /// The commit that was read last.
    last: &'a LastRead,
    /// Why no lock is taken.
    warning: Option<String>,
    /// Why it could not be recorded everywhere.
    unrecorded: Vec<String>,
}

impl Runner for WatchRound<'_> {
    type Error = RoundError;

    async fn survey(&mut self, _: &Survey, cluster: &Cluster) -> Result<Survey, RoundError> {
        Ok(survey(self.target, self.checkout, cluster, Some(self.last)).await?)
    }

    /// The plan that was found is approved by definition.
    async fn approve(&mut self, _: &Survey, _: &mut Survey) -> Result<(), RoundError> {
        Ok(())
    }

    fn target_at(&self, commit: &str) -> Result<Target, RoundError> {
        Ok(at(self.watch, self.checkout, self.cluster, self.target, commit)?)
    }

    fn rollback_failed(&mut self, _: &Revision, error: RoundError) -> Option<String> {
        Some(error.to_string())
    }

    fn hear(&mut self, _: &Survey, event: &app::Event) {
        match event {
            app::Event::LockForbidden(warning) => self.warning = Some(String::clone(warning)),
            app::Event::NotRecorded(warning) => self.unrecorded.push(String::clone(warning)),
            _ => {}
        }
    }
}

/// Whether waiting came to its end, and what was to follow from it was done.
fn is_settled(report: &Report) -> bool {
    let is_over = |ended| matches!(ended, WaitEnd::Ready | WaitEnd::Failed | WaitEnd::Timeout);
    let is_open = report.rollback.as_ref().is_some_and(|it| it.to.is_some() && it.report.is_none());
    report.proof.as_ref().is_some_and(|proof| is_over(proof.ended)) && !is_open
}
