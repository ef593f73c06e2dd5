//! The commit that was read last, so that rounds of a watch do not read it again and again.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Declared, beside, declare};
use crate::app::{Error, Target};
use crate::git::{Checkout, Uncommitted};

/// The commit that was read last: rounds of a watch read the same one again and again.
#[derive(Clone, Default)]
pub struct LastRead(Arc<Mutex<Option<(Target, Declared)>>>);

impl LastRead {
    /// Lets go of what was read.
    pub(in crate::app) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// The declared objects of `target` at `HEAD` or its revision, where those were read.
    fn recall(&self, target: &Target, checkout: &Checkout) -> Result<Option<Declared>, Error> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((_, declared)) = known.as_ref().filter(|(known, _)| known == target) else {
            return Ok(None);
        };
        let revision = target.revision(checkout)?;
        if declared.revision.commit != revision.commit {
            return Ok(None);
        }
        let uncommitted = match target.is_at_head() {
            true => beside::changes(target, checkout, &declared.read_elsewhere)?,
            false => Uncommitted::default(),
        };
        Ok(Some(Declared { revision, uncommitted, ..declared.clone() }))
    }

    /// Keeps what was read of a commit, if all of it could be: next time a program may work, or a
    /// file be there.
    fn keep(&self, target: &Target, declared: &Declared) {
        let is_whole = !target.worktree && declared.problems.is_empty();
        let kept = is_whole.then(|| (target.clone(), declared.clone()));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = kept;
    }
}

/// As [`declare`], except that the commit that `last` holds is neither read nor rendered again.
///
/// # Errors
///
/// As of [`declare`].
pub async fn declare_again(
    target: &Target,
    checkout: &Checkout,
    last: &LastRead,
) -> Result<Declared, Error> {
    let recall = {
        let (target, checkout, last) = (target.clone(), checkout.clone(), last.clone());
        move || last.recall(&target, &checkout)
    };
    if let Some(known) = tokio::task::spawn_blocking(recall).await?? {
        return Ok(known);
    }
    let declared = declare(target, checkout).await?;
    last.keep(target, &declared);
    Ok(declared)
}
