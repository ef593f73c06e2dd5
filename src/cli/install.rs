//! `trueup install --print FORM`: units and manifests that run a target's watch.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::access::AccessArgs;
use super::exit::{Exit, Failure};
use super::headings::{HOW, WHAT};
use super::names::inventory_name;
use super::present::rbac as present;
use super::rbac::{NamedRights, RbacArgs, resolve};
use super::target::FilesArgs;
use super::ui::Ui;
use crate::core::install::{
    Installation, Replicas, Workload, crontab, service, timer, workflow, workload,
};
use crate::core::inventory::Inventory;
use crate::core::inventory::reserved::NAME_PREFIX;
use crate::core::policy::run_options::duration;
use crate::core::rbac::{Account, RoleOptions};
use crate::core::replicas::ReplicaGroup;
use crate::git::Checkout;
use crate::git::pull::source;

/// The end of `trueup install --help`.
const EXAMPLES: &str = "\
Examples:
  trueup install --print systemd prod                      a service
  trueup install --print systemd-timer prod --interval 5m  rounds by a timer
  trueup install --print cron prod --interval 5m           rounds by cron
  trueup install --print deployment prod --image IMAGE     in the cluster
  trueup install --print deployment --replicas 3           all targets, shared by three pods
  trueup install --print github-action prod                on GitHub";

/// Print what runs a target's watch
///
/// Units for systemd, a line for cron, a Deployment or a CronJob with its account and roles, or a workflow
/// of GitHub Actions. They have the checkout's remote and branch, the target and the interval, and as few
/// rights as they need. Nothing is installed.
///
/// `trueup help service` says more.
///
/// Exit status 0: printed, 2: could not tell.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct InstallArgs {
    /// The form to print
    #[arg(long, value_name = "FORM", help_heading = WHAT, display_order = 1)]
    print: InstallForm,

    /// The target of trueup.yaml [default: the only one, else the whole checkout]
    #[arg(value_name = "TARGET", help_heading = WHAT, display_order = 2)]
    target: Option<String>,

    /// Namespace of objects that name none, and of the inventory
    #[arg(short, long, value_name = "NAME", env = "TRUEUP_NAMESPACE", hide_env_values = true, help_heading = WHAT, display_order = 3)]
    namespace: Option<String>,

    /// Time between rounds: 90s, 5m
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = duration, help_heading = HOW, display_order = 1)]
    interval: Duration,

    /// The program on the machine that runs it
    #[arg(long, value_name = "PATH", default_value = "/usr/local/bin/trueup", help_heading = HOW, display_order = 2)]
    program: String,

    /// The container image of a Deployment or CronJob
    #[arg(long, value_name = "IMAGE", default_value = concat!("trueup:", env!("CARGO_PKG_VERSION")), help_heading = HOW, display_order = 3)]
    image: String,

    /// Let N pods of a Deployment share all targets of trueup.yaml
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=100), conflicts_with = "target", help_heading = HOW, display_order = 4, hide_short_help = true)]
    replicas: Option<u16>,

    /// The receiver of cron's mail
    #[arg(long, value_name = "ADDRESS", default_value = "root", help_heading = HOW, display_order = 5, hide_short_help = true)]
    mail_to: String,

    /// Folder with schemas of custom resources, for the roles; may be given more than once
    #[arg(long, value_name = "DIR", env = "TRUEUP_SCHEMAS", value_delimiter = ',', value_hint = clap::ValueHint::DirPath, help_heading = HOW, display_order = 6, hide_short_help = true)]
    schemas: Vec<PathBuf>,

    #[command(flatten)]
    access: AccessArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum InstallForm {
    /// A service that watches
    Systemd,
    /// A service for one round, and its timer
    SystemdTimer,
    /// Lines of a crontab
    Cron,
    /// A Deployment that watches, with its account and roles
    Deployment,
    /// A CronJob that runs rounds, with its account and roles
    Cronjob,
    /// A workflow: check and diff for pull requests, apply for the branch
    GithubAction,
}

/// Prints the units or manifests.
///
/// # Errors
///
/// When the checkout has no remote, there is no such target, or the form can't have the interval.
pub async fn run(args: InstallArgs, directory: &Path, ui: &mut Ui) -> Result<Exit, Failure> {
    let checkout = Checkout::discover(directory)?.steady();
    let files = FilesArgs {
        paths: Vec::new(),
        target: args.target.clone(),
        is_named_by_checkout: false,
        rev: None,
        worktree: false,
        namespace: args.namespace.clone(),
    };
    let replicas = args.replicas(&checkout)?;
    let (declared, inventory) = match &replicas {
        Some(Replicas { group, .. }) => (None, whole(&checkout, &group.namespace)),
        None => {
            let (target, _) = resolve(&files, directory, &checkout)?;
            (target.declared, target.inventory)
        }
    };
    let remote = source(&checkout)?;
    let account = Account { namespace: inventory.namespace.clone(), name: inventory.name.clone() };
    let root = std::path::absolute(checkout.root())?;
    let install = Installation {
        target: declared.clone(),
        inventory,
        url: remote.url,
        branch: remote.branch,
        checkout: root.display().to_string(),
        interval: args.interval,
        program: args.program.clone(),
        image: args.image.clone(),
        mail_to: args.mail_to.clone(),
        account,
        replicas,
    };
    if let Some(text) = install.unfit() {
        return Err(anyhow::anyhow!("no unit can hold the text {text:?}").into());
    }
    let text = match args.print {
        InstallForm::Systemd => service(&install),
        InstallForm::SystemdTimer => timer(&install),
        InstallForm::Cron => crontab(&install).map_err(anyhow::Error::new)?,
        InstallForm::GithubAction => workflow(&install),
        InstallForm::Deployment | InstallForm::Cronjob => {
            let form = match args.print {
                InstallForm::Cronjob => Workload::CronJob,
                _ => Workload::Deployment,
            };
            let text = workload(&install, form).map_err(anyhow::Error::new)?;
            let options = RoleOptions {
                account: Some(install.account.clone()),
                group: install.replicas.as_ref().map(|it| it.group.clone()),
                ..RoleOptions::default()
            };
            let InstallArgs { namespace, schemas, access, .. } = args;
            let rights = RbacArgs::of_one(declared, namespace, schemas, access);
            let named = rights.read(directory, &checkout, ui).await?;
            let views: Vec<_> = named.iter().map(NamedRights::view).collect();
            text + &present::yaml(&views, &options)
        }
    };
    ui.stdout().write_all(text.as_bytes())?;
    ui.stdout().flush()?;
    Ok(Exit::AtCommit)
}

impl InstallArgs {
    /// The replicas that are wanted. Their group has the checkout's name.
    fn replicas(&self, checkout: &Checkout) -> Result<Option<Replicas>, Failure> {
        let Some(count) = self.replicas else { return Ok(None) };
        if self.print != InstallForm::Deployment {
            return Err(anyhow::anyhow!("--replicas goes with --print deployment alone").into());
        }
        let namespace = self.namespace.clone().unwrap_or_else(|| "default".to_owned());
        let Inventory { name, namespace } = whole(checkout, &namespace);
        let name = ReplicaGroup::near(name.trim_start_matches(NAME_PREFIX));
        let group = ReplicaGroup { name, namespace };
        Ok(Some(Replicas { count, group, is_namespace_chosen: self.namespace.is_some() }))
    }
}

/// The inventory that stands for all targets of a checkout.
fn whole(checkout: &Checkout, namespace: &str) -> Inventory {
    let name = inventory_name(None, &checkout.folder_name(), &[]);
    Inventory { name, namespace: namespace.to_owned() }
}
