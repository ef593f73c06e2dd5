//! Which guards of the cell this machine has: found out once a run, by a process of trueup's own
//! that goes into a cell and then tries what it must not.

use std::path::{Path, PathBuf};
#[cfg(target_os = "linux")]
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::super::limits::ProgramLimits;
use super::failure::size;

/// The hidden verb that tries what a cell keeps from happening.
pub const PROBE: &str = "__render-cell-probe";

/// A guard: what holds it, or why there is none.
pub type GuardState = Result<String, String>;

/// The guards of a cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guards {
    /// Files: only what a program needs is read, and only its own folder written.
    pub files: GuardState,
    /// No socket is opened.
    pub network: GuardState,
    /// No other process is started, and none is reached.
    pub processes: GuardState,
    /// Memory, file sizes and processor time have limits.
    pub limits: GuardState,
}

/// The guards found in this process.
static FOUND: OnceLock<Guards> = OnceLock::new();

impl Guards {
    /// The guards of this machine; `launcher` is trueup itself, which is asked once, or why it is not found.
    pub fn of_this_machine(launcher: Result<&PathBuf, &String>) -> &'static Self {
        FOUND.get_or_init(|| {
            let found = launcher.map_err(Clone::clone).and_then(|launcher| probe(launcher));
            found.unwrap_or_else(|why| Self::none(&why))
        })
    }

    /// The guards, if anything was rendered in this process.
    pub fn found() -> Option<&'static Self> {
        FOUND.get()
    }

    fn none(why: &str) -> Self {
        let [files, network, processes, limits] = [(); 4].map(|()| Err(why.to_owned()));
        Self { files, network, processes, limits }
    }

    fn each(&self) -> [(&'static str, &GuardState); 4] {
        let Self { files, network, processes, limits } = self;
        [("files", files), ("network", network), ("processes", processes), ("limits", limits)]
    }

    /// Which of them there are, for what depends on it.
    pub fn held(&self) -> impl Iterator<Item = &'static str> {
        self.each().into_iter().filter(|(_, guard)| guard.is_ok()).map(|(name, _)| name)
    }

    /// The missing guards, in words; `None` where all are there.
    pub fn missing(&self) -> Option<String> {
        let missing = self.each().into_iter().filter_map(|(name, guard)| {
            let why = guard.as_ref().err()?;
            Some((name, why))
        });
        let mut missing: Vec<(&str, &String)> = missing.collect();
        let whys: Vec<&String> = missing.iter().map(|(_, why)| *why).collect();
        match (whys.first(), whys.windows(2).all(|pair| pair[0] == pair[1])) {
            (None, _) => None,
            (Some(why), true) => {
                let names: Vec<&str> = missing.iter().map(|(name, _)| *name).collect();
                Some(format!("nothing guards {} ({why})", names.join(", ")))
            }
            (Some(_), false) => {
                let one = |(name, why)| format!("nothing guards {name} ({why})");
                Some(missing.drain(..).map(one).collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// The guards of this machine, a line each.
    pub fn lines(&self, limits: &ProgramLimits) -> Vec<String> {
        let does = |name| match name {
            "files" => {
                "a renderer reads its private copy, itself and its libraries, and writes only its \
                 own scratch folder"
                    .to_owned()
            }
            "network" => "no sockets".to_owned(),
            "processes" => "no other program is started or reached".to_owned(),
            _ => {
                let ProgramLimits { time, output, memory, file } = *limits;
                let output = size(u64::try_from(output).unwrap_or(u64::MAX));
                let (memory, file) = (size(memory), size(file));
                format!(
                    "{memory} of memory, files of {file}, {output} of output, {} s",
                    time.as_secs()
                )
            }
        };
        let line = |(name, guard): (&'static str, &GuardState)| match guard {
            Ok(how) => format!("{name}: {} ({how})", does(name)),
            Err(why) => format!("{name}: not guarded ({why})"),
        };
        self.each().into_iter().map(line).collect()
    }
}

#[cfg(target_os = "linux")]
fn probe(launcher: &Path) -> Result<Guards, String> {
    let mut command = Command::new(launcher);
    command.arg(PROBE).env_clear();
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output();
    let output = output.map_err(|error| format!("{} can't be run: {error}", launcher.display()))?;
    serde_json::from_slice(&output.stdout).map_err(|_| format!("trueup's probe {}", output.status))
}

#[cfg(not(target_os = "linux"))]
fn probe(_launcher: &Path) -> Result<Guards, String> {
    Err("only Linux supports it".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_guard_is_reported_with_its_reason() {
        let held = |how: &str| Ok(how.to_owned());
        let mut guards = Guards {
            files: held("Landlock 7"),
            network: held("seccomp"),
            processes: held("seccomp"),
            limits: held("rlimits"),
        };
        assert_eq!(guards.missing(), None);
        assert_eq!(guards.held().count(), 4);
        let lines = guards.lines(&ProgramLimits::default());
        assert_eq!(lines[1], "network: no sockets (seccomp)");
        assert_eq!(
            lines[3],
            "limits: 2 GiB of memory, files of 64 MiB, 64 MiB of output, 120 s (rlimits)"
        );
        guards.files = Err("no Landlock".to_owned());
        assert_eq!(guards.missing().unwrap(), "nothing guards files (no Landlock)");
        guards.network = Err("no seccomp".to_owned());
        let both = "nothing guards files (no Landlock), nothing guards network (no seccomp)";
        assert_eq!(guards.missing().unwrap(), both);
        assert_eq!(guards.lines(&ProgramLimits::default())[0], "files: not guarded (no Landlock)");
        let none = Guards::none("no launcher").missing().unwrap();
        assert_eq!(none, "nothing guards files, network, processes, limits (no launcher)");
    }
}
