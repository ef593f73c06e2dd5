//! Runs programs so that none of them, and no file of theirs, outlives this process, however it
//! ends.
//!
//! A second process, the keeper ([`process`]), makes a private folder, starts the programs and
//! listens on a pipe. When the pipe closes, because the sandbox was dropped or because this process
//! was killed, it kills the programs and removes the folder: there is one way to end, and every run
//! takes it. On Linux the programs also die with the keeper ([`crate::local::bound_process`]), should that be killed.

pub mod process;
mod protocol;

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;

use tokio::sync::mpsc;

use super::Error;
use protocol::{KeeperCommand, KeeperNotice};
pub use protocol::{ProgramEnded, ProgramStart};

/// How many lines of a log are enough.
const TAIL: usize = 20;

/// The hold on the keeper process; dropped, everything ends.
#[derive(Debug)]
pub struct Keeper {
    process: Child,
    orders: Option<ChildStdin>,
    notices: mpsc::UnboundedReceiver<ProgramEnded>,
    folder: PathBuf,
}

impl Keeper {
    /// Starts the keeper, which makes a folder of its own in `parent`.
    ///
    /// # Errors
    ///
    /// When the keeper can't be started, or can't make the folder.
    pub fn start(trueup: &Path, parent: &Path, prefix: &str) -> Result<Self, Error> {
        let failed = |error| Error::Keeper("can't be started", Some(error));
        let mut process = Command::new(trueup)
            .arg(process::VERB)
            .arg(parent)
            .arg(prefix)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C on the terminal is for the user's command; what it needs to end well stays up.
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let (Some(orders), Some(stdout)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(Error::Keeper("has no pipes", None));
        };
        let mut stdout = BufReader::new(stdout);
        let (sender, notices) = mpsc::unbounded_channel();
        let mut keeper = Self { process, orders: Some(orders), notices, folder: PathBuf::new() };
        keeper.folder = match read(&mut stdout).map_err(failed)? {
            Some(KeeperNotice::Folder(folder)) => folder,
            Some(KeeperNotice::NoFolder(why)) => {
                return Err(Error::file("make a folder in", parent)(io::Error::other(why)));
            }
            _ => return Err(Error::Keeper("ended at its start", None)),
        };
        thread::spawn(move || {
            while let Ok(Some(notice)) = read(&mut stdout) {
                if let KeeperNotice::Ended(ended) = notice {
                    // The receiver may be gone.
                    let _ = sender.send(ended);
                }
            }
        });
        Ok(keeper)
    }

    /// The private folder, which goes when the programs go.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Has a program started.
    ///
    /// # Errors
    ///
    /// When the keeper is gone.
    pub fn run(&mut self, start: ProgramStart) -> Result<(), Error> {
        self.order(&KeeperCommand::Start(start))
    }

    /// Names a process of ours that must not outlive us either.
    ///
    /// # Errors
    ///
    /// When the keeper is gone.
    pub fn take_along(&mut self, process: u32) -> Result<(), Error> {
        self.order(&KeeperCommand::TakeAlong(process))
    }

    /// Forgets that process, which ended.
    ///
    /// # Errors
    ///
    /// When the keeper is gone.
    pub fn release(&mut self, process: u32) -> Result<(), Error> {
        self.order(&KeeperCommand::Release(process))
    }

    /// Waits until one of the programs ends.
    ///
    /// # Errors
    ///
    /// When the keeper is gone.
    pub async fn ended(&mut self) -> Result<ProgramEnded, Error> {
        self.notices.recv().await.ok_or(Error::Keeper("is gone", None))
    }

    /// The error that a program's end is where it should have run on.
    pub fn died(&self, ended: &ProgramEnded) -> Error {
        Error::Died {
            name: ended.name.clone(),
            how: ended.how.clone(),
            log: self.tail(&ended.name),
        }
    }

    /// Where a program's output goes.
    pub fn log(&self, name: &str) -> PathBuf {
        self.folder.join(name).with_extension("log")
    }

    /// The last lines of a program's log.
    pub fn tail(&self, name: &str) -> String {
        let log = fs::read(self.log(name)).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(TAIL)..].join("\n")
    }

    fn order(&mut self, order: &KeeperCommand) -> Result<(), Error> {
        let gone = |error| Error::Keeper("is gone", Some(error));
        let mut line = serde_json::to_vec(order).map_err(|error| gone(error.into()))?;
        line.push(b'\n');
        match &mut self.orders {
            Some(orders) => orders.write_all(&line).map_err(gone),
            None => Err(Error::Keeper("is gone", None)),
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.orders.take());
        // It ends in a moment; should it have been killed, its folder is left to us.
        let _ = self.process.wait();
        if self.folder.is_dir() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

fn read(from: &mut impl BufRead) -> io::Result<Option<KeeperNotice>> {
    let mut line = String::new();
    match from.read_line(&mut line)? {
        0 => Ok(None),
        _ => Ok(Some(serde_json::from_str(&line)?)),
    }
}
