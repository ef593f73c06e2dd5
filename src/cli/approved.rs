//! The scope of an approved plan, from the arguments of the diff that made it, and back.

use std::collections::BTreeMap;

use crate::app::trust::Wanted;
use crate::app::{Survey, Target};
use crate::cluster::Cluster;
use crate::core::approval::{Approval, ApprovedCluster, Purpose, WrongPlace};
use crate::core::inventory::{Inventory, Siblings};
use crate::core::policy::Policy;
use crate::core::policy::run_options::RunOptions;
use crate::git::{Checkout, Descent};

use super::exit::Failure;
use super::machine_file::cluster_choice;
use super::mode::{mode, windows};
use super::session::Session;
use super::target::{FilesArgs, NamedTarget, OwnPlace, TargetArgs, counts, others_of, setting};
use super::{kubernetes, trust};

/// The approval of what the session found.
///
/// # Errors
///
/// When the cluster can't be told from others later.
pub fn approval(session: &Session, survey: &Survey) -> Result<Approval, Failure> {
    let NamedTarget { name, declared, target, .. } = &session.named;
    let uid = survey.found.cluster_uid.clone().ok_or(WrongPlace::UnknownCluster)?;
    let purpose = Purpose {
        target: name.clone(),
        declared: *declared,
        paths: target.paths.clone(),
        namespace: target.namespace.clone(),
        inventory: target.inventory.clone(),
        cluster: ApprovedCluster { name: session.cluster.name().to_owned(), uid },
        commit: survey.found.revision.commit.clone(),
        repository: survey.decided.after.repository.clone(),
        permissions: target.policy.operator.clone(),
    };
    Ok(Approval::new(purpose, survey.approval_input()))
}

impl TargetArgs {
    /// The target of an approved plan: what it says, reached as the arguments say.
    ///
    /// # Errors
    ///
    /// When it is for another cluster or repository, its commit is not here, or the arguments say
    /// something else.
    pub async fn resolve_approved(
        &self,
        purpose: &Purpose,
        checkout: &Checkout,
        cluster: &Cluster,
    ) -> Result<NamedTarget, Failure> {
        let Purpose { target, declared, commit, repository, namespace, .. } = purpose.clone();
        purpose.agrees(self.files.target.as_deref(), self.files.namespace.as_deref())?;
        let uid = cluster
            .uid()
            .await
            .map_err(|source| crate::app::Error::Api { attempt: "reach the cluster", source })?;
        purpose.is_for(cluster.name(), uid.as_deref())?;
        let approved = checkout.resolve(Some(&commit)).ok();
        let approved = approved.filter(|revision| revision.commit == commit);
        let is_of_root = match &approved {
            // The id of a commit stands for all of its history.
            Some(revision) => checkout.descent(revision, &repository, None)? != Descent::Other,
            None => checkout.has_commit(&repository),
        };
        if !is_of_root {
            let shallow = checkout.is_shallow();
            return Err(WrongPlace::OtherRepository { repository, shallow }.into());
        }
        if approved.is_none() {
            return Err(WrongPlace::NoCommit { commit }.into());
        }
        let files = FilesArgs {
            paths: Vec::new(),
            target: declared.then(|| target.clone()),
            rev: Some(commit.clone()),
            worktree: false,
            namespace: None,
            is_named_by_checkout: false,
        };
        let trust = trust::trust(self.files.named_by(), checkout, self.unverified)?;
        let judged = trust.judge(checkout, Wanted::Exactly(&commit))?;
        let file = files.config(checkout)?;
        let config = match declared {
            true => file.target(Some(&target))?.map(|(_, config)| config.clone()),
            false => None,
        };
        let config = config.unwrap_or_default();
        // A rollback is not part of what was approved.
        let run_options = RunOptions { on_failure: None, ..config.run_options() };
        let repository = config.policy();
        let choice = cluster_choice(&purpose.target, self.new_cluster)?;
        let kubeconfig = self.access.kubeconfig.as_deref();
        let beside = OwnPlace { at_head: false, cluster: &choice, kubeconfig };
        let own = declared.then_some(target.as_str());
        let others = others_of(file.targets.clone(), own, beside, checkout)?;
        let Inventory { name, namespace: home } = purpose.inventory.clone();
        let target = Target {
            declared: declared.then(|| target.clone()),
            paths: purpose.paths.clone(),
            rev: Some(commit),
            tracks: None,
            worktree: false,
            inventory: Inventory { name, namespace: home },
            render: setting(config.render, &namespace, kubernetes::of_cluster(cluster))?,
            ignore: config.ignore,
            health: config.health,
            redact: file.redact(declared.then_some(purpose.target.as_str())),
            namespace,
            policy: Policy { operator: purpose.permissions.clone(), repository },
            replace_at: config.replace_at,
            paths_at: BTreeMap::new(),
            siblings: Siblings::default(),
            others,
            aside: Vec::new(),
            strict: counts(self.strict, config.strict),
            verify: counts(self.verify, config.verify),
            whole: false,
            is_removed: false,
            cluster: choice,
            mode: mode(self.mode, &purpose.target, config.mode)?,
            windows: windows(&purpose.target, config.windows)?,
            trust,
            doubt: None,
        };
        let shown_paths = target.recorded_paths().into_iter().collect();
        let (name, notes) = (purpose.target.clone(), Vec::new());
        Ok(NamedTarget {
            name,
            declared,
            target,
            shown_paths,
            run_options,
            after: Vec::new(),
            interval: None,
            notes,
            judged,
        })
    }
}
