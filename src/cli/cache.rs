//! The folder for what can be had again.

use std::path::PathBuf;

/// A folder of trueup's own for what can be had again; `None` for a user without a home.
pub(super) fn cache_folder(name: &str) -> Option<PathBuf> {
    let folders = directories::ProjectDirs::from("", "", "trueup")?;
    Some(folders.cache_dir().join(name))
}
