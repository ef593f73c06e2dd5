//! The commits that were looked up, so that each name stays the commit that it was.

use std::collections::BTreeMap;

use super::tracked::TrackedRevision;
use crate::core::source::snapshot::Revision;
use crate::core::tracking::TrackedRef;

/// The commits that were looked up.
#[derive(Debug, Default)]
pub(super) struct NamedCommits {
    /// Those of names; the one without a name is `HEAD`'s.
    pub(super) names: BTreeMap<Option<String>, Revision>,
    /// Those of refs that targets track.
    pub(super) tracked: Vec<(TrackedRef, TrackedRevision)>,
}
