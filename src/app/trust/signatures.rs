//! How a commit stands by its own signature, or by those of its tags, and by the paths that it changes.

use std::collections::BTreeSet;

use super::judge::{Judge, Place, SEAL};
use super::refused::RefusedSignatures;
use crate::core::verification::{Fault, Mode, SignedObject, Signer, Standing, Verdict};
use crate::git::{self, SignedCommit};

/// The change that a signature vouches for.
#[derive(Clone, Copy)]
pub(super) struct Change<'a> {
    /// The commit that it begins with; without one, all files are new.
    pub(super) base: Option<&'a str>,
    /// The commit that it ends with.
    pub(super) to: &'a str,
    /// The paths that merges between took back.
    pub(super) dropped: &'a BTreeSet<String>,
}

impl Judge {
    /// The standing of a commit by its own signature, and by its changes against its first parent. A
    /// merge vouches for all that it brings to the line.
    ///
    /// # Errors
    ///
    /// When the repository can't be read.
    pub(super) fn own(
        &self,
        place: &Place<'_>,
        commit: &SignedCommit,
    ) -> Result<Standing, git::Error> {
        // A sealed tag vouches for the commit, whatever that says itself.
        for tag in place.tags_of(&commit.commit)? {
            let seals = tag.signed.trailer(SEAL).is_some();
            if let Some((signer, until)) = self.unlimited(&tag.signed).filter(|_| seals) {
                return Ok(Standing::Trusted {
                    signer,
                    tag: Some(tag.name.clone()),
                    seal: true,
                    until,
                });
            }
        }
        let seals = commit.signed.trailer(SEAL).is_some();
        if let Some((signer, until)) = self.unlimited(&commit.signed).filter(|_| seals) {
            return Ok(Standing::Trusted { signer, tag: None, seal: true, until });
        }
        let standing = self.signed(&commit.signed);
        let parent = commit.parents.first().filter(|_| !commit.is_edge);
        let dropped = place.checkout.dropped_paths(commit)?;
        let base = parent.map(String::as_str);
        let change = Change { base, to: &commit.commit, dropped: &dropped };
        self.within_paths(place, standing, change)
    }

    /// The signer of an object, where that is one who may sign for all paths.
    fn unlimited(&self, object: &SignedObject) -> Option<(Signer, Option<i64>)> {
        match self.signed(object) {
            Standing::Trusted { signer, until, .. } => {
                self.signers.of(&signer).is_none().then_some((signer, until))
            }
            Standing::Refused { .. } => None,
        }
    }

    /// The standing of a commit by its signature or by that of its tags, whatever it changes.
    ///
    /// # Errors
    ///
    /// When the repository can't be read.
    pub(super) fn vouched(
        &self,
        place: &Place<'_>,
        commit: &SignedCommit,
    ) -> Result<Standing, git::Error> {
        if self.mode != Mode::Tag {
            return Ok(self.signed(&commit.signed));
        }
        let mut refused = Standing::Refused { fault: Fault::NoTag, key: None };
        let mut limited = None;
        for tag in place.tags_of(&commit.commit)? {
            match self.signed(&tag.signed) {
                Standing::Trusted { signer, seal, until, .. } => {
                    let is_limited = self.signers.of(&signer).is_some();
                    let trusted =
                        Standing::Trusted { signer, tag: Some(tag.name.clone()), seal, until };
                    if !is_limited {
                        return Ok(trusted);
                    }
                    limited.get_or_insert(trusted);
                }
                standing => refused = standing,
            }
        }
        Ok(limited.unwrap_or(refused))
    }

    /// The standing that a signature alone gives.
    pub(super) fn signed(&self, object: &SignedObject) -> Standing {
        let key = RefusedSignatures::key(&self.digest, object);
        let verdict = match self.refused.recall(&key) {
            Some(refused) => Ok(refused),
            None => self.verifier.verify(object).inspect(|it| self.refused.keep(key, it)),
        };
        match verdict {
            Ok(Verdict::Good { signer, until }) => {
                Standing::Trusted { signer, tag: None, seal: false, until }
            }
            Ok(Verdict::Bad { fault, key }) => Standing::Refused { fault, key },
            Err(error) => {
                let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
                let fault = Fault::Unknown(format!("{error}{hint}"));
                Standing::Refused { fault, key: None }
            }
        }
    }

    /// The same, unless the signer may not sign for a path that the change is about.
    ///
    /// # Errors
    ///
    /// When the repository can't be read.
    pub(super) fn within_paths(
        &self,
        place: &Place<'_>,
        standing: Standing,
        change: Change<'_>,
    ) -> Result<Standing, git::Error> {
        let Change { base, to, dropped } = change;
        let Standing::Trusted { signer, .. } = &standing else { return Ok(standing) };
        if self.signers.of(signer).is_none() {
            return Ok(standing);
        }
        let changed = place.checkout.changed_paths(base, to)?;
        let all = changed.iter().chain(dropped).map(String::as_str);
        let refused = self.signers.first_refused(signer, all);
        Ok(match refused {
            None => standing,
            Some(path) => {
                let (principal, path) = (signer.principal.clone(), path.to_owned());
                let key = Some(signer.key.clone());
                Standing::Refused { fault: Fault::NotAllowed { principal, path }, key }
            }
        })
    }
}
