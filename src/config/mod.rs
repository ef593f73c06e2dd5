//! `trueup.yaml`: the targets that a repository declares.
//!
//! It says which paths make up a target, and nothing that a repository must not choose for itself:
//! no cluster, no credentials, no trust. Flags override it.

mod after;
pub mod clusters;
pub mod machine;
pub mod modes;
pub mod notify;
pub(crate) mod scalars;
#[cfg(test)]
pub(crate) mod schema;
pub mod service;
mod unknown;
pub mod verify;
pub mod webhook_secret;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Deserialize;

use crate::core::field_rules::FieldRule;
use crate::core::health::HealthRule;
use crate::core::manifest::{self, PathPart};
use crate::core::modes::TargetMode;
use crate::core::modes::windows::{Window, first_fault};
use crate::core::policy::run_options::{Cascade, OnFailure, RunOptions};
use crate::core::policy::{MaxPrune, OnConflict, RepositoryPolicy};
use crate::core::problem::within;
use crate::core::source::formats::{Formats, InvalidOption, wrong_namespace};
use crate::core::suggest::suggest;
use crate::core::tracking::TrackedRef;
use scalars::{share, time, time_or_none};

pub use crate::core::source::CONFIG_FILE as FILE;

/// How many bytes it may have: a file written by hand has less than a tenth of it.
const LARGEST: usize = 1 << 20;

/// The targets that a repository declares.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The targets by name.
    #[serde(default)]
    pub targets: BTreeMap<String, TargetConfig>,
}

/// One target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "target"))]
#[serde(deny_unknown_fields)]
pub struct TargetConfig {
    /// Files and folders, relative to the root of the checkout.
    #[cfg_attr(test, schemars(length(min = 1)))]
    pub paths: Vec<String>,
    /// Line and column of each of them, from 1.
    #[serde(skip)]
    pub paths_at: BTreeMap<String, (usize, usize)>,
    /// The branch, tag or commit to read, or the newest tag in a range of versions; `HEAD` when left
    /// out.
    #[serde(rename = "ref", default)]
    #[cfg_attr(test, schemars(schema_with = "schema::reference"))]
    pub tracks: Option<TrackedRef>,
    /// The namespace of objects that name none, and of the inventory.
    #[cfg_attr(test, schemars(regex(pattern = schema::NAMESPACE)))]
    pub namespace: Option<String>,
    /// The name of the inventory; defaults to the target's name.
    pub name: Option<String>,
    /// The mode for a field that another manager set to another value.
    #[serde(rename = "on-conflict")]
    pub on_conflict: Option<OnConflict>,
    /// Kinds whose objects may be deleted and recreated where a field can't change.
    #[serde(default)]
    pub replace: BTreeSet<String>,
    /// Line and column of each of them, from 1.
    #[serde(skip)]
    pub replace_at: BTreeMap<String, (usize, usize)>,
    /// The limit on deletions per run: a number of objects such as 12, or a share such as 20%.
    #[serde(rename = "max-prune", default, deserialize_with = "share")]
    #[cfg_attr(test, schemars(schema_with = "schema::share"))]
    pub max_prune: Option<MaxPrune>,
    /// Whether commits are applied by themselves: `enforce`; `detect`, which only reports; or `hold`, which
    /// waits until they are released.
    pub mode: Option<TargetMode>,
    /// When commits are applied: times that allow it, and times that deny it.
    #[serde(default)]
    pub windows: Vec<Window>,
    /// One bad document refuses the whole commit.
    #[serde(default)]
    pub strict: bool,
    /// Ask the API server about every object, also where it is proven to stay as it is.
    #[serde(default)]
    pub verify: bool,
    /// The targets that it comes after where several are applied in one run.
    #[serde(default)]
    pub after: Vec<String>,
    /// The time between the rounds of a watch: 90s, 5m or 1h30m; a plain number counts seconds.
    #[serde(default, deserialize_with = "time")]
    #[cfg_attr(test, schemars(schema_with = "schema::time"))]
    pub interval: Option<Duration>,
    /// Wait until everything is healthy.
    pub wait: Option<bool>,
    /// How long to wait for health: 90s, 5m or 1h30m; a plain number counts seconds.
    #[serde(default, deserialize_with = "time")]
    #[cfg_attr(test, schemars(schema_with = "schema::time"))]
    pub timeout: Option<Duration>,
    /// How long to wait for another run on the same inventory: 90s, 5m or 1h30m, a plain number
    /// counts seconds; 0 not to wait.
    #[serde(rename = "lock-timeout", default, deserialize_with = "time_or_none")]
    #[cfg_attr(test, schemars(schema_with = "schema::time_or_none"))]
    pub lock_timeout: Option<Duration>,
    /// The treatment of the dependents of deleted objects.
    pub cascade: Option<Cascade>,
    /// The treatment of a commit that fails.
    #[serde(rename = "on-failure")]
    pub on_failure: Option<OnFailure>,
    /// The formats to render, and their options; recognized by the files when left out.
    #[serde(default)]
    #[cfg_attr(test, schemars(schema_with = "schema::render"))]
    pub render: Formats,
    /// Fields that are neither shown nor applied.
    #[serde(default)]
    pub ignore: Vec<FieldRule>,
    /// Fields that are masked as the values of a Secret are.
    #[serde(default)]
    pub redact: Vec<FieldRule>,
    /// When objects of a kind are ready.
    #[serde(default)]
    pub health: Vec<HealthRule>,
}

impl TargetConfig {
    /// Its paths as git has them; the empty path is the whole checkout.
    pub fn plain_paths(&self) -> Vec<String> {
        let paths = self.paths.iter().map(|path| plain(path)).collect::<Vec<_>>();
        if paths.is_empty() { vec![String::new()] } else { paths }
    }

    /// Its policy: what a run may do.
    pub fn policy(&self) -> RepositoryPolicy {
        let Self { replace, max_prune, on_conflict, .. } = self;
        RepositoryPolicy {
            replace: replace.clone(),
            max_prune: *max_prune,
            on_conflict: *on_conflict,
        }
    }

    /// Its options of applying a plan.
    pub fn run_options(&self) -> RunOptions {
        let Self { wait, timeout, lock_timeout, cascade, on_failure, .. } = *self;
        RunOptions { wait, timeout, lock_timeout, cascade, on_failure }
    }
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
        /// The fault.
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
    /// The remedy.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Invalid { .. } => None,
            Self::UnknownTarget { known, .. } if known.is_empty() => {
                Some(format!("declare it under `targets:` in {FILE}, or name a PATH instead"))
            }
            Self::UnknownTarget { name, known } if !suggest(name, known).is_empty() => {
                let meant = suggest(name, known)[0];
                Some(format!("did you mean {meant:?}? {FILE} has {}", known.join(", ")))
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
        if bytes.len() > LARGEST {
            let message = format!("it has {} bytes; more than {LARGEST} are not read", bytes.len());
            return Err(ConfigError::Invalid { line: 1, column: 1, message });
        }
        // An empty file declares nothing.
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::default());
        }
        let mut config: Self = serde_yaml::from_slice(bytes).map_err(|error| {
            let (line, column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
            let (line, column) = within(bytes, line, column);
            let message = unknown::reworded(&error.to_string());
            ConfigError::Invalid { line, column, message }
        })?;
        config.locate_rules(bytes)?;
        config.check_order(bytes)?;
        config.check_names(bytes)?;
        Ok(config)
    }

    /// Says what is wrong with paths that are missing, and with the names that reach a program's
    /// arguments.
    fn check_names(&self, bytes: &[u8]) -> Result<(), ConfigError> {
        let found = self.targets.iter().find_map(|(name, target)| {
            let windows = first_fault(&target.windows).map(|(place, message)| InvalidOption {
                path: vec![PathPart::Key("windows"), PathPart::Index(place)],
                is_key: false,
                message,
            });
            let namespace = target.namespace.as_deref().and_then(wrong_namespace);
            let wrong = namespace.map(|message| InvalidOption {
                path: vec![PathPart::Key("namespace")],
                is_key: false,
                message: message.to_owned(),
            });
            // Whoever empties the list does not mean everything.
            let empty = || {
                let message =
                    "a path is missing; for the whole checkout write `paths: [.]`".to_owned();
                let path = vec![PathPart::Key("paths")];
                // A variable that is empty is no path, and neither is the root of the machine.
                let is_no_path = |path: &String| path.trim_matches('/').is_empty();
                (target.paths.is_empty() || target.paths.iter().any(is_no_path))
                    .then_some(InvalidOption { path, is_key: false, message })
            };
            Some((name, wrong.or(windows).or_else(|| target.render.wrong()).or_else(empty)?))
        });
        let Some((name, InvalidOption { path, is_key, message })) = found else { return Ok(()) };
        let path = [&["targets", name].map(PathPart::Key)[..], &path].concat();
        let positions = manifest::value(FILE, bytes).ok().flatten();
        let place = positions.and_then(|(_, positions)| match is_key {
            true => positions.of(&path),
            false => positions.of_value(&path),
        });
        let (line, column) = place.unwrap_or((1, 1));
        let message = format!("{}: {message}", display_path(&path));
        Err(ConfigError::Invalid { line, column, message })
    }

    /// Notes where each rule stands, and each kind that is replaced, for what there is to say of it later, and says what is wrong
    /// with its paths and expressions.
    fn locate_rules(&mut self, bytes: &[u8]) -> Result<(), ConfigError> {
        let positions = manifest::value(FILE, bytes).ok().flatten();
        let place = |path: &[PathPart<'_>]| {
            let (_, positions) = positions.as_ref()?;
            positions.of_value(path)
        };
        for (name, target) in &mut self.targets {
            let path = ["targets", name, "paths"].map(PathPart::Key);
            for (index, written) in target.paths.iter().enumerate() {
                let at = place(&[&path[..], &[PathPart::Index(index)]].concat());
                target.paths_at.extend(at.map(|at| (written.clone(), at)));
            }
            let path = ["targets", name, "replace"].map(PathPart::Key);
            for index in 0.. {
                let path = [&path[..], &[PathPart::Index(index)]].concat();
                let written = positions.as_ref().and_then(|(value, _)| at(value, &path)?.as_str());
                let Some(kind) = written else { break };
                target.replace_at.insert(kind.to_owned(), place(&path).unwrap_or((1, 1)));
            }
            for (index, rule) in target.health.iter().enumerate() {
                let Some((field, wrong)) = rule.wrong() else { continue };
                let path = ["targets", name, "health"].map(PathPart::Key);
                let path = [&path[..], &[PathPart::Index(index), PathPart::Key(field)]].concat();
                let (line, column) = place(&path).unwrap_or((1, 1));
                let message = format!("targets.{name}.health[{index}].{field}: {wrong}");
                return Err(ConfigError::Invalid { line, column, message });
            }
            for (list, rules) in [("ignore", &mut target.ignore), ("redact", &mut target.redact)] {
                for (index, rule) in rules.iter_mut().enumerate() {
                    let path = ["targets", name, list].map(PathPart::Key);
                    let mut path = [&path[..], &[PathPart::Index(index)]].concat();
                    let at = place(&path).unwrap_or((1, 1));
                    rule.at = Some(at);
                    path.push(PathPart::Key("paths"));
                    for (number, pointer) in rule.paths.iter().enumerate() {
                        let Some(wrong) = pointer.wrong() else { continue };
                        path.push(PathPart::Index(number));
                        let (line, column) = place(&path).unwrap_or(at);
                        let at = format!("targets.{name}.{list}[{index}].paths[{number}]");
                        let message = format!("{at}: {wrong}");
                        return Err(ConfigError::Invalid { line, column, message });
                    }
                }
            }
        }
        Ok(())
    }

    /// The fields that the target `chosen` masks, and every other target, too: it must not be
    /// visible through
    /// another one.
    pub fn redact(&self, chosen: Option<&str>) -> Vec<FieldRule> {
        let rules = self.targets.iter().flat_map(|(name, target)| {
            let is_its = Some(name.as_str()) == chosen;
            target.redact.iter().map(move |rule| {
                let at = rule.at.filter(|_| is_its);
                FieldRule { at, ..rule.clone() }
            })
        });
        rules.collect()
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

/// A path of trueup.yaml as git has it: `./envs//prod/` is `envs/prod`, and `.` the whole.
pub fn plain(path: &str) -> String {
    let parts = path.split('/').filter(|part| !part.is_empty() && *part != ".");
    parts.collect::<Vec<_>>().join("/")
}

/// The value at the end of a path.
fn at<'v>(
    value: &'v crate::core::json::Value,
    path: &[PathPart<'_>],
) -> Option<&'v crate::core::json::Value> {
    path.iter().try_fold(value, |value, part| match part {
        PathPart::Key(key) => value.get(*key),
        PathPart::Index(index) => value.get(*index),
    })
}

/// A path as messages have it: `targets.a.render.helm.values[0]`.
fn display_path(path: &[PathPart<'_>]) -> String {
    path.iter().fold(String::new(), |mut text, part| {
        match part {
            PathPart::Key(key) if text.is_empty() => text += key,
            PathPart::Key(key) => text += &format!(".{key}"),
            PathPart::Index(index) => text += &format!("[{index}]"),
        }
        text
    })
}

#[cfg(test)]
mod tests;
