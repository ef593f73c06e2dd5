//! The arguments that diff, apply, watch, check and render share, and what they resolve to: a
//! checkout, a target and a way to the cluster.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

pub use super::access::{AccessArgs, CONCURRENCY};
use super::cache::cache_folder;
use super::exit::Failure;
use super::headings::{GUARDS, WHAT};
use super::kubernetes;
use super::machine_file::machine;
use super::names::{derived, plain, sanitized, siblings};
use crate::app::trust::{Judged, Trust};
use crate::app::{DeclaredPath, OtherTarget, Target};
use crate::cluster::Cluster;
use crate::config::machine::{Machine, Rendering};
use crate::config::{self, Config, TargetConfig};
use crate::core::field_rules::FieldRule;
use crate::core::inventory::Inventory;
use crate::core::inventory::reserved::NAME_PREFIX;
use crate::core::policy::precedence::SettingLayers;
use crate::core::policy::run_options::RunOptions;
use crate::core::policy::{MaxPrune, OnConflict, Permissions, Policy};
use crate::core::source::formats::Formats;
use crate::git::Checkout;
use crate::render::Setting;
use crate::render::kubernetes::KubernetesVersion;
use crate::render::limits::ProgramLimits;

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

/// The scope of a run, and its cluster.
#[derive(Clone, Debug, Args)]
pub struct TargetArgs {
    /// The files of a run.
    #[command(flatten)]
    pub files: FilesArgs,

    /// Name of the inventory [default: from the checkout's folder and PATH]
    #[arg(long, value_name = "NAME", help_heading = WHAT, display_order = 7, hide_short_help = true)]
    pub name: Option<String>,

    /// The target's paths changed: go on with its inventory
    #[arg(long, help_heading = WHAT, display_order = 8, hide_short_help = true)]
    pub moved: bool,

    /// Kind to delete though its data is lost (repeatable)
    ///
    /// Namespaces, PersistentVolumes, PersistentVolumeClaims and CustomResourceDefinitions with
    /// objects need it.
    #[arg(long, value_name = "KIND", help_heading = GUARDS, display_order = 1)]
    pub allow_delete: Vec<String>,

    /// Kind to recreate on immutable fields (repeatable)
    ///
    /// Its objects may be deleted and recreated where a field can't change.
    #[arg(long, value_name = "KIND", help_heading = GUARDS, display_order = 2, hide_short_help = true)]
    pub replace: Vec<String>,

    /// How much may be deleted at once: so many objects, or a share of the inventory such as 60%
    /// [default: 50%, once it has ten objects]
    #[arg(long, value_name = "N|N%", help_heading = GUARDS, display_order = 3, hide_short_help = true)]
    pub max_prune: Option<MaxPrune>,

    /// Delete everything if the commit declares nothing
    #[arg(long, help_heading = GUARDS, display_order = 4, hide_short_help = true)]
    pub allow_empty: bool,

    /// Resolution of conflicts with other field managers: take the field, refuse the object, or
    /// leave the field [default: force]
    #[arg(long, value_name = "MODE", value_parser = mode(), help_heading = GUARDS, display_order = 5, hide_short_help = true)]
    pub on_conflict: Option<OnConflict>,

    /// Adopt objects that Helm, Flux, Argo CD, kapp or another ApplySet claims
    #[arg(long, help_heading = GUARDS, display_order = 6, hide_short_help = true)]
    pub adopt: bool,

    /// Refuse the whole commit where one of its documents can't be used
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, help_heading = GUARDS, display_order = 7, hide_short_help = true)]
    pub strict: Option<bool>,

    /// Ask the API server about every object, not only about those that may differ
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, help_heading = GUARDS, display_order = 8, hide_short_help = true)]
    pub verify: Option<bool>,

    /// With --rev or --worktree: though the machine's verify rules do not trust it
    ///
    /// The inventory's record says so.
    #[arg(long, help_heading = GUARDS, display_order = 10, hide_short_help = true)]
    pub unverified: bool,

    /// How to reach the cluster.
    #[command(flatten)]
    pub access: AccessArgs,
}

/// Reads what to do about a conflict.
fn mode() -> impl TypedValueParser<Value = OnConflict> {
    PossibleValuesParser::new(OnConflict::NAMES).map(|name| name.parse().unwrap_or_default())
}

/// A target, and what a person calls it.
#[derive(Clone, Debug)]
pub struct NamedTarget {
    /// The target's name in trueup.yaml, else the inventory's.
    pub name: String,
    /// Whether trueup.yaml says more of the target of that name.
    pub declared: bool,
    /// The target.
    pub target: Target,
    /// The target's paths as a person writes them: the whole checkout is `.`.
    pub shown_paths: Vec<String>,
    /// The run options of trueup.yaml.
    pub run_options: RunOptions,
    /// The commit, how far it is trusted, and which commit it stands in for.
    pub judged: Judged,
}

impl TargetArgs {
    /// Whether it is the tip of the checked-out branch that is to be made true.
    pub fn follows_head(&self) -> bool {
        self.files.rev.is_none() && !self.files.worktree
    }

    /// The permissions that the flags give. A `--replace` that is left out is `None`.
    fn permissions(&self) -> Permissions {
        let replaces = !self.replace.is_empty();
        Permissions {
            allow_delete: self.allow_delete.iter().cloned().collect(),
            allow_empty: self.allow_empty,
            max_prune: self.max_prune,
            replace: replaces.then(|| self.replace.iter().cloned().collect()),
            on_conflict: self.on_conflict,
            adopt: self.adopt,
            moved: self.moved,
        }
    }

    /// The target that the arguments and trueup.yaml name, in the cluster's own namespace where
    /// neither names one.
    ///
    /// # Errors
    ///
    /// When trueup.yaml can't be used, a path lies outside the checkout, or no commit may be applied.
    pub fn resolve(
        &self,
        directory: &Path,
        checkout: &Checkout,
        cluster: &Cluster,
    ) -> Result<NamedTarget, Failure> {
        let (trust, judged) = self.judge(checkout)?;
        let files = match &judged.refused {
            // The settings are those of the commit that is applied.
            Some(_) => {
                FilesArgs { rev: Some(judged.revision.commit.clone()), ..self.files.clone() }
            }
            None => self.files.clone(),
        };
        let TargetChoice { name, declared, redact, paths, paths_at, others, .. } =
            files.choose(directory, checkout)?;
        let repository = declared.policy();
        let run_options = declared.run_options();
        let homes = [self.files.namespace.as_deref(), Some(cluster.namespace())];
        let siblings = siblings(&others, &homes);
        let namespace = self.files.namespace.clone().or(declared.namespace);
        let namespace = namespace.unwrap_or_else(|| cluster.namespace().to_owned());
        let inventory = self.name.clone().or(declared.name).or_else(|| name.clone());
        let inventory = inventory.unwrap_or_else(|| derived(&checkout.folder_name(), &paths));
        let inventory = sanitized(&inventory);
        let is_declared = name.is_some();
        let known_as = name.clone();
        let name = name.unwrap_or_else(|| inventory.clone());
        let inventory = format!("{NAME_PREFIX}{inventory}");
        let target = Target {
            declared: known_as,
            paths,
            rev: self.files.rev.clone(),
            worktree: self.files.worktree,
            inventory: Inventory { name: inventory, namespace: namespace.clone() },
            render: setting(declared.render, &namespace, kubernetes::of_cluster(cluster))?,
            ignore: declared.ignore,
            health: declared.health,
            redact,
            namespace,
            policy: Policy { operator: self.permissions(), repository },
            replace_at: declared.replace_at,
            paths_at,
            siblings,
            others: plain_files(others),
            strict: counts(self.strict, declared.strict),
            verify: counts(self.verify, declared.verify),
            whole: false,
            trust,
        };
        let shown_paths = target.recorded_paths().into_iter().collect();
        Ok(NamedTarget { name, declared: is_declared, target, shown_paths, run_options, judged })
    }
}

/// The scope that the arguments and trueup.yaml give.
struct TargetChoice {
    /// The target's name in trueup.yaml, where it is one of its.
    name: Option<String>,
    /// The target's entry in trueup.yaml.
    declared: TargetConfig,
    /// The fields that any target of trueup.yaml masks, this one or not.
    redact: Vec<FieldRule>,
    /// The fields that the target leaves alone, or any where none is chosen.
    ignore: Vec<FieldRule>,
    /// Its paths from the checkout's root.
    paths: Vec<String>,
    /// Where trueup.yaml declares those that it does.
    paths_at: BTreeMap<String, DeclaredPath>,
    /// The other targets of trueup.yaml.
    others: BTreeMap<String, TargetConfig>,
}

impl FilesArgs {
    /// The target alone: there is no cluster, and nothing is recorded.
    ///
    /// # Errors
    ///
    /// When trueup.yaml can't be used, or a path lies outside the checkout.
    pub fn resolve(&self, directory: &Path, checkout: &Checkout) -> Result<Target, Failure> {
        let TargetChoice { declared, redact, ignore, paths, paths_at, others, name } =
            self.choose(directory, checkout)?;
        let namespace = self.namespace.clone().or(declared.namespace);
        let namespace = namespace.unwrap_or_else(|| "default".to_owned());
        Ok(Target {
            declared: name,
            paths,
            rev: self.rev.clone(),
            worktree: self.worktree,
            inventory: Inventory { name: String::new(), namespace: namespace.clone() },
            render: setting(declared.render, &namespace, kubernetes::of_release(None))?,
            ignore,
            health: Vec::new(),
            redact,
            namespace,
            policy: Policy::default(),
            replace_at: BTreeMap::new(),
            paths_at,
            siblings: BTreeMap::new(),
            others: plain_files(others),
            strict: false,
            verify: false,
            whole: false,
            trust: Trust::default(),
        })
    }

    fn choose(&self, directory: &Path, checkout: &Checkout) -> Result<TargetChoice, Failure> {
        let config = self.config(checkout)?;
        let chosen = match self.paths.is_empty() {
            true => config.target(self.target.as_deref())?,
            false => None,
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
        let mut others = config.targets;
        others.retain(|other, _| Some(other) != name.as_ref());
        Ok(TargetChoice { name, declared, redact, ignore, paths, paths_at, others })
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
            true => checkout.read_worktree_file(config::FILE)?,
            false => {
                let revision = checkout.resolve(self.rev.as_deref())?;
                checkout.read_file(&revision, config::FILE)?
            }
        })
    }
}

/// Where other targets may define kinds.
pub(super) fn plain_files(others: BTreeMap<String, TargetConfig>) -> BTreeMap<String, OtherTarget> {
    let files = |(name, declared): (String, TargetConfig)| {
        let mut paths: Vec<String> = declared.paths.iter().map(|path| plain(path)).collect();
        if paths.is_empty() {
            paths.push(String::new());
        }
        (name, OtherTarget { paths, formats: declared.render })
    };
    others.into_iter().map(files).collect()
}

/// How this machine renders: with the programs that its file names or that are on its search path,
/// and a cache of trueup's own.
pub(super) fn setting(
    formats: Formats,
    namespace: &str,
    kubernetes: KubernetesVersion,
) -> Result<Setting, Failure> {
    let cache = cache_folder("render").context("this user has no home folder")?;
    let Machine { programs, render, .. } = machine()?;
    let Rendering { cell, readable, memory } = render;
    let usual = ProgramLimits::default();
    Ok(Setting {
        programs,
        search: super::search_path::path(),
        cache,
        reuse: true,
        launcher: Some(std::env::current_exe()?),
        limits: ProgramLimits { memory: memory.unwrap_or(usual.memory), ..usual },
        cell,
        readable,
        formats,
        namespace: namespace.to_owned(),
        kubernetes,
    })
}

/// Which of a flag and a key of trueup.yaml counts.
pub(super) fn counts(flag: Option<bool>, key: bool) -> bool {
    SettingLayers { operator: flag, repository: Some(key) }.counts().unwrap_or(key)
}
