//! The first-parent line of a commit, each with its standing.

use super::judge::{FOLLOWED, Place};
use super::{Fault, Refusal, Standing, Trust, TrustError};
use crate::core::source::snapshot::Revision;
use crate::git::{self, Checkout};

/// A commit of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedCommit {
    /// The commit.
    pub revision: Revision,
    /// How it stands.
    pub standing: Standing,
}

/// The part of a line that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineOptions {
    /// The commit that it begins with.
    pub from: String,
    /// The commit before which it ends; without one, it ends with the first that is trusted.
    pub until: Option<String>,
    /// The most commits.
    pub most: usize,
}

impl Trust {
    /// The newest ancestor on the first-parent line that may be applied.
    pub(super) fn newest(
        &self,
        place: &Place<'_>,
        revision: &Revision,
    ) -> Result<Option<(Revision, Standing)>, TrustError> {
        let mut id = revision.commit.clone();
        for _ in 0..FOLLOWED {
            let Some(parent) = first_parent(place.checkout, &id)? else { return Ok(None) };
            match self.standing(place, &parent)? {
                standing @ Standing::Trusted { .. } => {
                    let found = place.checkout.revision_of(&parent, &revision.named)?;
                    return Ok(Some((found, standing)));
                }
                Standing::Refused { fault: fault @ Fault::Unknown(_), key } => {
                    let revision = Some(place.checkout.revision_of(&parent, &revision.named)?);
                    let refusal = Refusal { revision, key, fault, stays: None };
                    return Err(TrustError::Refused(Box::new(refusal)));
                }
                Standing::Refused { .. } => id = parent,
            }
        }
        Ok(None)
    }

    /// The commits of a line, the newest first.
    ///
    /// # Errors
    ///
    /// When the repository can't be read.
    pub fn line(
        &self,
        checkout: &Checkout,
        options: &LineOptions,
    ) -> Result<Vec<JudgedCommit>, git::Error> {
        let LineOptions { from, until, most } = options;
        let place = Place::new(checkout);
        let (mut line, mut next) = (Vec::new(), Some(from.clone()));
        while let Some(id) = next.filter(|id| line.len() < *most && Some(id) != until.as_ref()) {
            let standing = self.standing(&place, &id)?;
            let is_end = until.is_none() && standing.is_trusted();
            let revision = checkout.revision_of(&id, &id)?;
            line.push(JudgedCommit { revision, standing });
            next = if is_end { None } else { first_parent(checkout, &id)? };
        }
        Ok(line)
    }
}

/// The first parent of a commit, where it is here.
fn first_parent(checkout: &Checkout, id: &str) -> Result<Option<String>, git::Error> {
    let commit = checkout.signed_commit(id)?;
    Ok(commit.parents.into_iter().next().filter(|_| !commit.is_edge))
}
