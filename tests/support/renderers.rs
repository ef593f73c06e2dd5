//! kustomize, helm and jsonnet themselves, each of one release, built once.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::LazyLock;

use super::built;
use super::command::Cmd;

/// A search path with kustomize, jsonnet and a Helm of this major version before everything else.
#[track_caller]
#[allow(clippy::disallowed_methods, reason = "git is on the user's search path")]
pub fn path(helm: &str) -> OsString {
    let folder = folder();
    let user = std::env::var_os("PATH").unwrap_or_default();
    let folders = [folder.clone(), folder.join(helm)].into_iter();
    std::env::join_paths(folders.chain(std::env::split_paths(&user))).unwrap()
}

/// The same for a command.
#[track_caller]
pub fn with(cmd: Cmd) -> Cmd {
    cmd.env("PATH", path("helm4"))
}

/// The folder that holds them.
#[track_caller]
pub fn folder() -> PathBuf {
    static FOLDER: LazyLock<Result<PathBuf, String>> = LazyLock::new(|| built::folder("renderers"));
    let folder = FOLDER.as_ref();
    folder.unwrap_or_else(|reason| panic!("no programs to render with: {reason}")).clone()
}
