//! The first-parent line of a commit, each with its standing.

use std::collections::BTreeSet;

use super::judge::{FOLLOWED, Place};
use super::{Fault, Needs, Refusal, Standing, Trust, TrustError};
use crate::core::source::snapshot::Revision;
use crate::core::tracking::TrackedRef;
use crate::git::{self, Checkout, TrackedRevision};

/// How many tags of a range are looked at for one that is trusted.
const TAGS: usize = 100;

/// A commit of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedCommit {
    /// The commit.
    pub revision: Revision,
    /// How it stands.
    pub standing: Standing,
}

/// The commits that may stand in for one that is not trusted.
#[derive(Clone, Copy, Debug)]
pub(super) enum Line<'a> {
    /// None: it is named itself.
    Alone,
    /// Its ancestors by first parents.
    FirstParents,
    /// The other tags of a range. A commit between two tags is no release.
    Tags(&'a TrackedRef),
}

impl<'a> Line<'a> {
    /// That of a tracked ref, which leads to what was `found`.
    pub(super) fn of(tracked: &'a TrackedRef, found: &TrackedRevision) -> Self {
        match tracked {
            TrackedRef::Newest { .. } => Self::Tags(tracked),
            TrackedRef::Name(_) if found.name.is_none() || found.is_of_tag() => Self::Alone,
            TrackedRef::Name(_) => Self::FirstParents,
        }
    }
}

/// The part of a line that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineOptions {
    /// The commit that it begins with.
    pub from: String,
    /// The tag that led to it, which has to be signed where a rule wants signed tags.
    pub tag: Option<String>,
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
                    let found = Revision { tracked: revision.tracked.clone(), ..found };
                    return Ok(Some((found, standing)));
                }
                Standing::Refused { fault: fault @ Fault::Unknown(_), key } => {
                    let revision = Some(place.checkout.revision_of(&parent, &revision.named)?);
                    let needs = self.needs(Line::FirstParents);
                    let refusal = Refusal { revision, key, fault, stays: None, needs };
                    return Err(TrustError::Refused(Box::new(refusal)));
                }
                Standing::Refused { .. } => id = parent,
            }
        }
        Ok(None)
    }

    /// The newest tag of a tracked range that may be applied, beside the newest of all.
    pub(super) fn newest_tag(
        &self,
        place: &Place<'_>,
        tracked: &TrackedRef,
        newest: &Revision,
    ) -> Result<Option<(Revision, Standing)>, TrustError> {
        let mut refused: BTreeSet<String> = newest.tracked.clone().into_iter().collect();
        while refused.len() < TAGS {
            let found = place.checkout.resolve_tracked_without(tracked, &refused)?;
            let Some(TrackedRevision { revision, .. }) = found else { return Ok(None) };
            match self.standing_of(place, &revision, Line::Tags(tracked))? {
                standing @ Standing::Trusted { .. } => return Ok(Some((revision, standing))),
                Standing::Refused { fault: fault @ Fault::Unknown(_), key } => {
                    let (stays, needs) = (None, Needs::Tag);
                    let revision = Some(revision);
                    let refusal = Refusal { revision, key, fault, stays, needs };
                    return Err(TrustError::Refused(Box::new(refusal)));
                }
                Standing::Refused { .. } => refused.extend(revision.tracked),
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
        let LineOptions { from, tag, until, most } = options;
        let place = Place::new(checkout);
        let (mut line, mut next) = (Vec::new(), Some(from.clone()));
        while let Some(id) = next.filter(|id| line.len() < *most && Some(id) != until.as_ref()) {
            let standing = match tag {
                Some(tag) if line.is_empty() => self.standing_of_tag(&place, &id, tag)?,
                _ => self.standing(&place, &id)?,
            };
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
