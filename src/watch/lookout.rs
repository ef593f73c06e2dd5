//! Looks for newer commits while a round waits, so that one that mends a broken rollout does not
//! have to wait until that has failed for good.

use std::convert::Infallible;

use tokio::task::{JoinError, JoinHandle, spawn_blocking};

use super::{JITTER, Watch};
use crate::git::Checkout;
use crate::git::pull::{PullError, PullOptions, Pulled, pull};
use crate::halt::Halt;
use crate::jitter::jittered;

/// What is pulled, whoever began it.
#[derive(Default)]
pub(super) struct Remote {
    /// A pull under way; there is never more than one.
    pulling: Option<JoinHandle<Result<Pulled, PullError>>>,
    /// What was brought during a round, for the next one to tell.
    brought: Option<Pulled>,
}

impl Remote {
    /// What there is for a round to begin with: what was brought during the last one, or else what a
    /// pull brings now.
    pub(super) async fn next(
        &mut self,
        options: &PullOptions,
    ) -> Result<Result<Pulled, PullError>, JoinError> {
        match self.brought.take() {
            Some(brought) => Ok(Ok(brought)),
            None => self.pull(options).await,
        }
    }

    /// Pulls. Where nobody waits for the end of it any more, the next one does.
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

    /// Does `work`, and looks every interval whether there is another commit than the one that is
    /// `followed`; if so, `halt` knows.
    pub(super) async fn beside<T>(
        &mut self,
        (watch, followed): (&Watch, &str),
        halt: &Halt,
        work: impl Future<Output = T>,
    ) -> T {
        let looking = async {
            if !watch.once {
                halt.supersede(self.newer(watch, followed).await);
            }
            std::future::pending::<Infallible>().await
        };
        tokio::select! {
            biased;
            done = work => done,
            never = looking => match never {},
        }
    }

    /// Returns once there is another commit than the one that is `followed`.
    async fn newer(&mut self, watch: &Watch, followed: &str) -> String {
        loop {
            tokio::time::sleep(jittered(watch.interval, JITTER)).await;
            if let Some(options) = &watch.pull {
                // What goes wrong here goes wrong in the next round, too, and is told then.
                let pulled = self.pull(options).await.ok().and_then(Result::ok);
                self.brought = pulled.filter(|it| !it.is_up_to_date()).or(self.brought.take());
            }
            if let Some(commit) = commit(watch).filter(|commit| commit != followed) {
                return commit;
            }
        }
    }
}

/// The commit that the target follows, as the checkout has it now.
fn commit(watch: &Watch) -> Option<String> {
    let checkout = Checkout::discover(&watch.directory).ok()?;
    checkout.resolve(watch.target.rev.as_deref()).ok().map(|revision| revision.commit)
}
