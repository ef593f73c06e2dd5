//! The flags that say what begins a round before it is due.

use std::time::Duration;

use clap::Args;

use crate::cli::headings::HOW;
use crate::core::policy::run_options::duration;

/// The reasons for a round before it is due.
#[derive(Clone, Debug, Args)]
pub struct WakingArgs {
    /// Look at all objects in each round, instead of watching them by the Kubernetes API
    #[arg(long, help_heading = HOW, display_order = 19, hide_short_help = true)]
    pub(super) no_watch_api: bool,

    /// Time after which all objects are looked at, though no watch told of a change: 90s, 5m
    ///
    /// Not used with --no-watch-api.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration, help_heading = HOW, display_order = 20, hide_short_help = true)]
    pub(super) resync: Duration,
}
