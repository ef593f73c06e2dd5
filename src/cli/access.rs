//! The arguments that say which cluster, and how to reach it.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::cache::cache_folder;
use super::headings::CLUSTER;
use crate::cluster::Access;
use crate::core::policy::run_options::duration_or_none;
use crate::local::state_store::StateStore;

/// How many requests may be in flight at once unless the user says.
pub const CONCURRENCY: usize = 16;

/// How to reach the cluster.
#[derive(Clone, Debug, Args)]
pub struct AccessArgs {
    /// The kubeconfig file [default: KUBECONFIG, then ~/.kube/config]
    #[arg(long, value_name = "FILE", help_heading = CLUSTER, display_order = 3, hide_short_help = true)]
    pub kubeconfig: Option<PathBuf>,

    /// The kubeconfig's context to use
    #[arg(
        long,
        value_name = "NAME",
        env = "TRUEUP_CONTEXT",
        hide_env_values = true,
        help_heading = CLUSTER,
        display_order = 1
    )]
    pub context: Option<String>,

    /// User to act as
    #[arg(long = "as", value_name = "USER", help_heading = CLUSTER, display_order = 4, hide_short_help = true)]
    pub impersonate: Option<String>,

    /// Group to act as a member of (repeatable)
    #[arg(long = "as-group", value_name = "GROUP", help_heading = CLUSTER, display_order = 5, hide_short_help = true)]
    pub impersonate_groups: Vec<String>,

    /// How long to wait for the API server to answer a request: 30s, 2m; a plain number counts
    /// seconds, and 0 waits for ever [default: 1m]
    #[arg(long, value_name = "TIME", value_parser = duration_or_none, help_heading = CLUSTER, display_order = 6, hide_short_help = true)]
    pub request_timeout: Option<Duration>,

    /// How many requests may be in flight at once
    #[arg(long, value_name = "N", default_value_t = CONCURRENCY, env = "TRUEUP_CONCURRENCY", hide_env_values = true, help_heading = CLUSTER, display_order = 7, hide_short_help = true)]
    pub concurrency: usize,
}

impl AccessArgs {
    /// The way to the cluster that the arguments name.
    pub fn access(&self) -> Access {
        Access {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
            impersonate: self.impersonate.clone(),
            impersonate_groups: self.impersonate_groups.clone(),
            concurrency: self.concurrency,
            request_timeout: self.request_timeout,
            memory: cache_folder("memory").map(StateStore::new).unwrap_or_default(),
            ..Access::default()
        }
    }
}
