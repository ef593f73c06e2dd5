//! Runs a program that renders: in its [`cell`](super::cell), with nothing of the user's in its
//! environment, no input, and limits on what it takes.

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::cell::CellOptions;
use super::cell::failure::{CANNOT, NOT_LAUNCHED, ProgramEnd, ResourceLimit};
#[cfg(target_os = "linux")]
use super::cell::{CellPlan, launch};
use super::limits::ProgramLimits;

/// It has no listener.
const NOWHERE: &str = "http://127.0.0.1:9";
/// How much of what a program says about a failure is kept.
const WORDS: usize = 64 << 10;
/// How long to wait before looking again whether a program has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Why a program gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It could not be started, or not be listened to.
    #[error("{} can't be run", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Its cell can't be made, or it can't be started in there.
    #[error("{why}")]
    Cell {
        /// Why not.
        why: String,
    },
    /// It ended with an error.
    #[error("{said}")]
    Failed {
        /// The program's message.
        said: String,
        /// The wall of its cell that it met, if it looks like one.
        wall: Option<ResourceLimit>,
    },
    /// It took too long.
    #[error("it took more than {} s and was stopped", .0.as_secs())]
    TooLong(Duration),
    /// It printed too much.
    #[error("it printed more than {} MiB and was stopped", .0 >> 20)]
    TooMuch(usize),
}

/// A program with its arguments, and where it works.
pub struct ProgramCall<'a> {
    /// The program.
    pub program: &'a Path,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// The folder that it works in.
    pub folder: &'a Path,
    /// An empty folder for its own files.
    pub home: &'a Path,
    /// The trueup that binds the program's life to ours and makes its cell, where the system can; else why it
    /// can't be found.
    pub launcher: Result<&'a PathBuf, &'a String>,
    /// Paths that its cell lets it read and write.
    pub cell: CellOptions<'a>,
}

/// A message of the threads that listen.
enum ProgramMessage {
    Output(io::Result<Vec<u8>>),
    TooMuch,
}

impl ProgramCall<'_> {
    /// Runs it to its end and returns what it printed.
    ///
    /// # Errors
    ///
    /// When it fails, or is stopped because it reached a limit.
    pub fn run(&self, limits: ProgramLimits) -> Result<Vec<u8>, RunError> {
        let start = |source| RunError::Start { program: self.program.to_owned(), source };
        let deadline = Instant::now() + limits.time;
        let mut running = Running(self.command(&limits).map_err(start)?.spawn().map_err(start)?);
        let (tell, hear) = mpsc::channel();
        let stdout = running.0.stdout.take();
        thread::spawn(move || tell.send(listen(stdout, limits.output)));
        let stderr = running.0.stderr.take();
        let words = thread::spawn(move || words(stderr));

        let left = deadline.saturating_duration_since(Instant::now());
        let output = match hear.recv_timeout(left) {
            Ok(ProgramMessage::Output(output)) => output.map_err(start)?,
            Ok(ProgramMessage::TooMuch) => return Err(RunError::TooMuch(limits.output)),
            Err(RecvTimeoutError::Timeout) => return Err(RunError::TooLong(limits.time)),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(start(io::ErrorKind::BrokenPipe.into()));
            }
        };
        let status = running.wait(deadline).map_err(start)?;
        match status {
            None => Err(RunError::TooLong(limits.time)),
            Some(status) if status.success() => Ok(output),
            Some(status) => {
                // Whoever else holds its stderr is not worth waiting for.
                drop(running);
                let said = words.join().unwrap_or_default();
                if status.code() == Some(NOT_LAUNCHED.into())
                    && let Some(why) = said.strip_prefix(CANNOT)
                {
                    return Err(RunError::Cell { why: why.trim_end().to_owned() });
                }
                let wall =
                    ProgramEnd { code: status.code(), signal: signal(status), said: &said }.wall();
                let said =
                    if said.trim().is_empty() { format!("it ended with {status}") } else { said };
                Err(RunError::Failed { said, wall })
            }
        }
    }

    /// In its cell; and killed in whatever way, we leave no program behind that never ends.
    fn confined(&self, limits: &ProgramLimits) -> io::Result<Command> {
        #[cfg(target_os = "linux")]
        {
            let plan = CellPlan::new(self.program, self.cell, limits);
            let trueup = self.launcher.map_err(|why| {
                io::Error::other(format!("trueup, which starts it, is not found: {why}"))
            })?;
            launch::command(trueup, self.program, &plan)
        }
        #[cfg(not(target_os = "linux"))]
        {
            let _ = limits;
            Ok(Command::new(self.program))
        }
    }

    fn command(&self, limits: &ProgramLimits) -> io::Result<Command> {
        let mut command = self.confined(limits)?;
        command
            .args(&self.args)
            .current_dir(self.folder)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // No PATH, so that there is no git to fetch with either.
        for name in ["PATH", "HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"]
        {
            command.env(name, self.home);
        }
        for name in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME", "HELM_PLUGINS"] {
            command.env(name, self.home);
        }
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"] {
            command.env(name, NOWHERE);
        }
        command.env("GIT_ALLOW_PROTOCOL", "none").env("KUBECONFIG", self.home.join("none"));
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        // Go tidies up more often, before it asks for more than there is.
        command.env("GOMEMLIMIT", (limits.memory / 10 * 9).to_string());
        Ok(command)
    }
}

#[cfg(unix)]
fn signal(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn signal(_status: ExitStatus) -> Option<i32> {
    None
}

/// A program with all that it starts; they end with this.
struct Running(Child);

impl Running {
    /// Waits for its end; `None` when it takes too long.
    fn wait(&mut self, deadline: Instant) -> io::Result<Option<ExitStatus>> {
        loop {
            if let Some(status) = self.0.try_wait()? {
                return Ok(Some(status));
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            thread::sleep(LOOK_AGAIN);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        #[cfg(unix)]
        {
            use rustix::process::{Pid, Signal, kill_process_group};
            let group = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw);
            let _ = group.map(|group| kill_process_group(group, Signal::KILL));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn listen(stdout: Option<impl Read>, limit: usize) -> ProgramMessage {
    let mut output = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let read = stdout.map_or(Ok(0), |stdout| stdout.take(most).read_to_end(&mut output));
    match read {
        Ok(_) if output.len() > limit => ProgramMessage::TooMuch,
        read => ProgramMessage::Output(read.map(|_| output)),
    }
}

/// The beginning of what a program says; the rest is heard and forgotten, so that it can go on.
fn words(stderr: Option<impl Read>) -> String {
    let mut said = Vec::new();
    if let Some(mut stderr) = stderr {
        let _ = stderr.by_ref().take(WORDS as u64).read_to_end(&mut said);
        let _ = io::copy(&mut stderr, &mut io::sink());
    }
    String::from_utf8_lossy(&said).into_owned()
}
