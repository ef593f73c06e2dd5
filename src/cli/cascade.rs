//! `--cascade`, in kubectl's words.

use clap::ValueEnum;

use crate::core::policy::precedence::SettingLayers;
use crate::core::policy::run_options::{self, RunOptions};

/// Treatment of the objects that a deleted one owns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum CascadeArg {
    /// They go after it
    #[default]
    Background,
    /// They go before it: it is gone once they are
    Foreground,
    /// They stay
    Orphan,
}

/// Which of the flag and of what trueup.yaml says counts.
pub fn counts(flag: Option<CascadeArg>, said: &RunOptions) -> run_options::Cascade {
    let said = SettingLayers { operator: flag.map(Into::into), repository: said.cascade };
    said.counts().unwrap_or_default()
}

impl From<CascadeArg> for run_options::Cascade {
    fn from(cascade: CascadeArg) -> Self {
        match cascade {
            CascadeArg::Background => Self::Background,
            CascadeArg::Foreground => Self::Foreground,
            CascadeArg::Orphan => Self::Orphan,
        }
    }
}
