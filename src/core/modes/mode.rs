//! `mode`: whether the commits of a target are applied by themselves.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The mode of a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename_all = "lowercase")]
pub enum TargetMode {
    /// New commits are applied, and drift is put back.
    #[default]
    Enforce,
    /// Nothing is written; commits that wait and drift are reported.
    Detect,
    /// Drift is put back, and new commits wait until they are released.
    Hold,
}

impl TargetMode {
    /// Their names.
    pub const NAMES: [&str; 3] = ["enforce", "detect", "hold"];
}

impl FromStr for TargetMode {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "enforce" => Ok(Self::Enforce),
            "detect" => Ok(Self::Detect),
            "hold" => Ok(Self::Hold),
            _ => Err(()),
        }
    }
}
