//! The files of a target before any manifest is read: what is plain, what is rendered, and what ignore
//! files leave out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use super::beside::{self, ignore_files_above};
use super::files::{Files, FilesDigest};
use super::{Declared, Outline};
use crate::app::{Error, Target};
use crate::core::manifest;
use crate::core::problem::{Location, Problem};
use crate::core::redact::Inputs;
use crate::core::source::other_files::{self, FileReading};
use crate::core::source::selection::{IGNORE_FILE, Selection};
use crate::core::source::snapshot::{Skipped, WhySkipped};
use crate::git::{self, Listing, Uncommitted};
use crate::render::file_index::{FileIndex, is_marker, is_within, refers_to_others};
use crate::render::reads::reads;
use crate::render::sources::Sources;

/// Which files are left out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum IgnoreRules {
    /// Those that the ignore files name.
    AsSaid,
    /// None.
    Nothing,
}

/// The files of a target, before any manifest is read.
pub(super) struct FoundFiles {
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
    pub(super) fn digest(&self, files: &Files<'_>) -> Result<Option<FilesDigest>, Error> {
        match self.is_plain {
            true => files.digest(&self.manifests, &self.barred).map(Some),
            false => Ok(None),
        }
    }

    pub(super) fn outline(self) -> Outline {
        Outline { revision: self.manifests.revision, uncommitted: Uncommitted::default() }
    }

    /// Reads the plain manifests below the target's paths; hands back what is to be rendered.
    pub(super) fn read(
        self,
        files: &Files<'_>,
        paths: &[String],
    ) -> Result<(Declared, Sources), Error> {
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
pub(super) fn found_files(
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
    let selection = selection(ignores)?.without(&target.aside);
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
    let has_programs = target.render.formats.jsonnet.is_some();
    let is_program = |path: &str| has_programs && path.ends_with(".jsonnet");
    let is_manifest = |path: &str| {
        target.paths.iter().any(|given| {
            let is_taken = selection.takes_below(given, path)
                || is_program(path) && selection.reaches(given, path);
            path != given && is_taken && !is_of_other(path, given)
        })
    };
    sources.unreferenced = sources.unread_files(&shelf, &is_manifest);
    sources.chart_files = sources.files_of_charts(&shelf, &is_manifest);
    let reads = reads(&sources.sources, &shelf);
    Ok((sources, reads))
}

pub(super) fn is_ignore_file(path: &str) -> bool {
    path.rsplit('/').next() == Some(IGNORE_FILE)
}

/// The files that the ignore files leave out.
pub(super) fn selection(ignores: BTreeMap<String, Vec<u8>>) -> Result<Selection, Error> {
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
