//! Which commits one side has and the other has not.

use std::collections::{HashSet, VecDeque};

use gix::ObjectId;

use crate::git::Error;

/// The commits that are reached from `of`, and not from `without`.
///
/// # Errors
///
/// When a commit is not there, or is none.
pub(super) fn only(
    repo: &gix::Repository,
    of: ObjectId,
    without: Option<ObjectId>,
) -> Result<Vec<ObjectId>, Error> {
    match by_date(repo, of, without) {
        Ok(found) => Ok(found),
        // A commit whose committer can't be read has no date, and its parents all the same.
        Err(_) => by_parents(repo, of, without),
    }
}

/// Walks from the newest commits on, and so past few of those that both sides have.
fn by_date(
    repo: &gix::Repository,
    of: ObjectId,
    without: Option<ObjectId>,
) -> Result<Vec<ObjectId>, Error> {
    let reading = || format!("the commits up to {of}");
    let walk = repo.rev_walk([of]).with_hidden(without).all().map_err(Error::read(reading()))?;
    walk.map(|info| info.map(|info| info.id).map_err(Error::read(reading()))).collect()
}

/// Walks past every commit of both sides.
fn by_parents(
    repo: &gix::Repository,
    of: ObjectId,
    without: Option<ObjectId>,
) -> Result<Vec<ObjectId>, Error> {
    let mut seen = HashSet::new();
    if let Some(without) = without {
        reach(repo, without, &mut seen)?;
    }
    reach(repo, of, &mut seen)
}

/// Adds what is reached from `from` to `seen`; gives what is new there.
fn reach(
    repo: &gix::Repository,
    from: ObjectId,
    seen: &mut HashSet<ObjectId>,
) -> Result<Vec<ObjectId>, Error> {
    let shallow = repo.shallow_commits().map_err(Error::read("the shallow boundary"))?;
    let (mut found, mut next) = (Vec::new(), VecDeque::from([from]));
    while let Some(id) = next.pop_front() {
        if !seen.insert(id) {
            continue;
        }
        found.push(id);
        if shallow.as_ref().is_some_and(|edge| edge.contains(&id)) {
            continue;
        }
        let commit = repo.find_commit(id).map_err(Error::read(format!("commit {id}")))?;
        next.extend(commit.parent_ids().map(gix::Id::detach));
    }
    Ok(found)
}
