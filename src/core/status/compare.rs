//! How the commit that runs stands towards the one that git has.

use super::SyncState;

/// The relation of the commit that runs to the one that git has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitRelation {
    /// They are the same.
    Same,
    /// The one that runs is an ancestor, so many commits before; `None` where they were not counted.
    Behind(Option<usize>),
    /// The one that runs is a descendant, so many commits after.
    Ahead(Option<usize>),
    /// Neither is an ancestor of the other.
    Diverged,
    /// The one that runs is not in this checkout.
    Missing,
}

/// The state of a target whose commits relate so, and whose objects differ from the one that runs or not.
pub fn sync_state(relation: CommitRelation, differs: bool) -> SyncState {
    match relation {
        CommitRelation::Same if differs => SyncState::Drifted,
        CommitRelation::Same => SyncState::InSync,
        CommitRelation::Behind(by) => SyncState::Behind(by),
        CommitRelation::Ahead(by) => SyncState::Ahead(by),
        CommitRelation::Diverged => SyncState::Diverged,
        CommitRelation::Missing => SyncState::Unknown(
            "the commit that runs is not in this checkout; pull, or fetch the whole history"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_commit_of_git_can_be_in_sync() {
        for (relation, differs, state) in [
            (CommitRelation::Same, false, SyncState::InSync),
            (CommitRelation::Same, true, SyncState::Drifted),
            (CommitRelation::Behind(Some(2)), false, SyncState::Behind(Some(2))),
            (CommitRelation::Behind(None), true, SyncState::Behind(None)),
            (CommitRelation::Ahead(Some(1)), false, SyncState::Ahead(Some(1))),
            (CommitRelation::Diverged, false, SyncState::Diverged),
        ] {
            assert_eq!(sync_state(relation, differs), state, "{relation:?} {differs}");
        }
        assert!(matches!(sync_state(CommitRelation::Missing, false), SyncState::Unknown(_)));
    }
}
