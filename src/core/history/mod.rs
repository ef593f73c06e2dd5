//! The history of a target: a [`RunRecord`] for each round that changed something, failed, rolled back or
//! was refused.
//!
//! | module | what it holds |
//! |---|---|
//! | `record` | one round: what was applied, by whom, and how it ended. Never a value of an object |
//! | `summary` | the part of a record that a list shows |
//! | `images` | the images that a change changes |
//! | `stored` | how records are kept in the cluster: one ConfigMap for each inventory, bounded |
//! | `figures` | DORA's four figures of a target |
//! | `query` | the rounds of several targets, of a time, and what ran then |
//! | `versions` | when an image's versions came and went, and when an object changed |
//! | `when` | times as people write them |
//! | `log` | how records are kept on this machine: lines, each with the digest of the one before |
//!
//! Data and rules only: [`crate::cluster`] and [`crate::local`] read and write, [`crate::app`] says when.

mod figures;
mod images;
mod log;
mod query;
mod record;
mod stored;
mod summary;
mod versions;
pub mod when;

pub use self::figures::{Deployments, Figures, P90_NEEDS, Spread, Window};
pub use self::images::image_changes;
pub use self::log::{LogEnds, LogFault, LogLine, LogProblem, line_digest, verify_log};
pub use self::query::{
    DeploymentsByTarget, KnownRun, RanAt, RunFilter, TargetPlace, by_target, deployments, merged,
    ran_at,
};
pub use self::record::{
    Cause, CommitHealth, ImageChange, Phases, RanBy, RecordedCluster, RecordedCommit,
    RecordedObject, RunOutcome, RunRecord, RunRollback, record_id,
};
pub use self::stored::{
    BYTES, COUNT, HISTORY_OF, bytes_of, history_name, records_to_drop, stored_body, stored_record,
    stored_strays, stored_summaries, summary_annotation,
};
pub use self::summary::Summary;
pub use self::versions::{
    ImageSpan, ObjectChange, ObjectPattern, image_spans, image_version, is_image, object_changes,
    silent,
};

#[cfg(test)]
mod figures_tests;
#[cfg(test)]
mod query_tests;
#[cfg(test)]
mod tests;
