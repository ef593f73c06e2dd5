//! The commits that an upstream branch was at, as far as this repository knows: where it is now, and what
//! its reflog says. A branch that is at one of them has no commits of its own.

use std::collections::BTreeSet;

use gix::ObjectId;

use super::upstream::{self, Upstream};

/// Commits that the upstream was at.
pub(super) struct KnownTips(BTreeSet<ObjectId>);

impl KnownTips {
    /// Those that are known before a fetch.
    pub(super) fn of(repo: &gix::Repository, upstream: &Upstream) -> Self {
        let mut tips = BTreeSet::new();
        let name = format!("refs/remotes/{}", upstream.tracking_name());
        if let Ok(name) = gix::refs::FullName::try_from(name) {
            tips.extend(upstream::commit_of(repo, &name).ok().flatten());
            let reference = repo.try_find_reference(name.as_ref()).ok().flatten();
            if let Some(reference) = &reference {
                let mut log = reference.log_iter();
                for line in log.all().ok().flatten().into_iter().flatten().flatten() {
                    tips.extend([line.previous_oid(), line.new_oid()]);
                }
            }
        }
        tips.remove(&repo.object_hash().null());
        Self(tips)
    }

    /// Whether the upstream was at `commit`.
    pub(super) fn contains(&self, commit: ObjectId) -> bool {
        self.0.contains(&commit)
    }
}
