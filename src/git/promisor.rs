//! Blobs that a partial clone left at its remote. git brings in what is missing of them when it is
//! read, and so it does here, all at once.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::Stdio;

use gix::ObjectId;

use super::program::git;
use super::{Cause, Error};

/// Brings in those of `wanted` that a partial clone left at its remote. Any other repository is left
/// as it is.
///
/// # Errors
///
/// When git is not here, or does not get them.
pub(super) fn bring(
    repo: &gix::Repository,
    wanted: impl IntoIterator<Item = ObjectId>,
) -> Result<(), Error> {
    let Some(remote) = promisor(repo) else { return Ok(()) };
    let missing: BTreeSet<ObjectId> =
        wanted.into_iter().filter(|id| !repo.has_object(*id)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    fetch(repo, &remote, &missing).map_err(|source| {
        let (objects, remote) = (missing.len(), remote.clone());
        Error::Promised { objects, remote, source: Cause::from(source) }
    })
}

/// Those that are here: without those that a partial clone left at its remote.
pub(super) fn at_hand<T>(
    repo: &gix::Repository,
    mut wanted: Vec<T>,
    id: impl Fn(&T) -> ObjectId,
) -> Vec<T> {
    if promisor(repo).is_some() {
        wanted.retain(|one| repo.has_object(id(one)));
    }
    wanted
}

/// The remote that promised to keep what a partial clone leaves out.
fn promisor(repo: &gix::Repository) -> Option<String> {
    let config = repo.config_snapshot();
    if let Some(remote) = config.string("extensions.partialClone") {
        return Some(remote.to_string());
    }
    let mut names = repo.remote_names().into_iter().map(|name| name.to_string());
    names.find(|name| config.boolean(format!("remote.{name}.promisor").as_str()) == Some(true))
}

/// As git itself fetches what is missing (git's `promisor-remote.c`).
fn fetch(
    repo: &gix::Repository,
    remote: &str,
    missing: &BTreeSet<ObjectId>,
) -> std::io::Result<()> {
    let mut child = git(repo)?
        .args(["-c", "fetch.negotiationAlgorithm=noop", "-c", "maintenance.auto=false", "fetch"])
        .args(["--quiet", "--no-tags", "--no-write-fetch-head", "--recurse-submodules=no"])
        .args(["--upload-pack=git-upload-pack", "--filter=blob:none", "--stdin", "--", remote])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let ids: String = missing.iter().map(|id| format!("{id}\n")).collect();
    // A child that ends early says why.
    let written = child.stdin.take().map_or(Ok(()), |mut input| input.write_all(ids.as_bytes()));
    let output = child.wait_with_output()?;
    match output.status.success() {
        true => written,
        false => {
            let said = String::from_utf8_lossy(&output.stderr);
            let said = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("git fetch");
            Err(std::io::Error::other(said.to_owned()))
        }
    }
}
