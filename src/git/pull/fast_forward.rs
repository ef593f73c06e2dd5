//! Where the branch stands towards its upstream, and how it gets there.

use std::path::Path;

use gix::ObjectId;
use gix::index::entry::Stage;
use gix::refs::transaction::{Change as RefChange, LogChange, PreviousValue, RefEdit, RefLog};
use gix::refs::{FullName, Target};
use gix::state::InProgress;

use super::PullError;
use super::lock::{IndexLock, Journal};
use super::obstacles::Inspector;
use super::staging::Staging;
use super::{sparse, tree, update, upstream};
use crate::git::trees::Trees;
use crate::git::{Checkout, Error, walk};

/// Where a branch stands towards its upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Same,
    Behind,
    Ahead { by: usize },
    Diverged { ahead: usize, behind: usize },
}

impl Relation {
    /// How many commits of the branch the upstream lacks.
    pub(super) fn lacks(self) -> usize {
        match self {
            Self::Same | Self::Behind => 0,
            Self::Ahead { by } => by,
            Self::Diverged { ahead, .. } => ahead,
        }
    }
}

/// Where a branch at `branch` stands towards an upstream at `upstream`.
pub(super) fn relation(
    repo: &gix::Repository,
    branch: Option<ObjectId>,
    upstream: ObjectId,
) -> Result<Relation, Error> {
    let Some(branch) = branch else { return Ok(Relation::Behind) };
    let only = |of: ObjectId, without: ObjectId| -> Result<usize, Error> {
        Ok(walk::commits(repo, of, Some(without))?.len())
    };
    if branch == upstream {
        return Ok(Relation::Same);
    }
    let (ahead, behind) = (only(branch, upstream)?, only(upstream, branch)?);
    Ok(match (ahead, behind) {
        (0, _) => Relation::Behind,
        (by, 0) => Relation::Ahead { by },
        (ahead, behind) => Relation::Diverged { ahead, behind },
    })
}

/// How many files differ between two commits.
pub(super) fn count_files(
    checkout: &Checkout,
    old: Option<ObjectId>,
    new: ObjectId,
) -> Result<usize, Error> {
    if old == Some(new) {
        return Ok(0);
    }
    let repo = checkout.local();
    // A commit that no pull would take may have come in by other means: then all files are new.
    let is_sound = |old: &ObjectId| -> Result<bool, Error> {
        match Trees::of(&repo, checkout.limits(), *old)?.inspect() {
            Ok(_) => Ok(true),
            Err(Error::Unsound { .. } | Error::TooMuch { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    };
    let old = match old {
        Some(old) if is_sound(&old)? => Some(tree_of(&repo, old)?),
        _ => None,
    };
    Ok(tree::changes(&repo, old, tree_of(&repo, new)?)?.len())
}

fn tree_of(repo: &gix::Repository, commit: ObjectId) -> Result<ObjectId, Error> {
    let tree = repo.find_commit(commit).and_then(|commit| Ok(commit.tree_id()?.detach()));
    tree.map_err(Error::read(format!("commit {commit}")))
}

/// Moves `branch`, which `HEAD` is on, from `old` to `new`: files, then the index, then the ref.
pub(super) fn fast_forward(
    checkout: &Checkout,
    branch: &FullName,
    old: Option<ObjectId>,
    new: ObjectId,
) -> Result<(), PullError> {
    let mut repo = checkout.local();
    repo.committer_or_set_generic_fallback().map_err(Error::read("the configuration"))?;
    // Whether a file survives a round trip through git is of no interest to a comparison.
    repo.config_snapshot_mut()
        .set_raw_value("core.safecrlf", "false")
        .map_err(Error::read("the configuration"))?;
    if checkout.is_bare() {
        return move_branch(&repo, branch, old, new);
    }
    for commit in old.into_iter().chain([new]) {
        Trees::of(&repo, checkout.limits(), commit)?.inspect()?;
    }
    // The comparison that follows reads it as well, and would not say so.
    read_index(&repo)?;
    if let Some(operation) = unfinished(&repo) {
        return Err(PullError::Unfinished { operation });
    }
    let new_tree = tree_of(&repo, new)?;
    let old_tree = old.map(|old| tree_of(&repo, old)).transpose()?;
    let changes = tree::changes(&repo, old_tree, new_tree)?;
    let staging = Staging::new(&repo)?;
    let journal = Journal::of(&repo);
    let _lock = IndexLock::take(&repo, &staging)?;
    still_there(checkout, branch, old)?;
    let mut index = sparse::expand(&repo, read_index(&repo)?)?;
    let left_out = sparse::excluded_paths(&repo, checkout.root(), &index, new_tree, &changes)?;
    let mut files = changes.clone();
    files.retain(|path, _| !left_out.contains(path));
    staging.fill(&repo, new_tree, &files)?;
    let found = Inspector::new(&repo, checkout.root(), &index)?.inspect(&changes, &staging)?;
    journal.write(branch, new, &staging)?;
    update::update_files(checkout.root(), &files, &found, &staging)?;
    update::update_index(&repo, checkout.root(), &mut index, &changes, &left_out)?;
    update::write_index(&index, &staging)?;
    move_branch(&repo, branch, old, new)?;
    journal.clear();
    Ok(())
}

/// The unfinished operation on top of the commit that `HEAD` is at. Not all of it leaves conflicts.
fn unfinished(repo: &gix::Repository) -> Option<&'static str> {
    match repo.state()? {
        InProgress::Merge => Some("merge"),
        InProgress::CherryPick | InProgress::CherryPickSequence => Some("cherry-pick"),
        InProgress::Revert | InProgress::RevertSequence => Some("revert"),
        // A rebase has no branch checked out; the others conclude nothing.
        _ => None,
    }
}

/// Finishes what a killed pull began, if the branch can still go there. Says where the branch is.
pub(super) fn finish(
    checkout: &Checkout,
    branch: &FullName,
    at: Option<ObjectId>,
) -> Result<Option<ObjectId>, PullError> {
    let repo = checkout.local();
    let journal = Journal::of(&repo);
    let Some(goal) = journal.read(branch).filter(|goal| repo.has_object(goal)) else {
        journal.clear();
        return Ok(at);
    };
    if relation(&repo, at, goal)? != Relation::Behind {
        journal.clear();
        return Ok(at);
    }
    fast_forward(checkout, branch, at, goal)?;
    Ok(Some(goal))
}

/// The index as it is now that no other process may change it.
fn read_index(repo: &gix::Repository) -> Result<gix::index::File, PullError> {
    let path: &Path = &repo.index_path();
    let index = gix::index::File::at_or_default(
        path,
        repo.object_hash(),
        false,
        gix::index::decode::Options::default(),
    )
    .map_err(Error::index)?;
    let unmerged = index.entries().iter().find(|entry| entry.stage() != Stage::Unconflicted);
    if let Some(entry) = unmerged {
        return Err(PullError::Unmerged { path: entry.path(&index).to_string() });
    }
    Ok(index)
}

/// Whether `HEAD` is still on the branch, and the branch still at its commit.
fn still_there(
    checkout: &Checkout,
    branch: &FullName,
    old: Option<ObjectId>,
) -> Result<(), PullError> {
    let repo = checkout.local();
    let head = repo.head().map_err(Error::read("HEAD"))?;
    match head.referent_name() == Some(branch.as_ref())
        && upstream::commit_of(&repo, branch)? == old
    {
        true => Ok(()),
        false => Err(PullError::Moved { what: "HEAD".to_owned() }),
    }
}

/// Moves the branch if it is still where it was. Through `HEAD`, so that both get a reflog entry.
fn move_branch(
    repo: &gix::Repository,
    branch: &FullName,
    old: Option<ObjectId>,
    new: ObjectId,
) -> Result<(), PullError> {
    let expected = match old {
        Some(old) => PreviousValue::MustExistAndMatch(Target::Object(old)),
        None => PreviousValue::MustNotExist,
    };
    let message = match old {
        Some(_) => "pull: Fast-forward",
        None => "pull",
    };
    let log = LogChange {
        mode: RefLog::AndReference,
        force_create_reflog: false,
        message: message.into(),
    };
    let name: FullName = "HEAD".try_into().map_err(Error::read("HEAD"))?;
    let edit = RefEdit {
        change: RefChange::Update { log, expected, new: Target::Object(new) },
        name,
        deref: true,
    };
    repo.edit_reference(edit)
        .map(drop)
        .map_err(PullError::write(format!("branch `{}`", branch.shorten())))
}
