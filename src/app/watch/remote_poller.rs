//! Looks for newer commits while a round waits, so that one that mends a broken rollout does not
//! have to wait until that has failed for good. One that declares the same has nothing to mend, and
//! would only keep a repository with many commits from ever seeing a rollout fail.

use std::convert::Infallible;

use super::Watch;
use crate::app::{CommitPoller, Declared, Target, declare};
use crate::config;
use crate::git::Checkout;
use crate::local::cancel::Cancellation;

/// Looks for newer commits beside a round of a watch.
pub(super) struct RemotePoller<'a> {
    pub(super) watch: &'a Watch,
    /// The watched target.
    pub(super) target: &'a Target,
    /// The commit that it follows, where an older one is kept true in its place.
    pub(super) held_back: Option<&'a str>,
    /// How often commits had come when the round began.
    pub(super) moves: u64,
}

impl RemotePoller<'_> {
    /// Returns once there is a commit that declares something else than the one that is `followed`.
    async fn newer(&self, followed: &str) -> String {
        let Self { watch, target, moves, .. } = *self;
        let (mut last, mut moves) = (followed.to_owned(), moves);
        loop {
            moves = watch.remote.moved_since(moves).await;
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

impl CommitPoller for RemotePoller<'_> {
    async fn beside<T>(
        &mut self,
        followed: &str,
        cancel: &Cancellation,
        work: impl Future<Output = T>,
    ) -> T {
        let followed = self.held_back.unwrap_or(followed);
        let looking = async {
            if !self.watch.once {
                cancel.supersede(self.newer(followed).await);
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
