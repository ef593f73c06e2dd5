//! A target with everything that decides how it is made true.

use std::collections::{BTreeMap, BTreeSet};

use super::trust::{HeadDoubt, Trust};
use super::{ClusterChoice, OtherTargets};
use crate::core::field_rules::FieldRule;
use crate::core::health::HealthRule;
use crate::core::inventory::reserved::NAME_PREFIX;
use crate::core::inventory::{Inventory, Record, Siblings};
use crate::core::modes::TargetMode;
use crate::core::modes::windows::Window;
use crate::core::policy::Policy;
use crate::core::source::selection::Aside;
use crate::core::tracking::TrackedRef;
use crate::render::Setting;

/// Where `trueup.yaml` declares a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredPath {
    /// The target that it is of.
    pub target: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// A target, resolved: what to make true, where, and what may be deleted for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The name under which `trueup.yaml` declares it; `None` where its paths alone say which it is.
    pub declared: Option<String>,
    /// Paths from the checkout's root; the empty path is the whole of it.
    pub paths: Vec<String>,
    /// The commit to make true; `None` for what is tracked.
    pub rev: Option<String>,
    /// The ref that is tracked; `None` for `HEAD`.
    pub tracks: Option<TrackedRef>,
    /// Whether to read the work tree instead of a commit.
    pub worktree: bool,
    /// The record of what this target put there.
    pub inventory: Inventory,
    /// The namespace of namespaced objects that name none.
    pub namespace: String,
    /// The permissions of a run, and who gives each.
    pub policy: Policy,
    /// Where `trueup.yaml` names each kind that may be replaced: line and column, from 1.
    pub replace_at: BTreeMap<String, (usize, usize)>,
    /// Where `trueup.yaml` declares its paths, as far as it does.
    pub paths_at: BTreeMap<String, DeclaredPath>,
    /// The inventories of the other targets of `trueup.yaml`.
    pub siblings: Siblings,
    /// The other targets of `trueup.yaml`.
    pub others: OtherTargets,
    /// Files and folders of the checkout that serve another purpose in this run.
    pub aside: Vec<Aside>,
    /// Whether to ask the server about what is proven to stay as it is, too.
    pub verify: bool,
    /// Whether live objects that stay as they are are kept whole, to show what others set of them.
    pub whole: bool,
    /// How files that are not manifests are rendered.
    pub render: Setting,
    /// Fields that are left as they are in the cluster.
    pub ignore: Vec<FieldRule>,
    /// Fields that are masked as a Secret's values are.
    pub redact: Vec<FieldRule>,
    /// When objects of some kinds are ready.
    pub health: Vec<HealthRule>,
    /// Whether it is gone from `trueup.yaml`, so that nothing is desired.
    pub is_removed: bool,
    /// Whether one wrong document refuses the whole commit.
    pub strict: bool,
    /// Which cluster it belongs to.
    pub cluster: ClusterChoice,
    /// Whether its commits are applied by themselves.
    pub mode: TargetMode,
    /// The windows in which they are.
    pub windows: Vec<Window>,
    /// The rules of this machine that its commits have to meet.
    pub trust: Trust,
    /// That `HEAD` is not trusted, where a trusted ancestor of it says which ref is tracked.
    pub doubt: Option<HeadDoubt>,
}

impl Target {
    /// Its name for people: that in `trueup.yaml`, else the inventory's.
    pub fn shown_name(&self) -> &str {
        let inventory = || self.inventory.name.strip_prefix(NAME_PREFIX);
        self.declared.as_deref().or_else(inventory).unwrap_or(&self.inventory.name)
    }

    /// Whether it is the commit that `HEAD` is at, or the work tree on top of it.
    pub fn is_at_head(&self) -> bool {
        self.rev.is_none() && self.tracks.is_none()
    }

    /// The paths as the inventory records them: the whole checkout is `.`.
    pub fn recorded_paths(&self) -> BTreeSet<String> {
        let name = |path: &String| if path.is_empty() { ".".to_owned() } else { path.clone() };
        self.paths.iter().map(name).collect()
    }

    /// The target at the commit that the inventory records as applied, to compare with; `None` where
    /// it records none. It was applied, so that no rule is asked again.
    pub(super) fn recorded(&self, record: &Record) -> Option<Self> {
        let rev = Some(record.revision.clone()?);
        // The paths may have changed since, too.
        let paths = record.checkout_paths();
        Some(Self { rev, worktree: false, paths, trust: Trust::default(), ..self.clone() })
    }
}
