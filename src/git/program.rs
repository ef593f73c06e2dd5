//! git itself, where it is installed, for the little that gix does not do.

use std::io;
use std::process::{Command, Stdio};

use super::own_programs::names_hook;

/// Variables of the environment that would point git at another repository.
const PLACES: [&str; 8] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_WORK_TREE",
];

/// The protocols of gix; git would start a program for any other that the repository names.
const PROTOCOLS: &str = "file:git:http:https:ssh";

/// A git about to be run on `repo`. It asks no questions, and runs no hook, no monitor and no other
/// program that the repository brings, besides those that it needs to reach a remote.
///
/// # Errors
///
/// When the repository names a program that git can't be kept from running.
pub(super) fn git(repo: &gix::Repository) -> io::Result<Command> {
    if let Some(key) = names_hook(repo) {
        let why = format!("the checkout's own configuration names a program for git: {key}");
        return Err(io::Error::other(why));
    }
    let mut git = Command::new("git");
    git.args(["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"])
        .args(["-c", "core.alternateRefsCommand=true"])
        .arg("--git-dir")
        .arg(repo.git_dir())
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_ALLOW_PROTOCOL", PROTOCOLS)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    PLACES.iter().for_each(|name| {
        git.env_remove(name);
    });
    Ok(git)
}
