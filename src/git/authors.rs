//! The authors of lines and of removals: git blame, and the way back through history.

use std::collections::BTreeMap;

use gix::ObjectId;
use gix::blame::BlameRanges;
use gix::bstr::BStr;
use gix::objs::tree::EntryKind;

use super::history::LimitedObjects;
use super::revision::parse;
use super::trees::{Trees, find_commit};
use super::{Checkout, Error};
use crate::core::source::snapshot::{Authorship, LARGEST, Revision};

/// How many commits are looked through for one that took something out.
const FAR_ENOUGH: usize = 10_000;

impl Checkout {
    /// The authors of these lines (from 1) of the file as it is at `revision`; a line that the file
    /// does not have is left out. A line that only moved with its file keeps its author.
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
        let objects = LimitedObjects::new(&repo.objects, &self.limits);
        let cache = repo.commit_graph_if_enabled().map_err(Error::read(reading()))?;
        let mut contents =
            repo.diff_resource_cache_for_tree_diff().map_err(Error::read(reading()))?;
        let options = gix::blame::Options {
            ranges,
            rewrites: Some(gix::diff::Rewrites::default()),
            diff_algorithm: repo.diff_algorithm().map_err(Error::read(reading()))?,
            ..gix::blame::Options::default()
        };
        let start = gix::blame::Start::Commit(parse(&revision.commit)?);
        let outcome =
            gix::blame::file(&objects, start, cache, &mut contents, BStr::new(path), options)
                .map_err(Error::read(reading()))?;
        let mut authors = BTreeMap::new();
        for entry in outcome.entries {
            let written = authorship(self, entry.commit_id)?;
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
        let blob_at = |commit: ObjectId| -> Result<Option<ObjectId>, Error> {
            let entry = Trees::of(&repo, &self.limits, commit)?.find(path)?;
            let is_file = |kind| matches!(kind, EntryKind::Blob | EntryKind::BlobExecutable);
            Ok(entry.filter(|entry| is_file(entry.kind)).map(|entry| entry.id))
        };
        let mut blob = blob_at(id)?;
        for _ in 0..FAR_ENOUGH {
            if id == since {
                return Ok(None);
            }
            let commit = find_commit(&repo, &self.limits, id)?;
            let Some(parent) = commit.parent_ids().next().map(|parent| parent.detach()) else {
                return Ok(None);
            };
            let before = blob_at(parent)?;
            if before != blob {
                let content = |blob: Option<ObjectId>| -> Result<bool, Error> {
                    let Some(blob) = blob else { return Ok(false) };
                    let header = repo.find_header(blob).map_err(Error::read(reading()))?;
                    if header.size() > LARGEST {
                        return Ok(false);
                    }
                    let object = repo.find_object(blob).map_err(Error::read(reading()))?;
                    Ok(is_there(&object.data))
                };
                if content(before)? && !content(blob)? {
                    return authorship(self, id).map(Some);
                }
            }
            (id, blob) = (parent, before);
        }
        Ok(None)
    }
}

fn authorship(checkout: &Checkout, commit: ObjectId) -> Result<Authorship, Error> {
    let Revision { commit, author, time, .. } = checkout.describe(commit, String::new())?;
    Ok(Authorship { commit, author, time })
}
