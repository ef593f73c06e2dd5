//! The commits at which a shallow history begins, as a fetch leaves them.
//!
//! A shallow remote names those of its own, and gix takes all of them over. git leaves out those whose
//! history is here. With them, a whole checkout would count as shallow, and its first commit, by which
//! inventories know a repository, would be out of sight.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;

use gix::ObjectId;
use gix::lock::File;
use gix::lock::acquire::Fail;

/// The commits whose parents are left out.
pub(super) fn boundary(repo: &gix::Repository) -> Result<BTreeSet<ObjectId>, gix::Error> {
    let commits = repo.shallow_commits()?;
    Ok(commits.map(|commits| commits.iter().copied().collect()).unwrap_or_default())
}

/// Takes out what a fetch added to the boundary though the parents are here.
pub(super) fn drop_needless(
    repo: &gix::Repository,
    before: &BTreeSet<ObjectId>,
) -> Result<(), gix::Error> {
    let mut kept = boundary(repo)?;
    let count = kept.len();
    kept.retain(|commit| before.contains(commit) || !has_parents(repo, *commit));
    if kept.len() == count {
        return Ok(());
    }
    let file = repo.shallow_file()?;
    let mut lock = File::acquire_to_update_resource(&file, Fail::Immediately, None, 0)
        .map_err(gix::Error::from_error)?;
    if kept.is_empty() {
        return fs::remove_file(&file).map_err(gix::Error::from_error);
    }
    for commit in kept {
        writeln!(lock, "{commit}").map_err(gix::Error::from_error)?;
    }
    lock.commit().map(drop).map_err(|error| gix::Error::from_error(error.error))
}

fn has_parents(repo: &gix::Repository, commit: ObjectId) -> bool {
    repo.find_commit(commit).is_ok_and(|it| it.parent_ids().all(|id| repo.has_object(id)))
}
