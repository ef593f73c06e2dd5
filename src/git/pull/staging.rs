//! A folder in the git directory where new files are made whole before they are moved into place.
//! So neither a killed pull nor a full disk leaves half a file in the work tree.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use gix::bstr::BString;
use gix::index::entry::{Flags, Mode};
use gix::objs::tree::EntryKind;
use gix::progress::Discard;
use gix::worktree::stack::state::attributes::Source;

use super::tree::{TreeChange, TreeSide};
use super::{PullError, encoding};
use crate::git::own_programs::LeftOut;
use crate::git::{Error, promisor};

/// The folder's name in the git directory.
const NAME: &str = "trueup-staging";

/// The folder; it goes when this does.
pub(super) struct Staging {
    path: PathBuf,
}

impl Staging {
    /// An empty folder, whatever a killed pull left in it.
    pub(super) fn new(repo: &gix::Repository) -> Result<Self, PullError> {
        Self::remove(repo);
        let path = repo.git_dir().join(NAME);
        let writing = || path.display().to_string();
        fs::create_dir_all(path.join("files")).map_err(PullError::write(writing()))?;
        Ok(Self { path })
    }

    /// Removes what a killed pull left.
    pub(super) fn remove(repo: &gix::Repository) {
        // A folder that can't be removed now is in the way of the next one, and named then.
        let _ = fs::remove_dir_all(repo.git_dir().join(NAME));
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the new file of `path` is.
    pub(super) fn file(&self, path: &Path) -> PathBuf {
        self.path.join("files").join(path)
    }

    /// Makes the new files of `changes` as a checkout of `tree` would: filters, line ends, modes.
    pub(super) fn fill(
        &self,
        repo: &gix::Repository,
        tree: gix::ObjectId,
        changes: &BTreeMap<BString, TreeChange>,
    ) -> Result<(), PullError> {
        // The whole tree's index, since attributes may be in files that did not change.
        let mut index = repo.index_from_tree(&tree).map_err(Error::read("the new files"))?;
        for (entry, path) in index.entries_mut_with_paths() {
            if !changes.contains_key(path) {
                entry.flags.insert(Flags::SKIP_WORKTREE);
            }
        }
        let is_attributes = |path: &gix::bstr::BStr| path.ends_with(b".gitattributes");
        let read = index.entries().iter().filter(|entry| {
            let path = entry.path(&index);
            changes.contains_key(path) || is_attributes(path)
        });
        let blobs = read.filter(|entry| entry.mode != Mode::COMMIT).map(|entry| entry.id);
        promisor::bring(repo, blobs)?;
        let mut left_out = LeftOut::in_index(repo, &index)?;
        for (path, change) in changes {
            let is_file =
                |new: &TreeSide| matches!(new.kind, EntryKind::Blob | EntryKind::BlobExecutable);
            if change.new.as_ref().is_some_and(is_file) {
                left_out.check(path.as_ref())?;
            }
        }
        let mut options = repo
            .checkout_options(Source::IdMapping)
            .map_err(Error::read("the checkout's configuration"))?;
        options.destination_is_initially_empty = true;
        let objects = repo.objects.clone().into_arc().map_err(Error::read("the objects"))?;
        let never = AtomicBool::new(false);
        let folder = self.path.join("files");
        let outcome = gix::worktree::state::checkout(
            &mut index, &folder, objects, &Discard, &Discard, &never, options,
        )
        .map_err(PullError::write("the new files"))?;
        checked(outcome)?;
        encoding::correct(repo, &index, &folder)
    }
}

/// Turns what a checkout could not write into an error.
pub(super) fn checked(outcome: gix::worktree::state::checkout::Outcome) -> Result<(), PullError> {
    if let Some(record) = outcome.errors.into_iter().next() {
        return Err(PullError::write(format!("`{}`", record.path))(record.error));
    }
    let collided = outcome.collisions.into_iter().map(|collision| collision.path);
    if let Some(path) = collided.chain(outcome.delayed_paths_unprocessed).next() {
        let error = std::io::Error::other("another path has the same name on this file system");
        return Err(PullError::write(format!("`{path}`"))(error));
    }
    Ok(())
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Else the next pull does.
        let _ = fs::remove_dir_all(&self.path);
    }
}
