//! The targets whose history is asked for, each with its inventory and the context of its cluster.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::cli::access::AccessArgs;
use crate::cli::exit::Failure;
use crate::cli::machine_file::machine;
use crate::cli::names::{derived, sanitized};
use crate::cli::target::FilesArgs;
use crate::config::clusters::context_of;
use crate::config::{Config, FILE, TargetConfig};
use crate::core::history::RunRecord;
use crate::core::inventory::Inventory;
use crate::core::inventory::reserved::NAME_PREFIX;
use crate::git::Checkout;

/// A target whose history is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SoughtTarget {
    /// Its name in trueup.yaml, else that of its inventory.
    pub(super) name: String,
    /// The name of its inventory.
    pub(super) inventory: String,
    /// The namespace of its inventory; `None` for that of the context.
    pub(super) namespace: Option<String>,
    /// The context of its cluster; `None` for the current one.
    pub(super) context: Option<String>,
}

impl SoughtTarget {
    /// Whether an inventory in a context is this target's, as far as is known without its cluster.
    pub(super) fn has(&self, inventory: &Inventory, context: &str) -> bool {
        let is_its = |own: &Option<String>, it: &str| own.as_ref().is_none_or(|own| own == it);
        inventory.name == self.inventory
            && is_its(&self.namespace, &inventory.namespace)
            && is_its(&self.context, context)
    }
}

/// The choice of the targets.
#[derive(Clone, Copy)]
pub(super) struct SoughtOptions<'a> {
    /// The names that are given; none for all.
    pub(super) names: &'a [String],
    /// The namespace of the inventories.
    pub(super) namespace: Option<&'a str>,
    /// The way to the cluster.
    pub(super) access: &'a AccessArgs,
}

/// The targets that are `declared` in trueup.yaml at `HEAD`.
pub(super) type DeclaredTargets = BTreeMap<String, TargetConfig>;

/// The targets that trueup.yaml at `HEAD` declares.
///
/// # Errors
///
/// When it can't be used.
pub(super) fn declared(checkout: &Checkout) -> Result<DeclaredTargets, Failure> {
    Ok(files(None).config(checkout)?.targets.into_iter().collect())
}

/// The targets of records, where trueup.yaml can't say which there are: each inventory by the name that
/// its newest record has, and in the context that that was made in.
pub(super) fn recorded(records: &[RunRecord], options: SoughtOptions<'_>) -> Vec<SoughtTarget> {
    let SoughtOptions { names, namespace, access } = options;
    let given = access.context.clone().filter(|context| !context.is_empty());
    let mut found: BTreeMap<(&Inventory, &str), SoughtTarget> = BTreeMap::new();
    for record in records {
        let cluster = record.cluster.uid.as_ref().unwrap_or(&record.cluster.server);
        let target = SoughtTarget {
            name: record.target.clone(),
            inventory: record.inventory.name.clone(),
            namespace: Some(record.inventory.namespace.clone()),
            context: given.clone().or_else(|| Some(record.cluster.context.clone())),
        };
        found.insert((&record.inventory, cluster), target);
    }
    let mut found: Vec<SoughtTarget> = found.into_values().collect();
    found.retain(|it| names.is_empty() || names.contains(&it.name));
    found.retain(|it| namespace.is_none_or(|own| it.namespace.as_deref() == Some(own)));
    found
}

/// The targets that are asked about: those that are named, else all of trueup.yaml, else the whole checkout.
///
/// # Errors
///
/// When the machine's file can't be used.
pub(super) fn sought(
    checkout: &Checkout,
    declared: &DeclaredTargets,
    options: SoughtOptions<'_>,
) -> Result<Vec<SoughtTarget>, Failure> {
    let SoughtOptions { names, namespace, access } = options;
    let names = match (names, declared.is_empty()) {
        ([], true) => vec![sanitized(&derived(&checkout.folder_name(), &[]))],
        ([], false) => declared.keys().cloned().collect(),
        (names, _) => names.to_vec(),
    };
    let entries = machine()?.clusters;
    let sought = names.into_iter().map(|name| {
        let own = declared.get(&name).map(|declared| settings(checkout, &name, declared));
        let TargetConfig { namespace: home, name: inventory, .. } = own.unwrap_or_default();
        let inventory = sanitized(&inventory.unwrap_or_else(|| name.clone()));
        let given = access.context.clone().filter(|context| !context.is_empty());
        let context = given.or_else(|| context_of(&entries, &name).map(str::to_owned));
        SoughtTarget {
            inventory: format!("{NAME_PREFIX}{inventory}"),
            namespace: namespace.map(str::to_owned).or(home),
            context,
            name,
        }
    });
    let mut seen: BTreeMap<String, SoughtTarget> = BTreeMap::new();
    seen.extend(sought.map(|target| (target.name.clone(), target)));
    Ok(seen.into_values().collect())
}

/// The settings of a target at the commit that it tracks, as far as they can be read.
fn settings(checkout: &Checkout, name: &str, declared: &TargetConfig) -> TargetConfig {
    let there = declared.tracks.as_ref().and_then(|tracked| {
        let found = checkout.resolve_tracked(tracked).ok()?;
        let file = checkout.read_file(&found.revision, FILE).ok()??;
        Config::read(&file).ok()?.targets.remove(name)
    });
    there.unwrap_or_else(|| declared.clone())
}

/// The files of the whole checkout at a commit, or at `HEAD`.
pub(super) fn files(rev: Option<&str>) -> FilesArgs {
    FilesArgs {
        paths: Vec::<PathBuf>::new(),
        target: None,
        rev: rev.map(str::to_owned),
        worktree: false,
        is_named_by_checkout: false,
        namespace: None,
    }
}
