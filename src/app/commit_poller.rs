//! Looks for a newer commit while a round is under way.

use crate::local::cancel::Cancellation;

/// Looks for a newer commit beside the work of a round.
pub trait CommitPoller {
    /// Does `work`. Supersedes `cancel` once there is a commit that declares something else than
    /// `followed`, the commit of this round.
    fn beside<T>(
        &mut self,
        followed: &str,
        cancel: &Cancellation,
        work: impl Future<Output = T>,
    ) -> impl Future<Output = T>;
}

/// Does not look: the commit of this round is meant.
#[derive(Clone, Copy, Debug)]
pub struct NoCommitPoller;

impl CommitPoller for NoCommitPoller {
    async fn beside<T>(
        &mut self,
        _followed: &str,
        _cancel: &Cancellation,
        work: impl Future<Output = T>,
    ) -> T {
        work.await
    }
}
