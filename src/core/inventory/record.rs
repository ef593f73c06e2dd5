//! The record on an inventory's parent: where members may be and from where they came. It is
//! widened before the first write and narrowed after the last.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Finished;
use crate::core::modes::Holding;
use crate::core::object::{GroupKind, ObjectKey};
use crate::core::source::snapshot::Revision;

/// The content of the parent: where the set's members can be, and from where they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Kinds of which the set may have members.
    pub kinds: BTreeSet<GroupKind>,
    /// Namespaces in which it may have members.
    pub namespaces: BTreeSet<String>,
    /// Id of the repository's first commit.
    pub repository: String,
    /// The name under which `trueup.yaml` declares the target; `None` where its paths alone say which
    /// it is.
    pub target: Option<String>,
    /// The target's paths in the repository; `.` is the whole of it.
    pub paths: BTreeSet<String>,
    /// The commit that was last made true in full.
    pub revision: Option<String>,
    /// The branch or tag that led to it, where the target tracks one.
    pub tracked: Option<String>,
    /// Whether that commit, or the work tree, was applied with `--unverified`.
    pub is_unverified: bool,
    /// The rest of its memory.
    pub past: ReleaseHistory,
    /// The Jobs that were run, which go by themselves.
    pub finished: Finished,
    /// The annotations that hold the target. They are written apart from the rest.
    pub holding: Holding,
}

/// The parent's memory beside the commit that it names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReleaseHistory {
    /// The client that applied that commit, and when.
    pub applied: Option<TimedCommit>,
    /// The commit that was last seen healthy in full, and when it first was.
    pub healthy: Option<TimedCommit>,
    /// The commit that was taken back because it failed.
    pub failed: Option<String>,
    /// How many objects there were before what is not finished yet was begun, where that matters:
    /// what it makes must not let more of them go.
    pub objects: Option<usize>,
}

/// Something with the time it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimedCommit {
    /// A commit, or who.
    pub what: String,
    /// When, to the second.
    pub at: Timestamp,
}

impl Record {
    /// A record of `members` alone.
    pub fn of<'a>(
        source: InventorySource,
        members: impl IntoIterator<Item = &'a ObjectKey>,
    ) -> Self {
        let InventorySource { repository, target, paths, revision, tracked } = source;
        let mut record = Self {
            kinds: BTreeSet::new(),
            namespaces: BTreeSet::new(),
            repository,
            target,
            paths,
            revision,
            tracked,
            is_unverified: false,
            past: ReleaseHistory::default(),
            finished: Finished::default(),
            holding: Holding::default(),
        };
        record.extend(members);
        record
    }

    /// Adds members.
    pub fn extend<'a>(&mut self, members: impl IntoIterator<Item = &'a ObjectKey>) {
        for key in members {
            self.kinds.insert(key.group_kind());
            self.namespaces.extend(key.namespace.clone());
        }
    }

    /// The paths from the checkout's root; the empty path is the whole of it.
    pub fn checkout_paths(&self) -> Vec<String> {
        let whole = |path: &String| if path == "." { String::new() } else { path.clone() };
        self.paths.iter().map(whole).collect()
    }

    /// Whether this commit was taken back because it failed, so that no run makes it true unasked.
    pub fn has_failed(&self, revision: &Revision) -> bool {
        !revision.dirty && self.past.failed.as_ref() == Some(&revision.commit)
    }

    /// Remembers what was remembered `before` of what is finished. A commit that is made true is
    /// given another chance.
    pub fn remember(&mut self, before: Option<&Self>) {
        self.past = before.map(|before| before.past.clone()).unwrap_or_default();
        self.past.failed = self.past.failed.take().filter(|it| Some(it) != self.revision.as_ref());
        self.past.objects = None;
        self.holding = before.map(|before| before.holding.clone()).unwrap_or_default();
    }

    /// The commit that was applied in full, as long as it was not seen healthy.
    pub fn unproven(&self) -> Option<&str> {
        let revision = self.revision.as_deref().filter(|it| !it.contains('-'))?;
        let healthy = self.past.healthy.as_ref().map(|healthy| healthy.what.as_str());
        (healthy != Some(revision)).then_some(revision)
    }

    /// The record of a commit that was seen healthy in full; `None` where that is known, or it is
    /// not a commit. What failed before it is then no longer of interest.
    pub fn healthy(&self, now: Timestamp) -> Option<Self> {
        let revision = self.unproven()?.to_owned();
        let mut record = self.clone();
        record.past.healthy = Some(TimedCommit { what: revision, at: now });
        record.past.failed = None;
        Some(record)
    }

    /// The claim to make before the first write: everywhere that either record says members may
    /// be. The revision stays that of the last commit made true.
    pub fn claim(before: Option<&Self>, wanted: &Self) -> Self {
        let mut claim = wanted.clone();
        claim.revision = None;
        claim.tracked = None;
        claim.is_unverified = false;
        claim.past = ReleaseHistory::default();
        claim.finished = Finished::default();
        if let Some(before) = before {
            claim.kinds.extend(before.kinds.iter().cloned());
            claim.namespaces.extend(before.namespaces.iter().cloned());
            claim.revision.clone_from(&before.revision);
            claim.tracked.clone_from(&before.tracked);
            claim.is_unverified = before.is_unverified;
            claim.past.clone_from(&before.past);
            claim.finished.clone_from(&before.finished);
            claim.holding.clone_from(&before.holding);
        }
        claim
    }
}

/// Where a set's members come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InventorySource {
    /// Id of the repository's first commit.
    pub repository: String,
    /// The name under which `trueup.yaml` declares the target.
    pub target: Option<String>,
    /// The target's paths in the repository.
    pub paths: BTreeSet<String>,
    /// The commit; `None` while it is not known to be true in full.
    pub revision: Option<String>,
    /// The branch or tag that led to it, where the target tracks one.
    pub tracked: Option<String>,
}
