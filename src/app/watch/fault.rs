//! Why rounds come to nothing or fail, the classes of that, and the commit that it is about.

use super::identity::ClusterIdentity;
use super::{Round, SettingsError};
use crate::app::{self, Target};
use crate::cluster::{ApiError, ConnectError};
use crate::core::metrics::FailureClass;
use crate::core::plan::Action;
use crate::core::redact::MaskedProblem;
use crate::core::remedy::Remedy;
use crate::core::source::snapshot::{Revision, short};
use crate::git::{self, Checkout};

impl Round {
    /// The classes of what went wrong, for figures.
    pub fn failure_classes(&self) -> Vec<FailureClass> {
        let Self { pulled, survey, report, held_back, .. } = self;
        let is_pull = match pulled {
            None => false,
            Some(Ok(pulled)) => !pulled.refused.is_empty(),
            Some(Err(_)) => true,
        };
        let classes = [
            (FailureClass::Pull, is_pull),
            (FailureClass::Untrusted, survey.found.judged.refused.is_some()),
            (FailureClass::Manifests, !survey.found.desired.problems.is_empty()),
            (FailureClass::Refused, survey.decided.plan.count(Action::Refuse) > 0),
            (FailureClass::Apply, report.failed() + report.differing() > 0),
            (FailureClass::Health, report.proof.as_ref().is_some_and(|proof| !proof.is_ready())),
            (FailureClass::Lock, report.lost.is_some()),
            (FailureClass::Rollback, report.rollback.is_some() || held_back.is_some()),
        ];
        classes.into_iter().filter(|(_, is_so)| *is_so).map(|(class, _)| class).collect()
    }
}

/// Why a round came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum RoundError {
    /// The checkout could not be read.
    #[error(transparent)]
    Git(#[from] git::Error),
    /// No way to the cluster.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The settings could not be read.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The target could not be surveyed or carried out.
    #[error(transparent)]
    Reconcile(#[from] app::Error),
    /// The commit was taken back, and the one to keep true in its place is not here.
    #[error(
        "{} failed before and is not applied again; {}, the last healthy commit, is not in this \
        checkout",
        short(.failed),
        short(.healthy)
    )]
    NothingToKeep {
        /// The commit that failed.
        failed: String,
        /// The one that was healthy.
        healthy: String,
        /// git's error.
        source: Box<git::Error>,
    },
    /// The kubeconfig leads elsewhere since the watch began.
    #[error(
        "the kubeconfig now points to {now}, but this watch began with {before}; nothing was \
        written"
    )]
    OtherCluster {
        /// The cluster that it began on.
        before: Box<ClusterIdentity>,
        /// The cluster that the kubeconfig leads to.
        now: Box<ClusterIdentity>,
    },
    /// A task of our own ended without an answer.
    #[error("a task of trueup ended without an answer")]
    Task(#[from] tokio::task::JoinError),
}

impl RoundError {
    /// The problems of the manifests, where they are the error.
    pub fn problems(&self) -> &[MaskedProblem] {
        match self {
            Self::Reconcile(error) => error.problems(),
            _ => &[],
        }
    }

    /// The remedy.
    pub fn hint(&self) -> Option<Remedy> {
        match self {
            Self::Git(error) => error.hint().map(Remedy::Text),
            Self::Connect(error) => error.hint(),
            Self::Reconcile(error) => error.hint(),
            Self::Settings(error) => error.hint.clone().map(Remedy::Text),
            Self::NothingToKeep { failed, .. } => {
                Some(Remedy::RetryCommit { commit: short(failed).to_owned() })
            }
            Self::OtherCluster { .. } => Some(
                "restore the kubeconfig, or start trueup watch again if that cluster is intended"
                    .into(),
            ),
            Self::Task(_) => None,
        }
    }
}

/// Whether a round failed in such a way that the next one is likely to fail, too.
pub(super) fn is_failing(round: &Result<Round, RoundError>) -> bool {
    match round {
        Ok(round) => round.report.failed() + round.report.differing() > 0,
        Err(error) => error.is_settled(),
    }
}

/// Whether a round ended because a newer commit has come.
pub(super) fn is_superseded(round: &Result<Round, RoundError>) -> bool {
    match round {
        Ok(round) => round.report.superseded.is_some(),
        Err(error) => matches!(error, RoundError::Reconcile(app::Error::Superseded(_))),
    }
}

/// Whether this is all that is known of the API server: it does not answer.
pub(super) fn is_no_answer(error: &ApiError) -> bool {
    match error {
        ApiError::Unreachable { .. }
        | ApiError::Silent { .. }
        | ApiError::Proxy { .. }
        | ApiError::Tls { .. } => true,
        ApiError::Status { code, .. } => matches!(code, 502..=504),
        _ => false,
    }
}

impl RoundError {
    /// Whether no API server answered.
    pub(super) fn is_of_outage(&self) -> bool {
        match self {
            Self::Connect(_) => true,
            Self::Reconcile(app::Error::Api { source, .. }) => is_no_answer(source),
            _ => false,
        }
    }

    /// Whether the target is known not to be at its commit, as opposed to a round that had to give way.
    pub(super) fn is_settled(&self) -> bool {
        use app::Error::{Locked, Lost, Stopped, Superseded};
        !matches!(self, Self::Reconcile(Locked { .. } | Lost(_) | Stopped | Superseded(_)))
    }

    /// The class of the fault for figures; `None` where it is none.
    pub fn class(&self) -> Option<FailureClass> {
        use app::Error;
        Some(match self {
            Self::Git(_) | Self::Reconcile(Error::Git(_)) => FailureClass::Git,
            Self::Connect(_) => FailureClass::Connect,
            Self::Settings(error) if !error.is_refusal => FailureClass::Settings,
            Self::Settings(_) | Self::Reconcile(Error::Trust(_)) => FailureClass::Untrusted,
            Self::Reconcile(Error::Stopped | Error::Superseded(_) | Error::Held { .. }) => {
                return None;
            }
            Self::Reconcile(Error::Api { .. }) => FailureClass::Api,
            Self::Reconcile(Error::Locked { .. } | Error::Lost(_)) => FailureClass::Lock,
            Self::Reconcile(Error::WrongCluster(_)) | Self::OtherCluster { .. } => {
                FailureClass::WrongCluster
            }
            Self::Reconcile(
                Error::Parent(_)
                | Error::NoNamespace(_)
                | Error::OtherRepository { .. }
                | Error::OtherPaths { .. }
                | Error::Overtaken(_),
            ) => FailureClass::Inventory,
            Self::Reconcile(_) if self.is_of_commit() => FailureClass::Manifests,
            Self::NothingToKeep { .. } => FailureClass::Rollback,
            Self::Reconcile(_) | Self::Task(_) => FailureClass::Internal,
        })
    }

    /// Whether the commit can't be read, rendered or used, so that its author is to hear of it.
    pub fn is_of_commit(&self) -> bool {
        use app::Error::{Git, Ignore, NoDeclaredPath, Strict, UnknownKind, Unusable};
        match self {
            Self::Settings(error) => error.is_of_commit,
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

/// The checkout and the target of a round, to tell its commit by. Each name stays the commit that it was, or a
/// later one would be blamed.
pub(super) struct ReadCommit {
    /// The checkout of the round.
    pub(super) checkout: Checkout,
    /// The target, where the settings could be used.
    pub(super) target: Option<Target>,
}

impl ReadCommit {
    /// The commit that the target followed; `HEAD` where the settings do not say.
    pub(super) fn followed(&self) -> Option<Revision> {
        match &self.target {
            Some(target) => target.revision(&self.checkout).ok(),
            None => self.checkout.resolve(None).ok(),
        }
    }
}
