//! The flags of a group of replicas, and what its log says of shares.

use clap::Args;

use super::WatchArgs;
use crate::app::watch::Share;
use crate::app::{Replica, ReplicaOptions};
use crate::cli::exit::Failure;
use crate::cli::headings::HOW;
use crate::cli::locking;
use crate::cli::present::round::entry::Entry;
use crate::cluster::Access;
use crate::core::log::LogEvent;
use crate::core::metrics::ShareFigures;
use crate::core::replicas::ReplicaGroup;

/// The place of a watch among others.
#[derive(Clone, Debug, Args)]
pub struct ReplicaArgs {
    /// Share the targets with the other replicas of group NAME: each target is watched by one
    ///
    /// Each replica holds a Lease of its own. The targets of one that is gone are taken over within 20 s.
    #[arg(long, value_name = "NAME", value_parser = ReplicaGroup::name, requires = "several", conflicts_with = "once", help_heading = HOW, display_order = 23, hide_short_help = true)]
    pub(super) replica_group: Option<String>,

    /// Namespace of the replicas' Leases [default: that of -n, else the context's or the pod's]
    #[arg(long, value_name = "NAME", requires = "replica_group", help_heading = HOW, display_order = 24, hide_short_help = true)]
    lease_namespace: Option<String>,
}

/// Joins the group, where one is named.
pub(super) fn join(args: &WatchArgs, access: &Access) -> Result<Option<Replica>, Failure> {
    let ReplicaArgs { replica_group, lease_namespace } = &*args.replicas;
    let Some(group) = replica_group.clone() else { return Ok(None) };
    let namespace = lease_namespace.as_ref().or(args.target.files.namespace.as_ref()).cloned();
    let options = ReplicaOptions { group, namespace, access: access.clone(), who: locking::who };
    Ok(Some(Replica::join(options)?))
}

/// Tells which share is this replica's.
pub(super) fn entry(share: &Share) -> Entry {
    let Share { group, owned, listed, members, is_member, fault } = share;
    let plural = |count: &usize| if *count == 1 { "" } else { "s" };
    match (fault, is_member) {
        (Some(fault), false) => Entry::new(
            LogEvent::Fault,
            format!("no member of replica group {group}, so nothing is watched: {fault}"),
        ),
        (Some(fault), true) => Entry::new(
            LogEvent::Warning,
            format!("the other replicas of group {group} can't be seen: {fault}"),
        ),
        (None, _) => Entry::new(
            LogEvent::Shared,
            format!(
                "{} of {listed} target{} are ours, {members} replica{}",
                owned.len(),
                plural(listed),
                plural(members)
            ),
        ),
    }
}

/// The figures of a share.
pub(super) fn figures(share: &Share) -> ShareFigures {
    let Share { owned, listed, members, is_member, .. } = share;
    ShareFigures { members: *members, is_member: *is_member, owned: owned.len(), listed: *listed }
}
