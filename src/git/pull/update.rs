//! Moves the staged files into the work tree, and makes the index that goes with them.
//!
//! Every step can be the last one of a killed pull: a file is replaced whole or not at all, and the
//! next pull knows it for the new one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use gix::bstr::BString;
use gix::index::entry::{Flags, Stat};
use gix::objs::tree::EntryKind;

use super::PullError;
use super::obstacles::{Inspector, PathReach, WorkTreeEntry, mode_of, reach, seen};
use super::paths::system_path;
use super::sparse::LEFT_OUT;
use super::staging::Staging;
use super::tree::{TreeChange, TreeSide};
use crate::git::Error;

/// Brings the work tree at `root` to the new commit's files.
pub(super) fn update_files(
    root: &Path,
    changes: &BTreeMap<BString, TreeChange>,
    found: &BTreeMap<BString, WorkTreeEntry>,
    staging: &Staging,
) -> Result<(), PullError> {
    for (path, change) in changes {
        if change.new.is_none() {
            let path = UpdatedPath::new(root, path)?;
            path.remove(found.get(&path.name), change.old)?;
        }
    }
    for (path, change) in changes {
        let Some(new) = change.new else { continue };
        let path = UpdatedPath::new(root, path)?;
        match (found.get(&path.name), new.kind) {
            (Some(WorkTreeEntry::New), _) => {}
            (_, EntryKind::Commit) => path.make_folder(found.get(&path.name))?,
            (state, _) => path.put(state, staging)?,
        }
    }
    Ok(())
}

/// A path of the work tree that is about to change.
struct UpdatedPath<'a> {
    root: &'a Path,
    name: BString,
    path: PathBuf,
}

impl<'a> UpdatedPath<'a> {
    fn new(root: &'a Path, name: &BString) -> Result<Self, PullError> {
        Ok(Self { root, name: name.clone(), path: system_path(name.as_ref())? })
    }

    fn failed(&self) -> impl FnOnce(io::Error) -> PullError {
        PullError::write(format!("`{}`", self.name))
    }

    /// Whether what is there is still what was looked at.
    fn is_unmoved(&self, found: Option<&WorkTreeEntry>) -> Result<(), PullError> {
        let same = match (reach(self.root, &self.path), found) {
            (PathReach::At(now), Some(WorkTreeEntry::Old(then))) => {
                !now.is_dir() && seen(&now) == *then
            }
            (PathReach::At(now), _) => now.is_dir(),
            (PathReach::Nothing | PathReach::Blocked(_), _) => true,
        };
        match same {
            true => Ok(()),
            false => Err(PullError::Moved { what: format!("`{}`", self.name) }),
        }
    }

    /// Deletes the old file, and the folders that it leaves empty.
    fn remove(
        &self,
        found: Option<&WorkTreeEntry>,
        old: Option<TreeSide>,
    ) -> Result<(), PullError> {
        let whole = self.root.join(&self.path);
        if old.is_some_and(|old| old.kind == EntryKind::Commit) {
            // A submodule that is checked out stays, as with git.
            let _ = fs::remove_dir(&whole);
        } else if let Some(WorkTreeEntry::Old(_)) = found {
            self.is_unmoved(found)?;
            match fs::remove_file(&whole) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(self.failed()(error));
                }
                _ => {}
            }
        }
        if matches!(reach(self.root, &self.path), PathReach::Blocked(_)) {
            return Ok(());
        }
        for folder in self.path.ancestors().skip(1) {
            if folder.as_os_str().is_empty() || fs::remove_dir(self.root.join(folder)).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Moves the new file into its place.
    fn put(&self, found: Option<&WorkTreeEntry>, staging: &Staging) -> Result<(), PullError> {
        let (new, whole) = (staging.file(&self.path), self.root.join(&self.path));
        self.is_unmoved(found)?;
        self.make_parents()?;
        if whole.symlink_metadata().is_ok_and(|there| there.is_dir()) {
            remove_empty(&whole).map_err(self.failed())?;
        }
        match fs::rename(&new, &whole) {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                copy_beside(&new, &whole).map_err(self.failed())
            }
            moved => moved.map_err(self.failed()),
        }
    }

    fn make_folder(&self, found: Option<&WorkTreeEntry>) -> Result<(), PullError> {
        if let Some(WorkTreeEntry::Old(_)) = found {
            self.is_unmoved(found)?;
            fs::remove_file(self.root.join(&self.path)).map_err(self.failed())?;
        }
        self.make_parents()?;
        fs::create_dir_all(self.root.join(&self.path)).map_err(self.failed())
    }

    /// Makes the folders above, none of them through a link.
    fn make_parents(&self) -> Result<(), PullError> {
        if let PathReach::Blocked(at) = reach(self.root, &self.path) {
            return Err(PullError::Moved { what: format!("`{}`", at.display()) });
        }
        match self.root.join(&self.path).parent() {
            Some(parent) => fs::create_dir_all(parent).map_err(self.failed()),
            None => Ok(()),
        }
    }
}

/// Removes a folder that holds nothing but empty folders.
fn remove_empty(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        remove_empty(&entry?.path())?;
    }
    fs::remove_dir(folder)
}

/// For a git directory on another file system: a whole copy next to the place, then moved.
fn copy_beside(new: &Path, place: &Path) -> io::Result<()> {
    let folder = place.parent().unwrap_or(place);
    let scratch = tempfile::Builder::new().prefix(".trueup-").tempdir_in(folder)?;
    let copy = scratch.path().join("file");
    if new.symlink_metadata()?.is_symlink() {
        gix::fs::symlink::create(&fs::read_link(new)?, &copy)?;
    } else {
        fs::copy(new, &copy)?;
    }
    fs::rename(copy, place)
}

/// Puts the new entries of `changes` into `index`, with the files' times and sizes; those that are
/// left out of a sparse checkout have no file.
pub(super) fn update_index(
    repo: &gix::Repository,
    root: &Path,
    index: &mut gix::index::File,
    changes: &BTreeMap<BString, TreeChange>,
    left_out: &BTreeSet<BString>,
) -> Result<(), PullError> {
    doubt_racy_entries(repo, root, index, changes)?;
    index.remove_entries(|_, path, _| changes.contains_key(path));
    for (path, change) in changes {
        let Some(new) = change.new else { continue };
        let whole = root.join(system_path(path.as_ref())?);
        let stat = match new.kind {
            EntryKind::Commit => Stat::default(),
            _ if left_out.contains(path) => Stat::default(),
            _ => gix::index::fs::Metadata::from_path_no_follow(&whole)
                .map_err(PullError::write(format!("`{path}`")))
                .map(|metadata| Stat::from_fs(&metadata).unwrap_or_default())?,
        };
        let mode = mode_of(new.kind);
        let flags = if left_out.contains(path) { LEFT_OUT } else { Flags::empty() };
        index.dangerously_push_entry(stat, new.id, flags, mode, path.as_ref());
    }
    index.sort_entries();
    // Both speak of entries as they were.
    index.remove_tree();
    index.remove_resolve_undo();
    Ok(())
}

/// An entry as young as the index may hide a change of the same size. With the index rewritten it
/// would look settled, so such an entry of a changed file loses its size, as git does it.
fn doubt_racy_entries(
    repo: &gix::Repository,
    root: &Path,
    index: &mut gix::index::File,
    changes: &BTreeMap<BString, TreeChange>,
) -> Result<(), PullError> {
    let options = repo.stat_options().map_err(Error::read("the configuration"))?;
    let to_the_nanosecond = gix::index::entry::stat::Options { use_nsec: true, ..options };
    let written = index.timestamp();
    let racy: Vec<(usize, BString, TreeSide)> = index
        .entries()
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry.stat.size != 0 && entry.stat.is_racy(written, options))
        .filter_map(|(at, entry)| {
            let kind = entry.mode.to_tree_entry_mode()?.kind();
            Some((at, entry.path(index).to_owned(), TreeSide { kind, id: entry.id }))
        })
        .filter(|(_, path, _)| !changes.contains_key(path))
        .collect();
    let mut doubted = Vec::new();
    {
        let mut inspector = Inspector::new(repo, root, index)?;
        for (at, path, side) in racy {
            let PathReach::At(metadata) = reach(root, &system_path(path.as_ref())?) else {
                continue;
            };
            match inspector.is(path.as_ref(), &metadata, side) {
                Ok(true) => {}
                // Without its filter, the time alone has to do, as far as it is known.
                Err(PullError::Checkout(Error::OwnFilter { .. }))
                    if !index.entries()[at].stat.is_racy(written, to_the_nanosecond) => {}
                // A file that can't be compared, as where a filter is not installed, is git's to look
                // at again.
                Ok(false) | Err(_) => doubted.push(at),
            }
        }
    }
    for at in doubted {
        index.entries_mut()[at].stat.size = 0;
    }
    Ok(())
}

/// Replaces the index file, whole or not at all. Its lock must be held.
pub(super) fn write_index(index: &gix::index::File, staging: &Staging) -> Result<(), PullError> {
    let writing = || "the index";
    let made = staging.path().join("index");
    let file = fs::File::create(&made).map_err(PullError::write(writing()))?;
    let mut out = io::BufWriter::new(file);
    index
        .write_to(&mut out, gix::index::write::Options::default())
        .map_err(PullError::write(writing()))?;
    out.into_inner()
        .map_err(|error| error.into_error())
        .and_then(|file| file.sync_all())
        .and_then(|()| fs::rename(&made, index.path()))
        .map_err(PullError::write(writing()))
}
