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

/// The targets that are asked about: those that are named, else all of trueup.yaml, else the whole checkout.
///
/// # Errors
///
/// When trueup.yaml or the machine's file can't be used.
pub(super) fn sought(
    checkout: &Checkout,
    options: SoughtOptions<'_>,
) -> Result<Vec<SoughtTarget>, Failure> {
    let SoughtOptions { names, namespace, access } = options;
    let declared = files(None).config(checkout)?.targets;
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
