//! Whoever runs a round, and what is agreed on with it.

use super::Event;
use crate::app::{Error, Survey, Target};
use crate::cluster::Cluster;
use crate::core::report::Report;
use crate::core::source::snapshot::Revision;

/// In which rounds to wait until everything is healthy.
#[derive(Clone, Copy, Debug)]
pub enum WaitWhen<'a> {
    /// In each.
    Always,
    /// Where something is written, or the commit was never seen healthy and is not the one that was
    /// waited for before.
    Needed {
        /// The commit that was waited for to its end before.
        proven: Option<&'a str>,
    },
}

/// Whoever runs a round: looks at git and the cluster, approves, and hears what happens.
pub trait Runner: Send {
    /// Why a round ends early: it can't look, or what there is to do is not approved.
    type Error: From<Error>;

    /// Looks again, since others may have written after `before`.
    ///
    /// # Errors
    ///
    /// When git or the cluster can't be read.
    fn survey(
        &mut self,
        before: &Survey,
        cluster: &Cluster,
    ) -> impl Future<Output = Result<Survey, Self::Error>>;

    /// Approves that what was found `now` is carried out in place of what was found `before`.
    ///
    /// # Errors
    ///
    /// When it is not approved, or whoever approves can't be asked.
    fn approve(
        &mut self,
        before: &Survey,
        now: &mut Survey,
    ) -> impl Future<Output = Result<(), Self::Error>>;

    /// The target as the settings of another commit have it, to roll back to that.
    ///
    /// # Errors
    ///
    /// When those settings can't be used.
    fn target_at(&self, commit: &str) -> Result<Target, Self::Error>;

    /// Hears why a rollback was not possible; gives what the report says of it.
    fn rollback_failed(&mut self, revision: &Revision, error: Self::Error) -> Option<String>;

    /// Returns once the round may go on after it has waited for health.
    fn waited(&mut self) -> impl Future<Output = ()> {
        std::future::ready(())
    }

    /// Hears what happens to what was surveyed.
    fn hear(&mut self, survey: &Survey, event: &Event);
}

/// How a round ended.
pub struct RoundEnd {
    /// The last observation and plan.
    pub survey: Survey,
    /// The report of the run.
    pub report: Report,
}
