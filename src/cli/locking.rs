//! `--lock-timeout` and `--on-failure`: who we are to others, for how long we wait for them, and what
//! becomes of a commit that fails.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::headings::HOW;
use super::present;
use crate::core::lease::{Candidate, Holder};
use crate::core::policy::precedence::SettingLayers;
use crate::core::policy::run_options::{self, RunOptions, duration_or_none};

/// How to get along with others who write to the same inventory, and with a commit that fails.
#[derive(Debug, Args)]
pub struct LockArgs {
    /// How long to wait for another run on the same inventory: 90s, 5m; a plain number counts
    /// seconds; 0 not to wait
    ///
    /// [default: 1m; 0 in the rounds of a watch, which then come later]
    #[arg(long, value_name = "TIME", value_parser = duration_or_none, help_heading = HOW, display_order = 13, hide_short_help = true)]
    pub lock_timeout: Option<Duration>,

    /// Action after an object could not be changed, or does not become healthy [default: stop]
    #[arg(long, value_name = "WHAT", help_heading = HOW, display_order = 11, hide_short_help = true)]
    pub on_failure: Option<OnFailureArg>,
}

/// Treatment of a commit that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnFailureArg {
    /// Leave everything as it is
    Stop,
    /// Apply the last commit that was healthy, all of it
    Rollback,
}

/// How long to wait for a lock by default; longer than one lasts that is not renewed.
pub const LOCK_TIMEOUT: Duration = Duration::from_secs(60);

impl LockArgs {
    /// Whether a commit that fails is taken back: the flag counts first, then what is said
    /// elsewhere.
    pub fn rolls_back(&self, said: &RunOptions) -> bool {
        let flag = self.on_failure.map(|on_failure| match on_failure {
            OnFailureArg::Stop => run_options::OnFailure::Stop,
            OnFailureArg::Rollback => run_options::OnFailure::Rollback,
        });
        let said = SettingLayers { operator: flag, repository: said.on_failure };
        said.counts() == Some(run_options::OnFailure::Rollback)
    }

    /// For how long another run is waited for, `usually` by default.
    pub fn patience(&self, said: &RunOptions, usually: Duration) -> Duration {
        let said = SettingLayers { operator: self.lock_timeout, repository: said.lock_timeout };
        said.counts().unwrap_or(usually)
    }
}

/// This process, as others are told of it.
pub fn who() -> Candidate {
    use std::hash::{BuildHasher as _, RandomState};
    let pid = std::process::id();
    let mark = format!("{:016x}", RandomState::new().hash_one(pid));
    Candidate { user: user(), host: host(), pid, mark }
}

#[allow(clippy::disallowed_methods, reason = "who runs this is the system's to say")]
fn user() -> String {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let user = set("USER").or_else(|| set("LOGNAME")).or_else(|| set("USERNAME"));
    user.unwrap_or_else(nameless)
}

/// Whoever runs this without a name in the environment, as under a bare cron.
fn nameless() -> String {
    #[cfg(unix)]
    return format!("uid-{}", rustix::process::getuid().as_raw());
    #[cfg(not(unix))]
    "unknown".to_owned()
}

#[cfg(unix)]
fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
#[allow(clippy::disallowed_methods, reason = "where this runs is the system's to say")]
fn host() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_else(|_| "localhost".to_owned())
}

/// `waits up to 1m for user@host (pid 123), who applies 4f2c1a9 since 40s`
pub fn waits_for(holder: &Holder, timeout: Duration) -> String {
    let since = match holder.held.as_secs() {
        0 => String::new(),
        _ => format!(" since {}", present::waiting::span(holder.held)),
    };
    format!("waits up to {} for {holder}{since}", present::waiting::span(timeout))
}
