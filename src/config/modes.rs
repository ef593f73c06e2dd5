//! `modes` of the machine's file: the mode and the windows of targets, whatever `trueup.yaml` says.

use serde::Deserialize;

use super::clusters::InvalidEntry;
use crate::core::field_rules::is_like;
use crate::core::manifest::{self, PathPart};
use crate::core::modes::TargetMode;
use crate::core::modes::windows::{Window, first_fault};

/// One entry of `modes`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetModes {
    /// Patterns of the targets that it is about, with `*` and `?`.
    pub targets: Vec<String>,
    /// Their mode.
    pub mode: Option<TargetMode>,
    /// Their windows.
    pub windows: Option<Vec<Window>>,
}

/// The mode of a target: the first entry that names one counts.
pub fn mode_of(entries: &[TargetModes], target: &str) -> Option<TargetMode> {
    let mut entries = entries.iter().filter(|it| it.targets.iter().any(|it| is_like(it, target)));
    entries.find_map(|entry| entry.mode)
}

/// The windows of a target: the first entry that names any counts.
pub fn windows_of<'a>(entries: &'a [TargetModes], target: &str) -> Option<&'a [Window]> {
    let mut entries = entries.iter().filter(|it| it.targets.iter().any(|it| is_like(it, target)));
    entries.find_map(|entry| entry.windows.as_deref())
}

/// Says what is wrong with an entry.
///
/// # Errors
///
/// When an entry is about no target, or says nothing.
pub(super) fn check(entries: &[TargetModes], bytes: &[u8]) -> Result<(), InvalidEntry> {
    for (index, entry) in entries.iter().enumerate() {
        let mut path = vec![PathPart::Key("modes"), PathPart::Index(index)];
        let of_window = entry.windows.as_deref().and_then(first_fault);
        let wrong = if entry.targets.iter().all(String::is_empty) {
            "targets: a pattern is missing; for all targets write `targets: [\"*\"]`".to_owned()
        } else if entry.mode.is_none() && entry.windows.is_none() {
            "a key is missing: mode or windows".to_owned()
        } else if let Some((place, wrong)) = of_window {
            path.extend([PathPart::Key("windows"), PathPart::Index(place)]);
            format!("windows[{place}]: {wrong}")
        } else {
            continue;
        };
        let value = manifest::value("config.yaml", bytes).ok().flatten();
        let at = value.and_then(|(_, positions)| positions.of_value(&path)).unwrap_or((1, 1));
        return Err(InvalidEntry { at, message: format!("modes[{index}]: {wrong}") });
    }
    Ok(())
}
