//! `--on-conflict`: what is done about fields that other managers own with another value.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How to resolve a conflict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename_all = "lowercase")]
pub enum OnConflict {
    /// The field is taken from the other manager.
    #[default]
    Force,
    /// The object is refused.
    Fail,
    /// The field is left to the other manager.
    Yield,
}

impl OnConflict {
    /// Their names.
    pub const NAMES: [&str; 3] = ["force", "fail", "yield"];
}

impl FromStr for OnConflict {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "force" => Ok(Self::Force),
            "fail" => Ok(Self::Fail),
            "yield" => Ok(Self::Yield),
            _ => Err(()),
        }
    }
}
