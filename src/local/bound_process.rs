//! A program whose life is bound to its parent's: a hidden verb of trueup asks the kernel for it
//! and then becomes that program.
//!
//! Only Linux can do so. Elsewhere the keeper alone sees to it that nothing is left behind.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{self, Command};

/// The hidden verb; it takes the parent's id, the program and the program's arguments.
pub const VERB: &str = "__sandbox-bound";

/// A command that runs the program in this process's place and dies with this process. It has to
/// be spawned by a thread that lives as long as the program should.
pub fn command(trueup: &Path, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(trueup);
    command.arg(VERB).arg(process::id().to_string()).arg(program);
    command
}

/// Answers the hidden verb. It returns only when the program could not be started.
pub fn become_program(mut args: impl Iterator<Item = OsString>) -> io::Error {
    let parent = args.next().and_then(|id| id.to_str()?.parse().ok());
    let (Some(parent), Some(program)) = (parent, args.next()) else {
        return io::ErrorKind::InvalidInput.into();
    };
    match bind(parent) {
        Ok(()) => Command::new(program).args(args).exec(),
        Err(error) => error,
    }
}

/// Binds this process's life to its parent's.
///
/// # Errors
///
/// When the parent is not that one any more.
#[cfg(target_os = "linux")]
pub(crate) fn bind(parent: i32) -> io::Result<()> {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal};
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // The parent may have died before the kernel knew.
    match getppid() {
        Some(now) if now.as_raw_nonzero().get() == parent => Ok(()),
        _ => Err(io::Error::other("the parent is gone")),
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn bind(_parent: i32) -> io::Result<()> {
    Ok(())
}
