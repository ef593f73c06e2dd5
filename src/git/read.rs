//! A commit's files, straight from the object database, so that neither a concurrent pull nor a
//! half-edited file can leak in.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::objs::tree::EntryKind;

use super::error::{LimitExceeded, LimitKind};
use super::revision::parse;
use super::trees::{File, TreeEntry, Trees};
use super::{Checkout, Error, TreeFault, promisor};
use crate::core::source::snapshot::{LARGEST, Revision, Skipped, Snapshot, WhySkipped};

/// Fewer files than this are read faster than threads are started.
const WORTH_A_THREAD: usize = 64;

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
                let (path, commit) = (path.clone(), revision.commit.clone());
                let near = trees.suggestions(&path);
                return Err(Error::UnknownPath { path, commit, near });
            };
            match kind {
                EntryKind::Tree => trees.walk(id, path, &mut take)?,
                EntryKind::Link | EntryKind::Commit => {
                    return Err(not_files(path, kind, revision));
                }
                kind => take(File { path: path.as_str().into(), kind, id }),
            }
        }
        let (files, large) = self.contents(revision, &blobs.into_iter().collect::<Vec<_>>())?;
        skipped.extend(large);
        let barred = barriers.iter().map(|file| trees.bars(file));
        let mut barred: Vec<Skipped> =
            barred.filter_map(Result::transpose).collect::<Result<_, _>>()?;
        for skipped in [&mut skipped, &mut barred] {
            skipped.sort();
            skipped.dedup();
        }
        Ok(Snapshot { revision: revision.clone(), files, skipped, barred })
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

    /// The content of many blobs of a commit, read by as many threads as there are processors.
    pub(super) fn contents(
        &self,
        at: &Revision,
        blobs: &[(String, ObjectId)],
    ) -> Result<Contents, Error> {
        promisor::bring(&self.local(), blobs.iter().map(|(_, id)| *id))?;
        let budget = ReadBudget { at, limit: self.limits.content, read: AtomicU64::new(0) };
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let share = blobs.len().div_ceil(processors).max(WORTH_A_THREAD);
        let parts: Vec<Result<Contents, Error>> = thread::scope(|scope| {
            let readers: Vec<_> = blobs
                .chunks(share)
                .map(|part| scope.spawn(|| read_blobs(&self.local(), part, &budget)))
                .collect();
            let joined = readers.into_iter().map(|reader| match reader.join() {
                Ok(part) => part,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            joined.collect()
        });
        let mut all = Contents::default();
        for part in parts {
            let (files, large) = part?;
            all.0.extend(files);
            all.1.extend(large);
        }
        Ok(all)
    }
}

/// Files by path, and those that are too large.
type Contents = (BTreeMap<String, Vec<u8>>, Vec<Skipped>);

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

fn read_blobs(
    repo: &gix::Repository,
    blobs: &[(String, ObjectId)],
    budget: &ReadBudget<'_>,
) -> Result<Contents, Error> {
    let mut contents = Contents::default();
    for (path, id) in blobs {
        // Before anything is inflated: a few bytes may become many.
        let header = repo.find_header(*id).map_err(Error::read(format!("`{path}`")))?;
        if header.kind() != gix::objs::Kind::Blob {
            let (path, commit) = (path.clone(), budget.at.commit.clone());
            return Err(Error::Unsound { path, commit, fault: TreeFault::Kind });
        }
        let bytes = header.size();
        if bytes > LARGEST {
            let why = WhySkipped::TooLarge { bytes };
            contents.1.push(Skipped { path: path.clone(), why });
            continue;
        }
        budget.take(path, bytes)?;
        let mut object = repo.find_object(*id).map_err(Error::read(format!("`{path}`")))?;
        contents.0.insert(path.clone(), std::mem::take(&mut object.data));
    }
    Ok(contents)
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
