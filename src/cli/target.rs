//! The arguments that diff, apply, watch, check and render share, and what they resolve to: a
//! checkout, a target and a way to the cluster.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

pub use super::access::{AccessArgs, CONCURRENCY};
use super::cache::cache_folder;
use super::exit::Failure;
use super::headings::{GUARDS, WHAT};
use super::kubernetes;
use super::machine_file::{cluster_choice, machine};
use super::mode::{mode, windows};
use super::names::{derived, plain_files, sanitized, siblings};
pub use super::tracked::FilesArgs;
use super::tracked::{self, TargetChoice};
use super::trust;
use crate::app::trust::{Judged, Trust};
use crate::app::{ClusterChoice, OtherTargets, Target};
use crate::cluster::{Cluster, context_facts};
use crate::config::TargetConfig;
use crate::config::clusters::{context_of, rule_of};
use crate::config::machine::{FILE, Machine, Rendering};
use crate::core::inventory::reserved::NAME_PREFIX;
use crate::core::inventory::{Inventory, Siblings};
use crate::core::modes::TargetMode;
use crate::core::policy::precedence::SettingLayers;
use crate::core::policy::run_options::RunOptions;
use crate::core::policy::{MaxPrune, OnConflict, Permissions, Policy};
use crate::core::source::formats::Formats;
use crate::git::Checkout;
use crate::render::Setting;
use crate::render::kubernetes::KubernetesVersion;
use crate::render::limits::ProgramLimits;

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
    #[arg(long, value_name = "MODE", value_parser = on_conflict(), help_heading = GUARDS, display_order = 5, hide_short_help = true)]
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

    /// A target that is gone from trueup.yaml, to take it down.
    #[arg(skip)]
    pub removed: Option<String>,

    /// The target moves to this cluster: go on, and remember it
    ///
    /// Else another cluster than that of the target's first apply is refused.
    #[arg(long, help_heading = GUARDS, display_order = 9, hide_short_help = true)]
    pub new_cluster: bool,
    /// With --rev or --worktree: though the machine's verify rules do not trust it
    ///
    /// The inventory's record says so.
    #[arg(long, help_heading = GUARDS, display_order = 10, hide_short_help = true)]
    pub unverified: bool,

    /// Whether commits are applied by themselves: all; none, they are only reported; or those that
    /// are released [default: enforce]
    #[arg(long, value_name = "MODE", value_parser = super::mode::parser(), help_heading = GUARDS, display_order = 11, hide_short_help = true)]
    pub mode: Option<TargetMode>,

    /// How to reach the cluster.
    #[command(flatten)]
    pub access: AccessArgs,
}

/// Reads what to do about a conflict.
fn on_conflict() -> impl TypedValueParser<Value = OnConflict> {
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
    /// The targets that it comes after.
    pub after: Vec<String>,
    /// The time between the rounds of a watch.
    pub interval: Option<Duration>,
    /// Warnings about the ref that it tracks.
    pub notes: Vec<String>,
    /// The commit, how far it is trusted, and which commit it stands in for.
    pub judged: Judged,
}

impl NamedTarget {
    /// Makes it one of a cluster of the run's own: nothing gets ready there, and no other cluster
    /// could be meant.
    pub fn of_a_throwaway(&mut self) {
        self.run_options = self.run_options.of_a_throwaway();
        self.target.cluster = ClusterChoice::default();
        self.target.mode = TargetMode::default();
        self.target.windows.clear();
        let others = std::mem::take(&mut self.target.others);
        self.target.others = others.map(|other| other.cluster = ClusterChoice::default());
    }
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
        let trust = self.trust(checkout)?;
        let TargetChoice {
            name,
            declared,
            redact,
            paths,
            paths_at,
            targets,
            tracks,
            judged,
            doubt,
            ..
        } = self.files.choose(directory, checkout, &trust)?;
        if let (true, Some(tracked), Some(name)) = (self.files.worktree, &declared.tracks, &name) {
            return Err(tracked::not_worktree(name, tracked));
        }
        let notes = tracks.as_ref().map(|tracked| checkout.tracked_notes(tracked)).transpose()?;
        let repository = declared.policy();
        let run_options = declared.run_options();
        let (after, interval) = (declared.after.clone(), declared.interval);
        let homes = [self.files.namespace.as_deref(), Some(cluster.namespace())];
        let siblings = siblings(&targets, name.as_deref(), &homes);
        let namespace = self.files.namespace.clone().or(declared.namespace);
        let namespace = namespace.unwrap_or_else(|| cluster.namespace().to_owned());
        let inventory = self.name.clone().or(declared.name).or_else(|| name.clone());
        let inventory = inventory.unwrap_or_else(|| derived(&checkout.folder_name(), &paths));
        let inventory = sanitized(&inventory);
        let is_declared = name.is_some();
        let known_as = name.clone();
        let name = name.unwrap_or_else(|| inventory.clone());
        let cluster_of = if is_declared { &name } else { &inventory };
        let choice = cluster_choice(cluster_of, self.new_cluster)?;
        let mode = mode(self.mode, cluster_of, declared.mode)?;
        let windows = windows(cluster_of, declared.windows)?;
        let at_head = tracks.is_some();
        let beside =
            OwnPlace { at_head, cluster: &choice, kubeconfig: self.access.kubeconfig.as_deref() };
        let others = others_of(targets, known_as.as_deref(), beside, checkout)?;
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
            others,
            aside: Vec::new(),
            strict: counts(self.strict, declared.strict),
            verify: counts(self.verify, declared.verify),
            whole: false,
            is_removed: false,
            tracks,
            cluster: choice,
            mode,
            windows,
            trust,
            doubt,
        };
        let shown_paths = target.recorded_paths().into_iter().collect();
        let notes = notes.unwrap_or_default();
        let declared = is_declared;
        Ok(NamedTarget {
            name,
            declared,
            target,
            shown_paths,
            run_options,
            after,
            interval,
            notes,
            judged,
        })
    }
}

impl FilesArgs {
    /// The target alone: there is no cluster, and nothing is recorded.
    ///
    /// # Errors
    ///
    /// When trueup.yaml can't be used, or a path lies outside the checkout.
    pub fn resolve(&self, directory: &Path, checkout: &Checkout) -> Result<Target, Failure> {
        let TargetChoice {
            declared, redact, ignore, paths, paths_at, targets, name, tracks, ..
        } = self.choose(directory, checkout, &Trust::default())?;
        let namespace = self.namespace.clone().or(declared.namespace);
        let namespace = namespace.unwrap_or_else(|| "default".to_owned());
        let all = plain_files(targets, tracks.is_some(), |_| ClusterChoice::default());
        let others = OtherTargets::new(all, name.as_deref());
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
            siblings: Siblings::default(),
            others,
            aside: Vec::new(),
            strict: false,
            verify: false,
            whole: false,
            is_removed: false,
            tracks,
            cluster: ClusterChoice::default(),
            mode: TargetMode::default(),
            windows: Vec::new(),
            trust: Trust::default(),
            doubt: None,
        })
    }
}

/// Properties of the target of a run that matter to the other targets.
pub(super) struct OwnPlace<'a> {
    /// Whether that one tracks a ref, so that the others are at `HEAD`.
    pub(super) at_head: bool,
    /// Its cluster.
    pub(super) cluster: &'a ClusterChoice,
    /// The file with the contexts, where one is named.
    pub(super) kubeconfig: Option<&'a Path>,
}

/// Where the objects of the targets are that are not called `own`, and the cluster and the verify rule of
/// each.
///
/// # Errors
///
/// When the machine's file can't be used.
pub(super) fn others_of(
    targets: BTreeMap<String, TargetConfig>,
    own: Option<&str>,
    place: OwnPlace<'_>,
    checkout: &Checkout,
) -> Result<OtherTargets, Failure> {
    let OwnPlace { at_head, cluster, kubeconfig } = place;
    let Machine { clusters, .. } = machine()?;
    let mut trusts = trust::trusts(targets.keys(), checkout)?;
    let mut all = plain_files(targets, at_head, |name| {
        // Where the rule stands is not shown.
        let rule = rule_of(&clusters, name, Path::new(FILE));
        let context = context_of(&clusters, name);
        let by_context = context.and_then(|context| context_facts(kubeconfig, context));
        ClusterChoice { rule, by_context, ..cluster.clone() }
    });
    for (name, target) in &mut all {
        target.trust = trusts.remove(name).unwrap_or_default();
    }
    Ok(OtherTargets::new(all, own))
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
        // Only where a program renders, it is of any use.
        launcher: std::env::current_exe().map_err(|error| error.to_string()),
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
