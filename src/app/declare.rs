//! Git → manifests: what the target's paths declare at a commit, written down or rendered.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::{Error, Target};
use crate::core::manifest::{self, Manifest};
use crate::core::problem::{Location, Problem};
use crate::core::redact::Inputs;
use crate::core::source::selection::{IGNORE_FILE, Selection};
use crate::core::source::snapshot::{Revision, Skipped, Snapshot, WhySkipped};
use crate::git::{self, Checkout, Uncommitted};
use crate::render::file_index::{FileIndex, is_marker, refers_to_others};
use crate::render::render;
use crate::render::sources::Sources;

/// The declared objects of a target.
#[derive(Clone)]
pub struct Declared {
    /// The commit that declares it.
    pub revision: Revision,
    /// Every object, in the order of files and documents.
    pub manifests: Vec<Manifest>,
    /// Every document that can't be read.
    pub problems: Vec<Problem>,
    /// Texts that are read otherwise than their author most likely meant.
    pub warnings: Vec<Problem>,
    /// Warnings of files below rendered folders that are not read.
    pub unreferenced: Vec<Problem>,
    /// Secret inputs of rendering programs.
    pub inputs: Inputs,
    /// How many files were read as manifests, and how many folders and programs rendered.
    pub files: usize,
    /// Whether programs rendered a part of it, so that the commit alone does not say what it is.
    pub is_rendered: bool,
    /// Whether there are ignore files, so that more may be declared than is desired.
    pub has_ignore_files: bool,
    /// Changes in the work tree under the target's paths that are not in the commit; empty when
    /// the work tree itself is read.
    pub uncommitted: Uncommitted,
}

/// Reads what `target` declares from the object database, or from the work tree where it says so,
/// and renders what is not a manifest.
///
/// # Errors
///
/// When git can't be read, or a path is not there.
pub async fn declare(target: &Target, checkout: &Checkout) -> Result<Declared, Error> {
    let (target, checkout) = (target.clone(), checkout.clone());
    tokio::task::spawn_blocking(move || {
        let files = match target.worktree {
            true => Files { checkout: &checkout, at: None },
            false => {
                let revision = checkout.resolve(target.rev.as_deref())?;
                Files { checkout: &checkout, at: Some(revision) }
            }
        };
        let is_beside_head = !target.worktree && target.rev.is_none();
        checkout.open_packs();
        thread::scope(|scope| {
            let changes =
                is_beside_head.then(|| scope.spawn(|| checkout.uncommitted(&target.paths)));
            let declared = read_and_render(&target, &files, IgnoreRules::AsSaid);
            let mut declared = declared.map_err(|error| error.of_a_declared_path(&target))?;
            if let Some(changes) = changes {
                let changes = changes.join();
                declared.uncommitted =
                    changes.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            }
            Ok(declared)
        })
    })
    .await?
}

/// The objects that `target` declares at `revision` with no file ignored. Files that can't be read
/// or rendered are left out without a word: they may be ignored for that very reason.
///
/// # Errors
///
/// When git can't be read, or a path is not there.
pub(super) async fn declare_ignored_too(
    target: &Target,
    checkout: &Checkout,
    revision: &Revision,
) -> Result<Vec<Manifest>, Error> {
    let (target, checkout, revision) = (target.clone(), checkout.clone(), revision.clone());
    tokio::task::spawn_blocking(move || {
        let files = Files { checkout: &checkout, at: (!target.worktree).then_some(revision) };
        Ok(read_and_render(&target, &files, IgnoreRules::Nothing)?.manifests)
    })
    .await?
}

/// The plain manifests that `target` declares at `revision`: nothing is rendered, and what can't be
/// read is left out without a word.
///
/// # Errors
///
/// When git can't be read, or a path is not there.
pub(super) fn declare_plain(
    target: &Target,
    checkout: &Checkout,
    revision: &Revision,
) -> Result<Vec<Manifest>, Error> {
    let at = (!target.worktree).then(|| revision.clone());
    Ok(read_plain(target, &Files { checkout, at }, IgnoreRules::AsSaid)?.0.manifests)
}

/// The commit that was read last: rounds of a watch read the same one again and again.
#[derive(Clone, Default)]
pub struct LastRead(Arc<Mutex<Option<(Target, Declared)>>>);

impl LastRead {
    /// The declared objects of `target` at `HEAD` or its revision, where those were read.
    fn recall(&self, target: &Target, checkout: &Checkout) -> Result<Option<Declared>, Error> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((_, declared)) = known.as_ref().filter(|(known, _)| known == target) else {
            return Ok(None);
        };
        let revision = checkout.resolve(target.rev.as_deref())?;
        if declared.revision.commit != revision.commit {
            return Ok(None);
        }
        let uncommitted = match target.rev {
            None => checkout.uncommitted(&target.paths)?,
            Some(_) => Uncommitted::default(),
        };
        Ok(Some(Declared { revision, uncommitted, ..declared.clone() }))
    }

    /// Keeps what was read of a commit, if all of it could be: next time a program may work, or a
    /// file be there.
    fn keep(&self, target: &Target, declared: &Declared) {
        let is_whole = !target.worktree && declared.problems.is_empty();
        let kept = is_whole.then(|| (target.clone(), declared.clone()));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = kept;
    }
}

/// As [`declare`], except that the commit that `last` holds is neither read nor rendered again.
///
/// # Errors
///
/// As of [`declare`].
pub async fn declare_again(
    target: &Target,
    checkout: &Checkout,
    last: &LastRead,
) -> Result<Declared, Error> {
    let recall = {
        let (target, checkout, last) = (target.clone(), checkout.clone(), last.clone());
        move || last.recall(&target, &checkout)
    };
    if let Some(known) = tokio::task::spawn_blocking(recall).await?? {
        return Ok(known);
    }
    let declared = declare(target, checkout).await?;
    last.keep(target, &declared);
    Ok(declared)
}

/// Which files are left out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum IgnoreRules {
    /// Those that the ignore files name.
    AsSaid,
    /// None.
    Nothing,
}

fn read_and_render(
    target: &Target,
    files: &Files<'_>,
    ignoring: IgnoreRules,
) -> Result<Declared, Error> {
    let (mut declared, sources) = read_plain(target, files, ignoring)?;
    if !sources.sources.is_empty() {
        let is_read = |path: &str| sources.sources.iter().any(|source| source.reads(path));
        let rendered =
            render(&target.render, &sources.sources, &files.below(&[String::new()], &is_read)?);
        declared.manifests.extend(rendered.manifests);
        declared.manifests.sort_by(|a, b| a.origin.path.cmp(&b.origin.path));
        declared.problems.extend(rendered.problems);
        declared.warnings.extend(rendered.warnings);
        declared.inputs.secret.extend(rendered.inputs);
    }
    Ok(declared)
}

/// The plain manifests, and what is to be rendered.
fn read_plain(
    target: &Target,
    files: &Files<'_>,
    ignoring: IgnoreRules,
) -> Result<(Declared, Sources), Error> {
    let found = files.below(&target.paths, &|path| is_ignore_file(path) || is_marker(path))?;
    // Without it, what is meant to be left out would be taken for declared.
    let is_unread =
        |skipped: &&Skipped| is_ignore_file(&skipped.path) && skipped.why != WhySkipped::NotUtf8;
    if let Some(Skipped { path, why }) = found.skipped.iter().find(is_unread) {
        return Err(git::Error::Unread { path: path.clone(), why: *why }.into());
    }
    let (mut ignores, markers): (BTreeMap<_, _>, BTreeMap<_, _>) =
        found.files.into_iter().partition(|(path, _)| is_ignore_file(path));
    for path in ignore_files_above(&target.paths) {
        if let Some(content) = files.content(&path)? {
            ignores.insert(path, content);
        }
    }
    let has_ignore_files = !ignores.is_empty();
    if ignoring == IgnoreRules::Nothing {
        ignores.clear();
    }
    let selection = selection(ignores)?;
    let sources = match markers.is_empty() {
        true => Sources::default(),
        false => sources(target, files, &selection)?,
    };
    let taken = |path: &str| {
        target.paths.iter().any(|given| selection.takes_below(given, path))
            && !sources.take_in(path)
    };
    let snapshot = only_manifests(files.below(&target.paths, &taken)?, &taken);
    let manifest::Reading { manifests, mut problems, warnings } = read(&snapshot);
    let is_barred = |barred: &&Skipped| {
        target.paths.iter().any(|given| selection.reaches_folder(given, &barred.path))
            && !sources.take_in(&barred.path)
    };
    let barred = snapshot.barred.iter().filter(is_barred);
    problems.extend(snapshot.skipped.iter().chain(barred).map(unread));
    problems.extend(sources.problems.iter().cloned());
    let (files, uncommitted) =
        (snapshot.files.len() + sources.sources.len(), Uncommitted::default());
    let declared = Declared {
        revision: snapshot.revision,
        manifests,
        problems,
        warnings,
        unreferenced: sources.unreferenced.clone(),
        inputs: Inputs::default(),
        files,
        is_rendered: !sources.sources.is_empty(),
        has_ignore_files,
        uncommitted,
    };
    Ok((declared, sources))
}

/// The sources to render of the target.
fn sources(target: &Target, files: &Files<'_>, selection: &Selection) -> Result<Sources, Error> {
    let paths = Mutex::new(BTreeSet::new());
    let whole = files.below(&[String::new()], &|path| {
        paths.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned());
        refers_to_others(path)
    })?;
    let paths = paths.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut shelf = FileIndex::new(paths, whole.files);
    let reaches = |path: &str| target.paths.iter().any(|given| selection.reaches(given, path));
    let mut sources = Sources::find(&shelf, &target.render.formats, &reaches);
    if !sources.unread.is_empty() {
        let more = files.below(&[String::new()], &|path| sources.unread.contains(path))?;
        shelf.add(more.files);
        sources = Sources::find(&shelf, &target.render.formats, &reaches);
    }
    let is_manifest = |path: &str| {
        target.paths.iter().any(|given| path != given && selection.takes_below(given, path))
    };
    sources.unreferenced = sources.unread_files(&shelf, &is_manifest);
    Ok(sources)
}

/// Where files are read from.
struct Files<'a> {
    checkout: &'a Checkout,
    /// The commit; `None` for the work tree.
    at: Option<Revision>,
}

impl Files<'_> {
    /// The wanted files under these paths.
    fn below(
        &self,
        paths: &[String],
        wanted: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<Snapshot, Error> {
        Ok(match &self.at {
            Some(revision) => self.checkout.snapshot(revision, paths, wanted)?,
            None => self.checkout.worktree(paths, wanted)?,
        })
    }

    /// The content of one file, if it is there.
    fn content(&self, path: &str) -> Result<Option<Vec<u8>>, Error> {
        Ok(match &self.at {
            Some(revision) => self.checkout.read_file(revision, path)?,
            None => self.checkout.read_worktree_file(path)?,
        })
    }
}

/// The ignore files that the folders above the target's paths may have.
fn ignore_files_above(paths: &[String]) -> BTreeSet<String> {
    let mut above = BTreeSet::from([IGNORE_FILE.to_owned()]);
    for path in paths {
        above.extend(
            path.match_indices('/').map(|(end, _)| format!("{}/{IGNORE_FILE}", &path[..end])),
        );
    }
    above
}

fn is_ignore_file(path: &str) -> bool {
    path.rsplit('/').next() == Some(IGNORE_FILE)
}

/// The files that the ignore files leave out.
fn selection(ignores: BTreeMap<String, Vec<u8>>) -> Result<Selection, Error> {
    let folder = |path: String| match path.rsplit_once('/') {
        Some((folder, _)) => folder.to_owned(),
        None => String::new(),
    };
    let ignores = ignores.into_iter().map(|(path, content)| (folder(path), content)).collect();
    Selection::new(&ignores).map_err(Error::Ignore)
}

/// Without what was skipped and would be no manifest anyway, such as a picture whose name is not
/// UTF-8.
fn only_manifests(mut snapshot: Snapshot, taken: &impl Fn(&str) -> bool) -> Snapshot {
    snapshot.skipped.retain(|skipped| taken(&skipped.path));
    snapshot
}

/// A file that can't be read may declare anything, so it is a problem and no matter of taste.
fn unread(skipped: &Skipped) -> Problem {
    let hint = skipped.why.hint();
    Problem {
        place: Location { path: skipped.path.clone(), line: 1, column: 1 },
        message: skipped.why.to_string(),
        excerpt: None,
        hint: Some(format!("{hint}, or name it in {IGNORE_FILE} if it declares nothing")),
    }
}

/// Reads every file's documents, with all cores at once.
fn read(snapshot: &Snapshot) -> manifest::Reading {
    let files: Vec<(&String, &Vec<u8>)> = snapshot.files.iter().collect();
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let share = files.len().div_ceil(threads).max(1);
    let readings: Vec<manifest::Reading> = thread::scope(|scope| {
        let workers: Vec<_> = files
            .chunks(share)
            .map(|part| {
                scope.spawn(|| {
                    part.iter().map(|(path, bytes)| manifest::read(path, bytes)).collect()
                })
            })
            .collect();
        let joined = workers.into_iter().map(|worker| {
            let readings: Vec<manifest::Reading> =
                worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            readings
        });
        joined.flatten().collect()
    });
    let mut all = manifest::Reading::default();
    for reading in readings {
        all.manifests.extend(reading.manifests);
        all.problems.extend(reading.problems);
        all.warnings.extend(reading.warnings);
    }
    all
}
