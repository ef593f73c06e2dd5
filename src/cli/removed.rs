//! `--removed`: a target that is gone from `trueup.yaml`, by the inventory that it left in the cluster.

use std::path::Path;

use super::exit::Failure;
use super::machine_file::cluster_choice;
use super::mode::{mode, windows};
use super::present::trust::refusal;
use super::target::{FilesArgs, NamedTarget, TargetArgs};
use crate::app::Target;
use crate::cluster::Cluster;
use crate::config::FILE;
use crate::core::inventory::{Inventory, Record};
use crate::core::moves::record_of;
use crate::core::policy::run_options::RunOptions;
use crate::core::suggest::suggest;
use crate::git::{Checkout, Descent};

impl TargetArgs {
    /// The target `name`, which is gone from trueup.yaml: it declares nothing, so that applying it
    /// deletes what it has.
    ///
    /// # Errors
    ///
    /// When trueup.yaml still has it, or the cluster has no inventory of it.
    pub async fn resolve_removed(
        &self,
        name: &str,
        directory: &Path,
        checkout: &Checkout,
        cluster: &Cluster,
    ) -> Result<NamedTarget, Failure> {
        let (config, judged) = self.listed(checkout)?;
        if config.targets.contains_key(name) {
            let error = anyhow::anyhow!("{FILE} still declares target {name}");
            let hint = match &judged.refused {
                Some(refused) => refusal(refused),
                None => format!("remove it there and commit that; --target {name} applies it"),
            };
            return Err(Failure { error, hints: vec![hint] });
        }
        let (inventory, record) = self.inventory_of(name, checkout, cluster).await?;
        // All others may take over what it has.
        let files = FilesArgs { paths: vec![checkout.root().to_owned()], ..self.files.clone() };
        let args = Self { files, ..self.clone() };
        let named = args.resolve(directory, checkout, cluster)?;
        if let Some(sibling) = named.target.siblings.get(&inventory.id()) {
            let error = anyhow::anyhow!("the inventory of {name} is the one of target {sibling}");
            let hint = format!("{name} was renamed there, and its objects are that target's now");
            return Err(Failure { error, hints: vec![hint] });
        }
        let mut policy = named.target.policy.clone();
        policy.operator.allow_empty = true;
        let target = Target {
            declared: Some(name.to_owned()),
            paths: record.checkout_paths(),
            namespace: inventory.namespace.clone(),
            inventory,
            policy,
            cluster: cluster_choice(name, self.new_cluster)?,
            mode: mode(self.mode, name, None)?,
            windows: windows(name, Vec::new())?,
            is_removed: true,
            ..named.target
        };
        let shown_paths = target.recorded_paths().into_iter().collect();
        let (name, run_options) = (name.to_owned(), RunOptions::default());
        let (notes, judged) = (Vec::new(), named.judged);
        Ok(NamedTarget {
            name,
            declared: false,
            target,
            shown_paths,
            run_options,
            after: Vec::new(),
            interval: None,
            notes,
            judged,
        })
    }

    /// The inventory of a target that is gone.
    async fn inventory_of(
        &self,
        name: &str,
        checkout: &Checkout,
        cluster: &Cluster,
    ) -> Result<(Inventory, Record), Failure> {
        let home = self.files.namespace.as_deref();
        let parents = cluster.all_parents(home.unwrap_or(cluster.namespace())).await;
        let revision = checkout.resolve(self.files.rev.as_deref())?;
        let declared = self.listed(checkout)?.0.targets;
        let (mut found, mut others, mut is_unknown) = (Vec::new(), Vec::new(), false);
        for (inventory, record) in parents.iter().filter_map(record_of) {
            let known = record.revision.as_deref().map(|known| known.trim_end_matches("-dirty"));
            let Some(target) = record.target.clone() else { continue };
            let is_elsewhere = home.is_some_and(|home| home != inventory.namespace);
            if is_elsewhere {
                continue;
            }
            match checkout.descent(&revision, &record.repository, known)? {
                Descent::Same => {}
                Descent::Other => continue,
                Descent::Unknown => {
                    is_unknown |= target == name;
                    continue;
                }
            }
            match target == name {
                true => found.push((inventory, record)),
                false if !declared.contains_key(&target) => others.push(target),
                false => {}
            }
        }
        if found.len() > 1 {
            let places = found.iter().map(|(inventory, _)| inventory.key().path());
            let error = anyhow::anyhow!("several inventories are of target {name}");
            let hint =
                format!("choose one with --namespace: {}", places.collect::<Vec<_>>().join(", "));
            return Err(Failure { error, hints: vec![hint] });
        }
        if found.is_empty() && is_unknown {
            let error = anyhow::anyhow!(
                "this shallow clone can't tell whether the inventory of a target {name} is of this \
                 repository"
            );
            let hint = "fetch the rest of the history: git fetch --unshallow".to_owned();
            return Err(Failure { error, hints: vec![hint] });
        }
        found.pop().ok_or_else(|| {
            let error = anyhow::anyhow!("the cluster has no inventory of a removed target {name}");
            let hint =
                match (suggest(name, others.iter().map(String::as_str)).first(), others.is_empty())
                {
                    (Some(near), _) => format!("did you mean {near:?}?"),
                    (None, true) => {
                        "no target of this repository is gone and not taken down".to_owned()
                    }
                    (None, false) => {
                        format!("removed targets that are not taken down: {}", others.join(", "))
                    }
                };
            Failure { error, hints: vec![hint] }
        })
    }
}
