//! The difference between the files of two commits.

use std::collections::BTreeMap;

use gix::ObjectId;
use gix::bstr::BString;
use gix::object::tree::diff::ChangeDetached;
use gix::objs::tree::{EntryKind, EntryMode};

use crate::git::Error;

/// The entry of one side at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TreeSide {
    pub(super) kind: EntryKind,
    pub(super) id: ObjectId,
}

/// The change of one path; folders have no entries of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TreeChange {
    pub(super) old: Option<TreeSide>,
    pub(super) new: Option<TreeSide>,
}

/// Every path that differs between the trees, by path. A rename is a deletion and an addition.
pub(super) fn changes(
    repo: &gix::Repository,
    old: Option<ObjectId>,
    new: ObjectId,
) -> Result<BTreeMap<BString, TreeChange>, Error> {
    let tree = |id: ObjectId| repo.find_tree(id).map_err(Error::read(format!("tree {id}")));
    let (old, new) = (old.map(tree).transpose()?, tree(new)?);
    let mut options = gix::diff::Options::default();
    options.track_path().track_rewrites(None);
    let found = repo
        .diff_tree_to_tree(old.as_ref(), Some(&new), Some(options))
        .map_err(Error::read("the difference between two commits"))?;
    let mut changes: BTreeMap<BString, TreeChange> = BTreeMap::new();
    for change in found {
        let (path, old, new) = match change {
            ChangeDetached::Addition { location, entry_mode, id, .. } => {
                (location, None, side(entry_mode, id))
            }
            ChangeDetached::Deletion { location, entry_mode, id, .. } => {
                (location, side(entry_mode, id), None)
            }
            ChangeDetached::Modification {
                location,
                previous_entry_mode,
                previous_id,
                entry_mode,
                id,
            } => (location, side(previous_entry_mode, previous_id), side(entry_mode, id)),
            ChangeDetached::Rewrite { .. } => unreachable!("rewrites are not tracked"),
        };
        if old.is_some() || new.is_some() {
            let change = changes.entry(path).or_default();
            change.old = change.old.or(old);
            change.new = change.new.or(new);
        }
    }
    Ok(changes)
}

fn side(mode: EntryMode, id: ObjectId) -> Option<TreeSide> {
    (!mode.is_tree()).then_some(TreeSide { kind: mode.kind(), id })
}
