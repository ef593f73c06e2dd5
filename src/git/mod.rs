//! The checkout: finding it, naming its revisions, reading its files, bringing new commits in.
//!
//! The only user of gix. [`Checkout`] opens a repository; its methods are spread over this folder:
//! `revision` names commits, `tracked` those that targets track, and `signed` has them as they were signed.
//! `read` takes files from the object database, `authors` asks its history,
//! `worktree` those that are not committed. [`pull`] is the one thing here that writes.
//!
//! Nothing in a repository is taken on trust: `owner` decides whose may be used, `fault` which tree
//! objects are sound, `format` which repositories are known, `quarantine` which objects count,
//! `limits` how much is read; `trees` and `history` read no object past them, and `beneath` no file
//! outside the work tree. `own_programs` takes out the programs that its configuration names.
//! `barred` says which links may hide a folder.

mod authors;
mod cause;
mod error;
mod followed;
mod format;
mod history;
mod limits;
mod linked_folders;
mod named_commits;
mod own_programs;
mod owner;
mod path_content;
mod program;
mod promisor;
pub mod pull;
mod quarantine;
mod read;
mod relation;
mod revision;
mod signed;
mod tracked;
mod tracked_fault;
mod tree_fault;
mod trees;
mod walk;
mod worktree;
mod worktree_changes;

use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex};

use gix::sec::trust::DefaultForLevel;

pub use crate::core::credentials::{url_without_credentials, without_credentials};
pub use cause::Cause;
pub use error::{Error, LimitExceeded, LimitKind};
pub use limits::RepositoryLimits;
use named_commits::NamedCommits;
use owner::RepositoryCandidate;
pub use read::Listing;
pub use revision::{Descent, RootCommit};
pub use signed::{SignedCommit, SignedTag};
pub use tracked::TrackedRevision;
pub use tracked_fault::TrackedFault;
pub use tree_fault::TreeFault;
pub use worktree::{Uncommitted, WorkTree};

/// A local git repository, with or without a work tree. Cheap to clone, and any thread may read.
#[derive(Clone, Debug)]
pub struct Checkout {
    repository: gix::ThreadSafeRepository,
    root: PathBuf,
    bare: bool,
    limits: RepositoryLimits,
    /// The commits that names stood for when they were first looked up; `None` to look each time.
    named: Option<Arc<Mutex<NamedCommits>>>,
    /// Where objects that are on their way in are found.
    _incoming: Option<Arc<tempfile::TempDir>>,
}

impl Checkout {
    /// The checkout that `dir` is in: searched upwards, as git does.
    ///
    /// # Errors
    ///
    /// When there is none, when it can't be opened, and when it is another user's.
    pub fn discover(dir: &Path) -> Result<Self, Error> {
        Self::discover_within(dir, &RepositoryLimits::default())
    }

    /// As [`discover`](Self::discover), and nothing is read past `limits`.
    ///
    /// # Errors
    ///
    /// As of [`discover`](Self::discover).
    pub fn discover_within(dir: &Path, limits: &RepositoryLimits) -> Result<Self, Error> {
        let start =
            dir.canonicalize().map_err(|_| Error::NotARepository { dir: dir.to_owned() })?;
        let place = RepositoryCandidate::above(&start).map_err(|error| {
            let source = Cause::from(error);
            match holds_repository(&start) {
                true => Error::Open { dir: dir.to_owned(), source },
                false => Error::NotARepository { dir: dir.to_owned() },
            }
        })?;
        let checkout = Self::of(&place, dir, limits)?;
        if checkout.bare {
            place.check_bare()?;
        }
        Ok(checkout)
    }

    /// The checkout that is exactly at `dir`.
    pub(crate) fn open(dir: &Path, limits: &RepositoryLimits) -> Result<Self, Error> {
        let opening = |error| Error::Open { dir: dir.to_owned(), source: Cause::from(error) };
        let dir = dir.canonicalize().map_err(opening)?;
        Self::of(&RepositoryCandidate::at(&dir), &dir, limits)
    }

    fn of(
        place: &RepositoryCandidate,
        dir: &Path,
        limits: &RepositoryLimits,
    ) -> Result<Self, Error> {
        let opening = |source| Error::Open { dir: dir.to_owned(), source };
        // Before its configuration is read, and then all of it counts.
        place.check_owner()?;
        format::check(&place.common_dir(), dir)?;
        let mut repository = gix::open::Options::default_for_level(gix::sec::Trust::Full)
            .open_path_as_is(true)
            .config_overrides(limits.overrides())
            .open(&place.candidate)
            .map_err(|error| format::broken_config().unwrap_or(opening(Cause::from(error))))?;
        repository =
            own_programs::leave_out(repository).map_err(|error| opening(Cause::from(error)))?;
        let bare = repository.work_dir().is_none();
        let root = repository.work_dir().unwrap_or(repository.git_dir());
        let root = root.canonicalize().map_err(|error| opening(Cause::from(error)))?;
        let incoming = quarantine::add_incoming(&mut repository)
            .map_err(|error| opening(Cause::from(error)))?;
        let limits = limits.clone();
        Ok(Self { repository, root, bare, limits, named: None, _incoming: incoming })
    }

    /// The same, in which each name stays the commit that it is when it is first looked up, whatever
    /// is committed meanwhile: for what is read more than once and has to fit together.
    #[must_use]
    pub fn steady(mut self) -> Self {
        self.named = Some(Arc::default());
        self
    }

    /// The root of the work tree, or the git directory when there is none.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether there is no work tree.
    pub fn is_bare(&self) -> bool {
        self.bare
    }

    /// The folder's name: `shop`, for a bare `shop.git` too.
    pub fn folder_name(&self) -> String {
        let name = self.root.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_else(|| "checkout".to_owned());
        match name.strip_suffix(".git") {
            Some(stem) if self.bare && !stem.is_empty() => stem.to_owned(),
            _ => name,
        }
    }

    /// Where the PATH argument `arg`, written in the directory `cwd`, is from the root. The root
    /// itself is the empty string. A bare repository has no directories to be in, so there `arg`
    /// counts from the root.
    ///
    /// # Errors
    ///
    /// When the path lies outside of the checkout.
    pub fn repo_path(&self, cwd: &Path, arg: &Path) -> Result<String, Error> {
        let outside = || Error::Outside { path: arg.to_owned(), root: self.root.clone() };
        let whole = match self.bare {
            true if arg.is_absolute() => return Err(outside()),
            true => self.root.join(arg),
            false => cwd.canonicalize().map_err(|_| outside())?.join(arg),
        };
        // Symbolic links in the checkout stay what they are; one that leads to it is followed.
        let plain = without_dots(&whole);
        let inside = match plain.strip_prefix(&self.root) {
            Ok(inside) => inside.to_owned(),
            Err(_) => {
                let real = canonical_prefix(&plain);
                real.strip_prefix(&self.root).map_err(|_| outside())?.to_owned()
            }
        };
        let mut parts = Vec::new();
        for part in inside.components() {
            let part = part.as_os_str().to_str();
            parts.push(part.ok_or_else(|| Error::NotUtf8 { path: arg.to_owned() })?);
        }
        Ok(parts.join("/"))
    }

    /// Whether the repository knows any other to fetch from.
    pub fn has_remote(&self) -> bool {
        !self.local().remote_names().is_empty()
    }

    /// How much of it is read.
    pub(crate) fn limits(&self) -> &RepositoryLimits {
        &self.limits
    }

    /// Opens the index of every pack that there is now. To be called before threads share the
    /// repository: while one thread opens the last index of gix's object database (gix-odb 0.87,
    /// `load_next_index`), another may find nothing left to open and take an object for missing.
    pub(crate) fn open_packs(&self) {
        // The look for an object that is in no pack goes through all of them.
        let repository = self.local();
        repository.has_object(repository.object_hash().null());
    }

    /// A handle for this thread.
    pub(crate) fn local(&self) -> gix::Repository {
        self.repository.to_thread_local()
    }

    /// The shared handle from which another thread makes its own.
    pub(crate) fn shared(&self) -> gix::ThreadSafeRepository {
        self.repository.clone()
    }
}

/// Whether there is something that claims to be a repository at `dir` or above it.
fn holds_repository(dir: &Path) -> bool {
    dir.ancestors().any(|dir| dir.join(".git").exists() || dir.join("HEAD").is_file())
}

/// `path` without `.` and `..`, by its text alone.
fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

/// `path` with the links of that part of it that exists followed.
fn canonical_prefix(path: &Path) -> PathBuf {
    for ancestor in path.ancestors() {
        if let (Ok(real), Ok(rest)) = (ancestor.canonicalize(), path.strip_prefix(ancestor)) {
            return real.join(rest);
        }
    }
    path.to_owned()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn no_pack_is_left_for_threads_to_open_side_by_side() {
        let folder = tempfile::tempdir().unwrap();
        let git = |args: &[&str]| {
            let identity = ["-c", "user.name=Author", "-c", "user.email=author@example.com"];
            let mut git = Command::new("git");
            git.args(identity).args(args).current_dir(folder.path());
            assert!(git.env("GIT_CONFIG_GLOBAL", "/dev/null").status().unwrap().success());
        };
        let packs = |count: usize| {
            for number in 0..count {
                git(&["commit", "--quiet", "--allow-empty", "-m", &format!("{count}: {number}")]);
                git(&["repack", "--quiet"]);
            }
        };
        git(&["init", "--quiet"]);
        packs(3);
        let checkout = Checkout::discover(folder.path()).unwrap();
        let open = || {
            checkout.open_packs();
            let metrics = checkout.repository.objects.metrics();
            (metrics.open_reachable_indices, metrics.known_reachable_indices)
        };
        assert_eq!(open(), (3, 3));
        // A fetch of meanwhile.
        packs(2);
        assert_eq!(open(), (5, 5));
    }
}
