//! The remote of a checkout, which is pulled from once for all targets that are watched, and the commits
//! that came. Rounds never wait for a pull but the first one, unless it was asked for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, spawn_blocking};

use super::JITTER;
use super::backoff::Backoff;
use super::wake::{WakeReason, Wakes};
use crate::git::pull::{PullError, PullOptions, Pulled, TrackedRefs, pull};
use crate::git::{self, Checkout};
use crate::local::cancel::Interrupt;
use crate::local::jitter::jittered;

/// How long the checkout stays open. Its configuration may change, but each time it is opened its packs are
/// mapped into memory.
const OPEN: Duration = Duration::from_secs(5);

/// The checkout, and how to bring commits there.
pub struct RemoteOptions {
    /// Where the checkout is.
    pub directory: PathBuf,
    /// How to pull; `None` where there is no remote to pull from.
    pub pull: Option<PullOptions>,
    /// The refs that targets track.
    pub tracked: TrackedRefs,
    /// How long from one pull to the next, where no target says.
    pub interval: Duration,
    /// Whether one pull is enough.
    pub once: bool,
}

/// The state of pulling. Clones share it.
#[derive(Clone)]
pub struct Remote(Arc<Shared>);

struct Shared {
    options: RemoteOptions,
    news: watch::Sender<News>,
    /// Ends the pause between two pulls.
    wanted: Notify,
    /// Whether the remote is to be asked though it is left alone for now.
    is_asked: AtomicBool,
    /// The interval of each target: the shortest counts.
    intervals: Mutex<BTreeMap<String, Duration>>,
    /// The checkout since it was opened last.
    open: Mutex<Option<OpenCheckout>>,
}

/// A checkout that several targets read.
struct OpenCheckout {
    since: Instant,
    checkout: Checkout,
}

/// The result of the pulls so far.
#[derive(Clone, Default)]
struct News {
    begun: u64,
    ended: u64,
    /// The last result.
    last: Option<Result<Pulled, Arc<PullError>>>,
    /// The last pull that brought anything, and its number.
    brought: Option<(u64, Pulled)>,
    /// The commits that `HEAD` and the tracked refs are at.
    heads: Vec<String>,
    /// How often these changed.
    moves: u64,
}

/// The news that one target has seen.
#[derive(Clone, Copy, Debug, Default)]
pub struct SeenNews {
    pulls: u64,
    pub(super) moves: u64,
}

impl Remote {
    /// Begins to pull every interval, and rings all bells where commits came, whoever brought them.
    pub fn start(options: RemoteOptions, interrupt: &Interrupt, wakes: &Wakes) -> Self {
        let remote = Self(Arc::new(Shared {
            options,
            news: watch::Sender::default(),
            wanted: Notify::new(),
            is_asked: AtomicBool::new(false),
            intervals: Mutex::default(),
            open: Mutex::default(),
        }));
        tokio::spawn(remote.clone().run(interrupt.clone(), wakes.clone()));
        remote
    }

    /// The checkout, which targets share that look at it at the same time.
    ///
    /// # Errors
    ///
    /// As of [`Checkout::discover`].
    pub(super) fn checkout(&self) -> Result<Checkout, git::Error> {
        let mut open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(OpenCheckout { since, checkout }) = &*open
            && since.elapsed() < OPEN
        {
            return Ok(checkout.clone());
        }
        // One that can't be opened now must not be found.
        *open = None;
        let checkout = Checkout::discover(&self.0.options.directory)?;
        *open = Some(OpenCheckout { since: Instant::now(), checkout: checkout.clone() });
        Ok(checkout)
    }

    /// Whether there is anything to pull from.
    pub fn pulls(&self) -> bool {
        self.0.options.pull.is_some()
    }

    /// Ends the pause before the next pull.
    pub(super) fn ask(&self) {
        self.0.wanted.notify_one();
    }

    /// The result of pulling since the target has `seen` it: the last pull that brought something, else
    /// the last one. `None` without a remote. The first one that it sees is waited for, where one is under
    /// way: what it brings may be in the checkout already. One that begins now is, where that is `urgent`.
    pub async fn next(
        &self,
        seen: &mut SeenNews,
        urgent: bool,
    ) -> Option<Result<Pulled, PullError>> {
        let mut heard = self.0.news.subscribe();
        let begun = heard.borrow().begun;
        let wanted = if urgent && !self.0.options.once {
            self.0.wanted.notify_one();
            begun + 1
        } else if seen.pulls == 0 {
            begun.max(1)
        } else {
            1
        };
        // The sender is a part of this, so that there is one.
        let News { ended, last, brought, moves, .. } =
            heard.wait_for(|news| news.ended >= wanted).await.ok()?.clone();
        let before = std::mem::replace(seen, SeenNews { pulls: ended, moves });
        let brought = brought.filter(|(number, _)| *number > before.pulls);
        Some(match (brought, last?) {
            (Some((_, brought)), _) => Ok(brought),
            (None, Ok(last)) => Ok(nothing_new(last)),
            (None, Err(error)) => Err(PullError::Again(error)),
        })
    }

    /// Has the next pull ask the remote, though it failed and is left alone for now.
    pub(super) fn ask_again(&self) {
        self.0.is_asked.store(true, Ordering::Relaxed);
    }

    /// Returns once commits came that were not `seen`, with how many times that was by now.
    pub(super) async fn moved_since(&self, seen: u64) -> u64 {
        let mut heard = self.0.news.subscribe();
        match heard.wait_for(|news| news.moves > seen).await.map(|news| news.moves) {
            Ok(moves) => moves,
            Err(_) => std::future::pending().await,
        }
    }

    /// Pulls often enough for a target.
    pub(super) fn expect(&self, target: &str, interval: Duration) {
        let mut intervals = self.0.intervals.lock().unwrap_or_else(PoisonError::into_inner);
        intervals.insert(target.to_owned(), interval);
    }

    /// Forgets the interval of a target that is not watched any more.
    pub(super) fn forget(&self, target: &str) {
        self.0.intervals.lock().unwrap_or_else(PoisonError::into_inner).remove(target);
    }

    fn interval(&self) -> Duration {
        let intervals = self.0.intervals.lock().unwrap_or_else(PoisonError::into_inner);
        intervals.values().min().copied().unwrap_or(self.0.options.interval)
    }

    async fn run(self, interrupt: Interrupt, wakes: Wakes) {
        let (mut backoff, mut pulling) = (Backoff::default(), None);
        loop {
            tokio::select! {
                () = self.look(&mut backoff, &mut pulling, &wakes) => {}
                () = interrupt.requested() => return,
            }
            if self.0.options.once {
                return;
            }
            tokio::select! {
                () = interrupt.sleep(jittered(self.interval(), JITTER)) => {}
                () = self.0.wanted.notified() => {}
            }
            if interrupt.is_requested() {
                return;
            }
        }
    }

    /// Pulls, unless the remote has failed and is left alone for now, and looks where the checkout is.
    async fn look(&self, backoff: &mut Backoff, pulling: &mut Option<Pulling>, wakes: &Wakes) {
        self.0.news.send_modify(|news| news.begun += 1);
        if self.0.is_asked.swap(false, Ordering::Relaxed) {
            backoff.end_pause();
        }
        let pulled = match &self.0.options.pull {
            Some(options) => self.pull(options, backoff, pulling).await,
            None => None,
        };
        let (directory, tracked) =
            (self.0.options.directory.clone(), self.0.options.tracked.clone());
        let heads = spawn_blocking(move || heads(&directory, &tracked)).await.ok().flatten();
        let mut has_moved = false;
        self.0.news.send_modify(|news| {
            news.ended = news.begun;
            if let Some(pulled) = pulled {
                let brought = pulled.as_ref().ok().filter(|pulled| !pulled.is_up_to_date());
                if let Some(brought) = brought {
                    news.brought = Some((news.ended, brought.clone()));
                }
                news.last = Some(pulled);
            }
            if let Some(heads) = heads
                && heads != news.heads
            {
                has_moved = !news.heads.is_empty();
                news.moves += 1;
                news.heads = heads;
            }
        });
        if has_moved {
            wakes.ring_all(WakeReason::Commit);
        }
    }

    /// Pulls once. `None` where the task that pulls ended without an answer.
    async fn pull(
        &self,
        options: &PullOptions,
        backoff: &mut Backoff,
        pulling: &mut Option<Pulling>,
    ) -> Option<Result<Pulled, Arc<PullError>>> {
        let shared = |error| match error {
            PullError::Again(error) => error,
            error => Arc::new(error),
        };
        if let Some(error) = backoff.waiting(Instant::now()) {
            return Some(Err(shared(error)));
        }
        let begin = || {
            let options = options.clone();
            spawn_blocking(move || pull(&options))
        };
        let pulled = pulling.get_or_insert_with(begin).await;
        *pulling = None;
        let asked = options.traffic.take_pause();
        let failed = |error| backoff.failed(error, self.interval(), asked, Instant::now());
        match pulled.ok()?.map_err(failed) {
            Ok(pulled) => {
                backoff.succeeded();
                Some(Ok(pulled))
            }
            Err(error) => Some(Err(shared(error))),
        }
    }
}

type Pulling = JoinHandle<Result<Pulled, PullError>>;

/// The same pull for one that has seen it.
fn nothing_new(pulled: Pulled) -> Pulled {
    let before = Some(pulled.after.clone());
    Pulled { before, commits: 0, authors: 0, files: 0, tracked: Vec::new(), ..pulled }
}

/// The commits that `HEAD` and the tracked refs are at; `None` where the checkout can't be read now.
fn heads(directory: &Path, tracked: &TrackedRefs) -> Option<Vec<String>> {
    let checkout = Checkout::discover(directory).ok()?;
    let head = checkout.resolve(None).ok()?.commit;
    let refs = tracked.of(&checkout).into_iter().map(|it| {
        let commit = checkout.resolve_tracked(&it.tracks).ok();
        commit.map(|found| found.revision.commit).unwrap_or_default()
    });
    Some([head].into_iter().chain(refs).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(error: PullError) -> Option<Result<Pulled, Arc<PullError>>> {
        Some(Err(Arc::new(error)))
    }

    /// The one before it may have failed for what is mended by now.
    #[tokio::test]
    async fn the_first_look_waits_for_the_pull_that_is_under_way() {
        let unmerged = failed(PullError::Unmerged { path: "web.yaml".to_owned() });
        let silent = failed(PullError::TimedOut { url: String::new(), after: Duration::ZERO });
        let news = News { begun: 2, ended: 1, last: unmerged, ..News::default() };
        let remote = Remote(Arc::new(Shared {
            options: RemoteOptions {
                directory: PathBuf::new(),
                pull: None,
                tracked: TrackedRefs::default(),
                interval: Duration::ZERO,
                once: false,
            },
            news: watch::Sender::new(news),
            wanted: Notify::new(),
            is_asked: AtomicBool::new(false),
            intervals: Mutex::default(),
            open: Mutex::default(),
        }));
        let refused =
            |news: Option<Result<Pulled, PullError>>| news.unwrap().unwrap_err().is_refusal();
        let mut known = SeenNews { pulls: 1, moves: 0 };
        assert!(refused(remote.next(&mut known, false).await));

        let (mut seen, other) = (SeenNews::default(), remote.clone());
        let first = tokio::spawn(async move { other.next(&mut seen, false).await });
        tokio::task::yield_now().await;
        assert!(!first.is_finished());
        remote.0.news.send_modify(|news| (news.ended, news.last) = (2, silent));
        assert!(!refused(first.await.unwrap()));
    }
}
