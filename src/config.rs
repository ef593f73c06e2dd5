//! `trueup.yaml`: the targets that a repository declares.
//!
//! It says which paths make up a target, and nothing that a repository must not choose for itself:
//! no cluster, no credentials, no trust. Flags override it.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::formats::Formats;

/// The file's name, at the root of the checkout.
pub const FILE: &str = "trueup.yaml";

/// What `trueup.yaml` says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The targets by name.
    #[serde(default)]
    pub targets: BTreeMap<String, TargetConfig>,
}

/// One target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetConfig {
    /// Paths from the checkout's root.
    pub paths: Vec<String>,
    /// The namespace of objects that name none, and of the inventory.
    pub namespace: Option<String>,
    /// The inventory's name; the target's own name when left out.
    pub name: Option<String>,
    /// What is rendered, and how; recognized by the files when left out.
    #[serde(default)]
    pub render: Formats,
}

/// Why `trueup.yaml` can't be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// It is not what it should be.
    #[error("{FILE}:{line}:{column}: {message}")]
    Invalid {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// It has no such target.
    #[error("{FILE} has no target {name:?}")]
    UnknownTarget {
        /// The name asked for.
        name: String,
        /// The names that it has.
        known: Vec<String>,
    },
    /// It has several, and none was chosen.
    #[error("{FILE} has {} targets", known.len())]
    Ambiguous {
        /// Their names.
        known: Vec<String>,
    },
}

impl ConfigError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Invalid { .. } => None,
            Self::UnknownTarget { known, .. } if known.is_empty() => {
                Some(format!("declare it under `targets:` in {FILE}, or name a PATH instead"))
            }
            Self::UnknownTarget { known, .. } | Self::Ambiguous { known } => {
                Some(format!("choose one with --target: {}", known.join(", ")))
            }
        }
    }
}

impl Config {
    /// Reads `trueup.yaml`; unknown keys are errors.
    ///
    /// # Errors
    ///
    /// When it is not YAML, or holds anything that trueup does not know.
    pub fn read(bytes: &[u8]) -> Result<Self, ConfigError> {
        // An empty file declares nothing.
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::default());
        }
        serde_yaml::from_slice(bytes).map_err(|error| {
            let (line, column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
            let message = error.to_string();
            // The position is said by the place already.
            let message = message.split(" at line ").next().unwrap_or_default().to_owned();
            ConfigError::Invalid { line, column, message }
        })
    }

    /// The target `name`, or the only one there is; `None` when there is none to choose from.
    ///
    /// # Errors
    ///
    /// When there is no such target, or there are several and none is named.
    pub fn target(
        &self,
        name: Option<&str>,
    ) -> Result<Option<(&String, &TargetConfig)>, ConfigError> {
        let known = || self.targets.keys().cloned().collect::<Vec<_>>();
        match name {
            Some(name) => match self.targets.get_key_value(name) {
                Some(target) => Ok(Some(target)),
                None => Err(ConfigError::UnknownTarget { name: name.to_owned(), known: known() }),
            },
            None if self.targets.len() > 1 => Err(ConfigError::Ambiguous { known: known() }),
            None => Ok(self.targets.first_key_value()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &[u8] = b"targets:\n  prod: {paths: [envs/prod], namespace: shop}\n  staging: {paths: [envs/staging]}\n";

    #[test]
    fn a_target_is_chosen_by_name_or_by_being_alone() {
        let two = Config::read(TWO).unwrap();
        let (name, prod) = two.target(Some("prod")).unwrap().unwrap();
        assert_eq!((name.as_str(), prod.paths[0].as_str()), ("prod", "envs/prod"));
        let known = vec!["prod".to_owned(), "staging".to_owned()];
        assert_eq!(two.target(None), Err(ConfigError::Ambiguous { known: known.clone() }));
        let name = "edge".to_owned();
        assert_eq!(two.target(Some("edge")), Err(ConfigError::UnknownTarget { name, known }));
        let one = Config::read(b"targets: {prod: {paths: [a]}}").unwrap();
        assert_eq!(one.target(None).unwrap().unwrap().0, "prod");
        assert_eq!(Config::read(b" \n").unwrap().target(None), Ok(None));
    }

    #[test]
    fn an_unknown_key_is_an_error_with_its_place() {
        let error = Config::read(b"targets:\n  prod:\n    path: [a]\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "trueup.yaml:3:5: targets.prod: unknown field `path`, expected one of `paths`, `namespace`, `name`, `render`"
        );
    }
}
