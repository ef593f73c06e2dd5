//! A commit's files, straight from the object database, so that neither a concurrent pull nor a
//! half-edited file can leak in.

use std::collections::BTreeMap;
use std::thread;

use gix::ObjectId;
use gix::bstr::{BString, ByteSlice};
use gix::objs::tree::EntryKind;

use super::revision::parse;
use super::{Checkout, Error};
use crate::near::near;
use crate::snapshot::{LARGEST, Revision, Skipped, Snapshot, WhySkipped};

/// Fewer files than this are read faster than threads are started.
const WORTH_A_THREAD: usize = 64;

impl Checkout {
    /// The regular files under `paths` at `revision` whose path is `wanted`. A path is a folder or a
    /// file, counted from the root; the root itself is the empty string.
    pub fn snapshot(
        &self,
        revision: &Revision,
        paths: &[String],
        wanted: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<Snapshot, Error> {
        let repo = self.local();
        let mut skipped = Vec::new();
        let mut blobs = BTreeMap::new();
        for (path, kind, id) in entries(&repo, revision, paths)? {
            let Ok(text) = path.to_str() else {
                skipped.push(Skipped { path: path.to_string(), why: WhySkipped::NotUtf8 });
                continue;
            };
            if !wanted(text) {
                continue;
            }
            let why = match kind {
                EntryKind::Link => WhySkipped::Symlink,
                EntryKind::Commit => WhySkipped::Submodule,
                EntryKind::Tree => continue,
                EntryKind::Blob | EntryKind::BlobExecutable => {
                    blobs.insert(text.to_owned(), id);
                    continue;
                }
            };
            skipped.push(Skipped { path: text.to_owned(), why });
        }
        let (files, large) = self.contents(&blobs.into_iter().collect::<Vec<_>>())?;
        skipped.extend(large);
        skipped.sort();
        skipped.dedup();
        Ok(Snapshot { revision: revision.clone(), files, skipped })
    }

    /// One regular file's content at `revision`, or `None` if the commit has no such file. What is
    /// there and not to be read is an error: this is for files that say what the others mean.
    pub fn read_file(&self, revision: &Revision, path: &str) -> Result<Option<Vec<u8>>, Error> {
        let repo = self.local();
        let tree = tree(&repo, revision)?;
        let reading = || format!("`{path}` of commit {}", revision.short());
        let entry = tree.lookup_entry_by_path(path).map_err(Error::read(reading()))?;
        let Some(entry) = entry else { return Ok(None) };
        let unread = |why| Err(Error::Unread { path: path.to_owned(), why });
        match entry.mode().kind() {
            EntryKind::Blob | EntryKind::BlobExecutable => {}
            EntryKind::Link => return unread(WhySkipped::Symlink),
            EntryKind::Commit => return unread(WhySkipped::Submodule),
            EntryKind::Tree => return Ok(None),
        }
        let bytes = repo.find_header(entry.object_id()).map_err(Error::read(reading()))?.size();
        if bytes > LARGEST {
            return unread(WhySkipped::TooLarge { bytes });
        }
        let mut object = entry.object().map_err(Error::read(reading()))?;
        Ok(Some(std::mem::take(&mut object.data)))
    }

    /// The content of many blobs, read by as many threads as there are processors.
    pub(super) fn contents(&self, blobs: &[(String, ObjectId)]) -> Result<Contents, Error> {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let share = blobs.len().div_ceil(processors).max(WORTH_A_THREAD);
        let parts: Vec<Result<Contents, Error>> = thread::scope(|scope| {
            let readers: Vec<_> = blobs
                .chunks(share)
                .map(|part| scope.spawn(move || read_blobs(&self.local(), part)))
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

fn read_blobs(repo: &gix::Repository, blobs: &[(String, ObjectId)]) -> Result<Contents, Error> {
    let mut contents = Contents::default();
    for (path, id) in blobs {
        let size = repo.find_header(*id).map_err(Error::read(format!("`{path}`")))?.size();
        if size > LARGEST {
            let why = WhySkipped::TooLarge { bytes: size };
            contents.1.push(Skipped { path: path.clone(), why });
            continue;
        }
        let mut object = repo.find_object(*id).map_err(Error::read(format!("`{path}`")))?;
        contents.0.insert(path.clone(), std::mem::take(&mut object.data));
    }
    Ok(contents)
}

/// The commit's tree.
fn tree<'repo>(repo: &'repo gix::Repository, at: &Revision) -> Result<gix::Tree<'repo>, Error> {
    let commit = repo.find_commit(parse(&at.commit)?);
    commit
        .and_then(|commit| commit.tree())
        .map_err(Error::read(format!("the files of commit {}", at.short())))
}

/// Everything that is not a folder under `paths`.
fn entries(
    repo: &gix::Repository,
    at: &Revision,
    paths: &[String],
) -> Result<Vec<(BString, EntryKind, ObjectId)>, Error> {
    let root = tree(repo, at)?;
    let mut found = Vec::new();
    for path in paths {
        let reading = || format!("`{path}` of commit {}", at.short());
        let folder = if path.is_empty() {
            root.clone()
        } else {
            let entry = root.lookup_entry_by_path(path).map_err(Error::read(reading()))?;
            let Some(entry) = entry else { return Err(unknown_path(&root, path, at)) };
            match entry.mode().kind() {
                EntryKind::Tree => {
                    let object = entry.object().map_err(Error::read(reading()))?;
                    object.try_into_tree().map_err(Error::read(reading()))?
                }
                EntryKind::Link => return Err(not_files(path, "symbolic link", at)),
                EntryKind::Commit => return Err(not_files(path, "submodule", at)),
                kind => {
                    found.push((path.as_str().into(), kind, entry.object_id()));
                    continue;
                }
            }
        };
        for record in folder.traverse().breadthfirst.files().map_err(Error::read(reading()))? {
            let mut full = BString::from(path.as_str());
            if !path.is_empty() {
                full.push(b'/');
            }
            full.extend_from_slice(&record.filepath);
            found.push((full, record.mode.kind(), record.oid));
        }
    }
    Ok(found)
}

fn not_files(path: &str, kind: &'static str, at: &Revision) -> Error {
    Error::NotFiles { path: path.to_owned(), kind, commit: at.commit.clone() }
}

fn unknown_path(root: &gix::Tree<'_>, path: &str, at: &Revision) -> Error {
    let mut names = std::collections::BTreeSet::new();
    for record in root.traverse().breadthfirst.files().unwrap_or_default() {
        let Ok(file) = record.filepath.to_str() else { continue };
        names.extend(file.match_indices('/').map(|(end, _)| file[..end].to_owned()));
        names.insert(file.to_owned());
    }
    let near = near(path, names);
    Error::UnknownPath { path: path.to_owned(), commit: at.commit.clone(), near }
}
