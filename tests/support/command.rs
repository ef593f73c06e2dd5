//! Runs a program in a hermetic environment and keeps everything it said.

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};

/// A program about to be run.
#[must_use = "call `.run()`"]
pub struct Cmd {
    command: Command,
}

impl Cmd {
    /// The trueup that was built with these tests.
    pub fn trueup() -> Self {
        Self::new(env!("CARGO_BIN_EXE_trueup"))
    }

    /// Any program, found on `PATH`, with an environment that holds nothing of the user's.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        command.stdin(Stdio::null()).env_remove("KUBECONFIG").env("NO_COLOR", "1");
        for (name, value) in [
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_AUTHOR_NAME", "Author"),
            ("GIT_AUTHOR_EMAIL", "author@example.com"),
            ("GIT_COMMITTER_NAME", "Author"),
            ("GIT_COMMITTER_EMAIL", "author@example.com"),
            // Another cluster than that of an earlier process is refused.
            ("XDG_STATE_HOME", &state()),
        ] {
            command.env(name, value);
        }
        Self { command }
    }

    /// Adds arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets the working directory.
    pub fn dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Sets one environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Takes one variable out of the environment.
    pub fn env_remove(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// The same environment and folder for a shell script.
    pub fn shell(self, script: &str) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::null());
        for (name, value) in self.command.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(dir) = self.command.get_current_dir() {
            command.current_dir(dir);
        }
        Self { command }
    }

    /// The command itself, for what this builder has no word for.
    pub fn into_inner(self) -> Command {
        self.command
    }

    /// Runs it to its end.
    #[must_use = "look at what it printed, or assert its status"]
    #[track_caller]
    pub fn run(mut self) -> Output {
        let output = self
            .command
            .output()
            .unwrap_or_else(|error| panic!("cannot run {:?}: {error}", self.command.get_program()));
        Output { command: line(&self.command), ..Output::from(output) }
    }
}

/// The folder of this process for state.
pub fn state() -> String {
    format!("{}/state-{}", env!("CARGO_TARGET_TMPDIR"), std::process::id())
}

/// A command line as a shell takes it, with the program's name alone.
fn line(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args()).map(|word| {
        let word = word.to_string_lossy();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,~@%+^".contains(c);
        match !word.is_empty() && word.chars().all(is_plain) {
            true => word.into_owned(),
            false => format!("'{}'", word.replace('\'', r"'\''")),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Everything that a program said.
#[derive(Default)]
pub struct Output {
    /// The command line; empty where it did not run to its end at once.
    pub command: String,
    pub stdout: String,
    pub stderr: String,
    /// `None` when a signal ended it.
    pub status: Option<i32>,
}

impl Output {
    /// Asserts the exit status, and shows everything where it is another.
    #[track_caller]
    pub fn exits(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "\n{self}");
        self
    }
}

impl From<std::process::Output> for Output {
    fn from(output: std::process::Output) -> Self {
        Self {
            command: String::new(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            status: output.status.code(),
        }
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}---- stderr\n{}---- status {:?}", self.stdout, self.stderr, self.status)
    }
}
