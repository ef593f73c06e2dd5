//! The exit status of a round.

use super::Log;
use crate::app::Error;
use crate::app::trust::TrustError;
use crate::app::watch::{Round, RoundError};
use crate::cli::exit::Exit;

impl Log {
    /// The exit status of a round.
    pub fn exit(&self, round: &Result<Round, RoundError>) -> Exit {
        match round {
            Err(RoundError::Settings(error)) if error.is_refusal => Exit::NotAtCommit,
            Err(RoundError::Reconcile(Error::Trust(TrustError::Refused(refusal))))
                if !refusal.fault.is_unknown() =>
            {
                Exit::NotAtCommit
            }
            Err(RoundError::Reconcile(Error::Held { .. })) => Exit::NotAtCommit,
            Err(_) => Exit::CouldNot,
            Ok(Round { pulled: Some(Err(error)), .. }) if !error.is_refusal() => Exit::CouldNot,
            Ok(Round { pulled: Some(Err(_)), .. }) => Exit::NotAtCommit,
            Ok(Round { pulled: Some(Ok(pulled)), .. }) if !pulled.refused.is_empty() => {
                Exit::NotAtCommit
            }
            Ok(Round { held_back: Some(_), .. } | Round { waits: Some(_), .. }) => {
                Exit::NotAtCommit
            }
            Ok(Round { held: Some(held), .. }) if held.waits.is_some() => Exit::NotAtCommit,
            Ok(Round { survey, .. }) if survey.found.judged.refused.is_some() => Exit::NotAtCommit,
            Ok(round) if round.report.is_good() => Exit::AtCommit,
            Ok(round) if round.report.interrupted => Exit::Interrupted,
            Ok(_) => Exit::NotAtCommit,
        }
    }
}
