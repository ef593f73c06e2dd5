//! The history of a target: a [`RunRecord`] for each round that changed something, failed, rolled back or
//! was refused.
//!
//! | module | what it holds |
//! |---|---|
//! | `record` | one round: what was applied, by whom, and how it ended. Never a value of an object |
//! | `summary` | the part of a record that a list shows |
//! | `images` | the images that a change changes |
//! | `stored` | how records are kept in the cluster: one ConfigMap for each inventory, bounded |
//! | `log` | how records are kept on this machine: lines, each with the digest of the one before |
//!
//! Data and rules only: [`crate::cluster`] and [`crate::local`] read and write, [`crate::app`] says when.

mod images;
mod log;
mod record;
mod stored;
mod summary;

pub use self::images::image_changes;
pub use self::log::{LogEnds, LogFault, LogLine, LogProblem, line_digest, verify_log};
pub use self::record::{
    Cause, CommitHealth, ImageChange, Phases, RanBy, RecordedCluster, RecordedCommit,
    RecordedObject, RunOutcome, RunRecord, RunRollback, record_id,
};
pub use self::stored::{
    BYTES, COUNT, HISTORY_OF, history_name, records_to_drop, stored_body, stored_record,
    stored_summaries, summary_annotation,
};
pub use self::summary::Summary;

#[cfg(test)]
mod tests;
