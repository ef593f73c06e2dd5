//! The machine's own file: what a repository must not choose for itself. It is `config.yaml` in
//! trueup's folder for settings, on Linux `~/.config/trueup/config.yaml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};

use crate::config::clusters::{self, InvalidEntry, TargetCluster};
use crate::config::modes::{self, TargetModes};
use crate::config::notify::NotifySettings;
use crate::config::scalars::Scalar;
use crate::config::unknown;
use crate::config::verify::{self, RuleFault, VerifyRule};
use crate::core::manifest::{self, PathPart};

use crate::core::problem::within;
use crate::core::source::programs::{GuardMode, RenderProgram};

/// The file's name.
pub const FILE: &str = "config.yaml";
/// How many bytes it may have.
pub const LARGEST: u64 = 1 << 20;

/// The content of the machine's file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Where programs are that render; those that are not named are looked for on the search path.
    #[serde(default)]
    pub programs: BTreeMap<RenderProgram, PathBuf>,
    /// How they are run.
    #[serde(default)]
    pub render: Rendering,
    /// Which cluster each target belongs to.
    #[serde(default)]
    pub clusters: Vec<TargetCluster>,
    /// Which commits may be applied.
    #[serde(default)]
    pub verify: Vec<VerifyRule>,
    /// The modes of targets.
    #[serde(default)]
    pub modes: Vec<TargetModes>,
    /// The kubeconfig's contexts that `status` shows side by side.
    #[serde(default)]
    pub contexts: Vec<String>,
    /// The sinks of messages.
    #[serde(default)]
    pub notify: NotifySettings,
}

/// How programs are run that render.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rendering {
    /// Whether they may run where a guard of their cell can't be had.
    pub cell: GuardMode,
    /// Files and folders that they may read and run besides.
    pub readable: Vec<PathBuf>,
    /// Bytes of memory that each may take.
    #[serde(deserialize_with = "memory")]
    pub memory: Option<u64>,
}

/// Reads bytes as Kubernetes writes them: `4Gi`, `512Mi`.
fn memory<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    deserializer.deserialize_any(Scalar(read_memory)).map(Some)
}

fn read_memory(text: &str) -> Result<u64, String> {
    let units = [("Gi", 30), ("Mi", 20)];
    let bytes = units.iter().find_map(|(unit, shift)| {
        let count: u64 = text.strip_suffix(unit)?.parse().ok()?;
        count.checked_mul(1 << shift)
    });
    match bytes {
        Some(bytes @ LEAST_MEMORY..) => Ok(bytes),
        Some(_) => Err(format!("{text:?} is less than 128Mi")),
        None => Err(format!("invalid memory size {text:?}: expected a size such as 4Gi or 512Mi")),
    }
}

/// Go's programs do not start with less.
const LEAST_MEMORY: u64 = 128 << 20;

/// Why the machine's file can't be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MachineError {
    /// It is not what it should be.
    #[error("{}:{line}:{column}: {message}", file.display())]
    Invalid {
        /// The file.
        file: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// The fault.
        message: String,
    },
    /// A program that could be a different one in every folder.
    #[error("{}: the path of {} is not absolute: {}", file.display(), program.name(), path.display())]
    Relative {
        /// The file.
        file: PathBuf,
        /// The program.
        program: RenderProgram,
        /// Its path.
        path: PathBuf,
    },
    /// A program that is not there.
    #[error("{}: {} is not at {}", file.display(), program.name(), path.display())]
    Missing {
        /// The file.
        file: PathBuf,
        /// The program.
        program: RenderProgram,
        /// Its path.
        path: PathBuf,
    },
}

impl MachineError {
    /// The remedy.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Invalid { .. } => None,
            Self::Relative { .. } => Some("write the whole path, from / on".to_owned()),
            Self::Missing { program, .. } => Some(format!(
                "mend the path, or take the line out to look for {} on PATH",
                program.name()
            )),
        }
    }
}

impl Machine {
    /// Reads the file's content; unknown keys are errors.
    ///
    /// # Errors
    ///
    /// When it is not YAML, holds anything that trueup does not know, or names a program that is
    /// not there.
    pub fn read(file: &Path, bytes: &[u8], look: MachineProbe<'_>) -> Result<Self, MachineError> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::default());
        }
        let mut machine: Self = serde_yaml::from_slice(bytes).map_err(|error| {
            let (line, column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
            let (line, column) = within(bytes, line, column);
            let message = unknown::reworded(&error.to_string());
            MachineError::Invalid { file: file.to_owned(), line, column, message }
        })?;
        machine.check_readable(file, bytes, look.exists)?;
        machine.check_contexts(file, bytes)?;
        let located = clusters::locate(&mut machine.clusters, bytes);
        located.and_then(|()| modes::check(&machine.modes, bytes)).map_err(|invalid| {
            let (InvalidEntry { at: (line, column), message }, file) = (invalid, file.to_owned());
            MachineError::Invalid { file, line, column, message }
        })?;
        let of_rules = verify::first_fault(&machine.verify, FILE, bytes);
        if let Some(fault) = of_rules.or_else(|| machine.notify.first_fault(FILE, bytes)) {
            let RuleFault { line, column, message } = fault;
            return Err(MachineError::Invalid { file: file.to_owned(), line, column, message });
        }
        for (program, path) in &machine.programs {
            let (file, program, path) = (file.to_owned(), *program, path.clone());
            if !path.is_absolute() {
                return Err(MachineError::Relative { file, program, path });
            }
            if !(look.is_file)(&path) {
                return Err(MachineError::Missing { file, program, path });
            }
        }
        Ok(machine)
    }
}

/// Looks at this machine.
#[derive(Clone, Copy)]
pub struct MachineProbe<'a> {
    /// Whether a path leads to a file.
    pub is_file: &'a dyn Fn(&Path) -> bool,
    /// Whether it leads to anything.
    pub exists: &'a dyn Fn(&Path) -> bool,
}

impl Machine {
    /// Says which context is none, or is there twice.
    fn check_contexts(&self, file: &Path, bytes: &[u8]) -> Result<(), MachineError> {
        for (index, context) in self.contexts.iter().enumerate() {
            let wrong = match self.contexts[..index].contains(context) {
                _ if context.is_empty() => "a name is missing",
                true => "is there twice",
                false => continue,
            };
            let at = [PathPart::Key("contexts"), PathPart::Index(index)];
            let value = manifest::value(FILE, bytes).ok().flatten();
            let place = value.and_then(|(_, positions)| positions.of_value(&at));
            let (line, column) = place.unwrap_or((1, 1));
            let name = if context.is_empty() { String::new() } else { format!("{context} ") };
            let message = format!("contexts[{index}]: {name}{wrong}");
            return Err(MachineError::Invalid { file: file.to_owned(), line, column, message });
        }
        Ok(())
    }

    /// Says what is wrong with the files that programs may read.
    fn check_readable(
        &self,
        file: &Path,
        bytes: &[u8],
        exists: &dyn Fn(&Path) -> bool,
    ) -> Result<(), MachineError> {
        for (index, path) in self.render.readable.iter().enumerate() {
            let wrong = match (path.is_absolute(), exists(path)) {
                (false, _) => "is not an absolute path",
                (true, false) => "is not there",
                (true, true) => continue,
            };
            let at = ["render", "readable"].map(PathPart::Key);
            let at = [&at[..], &[PathPart::Index(index)]].concat();
            let value = manifest::value(FILE, bytes).ok().flatten();
            let place = value.and_then(|(_, positions)| positions.of_value(&at));
            let (line, column) = place.unwrap_or((1, 1));
            let message = format!("render.readable[{index}]: {} {wrong}", path.display());
            return Err(MachineError::Invalid { file: file.to_owned(), line, column, message });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::clusters::{context_of, rule_of};

    fn read(text: &str) -> Result<Machine, MachineError> {
        let is_there = |path: &Path| path == Path::new("/opt/helm");
        let look = MachineProbe { is_file: &is_there, exists: &is_there };
        Machine::read(Path::new("/c/config.yaml"), text.as_bytes(), look)
    }

    #[test]
    fn machine_file_sets_how_renderers_run() {
        assert_eq!(read("render: {}").unwrap().render, Rendering::default());
        let text = "render: {cell: require, readable: [/opt/helm], memory: 4Gi}";
        let (cell, readable) = (GuardMode::Require, vec![PathBuf::from("/opt/helm")]);
        let expected = Rendering { cell, readable, memory: Some(4 << 30) };
        assert_eq!(read(text).unwrap().render, expected);
        for (text, message) in [
            (
                "render:\n  cell: never\n",
                "/c/config.yaml:2:9: render.cell: unknown value \"never\"; allowed here: ",
            ),
            (
                "render:\n  net: on\n",
                "/c/config.yaml:2:3: render: unknown key \"net\"; allowed here: cell, ",
            ),
            (
                "render:\n  memory: 4G\n",
                "/c/config.yaml:2:11: render.memory: invalid memory size \"4G\"",
            ),
            ("render:\n  memory: 1Mi\n", "/c/config.yaml:2:11: render.memory: \"1Mi\" is less"),
            (
                "render:\n  readable:\n  - /opt/helm\n  - opt\n",
                "/c/config.yaml:4:5: render.readable[1]: opt is not an absolute path",
            ),
            (
                "render: {readable: [/opt/h]}\n",
                "/c/config.yaml:1:21: render.readable[0]: /opt/h is not there",
            ),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }

    #[test]
    fn programs_are_named_by_their_whole_path() {
        assert_eq!(read(" \n"), Ok(Machine::default()));
        let named = BTreeMap::from([(RenderProgram::Helm, PathBuf::from("/opt/helm"))]);
        assert_eq!(
            read("programs: {helm: /opt/helm}"),
            Ok(Machine { programs: named, ..Machine::default() })
        );
        for (text, message) in [
            ("programs: {helm: helm}", "/c/config.yaml: the path of helm is not absolute: helm"),
            ("programs: {jsonnet: /opt/j}", "/c/config.yaml: jsonnet is not at /opt/j"),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!(error.to_string(), message);
            assert!(error.hint().is_some());
        }
        let unknown = read("programs:\n  tanka: /opt/tk\n").unwrap_err().to_string();
        assert!(unknown.starts_with("/c/config.yaml:2:3: "), "{unknown}");
        let unknown = read("trust: all\n").unwrap_err().to_string();
        assert!(unknown.starts_with("/c/config.yaml:1:1: "), "{unknown}");
        let unknown = read("render: {}\nprogramms: {}\n").unwrap_err().to_string();
        let expected = "/c/config.yaml:2:1: unknown key \"programms\", did you mean \"programs\"?";
        assert_eq!(unknown, expected);
    }

    #[test]
    fn contexts_of_status_are_names_and_each_is_there_once() {
        assert_eq!(read("contexts: [a, b]").unwrap().contexts, ["a", "b"]);
        for (text, message) in [
            ("contexts:\n- a\n- ''\n", "/c/config.yaml:3:3: contexts[1]: a name is missing"),
            ("contexts: [a, b, a]\n", "/c/config.yaml:1:18: contexts[2]: a is there twice"),
        ] {
            assert_eq!(read(text).unwrap_err().to_string(), message);
        }
    }

    const PATH: &str = "/c/config.yaml";

    #[test]
    fn first_entry_of_a_target_that_says_it_counts() {
        let text = "clusters:\n\
            - targets: [prod, \"shop-*\"]\n  cluster: https://prod.example:6443\n\
            - targets: [prod]\n  context: prod-admin\n\
            - targets: [\"*\"]\n  cluster: 3f2a9c4e-0000-4000-8000-00000000abcd\n  context: test\n";
        let clusters = read(text).unwrap().clusters;
        let rule = |target: &str| rule_of(&clusters, target, Path::new(PATH)).unwrap().place;
        let context = |target: &str| context_of(&clusters, target).unwrap();
        assert_eq!((rule("prod"), context("prod")), (format!("{PATH}:3:12"), "prod-admin"));
        assert_eq!((rule("shop-a"), context("shop-a")), (format!("{PATH}:3:12"), "test"));
        assert_eq!((rule("other"), context("other")), (format!("{PATH}:7:12"), "test"));
        assert_eq!(context_of(&clusters[..2], "other"), None);
    }

    #[test]
    fn an_entry_that_says_nothing_is_an_error_with_its_place() {
        for (text, message) in [
            (
                "clusters:\n- targets: [a]\n",
                ":2:3: clusters[0]: a key is missing: cluster or context",
            ),
            (
                "clusters:\n- targets: []\n  context: a\n",
                ":2:3: clusters[0]: targets: a pattern is missing",
            ),
            (
                "clusters:\n- targets: [a]\n  context: ''\n",
                ":2:3: clusters[0]: context: a name is missing",
            ),
            (
                "clusters:\n- targets: [a]\n  cluster: prod\n",
                ":3:12: clusters[0].cluster: invalid cluster \"prod\": expected the uid",
            ),
            ("clusters:\n- target: [a]\n", ":2:3: clusters[0]: unknown key \"target\", did you"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{PATH}{message}")), "{error}");
        }
    }
}
