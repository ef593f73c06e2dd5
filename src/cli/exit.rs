//! The one exit table: what every verb's end means to the shell, and what a failure tells a person.

use std::process::ExitCode;

use super::remedy;
use crate::app;
use crate::app::trust::{Refusal, TrustError};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The cluster is at the commit, or there was nothing to do.
    AtCommit,
    /// It is not: differences, or something failed, is unhealthy or was refused.
    NotAtCommit,
    /// Could not tell or could not run: usage, configuration, git, manifests, API.
    CouldNot,
    /// Interrupted by a signal.
    Interrupted,
    /// The status of a command that trueup ran for the user.
    Passed(u8),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::AtCommit => 0,
            Exit::NotAtCommit => 1,
            Exit::CouldNot => 2,
            Exit::Interrupted => 130,
            Exit::Passed(status) => status,
        })
    }
}

/// Why a run could not go on: the message with its causes, and what to do about it.
#[derive(Debug)]
pub struct Failure {
    /// The error; its sources are the causes, and no message repeats its source's.
    pub error: anyhow::Error,
    /// Advice for the user, one line each.
    pub hints: Vec<String>,
}

impl Failure {
    /// The same once more, as where it is why several things could not be done.
    pub fn again(&self) -> Self {
        let mut causes: Vec<String> = self.error.chain().map(ToString::to_string).collect();
        let last = causes.pop().unwrap_or_default();
        let mut error = match self.refusal() {
            Some(refusal) => TrustError::Refused(Box::new(refusal.clone())).into(),
            None => anyhow::Error::msg(last),
        };
        while let Some(outer) = causes.pop() {
            error = error.context(outer);
        }
        Self { error, hints: self.hints.clone() }
    }

    /// The exit status: a commit that is not trusted and a target that is held are answers, anything
    /// else is none.
    pub fn exit(&self) -> Exit {
        if let Some(app::Error::Held { .. }) = self.error.downcast_ref() {
            return Exit::NotAtCommit;
        }
        match self.refusal() {
            Some(refusal) if !refusal.fault.is_unknown() => Exit::NotAtCommit,
            _ => Exit::CouldNot,
        }
    }

    /// The refusal of a commit, where that is what happened.
    pub(super) fn refusal(&self) -> Option<&Refusal> {
        let of_trust = self.error.downcast_ref::<TrustError>();
        let of_run = self.error.downcast_ref::<app::Error>().and_then(|error| match error {
            app::Error::Trust(error) => Some(error),
            _ => None,
        });
        match of_trust.or(of_run)? {
            TrustError::Refused(refusal) => Some(refusal),
            TrustError::Git(_) => None,
        }
    }

    /// Whether all that happened is that the reader of our output has gone.
    pub fn is_broken_pipe(&self) -> bool {
        let error = self.error.downcast_ref::<std::io::Error>();
        error.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    }
}

/// Errors that say themselves what to do.
macro_rules! failures_with_hints {
    ($($error:ty),* $(,)?) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                let hints = error.hint().into_iter();
                let hints = hints.map(|hint| remedy::words(&hint.into())).collect();
                Self { error: error.into(), hints }
            }
        }
    )*};
}

failures_with_hints!(
    crate::core::approval::WrongPlace,
    crate::cluster::ConnectError,
    crate::config::ConfigError,
    crate::git::Error,
    crate::git::pull::PullError,
    crate::config::machine::MachineError,
    crate::local::plan_file::PlanFileError,
    crate::local::secrets::SecretError,
    crate::app::Error,
    TrustError,
    crate::local::trusted_file::TrustedFileError,
);

#[cfg(unix)]
failures_with_hints!(crate::sandbox::Error);

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self { error, hints: Vec::new() }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self { error: error.into(), hints: Vec::new() }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self { error: error.into(), hints: Vec::new() }
    }
}
