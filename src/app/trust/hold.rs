//! The commit of a target that is applied, and that none older than what is applied stands in for one
//! that is not trusted.

use super::{Judged, TrustError, Wanted};
use crate::app::{Error, Target};
use crate::core::inventory::Record;
use crate::core::source::snapshot::Revision;
use crate::git::Checkout;

impl Target {
    /// The commit to apply, and how far it is trusted.
    ///
    /// # Errors
    ///
    /// When the repository can't be read, or there is no commit that may be applied.
    pub fn judge(&self, checkout: &Checkout) -> Result<Judged, TrustError> {
        let wanted = match (&self.rev, &self.tracks) {
            _ if self.worktree => Wanted::WorkTree,
            (Some(rev), _) => Wanted::Exactly(rev),
            (None, Some(tracked)) => Wanted::Tracked(tracked),
            (None, None) => Wanted::Head,
        };
        self.trust.judge(checkout, wanted)
    }

    /// The commit to apply.
    ///
    /// # Errors
    ///
    /// As of [`judge`](Self::judge).
    pub fn revision(&self, checkout: &Checkout) -> Result<Revision, TrustError> {
        Ok(self.judge(checkout)?.revision)
    }
}

/// The commit of a target, unless that would go back behind the commit that is applied, since a newer
/// one is not trusted.
pub(in crate::app) async fn hold(
    target: &Target,
    checkout: &Checkout,
    before: Option<&Record>,
) -> Result<Judged, Error> {
    let (target, checkout) = (target.clone(), checkout.clone());
    let applied = before.and_then(|before| before.revision.clone());
    let judged = tokio::task::spawn_blocking(move || {
        let mut judged = target.judge(&checkout)?;
        let applied = applied.as_deref().map(|applied| applied.trim_end_matches("-dirty"));
        if let (Some(refused), Some(applied)) = (&mut judged.refused, applied)
            && !checkout.is_ancestor(applied, &judged.revision.commit)?
        {
            refused.stays = Some(applied.to_owned());
            return Err(TrustError::Refused(Box::new(refused.clone())));
        }
        Ok::<_, TrustError>(judged)
    });
    Ok(judged.await??)
}
