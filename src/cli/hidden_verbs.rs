//! The verbs that trueup calls itself with, and that are for itself alone: they are no part of
//! the command line that people see.

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use super::ui::{ColorChoice, Ui};
use crate::local::bound_process;
use crate::sandbox::keeper::process;

/// Answers a hidden verb, if the arguments are one.
pub fn answer(mut args: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    let verb = args.next()?;
    #[cfg(target_os = "linux")]
    if let Some(exit) = in_a_cell(&verb, &mut args) {
        return Some(exit);
    }
    let (error, status) = if verb == process::VERB {
        match process::keep(args) {
            Ok(()) => return Some(ExitCode::SUCCESS),
            Err(error) => (anyhow::Error::new(error), 1),
        }
    } else if verb == bound_process::VERB {
        let args: Vec<OsString> = args.collect();
        let program = args.get(1).cloned().unwrap_or_default();
        let error = bound_process::become_program(args.into_iter());
        // As every shell has it: not there, or there and no program.
        let status = if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 };
        (anyhow::Error::new(error).context(format!("cannot run {}", program.display())), status)
    } else {
        return None;
    };
    Ui::new(ColorChoice::Auto).failure(&error.into());
    Some(ExitCode::from(status))
}

/// Becomes a program that renders, or says what a cell keeps from happening.
#[cfg(target_os = "linux")]
#[allow(
    clippy::disallowed_methods,
    reason = "the trueup that started this process reads what it says; no person does"
)]
fn in_a_cell(verb: &OsString, args: &mut dyn Iterator<Item = OsString>) -> Option<ExitCode> {
    use std::io::Write as _;

    use crate::render::cell::failure::{CANNOT, NOT_LAUNCHED};
    use crate::render::cell::{guards, launch};

    if verb == guards::PROBE {
        let found = serde_json::to_vec(&launch::probe()).unwrap_or_default();
        let told = io::stdout().write_all(&found);
        return Some(if told.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    if verb != launch::VERB {
        return None;
    }
    let error = launch::become_program(args);
    // Read by the trueup that started this one.
    let _ = writeln!(io::stderr(), "{CANNOT}{error}");
    Some(ExitCode::from(NOT_LAUNCHED))
}
