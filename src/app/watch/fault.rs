//! The faults of rounds by their classes, and the commit that one is about.

use super::{Round, RoundError, Watch};
use crate::app;
use crate::cluster::Cluster;
use crate::core::plan::Action;
use crate::core::source::snapshot::Revision;
use crate::git::Checkout;

impl Round {
    /// The classes of what went wrong, for figures.
    pub fn failure_classes(&self) -> Vec<&'static str> {
        let Self { pulled, survey, report, held_back, .. } = self;
        let is_pull = match pulled {
            None => false,
            Some(Ok(pulled)) => !pulled.refused.is_empty(),
            Some(Err(_)) => true,
        };
        let classes = [
            ("pull", is_pull),
            ("untrusted", survey.found.judged.refused.is_some()),
            ("manifests", !survey.found.desired.problems.is_empty()),
            ("refused", survey.decided.plan.count(Action::Refuse) > 0),
            ("apply", report.failed() + report.differing() > 0),
            ("health", report.proof.as_ref().is_some_and(|proof| !proof.is_ready())),
            ("lock", report.lost.is_some()),
            ("rollback", report.rollback.is_some() || held_back.is_some()),
        ];
        classes.into_iter().filter(|(_, is_so)| *is_so).map(|(class, _)| class).collect()
    }
}

impl RoundError {
    /// The class of the fault for figures; `None` where it is none.
    pub fn class(&self) -> Option<&'static str> {
        use app::Error;
        Some(match self {
            Self::Git(_) | Self::Reconcile(Error::Git(_)) => "git",
            Self::Connect(_) => "connect",
            Self::Settings(error) if !error.is_refusal => "settings",
            Self::Settings(_) | Self::Reconcile(Error::Trust(_)) => "untrusted",
            Self::Reconcile(Error::Stopped | Error::Superseded(_) | Error::Held { .. }) => {
                return None;
            }
            Self::Reconcile(Error::Api { .. }) => "api",
            Self::Reconcile(Error::Locked { .. } | Error::Lost(_)) => "lock",
            Self::Reconcile(Error::WrongCluster(_)) | Self::OtherCluster { .. } => "wrong-cluster",
            Self::Reconcile(
                Error::Parent(_)
                | Error::NoNamespace(_)
                | Error::OtherRepository { .. }
                | Error::OtherPaths { .. }
                | Error::Overtaken(_),
            ) => "inventory",
            Self::Reconcile(_) if self.is_of_commit() => "manifests",
            Self::NothingToKeep { .. } => "rollback",
            Self::Reconcile(_) | Self::Task(_) => "internal",
        })
    }

    /// Whether the commit can't be read, rendered or used, so that its author is to hear of it.
    pub fn is_of_commit(&self) -> bool {
        use app::Error::{Git, Ignore, NoDeclaredPath, Strict, UnknownKind, Unusable};
        match self {
            Self::Settings(error) => !error.is_refusal,
            Self::Reconcile(error) => matches!(
                error,
                Git(_)
                    | Ignore(_)
                    | NoDeclaredPath { .. }
                    | Strict { .. }
                    | UnknownKind { .. }
                    | Unusable { .. }
            ),
            _ => false,
        }
    }
}

/// The commit that the target follows now; `HEAD` where the settings do not say.
pub(super) fn followed(watch: &Watch) -> Option<Revision> {
    let checkout = Checkout::discover(&watch.directory).ok()?;
    let cluster = Cluster::prepared(&watch.access).ok();
    let wanted = cluster.and_then(|cluster| (watch.settings)(&checkout, &cluster, None).ok());
    match wanted {
        Some(wanted) => wanted.target.revision(&checkout).ok(),
        None => checkout.resolve(None).ok(),
    }
}
