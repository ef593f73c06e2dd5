//! The one exit table: what every verb's end means to the shell, and what a failure tells a person.

use std::process::ExitCode;

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
    /// What happened; its sources are the causes, and no message repeats its source's.
    pub error: anyhow::Error,
    /// What the user can do, one line each.
    pub hints: Vec<String>,
}

impl Failure {
    /// A failure with something to do about it.
    pub fn with_hint(error: impl Into<anyhow::Error>, hint: impl Into<String>) -> Self {
        Self { error: error.into(), hints: vec![hint.into()] }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { error: error.into(), hints: Vec::new() }
    }
}
