//! `trueup rbac`: the least rights that the targets' commits need, as roles.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::access::AccessArgs;
use super::exit::{Exit, Failure};
use super::headings::{HOW, WHAT};
use super::kubernetes::{self, NamedVersion};
use super::names::inventory_name;
use super::present::rbac::{self as present, RolesView};
use super::schemas::folder;
use super::target::FilesArgs;
use super::ui::Ui;
use crate::app::trust::Trust;
use crate::app::{KindNames, Target, TargetRights, UnknownKind, rights};
use crate::cluster::Cluster;
use crate::core::inventory::Inventory;
use crate::core::rbac::{Account, RoleOptions};
use crate::core::replicas::ReplicaGroup;
use crate::git::Checkout;

/// The end of `trueup rbac --help`.
const EXAMPLES: &str = "\
Examples:
  trueup rbac                            all targets of trueup.yaml, else the whole
                                         checkout
  trueup rbac prod --service-account shop/trueup | kubectl apply -f -
  trueup rbac prod --read-only           for diff, status and history
  trueup rbac prod --no-prune            without the role that deletes";

/// Print the least rights that the targets' commits need
///
/// Roles and ClusterRoles have what diff, apply, watch, status and history send for the objects of the
/// commit, and nothing else. The right to delete is a role of its own, so that it can be left out. A
/// comment says what each rule is for.
///
/// No cluster is asked, unless a kind is in neither Kubernetes, nor the commit, nor --schemas.
///
/// `trueup help permissions` says more.
///
/// Exit status 0: the roles are whole, 1: some of the commit can't be read, 2: could not tell.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct RbacArgs {
    /// Targets of trueup.yaml [default: all, else the whole checkout]
    #[arg(value_name = "TARGET", help_heading = WHAT, display_order = 1)]
    targets: Vec<String>,

    /// The commit, branch or tag to read [default: HEAD]
    #[arg(long, value_name = "REV", help_heading = WHAT, display_order = 2)]
    rev: Option<String>,

    /// Use the files of the work tree, committed or not
    #[arg(long, conflicts_with = "rev", help_heading = WHAT, display_order = 3, hide_short_help = true)]
    worktree: bool,

    /// Namespace of objects that name none, and of the inventory
    #[arg(short, long, value_name = "NAME", env = "TRUEUP_NAMESPACE", hide_env_values = true, help_heading = WHAT, display_order = 4, hide_short_help = true)]
    namespace: Option<String>,

    /// Bind the roles to the account NAMESPACE/NAME
    #[arg(long, value_name = "NAME", help_heading = WHAT, display_order = 5)]
    service_account: Option<Account>,

    /// Only the rights of diff, status and history
    #[arg(long, help_heading = WHAT, display_order = 6)]
    read_only: bool,

    /// Leave the roles that delete out
    #[arg(long, help_heading = WHAT, display_order = 7)]
    no_prune: bool,

    /// Allow all objects of the commit's kinds, for later commits
    #[arg(long, help_heading = WHAT, display_order = 8)]
    any_name: bool,

    /// Add the role of the replicas of group NAME, for watch --replica-group
    #[arg(long, value_name = "NAME", value_parser = ReplicaGroup::name, conflicts_with = "read_only", help_heading = WHAT, display_order = 9, hide_short_help = true)]
    replica_group: Option<String>,

    /// Namespace of the replicas' Leases [default: that of -n, else default]
    #[arg(long, value_name = "NAME", requires = "replica_group", help_heading = WHAT, display_order = 10, hide_short_help = true)]
    lease_namespace: Option<String>,

    /// How to print the roles
    #[arg(short, long, value_name = "FORMAT", default_value = "yaml", help_heading = HOW, display_order = 1)]
    output: RbacFormat,

    /// Folder with schemas of custom resources; may be given more than once
    #[arg(long, value_name = "DIR", env = "TRUEUP_SCHEMAS", value_delimiter = ',', value_hint = clap::ValueHint::DirPath, help_heading = HOW, display_order = 2, hide_short_help = true)]
    schemas: Vec<PathBuf>,

    /// Release whose kinds are known, and that charts are rendered for [default: that of the sandbox]
    #[arg(long, value_name = "VERSION", value_parser = kubernetes::version, help_heading = HOW, display_order = 3, hide_short_help = true)]
    kubernetes_version: Option<NamedVersion>,

    #[command(flatten)]
    access: AccessArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RbacFormat {
    /// A document for each role, with comments
    Yaml,
    /// One List
    Json,
}

/// A target by its name for people.
pub(super) struct NamedRights {
    pub(super) name: String,
    pub(super) rights: TargetRights,
    is_default_namespace: bool,
}

impl NamedRights {
    pub(super) fn view(&self) -> RolesView<'_> {
        let Self { name, rights, is_default_namespace, .. } = self;
        RolesView { name, rights, is_default_namespace: *is_default_namespace }
    }
}

/// Prints the roles.
///
/// # Errors
///
/// When git can't be read, there is no such target, or a kind's name in URLs is unknown.
pub async fn run(args: RbacArgs, directory: &Path, ui: &mut Ui) -> Result<Exit, Failure> {
    let checkout = Checkout::discover(directory)?.steady();
    let named = args.read(directory, &checkout, ui).await?;
    let options = RoleOptions {
        read_only: args.read_only,
        no_prune: args.no_prune,
        any_name: args.any_name,
        group: args.group(),
        account: args.service_account,
    };
    let views: Vec<RolesView<'_>> = named.iter().map(NamedRights::view).collect();
    let text = match args.output {
        RbacFormat::Yaml => present::yaml(&views, &options),
        RbacFormat::Json => present::json(&views, &options)?,
    };
    ui.stdout().write_all(text.as_bytes())?;
    ui.stdout().flush()?;
    let mut is_whole = true;
    for NamedRights { rights, .. } in &named {
        let problems: Vec<_> =
            rights.problems.iter().map(|it| rights.redactor.problem(it)).collect();
        is_whole &= problems.is_empty();
        ui.problems(&problems);
    }
    Ok(if is_whole { Exit::AtCommit } else { Exit::NotAtCommit })
}

impl RbacArgs {
    /// Those of one target, or of the whole checkout.
    pub(super) fn of_one(
        target: Option<String>,
        namespace: Option<String>,
        schemas: Vec<PathBuf>,
        access: AccessArgs,
    ) -> Self {
        Self {
            targets: target.into_iter().collect(),
            rev: None,
            worktree: false,
            namespace,
            service_account: None,
            read_only: false,
            no_prune: false,
            any_name: false,
            replica_group: None,
            lease_namespace: None,
            output: RbacFormat::Yaml,
            schemas,
            kubernetes_version: None,
            access,
        }
    }

    /// The group of replicas that is named.
    fn group(&self) -> Option<ReplicaGroup> {
        let name = self.replica_group.clone()?;
        let namespace = self.lease_namespace.as_ref().or(self.namespace.as_ref());
        let namespace = namespace.map_or("default", String::as_str).to_owned();
        Some(ReplicaGroup { name, namespace })
    }

    fn files(&self, target: Option<String>) -> FilesArgs {
        FilesArgs {
            paths: Vec::new(),
            target,
            rev: self.rev.clone(),
            worktree: self.worktree,
            is_named_by_checkout: false,
            namespace: self.namespace.clone(),
        }
    }

    /// The targets, and what rights their objects need.
    pub(super) async fn read(
        &self,
        directory: &Path,
        checkout: &Checkout,
        ui: &mut Ui,
    ) -> Result<Vec<NamedRights>, Failure> {
        let mut wanted: Vec<Option<String>> = self.targets.iter().cloned().map(Some).collect();
        if wanted.is_empty() {
            let config = self.files(None).config(checkout)?;
            wanted.extend(config.targets.into_keys().map(Some));
        }
        if wanted.is_empty() {
            wanted.push(None);
        }
        let release = kubernetes::release_of(self.kubernetes_version.as_ref());
        let names = KindNames::of(release);
        let mut names =
            names.ok_or_else(|| anyhow::anyhow!("no schemas of Kubernetes {release}"))?;
        let folders: Vec<PathBuf> =
            self.schemas.iter().map(|named| folder(directory, named)).collect();
        let mut asked = false;
        let mut all = Vec::new();
        for name in wanted {
            let files = self.files(name);
            let (mut target, is_default_namespace) = resolve(&files, directory, checkout)?;
            target.render.kubernetes = kubernetes::of_release(self.kubernetes_version.as_ref());
            let waiting = ui.waiting("reading and rendering");
            let mut found = rights(&target, checkout, &mut names, &folders).await?;
            if let (Ok(TargetRights { unknown, .. }), false) = (&found, asked)
                && !unknown.is_empty()
            {
                asked = true;
                let catalog = async {
                    let cluster = Cluster::connect(&self.access.access()).await?;
                    Ok::<_, Failure>(cluster.discover().await.map_err(anyhow::Error::new)?)
                };
                let catalog = catalog.await.map_err(|error| unknown_kinds(unknown, Some(error)))?;
                names.add_catalog(catalog);
                found = rights(&target, checkout, &mut names, &folders).await?;
            }
            waiting.finish_and_clear();
            let rights = found.map_err(anyhow::Error::new)?;
            if !rights.unknown.is_empty() {
                return Err(unknown_kinds(&rights.unknown, None));
            }
            let name = target.declared.clone();
            let name = name.unwrap_or_else(|| target.inventory.name.clone());
            all.push(NamedRights { name, rights, is_default_namespace });
        }
        Ok(all)
    }
}

/// The target with its inventory, and whether no setting names its namespace.
pub(super) fn resolve(
    files: &FilesArgs,
    directory: &Path,
    checkout: &Checkout,
) -> Result<(Target, bool), Failure> {
    let choice = files.choose(directory, checkout, &Trust::default())?;
    let mut target = files.resolve(directory, checkout)?;
    let declared = choice.declared;
    let known = declared.name.as_deref().or(choice.name.as_deref());
    let name = inventory_name(known, &checkout.folder_name(), &choice.paths);
    target.inventory = Inventory { name, namespace: target.namespace.clone() };
    target.health = declared.health;
    Ok((target, files.namespace.is_none() && declared.namespace.is_none()))
}

/// That kinds are unknown, with their places, and why the cluster could not say.
fn unknown_kinds(unknown: &[UnknownKind], cause: Option<Failure>) -> Failure {
    let (place, kind) = match unknown {
        [first, ..] => (first.place.to_string(), first.kind.clone()),
        [] => (String::new(), String::new()),
    };
    let message = format!("{place}: unknown what kind {kind} is called in a role");
    let error = match cause {
        Some(cause) => cause.error.context(message),
        None => anyhow::anyhow!("{message}: the cluster does not serve it either"),
    };
    let others = unknown.iter().skip(1).map(|it| format!("the same: {}: {}", it.place, it.kind));
    let hint = "add its CustomResourceDefinition to the commit, its schema with --schemas (see \
                trueup schemas pull), or name a --context that serves it";
    Failure { error, hints: others.chain([hint.to_owned()]).collect() }
}
