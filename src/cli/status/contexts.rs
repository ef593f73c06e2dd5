//! The targets of each context, all contexts side by side, each with its own time limit.

use std::path::Path;
use std::time::Duration;

use futures::future::join_all;

use super::present::ContextView;
use crate::app::status::{StatusOptions, StatusRow, StatusTarget, status};
use crate::app::{Error, Target};
use crate::cli::exit::Failure;
use crate::cli::target::{NamedTarget, TargetArgs};
use crate::cli::ui::Ui;
use crate::cluster::{Access, Cluster};
use crate::core::source::snapshot::Revision;
use crate::core::status::{GitCommit, SyncState, TargetStatus};
use crate::git::Checkout;
use crate::local::watch_marks::WatchMark;

/// The contexts and targets that are asked about.
pub(super) struct Question<'a> {
    pub(super) directory: &'a Path,
    pub(super) checkout: &'a Checkout,
    pub(super) target_args: TargetArgs,
    pub(super) contexts: Vec<ContextQuestion>,
    /// The targets in the order in which they are shown; none where there is no trueup.yaml.
    pub(super) names: Vec<String>,
    /// Whether they are all of trueup.yaml.
    pub(super) are_all: bool,
    /// Whether the contexts were listed, so that each target may be in any of them.
    pub(super) are_listed: bool,
    /// The watches of this machine.
    pub(super) watches: Vec<WatchMark>,
    /// Why the targets are not those of the newest commit, where they are not.
    pub(super) fault: Option<UnusableSettings>,
}

/// Settings that can't be used: those of an earlier commit name the targets in their place.
pub(super) struct UnusableSettings {
    /// The fault, with its place.
    pub(super) fault: String,
    /// The commit that has them.
    pub(super) revision: Revision,
}

impl UnusableSettings {
    /// Marks a row: what runs is known, and git's wish is not. The texts of the commit are left out, as no
    /// Secret of it is known that they may quote.
    pub(super) fn mark(&self, row: &mut TargetStatus) {
        row.state = SyncState::Unknown(self.fault.clone());
        let git = GitCommit::of(&self.revision);
        row.git = Some(GitCommit { subject: String::new(), author: String::new(), ..git });
    }
}

/// A context, and the targets to look for there; `None` for the whole checkout.
pub(super) struct ContextQuestion {
    pub(super) access: Access,
    pub(super) targets: Vec<Option<String>>,
}

/// The targets of a context that can be looked at.
pub(super) struct ContextTargets {
    pub(super) cluster: Cluster,
    pub(super) targets: Vec<StatusTarget>,
    pub(super) named: Vec<NamedTarget>,
    /// Those that can't, and why.
    pub(super) faults: Vec<TargetStatus>,
}

/// A context did not answer in time.
#[derive(Debug, thiserror::Error)]
#[error("no answer within {0} s")]
struct NoAnswer(f64);

/// Whether another try may go well: the cluster could not be reached, or did not answer.
pub(super) fn is_passing(failure: &Failure) -> bool {
    match failure.error.downcast_ref::<Error>() {
        Some(Error::Api { source, .. }) => !source.is_verdict(),
        Some(_) => false,
        None => failure.error.is::<NoAnswer>(),
    }
}

/// The answer about a context.
pub(super) struct ContextAnswer {
    /// Its name.
    pub(super) context: String,
    /// The server; empty where it is not known.
    pub(super) server: String,
    pub(super) cluster_uid: Option<String>,
    pub(super) rows: Vec<StatusRow>,
    /// Why there are no rows.
    pub(super) failure: Option<Failure>,
    pub(super) warnings: Vec<String>,
    pub(super) requests: usize,
}

impl Question<'_> {
    /// The name of a target that has none.
    pub(super) fn folder_name(&self) -> String {
        self.checkout.folder_name()
    }

    /// Connects to a context, and reads its targets.
    ///
    /// # Errors
    ///
    /// When there is no way to the cluster.
    pub(super) async fn open(&self, context: &ContextQuestion) -> Result<ContextTargets, Failure> {
        let cluster = Cluster::connect(&context.access).await?;
        let mut opened =
            ContextTargets { targets: Vec::new(), named: Vec::new(), faults: Vec::new(), cluster };
        for name in &context.targets {
            let mut args = self.target_args.clone();
            args.files.target.clone_from(name);
            let named = args.resolve(self.directory, self.checkout, &opened.cluster);
            match named.or_else(|failure| self.untrusted(&opened.cluster, &args, failure)) {
                Ok(named) => {
                    let (name, target) = (named.name.clone(), named.target.clone());
                    let judged = named.judged.clone();
                    opened.targets.push(StatusTarget { name, target, judged });
                    opened.named.push(named);
                }
                Err(failure) => {
                    let name = name.clone().unwrap_or_else(|| self.checkout.folder_name());
                    let why = format!("{:#}", failure.error);
                    let row = TargetStatus::unknown(&name, why);
                    let context = opened.cluster.name().to_owned();
                    let server = opened.cluster.host().to_owned();
                    opened.faults.push(TargetStatus { context, server, ..row });
                }
            }
        }
        Ok(opened)
    }

    /// The target at a commit that is not trusted, where no other can stand in for that: its name and its
    /// inventory tell what runs. Nothing of that commit is rendered unless it runs already.
    fn untrusted(
        &self,
        cluster: &Cluster,
        args: &TargetArgs,
        failure: Failure,
    ) -> Result<NamedTarget, Failure> {
        let Some(refused) = failure.refusal().cloned() else { return Err(failure) };
        let Some(revision) = &refused.revision else { return Err(failure) };
        let mut args = args.clone();
        args.files.rev = Some(revision.commit.clone());
        args.unverified = true;
        let Ok(mut named) = args.resolve(self.directory, self.checkout, cluster) else {
            return Err(failure);
        };
        named.judged.refused = Some(refused);
        Ok(named)
    }

    /// The target as the settings of another commit have it.
    ///
    /// # Errors
    ///
    /// When that commit's settings can't be used.
    pub(super) fn at(
        &self,
        opened: &ContextTargets,
        index: usize,
        commit: &str,
    ) -> Result<Target, String> {
        let named = &opened.named[index];
        let mut args = self.target_args.clone();
        args.files.rev = Some(commit.to_owned());
        // It is what runs already, whoever signed it.
        args.unverified = true;
        args.moved = true;
        if named.declared {
            args.files.target = Some(named.name.clone());
            args.files.is_named_by_checkout = true;
        }
        let then = args.resolve(self.directory, self.checkout, &opened.cluster);
        let then = then.or_else(|failure| {
            self.under_former_name(opened, named, &args)
                .ok_or_else(|| format!("{:#}", failure.error))
        })?;
        let (inventory, cluster) = (named.target.inventory.clone(), named.target.cluster.clone());
        Ok(Target { inventory, cluster, ..then.target })
    }

    /// The target as that commit has it under another name: the one with the same inventory.
    fn under_former_name(
        &self,
        opened: &ContextTargets,
        named: &NamedTarget,
        args: &TargetArgs,
    ) -> Option<NamedTarget> {
        let config = args.files.config(self.checkout).ok()?;
        if !named.declared || config.targets.contains_key(&named.name) {
            return None;
        }
        config.targets.into_keys().find_map(|name| {
            let mut args = args.clone();
            args.files.target = Some(name);
            let then = args.resolve(self.directory, self.checkout, &opened.cluster).ok()?;
            (then.target.inventory == named.target.inventory).then_some(then)
        })
    }

    /// Looks at the targets of a context.
    pub(super) async fn look(&self, context: &ContextQuestion, images: bool) -> ContextAnswer {
        let opened = match self.open(context).await {
            Ok(opened) => opened,
            Err(failure) => return ContextAnswer::failed(context, None, failure),
        };
        let at = |index: usize, commit: &str| self.at(&opened, index, commit);
        let options = StatusOptions {
            targets: &opened.targets,
            checkout: self.checkout,
            cluster: &opened.cluster,
            at: &at,
            images,
            are_all: self.are_all,
            watches: &self.watches,
        };
        let found = match Box::pin(status(options)).await {
            Ok(found) => found,
            Err(error) => {
                return ContextAnswer::failed(context, Some(&opened.cluster), error.into());
            }
        };
        let mut rows = found.rows;
        for row in &mut rows {
            if let (StatusRow::Here(row), Some(fault)) = (row, &self.fault) {
                fault.mark(row);
            }
        }
        rows.extend(opened.faults.into_iter().map(|row| StatusRow::Here(Box::new(row))));
        let history = found.no_history.map(|error| format!("the history can't be read: {error}"));
        let pods = found.no_pods.map(|error| format!("pods can't be read: {error}"));
        let credentials = context.access.credentials.take_warnings();
        ContextAnswer {
            context: opened.cluster.name().to_owned(),
            server: opened.cluster.host().to_owned(),
            cluster_uid: found.cluster_uid,
            rows,
            failure: None,
            warnings: credentials.into_iter().chain(history).chain(pods).collect(),
            requests: opened.cluster.requests(),
        }
    }
}

impl ContextAnswer {
    fn failed(context: &ContextQuestion, cluster: Option<&Cluster>, failure: Failure) -> Self {
        let named = context.access.context.clone();
        let named = named.or_else(|| cluster.map(|cluster| cluster.name().to_owned()));
        Self {
            context: named.unwrap_or_default(),
            server: cluster.map(|cluster| cluster.host().to_owned()).unwrap_or_default(),
            cluster_uid: None,
            rows: Vec::new(),
            failure: Some(failure),
            warnings: context.access.credentials.take_warnings(),
            requests: cluster.map(Cluster::requests).unwrap_or_default(),
        }
    }

    /// Says why there is no answer, and what to do about it.
    pub(super) fn say_failure(&self, ui: &mut Ui) {
        if let Some(failure) = &self.failure {
            let again = failure.again();
            let name = &self.context;
            let error = again.error.context(format!("cannot tell the targets of context {name}"));
            ui.failure(&Failure { error, ..again });
        }
    }

    /// The context as it is shown.
    pub(super) fn view(&self) -> ContextView {
        ContextView {
            context: self.context.clone(),
            server: self.server.clone(),
            cluster_uid: self.cluster_uid.clone(),
            error: self.failure.as_ref().map(|failure| format!("{:#}", failure.error)),
            requests: self.requests,
        }
    }
}

/// Looks at all contexts side by side.
pub(super) async fn look_at_all(
    question: &Question<'_>,
    patience: Duration,
    images: bool,
) -> Vec<ContextAnswer> {
    let looks = question.contexts.iter().map(|context| async move {
        match tokio::time::timeout(patience, question.look(context, images)).await {
            Ok(answer) => answer,
            Err(_) => {
                let error = NoAnswer(patience.as_secs_f64()).into();
                let hints = vec!["allow more with --timeout".to_owned()];
                ContextAnswer::failed(context, None, Failure { error, hints })
            }
        }
    });
    join_all(looks).await
}
