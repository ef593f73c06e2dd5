//! Which branch is pulled, and what it follows.

use gix::ObjectId;
use gix::bstr::{BStr, BString};
use gix::remote::Direction;
use gix::url::Scheme;

use super::refspec;
use super::url::{RemoteUrl, display, refuse_options};
use super::{PullError, PullOptions};
use crate::git::Error;

/// The branch that is checked out, and the remote's branch that it follows.
#[derive(Clone, Debug)]
pub(super) struct Upstream {
    /// The local branch, in full.
    pub(super) branch: gix::refs::FullName,
    /// Its commit, if it has any.
    pub(super) commit: Option<ObjectId>,
    /// The remote's name.
    pub(super) remote: String,
    /// The remote's URL, without credentials.
    pub(super) url: String,
    /// The remote's branch, in full.
    pub(super) merge: gix::refs::FullName,
}

impl Upstream {
    /// The upstream of the branch that `HEAD` is on: the one configured for it, else the branch of
    /// the same name on `origin`.
    pub(super) fn of(repo: &gix::Repository, options: &PullOptions) -> Result<Self, PullError> {
        let head = repo.head().map_err(Error::read("HEAD"))?;
        let Some(branch) = head.referent_name().map(ToOwned::to_owned) else {
            let commit = head.id().map(|id| id.to_string()).unwrap_or_default();
            return Err(PullError::Detached { commit });
        };
        let commit = commit_of(repo, &branch)?;
        let short = branch.shorten().to_string();
        let name = repo.branch_remote_name(branch.shorten(), Direction::Fetch);
        let name = name.map_or_else(|| "origin".to_owned(), |name| name.as_bstr().to_string());
        if let Some(wanted) = options.branch.as_ref().filter(|wanted| **wanted != short) {
            let unfetched = is_unfetched(repo, &name, wanted).then_some(name);
            return Err(PullError::OtherBranch { has: short, wanted: wanted.clone(), unfetched });
        }
        // A branch may follow another of this repository, whose remote is called `.`.
        let missing = if name == "." { "origin".to_owned() } else { name.clone() };
        let no_remote = || PullError::NoRemote { branch: short.clone(), remote: missing };
        let Some(remote) = remote(repo, &name) else { return Err(no_remote()) };
        let remote =
            remote.map_err(Error::read(format!("the configuration of remote `{name}`")))?;
        let url = remote.url(Direction::Fetch).ok_or_else(no_remote)?;
        refuse_options(url)?;
        if let Some(wanted) = &options.url {
            same_remote(repo, &name, url, wanted)?;
        }
        let merge = match repo.branch_remote_ref_name(branch.as_ref(), Direction::Fetch) {
            Some(merge) => merge.map_err(Error::read(format!("branch.{short}.merge")))?,
            None => branch.clone(),
        };
        Ok(Self { branch, commit, remote: name, url: display(url), merge })
    }

    /// The local branch as people name it.
    pub(super) fn short_name(&self) -> String {
        self.branch.shorten().to_string()
    }

    /// The upstream as git's commands name it.
    pub(super) fn tracking_name(&self) -> String {
        format!("{}/{}", self.remote, self.merge.shorten())
    }
}

/// The remote that the configuration calls `name`, or the repository that is at this URL or path.
pub(super) fn remote<'repo>(
    repo: &'repo gix::Repository,
    name: &str,
) -> Option<gix::Result<gix::Remote<'repo>>> {
    let is_place = name != "." && name.contains(['/', ':']);
    let found =
        repo.try_find_remote(name).or_else(|| is_place.then(|| repo.remote_at(BStr::new(name))))?;
    Some(found.and_then(|remote| complete(repo, remote)))
}

/// The remote with the whole path of a repository on this machine: as with git, `.git` may be left out
/// (git's `path.c`, `enter_repo`).
fn complete<'repo>(
    repo: &'repo gix::Repository,
    remote: gix::Remote<'repo>,
) -> gix::Result<gix::Remote<'repo>> {
    let Some(url) = remote.url(Direction::Fetch).filter(|url| url.scheme == Scheme::File) else {
        return Ok(remote);
    };
    let mut url = url.clone();
    url.canonicalize(repo.workdir().unwrap_or(repo.git_dir()))?;
    let at = |path: &BStr| gix::path::from_bstr(path).is_ok_and(|path| path.is_dir());
    let mut whole = url.path.clone();
    whole.extend_from_slice(b".git");
    if at(url.path.as_ref()) || !at(whole.as_ref()) {
        return Ok(remote);
    }
    url.path = whole;
    let specs = remote.refspecs(Direction::Fetch).iter();
    let specs: Vec<BString> = specs.map(|spec| spec.to_ref().to_bstring()).collect();
    let mut complete = repo.remote_at(url)?.with_fetch_tags(remote.fetch_tags());
    complete.replace_refspecs(&specs, Direction::Fetch)?;
    Ok(complete)
}

/// The commit of `branch`, if it has any.
pub(super) fn commit_of(
    repo: &gix::Repository,
    branch: &gix::refs::FullName,
) -> Result<Option<ObjectId>, Error> {
    let reading = || format!("branch `{}`", branch.shorten());
    let reference = repo.try_find_reference(branch.as_ref()).map_err(Error::read(reading()))?;
    let Some(mut reference) = reference else { return Ok(None) };
    let commit = reference.peel_to_commit().map_err(Error::read(reading()))?;
    Ok(Some(commit.id))
}

/// Whether `branch` is not here, and fetching from `remote` does not bring it either.
fn is_unfetched(repo: &gix::Repository, remote: &str, branch: &str) -> bool {
    let name = format!("refs/heads/{branch}");
    if repo.find_reference(&name).is_ok() {
        return false;
    }
    let Ok(remote) = repo.find_remote(remote) else { return false };
    let narrow = refspec::of_branch(remote.refspecs(Direction::Fetch), BStr::new(&name));
    narrow.iter().all(|narrow| narrow.follows.is_none())
}

/// Refuses a checkout of another repository.
fn same_remote(
    repo: &gix::Repository,
    name: &str,
    url: &gix::Url,
    wanted: &str,
) -> Result<(), PullError> {
    let wanted = RemoteUrl::parse(wanted)?;
    let root = repo.workdir().unwrap_or(repo.git_dir());
    let written = repo.config_snapshot().string(format!("remote.{name}.url").as_str());
    // `url` is what insteadOf made of what is written.
    if written.is_some_and(|written| wanted.is_same_as(written.as_ref(), root))
        || wanted.is_same_as(url.to_bstring().as_ref(), root)
    {
        return Ok(());
    }
    let directory = root.to_owned();
    Err(PullError::OtherRemote { directory, has: display(url), wanted: wanted.text() })
}
