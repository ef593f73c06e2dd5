//! Manifests of the checkout that belong to no target, as far as a glance tells them: for a check of
//! all targets, which would not say a word of them otherwise.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use super::files::{Files, FilesDigest};
use super::found::{is_ignore_file, selection};
use crate::app::{Error, Target};
use crate::core::problem::Problem;
use crate::core::source::outside::{self, Inside};
use crate::core::source::selection::Selection;
use crate::git::Checkout;
use crate::render::file_index::{CHART, folder_of, is_marker};

/// An answer about fewer files than this is not worth its place among those that are kept.
const MANY: usize = 100;

/// The rest of a checkout, read or known from before.
pub enum Outside<T> {
    /// The same files were looked at before, and gave this answer.
    Known(T),
    /// The warnings, and the digest of the files where that stands for their content.
    Read(Vec<Problem>, Option<FilesDigest>),
}

/// The part of the checkout that targets are read from, with `read_elsewhere` for all of them, and
/// `others` that serve another purpose.
pub fn inside(targets: &[Target], read_elsewhere: &[String], others: &[String]) -> Inside {
    let mut inside = Inside::default();
    let paths = targets.iter().flat_map(|target| &target.paths);
    paths.chain(others).for_each(|path| inside.add(path.trim_end_matches('/')));
    read_elsewhere.iter().for_each(|path| inside.add_read(path, is_yaml(path) || is_marker(path)));
    inside
}

/// Warnings of the manifests that are not `inside`, unless `recall` has an answer for files with this
/// digest. `target` says whether they are of a commit or of the work tree.
///
/// # Errors
///
/// When git can't be read.
pub async fn outside<T: Send + 'static>(
    target: &Target,
    checkout: &Checkout,
    inside: Inside,
    recall: impl FnOnce(&FilesDigest) -> Option<T> + Send + 'static,
) -> Result<Outside<T>, Error> {
    let (target, checkout) = (target.clone(), checkout.clone());
    tokio::task::spawn_blocking(move || {
        if inside.is_everything() {
            return Ok(Outside::Read(Vec::new(), None));
        }
        look(&Files::of(&target, &checkout)?, &checkout, &inside, recall)
    })
    .await?
}

fn look<T>(
    files: &Files<'_>,
    checkout: &Checkout,
    inside: &Inside,
    recall: impl FnOnce(&FilesDigest) -> Option<T>,
) -> Result<Outside<T>, Error> {
    let is_candidate = |path: &str| (is_yaml(path) || is_maker(path)) && !inside.holds(path);
    let has_any = AtomicBool::new(false);
    let entered = |folder: &str| !inside.holds_all(folder);
    let ignores = files.list_entered(&entered, &|path| {
        if is_candidate(path) {
            has_any.store(true, Ordering::Relaxed);
        }
        is_ignore_file(path)
    })?;
    let ignores = checkout.read(ignores)?;
    if !has_any.into_inner() {
        return Ok(Outside::Read(Vec::new(), None));
    }
    let selection: Selection = match selection(ignores.files) {
        Ok(selection) => selection,
        Err(Error::Ignore(problem)) => return Ok(Outside::Read(vec![problem], None)),
        Err(error) => return Err(error),
    };
    let listing =
        files.list_entered(&entered, &|path| is_candidate(path) && selection.reaches("", path))?;
    let listing = checkout.at_hand(listing);
    let digest = match listing.count() >= MANY {
        true => Some(files.digest(&listing, &[])?),
        false => None,
    };
    if let Some(answer) = digest.as_ref().and_then(recall) {
        return Ok(Outside::Known(answer));
    }
    let (found, _) = files.read_each(listing, |path, bytes| {
        let is_one = is_maker(path) || outside::looks_like_manifest(bytes);
        is_one.then(|| path.to_owned())
    })?;
    let found: Vec<String> = found.into_iter().flatten().collect();
    // A chart is one thing, however many templates it has.
    let is_chart = |path: &&String| path.rsplit('/').next() == Some(CHART);
    let charts: BTreeSet<&str> = found.iter().filter(is_chart).map(|it| folder_of(it)).collect();
    let is_of_chart = |path: &str| {
        let mut above = std::iter::successors(Some(folder_of(path)), |at| {
            (!at.is_empty()).then(|| folder_of(at))
        });
        let is_own = |folder: &str| charts.contains(folder);
        match path.rsplit('/').next() == Some(CHART) {
            true => above.skip(1).any(is_own),
            false => above.any(is_own),
        }
    };
    let manifests = found.iter().filter(|path| !is_of_chart(path)).cloned().collect();
    Ok(Outside::Read(outside::warnings(inside, manifests), digest))
}

/// Whether the file makes a kustomization or a chart of its folder.
fn is_maker(path: &str) -> bool {
    is_marker(path) && !path.ends_with(".jsonnet")
}

fn is_yaml(path: &str) -> bool {
    path.ends_with(".yaml") || path.ends_with(".yml")
}
