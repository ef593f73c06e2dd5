//! The figures of rounds for Prometheus: in a file for the textfile collector, and at an address.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::heartbeat::Deadline;
use super::lasting_fault::LastingFault;
use crate::app::watch::{Round, RoundError};
use crate::cli::exit::Exit;
use crate::cluster::RequestTally;
use crate::core::metrics::{
    Metrics, Phase, RoundFigures, RoundResult, ShareFigures, TargetInfo, Totals, text,
};
use crate::core::report::Outcome;
use crate::git::pull::Traffic;
use crate::local::bounded_read::read_regular;
use crate::local::replaced_file::replace_file;
use crate::local::text_server::{Answer, Answers, listen};

/// The most bytes of a former process's file.
const LARGEST: u64 = 16 << 20;

/// Reads `--listen`: an address with a port, or a port of this machine alone.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    let port = text.strip_prefix(':').unwrap_or(text);
    if let Ok(port) = port.parse::<u16>() {
        return Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    }
    let address = text.parse();
    address
        .map_err(|_| "expected a port such as 9464, or an address such as 0.0.0.0:9464".to_owned())
}

/// The least time between two writings of the file for each of its targets: it has all of them each time,
/// and each has rounds of its own.
const SPACING: Duration = Duration::from_millis(20);

/// The figures of a watch.
pub(super) struct Figures {
    metrics: Arc<Mutex<AllMetrics>>,
    file: Option<PathBuf>,
    requests: RequestTally,
    traffic: Traffic,
}

/// Those of all targets.
struct AllMetrics {
    targets: BTreeMap<String, Metrics>,
    /// The totals that several targets share; `None` where there is but one.
    shared: Option<Totals>,
    /// When the file was written last.
    written: Option<Instant>,
    /// Whether it lacks a round, and will be written.
    is_due: bool,
    /// Why the file can't be written.
    fault: LastingFault,
    /// The warning of it, for the next round.
    warning: Option<String>,
    /// The share of this replica; `None` where there is no group.
    share: Option<ShareFigures>,
}

impl AllMetrics {
    fn text(&self) -> String {
        let targets: Vec<&Metrics> = self.targets.values().collect();
        text(&targets, self.shared.as_ref(), self.share.as_ref())
    }

    /// How long the file has to stay as it is.
    fn pause(&self) -> Duration {
        let count = u32::try_from(self.targets.len()).unwrap_or(u32::MAX);
        let pause = SPACING.saturating_mul(count);
        self.written.map_or(Duration::ZERO, |written| pause.saturating_sub(written.elapsed()))
    }

    fn write(&mut self, file: &Path) {
        let written = replace_file(file, self.text().as_bytes());
        let fault = written.err().map(|error| format!("cannot write {}: {error}", file.display()));
        (self.written, self.is_due) = (Some(Instant::now()), false);
        self.warning = self.fault.note(fault).or(self.warning.take());
    }

    /// Whether the last round of each target was good. A replica may have no target.
    fn are_ready(&self) -> bool {
        let may_be_none = self.share.is_some_and(|share| share.is_member);
        (may_be_none || !self.targets.is_empty()) && self.targets.values().all(Metrics::is_ready)
    }
}

impl Figures {
    /// Those of no target yet. Of several, requests and git's traffic are not counted apart.
    pub(super) fn new(
        file: Option<PathBuf>,
        requests: RequestTally,
        traffic: Traffic,
        is_several: bool,
    ) -> Self {
        let shared = is_several.then(Totals::default);
        let metrics = AllMetrics {
            targets: BTreeMap::new(),
            shared,
            written: None,
            is_due: false,
            fault: LastingFault::default(),
            warning: None,
            share: None,
        };
        Self { metrics: Arc::new(Mutex::new(metrics)), file, requests, traffic }
    }

    /// A target is known. The time of its last success is that of the file, where a former process wrote it.
    pub(super) fn know(&self, info: TargetInfo) {
        let name = info.target.clone();
        let mut target = Metrics::new(info);
        let bytes = self.file.as_ref().and_then(|file| read_regular(file, LARGEST).ok());
        if let Some(bytes) = bytes {
            target.resume(&String::from_utf8_lossy(&bytes));
        }
        let mut metrics = self.lock();
        match metrics.targets.get_mut(&name) {
            Some(known) => {
                known.info = TargetInfo { commit: known.info.commit.clone(), ..target.info }
            }
            None => drop(metrics.targets.insert(name, target)),
        }
    }

    /// The facts that are known of a target.
    pub(super) fn info(&self, target: &str) -> Option<TargetInfo> {
        self.lock().targets.get(target).map(|target| target.info.clone())
    }

    /// The share of this replica is this one from now on.
    pub(super) fn share(&self, share: ShareFigures) {
        self.lock().share = Some(share);
    }

    /// A target is gone, and so are its series.
    pub(super) fn forget(&self, target: &str) {
        self.lock().targets.remove(target);
    }

    /// Adds drift that was put back while a round of a target goes on.
    pub(super) fn add_drifts(&self, target: &str, drifts: usize) {
        if let Some(target) = self.lock().targets.get_mut(target) {
            target.add_drifts(drifts);
        }
    }

    fn lock(&self) -> MutexGuard<'_, AllMetrics> {
        lock(&self.metrics)
    }

    /// Writes all that the file lacks. Gives a warning where it could not be written.
    pub(super) fn end(&self) -> Option<String> {
        let mut metrics = self.lock();
        if let Some(file) = self.file.as_ref().filter(|_| metrics.is_due) {
            metrics.write(file);
        }
        metrics.warning.take()
    }

    /// Answers `/metrics`, `/healthz` and `/readyz` from now on.
    ///
    /// # Errors
    ///
    /// When the address can't be listened at.
    pub(super) async fn serve(
        &self,
        address: SocketAddr,
        deadline: Arc<Deadline>,
    ) -> std::io::Result<SocketAddr> {
        let metrics = Arc::clone(&self.metrics);
        let answers: Answers = Arc::new(move |path| {
            let metrics = metrics.lock().unwrap_or_else(PoisonError::into_inner);
            let answer = |is_well: bool, why: &str| match is_well {
                true => Answer { code: 200, text: "ok\n".to_owned() },
                false => Answer { code: 503, text: format!("{why}\n") },
            };
            match path {
                "/metrics" => Answer { code: 200, text: metrics.text() },
                "/healthz" => answer(deadline.is_met(Instant::now()), "no round has ended in time"),
                "/readyz" => answer(
                    metrics.are_ready(),
                    "the last round did not bring the cluster to its commit",
                ),
                _ => Answer { code: 404, text: "see /metrics, /healthz and /readyz\n".to_owned() },
            }
        });
        listen(address, answers).await
    }

    /// Adds a round of a target, and writes the file, soon or now. Gives a warning where that could not be
    /// written.
    pub(super) fn add(&self, target: &str, round: &RoundFigures) -> Option<String> {
        let git = self.traffic.count();
        let requests = self.requests.counts();
        let totals = Totals { requests, git_polls: git.polls, git_bytes: git.bytes };
        let mut metrics = self.lock();
        let own = match &mut metrics.shared {
            Some(shared) => {
                *shared = totals;
                Totals::default()
            }
            None => totals,
        };
        let now = Timestamp::now().as_millisecond() as f64 / 1000.0;
        // One whose cluster was never reached is not known yet.
        let of_target = metrics.targets.entry(target.to_owned()).or_insert_with(|| {
            Metrics::new(TargetInfo { target: target.to_owned(), ..TargetInfo::default() })
        });
        of_target.add(round, own, now);
        let file = self.file.as_ref()?;
        let pause = metrics.pause();
        if pause.is_zero() {
            metrics.write(file);
        } else if !std::mem::replace(&mut metrics.is_due, true) {
            let (all, file) = (Arc::clone(&self.metrics), file.clone());
            tokio::spawn(async move {
                tokio::time::sleep(pause).await;
                let mut metrics = lock(&all);
                if metrics.is_due {
                    metrics.write(&file);
                }
            });
        }
        metrics.warning.take()
    }
}

fn lock(metrics: &Mutex<AllMetrics>) -> MutexGuard<'_, AllMetrics> {
    metrics.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The figures of a round, with the number of objects that had drifted.
pub(super) fn of_round(
    round: &Result<Round, RoundError>,
    exit: Exit,
    drifted: usize,
) -> RoundFigures {
    let result = match (round, exit) {
        (_, Exit::AtCommit) => RoundResult::AtCommit,
        (Ok(_), Exit::NotAtCommit | Exit::Interrupted) => RoundResult::NotAtCommit,
        _ => RoundResult::Failed,
    };
    let figures = RoundFigures::of(result);
    let round = match round {
        Ok(round) => round,
        Err(error) => {
            return RoundFigures { failures: error.class().into_iter().collect(), ..figures };
        }
    };
    let mut changes = BTreeMap::new();
    for step in &round.report.steps {
        let result = match step.outcome {
            Outcome::Done => "done",
            Outcome::Terminating => "terminating",
            Outcome::Failed(_) => "failed",
            Outcome::Differs(_) => "differs",
            Outcome::Skipped(_) => "skipped",
            Outcome::Postponed(_) => "postponed",
        };
        *changes.entry((step.action.name(), result)).or_default() += 1;
    }
    let proof = round.report.proof.as_ref();
    let waited = proof.map(|proof| proof.elapsed).unwrap_or_default();
    let before: Duration = round.phases.values().sum();
    let mut phases = round.phases.clone();
    phases.insert(Phase::Apply, round.elapsed.saturating_sub(before + waited));
    if proof.is_some() {
        phases.insert(Phase::Wait, waited);
    }
    let commit = &round.survey.found.revision.commit;
    RoundFigures {
        failures: round.failure_classes(),
        phases,
        is_rolled_back: round.report.rollback.is_some(),
        commit: round.report.at_commit.then(|| commit.clone()),
        objects: Some(round.survey.masked_plan().object_count()),
        drifted,
        not_ready: proof.map_or(0, |proof| proof.others.len()),
        changes,
        ..figures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_of_this_machine() {
        for (text, expected) in [
            ("9464", Some("127.0.0.1:9464")),
            (":9464", Some("127.0.0.1:9464")),
            ("0.0.0.0:9464", Some("0.0.0.0:9464")),
            ("[::1]:9464", Some("[::1]:9464")),
            ("localhost", None),
            ("99999", None),
            ("", None),
        ] {
            assert_eq!(address(text).ok().map(|address| address.to_string()).as_deref(), expected);
        }
    }

    #[tokio::test]
    async fn rounds_that_end_at_once_are_written_together() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("trueup.prom");
        let figures =
            Figures::new(Some(file.clone()), RequestTally::default(), Traffic::default(), true);
        let add = |numbers: std::ops::Range<usize>| {
            for number in numbers {
                let round = RoundFigures::of(RoundResult::AtCommit);
                assert_eq!(figures.add(&format!("t{number}"), &round), None);
            }
        };
        let written = || {
            let text = std::fs::read_to_string(&file).unwrap();
            (0..200).filter(|number| text.contains(&format!("\"t{number}\""))).count()
        };
        add(0..1);
        assert_eq!(written(), 1, "a round is written at once");
        figures.lock().written = Some(Instant::now() + Duration::from_secs(3600));
        add(0..100);
        assert_eq!(written(), 1, "each writing would have all targets");
        assert_eq!(figures.end(), None);
        assert_eq!(written(), 100);
        add(100..200);
        while written() < 200 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    #[tokio::test]
    async fn the_last_writing_tells_of_its_fault() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gone/trueup.prom");
        std::fs::create_dir(folder.path().join("gone")).unwrap();
        let figures = Figures::new(Some(file), RequestTally::default(), Traffic::default(), true);
        let round = RoundFigures::of(RoundResult::AtCommit);
        assert_eq!(figures.add("one", &round), None);
        figures.lock().written = Some(Instant::now() + Duration::from_secs(3600));
        assert_eq!(figures.add("two", &round), None);
        std::fs::remove_dir_all(folder.path().join("gone")).unwrap();
        let fault = figures.end().unwrap_or_default();
        assert!(fault.starts_with("cannot write "), "{fault}");
        assert_eq!(figures.end(), None);
    }
}
