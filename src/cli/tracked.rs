//! The files of a run: the target that the arguments choose, the ref that it tracks, and the settings that
//! count then.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;

use super::exit::Failure;
use super::headings::WHAT;
use crate::app::DeclaredPath;
use crate::app::trust::{HeadDoubt, Judged, Refusal, Trust, Wanted};
use crate::config::{Config, ConfigError, FILE, TargetConfig, plain};
use crate::core::field_rules::FieldRule;
use crate::core::manifest::{self, PathPart};
use crate::core::source::snapshot::{Revision, short};
use crate::core::tracking::TrackedRef;
use crate::git::pull::{TrackedRefs, TrackingTarget};
use crate::git::{self, Checkout};

/// The files of a run.
#[derive(Clone, Debug, Args)]
pub struct FilesArgs {
    /// Files or folders to read [default: the whole checkout]
    #[arg(value_name = "PATH", help_heading = WHAT, display_order = 1)]
    pub paths: Vec<PathBuf>,

    /// The target of trueup.yaml to use
    #[arg(
        short,
        long,
        value_name = "NAME",
        conflicts_with = "paths",
        env = "TRUEUP_TARGET",
        hide_env_values = true,
        help_heading = WHAT,
        display_order = 2
    )]
    pub target: Option<String>,

    /// The commit, branch or tag to read [default: HEAD]
    #[arg(long, value_name = "REV", help_heading = WHAT, display_order = 3)]
    pub rev: Option<String>,

    /// Use the files of the work tree, committed or not
    #[arg(long, conflicts_with = "rev", help_heading = WHAT, display_order = 5)]
    pub worktree: bool,

    /// Whether the checkout chose the target that is named.
    #[arg(skip)]
    pub is_named_by_checkout: bool,

    /// Namespace of objects that name none, and of the inventory
    #[arg(
        short,
        long,
        value_name = "NAME",
        env = "TRUEUP_NAMESPACE",
        hide_env_values = true,
        help_heading = WHAT,
        display_order = 6,
        hide_short_help = true
    )]
    pub namespace: Option<String>,
}

/// The scope that the arguments and trueup.yaml give.
pub(super) struct TargetChoice {
    /// The target's name in trueup.yaml, where it is one of its.
    pub(super) name: Option<String>,
    /// The target's entry in trueup.yaml.
    pub(super) declared: TargetConfig,
    /// The fields that any target of trueup.yaml masks, this one or not.
    pub(super) redact: Vec<FieldRule>,
    /// The fields that the target leaves alone, or any where none is chosen.
    pub(super) ignore: Vec<FieldRule>,
    /// Its paths from the checkout's root.
    pub(super) paths: Vec<String>,
    /// Where trueup.yaml declares those that it does.
    pub(super) paths_at: BTreeMap<String, DeclaredPath>,
    /// All targets of trueup.yaml.
    pub(super) targets: BTreeMap<String, TargetConfig>,
    /// The ref to read, where it is not `HEAD`, the work tree or `--rev`.
    pub(super) tracks: Option<TrackedRef>,
    /// The commit, and how far it is trusted.
    pub(super) judged: Judged,
    /// That `HEAD` is not trusted, where an ancestor of it says what is tracked.
    pub(super) doubt: Option<HeadDoubt>,
}

impl FilesArgs {
    /// Chooses the target.
    ///
    /// # Errors
    ///
    /// When trueup.yaml can't be used, a path lies outside the checkout, or no commit may be applied.
    pub(super) fn choose(
        &self,
        directory: &Path,
        checkout: &Checkout,
        trust: &Trust,
    ) -> Result<TargetChoice, Failure> {
        let (mut config, mut judged) = self.judged_config(checkout, trust)?;
        let mut targets = config.targets.clone();
        let tracks = chosen(self, &config, checkout)?;
        let mut doubt: Option<HeadDoubt> = None;
        if let Some((name, tracked)) = &tracks {
            let head =
                std::mem::replace(&mut judged, tracked_commit(checkout, trust, name, tracked)?);
            if let Some(refused) = head.refused {
                // Other settings at `HEAD` may be about this target. They are not read to tell.
                let has_other_settings = has_other_settings(checkout, &refused, &head.revision)?;
                let known = doubt.insert(HeadDoubt { refused, has_other_settings });
                judged = known.with(judged);
            }
            config = settings(checkout, name, tracked, &judged.revision)?;
            // `HEAD` says which targets there are, and what they track; here they may be elsewhere.
            for (target, declared) in &mut targets {
                if let Some(here) = config.targets.get(target) {
                    *declared = TargetConfig { tracks: declared.tracks.clone(), ..here.clone() };
                }
            }
        }
        let chosen = match (&tracks, self.paths.is_empty()) {
            (Some((name, _)), _) => config.target(Some(name))?,
            (None, true) => self.named_in(&config, checkout)?,
            (None, false) => None,
        };
        let chosen = chosen.map(|(name, declared)| (name.clone(), declared.clone()));
        let (name, declared) = match chosen {
            Some((name, declared)) => (Some(name), declared),
            None => (None, TargetConfig::default()),
        };
        let mut paths: Vec<String> = declared.paths.iter().map(|path| plain(path)).collect();
        for path in &self.paths {
            paths.push(checkout.repo_path(directory, path)?);
        }
        if paths.is_empty() {
            paths.push(String::new());
        }
        paths.sort();
        paths.dedup();
        let redact = config.redact(name.as_deref());
        let every = config
            .targets
            .iter()
            .filter(|(target, _)| name.is_none() || name.as_ref() == Some(target));
        let ignore = every.flat_map(|(_, target)| target.ignore.clone()).collect();
        let at = |(path, place): (&String, &(usize, usize))| {
            let target = name.clone().unwrap_or_default();
            let (line, column) = *place;
            (plain(path), DeclaredPath { target, line, column })
        };
        let paths_at = declared.paths_at.iter().map(at).collect();
        let tracks = tracks.map(|(_, tracked)| tracked);
        Ok(TargetChoice {
            name,
            declared,
            redact,
            ignore,
            paths,
            paths_at,
            targets,
            tracks,
            judged,
            doubt,
        })
    }

    /// The target of `config` that is named, or the only one. Of one that is not committed yet, the error
    /// says so.
    ///
    /// # Errors
    ///
    /// When there is no such target, or there are several and none is named.
    fn named_in<'a>(
        &self,
        config: &'a Config,
        checkout: &Checkout,
    ) -> Result<Option<(&'a String, &'a TargetConfig)>, Failure> {
        config.target(self.target.as_deref()).map_err(|error| {
            let in_work_tree = || {
                let file = checkout.read_worktree_file(FILE).ok().flatten()?;
                Some(Config::read(&file).ok()?.targets)
            };
            let is_uncommitted = match &error {
                ConfigError::UnknownTarget { name, .. } if !self.worktree => {
                    in_work_tree().is_some_and(|targets| targets.contains_key(name))
                }
                _ => false,
            };
            let mut failure = Failure::from(error);
            if is_uncommitted {
                let hint = format!("{FILE} of the work tree has it: commit it, or use --worktree");
                failure.hints = vec![hint];
            }
            failure
        })
    }

    /// The settings of trueup.yaml.
    ///
    /// # Errors
    ///
    /// When it can't be used.
    pub fn config(&self, checkout: &Checkout) -> Result<Config, Failure> {
        Ok(Config::read(&self.config_file(checkout)?.unwrap_or_default())?)
    }

    /// Whether there is a trueup.yaml.
    ///
    /// # Errors
    ///
    /// When it can't be read.
    pub fn has_config(&self, checkout: &Checkout) -> Result<bool, Failure> {
        Ok(self.config_file(checkout)?.is_some())
    }

    fn config_file(&self, checkout: &Checkout) -> Result<Option<Vec<u8>>, Failure> {
        Ok(match self.worktree {
            true => checkout.read_worktree_file(FILE)?,
            false => {
                let revision = checkout.resolve(self.rev.as_deref())?;
                checkout.read_file(&revision, FILE)?
            }
        })
    }
}

/// The chosen target, and the ref that it tracks: `--rev` and `--worktree` name another commit.
///
/// # Errors
///
/// When there is no such target, or there are several and none is named.
fn chosen(
    files: &FilesArgs,
    config: &Config,
    checkout: &Checkout,
) -> Result<Option<(String, TrackedRef)>, Failure> {
    if files.rev.is_some() || files.worktree || !files.paths.is_empty() {
        return Ok(None);
    }
    let chosen = files.named_in(config, checkout)?;
    Ok(chosen.and_then(|(name, target)| Some((name.clone(), target.tracks.clone()?))))
}

/// The refs that the targets of `HEAD`'s trueup.yaml track: of all, or of the one that is named.
/// Where that file is wrong, the run that reads it says so.
pub(super) fn refs(only: Option<String>) -> TrackedRefs {
    TrackedRefs::new(move |checkout| {
        let mut tracking = tracking(checkout);
        tracking.retain(|it| only.as_ref().is_none_or(|only| *only == it.target));
        tracking
    })
}

/// The targets of `HEAD`'s trueup.yaml that track a ref, as far as that file can be read.
pub(super) fn tracking(checkout: &Checkout) -> Vec<TrackingTarget> {
    let file = checkout.resolve(None).and_then(|head| checkout.read_file(&head, FILE));
    let config = file.ok().flatten().and_then(|file| Config::read(&file).ok());
    let targets = config.unwrap_or_default().targets.into_iter();
    let tracking = targets
        .filter_map(|(target, declared)| Some(TrackingTarget { target, tracks: declared.tracks? }));
    tracking.collect()
}

/// Reasons for which a pull does not bring a tracked ref, where nothing else of the pull says so: a line
/// each, with its place and the remedy.
pub(super) fn not_pulled(checkout: &Checkout) -> Vec<String> {
    let Ok(head) = checkout.resolve(None) else { return Vec::new() };
    let unusable = |error: String| {
        let commit = head.short();
        vec![format!(
            "{error}: in {commit}, so that no tracked ref was pulled (correct {FILE}, commit and pull \
             again)"
        )]
    };
    let file = match checkout.read_file(&head, FILE) {
        Ok(file) => file.unwrap_or_default(),
        Err(error) => return unusable(error.to_string()),
    };
    let config = match Config::read(&file) {
        Ok(config) => config,
        Err(error) => return unusable(error.to_string()),
    };
    let positions = manifest::value(FILE, &file).ok().flatten();
    let place = |target: &str| {
        let path = ["targets", target, "ref"].map(PathPart::Key);
        let place = positions.as_ref().and_then(|(_, positions)| positions.of_value(&path));
        let (line, column) = place.unwrap_or((1, 1));
        format!("{FILE}:{line}:{column}")
    };
    let warning = |(target, declared): (&String, &TargetConfig)| {
        let error = checkout.resolve_tracked(declared.tracks.as_ref()?).err()?;
        let is_told = match &error {
            git::Error::Tracked(fault) => !fault.is_for_a_person(),
            _ => true,
        };
        let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
        (!is_told).then(|| format!("{}: target {target}: {error}{hint}", place(target)))
    };
    config.targets.iter().filter_map(warning).collect()
}

fn failed(name: &str, tracked: &TrackedRef, failure: Failure) -> Failure {
    let error = failure.error.context(format!("target {name} tracks {tracked}"));
    Failure { error, ..failure }
}

/// Whether a refused commit has another trueup.yaml than the one that stands in for it.
fn has_other_settings(
    checkout: &Checkout,
    refused: &Refusal,
    instead: &Revision,
) -> Result<bool, Failure> {
    let Some(revision) = &refused.revision else { return Ok(false) };
    Ok(checkout.read_file(revision, FILE)? != checkout.read_file(instead, FILE)?)
}

/// The commit that a target tracks, or the one that stands in for it.
///
/// # Errors
///
/// When the ref leads to no commit, or to none that may be applied.
fn tracked_commit(
    checkout: &Checkout,
    trust: &Trust,
    name: &str,
    tracked: &TrackedRef,
) -> Result<Judged, Failure> {
    trust
        .judge(checkout, Wanted::Tracked(tracked))
        .map_err(|error| failed(name, tracked, error.into()))
}

/// The settings of the commit that a target tracks. Of `HEAD`'s, only the ref counts: a release is
/// read with the settings that it was made with.
///
/// # Errors
///
/// When its trueup.yaml can't be used, or does not declare the target.
fn settings(
    checkout: &Checkout,
    name: &str,
    tracked: &TrackedRef,
    revision: &Revision,
) -> Result<Config, Failure> {
    let file = checkout.read_file(revision, FILE)?.unwrap_or_default();
    let config = Config::read(&file).map_err(|error| {
        let at = format!("in commit {} of {}", short(&revision.commit), revision.named);
        let failure = Failure::from(error);
        let error = failure.error.context(at);
        failed(name, tracked, Failure { error, ..failure })
    })?;
    if !config.targets.contains_key(name) {
        let (at, commit) = (&revision.named, short(&revision.commit));
        let error = anyhow::anyhow!("{} of {at} ({commit}) has no target {name:?}", FILE);
        let hint = format!(
            "declare {name} there too: of HEAD's {}, only `ref` counts for a target that tracks one",
            FILE
        );
        return Err(Failure { error, hints: vec![hint] });
    }
    Ok(config)
}

/// That the work tree is not what a target tracks.
pub(super) fn not_worktree(name: &str, tracked: &TrackedRef) -> Failure {
    let error = anyhow::anyhow!("target {name} tracks {tracked}, not the work tree");
    let hints = vec![format!(
        "leave --worktree out; to try files of the work tree on a cluster of its own, name their \
         PATH and use --sandbox: {name} stays as it is"
    )];
    Failure { error, hints }
}
