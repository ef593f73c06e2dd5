//! A program of the user's beside the control plane: it sees it through `KUBECONFIG`, and it dies
//! with it.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;

use rustix::process::{Pid, Signal, getpgrp, kill_process};
use rustix::termios::tcgetpgrp;
use tokio::process::Child;
use tokio::signal::unix::{SignalKind, signal};

use super::{Error, Sandbox};
use crate::local::bound_process;
use crate::local::search::{self, ProgramSearch};

/// The variable that names the API server's audit log.
pub const AUDIT_LOG: &str = "TRUEUP_SANDBOX_AUDIT_LOG";

/// The command to run, and how.
pub struct SandboxCommand<'a> {
    /// The program and its arguments.
    pub command: &'a [OsString],
    /// The search path, which the sandbox's kubectl is added to.
    pub path: &'a OsStr,
    /// The signals that are handed on.
    pub signals: CommandSignals,
}

/// Runs the command to its end and returns its status. A program of the sandbox that ends before it
/// is reported to `on_death`.
///
/// To be called on the main thread: the command dies with the thread that starts it.
///
/// # Errors
///
/// When the command is not found, can't be started, or is lost.
pub async fn run(
    sandbox: &mut Sandbox,
    request: SandboxCommand<'_>,
    mut on_death: impl FnMut(Error),
) -> Result<ExitStatus, Error> {
    let SandboxCommand { command, path, mut signals } = request;
    let (program, args) =
        command.split_first().ok_or(Error::Command(io::ErrorKind::InvalidInput.into()))?;
    let mut folders = search::folders(path);
    folders.push(sandbox.bin_dir().to_owned());
    let program = find_program(program, path, &folders)?;
    let path = std::env::join_paths(folders).unwrap_or_default();
    let mut child = tokio::process::Command::from(bound_process::command(&sandbox.trueup, program))
        .args(args)
        .env("PATH", path)
        .env("KUBECONFIG", sandbox.kubeconfig())
        .env(AUDIT_LOG, sandbox.audit_log())
        .kill_on_drop(true)
        .spawn()
        .map_err(Error::Command)?;
    let id = child.id();
    id.map(|id| sandbox.keeper.take_along(id)).transpose()?;
    let mut whole = true;
    loop {
        tokio::select! {
            status = child.wait() => {
                // Gone with the keeper, perhaps; the command's status is worth more than that.
                let _ = id.map(|id| sandbox.keeper.release(id));
                return status.map_err(Error::Command);
            }
            signal = signals.next() => forward(signal, &child),
            error = sandbox.ended(), if whole => {
                whole = false;
                on_death(error);
            }
        }
    }
}

/// The program that `name` means: a path is taken as it is, a bare name is looked for.
fn find_program(name: &OsStr, path: &OsStr, folders: &[PathBuf]) -> Result<PathBuf, Error> {
    let text = name.to_string_lossy();
    if text.contains('/') {
        return Ok(name.into());
    }
    if let Some(found) = search::find_in(&text, folders) {
        return Ok(found);
    }
    match search::find(&text, path) {
        skipped @ ProgramSearch::Skipped(_) => {
            Err(Error::Skipped(skipped.note(&text).unwrap_or_default()))
        }
        // Whoever starts it says that it is not there.
        ProgramSearch::Found(_) | ProgramSearch::Nowhere => Ok(name.into()),
    }
}

/// The status that a shell shows for it.
pub fn shell_status(status: ExitStatus) -> u8 {
    match (status.code(), status.signal()) {
        (None, Some(signal)) => death_by(signal),
        (code, _) => code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX),
    }
}

/// The status that a shell shows for a death by this signal.
pub fn death_by(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(u8::MAX)
}

/// The signals that ask a program to end.
pub struct CommandSignals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl CommandSignals {
    /// From now on, they no longer end this process.
    ///
    /// # Errors
    ///
    /// When the system refuses to deliver the signals.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the next.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::INT,
            _ = self.terminate.recv() => Signal::TERM,
        }
    }
}

/// Hands a signal on, unless the terminal gave it to the command as well.
fn forward(signal: Signal, child: &Child) {
    if signal == Signal::INT && is_in_the_foreground() {
        return;
    }
    let id = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
    if let Some(id) = id {
        let _ = kill_process(id, signal);
    }
}

fn is_in_the_foreground() -> bool {
    let terminal = File::open("/dev/tty");
    terminal.is_ok_and(|terminal| tcgetpgrp(terminal).is_ok_and(|group| group == getpgrp()))
}
