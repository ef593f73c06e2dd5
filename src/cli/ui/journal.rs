//! Whether a stream goes to systemd's journal, which takes a level at the beginning of each line.

use crate::config::service;
use crate::core::log::Level;

/// Whether stdout goes there.
pub(super) fn has_stdout() -> bool {
    leads_there(std::io::stdout())
}

/// Whether stderr goes there.
pub(super) fn has_stderr() -> bool {
    leads_there(std::io::stderr())
}

/// A text with the level at the beginning of each of its lines.
pub(super) fn with_level(level: Level, text: &str) -> String {
    let prefix = level.journal_prefix();
    format!("{prefix}{}", text.replace('\n', &format!("\n{prefix}")))
}

// systemd is Linux's.
#[cfg(target_os = "linux")]
fn leads_there(stream: impl std::os::fd::AsFd) -> bool {
    let Some(variable) = service::journal_stream() else { return false };
    rustix::fs::fstat(stream)
        .is_ok_and(|stat| service::is_stream(&variable, stat.st_dev, stat.st_ino))
}

#[cfg(not(target_os = "linux"))]
fn leads_there<T>(_: T) -> bool {
    false
}
