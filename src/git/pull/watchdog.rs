//! Work that may hang: watched for signs of life, and given up on when there are none.
//!
//! A transport may block in a read for ever, where no flag reaches it. So it runs in a thread of
//! its own, and what it waits for, its child processes, can be killed.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use gix::progress::{Id, MessageLevel, Step, StepShared, UNKNOWN, Unit};

use super::{PullError, PullOptions};

/// How often the flags are checked.
const TICK: Duration = Duration::from_millis(50);

/// How long cancelled work may take to clean up.
const GRACE: Duration = Duration::from_secs(2);

/// Why there is no result.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FetchStopped {
    Silent,
    TooLarge,
    Interrupted,
}

impl FetchStopped {
    pub(super) fn into_error(self, url: String, bounds: FetchLimits) -> PullError {
        let FetchLimits { patience, pack } = bounds;
        match self {
            Self::Silent => PullError::TimedOut { url, after: patience },
            Self::TooLarge => PullError::TooLarge { url, bytes: pack },
            Self::Interrupted => PullError::Interrupted,
        }
    }
}

/// Limits of waiting and of size.
#[derive(Clone, Copy, Debug)]
pub(super) struct FetchLimits {
    /// How long nothing may move.
    pub(super) patience: Duration,
    /// How many bytes of a pack may come in.
    pub(super) pack: u64,
}

impl FetchLimits {
    pub(super) fn of(options: &PullOptions) -> Self {
        Self { patience: options.timeout, pack: options.limits.pack }
    }
}

/// Runs `work` until it is done, shows no progress for too long, receives too much, or `interrupt`
/// is set.
pub(super) fn watch<T: Send + 'static>(
    bounds: FetchLimits,
    interrupt: &AtomicBool,
    work: impl FnOnce(ActivityCounter, &AtomicBool) -> T + Send + 'static,
) -> Result<T, FetchStopped> {
    let pulse = ActivityCounter::default();
    let stop = Arc::new(AtomicBool::new(false));
    let (send, receive) = channel();
    let (name_send, name_receive) = channel();
    let worker = thread::spawn({
        let (pulse, stop) = (pulse.clone(), stop.clone());
        move || {
            let _ = name_send.send(children::this_thread());
            // The receiver is gone after having given up.
            let _ = send.send(work(pulse, &stop));
        }
    });
    let mut beats = 0;
    let mut since = Instant::now();
    let why = loop {
        match receive.recv_timeout(TICK) {
            // It may all have come in between two looks.
            Ok(_) if pulse.received() > bounds.pack => return Err(FetchStopped::TooLarge),
            Ok(result) => return Ok(result),
            Err(RecvTimeoutError::Disconnected) => match worker.join() {
                Err(panic) => std::panic::resume_unwind(panic),
                Ok(()) => unreachable!("work sends before it ends"),
            },
            Err(RecvTimeoutError::Timeout) => {}
        }
        let now = pulse.beats();
        // Typing takes a person as long as it takes.
        if now != beats || pulse.is_asking() {
            beats = now;
            since = Instant::now();
        }
        if interrupt.load(Ordering::Relaxed) {
            break FetchStopped::Interrupted;
        }
        if pulse.received() > bounds.pack {
            break FetchStopped::TooLarge;
        }
        if since.elapsed() >= bounds.patience {
            break FetchStopped::Silent;
        }
    };
    stop.store(true, Ordering::Relaxed);
    super::prompt::restore();
    // Locks and files that it holds are given back if it can. If not, they end with the process. It
    // may be about to start one more child.
    let (end, mut thread) = (Instant::now() + GRACE, None);
    while Instant::now() < end {
        thread = thread.or_else(|| name_receive.try_recv().ok().flatten());
        thread.iter().for_each(|thread| children::kill(thread));
        if !matches!(receive.recv_timeout(TICK), Err(RecvTimeoutError::Timeout)) {
            break;
        }
    }
    Err(why)
}

/// Progress bars that are not shown: all that counts is that one of them moves.
#[derive(Clone, Default)]
pub(super) struct ActivityCounter {
    /// This bar's own count, which gix relies on.
    steps: Arc<AtomicUsize>,
    /// The counts of all bars.
    all: Arc<Mutex<Vec<Arc<AtomicUsize>>>>,
    /// Other progress.
    events: Arc<AtomicUsize>,
    /// The counts of the bars that count the bytes of a pack.
    packs: Arc<Mutex<Vec<Arc<AtomicUsize>>>>,
    /// How many questions a person is asked.
    questions: Arc<AtomicUsize>,
}

/// How gix names the bar that counts the bytes of a pack as they come in.
const PACK: Id = *b"BWRB";

impl ActivityCounter {
    /// A number that changes whenever anything moves.
    fn beats(&self) -> usize {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = all.iter().map(|steps| steps.load(Ordering::Relaxed));
        counts
            .chain([self.steps.load(Ordering::Relaxed), self.events.load(Ordering::Relaxed)])
            .fold(all.len(), usize::wrapping_add)
    }

    /// How many bytes of packs have come in.
    fn received(&self) -> u64 {
        let packs = self.packs.lock().unwrap_or_else(PoisonError::into_inner);
        packs.iter().map(|steps| steps.load(Ordering::Relaxed) as u64).sum()
    }

    /// Does what may ask a person; where one is there, silence is not a sign of a dead remote.
    pub(super) fn while_a_person_may_answer<T>(&self, ask: impl FnOnce() -> T) -> T {
        let asked = usize::from(super::prompt::has_person());
        self.questions.fetch_add(asked, Ordering::Relaxed);
        let answer = ask();
        self.beat();
        self.questions.fetch_sub(asked, Ordering::Relaxed);
        answer
    }

    fn is_asking(&self) -> bool {
        self.questions.load(Ordering::Relaxed) > 0
    }

    fn beat(&self) {
        self.events.fetch_add(1, Ordering::Relaxed);
    }

    fn child(&self) -> Self {
        let steps: Arc<AtomicUsize> = Arc::default();
        self.all.lock().unwrap_or_else(PoisonError::into_inner).push(steps.clone());
        Self {
            steps,
            all: self.all.clone(),
            events: self.events.clone(),
            packs: self.packs.clone(),
            questions: self.questions.clone(),
        }
    }
}

impl gix::Count for ActivityCounter {
    fn set(&self, step: Step) {
        self.steps.store(step, Ordering::Relaxed);
    }
    fn step(&self) -> Step {
        self.steps.load(Ordering::Relaxed)
    }
    fn inc_by(&self, step: Step) {
        self.steps.fetch_add(step, Ordering::Relaxed);
    }
    fn counter(&self) -> StepShared {
        self.steps.clone()
    }
}

impl gix::Progress for ActivityCounter {
    fn init(&mut self, _max: Option<Step>, _unit: Option<Unit>) {
        self.beat();
    }
    fn set_name(&mut self, _name: String) {
        self.beat();
    }
    fn name(&self) -> Option<String> {
        None
    }
    fn id(&self) -> Id {
        UNKNOWN
    }
    fn message(&self, _level: MessageLevel, _message: String) {
        self.beat();
    }
}

impl gix::NestedProgress for ActivityCounter {
    type SubProgress = Self;
    fn add_child(&mut self, _name: impl Into<String>) -> Self {
        self.child()
    }
    fn add_child_with_id(&mut self, _name: impl Into<String>, id: Id) -> Self {
        let child = self.child();
        if id == PACK {
            let mut packs = self.packs.lock().unwrap_or_else(PoisonError::into_inner);
            packs.push(child.steps.clone());
        }
        child
    }
}

/// The processes that one thread started: Linux keeps them apart from all others.
#[cfg(target_os = "linux")]
mod children {
    use std::fs;
    use std::path::{Path, PathBuf};

    use rustix::process::{Pid, Signal, kill_process};

    /// Where the system describes the thread that asks.
    pub(super) fn this_thread() -> Option<PathBuf> {
        Some(Path::new("/proc").join(fs::read_link("/proc/thread-self").ok()?))
    }

    /// Kills what `thread` started, and what that started. The eldest first, so that none of them
    /// takes the end of its child for a reason to go on.
    pub(super) fn kill(thread: &Path) {
        let mut all = Vec::new();
        collect(thread, &mut all);
        for child in all {
            // It may have ended by itself.
            let _ = kill_process(child, Signal::KILL);
        }
    }

    fn collect(thread: &Path, all: &mut Vec<Pid>) {
        let list = fs::read_to_string(thread.join("children")).unwrap_or_default();
        for child in list.split_whitespace().filter_map(|id| id.parse().ok()) {
            all.extend(Pid::from_raw(child));
            let threads = fs::read_dir(format!("/proc/{child}/task"));
            for thread in threads.into_iter().flatten().flatten() {
                collect(&thread.path(), all);
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod children {
    use std::path::{Path, PathBuf};

    pub(super) fn this_thread() -> Option<PathBuf> {
        None
    }

    pub(super) fn kill(_thread: &Path) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patient(millis: u64) -> FetchLimits {
        FetchLimits { patience: Duration::from_millis(millis), pack: 1000 }
    }

    #[test]
    fn a_pack_may_have_as_many_bytes_as_are_allowed_and_no_more() {
        use gix::{Count, NestedProgress};
        let never = AtomicBool::new(false);
        let receive = |bytes: usize, is_endless: bool| {
            watch(patient(60_000), &never, move |mut pulse, stop| {
                pulse.add_child_with_id("other", *b"ABCD").inc_by(5000);
                let bar = pulse.add_child_with_id("read pack", PACK);
                bar.inc_by(bytes);
                while is_endless && !stop.load(Ordering::Relaxed) {
                    thread::yield_now();
                }
            })
        };
        assert_eq!(receive(1000, false), Ok(()));
        for is_endless in [false, true] {
            assert_eq!(receive(1001, is_endless), Err(FetchStopped::TooLarge));
        }
    }

    #[test]
    fn work_that_is_done_gives_its_result() {
        let never = AtomicBool::new(false);
        assert_eq!(watch(patient(60_000), &never, |_, _| 7), Ok(7));
    }

    #[test]
    fn silent_work_is_given_up_on_and_what_it_waits_for_is_killed() {
        let never = AtomicBool::new(false);
        let (send, receive) = channel();
        let result = watch(patient(100), &never, move |_, _| {
            let status = std::process::Command::new("sh").args(["-c", "sleep 600; true"]).status();
            send.send(status.is_ok_and(|status| status.success())).unwrap();
        });
        assert_eq!(result, Err(FetchStopped::Silent));
        if cfg!(target_os = "linux") {
            assert!(!receive.recv().unwrap(), "the child was killed");
        }
    }

    #[test]
    fn work_that_moves_is_waited_for() {
        use gix::{Count, NestedProgress};
        let never = AtomicBool::new(false);
        let result = watch(patient(300), &never, |mut pulse, _| {
            let bar = pulse.add_child("objects");
            for _ in 0..50 {
                thread::sleep(Duration::from_millis(10));
                bar.inc();
            }
            bar.step()
        });
        assert_eq!(result, Ok(50));
    }

    #[test]
    fn an_interrupt_ends_the_wait() {
        let now = AtomicBool::new(true);
        let result = watch(patient(60_000), &now, |_, stop| {
            while !stop.load(Ordering::Relaxed) {
                thread::yield_now();
            }
        });
        assert_eq!(result, Err(FetchStopped::Interrupted));
    }
}
