//! `--max-prune`: how much of an inventory one run may delete.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How much may be deleted at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[serde(try_from = "String", into = "String")]
pub enum MaxPrune {
    /// So many objects.
    Objects(usize),
    /// So many of a hundred objects of the inventory.
    Percent(usize),
}

impl MaxPrune {
    /// How many of so many objects.
    pub fn of(self, members: usize) -> usize {
        match self {
            Self::Objects(count) => count,
            Self::Percent(percent) => members.saturating_mul(percent) / 100,
        }
    }
}

impl fmt::Display for MaxPrune {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Objects(count) => write!(f, "{count}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

impl FromStr for MaxPrune {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "invalid limit {text:?}: expected a number of objects such as 12, or a share such as 60%"
            )
        };
        match text.strip_suffix('%') {
            Some(percent) => match percent.parse() {
                Ok(percent) if percent <= 100 => Ok(Self::Percent(percent)),
                _ => Err(wrong()),
            },
            None => text.parse().map(Self::Objects).map_err(|_| wrong()),
        }
    }
}

impl TryFrom<String> for MaxPrune {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<MaxPrune> for String {
    fn from(max: MaxPrune) -> Self {
        max.to_string()
    }
}
