//! The bodies of pushes, as far as they name a repository and refs.

use serde::Deserialize;

use super::{Push, RepositoryId};

/// The most refs of a push that are looked at.
const MOST_REFS: usize = 1000;

/// A push of GitHub, Gitea or Gogs; a tag or branch that is created has its name alone.
#[derive(Deserialize)]
struct GitHubPush {
    #[serde(rename = "ref")]
    name: String,
    ref_type: Option<String>,
    repository: GitHubRepository,
}

#[derive(Deserialize)]
struct GitHubRepository {
    clone_url: Option<String>,
    ssh_url: Option<String>,
    html_url: Option<String>,
}

pub(super) fn of_github(bytes: &[u8]) -> Option<Push> {
    let GitHubPush { name, ref_type, repository } = serde_json::from_slice(bytes).ok()?;
    let GitHubRepository { clone_url, ssh_url, html_url } = repository;
    let name = match ref_type.as_deref() {
        None => name,
        Some("tag") => format!("refs/tags/{name}"),
        Some(_) => format!("refs/heads/{name}"),
    };
    Some(push([clone_url, ssh_url, html_url], [name]))
}

#[derive(Deserialize)]
struct GitLabPush {
    #[serde(rename = "ref")]
    name: String,
    project: GitLabProject,
}

#[derive(Deserialize)]
struct GitLabProject {
    git_http_url: Option<String>,
    git_ssh_url: Option<String>,
    web_url: Option<String>,
}

pub(super) fn of_gitlab(bytes: &[u8]) -> Option<Push> {
    let GitLabPush { name, project } = serde_json::from_slice(bytes).ok()?;
    let GitLabProject { git_http_url, git_ssh_url, web_url } = project;
    Some(push([git_http_url, git_ssh_url, web_url], [name]))
}

#[derive(Deserialize)]
struct BitbucketPush {
    repository: BitbucketRepository,
    changes: Vec<BitbucketChange>,
}

#[derive(Deserialize)]
struct BitbucketRepository {
    links: BitbucketLinks,
}

#[derive(Deserialize)]
struct BitbucketLinks {
    #[serde(default)]
    clone: Vec<BitbucketLink>,
}

#[derive(Deserialize)]
struct BitbucketLink {
    href: String,
}

#[derive(Deserialize)]
struct BitbucketChange {
    #[serde(rename = "refId")]
    name: Option<String>,
    #[serde(rename = "ref")]
    moved: Option<BitbucketRef>,
}

#[derive(Deserialize)]
struct BitbucketRef {
    id: String,
}

pub(super) fn of_bitbucket(bytes: &[u8]) -> Option<Push> {
    let BitbucketPush { repository, changes } = serde_json::from_slice(bytes).ok()?;
    let clone = repository.links.clone.into_iter().map(|link| Some(link.href));
    let name = |change: BitbucketChange| change.name.or(change.moved.map(|moved| moved.id));
    Some(push(clone, changes.into_iter().filter_map(name)))
}

fn push(
    addresses: impl IntoIterator<Item = Option<String>>,
    refs: impl IntoIterator<Item = String>,
) -> Push {
    let addresses = addresses.into_iter().flatten();
    let mut repositories: Vec<RepositoryId> =
        addresses.filter_map(|address| RepositoryId::of(&address)).collect();
    repositories.dedup();
    Push { repositories, refs: refs.into_iter().take(MOST_REFS).collect() }
}
