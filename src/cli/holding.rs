//! The target that suspend, resume and release are about, and the way to its inventory.

use std::path::Path;

use clap::Args;

use super::access::AccessArgs;
use super::exit::Failure;
use super::headings::WHAT;
use super::session::Session;
use super::target::{NamedTarget, TargetArgs};
use super::ui::Ui;
use crate::app::{HoldingPlace, Survey, hold_of};
use crate::cluster::Cluster;
use crate::core::modes::Passes;
use crate::git::Checkout;

/// The target.
#[derive(Clone, Debug, Args)]
pub struct HeldTargetArgs {
    /// The target of trueup.yaml [default: the only one]
    #[arg(value_name = "TARGET", help_heading = WHAT, display_order = 1)]
    name: Option<String>,

    /// The same as TARGET
    #[arg(
        short,
        long,
        value_name = "NAME",
        conflicts_with = "name",
        env = "TRUEUP_TARGET",
        hide_env_values = true,
        help_heading = WHAT,
        display_order = 2,
        hide_short_help = true
    )]
    target: Option<String>,

    /// Namespace of the inventory of a target that names none
    #[arg(
        short,
        long,
        value_name = "NAME",
        env = "TRUEUP_NAMESPACE",
        hide_env_values = true,
        help_heading = WHAT,
        display_order = 6,
        hide_short_help = true
    )]
    namespace: Option<String>,
}

/// A target that is held or is to be.
pub(super) struct HeldTarget {
    pub(super) named: NamedTarget,
    checkout: Checkout,
    cluster: Cluster,
}

impl HeldTargetArgs {
    /// Finds the target and its cluster.
    ///
    /// # Errors
    ///
    /// When there is no such target, or no way to its cluster.
    pub(super) async fn open(
        self,
        access: AccessArgs,
        directory: &Path,
    ) -> Result<HeldTarget, Failure> {
        self.open_at(None, access, directory).await
    }

    /// The same with another commit than the one that the target follows.
    ///
    /// # Errors
    ///
    /// As of [`open`](Self::open), or when there is no such commit.
    pub(super) async fn open_at(
        self,
        rev: Option<String>,
        access: AccessArgs,
        directory: &Path,
    ) -> Result<HeldTarget, Failure> {
        let Self { name, target, namespace } = self;
        let mut args = TargetArgs::plain(name.or(target), namespace, access);
        args.files.rev = rev;
        let checkout = Checkout::discover(directory)?;
        let access = args.access_to(directory, &checkout)?;
        let cluster = Cluster::connect(&access).await?;
        let named = args.resolve(directory, &checkout, &cluster)?;
        Ok(HeldTarget { named, checkout, cluster })
    }
}

impl HeldTarget {
    /// The place of its inventory.
    pub(super) fn place(&self) -> HoldingPlace<'_> {
        HoldingPlace {
            target: &self.named.target,
            revision: &self.named.judged.revision,
            checkout: &self.checkout,
            cluster: &self.cluster,
        }
    }
}

/// Warns that a target is held, so that apply would refuse what is shown.
pub(super) fn warn_of_hold(session: &Session, survey: &Survey, ui: &mut Ui) {
    let NamedTarget { name, target, .. } = &session.named;
    if let Some(hold) = hold_of(survey, target, Passes::default()) {
        ui.warning(&format!("{name} is {}", hold.words()));
    }
}
