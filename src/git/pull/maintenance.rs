//! Keeps the object database quick, however often it is pulled to: every pack is looked through for
//! every object, so that one pack a pull would make everything slower, pull by pull.
//!
//! As with git, few objects are written one by one (`fetch.unpackLimit`). Where git is installed,
//! its own upkeep gathers them when it finds that there are many (`gc.auto` and its like).

use std::fs;

use gix::objs::Write as _;
use gix::odb::{loose, pack};

use super::super::program::git;

/// How many objects stay in their pack where git's configuration does not say.
const UNPACK_LIMIT: i64 = 100;

/// Packs whose objects have more bytes than this stay: writing them again takes longer.
const UNPACKED_BYTES: u64 = 16 << 20;

/// Writes the objects of a pack one by one if there are few of them, and removes the pack. One that
/// can't be unpacked stays, and serves.
pub(super) fn unpack(repo: &gix::Repository, received: &pack::bundle::write::Outcome) {
    let (Some(index), Some(data)) = (&received.index_path, &received.data_path) else { return };
    let objects = i64::from(received.index.num_objects);
    // Objects that a partial clone got from its remote are known by their pack.
    if objects >= limit(repo) || repo.config_snapshot().string("extensions.partialClone").is_some()
    {
        return;
    }
    if write_loose(repo, index).is_none() {
        return;
    }
    // The index first: without it a pack is none.
    for path in [index, data] {
        let _ = fs::remove_file(path);
    }
}

/// How many objects a pack has at least that stays.
fn limit(repo: &gix::Repository) -> i64 {
    let config = repo.config_snapshot();
    let said = |key: &str| config.integer(key).filter(|limit| *limit >= 0);
    said("fetch.unpackLimit").or_else(|| said("transfer.unpackLimit")).unwrap_or(UNPACK_LIMIT)
}

/// Writes every object that `index` lists, unless they are too large together.
fn write_loose(repo: &gix::Repository, index: &std::path::Path) -> Option<()> {
    let index = pack::index::File::at(index, repo.object_hash()).ok()?;
    let mut bytes = 0_u64;
    for entry in index.iter() {
        bytes = bytes.saturating_add(repo.find_header(entry.oid).ok()?.size());
    }
    if bytes > UNPACKED_BYTES {
        return None;
    }
    let store = loose::Store::at(repo.objects.store_ref().path(), repo.object_hash());
    for entry in index.iter() {
        if !store.contains(&entry.oid) {
            let object = repo.find_object(entry.oid).ok()?;
            store.write_buf(object.kind, &object.data).ok()?;
        }
    }
    Some(())
}

/// Lets git see whether there is anything to gather, as `git fetch` does when it is done. It goes on
/// by itself in the background; whether it can is nothing that a pull depends on.
pub(super) fn maintain(repo: &gix::Repository) {
    let config = repo.config_snapshot();
    let is_wanted = config.boolean("maintenance.auto").unwrap_or(true);
    if !is_wanted || config.integer("gc.auto") == Some(0) {
        return;
    }
    let run = |arguments: &[&str]| {
        git(repo)
            .and_then(|mut git| git.args(arguments).status())
            .is_ok_and(|status| status.success())
    };
    if !run(&["maintenance", "run", "--auto", "--quiet"]) {
        // As it was before git 2.29.
        run(&["gc", "--auto", "--quiet"]);
    }
}
