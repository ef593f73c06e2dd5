//! Names → commits, and what a repository is known by.

use std::sync::PoisonError;

use gix::bstr::ByteSlice;
use jiff::Timestamp;

use super::trees::find_commit;
use super::{Cause, Checkout, Error, walk};
use crate::core::source::snapshot::Revision;
use crate::core::suggest::suggest;

/// The id of a repository's first commit, which two repositories share only when one was cloned
/// from the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootCommit(pub String);

impl Checkout {
    /// The commit that `rev` names; without one, `HEAD`'s.
    ///
    /// # Errors
    ///
    /// When there is no such commit, or the repository can't be read.
    pub fn resolve(&self, rev: Option<&str>) -> Result<Revision, Error> {
        let Some(named) = &self.named else { return self.look_up(rev) };
        let mut named = named.lock().unwrap_or_else(PoisonError::into_inner);
        let rev = rev.map(str::to_owned);
        if let Some(known) = named.names.get(&rev) {
            return Ok(known.clone());
        }
        let found = self.look_up(rev.as_deref())?;
        named.names.insert(rev, found.clone());
        Ok(found)
    }

    fn look_up(&self, rev: Option<&str>) -> Result<Revision, Error> {
        let repo = self.local();
        let (named, id) = match rev {
            Some(rev) => (rev.to_owned(), commit_named(&repo, rev)?),
            None => head(&repo)?,
        };
        self.describe(id, named)
    }

    /// The identity of the repository by its HEAD, where that can be told.
    pub fn root_of_head(&self) -> Option<RootCommit> {
        let head = self.resolve(None).ok()?;
        self.root_commit(&head).ok()
    }

    /// The identity of the repository: the commit that following first parents ends at.
    ///
    /// # Errors
    ///
    /// When the history can't be read.
    pub fn root_commit(&self, revision: &Revision) -> Result<RootCommit, Error> {
        if revision.is_unborn() {
            return Ok(RootCommit(revision.commit.clone()));
        }
        let repo = self.local();
        let shallow = repo.shallow_commits().map_err(Error::read("the shallow boundary"))?;
        let mut id = parse(&revision.commit)?;
        loop {
            let commit = find_commit(&repo, &self.limits, id)?;
            let parent = commit.parent_ids().next().map(|parent| parent.detach());
            match parent {
                None => return Ok(RootCommit(id.to_string())),
                Some(_) if shallow.as_ref().is_some_and(|edge| edge.contains(&id)) => {
                    return Err(Error::Shallow);
                }
                Some(parent) => id = parent,
            }
        }
    }

    /// The revision that the commit `id` is.
    pub(super) fn describe(&self, id: gix::ObjectId, named: String) -> Result<Revision, Error> {
        let repo = self.local();
        let commit = find_commit(&repo, &self.limits, id)?;
        let message = commit.message_raw_sloppy();
        let summary = gix::objs::commit::MessageRef::from_bytes(message).summary();
        let author = walk::author(&commit.data);
        let seconds = walk::seconds(&commit.data).unwrap_or_default();
        Ok(Revision {
            commit: id.to_string(),
            named,
            summary: cut(&summary.to_str_lossy()),
            author: cut(&author.name.to_str_lossy()),
            time: Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH),
            dirty: false,
            tracked: None,
        })
    }

    /// Whether part of the history was left out when the repository was cloned, the first commit
    /// most likely with it.
    pub fn is_shallow(&self) -> bool {
        self.local().is_shallow().unwrap_or(false)
    }

    /// Whether the commit `id` is here.
    pub fn has_commit(&self, id: &str) -> bool {
        parse(id).is_ok_and(|id| self.local().find_commit(id).is_ok())
    }

    /// Whether the commit `earlier` is in the history of the commit `later`, or is that commit. It is not
    /// where one of them is not here.
    pub fn is_in_history(&self, earlier: &str, later: &str) -> bool {
        let (Ok(earlier), Ok(later)) = (parse(earlier), parse(later)) else { return false };
        let repo = self.local();
        earlier == later
            || matches!(repo.merge_base(earlier, later), Ok(Some(base)) if base == earlier)
    }

    /// The full ids of the commits before one, by first parents and the newest first: at most so many, and as
    /// far as they are here.
    pub fn first_parents(&self, of: &Revision, most: usize) -> Vec<String> {
        let repo = self.local();
        let parent = |id: &gix::ObjectId| -> Option<gix::ObjectId> {
            find_commit(&repo, &self.limits, *id).ok()?.parent_ids().next().map(gix::Id::detach)
        };
        let first = parse(&of.commit).ok();
        let line = std::iter::successors(first, parent).skip(1).take(most);
        line.map(|id| id.to_string()).collect()
    }

    /// Whether `revision` is of the history that began with the commit `root`: that one is reached
    /// from it by first parents, or `known` is, a commit of which that is known. A commit that is
    /// merely here, or merged from elsewhere, is none of the history's own.
    ///
    /// # Errors
    ///
    /// When the history can't be read.
    pub fn descent(
        &self,
        revision: &Revision,
        root: &str,
        known: Option<&str>,
    ) -> Result<Descent, Error> {
        let repo = self.local();
        let shallow = repo.shallow_commits().map_err(Error::read("the shallow boundary"))?;
        if !self.has_commit(root) && shallow.is_none() {
            return Ok(Descent::Other);
        }
        let Ok(root) = parse(root) else { return Ok(Descent::Other) };
        let known = known.and_then(|known| parse(known).ok());
        let mut id = parse(&revision.commit)?;
        loop {
            let commit = find_commit(&repo, &self.limits, id)?;
            let Some(parent) = commit.parent_ids().next().map(gix::Id::detach) else {
                return Ok(if id == root { Descent::Same } else { Descent::Other });
            };
            if Some(id) == known {
                return Ok(Descent::Same);
            }
            if shallow.as_ref().is_some_and(|edge| edge.contains(&id)) {
                // The ids of the commits that were left out are known all the same.
                let is_same = parent == root || Some(parent) == known;
                return Ok(if is_same { Descent::Same } else { Descent::Unknown });
            }
            id = parent;
        }
    }
}

/// Whether a commit is of a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Descent {
    /// It is.
    Same,
    /// It is of another one.
    Other,
    /// A shallow clone left out the commits that would say so.
    Unknown,
}

/// The full id that `text` is.
pub(super) fn parse(text: &str) -> Result<gix::ObjectId, Error> {
    gix::ObjectId::from_hex(text.as_bytes()).map_err(Error::read(format!("commit `{text}`")))
}

/// The name of `HEAD`, and its commit.
fn head(repo: &gix::Repository) -> Result<(String, gix::ObjectId), Error> {
    let mut head = repo.head().map_err(Error::read("HEAD"))?;
    let branch = head.referent_name().map(|name| name.shorten().to_string());
    if let (true, Some(branch)) = (head.is_unborn(), &branch) {
        return Err(Error::Unborn { branch: branch.clone() });
    }
    let commit = head.peel_to_commit().map_err(Error::read("the commit of HEAD"))?;
    Ok((branch.unwrap_or_else(|| "HEAD".to_owned()), commit.id))
}

/// The commit that `rev` names, through annotated tags.
fn commit_named(repo: &gix::Repository, rev: &str) -> Result<gix::ObjectId, Error> {
    let found = repo
        .rev_parse_single(rev)
        .and_then(|id| id.object())
        .and_then(|object| object.peel_to_commit());
    found.map(|commit| commit.id).map_err(|error| match rev.contains("..") {
        // No name has two dots.
        true => Error::Range { rev: rev.to_owned() },
        false => Error::UnknownRevision {
            rev: rev.to_owned(),
            near: suggest(rev, ref_names(repo)),
            source: Cause::from(error),
        },
    })
}

impl Checkout {
    /// Every branch and tag by its short name.
    pub fn ref_names(&self) -> Vec<String> {
        ref_names(&self.local())
    }
}

/// Every branch and tag by its short name.
pub(super) fn ref_names(repo: &gix::Repository) -> Vec<String> {
    let Ok(platform) = repo.references() else { return Vec::new() };
    let Ok(all) = platform.all() else { return Vec::new() };
    all.flatten().map(|reference| reference.name().shorten().to_string()).collect()
}

/// A line up to a sensible length: it is printed, kept in an annotation and sent on.
fn cut(line: &str) -> String {
    /// More than any subject line has.
    const LONGEST: usize = 500;
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}
