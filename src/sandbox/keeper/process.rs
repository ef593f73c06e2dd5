//! The keeper process itself: makes the folder, runs programs on request, and when the pipe from
//! its parent closes, kills them and removes the folder.

use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::thread;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::protocol::{KeeperCommand, KeeperNotice, ProgramEnded, ProgramStart};
use crate::local::bound_process;

/// The hidden verb; it takes the folder to make the private folder in, and how its name begins.
pub const VERB: &str = "__sandbox-keeper";

/// Answers the hidden verb.
///
/// # Errors
///
/// When the arguments are missing, or the folder can't be made.
pub fn keep(mut args: impl Iterator<Item = OsString>) -> io::Result<()> {
    let (Some(parent), Some(prefix)) = (args.next(), args.next()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    // The programs are bound to the thread that starts them: this one, which ends last.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let trueup = std::env::current_exe()?;
    let folder = tempfile::Builder::new()
        .prefix(&prefix)
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(parent);
    let folder = match folder {
        Ok(folder) => folder,
        Err(error) => return send_notice(&KeeperNotice::NoFolder(error.to_string())),
    };
    let _ = send_notice(&KeeperNotice::Folder(folder.path().to_owned()));
    let result = runtime.block_on(obey(&trueup));
    runtime.shutdown_background();
    remove(folder.path());
    result
}

async fn obey(trueup: &Path) -> io::Result<()> {
    // A signal meant for everything called trueup must not end the one that tidies up.
    let _deaf = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()]
        .map(|kind| signal(kind));
    let (orders, mut inbox) = mpsc::unbounded_channel();
    thread::spawn(move || {
        for line in io::stdin().lines().map_while(Result::ok) {
            // Anything but an order is the end, as silence is.
            if serde_json::from_str(&line).is_ok_and(|order| orders.send(order).is_ok()) {
                continue;
            }
            break;
        }
    });
    let (end, running) = watch::channel(());
    let mut programs = JoinSet::new();
    let mut along = Vec::new();
    while let Some(order) = inbox.recv().await {
        match order {
            KeeperCommand::TakeAlong(process) => along.push(process),
            KeeperCommand::Release(process) => along.retain(|it| *it != process),
            KeeperCommand::Start(start) => match spawn(trueup, &start) {
                Ok(child) => {
                    programs.spawn(watch_over(start.name, child, running.clone()));
                }
                Err(error) => ended(start.name, false, error.to_string()),
            },
        }
    }
    drop(end);
    for process in along {
        if let Some(process) = pid(Some(process)) {
            let _ = kill_process(process, Signal::KILL);
        }
    }
    while programs.join_next().await.is_some() {}
    Ok(())
}

fn spawn(trueup: &Path, start: &ProgramStart) -> io::Result<Child> {
    let log = File::create(&start.log)?;
    let mut command = Command::from(bound_process::command(trueup, &start.program));
    command.args(&start.args).current_dir(&start.folder).process_group(0);
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    if start.shielded {
        for (name, _) in std::env::vars_os().filter(|(name, _)| name != "PATH") {
            command.env_remove(name);
        }
    }
    for (name, value) in &start.env {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.spawn()
}

/// Waits for the program's end, or brings it about when everything ends.
async fn watch_over(name: String, mut child: Child, mut running: watch::Receiver<()>) {
    tokio::select! {
        status = child.wait() => match status {
            Ok(status) => ended(name, status.success(), status.to_string()),
            Err(error) => ended(name, false, error.to_string()),
        },
        _ = running.changed() => {
            // Nothing of a sandbox is worth a slow goodbye. The group holds what the program
            // started itself, and its id can't be another's before the program was waited for.
            if let Some(group) = pid(child.id()) {
                let _ = kill_process_group(group, Signal::KILL);
            }
            let _: io::Result<ExitStatus> = child.wait().await;
        }
    }
}

fn pid(id: Option<u32>) -> Option<Pid> {
    Pid::from_raw(id?.try_into().ok()?)
}

fn ended(name: String, success: bool, how: String) {
    let _ = send_notice(&KeeperNotice::Ended(ProgramEnded { name, success, how }));
}

/// Notifies the parent, which may be gone.
#[allow(clippy::disallowed_methods, reason = "a pipe to the parent, no answer of trueup's")]
fn send_notice(notice: &KeeperNotice) -> io::Result<()> {
    let mut line = serde_json::to_vec(notice)?;
    line.push(b'\n');
    let mut stdout = io::stdout().lock();
    stdout.write_all(&line)?;
    stdout.flush()
}

/// Removes the folder, again where a dying process of a program's still wrote into it.
fn remove(folder: &Path) {
    for _ in 0..50 {
        if fs::remove_dir_all(folder).is_ok() || !folder.exists() {
            return;
        }
        thread::sleep(std::time::Duration::from_millis(20));
    }
}
