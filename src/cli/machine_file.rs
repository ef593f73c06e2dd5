//! The machine's own file, and what of it is about a target's cluster.

use std::io;
use std::path::{Path, PathBuf};

use super::exit::Failure;
use crate::app::ClusterChoice;
use crate::config::clusters::rule_of;
use crate::config::machine::{self, Machine, MachineProbe};
use crate::local::bounded_read;
use crate::local::history_log::HistoryLog;
use crate::local::watch_marks::WatchMarks;

/// The folder of this user's clusters, in that for state.
const CLUSTERS: &str = "clusters";
/// The folder with the marks of watches, in that for state.
const WATCHES: &str = "watches";
/// The folder of this machine's records, in that for state.
const HISTORY: &str = "history";

fn folders() -> Option<directories::ProjectDirs> {
    directories::ProjectDirs::from("", "", "trueup")
}

/// The folder of what is kept of earlier runs and is no cache.
pub(super) fn state_folder() -> Option<PathBuf> {
    let folders = folders()?;
    Some(folders.state_dir().unwrap_or_else(|| folders.data_local_dir()).to_owned())
}

/// The folder of what lasts as long as the user is logged in, where there is one.
pub(super) fn runtime_folder() -> Option<PathBuf> {
    folders()?.runtime_dir().map(Path::to_owned)
}

/// The folder of this machine's records.
pub(super) fn history_folder() -> Option<PathBuf> {
    Some(state_folder()?.join(HISTORY))
}

/// Where the machine's own file is, or would be.
pub(super) fn path() -> Option<PathBuf> {
    Some(folders()?.config_dir().join(machine::FILE))
}

/// The settings of the machine's own file; none where there is no such file.
///
/// # Errors
///
/// When it can't be read or used.
pub(super) fn machine() -> Result<Machine, Failure> {
    let Some(file) = path() else { return Ok(Machine::default()) };
    match bounded_read::read_regular(&file, machine::LARGEST) {
        Ok(bytes) => {
            let look = MachineProbe { is_file: &Path::is_file, exists: &Path::exists };
            Ok(Machine::read(&file, &bytes, look)?)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Machine::default()),
        Err(error) => Err(anyhow::Error::new(error).context(file.display().to_string()).into()),
    }
}

/// The marks of the watches of this machine; `None` for a user without a home.
pub(super) fn watch_marks() -> Option<WatchMarks> {
    Some(WatchMarks::new(state_folder()?.join(WATCHES)))
}

/// The log of this machine's rounds; `None` for a user without a home.
pub(super) fn history_log() -> Option<HistoryLog> {
    Some(HistoryLog::new(history_folder()?))
}

/// The sources that say which cluster the target `name` belongs to.
///
/// # Errors
///
/// When the machine's file can't be used.
pub(super) fn cluster_choice(name: &str, is_new: bool) -> Result<ClusterChoice, Failure> {
    let rule = rule_of(&machine()?.clusters, name, &path().unwrap_or_default());
    let memory = state_folder().map(|state| state.join(CLUSTERS));
    Ok(ClusterChoice { rule, by_context: None, memory, is_new })
}
