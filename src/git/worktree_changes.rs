//! The differences between `HEAD`, the index and the work tree, as `git status` finds them, but without
//! the filters that the checkout itself names.

use std::collections::{BTreeMap, BTreeSet};

use gix::bstr::{BString, ByteSlice};
use gix::status::index_worktree::Item as InTree;
use gix::status::plumbing::index_as_worktree::EntryStatus;
use gix::status::{Item, Submodule, UntrackedFiles, tree_index::TrackRenames};

use super::Error;
use super::own_programs::{ByStat, LeftOut, by_stat};
use super::tree_fault::inert;

/// Whether `path` is one of `paths` or in one of them.
pub(super) fn is_under(path: &gix::bstr::BStr, paths: &[String]) -> bool {
    paths.iter().any(|folder| {
        folder.is_empty()
            || path
                .strip_prefix(folder.as_bytes())
                .is_some_and(|rest| rest.is_empty() || rest.first() == Some(&b'/'))
    })
}

/// Paths that differ between `HEAD`, the index and the work tree.
pub(super) struct Changes {
    pub(super) paths: BTreeSet<BString>,
    /// Files that may differ: their filters are not run.
    pub(super) unfiltered: BTreeMap<BString, String>,
}

/// Why it is unknown whether these files have changed, if there are any.
pub(super) fn unknown(unfiltered: BTreeMap<BString, String>) -> Option<String> {
    let others = unfiltered.len().saturating_sub(1);
    let (path, filter) = unfiltered.into_iter().next()?;
    let error = Error::OwnFilter { path: inert(path.as_ref()), filter };
    let hint = error.hint().unwrap_or_default();
    Some(match others {
        0 => format!("{error}: {hint}"),
        others => format!("{error}, as {others} more have: {hint}"),
    })
}

/// Every path under `paths` that differs between `HEAD`, the index and the work tree.
///
/// # Errors
///
/// When the commit, the index or the work tree can't be read.
pub(super) fn changes(repo: &gix::Repository, paths: &[String]) -> Result<Changes, Error> {
    let reading = || "the state of the work tree";
    let patterns = match paths.iter().any(String::is_empty) {
        true => Vec::new(),
        false => paths.iter().map(|path| format!(":(top,literal){path}").into()).collect(),
    };
    let status = repo
        .status(gix::progress::Discard)
        .map_err(Error::read(reading()))?
        .untracked_files(UntrackedFiles::Files)
        .index_worktree_submodules(Submodule::Given {
            ignore: gix::submodule::config::Ignore::All,
            check_dirty: false,
        })
        .index_worktree_rewrites(None)
        .tree_index_track_renames(TrackRenames::Disabled);
    let index = repo.index_or_empty().map_err(Error::index)?;
    let mut left_out = LeftOut::in_worktree(repo, &index)?;
    let root = repo.workdir().unwrap_or(repo.git_dir());
    let (mut changed, mut unfiltered) = (BTreeSet::new(), BTreeMap::new());
    for item in status.into_iter(patterns).map_err(Error::read(reading()))? {
        match item.map_err(Error::read(reading()))? {
            Item::TreeIndex(change) => {
                changed.insert(change.location().to_owned());
            }
            // A file that only looks changed by its times is not changed.
            Item::IndexWorktree(item) => {
                if let InTree::Modification { entry, rela_path, status, .. } = &item
                    && is_of_content_alone(status)
                    && let Some(filter) = left_out.filter(rela_path.as_ref())?
                {
                    let file = root.join(
                        gix::path::from_bstr(rela_path.as_bstr()).map_err(Error::read("a path"))?,
                    );
                    match by_stat(&file, &entry.stat) {
                        ByStat::Same => {}
                        ByStat::Changed => drop(changed.insert(rela_path.clone())),
                        ByStat::Unknown => drop(unfiltered.insert(rela_path.clone(), filter)),
                    }
                    continue;
                }
                let is_change = match &item {
                    InTree::Modification { .. } => item.summary().is_some(),
                    InTree::DirectoryContents { entry, .. } => {
                        entry.status == gix::dir::entry::Status::Untracked
                    }
                    InTree::Rewrite { .. } => true,
                };
                if is_change {
                    changed.insert(item.rela_path().to_owned());
                }
            }
        }
    }
    unfiltered.retain(|path, _| !changed.contains(path));
    Ok(Changes { paths: changed, unfiltered })
}

/// Whether a file is still one of the same mode, with another content than the index has, as far as
/// it can be read without a filter.
fn is_of_content_alone(status: &EntryStatus<(), gix::submodule::Status>) -> bool {
    use gix::status::plumbing::index_as_worktree::Change;
    matches!(
        status,
        EntryStatus::Change(Change::Modification { executable_bit_changed: false, .. })
    )
}
