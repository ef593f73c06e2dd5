//! `modes` of the machine's file: the mode of targets, whatever `trueup.yaml` says.

use serde::Deserialize;

use super::clusters::InvalidEntry;
use crate::core::field_rules::is_like;
use crate::core::manifest::{self, PathPart};
use crate::core::modes::TargetMode;

/// One entry of `modes`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetModes {
    /// Patterns of the targets that it is about, with `*` and `?`.
    pub targets: Vec<String>,
    /// Their mode.
    pub mode: Option<TargetMode>,
}

/// The mode of a target: the first entry that names one counts.
pub fn mode_of(entries: &[TargetModes], target: &str) -> Option<TargetMode> {
    let mut entries = entries.iter().filter(|it| it.targets.iter().any(|it| is_like(it, target)));
    entries.find_map(|entry| entry.mode)
}

/// Says what is wrong with an entry.
///
/// # Errors
///
/// When an entry is about no target, or says nothing.
pub(super) fn check(entries: &[TargetModes], bytes: &[u8]) -> Result<(), InvalidEntry> {
    for (index, entry) in entries.iter().enumerate() {
        let wrong = if entry.targets.iter().all(String::is_empty) {
            "targets: a pattern is missing; for all targets write `targets: [\"*\"]`"
        } else if entry.mode.is_none() {
            "a key is missing: mode"
        } else {
            continue;
        };
        let value = manifest::value("config.yaml", bytes).ok().flatten();
        let path = [PathPart::Key("modes"), PathPart::Index(index)];
        let at = value.and_then(|(_, positions)| positions.of_value(&path)).unwrap_or((1, 1));
        return Err(InvalidEntry { at, message: format!("modes[{index}]: {wrong}") });
    }
    Ok(())
}
