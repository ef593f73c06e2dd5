//! The machine's own file: what a repository must not choose for itself. It is `config.yaml` in
//! trueup's folder for settings, on Linux `~/.config/trueup/config.yaml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The file's name.
pub const FILE: &str = "config.yaml";

/// What the machine's file says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Where programs are that render; those that are not named are looked for on the search path.
    #[serde(default)]
    pub programs: BTreeMap<Program, PathBuf>,
}

/// A program that renders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Program {
    /// kustomize itself.
    Kustomize,
    /// kubectl, which has kustomize in it.
    Kubectl,
    /// Helm 3 or 4.
    Helm,
    /// Jsonnet in Go or C++.
    Jsonnet,
    /// Jsonnet in Rust.
    Jrsonnet,
}

impl Program {
    /// What the program is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kustomize => "kustomize",
            Self::Kubectl => "kubectl",
            Self::Helm => "helm",
            Self::Jsonnet => "jsonnet",
            Self::Jrsonnet => "jrsonnet",
        }
    }
}

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
        /// What is wrong.
        message: String,
    },
    /// A program that could be a different one in every folder.
    #[error("{}: the path of {} is not absolute: {}", file.display(), program.name(), path.display())]
    Relative {
        /// The file.
        file: PathBuf,
        /// The program.
        program: Program,
        /// Its path.
        path: PathBuf,
    },
    /// A program that is not there.
    #[error("{}: {} is not at {}", file.display(), program.name(), path.display())]
    Missing {
        /// The file.
        file: PathBuf,
        /// The program.
        program: Program,
        /// Its path.
        path: PathBuf,
    },
}

impl MachineError {
    /// What to do about it.
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
    /// Reads the file's content; unknown keys are errors. `is_there` says whether a file exists.
    ///
    /// # Errors
    ///
    /// When it is not YAML, holds anything that trueup does not know, or names a program that is
    /// not there.
    pub fn read(
        file: &Path,
        bytes: &[u8],
        is_there: impl Fn(&Path) -> bool,
    ) -> Result<Self, MachineError> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::default());
        }
        let machine: Self = serde_yaml::from_slice(bytes).map_err(|error| {
            let (line, column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default().to_owned();
            MachineError::Invalid { file: file.to_owned(), line, column, message }
        })?;
        for (program, path) in &machine.programs {
            let (file, program, path) = (file.to_owned(), *program, path.clone());
            if !path.is_absolute() {
                return Err(MachineError::Relative { file, program, path });
            }
            if !is_there(&path) {
                return Err(MachineError::Missing { file, program, path });
            }
        }
        Ok(machine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Machine, MachineError> {
        Machine::read(Path::new("/c/config.yaml"), text.as_bytes(), |path| {
            path == Path::new("/opt/helm")
        })
    }

    #[test]
    fn programs_are_named_by_their_whole_path() {
        assert_eq!(read(" \n"), Ok(Machine::default()));
        let named = BTreeMap::from([(Program::Helm, PathBuf::from("/opt/helm"))]);
        assert_eq!(read("programs: {helm: /opt/helm}"), Ok(Machine { programs: named }));
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
    }
}
