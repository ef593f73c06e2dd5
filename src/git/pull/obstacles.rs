//! Is there local work where the update would write? Looks, and changes nothing.
//!
//! A path is free when the index and the work tree have there what the old commit has, or already
//! what the new one has: then a killed pull wrote it. A file that is gone is free too, as it is for
//! git.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use gix::bstr::{BStr, BString, ByteSlice};
use gix::filter::plumbing::pipeline::convert::ToGitOutcome;
use gix::index::entry::{Flags, Mode, Stage};
use gix::objs::tree::EntryKind;

use super::paths::system_path;
use super::staging::Staging;
use super::tree::{TreeChange, TreeSide};
use super::{Obstacle, PullError, WhyObstacle};
use crate::git::Error;
use crate::git::own_programs::LeftOut;

/// The stamp that shows that a file is still the one that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileStamp {
    modified: Option<SystemTime>,
    bytes: u64,
}

/// The entry at a path of the work tree, as far as an update must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WorkTreeEntry {
    /// Nothing, or a folder that holds nothing of interest.
    Nothing,
    /// A file that may be replaced: git has its content.
    Old(FileStamp),
    /// The new file, byte for byte.
    New,
}

/// Looks at the work tree through git's eyes.
pub(super) struct Inspector<'a> {
    root: PathBuf,
    index: &'a gix::index::File,
    filters: gix::filter::Pipeline<'a>,
    left_out: LeftOut<'a>,
    executable_bit: bool,
}

impl<'a> Inspector<'a> {
    pub(super) fn new(
        repo: &'a gix::Repository,
        root: &Path,
        index: &'a gix::index::File,
    ) -> Result<Self, Error> {
        let (filters, _) = repo.filter_pipeline(None).map_err(Error::read("the filters"))?;
        let system = repo.filesystem_options().map_err(Error::read("the configuration"))?;
        let left_out = LeftOut::in_worktree(repo, index)?;
        let executable_bit = system.executable_bit;
        Ok(Self { root: root.to_owned(), index, filters, left_out, executable_bit })
    }

    /// The entries at every path of `changes`, or all obstacles.
    pub(super) fn inspect(
        &mut self,
        changes: &BTreeMap<BString, TreeChange>,
        staging: &Staging,
    ) -> Result<BTreeMap<BString, WorkTreeEntry>, PullError> {
        let mut found = BTreeMap::new();
        let mut obstacles = Vec::new();
        for (path, change) in changes {
            if !self.index_is_free(path.as_ref(), change) {
                obstacles.push(obstacle(path.as_ref(), WhyObstacle::Staged));
                continue;
            }
            match self.inspect_path(path.as_ref(), change, changes, staging)? {
                Ok(state) => {
                    found.insert(path.clone(), state);
                }
                Err(obstacle) => obstacles.push(obstacle),
            }
        }
        obstacles.sort();
        obstacles.dedup();
        if obstacles.is_empty() { Ok(found) } else { Err(PullError::Dirty(obstacles)) }
    }

    /// Whether the index has the old entry, or already the new one.
    fn index_is_free(&self, path: &BStr, change: &TreeChange) -> bool {
        let entry = self.index.entry_by_path_and_stage(path, Stage::Unconflicted);
        let has = |side: TreeSide| {
            entry.is_some_and(|entry| {
                entry.id == side.id
                    && mode_of(side.kind) == entry.mode
                    && !entry.flags.contains(Flags::INTENT_TO_ADD)
            })
        };
        [change.old, change.new].into_iter().any(|side| side.map_or(entry.is_none(), has))
    }

    /// The entry of the work tree at `path`.
    fn inspect_path(
        &mut self,
        path: &BStr,
        change: &TreeChange,
        changes: &BTreeMap<BString, TreeChange>,
        staging: &Staging,
    ) -> Result<Result<WorkTreeEntry, Obstacle>, PullError> {
        let system_path = system_path(path)?;
        let metadata = match reach(&self.root, &system_path) {
            PathReach::At(metadata) => metadata,
            PathReach::Nothing => return Ok(Ok(WorkTreeEntry::Nothing)),
            // A file where a folder must be: fine when it is one of those that go.
            PathReach::Blocked(at) => {
                let at = gix::path::into_bstr(at).map_err(Error::read("a path"))?.into_owned();
                let goes = changes.get(&at).is_some_and(|other| other.new.is_none());
                return Ok(match goes || change.new.is_none() {
                    true => Ok(WorkTreeEntry::Nothing),
                    false => Err(obstacle(at.as_ref(), WhyObstacle::Untracked)),
                });
            }
        };
        if is_commit(change.old) || is_commit(change.new) {
            // A submodule's files are its own affair; only its entry in the index changes.
            return Ok(match metadata.is_dir() {
                true => Ok(WorkTreeEntry::Nothing),
                false if change.old.is_some_and(|old| old.kind != EntryKind::Commit) => {
                    self.compare(path, &metadata, change, staging)?
                }
                false => Err(obstacle(path, WhyObstacle::Untracked)),
            });
        }
        if metadata.is_dir() {
            if change.new.is_none() {
                return Ok(Ok(WorkTreeEntry::Nothing));
            }
            let mut kept = Vec::new();
            files_in(&self.root.join(&system_path), &mut kept);
            for file in kept {
                let inner = file.strip_prefix(&self.root).unwrap_or(&file);
                let inner = gix::path::into_bstr(inner).map_err(Error::read("a path"))?;
                if changes.get(inner.as_ref()).is_none_or(|other| other.new.is_some()) {
                    return Ok(Err(obstacle(inner.as_ref(), WhyObstacle::Untracked)));
                }
            }
            return Ok(Ok(WorkTreeEntry::Nothing));
        }
        self.compare(path, &metadata, change, staging)
    }

    /// Whether the file at `path` is the old or the new one.
    fn compare(
        &mut self,
        path: &BStr,
        metadata: &Metadata,
        change: &TreeChange,
        staging: &Staging,
    ) -> Result<Result<WorkTreeEntry, Obstacle>, PullError> {
        if change.new.is_some() && self.is_staged_file(path, metadata, staging)? {
            return Ok(Ok(WorkTreeEntry::New));
        }
        for side in [change.old, change.new].into_iter().flatten() {
            if self.is(path, metadata, side)? {
                return Ok(Ok(WorkTreeEntry::Old(seen(metadata))));
            }
        }
        Ok(Err(match change.old {
            Some(_) => obstacle(path, WhyObstacle::Modified),
            None => obstacle(path, WhyObstacle::Untracked),
        }))
    }

    /// Whether the file is, byte for byte, what the update would write.
    fn is_staged_file(
        &self,
        path: &BStr,
        metadata: &Metadata,
        staging: &Staging,
    ) -> Result<bool, PullError> {
        let system_path = system_path(path)?;
        let (there, new) = (self.root.join(&system_path), staging.file(&system_path));
        let Ok(other) = new.symlink_metadata() else { return Ok(false) };
        if metadata.is_symlink() || other.is_symlink() {
            let both = metadata.is_symlink() && other.is_symlink();
            return Ok(both && fs::read_link(there).ok() == fs::read_link(new).ok());
        }
        // A pipe would be waited for.
        if !metadata.is_file()
            || metadata.len() != other.len()
            || gix::fs::is_executable(metadata) != gix::fs::is_executable(&other)
        {
            return Ok(false);
        }
        let reading = || format!("`{path}`");
        let there = fs::read(there).map_err(Error::read(reading()))?;
        Ok(there == fs::read(new).map_err(Error::read(reading()))?)
    }

    /// Whether committing the file would store `side`.
    pub(super) fn is(
        &mut self,
        path: &BStr,
        metadata: &Metadata,
        side: TreeSide,
    ) -> Result<bool, PullError> {
        let reading = || format!("`{path}`");
        let system_path = system_path(path)?;
        let there = self.root.join(&system_path);
        let content = match side.kind {
            EntryKind::Link if metadata.is_symlink() => {
                let target = fs::read_link(&there).map_err(Error::read(reading()))?;
                gix::path::into_bstr(target).map_err(Error::read(reading()))?.into_owned().into()
            }
            EntryKind::Blob | EntryKind::BlobExecutable if metadata.is_file() => {
                let executable = side.kind == EntryKind::BlobExecutable;
                if self.executable_bit && gix::fs::is_executable(metadata) != executable {
                    return Ok(false);
                }
                self.left_out.check(path)?;
                let file = fs::File::open(&there).map_err(Error::read(reading()))?;
                let mut content = Vec::new();
                let read = match self
                    .filters
                    .convert_to_git(file, &system_path, self.index)
                    .map_err(Error::read(reading()))?
                {
                    ToGitOutcome::Unchanged(mut file) => file.read_to_end(&mut content),
                    ToGitOutcome::Buffer(buffer) => buffer.as_bytes().read_to_end(&mut content),
                    ToGitOutcome::Process(mut process) => process.read_to_end(&mut content),
                };
                read.map_err(Error::read(reading()))?;
                content
            }
            _ => return Ok(false),
        };
        let id = gix::objs::compute_hash(side.id.kind(), gix::objs::Kind::Blob, &content)
            .map_err(Error::read(reading()))?;
        Ok(id == side.id)
    }
}

/// The stamp that shows that the file is still this one.
pub(super) fn seen(metadata: &Metadata) -> FileStamp {
    FileStamp { modified: metadata.modified().ok(), bytes: metadata.len() }
}

/// Where a path leads without following any link.
pub(super) enum PathReach {
    At(Metadata),
    Nothing,
    /// A file or a link is where a folder should be; the path of it from the root.
    Blocked(PathBuf),
}

/// Goes from `root` down to `path`.
pub(super) fn reach(root: &Path, path: &Path) -> PathReach {
    let mut at = PathBuf::new();
    let mut parts = path.components().peekable();
    while let Some(part) = parts.next() {
        at.push(part);
        let Ok(metadata) = root.join(&at).symlink_metadata() else { return PathReach::Nothing };
        if parts.peek().is_none() {
            return PathReach::At(metadata);
        }
        if !metadata.is_dir() {
            return PathReach::Blocked(at);
        }
    }
    PathReach::Nothing
}

/// Mode of an index entry of this kind.
pub(super) fn mode_of(kind: EntryKind) -> Mode {
    match kind {
        EntryKind::Tree => Mode::DIR,
        EntryKind::Blob => Mode::FILE,
        EntryKind::BlobExecutable => Mode::FILE_EXECUTABLE,
        EntryKind::Link => Mode::SYMLINK,
        EntryKind::Commit => Mode::COMMIT,
    }
}

fn is_commit(side: Option<TreeSide>) -> bool {
    side.is_some_and(|side| side.kind == EntryKind::Commit)
}

fn obstacle(path: &BStr, why: WhyObstacle) -> Obstacle {
    Obstacle { path: path.to_string(), why }
}

/// Everything in `folder` that is not a folder itself.
fn files_in(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files_in(&entry.path(), files),
            _ => files.push(entry.path()),
        }
    }
}
