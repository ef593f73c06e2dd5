//! Records how rounds end: in the cluster, on this machine, and as an Event.
//!
//! A record never fails a round. Of one that could not be written a warning says so; it is kept on this
//! machine, and goes with the next. Before the first write of a round its record is kept on this machine as an open one. Where
//! that is left, the run was killed, and the next one says so.

mod fill;
mod refused;
mod words;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use self::fill::{Filled, fill};
pub use self::refused::{record_refusal, record_untrusted, record_unusable_settings};
use super::{Error, Event, Runner, Survey, Target};
use crate::cluster::{Append, Cluster, RoundEvent};
use crate::core::history::{Cause, Phases, RanBy, RunOutcome, RunRecord, Summary};
use crate::core::inventory::Inventory;
use crate::core::mask::Masked;
use crate::core::modes::TargetMode;
use crate::core::report::Report;
use crate::git::Checkout;
use crate::local::history_log::HistoryLog;
use crate::local::open_records::{OpenRecord, OpenRecords};

/// How long writing a record may take: the round is over.
const PATIENCE: Duration = Duration::from_secs(15);

/// How this machine records rounds.
pub struct Recording {
    log: HistoryLog,
    open: OpenRecords,
    by: RanBy,
    /// The last record of each inventory, by its id.
    last: Mutex<BTreeMap<String, RunRecord>>,
    /// Whether a round that fails as the one before is recorded once.
    is_repeated: bool,
}

impl Recording {
    /// Records in `folder` and in the cluster. Where rounds are `is_repeated`, one that fails as the one
    /// before is recorded once.
    pub fn new(folder: PathBuf, by: RanBy, is_repeated: bool) -> Self {
        let open = OpenRecords::new(folder.join("open"));
        Self { log: HistoryLog::new(folder), open, by, last: Mutex::default(), is_repeated }
    }

    fn last(&self, inventory: &Inventory) -> Option<RunRecord> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).get(&inventory.id()).cloned()
    }

    fn set_last(&self, record: &RunRecord) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.insert(record.inventory.id(), record.clone());
    }
}

/// The place of a round: its target, and where it is made true.
#[derive(Clone, Copy)]
pub struct RecordedPlace<'a> {
    /// The target.
    pub target: &'a Target,
    /// Where it is made true.
    pub cluster: &'a Cluster,
    /// Where it is declared.
    pub checkout: &'a Checkout,
}

/// How a round ended, as far as there is a report.
#[derive(Clone, Copy)]
pub(super) enum Ended<'a> {
    /// It is under way.
    Not,
    /// With this report.
    Report(&'a Report),
    /// With this error.
    Error(&'a Error),
}

/// Records one round.
pub(super) struct RoundRecorder<'a> {
    recording: Option<&'a Recording>,
    place: RecordedPlace<'a>,
    begun: Instant,
    phases: Mutex<Phases>,
    user: Mutex<Option<String>>,
    open: Mutex<Option<OpenRecord>>,
    /// Records that earlier runs left.
    left: Mutex<Vec<OpenRecord>>,
    /// Whether one of them was found to be killed in this round.
    is_killed: AtomicBool,
}

/// A part of a round whose time is taken.
#[derive(Clone, Copy)]
pub(super) enum Phase {
    Lock,
    Apply,
    Wait,
    Rollback,
}

impl<'a> RoundRecorder<'a> {
    pub(super) fn new(recording: Option<&'a Recording>, place: RecordedPlace<'a>) -> Self {
        Self {
            recording,
            place,
            begun: Instant::now(),
            phases: Mutex::default(),
            user: Mutex::default(),
            open: Mutex::default(),
            left: Mutex::default(),
            is_killed: AtomicBool::default(),
        }
    }

    /// Does a part of the round, and takes its time.
    pub(super) async fn timed<T>(&self, phase: Phase, work: impl Future<Output = T>) -> T {
        let begin = Instant::now();
        let done = work.await;
        let mut phases = self.phases.lock().unwrap_or_else(PoisonError::into_inner);
        let part = match phase {
            Phase::Lock => &mut phases.lock,
            Phase::Apply => &mut phases.apply,
            Phase::Wait => &mut phases.wait,
            Phase::Rollback => &mut phases.rollback,
        };
        *part += begin.elapsed().as_secs_f64();
        done
    }

    /// Asks who we are to the server, unless that is known.
    pub(super) async fn identify(&self) {
        if self.recording.is_none() {
            return;
        }
        let user = self.place.cluster.user().await;
        *self.user.lock().unwrap_or_else(PoisonError::into_inner) = user;
    }

    /// Keeps an open record of a round that is about to write, and looks for those of runs that were
    /// killed.
    pub(super) fn begin(&self, survey: &Survey) {
        let Some(recording) = self.recording else { return };
        self.recover(recording);
        let record = self.fill(recording, survey, Ended::Not);
        // A folder that can't be written to makes a warning at the end, with the log.
        let open = recording.open.open(&record, true).ok();
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = open;
    }

    /// Turns what killed runs left into records. They go to the cluster with the next one.
    fn recover(&self, recording: &Recording) {
        let inventory = &self.place.target.inventory;
        let server = self.place.cluster.url();
        let mut left = recording.open.left(inventory, server);
        for open in left.iter_mut().filter(|open| open.is_open()) {
            self.is_killed.store(true, Ordering::Relaxed);
            let killed = || RunRecord {
                outcome: RunOutcome::Killed,
                ended: Timestamp::now(),
                ..open.record().clone()
            };
            // It may have been killed after it had ended.
            let known = recording.log.find(&open.record().id).ok().flatten();
            let record = match known {
                Some(known) => known,
                None => {
                    let killed = killed();
                    let _ = recording.log.append(&killed);
                    recording.set_last(&killed);
                    killed
                }
            };
            let _ = open.end(&record);
        }
        self.left.lock().unwrap_or_else(PoisonError::into_inner).extend(left);
    }

    /// Records the end of a round, where it is worth it. Gives what is to be told.
    pub(super) async fn end(&self, survey: &Survey, ended: Ended<'_>) -> Vec<Masked<String>> {
        let Some(recording) = self.recording else { return Vec::new() };
        let mut record = self.fill(recording, survey, ended);
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
        if open.is_none() {
            self.recover(recording);
        }
        let is_due = is_due(survey, ended, &record) || self.is_restored(recording, &record);
        let mut told = Vec::new();
        if is_due && !self.is_repetition(recording, &record) {
            record.by.user = self.known_user().await;
            let is_over = record.cause == Cause::Removal
                && matches!(ended, Ended::Report(report) if report.at_commit);
            let is_new = survey.found.before.is_none();
            told = self.write(recording, Write { record, open, is_new, is_over }).await;
        } else {
            open.into_iter().for_each(OpenRecord::remove);
            self.flush().await;
        }
        if let Some(refused) = &survey.found.judged.refused {
            told.extend(Box::pin(record_untrusted(recording, self.place, refused)).await);
        }
        told.iter().map(|text| survey.redactor().message(text)).collect()
    }

    /// Our name to the server, which is asked unless it was before.
    async fn known_user(&self) -> Option<String> {
        let known = || self.user.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if known().is_none() {
            self.identify().await;
        }
        known()
    }

    /// Writes to the cluster that earlier runs were killed, though this one has nothing to add.
    async fn flush(&self) {
        if !self.may_write() {
            return;
        }
        let left = std::mem::take(&mut *self.left.lock().unwrap_or_else(PoisonError::into_inner));
        let records = left.iter().map(|it| it.record().clone()).collect::<Vec<_>>();
        let is_killed = self.is_killed.load(Ordering::Relaxed);
        let inventory = &self.place.target.inventory;
        let append = Append { inventory, records: &records, is_new: false };
        // Others that could not be written wait for the next record.
        if is_killed && self.place.cluster.append_history(append).await.is_ok() {
            left.into_iter().for_each(OpenRecord::remove);
        }
    }

    fn fill(&self, recording: &Recording, survey: &Survey, ended: Ended<'_>) -> RunRecord {
        let id = {
            let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.as_ref().map(|open| open.record().id.clone())
        };
        let user = self.user.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut phases = *self.phases.lock().unwrap_or_else(PoisonError::into_inner);
        phases.survey = survey.found.took.as_secs_f64();
        let by = RanBy { user, ..recording.by.clone() };
        let took = survey.found.took + self.begun.elapsed();
        let mut record = fill(survey, Filled { place: self.place, id, by, phases, took, ended });
        if record.cause == Cause::Drift && self.follows_a_broken_round(recording) {
            record.cause = Cause::Cleanup;
        }
        record
    }

    /// Whether the round before this one did not come to its end, as far as this machine knows, so that
    /// what differs is most likely its doing.
    fn follows_a_broken_round(&self, recording: &Recording) -> bool {
        let Self { place: RecordedPlace { target, cluster, .. }, .. } = self;
        let inventory = &target.inventory;
        let of = |record: RunRecord| Summary::of(&record);
        let last = recording.last(inventory).or_else(|| {
            let logged = recording.log.last(inventory).ok().flatten();
            logged.filter(|it| it.cluster.server == cluster.url())
        });
        let last = last.map(of).into_iter().chain(cluster.last_known(inventory));
        last.max_by(|one, other| one.id.cmp(&other.id)).is_some_and(|last| last.is_broken_off())
    }

    /// Whether what failed before is well again, though nothing was done about it.
    fn is_restored(&self, recording: &Recording, record: &RunRecord) -> bool {
        let Self { place: RecordedPlace { target, cluster, .. }, .. } = self;
        let last = recording.last(&target.inventory).map(|last| (last.outcome, last.commit.id));
        let last = last.or_else(|| {
            cluster.last_known(&target.inventory).map(|last| (last.outcome, last.commit))
        });
        let is_its = |(outcome, commit): (RunOutcome, String)| {
            !outcome.is_success() && commit == record.commit.id
        };
        record.outcome.is_success() && last.is_some_and(is_its)
    }

    fn is_repetition(&self, recording: &Recording, record: &RunRecord) -> bool {
        let last = recording.last(&record.inventory).filter(|_| recording.is_repeated);
        !record.outcome.is_success() && last.is_some_and(|last| record.repeats(&last))
    }

    /// Whether the cluster may be told: in mode `detect` nothing at all is written there.
    fn may_write(&self) -> bool {
        self.place.target.mode != TargetMode::Detect
    }

    /// Writes a record everywhere.
    async fn write(&self, recording: &Recording, write: Write) -> Vec<String> {
        let mut told: Vec<String> = log(recording, &write.record).into_iter().collect();
        if self.may_write() {
            told.extend(self.write_in_cluster(recording, write).await);
        }
        told
    }

    async fn write_in_cluster(&self, recording: &Recording, write: Write) -> Vec<String> {
        let Write { record, open, is_new, is_over } = write;
        let mut told = Vec::new();
        let cluster = self.place.cluster;
        let left = std::mem::take(&mut *self.left.lock().unwrap_or_else(PoisonError::into_inner));
        let in_cluster = async {
            if is_over {
                return cluster.remove_history(&record.inventory).await.map(drop);
            }
            let earlier = left.iter().map(|it| it.record().clone());
            let records: Vec<RunRecord> = earlier.chain([record.clone()]).collect();
            let append = Append { inventory: &record.inventory, records: &records, is_new };
            cluster.append_history(append).await.map(drop)
        };
        let event = async {
            let message = words::message(&record);
            let event = RoundEvent {
                inventory: &record.inventory,
                id: &record.id,
                is_normal: record.outcome.is_success(),
                reason: words::reason(record.outcome),
                message: &message,
                at: record.ended,
            };
            // The parent is gone, and with it whoever would look at it.
            if is_over { Ok(()) } else { cluster.announce(event).await }
        };
        let both = Box::pin(async { futures::join!(in_cluster, event) });
        let Ok((appended, announced)) = tokio::time::timeout(PATIENCE, both).await else {
            told.push(words::too_slow(PATIENCE));
            keep(recording, open, &record);
            return told;
        };
        match appended {
            Ok(()) => {
                left.into_iter().chain(open).for_each(OpenRecord::remove);
            }
            Err(error) => {
                keep(recording, open, &record);
                told.extend(words::not_recorded(&error));
            }
        }
        told.extend(announced.err().and_then(|error| words::no_event(&record.inventory, &error)));
        told
    }
}

/// A record that is written.
struct Write {
    record: RunRecord,
    open: Option<OpenRecord>,
    /// Whether there was no inventory before.
    is_new: bool,
    /// Whether the target was taken down.
    is_over: bool,
}

/// Writes a record on this machine. Gives what is to be told.
fn log(recording: &Recording, record: &RunRecord) -> Option<String> {
    let logged = recording.log.append(record);
    recording.set_last(record);
    logged.err().map(|error| words::not_logged(recording.log.folder(), &error))
}

/// Keeps a record that the cluster does not have yet.
fn keep(recording: &Recording, open: Option<OpenRecord>, record: &RunRecord) {
    let _ = match open {
        Some(mut open) => open.end(record),
        None => recording.open.open(record, false).map(drop),
    };
}

/// Whether a round is worth a record by itself.
fn is_due(survey: &Survey, ended: Ended<'_>, record: &RunRecord) -> bool {
    match ended {
        Ended::Not => false,
        // Nothing was begun.
        Ended::Error(Error::Locked { .. } | Error::Superseded(_) | Error::Stopped) => false,
        Ended::Error(_) => true,
        Ended::Report(_) if record.changed > 0 || !record.outcome.is_success() => true,
        Ended::Report(_) => survey.writes(),
    }
}

/// Records that earlier runs of a target were killed, where there is no round that would say so.
pub async fn record_killed(recording: &Recording, place: RecordedPlace<'_>) {
    let recorder = RoundRecorder::new(Some(recording), place);
    recorder.recover(recording);
    let _ = tokio::time::timeout(PATIENCE, recorder.flush()).await;
}

/// Records how a round ended, and tells what of that could not be done.
pub(super) async fn tell<R: Runner>(
    recorder: &RoundRecorder<'_>,
    survey: &Survey,
    ended: Ended<'_>,
    runner: &mut R,
) {
    for warning in Box::pin(recorder.end(survey, ended)).await {
        runner.hear(survey, &Event::NotRecorded(warning));
    }
}
