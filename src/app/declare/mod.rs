//! Git → manifests: what the target's paths declare at a commit, written down or rendered.

mod again;
pub(super) mod beside;
mod files;
mod found;
mod outside;

use std::convert::Infallible;
use std::thread;

use super::{Error, Target};
use crate::core::manifest::Manifest;
use crate::core::problem::Problem;
use crate::core::redact::Inputs;
use crate::core::source::snapshot::Revision;
use crate::git::{self, Checkout, Uncommitted};
use crate::render::sources::Sources;
use crate::render::{chart_files, render};
pub use again::{LastRead, declare_again};
use files::Files;
pub use files::FilesDigest;
use found::{IgnoreRules, found_files};
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

impl Declared {
    /// A target that is gone from `trueup.yaml` declares nothing.
    fn nothing_at(target: &Target, checkout: &Checkout) -> Result<Self, Error> {
        Ok(Self {
            revision: target.revision(checkout)?,
            manifests: Vec::new(),
            problems: Vec::new(),
            warnings: Vec::new(),
            unreferenced: Vec::new(),
            others: Vec::new(),
            inputs: Inputs::default(),
            files: 0,
            is_rendered: false,
            has_ignore_files: false,
            uncommitted: Uncommitted::default(),
            read_elsewhere: Vec::new(),
        })
    }
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
        if target.is_removed {
            return Ok(Declaration::Read(
                Box::new(Declared::nothing_at(&target, &checkout)?),
                None,
            ));
        }
        let files = Files::of(&target, &checkout)?;
        let is_head = !target.worktree && target.is_at_head();
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

/// The objects that `target` declares, and whether that is all of them; none where its paths are not
/// there.
pub(super) async fn declare_whole(target: &Target, checkout: &Checkout) -> (Vec<Manifest>, bool) {
    match declare_unless(target, checkout, Beside::Nothing, |_| None::<Infallible>).await {
        Ok(Declaration::Read(declared, _)) => {
            let is_whole = declared.problems.is_empty();
            (declared.manifests, is_whole)
        }
        Ok(Declaration::Known(never, _)) => match never {},
        Err(Error::NoDeclaredPath { .. } | Error::Git(git::Error::UnknownPath { .. })) => {
            (Vec::new(), true)
        }
        Err(_) => (Vec::new(), false),
    }
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
    declared.unreferenced.extend(sources.unreferenced.warnings(&declared.manifests));
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
    let read = files.below(&[String::new()], &is_read)?;
    let rendered = render(&target.render, &sources.sources, &read);
    let may_be_manifest = |path: &str| sources.chart_files.contains(path);
    let of_charts = chart_files::unread(&sources.sources, &read.files, &may_be_manifest);
    declared.unreferenced.extend(of_charts);
    declared.manifests.extend(rendered.manifests);
    declared.manifests.sort_by(|a, b| a.origin.path.cmp(&b.origin.path));
    declared.problems.extend(rendered.problems);
    declared.warnings.extend(rendered.warnings);
    declared.inputs.secret.extend(rendered.inputs);
    Ok(())
}
