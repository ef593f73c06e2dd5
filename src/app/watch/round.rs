//! One round: pull, look, decide, and do.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::beside::Healer;
use super::calm::follow;
use super::choose::{Chosen, RoundPlace, choose_held, target_at};
use super::connections::{Place, Turn, Urgency};
use super::fault::ReadCommit;
use super::former_drift::drift_of_former;
use super::held::HeldRound;
use super::identity::ClusterIdentity;
use super::remote_poller::RemotePoller;
use super::rollout::Rollout;
use super::runner::WatchRound;
use super::shared_looks::FRESH;
use super::{
    Events, KnownTarget, RoundError, RoundMemory, TouchedTarget, WakeReason, Watch, WatchEvent,
    WatchSettings, observed,
};
use crate::app::in_sync::LookAt;
use crate::app::round::is_unproven;
use crate::app::{
    Look, RecordedPlace, RoundEnd, RoundOptions, Survey, TIMEOUT, Target, Tenure, WaitWhen, look,
    record_killed, record_refusal, record_unusable_settings, round,
};
use crate::cluster::{Access, Cluster};
use crate::core::attribution::FormerDrift;
use crate::core::health::WaitEnd;
use crate::core::metrics::Phase;
use crate::core::modes::Passes;
use crate::core::object::ObjectKey;
use crate::core::report::Report;
use crate::core::schedule::Gate;
use crate::git::Checkout;
use crate::git::pull::{PullError, Pulled};
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
    /// The target that a newer commit waits for; the last applied one is kept true.
    pub waits: Option<Gate>,
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
    pub(super) target: Target,
    pub(super) survey: Survey,
    pub(super) held_back: Option<String>,
    pub(super) held: Option<HeldRound>,
    pub(super) waits: Option<Gate>,
    /// The connection that other targets share.
    place: Arc<Place>,
    _turn: Turn,
}

impl PendingRound {
    /// That the commit which the target follows is not applied again, where that is so.
    pub(super) fn holding(&self) -> Option<WatchEvent> {
        let healthy = self.survey.found.revision.commit.clone();
        self.held_back.clone().map(|failed| WatchEvent::HeldBack { failed, healthy })
    }

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
    /// Records that the settings can't be used, where the target is known from earlier ones.
    async fn unusable_settings(&mut self, place: RoundPlace<'_>, error: RoundError) -> RoundError {
        if let (Some(recording), Some(target)) = (&place.watch.recording, &self.target)
            && let RoundError::Settings(settings) = &error
            && (settings.is_of_commit || settings.is_refusal)
            && !settings.is_gone
        {
            let RoundPlace { cluster, checkout, .. } = place;
            let place = RecordedPlace { target, cluster, checkout };
            let why = &settings.message;
            let told = Box::pin(record_unusable_settings(recording, place, why)).await;
            self.unrecorded.extend(told);
        }
        error
    }

    /// How soon the round that begins has to be made. A commit that leaves the target's files as they are
    /// moves nothing but the record, and a look that is due finds nothing most times.
    async fn urgency(&self, target: &Target, checkout: &Checkout) -> Urgency {
        let is_rung = self.reasons.iter().any(|reason| reason.is_of_target());
        let Some(applied) = self.applied.clone().filter(|_| !is_rung) else {
            return Urgency::Urgent;
        };
        let (target, checkout) = (target.clone(), checkout.clone());
        let is_same = tokio::task::spawn_blocking(move || {
            // The round will say what is wrong with it.
            let Ok(now) = target.revision(&checkout) else { return false };
            now.commit == applied || checkout.is_same_at(&applied, &now.commit, &target.paths)
        });
        if is_same.await.unwrap_or(false) { Urgency::Idle } else { Urgency::Urgent }
    }

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
    /// Nothing was applied ever, and the first commit has to wait for this.
    Waiting(Gate),
    /// Anything else.
    Pending(Box<PendingRound>),
}

/// Pulls, looks at git and the cluster, and decides.
pub(super) async fn begin_round(
    watch: &Watch,
    memory: &mut RoundMemory,
    events: &Events,
) -> Result<BegunRound, RoundError> {
    let begin = Instant::now();
    memory.read = None;
    let was_quiet = std::mem::take(&mut memory.is_quiet);
    memory.touches = watch.touched.as_ref().and_then(TouchedTarget::touches);
    let counted = Instant::now();
    if memory.reasons.contains(&WakeReason::Asked) {
        watch.remote.ask_again();
    }
    let is_urgent = std::mem::take(&mut memory.is_urgent);
    memory.pulled = watch.remote.next(&mut memory.seen, is_urgent).await;
    let mut phases = BTreeMap::from([(Phase::Pull, begin.elapsed())]);
    // A commit that comes meanwhile is the next round's, or it would pass by the targets it waits for.
    let checkout = watch.remote.checkout()?.steady();
    memory.head = checkout.resolve(None).ok().map(|head| head.commit);
    memory.read = Some(ReadCommit { checkout: checkout.clone(), target: None });
    let access = Access { context: (watch.context)()?, ..watch.access.clone() };
    let shared = watch.connections.place(&access, &watch.delays).await?;
    let fence = watch.tenure.as_ref().map(Tenure::fence);
    let cluster = shared.cluster.counting().fenced(fence);
    let place = RoundPlace { watch, checkout: &checkout, cluster: &cluster };
    let wanted = match place.settings(None).await {
        Ok(wanted) => wanted,
        Err(error) => return Err(memory.unusable_settings(place, error).await),
    };
    let target = Some(wanted.target.clone());
    memory.read = Some(ReadCommit { checkout: checkout.clone(), target: target.clone() });
    memory.target = target;
    memory.note_watched(&wanted.target, &cluster);
    memory.interval = Some(wanted.interval);
    watch.remote.expect(&watch.name, wanted.interval);
    if !std::mem::replace(&mut memory.is_known, true) {
        events.send(known(&wanted, &cluster)).await;
    }
    let head = memory.head.clone().unwrap_or_default();
    let gate = match watch.once {
        true => watch.order.settled(&watch.name, &wanted.after, &head).await,
        false => watch.order.gate(&watch.name, &wanted.after, &head),
    };
    let brings_nothing = match &memory.pulled {
        None => true,
        Some(pulled) => pulled.as_ref().is_ok_and(|it| it.is_up_to_date() && it.refused.is_empty()),
    };
    if was_quiet && brings_nothing && memory.is_calm(watch, &wanted.target, &checkout, &cluster) {
        memory.is_quiet = true;
        return Ok(BegunRound::Idle);
    }
    let urgency = memory.urgency(&wanted.target, &checkout).await;
    // Not before, as others may have to end first.
    let turn = shared.turn(urgency).await;
    let mut found = None;
    if was_quiet && brings_nothing {
        let at = LookAt { target: &wanted.target, checkout: &checkout, cluster: &cluster };
        let looked = match &shared.looks {
            Some(looks) => {
                // An answer from before may lack what was touched since, and counted.
                let age = match memory.touches {
                    Some(_) => counted.elapsed(),
                    None => (wanted.interval / 2).max(FRESH),
                };
                looks.look(at, &shared.cluster, Some(&memory.last), age).await?
            }
            None => look(&wanted.target, &checkout, &cluster, Some(&memory.last)).await?,
        };
        match looked {
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
    let chosen = Box::pin(choose_held(place, &wanted.target, found, gate.clone(), memory)).await;
    if let (Some(recording), Err(RoundError::Reconcile(error))) = (&watch.recording, &chosen) {
        let place =
            RecordedPlace { target: &wanted.target, cluster: &cluster, checkout: &checkout };
        let told = Box::pin(record_refusal(recording, place, error)).await;
        memory.unrecorded.extend(told);
    }
    let Some(Chosen { target, survey, held_back, waits, held }) = chosen? else {
        return Ok(BegunRound::Waiting(gate));
    };
    let now = ClusterIdentity::of(&cluster, survey.found.cluster_uid.as_ref());
    memory.keep_to(now)?;
    phases.insert(Phase::Survey, begin.elapsed().saturating_sub(phases[&Phase::Pull]));
    let pending = PendingRound {
        begin,
        phases,
        pulled: memory.pulled.take(),
        checkout,
        cluster,
        wanted,
        target,
        survey,
        held_back,
        held,
        waits,
        place: shared,
        _turn: turn,
    };
    Ok(BegunRound::Pending(Box::new(pending)))
}

fn known(wanted: &WatchSettings, cluster: &Cluster) -> WatchEvent {
    WatchEvent::Known(Box::new(KnownTarget {
        shown_paths: wanted.shown_paths.clone(),
        interval: wanted.interval,
        timeout: wanted.timeout,
        cluster: cluster.name().to_owned(),
        inventory: wanted.target.inventory.clone(),
    }))
}

/// Does what was decided. A newer commit ends what is only waited for.
pub(super) async fn act(
    watch: &Watch,
    looked: PendingRound,
    memory: &mut RoundMemory,
    interrupt: &Interrupt,
    events: &Events,
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
        held,
        waits,
        place,
        _turn: turn,
    } = looked;
    // Others wait for it to be healthy.
    let is_gate = watch.order.is_before_others(&watch.name);
    let wait = wanted.wait.or_else(|| is_gate.then_some(wanted.timeout));
    let moves = memory.seen.moves;
    let kept = waits.as_ref().and(memory.head.clone());
    let RoundMemory { last, watched, proved, is_quiet, unrecorded, .. } = &mut *memory;
    let cancel = Cancellation::with(interrupt);
    let options = RoundOptions {
        target: &target,
        checkout: &checkout,
        cluster: &cluster,
        who: &watch.who,
        lock_timeout: Some(wanted.lock_timeout),
        lent: None,
        watched,
        tenure: watch.tenure.as_ref(),
        passes: Passes::default(),
        approval: None,
        passing: wait.unwrap_or(TIMEOUT),
        wait,
        wait_when: match watch.once {
            true => WaitWhen::Always,
            false => WaitWhen::Needed { proven: proved.as_deref() },
        },
        cascade: wanted.cascade,
        rolls_back: wanted.rolls_back,
        recording: watch.recording.as_deref(),
        cancel: &cancel,
    };
    let own = RoundPlace { watch, checkout: &checkout, cluster: &cluster };
    let rollout = Rollout::default();
    let healer = Healer {
        place: own,
        target: &target,
        commit: survey.found.revision.commit.clone(),
        has_lock: survey.writes(),
        interval: wanted.interval,
        passing: wait.unwrap_or(TIMEOUT),
        cascade: wanted.cascade,
        events,
        interrupt,
    };
    let mut watching = WatchRound::new(own, &target, last);
    (watching.turn, watching.rollout) = (Some(turn), Some(&rollout));
    watching.unrecorded = std::mem::take(unrecorded);
    let awaited = held.as_ref().and_then(|held| held.waits.as_ref());
    let awaited = awaited.map(|awaited| awaited.revision.commit.as_str());
    let followed = held_back.as_deref().or(awaited).or(kept.as_deref());
    let mut lookout = RemotePoller { watch, target: &wanted.target, held_back: followed, moves };
    let work = Box::pin(round(options, survey, &mut watching, &mut lookout));
    let ended = match watch.once {
        true => work.await,
        false => healer.beside(&rollout, work).await,
    };
    let ended = match ended {
        Ok(ended) => ended,
        Err(error) => {
            // People are to hear of git all the same.
            memory.pulled = pulled;
            return Err(error);
        }
    };
    let WatchRound { warning, unrecorded, .. } = watching;
    let RoundEnd { survey, report } = ended;
    if is_settled(&report) {
        proved.clone_from(&survey.decided.after.revision);
    }
    let is_calm =
        |it: &Result<Pulled, PullError>| it.as_ref().is_ok_and(|it| it.refused.is_empty());
    *is_quiet = pulled.as_ref().is_none_or(is_calm)
        && held_back.is_none()
        && waits.is_none()
        && held.is_none()
        && warning.is_none()
        && survey.found.judged.refused.is_none()
        && report.is_good()
        && report.steps.is_empty()
        && survey.found.unready.is_empty()
        && (wait.is_none() || !is_unproven(&report, proved.as_deref()));
    memory.pace.wrote(Instant::now(), report.steps.iter().map(|step| &step.key));
    follow(watch, &survey, &target, &cluster);
    memory.note_calm(&wanted.target, &checkout, &cluster);
    if report.at_commit {
        memory.applied = survey.decided.after.revision.clone();
    }
    let is_trusted = survey.found.judged.refused.is_none();
    // A commit that was healthy at this head stays good, though it may be scaled since.
    let is_healthy = match &report.proof {
        Some(proof) => proof.ended == WaitEnd::Ready,
        None => survey.found.unready.is_empty(),
    };
    let is_proven = is_healthy || memory.was_good(watch);
    let is_good = report.is_good() && is_proven && held_back.is_none() && is_trusted;
    let is_cut = report.superseded.is_some() || report.interrupted || report.lost.is_some();
    // As long as its own commit waits, those after it wait for that one, too.
    let is_awaited = matches!(waits, Some(Gate::Waits(_)))
        || held.as_ref().is_some_and(|held| held.waits.is_some());
    if !is_cut && !is_awaited {
        memory.settle(watch, is_good && waits.is_none());
    }
    if memory.is_quiet
        && let Some(looks) = &place.looks
    {
        looks.expect(&target.inventory, &cluster).await;
        // The proof stands for it.
        memory.last.forget();
    }
    let place = RoundPlace { watch, checkout: &checkout, cluster: &cluster };
    let former = |commit: &str| target_at(place, &target, commit).ok();
    let former_drift = drift_of_former(&checkout, former, &survey, &report).await;
    let (requests, elapsed) = (cluster.counted(), begin.elapsed());
    Ok(Round {
        pulled,
        survey,
        report,
        former_drift,
        held_back,
        held,
        waits,
        warning,
        unrecorded,
        phases,
        requests,
        elapsed,
    })
}

/// Whether waiting came to its end, and what was to follow from it was done.
fn is_settled(report: &Report) -> bool {
    let is_over = |ended| matches!(ended, WaitEnd::Ready | WaitEnd::Failed | WaitEnd::Timeout);
    let is_open = report.rollback.as_ref().is_some_and(|it| it.to.is_some() && it.report.is_none());
    report.proof.as_ref().is_some_and(|proof| is_over(proof.ended)) && !is_open
}
