//! `--cascade`, in kubectl's words.

use clap::ValueEnum;

use crate::core::policy::precedence::Said;
use crate::core::policy::run_options::{self, Conduct};

/// What becomes of the objects that a deleted one owns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Cascade {
    /// They go after it
    #[default]
    Background,
    /// They go before it: it is gone once they are
    Foreground,
    /// They stay
    Orphan,
}

/// Which of the flag and of what trueup.yaml says counts.
pub fn counts(flag: Option<Cascade>, said: &Conduct) -> run_options::Cascade {
    let said = Said { operator: flag.map(Into::into), repository: said.cascade };
    said.counts().unwrap_or_default()
}

impl From<Cascade> for run_options::Cascade {
    fn from(cascade: Cascade) -> Self {
        match cascade {
            Cascade::Background => Self::Background,
            Cascade::Foreground => Self::Foreground,
            Cascade::Orphan => Self::Orphan,
        }
    }
}
