//! Runs a program that verifies, so that nothing but its arguments and its home decide what it says.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::{VerifierEnvironment, VerifierError};
use crate::core::verification::answers::Answer;
use crate::local::search::{self, ProgramSearch};

/// How long it may take: verifying takes milliseconds, on a loaded machine a second.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often its end is looked for.
const PAUSE: Duration = Duration::from_millis(2);
/// The most that is read of what it writes.
const LARGEST: u64 = 1 << 20;

/// A program, and the folder that it is at home in.
pub(super) struct Program {
    name: &'static str,
    path: PathBuf,
    time_zone: Option<OsString>,
}

impl Program {
    /// Finds a program in the absolute elements of the search path.
    pub(super) fn find(
        name: &'static str,
        environment: &VerifierEnvironment,
    ) -> Result<Self, VerifierError> {
        match search::find(name, &environment.path) {
            ProgramSearch::Found(path) => {
                Ok(Self { name, path, time_zone: environment.time_zone.clone() })
            }
            other => Err(VerifierError::Missing { name, note: other.note(name) }),
        }
    }

    /// Runs it in `home` with `input` on stdin.
    pub(super) fn run(
        &self,
        home: &Path,
        arguments: &[OsString],
        input: Option<&Path>,
    ) -> Result<Answer, VerifierError> {
        let failed = |source| VerifierError::Run { name: self.name, source };
        let stdin = match input {
            Some(path) => Stdio::from(File::open(path).map_err(failed)?),
            None => Stdio::null(),
        };
        let mut command = Command::new(&self.path);
        command.args(arguments).current_dir(home).env_clear();
        command.env("HOME", home).env("GNUPGHOME", home).env("LC_ALL", "C");
        if let Some(zone) = &self.time_zone {
            command.env("TZ", zone);
        }
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        let stdout = child.stdout.take().map(|pipe| thread::spawn(|| read(pipe)));
        let stderr = child.stderr.take().map(|pipe| thread::spawn(|| read(pipe)));
        let success = self.wait(&mut child)?;
        let text = |reader: Option<thread::JoinHandle<io::Result<String>>>| {
            reader.map(|reader| reader.join().unwrap_or_else(|_| Ok(String::new()))).transpose()
        };
        let stdout = text(stdout).map_err(failed)?.unwrap_or_default();
        let stderr = text(stderr).map_err(failed)?.unwrap_or_default();
        Ok(Answer { success, stdout, stderr })
    }

    /// Whether it ended with 0.
    fn wait(&self, child: &mut Child) -> Result<bool, VerifierError> {
        let begin = Instant::now();
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return Ok(status.success()),
                Ok(None) if begin.elapsed() < PATIENCE => thread::sleep(PAUSE),
                Ok(None) => {
                    let _ = child.kill();
                    let _ = child.wait();
                    let seconds = PATIENCE.as_secs();
                    return Err(VerifierError::Timeout { name: self.name, seconds });
                }
                Err(source) => return Err(VerifierError::Run { name: self.name, source }),
            }
        }
    }
}

fn read(pipe: impl Read) -> io::Result<String> {
    let mut bytes = Vec::new();
    pipe.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
