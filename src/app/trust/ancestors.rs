//! How a commit stands by those before it: what a signer vouches for who may sign for some paths alone,
//! and that all of its ancestors have to be trusted, too.

use std::collections::BTreeSet;

use super::judge::{FOLLOWED, Judge, Place};
use super::signatures::Change;
use crate::core::verification::{Fault, Standing};
use crate::git::{self, SignedCommit};

impl Judge {
    /// The standing of a commit that vouches for all of its files. A signer of some paths alone vouches
    /// for what changed since the last commit that is trusted, or for every file where there is none.
    ///
    /// # Errors
    ///
    /// When the repository can't be read.
    pub(super) fn by_itself(
        &self,
        place: &Place<'_>,
        commit: SignedCommit,
    ) -> Result<Standing, git::Error> {
        // The first-parent line down to a commit that is trusted whatever came before.
        let (mut line, mut base, mut next) = (Vec::new(), None, Some(commit));
        while let Some(commit) = next.take() {
            if let Some(Standing::Trusted { .. }) = self.recall(&commit.commit) {
                base = Some(commit.commit);
                break;
            }
            let standing = self.vouched(place, &commit)?;
            let is_limited = match &standing {
                Standing::Trusted { signer, .. } => self.signers.of(signer).is_some(),
                Standing::Refused { .. } => line.is_empty(),
            };
            if matches!(standing, Standing::Trusted { .. }) && !is_limited {
                base = Some(commit.commit.clone());
                self.note(&commit.commit, &standing);
                if line.is_empty() {
                    return Ok(standing);
                }
                break;
            }
            if line.is_empty() && !standing.is_trusted() {
                self.note(&commit.commit, &standing);
                return Ok(standing);
            }
            let parent = commit.parents.first().filter(|_| !commit.is_edge);
            next = parent.map(|parent| place.checkout.signed_commit(parent)).transpose()?;
            line.push((commit, standing));
            if line.len() > FOLLOWED {
                let fault = Fault::TooLong(FOLLOWED);
                return Ok(Standing::Refused { fault, key: None });
            }
        }
        let (mut last, mut dropped) = (None, BTreeSet::new());
        for (commit, standing) in line.into_iter().rev() {
            dropped.extend(place.checkout.dropped_paths(&commit)?);
            let change = Change { base: base.as_deref(), to: &commit.commit, dropped: &dropped };
            let standing = self.within_paths(place, standing, change)?;
            self.note(&commit.commit, &standing);
            if standing.is_trusted() {
                base = Some(commit.commit);
                dropped.clear();
            }
            last = Some(standing);
        }
        Ok(last.unwrap_or(Standing::Refused { fault: Fault::Unsigned, key: None }))
    }

    /// The standing of a commit all of whose ancestors have to be trusted, too, down to those that a
    /// seal vouches for.
    ///
    /// # Errors
    ///
    /// When the repository can't be read.
    pub(super) fn with_ancestors(
        &self,
        place: &Place<'_>,
        commit: SignedCommit,
    ) -> Result<Standing, git::Error> {
        let mut looked_at = 0;
        let mut open: Vec<Pending> = vec![Pending::new(self.own(place, &commit)?, commit)];
        loop {
            let Some(pending) = open.last_mut() else {
                return Ok(Standing::Refused { fault: Fault::Unsigned, key: None });
            };
            let next = match &pending.standing {
                Standing::Trusted { seal: false, .. } => pending.parents.pop(),
                _ => None,
            };
            let Some(parent) = next else {
                let Some(Pending { commit, standing, .. }) = open.pop() else { continue };
                self.note(&commit, &standing);
                let Some(child) = open.last_mut() else { return Ok(standing) };
                child.joined(&commit, &standing);
                continue;
            };
            if let Some(known) = self.recall(&parent) {
                pending.joined(&parent, &known);
                continue;
            }
            looked_at += 1;
            if pending.is_edge || looked_at > FOLLOWED {
                let fault = if pending.is_edge { Fault::Shallow } else { Fault::TooLong(FOLLOWED) };
                pending.standing = Standing::Refused { fault, key: None };
                continue;
            }
            let commit = place.checkout.signed_commit(&parent)?;
            let seal = self.seal_of(place, &commit)?;
            if let Some(kept) = self.kept(&parent, seal.as_ref()) {
                pending.joined(&parent, &kept);
                continue;
            }
            open.push(Pending::new(self.own(place, &commit)?, commit));
        }
    }
}

/// A commit whose ancestors are looked at.
struct Pending {
    commit: String,
    standing: Standing,
    parents: Vec<String>,
    is_edge: bool,
}

impl Pending {
    fn new(standing: Standing, commit: SignedCommit) -> Self {
        let SignedCommit { commit, mut parents, is_edge, .. } = commit;
        // The first parent first.
        parents.reverse();
        Self { commit, standing, parents, is_edge }
    }

    /// Takes over what is known of a parent.
    fn joined(&mut self, parent: &str, standing: &Standing) {
        match (&mut self.standing, standing) {
            (Standing::Trusted { until, .. }, Standing::Trusted { until: of_parent, .. }) => {
                *until = until.iter().chain(of_parent).min().copied();
            }
            (Standing::Trusted { .. }, Standing::Refused { fault, .. }) => {
                let fault = match fault {
                    inner @ (Fault::Ancestor { .. } | Fault::Shallow | Fault::TooLong(_)) => {
                        inner.clone()
                    }
                    own => {
                        Fault::Ancestor { commit: parent.to_owned(), fault: Box::new(own.clone()) }
                    }
                };
                self.standing = Standing::Refused { fault, key: None };
            }
            (Standing::Refused { .. }, _) => {}
        }
    }
}
