//! The search path of this process, without the elements that are not absolute. Libraries start
//! programs by their bare names too (`ssh`, credential helpers, plugins of a kubeconfig), so that
//! it is not enough to search with care: trueup starts itself again with a search path that holds
//! nothing else.

use std::ffi::OsString;

/// The variable that says which elements were taken out, for messages alone.
const SKIPPED: &str = "TRUEUP_SKIPPED_PATH";

/// The search path, with the elements that nothing is started from at its end.
#[allow(clippy::disallowed_methods, reason = "the search path is the machine's")]
pub fn path() -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    match std::env::var_os(SKIPPED) {
        Some(skipped) => {
            let all = std::env::split_paths(&path).chain(std::env::split_paths(&skipped));
            std::env::join_paths(all).unwrap_or(path)
        }
        None => path,
    }
}

/// Starts this very program again where the search path has elements that are not absolute; it
/// returns only when there are none, or with the reason why it can't.
///
/// # Errors
///
/// When this program can't be started again.
#[cfg(unix)]
#[allow(clippy::disallowed_methods, reason = "the search path is the machine's")]
pub fn without_relative_elements() -> std::io::Result<()> {
    use std::os::unix::process::CommandExt as _;

    use crate::local::search;

    let Some(path) = std::env::var_os("PATH") else { return Ok(()) };
    let skipped = search::skipped(&path);
    if skipped.is_empty() {
        return Ok(());
    }
    let mut args = std::env::args_os();
    let mut again = std::process::Command::new(std::env::current_exe()?);
    if let Some(name) = args.next() {
        again.arg0(name);
    }
    again.args(args).env(SKIPPED, std::env::join_paths(skipped).unwrap_or_default());
    match search::absolute(&path) {
        Some(path) => again.env("PATH", path),
        None => again.env_remove("PATH"),
    };
    Err(again.exec())
}
