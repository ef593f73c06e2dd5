//! Who wrote a line, and who took something out: git blame, and the way back through history.

use std::collections::BTreeMap;

use gix::ObjectId;
use gix::blame::BlameRanges;
use gix::bstr::BStr;
use gix::repository::blame_file::Options;

use super::revision::{describe, parse};
use super::{Checkout, Error};
use crate::snapshot::{Authorship, Revision};

/// How many commits are looked through for one that took something out.
const FAR_ENOUGH: usize = 10_000;

impl Checkout {
    /// Who wrote these lines (from 1) of the file as it is at `revision`; a line that the file does
    /// not have is left out. A line that only moved with its file keeps its author.
    ///
    /// # Errors
    ///
    /// When the history can't be read.
    pub fn authors(
        &self,
        revision: &Revision,
        path: &str,
        lines: &[usize],
    ) -> Result<BTreeMap<usize, Authorship>, Error> {
        let reading = || format!("the history of `{path}`");
        let repo = self.local();
        let mut ranges = BlameRanges::default();
        let lines = lines.iter().filter_map(|line| u32::try_from(*line).ok());
        for line in lines.clone() {
            ranges.add_one_based_inclusive_range(line..=line).map_err(Error::read(reading()))?;
        }
        let rewrites = Some(gix::diff::Rewrites::default());
        let options = Options { ranges, rewrites, ..Options::default() };
        let outcome = repo
            .blame_file(BStr::new(path), parse(&revision.commit)?, options)
            .map_err(Error::read(reading()))?;
        let mut authors = BTreeMap::new();
        for entry in outcome.entries {
            let written = authorship(&repo, entry.commit_id)?;
            for line in entry.range_in_blamed_file() {
                authors.insert(line + 1, written.clone());
            }
        }
        Ok(authors)
    }

    /// The commit that took something out of a file between the commit `since` and `revision`: the
    /// last of which `is_there` says no of the file's content, and yes of the content before.
    ///
    /// # Errors
    ///
    /// When the history can't be read.
    pub fn removal(
        &self,
        revision: &Revision,
        since: &str,
        path: &str,
        is_there: &dyn Fn(&[u8]) -> bool,
    ) -> Result<Option<Authorship>, Error> {
        let repo = self.local();
        let reading = || format!("the history of `{path}`");
        let since = parse(since)?;
        let mut id = parse(&revision.commit)?;
        let mut blob = blob_at(&repo, id, path)?;
        for _ in 0..FAR_ENOUGH {
            if id == since {
                return Ok(None);
            }
            let commit = repo.find_commit(id).map_err(Error::read(reading()))?;
            let Some(parent) = commit.parent_ids().next().map(|parent| parent.detach()) else {
                return Ok(None);
            };
            let before = blob_at(&repo, parent, path)?;
            if before != blob {
                let content = |blob: Option<ObjectId>| -> Result<bool, Error> {
                    let Some(blob) = blob else { return Ok(false) };
                    let object = repo.find_object(blob).map_err(Error::read(reading()))?;
                    Ok(is_there(&object.data))
                };
                if content(before)? && !content(blob)? {
                    return authorship(&repo, id).map(Some);
                }
            }
            (id, blob) = (parent, before);
        }
        Ok(None)
    }
}

/// The file's content at a commit, by its id.
fn blob_at(
    repo: &gix::Repository,
    commit: ObjectId,
    path: &str,
) -> Result<Option<ObjectId>, Error> {
    let reading = || format!("the files of commit {commit}");
    let tree = repo.find_commit(commit).and_then(|commit| commit.tree());
    let tree = tree.map_err(Error::read(reading()))?;
    let entry = tree.lookup_entry_by_path(path).map_err(Error::read(reading()))?;
    Ok(entry.filter(|entry| entry.mode().is_blob()).map(|entry| entry.object_id()))
}

fn authorship(repo: &gix::Repository, commit: ObjectId) -> Result<Authorship, Error> {
    let Revision { commit, author, time, .. } = describe(repo, commit, String::new())?;
    Ok(Authorship { commit, author, time })
}
