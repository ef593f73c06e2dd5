//! Looks for newer commits while a round waits, so that one that mends a broken rollout does not
//! have to wait until that has failed for good. One that declares the same has nothing to mend, and
//! would only keep a repository with many commits from ever seeing a rollout fail.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use tokio::task::{JoinError, JoinHandle, spawn_blocking};

use super::backoff::Backoff;
use super::{JITTER, Watch};
use crate::app::{CommitPoller, Declared, Target, declare};
use crate::config;
use crate::git::Checkout;
use crate::git::pull::{PullError, PullOptions, Pulled, pull};
use crate::local::cancel::Cancellation;
use crate::local::jitter::jittered;

/// The state of pulling, whoever began it.
#[derive(Default)]
pub struct Remote {
    /// A pull under way; there is never more than one.
    pulling: Option<JoinHandle<Result<Pulled, PullError>>>,
    /// Commits that came during a round, for the next one to report.
    brought: Option<Pulled>,
    /// Whether the remote is left alone for now.
    backoff: Backoff,
}

impl Remote {
    /// The pull that a round begins with: the one made during the last round, or else one made now,
    /// unless the remote is left alone.
    ///
    /// # Errors
    ///
    /// When the task that pulls ends without an answer.
    pub async fn next(
        &mut self,
        options: &PullOptions,
        interval: Duration,
    ) -> Result<Result<Pulled, PullError>, JoinError> {
        match self.brought.take() {
            Some(brought) => Ok(Ok(brought)),
            None => self.pull_unless_waiting(options, interval).await,
        }
    }

    /// Pulls, unless the remote has failed and is left alone for now.
    async fn pull_unless_waiting(
        &mut self,
        options: &PullOptions,
        interval: Duration,
    ) -> Result<Result<Pulled, PullError>, JoinError> {
        if let Some(error) = self.backoff.waiting(Instant::now()) {
            return Ok(Err(error));
        }
        let pulled = self.pull(options).await?;
        let asked = options.traffic.take_pause();
        Ok(match pulled {
            Ok(pulled) => {
                self.backoff.succeeded();
                Ok(pulled)
            }
            Err(error) => Err(self.backoff.failed(error, interval, asked, Instant::now())),
        })
    }

    /// Pulls. Where the caller no longer waits for its end, the next pull does.
    async fn pull(
        &mut self,
        options: &PullOptions,
    ) -> Result<Result<Pulled, PullError>, JoinError> {
        let begin = || {
            let options = options.clone();
            spawn_blocking(move || pull(&options))
        };
        let pulled = self.pulling.get_or_insert_with(begin).await;
        self.pulling = None;
        pulled
    }

    /// Returns once there is a commit that declares something else than the one that is `followed`.
    async fn newer(&mut self, watch: &Watch, target: &Target, followed: &str) -> String {
        let mut last = followed.to_owned();
        loop {
            tokio::time::sleep(jittered(watch.interval, JITTER)).await;
            if let Some(options) = &watch.pull {
                // A failure here recurs in the next round, and is reported then.
                let pulled = self
                    .pull_unless_waiting(options, watch.interval)
                    .await
                    .ok()
                    .and_then(Result::ok);
                self.brought = pulled.filter(|it| !it.is_up_to_date()).or(self.brought.take());
            }
            let Ok(checkout) = Checkout::discover(&watch.directory) else { continue };
            let Ok(revision) = target.revision(&checkout) else { continue };
            if revision.commit == last {
                continue;
            }
            last = revision.commit;
            if !is_same(target, &checkout, [followed, &last]).await {
                return last;
            }
        }
    }
}

/// Looks for newer commits beside a round of a watch.
pub(super) struct RemotePoller<'a> {
    pub(super) remote: &'a mut Remote,
    pub(super) watch: &'a Watch,
    /// The watched target.
    pub(super) target: &'a Target,
    /// The commit that it follows, where an older one is kept true in its place.
    pub(super) held_back: Option<&'a str>,
}

impl CommitPoller for RemotePoller<'_> {
    /// Looks every interval.
    async fn beside<T>(
        &mut self,
        followed: &str,
        cancel: &Cancellation,
        work: impl Future<Output = T>,
    ) -> T {
        let followed = self.held_back.unwrap_or(followed);
        let looking = async {
            if !self.watch.once {
                cancel.supersede(self.remote.newer(self.watch, self.target, followed).await);
            }
            std::future::pending::<Infallible>().await
        };
        tokio::select! {
            biased;
            done = work => done,
            never = looking => match never {},
        }
    }
}

/// Whether two commits are known to declare the same.
async fn is_same(target: &Target, checkout: &Checkout, commits: [&str; 2]) -> bool {
    if target.worktree {
        return false;
    }
    let settings = |commit| {
        let revision = checkout.resolve(Some(commit)).ok()?;
        checkout.read_file(&revision, config::FILE).ok()
    };
    if settings(commits[0]).is_none() || settings(commits[0]) != settings(commits[1]) {
        return false;
    }
    let [one, other] = commits.map(|commit| {
        let target = Target { rev: Some(commit.to_owned()), ..target.clone() };
        async move { declare(&target, checkout).await }
    });
    // An unreadable commit is for a round to report.
    futures::try_join!(one, other).is_ok_and(|(one, other)| declare_the_same(&one, &other))
}

/// Whether the objects are the same, and all of them known.
fn declare_the_same(one: &Declared, other: &Declared) -> bool {
    let objects = |declared: &Declared| -> Vec<_> {
        declared.manifests.iter().map(|manifest| manifest.object.clone()).collect()
    };
    let is_known = one.problems.is_empty() && other.problems.is_empty();
    is_known && objects(one) == objects(other)
}
