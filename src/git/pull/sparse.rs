//! Sparse checkouts: which paths of an update have no file in the work tree, and indexes whose
//! folders stand for all that is in them (git's `Documentation/technical/sparse-checkout.txt` and
//! `sparse-index.txt`). What is left out changes in the index alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use gix::ObjectId;
use gix::bstr::BString;
use gix::glob::pattern::Case;
use gix::index::entry::{Flags, Mode, Stage};

use super::obstacles::{PathReach, reach};
use super::paths::system_path;
use super::tree::TreeChange;
use crate::git::Error;

/// How an entry says that it has no file.
pub(super) const LEFT_OUT: Flags = Flags::SKIP_WORKTREE.union(Flags::EXTENDED);

/// The same index, with an entry for each file.
pub(super) fn expand(
    repo: &gix::Repository,
    index: gix::index::File,
) -> Result<gix::index::File, Error> {
    if !index.is_sparse() {
        return Ok(index);
    }
    let mut full = gix::index::State::new(repo.object_hash());
    for entry in index.entries() {
        let path = entry.path(&index);
        if entry.mode != Mode::DIR {
            full.dangerously_push_entry(entry.stat, entry.id, entry.flags, entry.mode, path);
            continue;
        }
        let inside = repo
            .index_from_tree(&entry.id)
            .map_err(Error::read(format!("folder `{path}` of the index")))?;
        for file in inside.entries() {
            // The path of a folder ends in a slash.
            let mut whole = path.to_owned();
            whole.extend_from_slice(file.path(&inside));
            let (stat, flags) = (file.stat, file.flags | LEFT_OUT);
            full.dangerously_push_entry(stat, file.id, flags, file.mode, whole.as_ref());
        }
    }
    full.sort_entries();
    Ok(gix::index::File::from_state(full, index.path().to_owned()))
}

/// Which of the changed paths have no file after the update: those that had none, and new ones that
/// the patterns leave out.
pub(super) fn excluded_paths(
    repo: &gix::Repository,
    root: &Path,
    index: &gix::index::File,
    new: ObjectId,
    changes: &BTreeMap<BString, TreeChange>,
) -> Result<BTreeSet<BString>, Error> {
    let by_patterns = left_out_by_patterns(repo, new)?;
    let mut left_out = BTreeSet::new();
    for path in changes.iter().filter(|(_, change)| change.new.is_some()).map(|(path, _)| path) {
        let entry = index.entry_by_path_and_stage(path.as_ref(), Stage::Unconflicted);
        let is_skipped = match entry {
            Some(entry) => entry.flags.contains(Flags::SKIP_WORKTREE),
            None => by_patterns.contains(path),
        };
        // A file that is there all the same is work of the user's, or git's to compare.
        if is_skipped && !matches!(reach(root, &system_path(path.as_ref())?), PathReach::At(_)) {
            left_out.insert(path.clone());
        }
    }
    Ok(left_out)
}

/// The paths of a tree that the checkout's patterns leave out; none where it has no patterns.
fn left_out_by_patterns(
    repo: &gix::Repository,
    tree: ObjectId,
) -> Result<BTreeSet<BString>, Error> {
    let config = repo.config_snapshot();
    let reading = || "the patterns of the sparse checkout";
    if !config.boolean("core.sparseCheckout").unwrap_or(false) {
        return Ok(BTreeSet::new());
    }
    let patterns =
        gix::worktree::sparse::read_patterns(repo.git_dir()).map_err(Error::read(reading()))?;
    let Some(patterns) = patterns else { return Ok(BTreeSet::new()) };
    let mut index = repo.index_from_tree(&tree).map_err(Error::read(reading()))?;
    let cone = config.boolean("core.sparseCheckoutCone").unwrap_or(true);
    let system = repo.filesystem_options().map_err(Error::read("the configuration"))?;
    let case = if system.ignore_case { Case::Fold } else { Case::Sensitive };
    let source = repo.git_dir().join("info/sparse-checkout");
    gix::worktree::sparse::apply_patterns(&mut index, &patterns, &source, cone, case)
        .map_err(Error::read(reading()))?;
    let skipped = index.entries().iter().filter(|entry| entry.flags.contains(Flags::SKIP_WORKTREE));
    Ok(skipped.map(|entry| entry.path(&index).to_owned()).collect())
}
