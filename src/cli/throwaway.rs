//! `--sandbox`: a cluster of the run's own, on the systems that a sandbox runs on.

use clap::Args;

use super::access::CONCURRENCY;
use super::exit::Failure;
use super::headings::CLUSTER;
use super::ui::Ui;
use crate::cluster::{Access, ConnectError};
use crate::core::remedy::Remedy;

/// Whether to use a cluster of the run's own.
#[derive(Debug, Args)]
pub struct ThrowawayArgs {
    /// Use a fresh throwaway cluster of this machine
    ///
    /// It is taken down afterwards.
    #[cfg(unix)]
    #[arg(long, conflicts_with_all = ["kubeconfig", "context"], help_heading = CLUSTER, display_order = 2, hide_short_help = true)]
    sandbox: bool,
}

/// A cluster of the run's own, if it has one. It is taken down with this.
pub struct Throwaway {
    #[cfg(unix)]
    _sandbox: Option<crate::sandbox::Sandbox>,
}

impl ThrowawayArgs {
    /// Whether there is to be one; nothing gets ready in it, as it has no controllers.
    pub fn is_wanted(&self) -> bool {
        #[cfg(unix)]
        return self.sandbox;
        #[cfg(not(unix))]
        return false;
    }

    /// Starts the sandbox if one is wanted, and makes `access` lead to it.
    ///
    /// # Errors
    ///
    /// When its programs can't be had, or don't start.
    #[cfg(unix)]
    pub async fn start(&self, access: &mut Access, ui: &mut Ui) -> Result<Throwaway, Failure> {
        if !self.sandbox {
            return Ok(Throwaway { _sandbox: None });
        }
        // Manifests of a commit, in CI from anybody's, must not make this machine call others.
        let options = super::sandbox::options(false, crate::sandbox::WebhookCalls::Disabled)?;
        let sandbox = super::sandbox::start(&options, ui).await?;
        access.kubeconfig = Some(sandbox.kubeconfig().to_owned());
        access.context = None;
        Ok(Throwaway { _sandbox: Some(sandbox) })
    }

    /// Leaves `access` as it is: there are no sandboxes here.
    ///
    /// # Errors
    ///
    /// None.
    #[cfg(not(unix))]
    pub async fn start(&self, _access: &mut Access, _ui: &mut Ui) -> Result<Throwaway, Failure> {
        Ok(Throwaway {})
    }
}

/// The failure of a verb that has `--sandbox` where there is no kubeconfig to connect by.
pub fn or_sandbox(error: ConnectError) -> Failure {
    let lacks_kubeconfig =
        matches!(error.hint(), Some(Remedy::NameKubeconfig | Remedy::CorrectKubeconfig));
    let mut failure = Failure::from(error);
    if lacks_kubeconfig && cfg!(unix) {
        let hints = failure.hints.iter_mut();
        hints.for_each(|it| it.push_str("; or try it on a throwaway cluster with --sandbox"));
    }
    failure
}

/// The findings of an API server of the run's own about a set of manifests.
///
/// # Errors
///
/// When its programs can't be had, or it does not answer.
#[cfg(unix)]
pub async fn rehearsal(
    set: crate::core::check::Set<'_>,
    ui: &mut Ui,
) -> Result<crate::app::DryRun, Failure> {
    let mut access = Access { concurrency: CONCURRENCY, ..Access::default() };
    let _throwaway = ThrowawayArgs { sandbox: true }.start(&mut access, ui).await?;
    let cluster = crate::cluster::Cluster::connect(&access).await?;
    Ok(crate::app::dry_run(set, &cluster).await?)
}
