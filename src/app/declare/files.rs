//! Where the files of a target are read from: a commit, or the work tree.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use sha2::{Digest as _, Sha256};

use crate::app::{Error, Target};
use crate::core::source::snapshot::{Revision, Skipped, Snapshot};
use crate::git::{Checkout, Listing, WorkTree};

/// Where files are read from.
pub(super) struct Files<'a> {
    checkout: &'a Checkout,
    /// The commit; `None` for the work tree.
    at: Option<Revision>,
    /// The work tree under paths that were asked for: each is looked at once, so that all that is
    /// read of it fits together.
    looked_at: RefCell<BTreeMap<Vec<String>, Rc<WorkTree<'a>>>>,
}

impl<'a> Files<'a> {
    /// Those of a commit; of the work tree where there is none.
    pub(super) fn new(checkout: &'a Checkout, at: Option<Revision>) -> Self {
        Self { checkout, at, looked_at: RefCell::default() }
    }

    /// The files that a target is read from.
    pub(super) fn of(target: &Target, checkout: &'a Checkout) -> Result<Self, Error> {
        let at = match target.worktree {
            true => None,
            false => Some(target.revision(checkout)?),
        };
        Ok(Self::new(checkout, at))
    }

    /// The wanted files under these paths, before they are read.
    pub(super) fn list(
        &self,
        paths: &[String],
        wanted: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<Listing, Error> {
        Ok(match &self.at {
            Some(revision) => self.checkout.list(revision, paths, wanted)?,
            None => self.worktree(paths)?.list(wanted)?,
        })
    }

    /// The wanted files of the checkout, before they are read. Those below folders that are not
    /// `entered` may be among them or not.
    pub(super) fn list_entered(
        &self,
        entered: &dyn Fn(&str) -> bool,
        wanted: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<Listing, Error> {
        let root = [String::new()];
        Ok(match &self.at {
            Some(revision) => self.checkout.list_entered(revision, &root, entered, wanted)?,
            None => self.worktree(&root)?.list(wanted)?,
        })
    }

    /// The wanted files under these paths.
    pub(super) fn below(
        &self,
        paths: &[String],
        wanted: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<Snapshot, Error> {
        Ok(self.checkout.read(self.list(paths, wanted)?)?)
    }

    /// Reads every file that was listed: the results of `each`, and the paths that are skipped.
    pub(super) fn read_each<R: Send>(
        &self,
        listing: Listing,
        each: impl Fn(&str, &[u8]) -> R + Sync,
    ) -> Result<(Vec<R>, Vec<Skipped>), Error> {
        Ok(self.checkout.read_each(listing, each)?)
    }

    /// The content of one file, if it is there.
    pub(super) fn content(&self, path: &str) -> Result<Option<Vec<u8>>, Error> {
        Ok(match &self.at {
            Some(revision) => self.checkout.read_file(revision, path)?,
            None => self.checkout.read_worktree_file(path)?,
        })
    }

    /// The digest of what was listed.
    pub(super) fn digest(
        &self,
        listing: &Listing,
        barred: &[Skipped],
    ) -> Result<FilesDigest, Error> {
        let mut digest = Sha256::new();
        let mut add = |part: &[u8]| {
            digest.update(part.len().to_le_bytes());
            digest.update(part);
        };
        add(&listing.count().to_le_bytes());
        listing.files(|path, id| {
            add(path.as_bytes());
            add(id);
        })?;
        add(format!("{:?}", (&listing.skipped, barred)).as_bytes());
        Ok(FilesDigest(digest.finalize().into()))
    }

    fn worktree(&self, paths: &[String]) -> Result<Rc<WorkTree<'a>>, Error> {
        if let Some(known) = self.looked_at.borrow().get(paths) {
            return Ok(Rc::clone(known));
        }
        let found = Rc::new(self.checkout.look_at_worktree(paths)?);
        self.looked_at.borrow_mut().insert(paths.to_vec(), Rc::clone(&found));
        Ok(found)
    }
}

/// A digest of everything that a target's manifests are read from: the path and the content of each
/// file, and what could not be read. Where it is the same, so are the manifests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilesDigest([u8; 32]);

impl AsRef<[u8]> for FilesDigest {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}
