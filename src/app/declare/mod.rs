//! Git → manifests: what the target's paths declare at a commit, written down or rendered.

mod again;
pub(super) mod beside;
mod files;
mod outside;

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::{Error, Target};
use crate::core::manifest::{self, Manifest};
use crate::core::problem::{Location, Problem};
use crate::core::redact::Inputs;
use crate::core::source::other_files::{self, FileReading};
use crate::core::source::selection::{IGNORE_FILE, Selection};
use crate::core::source::snapshot::{Revision, Skipped, WhySkipped};
use crate::git::{self, Checkout, Listing, Uncommitted};
use crate::render::file_index::{FileIndex, is_marker, is_within, refers_to_others};
use crate::render::reads::reads;
use crate::render::render;
use crate::render::sources::Sources;
pub use again::{LastRead, declare_again};
use beside::ignore_files_above;
use files::Files;
pub use files::FilesDigest;
pub use outside::{Outside, inside, outside};

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
    /// Warnings of files that are something else than manifests.
    pub others: Vec<Problem>,
    /// Secret inputs of rendering programs.
    pub inputs: Inputs,
    /// How many files were read as manifests, and how many folders and programs rendered.
    pub files: usize,
    /// Whether programs rendered a part of it, so that the commit alone does not say what it is.
    pub is_rendered: bool,
    /// Whether there are ignore files, so that more may be declared than is desired.
    pub has_ignore_files: bool,
    /// Changes in the work tree, of files that the target is read from, that are not in the commit;
    /// empty when the work tree itself is read.
    pub uncommitted: Uncommitted,
    /// The files and folders outside the target's paths that rendering reads.
    pub read_elsewhere: Vec<String>,
}

/// A target's files, read or known from before.
pub enum Declaration<T> {
    /// The same files were read before, and gave this answer.
    Known(T, Outline),
    /// Their objects, and their digest where it stands for everything that was read.
    Read(Box<Declared>, Option<FilesDigest>),
}

/// A look at more than what is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// Changes in the work tree that are not committed.
    Changes,
    /// Nothing.
    Nothing,
}

/// The state of files that are not read.
pub struct Outline {
    /// The commit that they are of.
    pub revision: Revision,
    /// As of [`Declared`].
    pub uncommitted: Uncommitted,
}

/// Reads what `target` declares from the object database, or from the work tree where it says so,
/// and renders what is not a manifest.
///
/// # Errors
///
/// When git can't be read, or a path is not there.
pub async fn declare(target: &Target, checkout: &Checkout) -> Result<Declared, Error> {
    match declare_unless(target, checkout, Beside::Changes, |_| None::<Infallible>).await? {
        Declaration::Read(declared, _) => Ok(*declared),
        Declaration::Known(never, _) => match never {},
    }
}

/// As [`declare`], unless `recall` has an answer for files with this digest.
///
/// # Errors
///
/// As of [`declare`].
pub async fn declare_unless<T: Send + 'static>(
    target: &Target,
    checkout: &Checkout,
    beside: Beside,
    recall: impl FnOnce(&FilesDigest) -> Option<T> + Send + 'static,
) -> Result<Declaration<T>, Error> {
    let (target, checkout) = (target.clone(), checkout.clone());
    tokio::task::spawn_blocking(move || {
        let files = Files::of(&target, &checkout)?;
        let is_head = !target.worktree && target.rev.is_none();
        let is_beside_head = is_head && beside == Beside::Changes;
        checkout.open_packs();
        thread::scope(|scope| {
            let changes =
                is_beside_head.then(|| scope.spawn(|| beside::changes(&target, &checkout, &[])));
            let declaration = read_and_render(&target, &files, recall);
            let mut declaration = declaration.map_err(|error| error.of_a_declared_path(&target))?;
            if let Some(changes) = changes {
                let changes = changes.join();
                let changes = changes.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
                match &mut declaration {
                    Declaration::Known(_, outline) => outline.uncommitted = changes,
                    Declaration::Read(declared, _) => {
                        let elsewhere = &declared.read_elsewhere;
                        declared.uncommitted = beside::with_changes(changes, &checkout, elsewhere)?;
                    }
                }
            }
            Ok(declaration)
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
        let files = Files::new(&checkout, (!target.worktree).then_some(revision));
        let found = found_files(&target, &files, IgnoreRules::Nothing)?;
        let (mut declared, sources) = found.read(&files, &target.paths)?;
        add_rendered(&mut declared, &sources, &target, &files)?;
        Ok(declared.manifests)
    })
    .await?
}

/// How far files are looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Plain manifests alone.
    Plain,
    /// Rendered manifests, too.
    Rendered,
}

/// The manifests that `target` declares at `revision`, as far as `reach` goes. What can't be read or
/// rendered is left out without a word.
///
/// # Errors
///
/// When git can't be read, or a path is not there.
pub(super) fn declare_readable(
    target: &Target,
    checkout: &Checkout,
    revision: &Revision,
    reach: Reach,
) -> Result<Vec<Manifest>, Error> {
    let at = (!target.worktree).then(|| revision.clone());
    let files = Files::new(checkout, at);
    let found = found_files(target, &files, IgnoreRules::AsSaid)?;
    let (mut declared, sources) = found.read(&files, &target.paths)?;
    if reach == Reach::Rendered {
        add_rendered(&mut declared, &sources, target, &files)?;
    }
    Ok(declared.manifests)
}

/// Which files are left out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum IgnoreRules {
    /// Those that the ignore files name.
    AsSaid,
    /// None.
    Nothing,
}

fn read_and_render<T>(
    target: &Target,
    files: &Files<'_>,
    recall: impl FnOnce(&FilesDigest) -> Option<T>,
) -> Result<Declaration<T>, Error> {
    let found = found_files(target, files, IgnoreRules::AsSaid)?;
    let digest = found.digest(files)?;
    if let Some(answer) = digest.as_ref().and_then(recall) {
        return Ok(Declaration::Known(answer, found.outline()));
    }
    let (mut declared, sources) = found.read(files, &target.paths)?;
    add_rendered(&mut declared, &sources, target, files)?;
    declared.unreferenced = sources.unreferenced.warnings(&declared.manifests);
    Ok(Declaration::Read(Box::new(declared), digest))
}

fn add_rendered(
    declared: &mut Declared,
    sources: &Sources,
    target: &Target,
    files: &Files<'_>,
) -> Result<(), Error> {
    if sources.sources.is_empty() {
        return Ok(());
    }
    let is_read = |path: &str| sources.sources.iter().any(|source| source.reads(path));
    let rendered =
        render(&target.render, &sources.sources, &files.below(&[String::new()], &is_read)?);
    declared.manifests.extend(rendered.manifests);
    declared.manifests.sort_by(|a, b| a.origin.path.cmp(&b.origin.path));
    declared.problems.extend(rendered.problems);
    declared.warnings.extend(rendered.warnings);
    declared.inputs.secret.extend(rendered.inputs);
    Ok(())
}

/// The files of a target, before any manifest is read.
struct FoundFiles {
    /// The plain manifests.
    manifests: Listing,
    /// Links and submodules that may hide a folder with more of them.
    barred: Vec<Skipped>,
    /// The folders and programs to render.
    sources: Sources,
    has_ignore_files: bool,
    /// Whether the plain manifests are all that there is to read.
    is_plain: bool,
    /// The files and folders outside the target's paths that rendering reads.
    read_elsewhere: Vec<String>,
}

impl FoundFiles {
    fn digest(&self, files: &Files<'_>) -> Result<Option<FilesDigest>, Error> {
        match self.is_plain {
            true => files.digest(&self.manifests, &self.barred),
            false => Ok(None),
        }
    }

    fn outline(self) -> Outline {
        Outline { revision: self.manifests.revision, uncommitted: Uncommitted::default() }
    }

    /// Reads the plain manifests below the target's paths; hands back what is to be rendered.
    fn read(self, files: &Files<'_>, paths: &[String]) -> Result<(Declared, Sources), Error> {
        let Self { manifests, barred, sources, has_ignore_files, is_plain: _, read_elsewhere } =
            self;
        let revision = manifests.revision.clone();
        let read = |path: &str, bytes: &[u8]| {
            let is_named = paths.iter().any(|given| given.trim_end_matches('/') == path);
            other_files::read(path, bytes, is_named)
        };
        let (readings, skipped) = files.read_each(manifests, read)?;
        let mut others = Vec::new();
        let mut count = sources.sources.len();
        let mut all = manifest::Reading::default();
        for reading in readings {
            let reading = match reading {
                FileReading::Manifest(reading) => reading,
                FileReading::Other(path) => {
                    others.push(path);
                    continue;
                }
            };
            count += 1;
            all.manifests.extend(reading.manifests);
            all.problems.extend(reading.problems);
            all.warnings.extend(reading.warnings);
        }
        all.problems.extend(skipped.iter().chain(&barred).map(unread));
        all.problems.extend(sources.problems.iter().cloned());
        let declared = Declared {
            files: count,
            revision,
            manifests: all.manifests,
            problems: all.problems,
            warnings: all.warnings,
            unreferenced: Vec::new(),
            others: other_files::warnings(others),
            inputs: Inputs::default(),
            is_rendered: !sources.sources.is_empty(),
            has_ignore_files,
            uncommitted: Uncommitted::default(),
            read_elsewhere,
        };
        Ok((declared, sources))
    }
}

/// The plain manifests, and what is to be rendered.
fn found_files(
    target: &Target,
    files: &Files<'_>,
    ignoring: IgnoreRules,
) -> Result<FoundFiles, Error> {
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
    let is_plain = markers.is_empty();
    let (sources, reads) = match is_plain {
        true => (Sources::default(), BTreeSet::new()),
        false => sources(target, files, &selection)?,
    };
    let read_elsewhere = beside::elsewhere(target, reads);
    let taken = |path: &str| {
        target.paths.iter().any(|given| selection.takes_below(given, path))
            && !sources.take_in(path)
    };
    let mut manifests = files.list(&target.paths, &taken)?;
    // Not what would be no manifest anyway, such as a picture whose name is not UTF-8.
    manifests.skipped.retain(|skipped| taken(&skipped.path));
    let is_barred = |barred: &Skipped| {
        target.paths.iter().any(|given| selection.reaches_folder(given, &barred.path))
            && !sources.take_in(&barred.path)
    };
    let mut barred = std::mem::take(&mut manifests.barred);
    barred.retain(is_barred);
    Ok(FoundFiles { manifests, barred, sources, has_ignore_files, is_plain, read_elsewhere })
}

/// The sources to render of the target, and what rendering them reads.
fn sources(
    target: &Target,
    files: &Files<'_>,
    selection: &Selection,
) -> Result<(Sources, BTreeSet<String>), Error> {
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
    // Another target has its own folders, which may be below this one's.
    let is_of_other = |path: &str, given: &str| {
        let mut others = target.others.values().flat_map(|other| &other.paths);
        others.any(|other| other != given && is_within(other, given) && is_within(path, other))
    };
    let is_manifest = |path: &str| {
        target.paths.iter().any(|given| {
            path != given && selection.takes_below(given, path) && !is_of_other(path, given)
        })
    };
    sources.unreferenced = sources.unread_files(&shelf, &is_manifest);
    let reads = reads(&sources.sources, &shelf);
    Ok((sources, reads))
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
