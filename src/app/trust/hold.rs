//! The commit of a target that is applied, and that none older than what is applied stands in for one
//! that is not trusted.

use super::{Judged, Needs, Refusal, TrustError, Wanted};
use crate::app::{Error, Target};
use crate::core::inventory::Record;
use crate::core::source::snapshot::Revision;
use crate::core::tracking::TrackedRef;
use crate::core::verification::Fault;
use crate::git::Checkout;

/// That `HEAD` is not trusted, of a target that tracks a ref. A trusted ancestor of it says which ref.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadDoubt {
    /// `HEAD`'s commit.
    pub refused: Refusal,
    /// Whether its settings are others than those of the ancestor, so that they may be about the target.
    pub has_other_settings: bool,
}

impl HeadDoubt {
    /// The judgement of the tracked ref, which may not be what `HEAD` wants.
    #[must_use]
    pub fn with(&self, mut judged: Judged) -> Judged {
        if judged.refused.is_none() && self.has_other_settings {
            let stays = Some(judged.revision.commit.clone());
            judged.refused = Some(Refusal { stays, ..self.refused.clone() });
        }
        judged
    }
}

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
        let judged = self.trust.judge(checkout, wanted)?;
        Ok(match &self.doubt {
            Some(doubt) => doubt.with(judged),
            None => judged,
        })
    }

    /// Whether a tracked commit may come after the one that is applied. An unsigned tag can name any
    /// signed commit, and an untrusted commit can hide which ref the target tracks: neither leads back.
    fn check_not_older(
        &self,
        checkout: &Checkout,
        judged: &Judged,
        applied: &str,
    ) -> Result<(), TrustError> {
        let commit = &judged.revision.commit;
        if self.tracks.is_none() || self.rev.is_some() || commit == applied {
            return Ok(());
        }
        if let Some(doubt) = &self.doubt
            && !checkout.is_ancestor(applied, commit)?
        {
            let stays = Some(applied.to_owned());
            let refused = doubt.refused.clone();
            return Err(TrustError::Refused(Box::new(Refusal { stays, ..refused })));
        }
        let is_by_range = matches!(self.tracks, Some(TrackedRef::Newest { .. }));
        let is_named_by_anyone = is_by_range && self.trust.has_rules() && !self.trust.is_by_tags();
        if is_named_by_anyone && checkout.is_ancestor(commit, applied)? {
            return Err(TrustError::Refused(Box::new(Refusal {
                revision: Some(judged.revision.clone()),
                key: None,
                fault: Fault::Older,
                stays: Some(applied.to_owned()),
                needs: Needs::Tag,
            })));
        }
        Ok(())
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
        if let Some(applied) = applied {
            target.check_not_older(&checkout, &judged, applied)?;
        }
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
