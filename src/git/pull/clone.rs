//! A checkout where there is none: made beside its place, whole, and then moved there.
//!
//! A clone that was killed leaves a folder with a name of its own, which the next one clears away.
//! A place that is there already, and empty, may be a mount that nothing can be moved onto; there
//! the clone is made inside, and its parts are moved out when it is whole.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use gix::bstr::BStr;
use gix::refs::FullName;
use gix::refspec::parse::Operation;
use gix::remote::fetch::Tags;
use gix::remote::{Direction, ref_map};

use super::branch_choice;
use super::lock::wait_for;
use super::ls_refs::Line;
use super::staging::checked;
use super::transport::{self, TransportOptions};
use super::url::{RemoteUrl, display};
use super::watchdog::{self, FetchLimits};
use super::{PullError, PullOptions, Pulled, encoding, newcomers, upstream};
use crate::git::trees::Trees;
use crate::git::{Cause, Checkout, Error};

/// The name of the folder that a clone is made in.
const SCRATCH: &str = ".trueup-clone";

/// The result of a clone.
pub(super) enum CloneOutcome {
    /// There already was a checkout, of whatever remote.
    There(Box<Checkout>),
    /// A new one.
    Cloned(Pulled),
}

/// Clones `url` to the options' directory unless a checkout is there.
pub(super) fn clone_unless_there(
    options: &PullOptions,
    url: &str,
) -> Result<CloneOutcome, PullError> {
    let url = RemoteUrl::parse(url)?;
    let place = std::path::absolute(&options.directory)
        .map_err(PullError::write(options.directory.display().to_string()))?;
    if is_checkout(&place) {
        // A clone that was killed at its very end may have left its empty scratch.
        for (folder, inside) in [(beside(&place), false), (Some(place.join(SCRATCH)), true)] {
            if let Some(folder) = folder.filter(|folder| folder.exists()) {
                drop(Scratch::lock(folder, inside, &place, options)?);
            }
        }
        return Ok(CloneOutcome::There(Box::new(Checkout::open(
            &place,
            &options.limits.for_pull(),
        )?)));
    }
    let scratch = Scratch::take(&place, options)?;
    // Another pull may have been faster.
    if is_checkout(&place) {
        return Ok(CloneOutcome::There(Box::new(Checkout::open(
            &place,
            &options.limits.for_pull(),
        )?)));
    }
    if !scratch.is_whole() {
        if !is_free(&place) {
            return Err(PullError::NotEmpty { directory: place });
        }
        scratch.clear()?;
        clone(&scratch.repository(), &url, options)?;
        scratch.set_whole()?;
    }
    scratch.move_out(&place)?;
    drop(scratch);
    describe(&Checkout::open(&place, &options.limits.for_pull())?).map(CloneOutcome::Cloned)
}

/// Whether a repository is exactly here.
fn is_checkout(place: &Path) -> bool {
    place.join(".git").exists() || (place.join("HEAD").is_file() && place.join("objects").is_dir())
}

/// Whether nothing is here but what a clone put here.
fn is_free(place: &Path) -> bool {
    match fs::read_dir(place) {
        Ok(entries) => entries.flatten().all(|entry| entry.file_name() == SCRATCH),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

/// The folder next to `place` that a clone is made in.
fn beside(place: &Path) -> Option<PathBuf> {
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(place.file_name()?);
    hidden.push(SCRATCH);
    Some(place.parent()?.join(hidden))
}

/// The folder that a clone is made in, locked.
struct Scratch {
    folder: PathBuf,
    inside: bool,
    _lock: File,
}

impl Scratch {
    fn take(place: &Path, options: &PullOptions) -> Result<Self, PullError> {
        let inside = place.exists();
        let folder = match beside(place) {
            Some(folder) if !inside => folder,
            _ => place.join(SCRATCH),
        };
        if inside && !is_free(place) && !folder.exists() {
            return Err(PullError::NotEmpty { directory: place.to_owned() });
        }
        Self::lock(folder, inside, place, options)
    }

    fn lock(
        folder: PathBuf,
        inside: bool,
        place: &Path,
        options: &PullOptions,
    ) -> Result<Self, PullError> {
        let writing = || folder.display().to_string();
        loop {
            fs::create_dir_all(&folder).map_err(PullError::write(writing()))?;
            let path = folder.join("lock");
            let lock = match File::options().write(true).create(true).truncate(false).open(&path) {
                // Whoever held it took the folder away.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                opened => opened.map_err(PullError::write(writing()))?,
            };
            wait_for(&lock, place, options)?;
            if is_same_file(&lock, &path) {
                return Ok(Self { folder, inside, _lock: lock });
            }
        }
    }

    fn repository(&self) -> PathBuf {
        self.folder.join("repository")
    }

    /// Whether a clone was finished here and is only to be moved.
    fn is_whole(&self) -> bool {
        self.folder.join("whole").exists()
    }

    fn set_whole(&self) -> Result<(), PullError> {
        let mark = self.folder.join("whole");
        File::create(&mark).map(drop).map_err(PullError::write(mark.display().to_string()))
    }

    fn clear(&self) -> Result<(), PullError> {
        let folder = self.repository();
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(PullError::write(folder.display().to_string())(error))
            }
            _ => Ok(()),
        }
    }

    /// Moves the clone to its place. What makes it a checkout moves last.
    fn move_out(&self, place: &Path) -> Result<(), PullError> {
        let from = self.repository();
        let failed = || PullError::write(place.display().to_string());
        if !self.inside && fs::rename(&from, place).is_ok() {
            return Ok(());
        }
        fs::create_dir_all(place).map_err(failed())?;
        let mut names = Vec::new();
        for entry in fs::read_dir(&from).map_err(failed())? {
            names.push(entry.map_err(failed())?.file_name());
        }
        names.sort_by_key(|name| name == OsStr::new(".git") || name == OsStr::new("HEAD"));
        for name in names {
            fs::rename(from.join(&name), place.join(&name)).map_err(failed())?;
        }
        Ok(())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A clone that is whole and not yet moved is worth keeping; the rest the next one clears.
        if !self.is_whole() || !self.repository().exists() || is_empty(&self.repository()) {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

#[cfg(unix)]
fn is_same_file(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    let there = path.metadata().ok().map(id);
    there.is_some() && there == file.metadata().ok().map(id)
}

#[cfg(not(unix))]
fn is_same_file(_file: &File, path: &Path) -> bool {
    path.exists()
}

/// Clones to `folder`, which is not there yet.
fn clone(folder: &Path, url: &RemoteUrl, options: &PullOptions) -> Result<(), PullError> {
    let manner = TransportOptions::of(options, url.credentials.clone());
    let words = manner.words.clone();
    let (from, to) = (url.url.clone(), folder.to_owned());
    let (branch, bare) = (options.branch.clone(), options.bare);
    let limits = options.limits.for_pull();
    let overrides = limits.overrides();
    let bounds = FetchLimits::of(options);
    let fetched = watchdog::watch(bounds, &options.interrupt, move |pulse, stop| {
        let kind = match bare {
            true => gix::create::Kind::Bare,
            false => gix::create::Kind::WithWorktree,
        };
        let opening = gix::open::Options::default().config_overrides(overrides);
        let made = gix::create::Options::default();
        let mut fetch = gix::clone::PrepareFetch::new(from.clone(), &to, kind, made, opening)?;
        let mut repo = gix::open(&to)?;
        let defaults = transport::ssh_defaults(&repo, manner.patience);
        let mut config = repo.config_snapshot_mut();
        config.append_config(&defaults, gix::config::Source::Api)?;
        config.commit()?;
        let remote = repo.remote_at(from.clone())?;
        let mut line = Line { remote, name: "origin", manner: &manner, pulse: pulse.clone() };
        let chosen = match branch_choice::branch(&mut line, branch.as_deref(), &display(&from))? {
            Ok(chosen) => chosen,
            Err(error) => return Ok(Err(error)),
        };
        drop(line);
        if let Some(branch) = &chosen {
            fetch = only(fetch, branch, bare)?;
        }
        let asking = pulse.clone();
        fetch = fetch
            .with_in_memory_config_overrides(defaults)
            .with_ref_name(chosen.as_ref().map(|branch| branch.as_bstr()))?
            .configure_connection(move |connection| {
                manner.add_poll();
                transport::prepare(connection, Some(BStr::new("origin")), &manner, &asking)
            });
        fetch.fetch_then_checkout(pulse, stop).map(|(checkout, _)| Ok(checkout))
    });
    let mut prepared = match fetched {
        Ok(Ok(Ok(prepared))) => prepared,
        Ok(Ok(Err(error))) => return Err(error),
        Ok(Err(error)) => {
            return Err(PullError::Fetch {
                url: url.text(),
                source: words.explain(Cause::of_transport(&error)),
            });
        }
        Err(stopped) => return Err(stopped.into_error(url.text(), bounds)),
    };
    if prepared.repo().head().map_err(Error::read("HEAD"))?.is_unborn() {
        return Err(PullError::EmptyRemote { url: url.text() });
    }
    let tip = prepared.repo().head_id().map_err(Error::read("HEAD"))?.detach();
    Trees::of(prepared.repo(), &limits, tip)?.inspect()?;
    if bare {
        prepared.persist();
        return Ok(());
    }
    let (repo, outcome) = prepared
        .main_worktree(gix::progress::Discard, &options.interrupt)
        .map_err(PullError::write("the files of the checkout"))?;
    if options.interrupt.load(std::sync::atomic::Ordering::Relaxed) {
        return Err(PullError::Interrupted);
    }
    checked(outcome)?;
    let index = repo.index_or_empty().map_err(Error::index)?;
    encoding::correct(&repo, &index, repo.workdir().unwrap_or(folder))
}

/// Has the clone, and every later fetch of it, ask for `branch` alone.
fn only(
    fetch: gix::clone::PrepareFetch,
    branch: &FullName,
    bare: bool,
) -> Result<gix::clone::PrepareFetch, gix::Error> {
    let name = branch.as_bstr();
    let short = branch.shorten();
    // In a bare repository the remote's branch is followed by the branch itself, which only
    // fast-forwards.
    let (spec, first) = match bare {
        true => (name.to_owned(), format!("+{name}:{name}")),
        false => {
            let spec = format!("+{name}:refs/remotes/origin/{short}");
            (spec.clone().into(), spec)
        }
    };
    let first = gix::refspec::parse(BStr::new(&first), Operation::Fetch)?.to_owned();
    let extra_refspecs = vec![first];
    Ok(fetch
        .with_fetch_options(ref_map::Options { extra_refspecs, ..Default::default() })
        .configure_remote(move |remote| {
            let mut remote = remote.with_fetch_tags(Tags::None);
            // gix would have all branches by now.
            remote.replace_refspecs([&spec], Direction::Fetch)?;
            Ok(remote)
        }))
}

/// The result for a new checkout.
fn describe(checkout: &Checkout) -> Result<Pulled, PullError> {
    let repo = checkout.local();
    let head = repo.head().map_err(Error::read("HEAD"))?;
    let branch = head.referent_name().map(ToOwned::to_owned);
    let Some(branch) = branch else {
        let commit = head.id().map(|id| id.to_string()).unwrap_or_default();
        return Err(PullError::Detached { commit });
    };
    let commit = upstream::commit_of(&repo, &branch)?;
    let short = branch.shorten().to_string();
    let commit = commit.ok_or_else(|| Error::Unborn { branch: short.clone() })?;
    let files = Trees::of(&repo, checkout.limits(), commit)?.inspect()?.files;
    let files = usize::try_from(files).unwrap_or(usize::MAX);
    let (commits, authors) = newcomers(&repo, None, commit)?;
    Ok(Pulled {
        branch: short,
        before: None,
        after: commit.to_string(),
        commits,
        authors,
        files,
        ahead: 0,
        cloned: true,
        tracked: Vec::new(),
        refused: Vec::new(),
    })
}
