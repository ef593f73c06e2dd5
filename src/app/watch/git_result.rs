//! The faults of git of a round that came to nothing, as where the API server is away: people are to hear of
//! them all the same.

use super::fault::ReadCommit;
use super::{RoundError, RoundMemory};
use crate::app;
use crate::app::trust::{Refusal, TrustError, hold};
use crate::git::pull::{PullError, Pulled};

/// The part of a round that is about git.
#[derive(Default)]
pub struct GitResult {
    /// The result of the pull; `None` without one.
    pub pulled: Option<Result<Pulled, PullError>>,
    /// The commit that this machine does not trust, where the error does not say so itself.
    pub refused: Option<Refusal>,
}

impl RoundMemory {
    /// That of a round that failed.
    pub(super) async fn git_result(&mut self, error: &RoundError) -> GitResult {
        let pulled = self.pulled.take();
        // Else the commit was judged.
        let is_of_cluster = matches!(error, RoundError::Reconcile(app::Error::Api { .. }));
        let refused = match self.read.as_ref().filter(|_| is_of_cluster) {
            Some(read) => read.refused().await,
            None => None,
        };
        GitResult { pulled, refused }
    }
}

impl ReadCommit {
    /// The commit that is not trusted, as far as that can be known without the cluster.
    async fn refused(&self) -> Option<Refusal> {
        let target = self.target.as_ref().filter(|target| target.trust.has_rules())?;
        match hold(target, &self.checkout, None).await {
            Ok(judged) => judged.refused,
            Err(app::Error::Trust(TrustError::Refused(refusal))) => Some(*refusal),
            Err(_) => None,
        }
    }
}
