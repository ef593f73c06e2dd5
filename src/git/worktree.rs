//! The uncommitted part of the work tree.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

use gix::bstr::{BString, ByteSlice};
use gix::filter::plumbing::pipeline::convert::ToGitOutcome;
use gix::index::entry::Mode;

use super::own_programs::LeftOut;
use super::path_content::{self, PathContent};
use super::read::Listing;
use super::tree_fault::{self, inert};
use super::trees::Trees;
use super::worktree_changes::{Changes, changes, is_under, unknown};
use super::{Checkout, Error, linked_folders};
use crate::core::source::snapshot::{LARGEST, Revision, Skipped, Snapshot, WhySkipped};

/// The uncommitted part of the work tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uncommitted {
    /// The paths that differ.
    pub paths: Vec<String>,
    /// Why that is unknown, if it is.
    pub unknown: Option<String>,
}

/// The work tree under some paths, once it is known which files differ from the commit. Whatever is
/// read of it goes by the same look at it.
pub struct WorkTree<'a> {
    checkout: &'a Checkout,
    repo: gix::Repository,
    paths: Vec<String>,
    revision: Revision,
    /// Every path that differs between `HEAD`, the index and the work tree.
    changed: BTreeSet<BString>,
    index: gix::worktree::IndexPersistedOrInMemory,
}

impl Uncommitted {
    /// The part of it that is under these paths.
    pub fn under(&self, paths: &[String]) -> Self {
        let is_under = |path: &&String| is_under(path.as_bytes().as_bstr(), paths);
        let paths = self.paths.iter().filter(is_under).cloned().collect();
        Self { paths, unknown: self.unknown.clone() }
    }

    /// Adds what was found in another place.
    pub fn join(&mut self, other: Self) {
        self.paths.extend(other.paths);
        self.paths.sort();
        self.paths.dedup();
        self.unknown = self.unknown.take().or(other.unknown);
    }
}

impl Checkout {
    /// The paths under `paths` that differ from `HEAD`: staged, not staged, and untracked ones that
    /// are not ignored. A bare repository has none.
    ///
    /// # Errors
    ///
    /// When the commit itself is none that is read. What is wrong with the index or the work tree
    /// is none: neither is part of a commit.
    pub fn uncommitted(&self, paths: &[String]) -> Result<Uncommitted, Error> {
        if self.is_bare() {
            return Ok(Uncommitted::default());
        }
        match self.changes(&self.local(), paths) {
            Ok(Changes { paths, unfiltered }) => {
                let paths = paths.into_iter().map(|path| path.to_string()).collect();
                Ok(Uncommitted { paths, unknown: unknown(unfiltered) })
            }
            Err(error @ (Error::Read { .. } | Error::Index { .. })) => {
                let mut why = error.to_string();
                let mut next = std::error::Error::source(&error);
                while let Some(cause) = next {
                    why.push_str(&format!(": {cause}"));
                    next = cause.source();
                }
                Ok(Uncommitted { paths: Vec::new(), unknown: Some(why) })
            }
            Err(error) => Err(error),
        }
    }

    /// One regular file's content as the work tree has it, or `None` if there is no such file. What
    /// is there and not to be read is an error, as it is of a commit.
    ///
    /// # Errors
    ///
    /// When the path can't be read, or is not a regular file.
    pub fn read_worktree_file(&self, path: &str) -> Result<Option<Vec<u8>>, Error> {
        if self.is_bare() {
            return Ok(None);
        }
        let unread = |path: &str, why| Err(Error::Unread { path: path.to_owned(), why });
        match path_content::open(self.root(), path).map_err(Error::read(path.to_owned()))? {
            PathContent::Nothing | PathContent::Folder => Ok(None),
            PathContent::Link(above) => unread(&above, WhySkipped::Symlink),
            PathContent::Skipped(why) => unread(path, why),
            PathContent::File(_, bytes) if bytes > LARGEST => {
                unread(path, WhySkipped::TooLarge { bytes })
            }
            PathContent::File(file, _) => {
                let mut content = Vec::new();
                // It may have grown since.
                file.take(LARGEST)
                    .read_to_end(&mut content)
                    .map_err(Error::read(path.to_owned()))?;
                Ok(Some(content))
            }
        }
    }

    /// The regular files under `paths` as the work tree has them: tracked ones, and untracked ones
    /// that are not ignored, with the content that committing them would store.
    ///
    /// # Errors
    ///
    /// When a path is not there, the work tree can't be read, or a limit is exceeded.
    pub fn worktree(
        &self,
        paths: &[String],
        wanted: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<Snapshot, Error> {
        self.read(self.look_at_worktree(paths)?.list(wanted)?)
    }

    /// Finds out what differs from the commit in the work tree under `paths`.
    ///
    /// # Errors
    ///
    /// When the work tree can't be read.
    pub fn look_at_worktree(&self, paths: &[String]) -> Result<WorkTree<'_>, Error> {
        if self.is_bare() {
            return Err(Error::Bare { root: self.root().to_owned() });
        }
        let mut repo = self.local();
        let mut revision = match self.resolve(None) {
            Err(Error::Unborn { branch }) => Revision::unborn(branch),
            resolved => resolved?,
        };
        let Changes { paths: mut changed, unfiltered } = self.changes(&repo, paths)?;
        // Reading one of these is an error.
        changed.extend(unfiltered.into_keys());
        revision.dirty = !changed.is_empty();
        // Whether a file would survive a round trip through git is of no interest to a reader.
        read_config(repo.config_snapshot_mut().set_raw_value("core.safecrlf", "false"))?;

        let index = repo.index_or_empty().map_err(Error::index)?;
        Ok(WorkTree {
            checkout: self,
            repo,
            paths: paths.to_vec(),
            revision,
            changed,
            index: index.into(),
        })
    }

    /// The link or submodule that a folder may be behind at a path that differs from the commit.
    fn bars_where_changed(&self, path: &str) -> Result<Option<Skipped>, Error> {
        // Most of these are files, and most of them many: looked at without being opened.
        let Ok(at) = self.root().join(path).symlink_metadata() else { return Ok(None) };
        match at.is_symlink() {
            true => self.bars(path, WhySkipped::Symlink),
            false if at.is_dir() => self.bars(path, WhySkipped::Submodule),
            false => Ok(None),
        }
    }

    /// A link or a submodule of the work tree, unless it is a link to a file of it.
    fn bars(&self, path: &str, why: WhySkipped) -> Result<Option<Skipped>, Error> {
        if why == WhySkipped::Symlink && self.leads_to_a_file(path)? {
            return Ok(None);
        }
        Ok(Some(Skipped { path: path.to_owned(), why }))
    }

    fn leads_to_a_file(&self, link: &str) -> Result<bool, Error> {
        let Ok(target) = std::fs::read_link(self.root().join(link)) else { return Ok(false) };
        let Some(next) =
            target.to_str().and_then(|target| linked_folders::join(link, target.into()))
        else {
            return Ok(false);
        };
        let found =
            path_content::open(self.root(), &next).map_err(Error::read(inert(link.into())))?;
        Ok(matches!(found, PathContent::File(..)))
    }

    /// Every path under `paths` that differs between `HEAD`, the index and the work tree.
    fn changes(&self, repo: &gix::Repository, paths: &[String]) -> Result<Changes, Error> {
        // The comparison unfolds the whole commit, which is why it is looked through first.
        if let Ok(commit) = repo.head_id() {
            Trees::of(repo, &self.limits, commit.detach())?.inspect()?;
        }
        changes(repo, paths)
    }
}

impl WorkTree<'_> {
    /// The wanted files, of which those that differ from the commit are read.
    ///
    /// # Errors
    ///
    /// When a path is not there, or a file can't be read.
    pub fn list(&self, wanted: &(dyn Fn(&str) -> bool + Sync)) -> Result<Listing, Error> {
        let Self { checkout: _, repo, paths, revision, changed, index } = self;
        let mut skipped = Vec::new();
        let mut barred = Vec::new();
        let mut same = Vec::new();
        let mut found: BTreeSet<&str> = BTreeSet::new();
        for entry in index.entries() {
            let path = entry.path(index);
            if !is_under(path, paths) {
                continue;
            }
            tree_fault::check_path(path)
                .map_err(|fault| Error::UnsoundIndex { path: inert(path), fault })?;
            let Ok(text) = path.to_str() else {
                if !changed.contains(path) {
                    skipped.push(Skipped { path: path.to_string(), why: WhySkipped::NotUtf8 });
                }
                continue;
            };
            found.insert(text);
            if changed.contains(path) {
                continue;
            }
            let why = match entry.mode {
                Mode::SYMLINK => WhySkipped::Symlink,
                Mode::COMMIT => WhySkipped::Submodule,
                _ if wanted(text) => {
                    same.push((text.to_owned(), entry.id));
                    continue;
                }
                _ => continue,
            };
            match wanted(text) {
                true => skipped.push(Skipped { path: text.to_owned(), why }),
                false => barred.extend(self.checkout.bars(text, why)?),
            }
        }
        let unnamed = changed.iter().filter(|path| path.to_str().is_err() && self.has(path));
        let why = WhySkipped::NotUtf8;
        skipped.extend(unnamed.map(|path| Skipped { path: path.to_string(), why }));
        let changed_text = || changed.iter().filter_map(|path| path.to_str().ok());
        for path in paths.iter().filter(|path| !path.is_empty()) {
            let tracked = found.iter().map(|file| file.as_bytes().as_bstr());
            let known = tracked.chain(changed.iter().map(|file| file.as_bstr()));
            if let Some(above) = path_content::link_above(self.checkout.root(), path) {
                let (kind, commit) = ("symbolic link", revision.commit.clone());
                return Err(Error::NotFiles { path: above, kind, commit });
            }
            if !known.into_iter().any(|file| is_under(file, std::slice::from_ref(path))) {
                let near = crate::core::suggest::suggest(
                    path,
                    found.iter().map(|file| (*file).to_owned()),
                );
                return Err(Error::UnknownPath { path: path.clone(), commit: None, near });
            }
        }

        let mut files = BTreeMap::new();
        let mut reader = WorkTreeReader::new(repo)?;
        for path in changed_text() {
            if !wanted(path) {
                barred.extend(self.checkout.bars_where_changed(path)?);
                continue;
            }
            let why = match path_content::open(self.checkout.root(), path)
                .map_err(Error::read(format!("`{}` of the work tree", inert(path.into()))))?
            {
                PathContent::Nothing => continue,
                PathContent::Link(_) => WhySkipped::BehindSymlink,
                PathContent::Folder => WhySkipped::Submodule,
                PathContent::Skipped(why) => why,
                PathContent::File(_, bytes) if bytes > LARGEST => WhySkipped::TooLarge { bytes },
                PathContent::File(file, _) => {
                    files.insert(path.to_owned(), reader.read(file, path)?);
                    continue;
                }
            };
            skipped.push(Skipped { path: path.to_owned(), why });
        }
        skipped.sort();
        barred.sort();
        let (revision, hash) = (revision.clone(), repo.object_hash());
        Ok(Listing { revision, hash, blobs: same, changed: files, skipped, barred })
    }

    /// Whether the work tree has something at this path, which is any bytes.
    fn has(&self, path: &BString) -> bool {
        let path = gix::path::from_bstr(path.as_bstr());
        path.is_ok_and(|path| self.checkout.root().join(path).symlink_metadata().is_ok())
    }
}

fn read_config<T, E: std::error::Error + 'static>(set: Result<T, E>) -> Result<(), Error> {
    set.map(drop).map_err(Error::read("the configuration"))
}

/// Reads files of the work tree as git would store them.
struct WorkTreeReader<'repo> {
    filters: gix::filter::Pipeline<'repo>,
    left_out: LeftOut<'repo>,
    index: gix::worktree::IndexPersistedOrInMemory,
}

impl<'repo> WorkTreeReader<'repo> {
    fn new(repo: &'repo gix::Repository) -> Result<Self, Error> {
        let (filters, index) = repo.filter_pipeline(None).map_err(Error::read("the filters"))?;
        let left_out = LeftOut::in_worktree(repo, &index)?;
        Ok(Self { filters, left_out, index })
    }

    fn read(&mut self, file: std::fs::File, path: &str) -> Result<Vec<u8>, Error> {
        self.left_out.check(path.into())?;
        let reading = || format!("`{path}` of the work tree");
        let converted = self
            .filters
            .convert_to_git(file, Path::new(path), &self.index)
            .map_err(Error::read(reading()))?;
        let mut content = Vec::new();
        match converted {
            ToGitOutcome::Unchanged(file) => file.take(LARGEST).read_to_end(&mut content),
            ToGitOutcome::Buffer(buffer) => return Ok(buffer.to_vec()),
            ToGitOutcome::Process(mut process) => process.read_to_end(&mut content),
        }
        .map_err(Error::read(reading()))?;
        Ok(content)
    }
}
