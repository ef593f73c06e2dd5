//! The arguments that diff, apply, watch, check and render share, and what they resolve to: a
//! checkout, a target and a way to the cluster.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::exit::Failure;
use crate::app::Target;
use crate::cluster::{Access, Cluster};
use crate::config::machine::{self, Machine, MachineProbe, Rendering};
use crate::config::{self, Config, TargetConfig};
use crate::core::field_rules::FieldRule;
use crate::core::inventory::Inventory;
use crate::core::inventory::reserved::NAME_PREFIX;
use crate::core::policy::precedence::SettingLayers;
use crate::core::policy::run_options::{RunOptions, duration_or_none};
use crate::core::policy::{MaxPrune, OnConflict, Permissions, Policy};
use crate::core::source::formats::Formats;
use crate::git::Checkout;
use crate::local::bounded_read;
use crate::local::state_store::StateStore;
use crate::render::Setting;
use crate::render::program::ProgramLimits;

/// How many requests may be in flight at once if nobody says.
pub const CONCURRENCY: usize = 16;

/// The heading of the options that say which cluster, and how to reach it.
pub const CLUSTER: &str = "Cluster";

/// What is to run.
#[derive(Clone, Debug, Args)]
pub struct FilesArgs {
    /// Files or folders that declare what should run [default: the whole checkout]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// The target of trueup.yaml to use
    #[arg(
        short,
        long,
        value_name = "NAME",
        conflicts_with = "paths",
        env = "TRUEUP_TARGET",
        hide_env_values = true
    )]
    pub target: Option<String>,

    /// The commit, branch or tag to make true [default: HEAD]
    #[arg(long, value_name = "REV")]
    pub rev: Option<String>,

    /// Use the files of the work tree, committed or not
    #[arg(long, conflicts_with = "rev")]
    pub worktree: bool,

    /// Namespace of objects that name none, and of the inventory
    #[arg(short, long, value_name = "NAME", env = "TRUEUP_NAMESPACE", hide_env_values = true)]
    pub namespace: Option<String>,
}

/// What is to run, and where.
#[derive(Clone, Debug, Args)]
pub struct TargetArgs {
    /// What is to run.
    #[command(flatten)]
    pub files: FilesArgs,

    /// Name of the inventory [default: from the checkout's folder and PATH]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// The target's paths changed: go on with its inventory
    #[arg(long)]
    pub moved: bool,

    /// Kind that may be deleted though data goes with it (repeatable)
    #[arg(long, value_name = "KIND")]
    pub allow_delete: Vec<String>,

    /// Kind whose objects may be deleted and recreated where a field can't change (repeatable)
    #[arg(long, value_name = "KIND")]
    pub replace: Vec<String>,

    /// How much may be deleted at once: so many objects, or a share of the inventory such as 60%
    /// [default: 50%, once it has ten objects]
    #[arg(long, value_name = "N|N%")]
    pub max_prune: Option<MaxPrune>,

    /// Delete everything if the commit declares nothing
    #[arg(long)]
    pub allow_empty: bool,

    /// What to do about a field that another manager set otherwise: take it, refuse the object, or
    /// leave it [default: force]
    #[arg(long, value_name = "MODE", value_parser = mode())]
    pub on_conflict: Option<OnConflict>,

    /// Adopt objects that Helm, Flux, Argo CD, kapp or another ApplySet claims
    #[arg(long)]
    pub adopt: bool,

    /// Refuse the whole commit where one of its documents can't be used
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true)]
    pub strict: Option<bool>,

    /// Ask the API server about every object, not only about those that may differ
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true)]
    pub verify: Option<bool>,

    /// How to reach the cluster.
    #[command(flatten)]
    pub access: AccessArgs,
}

/// How to reach the cluster.
#[derive(Clone, Debug, Args)]
pub struct AccessArgs {
    /// The kubeconfig file [default: KUBECONFIG, then ~/.kube/config]
    #[arg(long, value_name = "FILE", help_heading = CLUSTER)]
    pub kubeconfig: Option<PathBuf>,

    /// The kubeconfig's context to use
    #[arg(long, value_name = "NAME", env = "TRUEUP_CONTEXT", hide_env_values = true, help_heading = CLUSTER)]
    pub context: Option<String>,

    /// User to act as
    #[arg(long = "as", value_name = "USER", help_heading = CLUSTER)]
    pub impersonate: Option<String>,

    /// Group to act as a member of (repeatable)
    #[arg(long = "as-group", value_name = "GROUP", help_heading = CLUSTER)]
    pub impersonate_groups: Vec<String>,

    /// How long to wait for the API server to answer a request: 30s, 2m; a plain number counts
    /// seconds, and 0 waits for ever [default: 1m]
    #[arg(long, value_name = "TIME", value_parser = duration_or_none, help_heading = CLUSTER)]
    pub request_timeout: Option<Duration>,

    /// How many requests may be in flight at once
    #[arg(long, value_name = "N", default_value_t = CONCURRENCY, env = "TRUEUP_CONCURRENCY", hide_env_values = true, help_heading = CLUSTER)]
    pub concurrency: usize,
}

impl AccessArgs {
    /// The way to the cluster that the arguments name.
    pub fn access(&self) -> Access {
        Access {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
            impersonate: self.impersonate.clone(),
            impersonate_groups: self.impersonate_groups.clone(),
            concurrency: self.concurrency,
            request_timeout: self.request_timeout,
            memory: cache_folder("memory").map(StateStore::new).unwrap_or_default(),
            ..Access::default()
        }
    }
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
    /// What trueup.yaml says of carrying a plan out.
    pub run_options: RunOptions,
}

impl TargetArgs {
    /// Whether it is the tip of the checked-out branch that is to be made true.
    pub fn follows_head(&self) -> bool {
        self.files.rev.is_none() && !self.files.worktree
    }

    /// What the flags allow. A `--replace` that is left out is `None`.
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
    /// When trueup.yaml can't be used, or a path lies outside the checkout.
    pub fn resolve(
        &self,
        directory: &Path,
        checkout: &Checkout,
        cluster: &Cluster,
    ) -> Result<NamedTarget, Failure> {
        let TargetChoice { name, declared, redact, paths } =
            self.files.choose(directory, checkout)?;
        let repository = declared.policy();
        let run_options = declared.run_options();
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
            render: setting(declared.render, &namespace)?,
            ignore: declared.ignore,
            health: declared.health,
            redact,
            namespace,
            policy: Policy { operator: self.permissions(), repository },
            replace_at: declared.replace_at,
            strict: counts(self.strict, declared.strict),
            verify: counts(self.verify, declared.verify),
            whole: false,
        };
        let shown_paths = target.recorded_paths().into_iter().collect();
        Ok(NamedTarget { name, declared: is_declared, target, shown_paths, run_options })
    }
}

/// What the arguments and trueup.yaml say is to run.
struct TargetChoice {
    /// The target's name in trueup.yaml, where it is one of its.
    name: Option<String>,
    /// What trueup.yaml says of it.
    declared: TargetConfig,
    /// What any target of trueup.yaml masks, this one or not.
    redact: Vec<FieldRule>,
    /// Its paths from the checkout's root.
    paths: Vec<String>,
}

impl FilesArgs {
    /// What is to run, by itself: there is no cluster, and nothing is recorded.
    ///
    /// # Errors
    ///
    /// When trueup.yaml can't be used, or a path lies outside the checkout.
    pub fn resolve(&self, directory: &Path, checkout: &Checkout) -> Result<Target, Failure> {
        let TargetChoice { declared, redact, paths, .. } = self.choose(directory, checkout)?;
        let namespace = self.namespace.clone().or(declared.namespace);
        let namespace = namespace.unwrap_or_else(|| "default".to_owned());
        Ok(Target {
            declared: None,
            paths,
            rev: self.rev.clone(),
            worktree: self.worktree,
            inventory: Inventory { name: String::new(), namespace: namespace.clone() },
            render: setting(declared.render, &namespace)?,
            ignore: Vec::new(),
            health: Vec::new(),
            redact,
            namespace,
            policy: Policy::default(),
            replace_at: BTreeMap::new(),
            strict: false,
            verify: false,
            whole: false,
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
        Ok(TargetChoice { name, declared, redact, paths })
    }

    /// What trueup.yaml says.
    ///
    /// # Errors
    ///
    /// When it can't be used.
    pub fn config(&self, checkout: &Checkout) -> Result<Config, Failure> {
        let bytes = match self.worktree {
            true => checkout.read_worktree_file(config::FILE)?,
            false => {
                let revision = checkout.resolve(self.rev.as_deref())?;
                checkout.read_file(&revision, config::FILE)?
            }
        };
        Ok(Config::read(&bytes.unwrap_or_default())?)
    }
}

/// How this machine renders: with the programs that its file names or that are on its search path,
/// and a cache of trueup's own.
pub(super) fn setting(formats: Formats, namespace: &str) -> Result<Setting, Failure> {
    let cache = cache_folder("render").context("this user has no home folder")?;
    let Machine { programs, render } = machine()?;
    let Rendering { cell, readable, memory } = render;
    let usual = ProgramLimits::default();
    Ok(Setting {
        programs,
        search: super::search_path::path(),
        cache,
        launcher: Some(std::env::current_exe()?),
        limits: ProgramLimits { memory: memory.unwrap_or(usual.memory), ..usual },
        cell,
        readable,
        formats,
        namespace: namespace.to_owned(),
    })
}

/// What the machine's own file says; a machine without one says nothing.
fn machine() -> Result<Machine, Failure> {
    let Some(folders) = directories::ProjectDirs::from("", "", "trueup") else {
        return Ok(Machine::default());
    };
    let file = folders.config_dir().join(machine::FILE);
    match bounded_read::read_regular(&file, machine::LARGEST) {
        Ok(bytes) => {
            let look = MachineProbe { is_file: &Path::is_file, exists: &Path::exists };
            Ok(Machine::read(&file, &bytes, look)?)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Machine::default()),
        Err(error) => Err(anyhow::Error::new(error).context(file.display().to_string()).into()),
    }
}

/// Which of a flag and a key of trueup.yaml counts.
pub(super) fn counts(flag: Option<bool>, key: bool) -> bool {
    SettingLayers { operator: flag, repository: Some(key) }.counts().unwrap_or(key)
}

/// A path of trueup.yaml as git has it: `./envs//prod/` is `envs/prod`, and `.` the whole.
fn plain(path: &str) -> String {
    let parts = path.split('/').filter(|part| !part.is_empty() && *part != ".");
    parts.collect::<Vec<_>>().join("/")
}

/// A folder of trueup's own for what can be had again; `None` for a user without a home.
fn cache_folder(name: &str) -> Option<PathBuf> {
    let folders = directories::ProjectDirs::from("", "", "trueup")?;
    Some(folders.cache_dir().join(name))
}

/// An inventory's name from the checkout's folder and the paths: `shop` and `envs/prod` make
/// `shop-envs-prod`.
fn derived(folder: &str, paths: &[String]) -> String {
    let parts = std::iter::once(folder).chain(paths.iter().map(String::as_str));
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

/// A name as Kubernetes allows it (RFC 1123 subdomain), as near to `name` as can be.
fn sanitized(name: &str) -> String {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '-';
    let name: String =
        name.to_lowercase().chars().map(|c| if allowed(c) { c } else { '-' }).collect();
    let name: String = name.chars().take(200).collect();
    match name.trim_matches(['-', '.']) {
        "" => "checkout".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_the_settings_may_be_written_in_many_ways() {
        for (path, expected) in [(".", ""), ("/", ""), ("./envs//prod/", "envs/prod"), ("a", "a")] {
            assert_eq!(plain(path), expected, "{path}");
        }
    }

    #[test]
    fn an_inventory_is_named_after_folder_and_paths() {
        for (folder, paths, name) in [
            ("shop", &[""][..], "shop"),
            ("shop", &["envs/prod"], "shop-envs-prod"),
            ("My Shop", &["a_b", "c"], "my-shop-a-b-c"),
            ("___", &[""], "checkout"),
        ] {
            let paths: Vec<String> = paths.iter().map(ToString::to_string).collect();
            assert_eq!(sanitized(&derived(folder, &paths)), name);
        }
    }
}
