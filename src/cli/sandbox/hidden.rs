//! The verbs that a sandbox calls trueup with, which are nobody else's to use: they are no part of
//! the command line that people see.

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use super::super::ui::{ColorChoice, Ui};
use crate::sandbox::keeper::{bound, process};

/// Answers a hidden verb, if the arguments are one.
pub fn answer(mut args: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    let verb = args.next()?;
    let (error, status) = if verb == process::VERB {
        match process::keep(args) {
            Ok(()) => return Some(ExitCode::SUCCESS),
            Err(error) => (anyhow::Error::new(error), 1),
        }
    } else if verb == bound::VERB {
        let args: Vec<OsString> = args.collect();
        let program = args.get(1).cloned().unwrap_or_default();
        let error = bound::become_program(args.into_iter());
        // As every shell has it: not there, or there and no program.
        let status = if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 };
        (anyhow::Error::new(error).context(format!("cannot run {}", program.display())), status)
    } else {
        return None;
    };
    Ui::new(ColorChoice::Auto).failure(&error.into());
    Some(ExitCode::from(status))
}
