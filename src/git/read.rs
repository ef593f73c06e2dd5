//! A commit's files, straight from the object database, so that neither a concurrent pull nor a
//! half-edited file can leak in.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::objs::tree::EntryKind;

use super::error::{LimitExceeded, LimitKind};
use super::revision::parse;
use super::trees::{File, TreeEntry, Trees};
use super::{Checkout, Error, TreeFault, promisor};
use crate::core::parallel::in_parallel;
use crate::core::source::snapshot::{LARGEST, Revision, Skipped, Snapshot, WhySkipped};

/// The wanted files of a commit or of the work tree, before those of the object database are read.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Where the files are from.
    pub revision: Revision,
    /// How contents are hashed.
    pub(super) hash: gix::hash::Kind,
    /// The files of the object database, in the order of their paths.
    pub(super) blobs: Vec<(String, ObjectId)>,
    /// The content of those that differ from it.
    pub(super) changed: BTreeMap<String, Vec<u8>>,
    /// Requested paths that are not among the files.
    pub skipped: Vec<Skipped>,
    /// As of a [`Snapshot`].
    pub barred: Vec<Skipped>,
}

impl Listing {
    /// Hands each file to `each`, in the order of their paths: the path, and the id of its content.
    ///
    /// # Errors
    ///
    /// When a content has no id.
    pub fn files(&self, mut each: impl FnMut(&str, &[u8])) -> Result<(), Error> {
        let blob = gix::objs::Kind::Blob;
        let mut ids = self.blobs.iter().map(|(path, id)| (path.as_str(), *id)).collect::<Vec<_>>();
        for (path, content) in &self.changed {
            let id = gix::objs::compute_hash(self.hash, blob, content);
            ids.push((path, id.map_err(Error::read(format!("`{path}` of the work tree")))?));
        }
        ids.sort_unstable();
        ids.iter().for_each(|(path, id)| each(path, id.as_slice()));
        Ok(())
    }

    /// How many files there are.
    pub fn count(&self) -> usize {
        self.blobs.len() + self.changed.len()
    }
}

impl Checkout {
    /// The regular files under `paths` at `revision` whose path is `wanted`. A path is a folder or a
    /// file, counted from the root; the root itself is the empty string.
    ///
    /// # Errors
    ///
    /// When a path is not there, an object can't be read, or a limit is exceeded.
    pub fn snapshot(
        &self,
        revision: &Revision,
        paths: &[String],
        wanted: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<Snapshot, Error> {
        self.read(self.list(revision, paths, wanted)?)
    }

    /// The part of a listing that can be read here, without what a partial clone left at its remote:
    /// for what is not worth a request.
    #[must_use]
    pub fn at_hand(&self, mut listing: Listing) -> Listing {
        let blobs = std::mem::take(&mut listing.blobs);
        listing.blobs = promisor::at_hand(&self.local(), blobs, |(_, id)| *id);
        listing
    }

    /// Reads the files of a listing.
    ///
    /// # Errors
    ///
    /// When an object can't be read, or a limit is exceeded.
    pub fn read(&self, listing: Listing) -> Result<Snapshot, Error> {
        let Listing { revision, blobs, changed, mut skipped, barred, hash: _ } = listing;
        let (mut files, large) = self.contents(&revision, &blobs)?;
        files.extend(changed);
        skipped.extend(large);
        skipped.sort();
        Ok(Snapshot { revision, files, skipped, barred })
    }

    /// Reads every file of a listing: the results of `each` in the order of their paths, and the
    /// paths that are skipped. No content is held longer than `each` takes.
    ///
    /// # Errors
    ///
    /// When an object can't be read, or a limit is exceeded.
    pub fn read_each<R: Send>(
        &self,
        listing: Listing,
        each: impl Fn(&str, &[u8]) -> R + Sync,
    ) -> Result<(Vec<R>, Vec<Skipped>), Error> {
        let Listing { revision, blobs, changed, mut skipped, .. } = listing;
        let (read, large) = self.each_blob(&revision, &blobs, |path, bytes| each(path, &bytes))?;
        skipped.extend(large);
        skipped.sort();
        let changed: Vec<_> = changed.into_iter().collect();
        let changed =
            in_parallel(&changed, || (), |(), (path, bytes)| (path.clone(), each(path, bytes)));
        let mut all: Vec<(String, R)> = read;
        all.extend(changed);
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok((all.into_iter().map(|(_, result)| result).collect(), skipped))
    }

    /// As [`snapshot`](Self::snapshot), and no file is read.
    ///
    /// # Errors
    ///
    /// When a path is not there, a folder can't be read, or a limit is exceeded.
    pub fn list(
        &self,
        revision: &Revision,
        paths: &[String],
        wanted: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<Listing, Error> {
        self.list_entered(revision, paths, &|_| true, wanted)
    }

    /// As [`list`](Self::list), without what is below folders that are not `entered`.
    ///
    /// # Errors
    ///
    /// As of [`list`](Self::list).
    pub fn list_entered(
        &self,
        revision: &Revision,
        paths: &[String],
        entered: &dyn Fn(&str) -> bool,
        wanted: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<Listing, Error> {
        let repo = self.local();
        let mut trees = Trees::of(&repo, &self.limits, parse(&revision.commit)?)?;
        let mut skipped = Vec::new();
        let mut barriers = Vec::new();
        let mut blobs = BTreeMap::new();
        let mut take = |File { path, kind, id }: File| {
            let Ok(text) = path.to_str() else {
                skipped.push(Skipped { path: path.to_string(), why: WhySkipped::NotUtf8 });
                return;
            };
            if !wanted(text) {
                if why_skipped(kind).is_some() {
                    barriers.push(File { path, kind, id });
                }
                return;
            }
            match why_skipped(kind) {
                Some(why) => skipped.push(Skipped { path: text.to_owned(), why }),
                None => {
                    blobs.insert(text.to_owned(), id);
                }
            }
        };
        for path in paths {
            let Some(TreeEntry { kind, id, .. }) = trees.find(path)? else {
                if let Some((above, kind)) = trees.first_barrier(path)? {
                    return Err(not_files(&above, kind, revision));
                }
                let (path, commit) = (path.clone(), Some(revision.commit.clone()));
                let near = trees.suggestions(&path);
                return Err(Error::UnknownPath { path, commit, near });
            };
            match kind {
                EntryKind::Tree => trees.walk(id, path, entered, &mut take)?,
                EntryKind::Link | EntryKind::Commit => {
                    return Err(not_files(path, kind, revision));
                }
                kind => take(File { path: path.as_str().into(), kind, id }),
            }
        }
        let barred = barriers.iter().map(|file| trees.bars(file));
        let mut barred: Vec<Skipped> =
            barred.filter_map(Result::transpose).collect::<Result<_, _>>()?;
        for skipped in [&mut skipped, &mut barred] {
            skipped.sort();
            skipped.dedup();
        }
        let (revision, blobs) = (revision.clone(), blobs.into_iter().collect());
        let hash = repo.object_hash();
        Ok(Listing { revision, hash, blobs, changed: BTreeMap::new(), skipped, barred })
    }

    /// One regular file's content at `revision`, or `None` if the commit has no such file. What is
    /// there and not to be read is an error: this is for files that say what the others mean.
    ///
    /// # Errors
    ///
    /// When the commit can't be read, or the path is not a regular file.
    pub fn read_file(&self, revision: &Revision, path: &str) -> Result<Option<Vec<u8>>, Error> {
        let repo = self.local();
        let found = Trees::of(&repo, &self.limits, parse(&revision.commit)?)?.find(path)?;
        let Some(TreeEntry { kind, id, .. }) = found.filter(|entry| entry.kind != EntryKind::Tree)
        else {
            return Ok(None);
        };
        let unread = |why| Err(Error::Unread { path: path.to_owned(), why });
        if let Some(why) = why_skipped(kind) {
            return unread(why);
        }
        let (mut files, skipped) = self.contents(revision, &[(path.to_owned(), id)])?;
        match skipped.first() {
            Some(skipped) => unread(skipped.why),
            None => Ok(files.remove(path)),
        }
    }

    /// The content of many blobs of a commit, and those that are too large.
    pub(super) fn contents(
        &self,
        at: &Revision,
        blobs: &[(String, ObjectId)],
    ) -> Result<(Contents, Vec<Skipped>), Error> {
        let (files, large) = self.each_blob(at, blobs, |_, bytes| bytes)?;
        Ok((files.into_iter().collect(), large))
    }

    /// Reads every blob, with as many threads as there are processors: the results of `each`, and
    /// the blobs that are too large.
    fn each_blob<R: Send>(
        &self,
        at: &Revision,
        blobs: &[(String, ObjectId)],
        each: impl Fn(&str, Vec<u8>) -> R + Sync,
    ) -> Result<(ByPath<R>, Vec<Skipped>), Error> {
        promisor::bring(&self.local(), blobs.iter().map(|(_, id)| *id))?;
        let budget = ReadBudget { at, limit: self.limits.content, read: AtomicU64::new(0) };
        let done = in_parallel(
            blobs,
            || self.local(),
            |repo, (path, id)| {
                let content = read_blob(repo, path, *id, &budget)?;
                Ok(content.map(|bytes| (path.clone(), each(path, bytes))))
            },
        );
        let (mut files, mut large) = (Vec::with_capacity(blobs.len()), Vec::new());
        for one in done {
            match one? {
                Ok(file) => files.push(file),
                Err(skipped) => large.push(skipped),
            }
        }
        Ok((files, large))
    }
}

/// Files by path.
type Contents = BTreeMap<String, Vec<u8>>;
/// The results of a call for each file, with its path.
type ByPath<R> = Vec<(String, R)>;

/// How much content is still read of a commit, by all threads together.
struct ReadBudget<'a> {
    at: &'a Revision,
    limit: u64,
    read: AtomicU64,
}

impl ReadBudget<'_> {
    fn take(&self, path: &str, bytes: u64) -> Result<(), Error> {
        let before = self.read.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > self.limit {
            let excess = LimitExceeded { measure: LimitKind::Content, limit: self.limit };
            let (path, commit) = (path.to_owned(), self.at.commit.clone());
            return Err(Error::TooMuch { path, commit, excess });
        }
        Ok(())
    }
}

/// The content of a blob, unless it is too large.
fn read_blob(
    repo: &gix::Repository,
    path: &str,
    id: ObjectId,
    budget: &ReadBudget<'_>,
) -> Result<Result<Vec<u8>, Skipped>, Error> {
    // Before anything is inflated: a few bytes may become many.
    let header = repo.find_header(id).map_err(Error::read(format!("`{path}`")))?;
    if header.kind() != gix::objs::Kind::Blob {
        let (path, commit) = (path.to_owned(), budget.at.commit.clone());
        return Err(Error::Unsound { path, commit, fault: TreeFault::Kind });
    }
    let bytes = header.size();
    if bytes > LARGEST {
        return Ok(Err(Skipped { path: path.to_owned(), why: WhySkipped::TooLarge { bytes } }));
    }
    budget.take(path, bytes)?;
    let mut object = repo.find_object(id).map_err(Error::read(format!("`{path}`")))?;
    Ok(Ok(std::mem::take(&mut object.data)))
}

/// Why an entry that is not a folder is not a file either.
fn why_skipped(kind: EntryKind) -> Option<WhySkipped> {
    match kind {
        EntryKind::Link => Some(WhySkipped::Symlink),
        EntryKind::Commit => Some(WhySkipped::Submodule),
        EntryKind::Tree | EntryKind::Blob | EntryKind::BlobExecutable => None,
    }
}

fn not_files(path: &str, kind: EntryKind, at: &Revision) -> Error {
    let kind = if kind == EntryKind::Link { "symbolic link" } else { "submodule" };
    Error::NotFiles { path: path.to_owned(), kind, commit: at.commit.clone() }
}
