//! The ref that a target tracks → its commit.
//!
//! A branch is first looked for where fetches of it go, `refs/remotes/REMOTE/NAME`: the remote says
//! what should run. A branch of this repository's own counts where nothing was fetched, as on a
//! server.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use gix::bstr::ByteSlice;

use super::revision::{parse, ref_names};
use super::tracked_fault::TrackedFault;
use super::trees::find_commit;
use super::{Checkout, Error, walk};
use crate::core::semver::{Version, VersionRange};
use crate::core::source::snapshot::{self, Revision};
use crate::core::suggest::suggest;
use crate::core::tracking::{TagCandidate, TagChoice, TrackedRef};

/// The commit of a tracked ref.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackedRevision {
    /// The commit, named by the branch or the tag that led to it.
    pub revision: Revision,
    /// The full name of the ref; `None` where a commit is tracked.
    pub name: Option<String>,
}

impl TrackedRevision {
    /// Whether a tag led to it.
    pub fn is_of_tag(&self) -> bool {
        self.name.as_ref().is_some_and(|name| name.starts_with("refs/tags/"))
    }
}

impl Checkout {
    /// The commit that `tracked` leads to.
    ///
    /// # Errors
    ///
    /// When it leads to none, or to two.
    pub fn resolve_tracked(&self, tracked: &TrackedRef) -> Result<TrackedRevision, Error> {
        let Some(named) = &self.named else { return self.look_up_tracked(tracked) };
        let mut named = named.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = named.tracked.iter().find(|(known, _)| known == tracked) {
            return Ok(known.clone());
        }
        let found = self.look_up_tracked(tracked)?;
        named.tracked.push((tracked.clone(), found.clone()));
        Ok(found)
    }

    /// The commit that `tracked` leads to where some tags do not count; `None` where none is left, or
    /// it names its ref.
    ///
    /// # Errors
    ///
    /// When the repository can't be read.
    pub fn resolve_tracked_without(
        &self,
        tracked: &TrackedRef,
        left_out: &BTreeSet<String>,
    ) -> Result<Option<TrackedRevision>, Error> {
        let TrackedRef::Newest { range, prefix } = tracked else { return Ok(None) };
        let repo = self.local();
        let mut tags = tags(&repo, prefix);
        tags.retain(|tag| !left_out.contains(&tag.name));
        let choice = self.choose(&repo, range, prefix, &tags)?;
        let tag = choice.tag.map(|tag| self.at_ref(&repo, format!("refs/tags/{tag}"), tag));
        tag.transpose()
    }

    fn look_up_tracked(&self, tracked: &TrackedRef) -> Result<TrackedRevision, Error> {
        let repo = self.local();
        if let Some(commit) = tracked.commit() {
            let id = parse(commit)?;
            let no_commit = || Error::Tracked(TrackedFault::NoCommit { commit: commit.to_owned() });
            let found = repo.find_object(id).ok().and_then(|object| object.peel_to_commit().ok());
            let id = found.ok_or_else(no_commit)?.id;
            let revision = self.describe(id, commit.to_owned())?;
            return Ok(TrackedRevision { revision, name: None });
        }
        let found = match tracked {
            TrackedRef::Name(name) => self.named(&repo, name)?,
            TrackedRef::Newest { range, prefix } => {
                let tags = tags(&repo, prefix);
                let choice = self.choose(&repo, range, prefix, &tags)?;
                let tag = choice.tag.ok_or_else(|| {
                    Error::Tracked(TrackedFault::NoTag {
                        prefix: prefix.clone(),
                        range: range.to_string(),
                        newest: newest(prefix, &tags),
                    })
                })?;
                (format!("refs/tags/{tag}"), tag)
            }
        };
        let (full, short) = found;
        self.at_ref(&repo, full, short)
    }

    /// The commit of a ref.
    fn at_ref(
        &self,
        repo: &gix::Repository,
        full: String,
        short: String,
    ) -> Result<TrackedRevision, Error> {
        let reading = || format!("`{short}`");
        let mut reference = repo.find_reference(full.as_str()).map_err(Error::read(reading()))?;
        let id = reference.peel_to_commit().map_err(Error::read(reading()))?.id;
        let revision = self.describe(id, short.clone())?;
        let revision = Revision { tracked: Some(short), ..revision };
        Ok(TrackedRevision { revision, name: Some(full) })
    }

    /// Warnings about the way that `tracked` was read: a branch of here that is ahead of the
    /// one that was fetched, and a pre-release that Flux and Argo CD take.
    ///
    /// # Errors
    ///
    /// When the repository can't be read.
    pub fn tracked_notes(&self, tracked: &TrackedRef) -> Result<Vec<String>, Error> {
        let repo = self.local();
        match tracked {
            TrackedRef::Name(_) if tracked.commit().is_some() => Ok(Vec::new()),
            TrackedRef::Newest { range, prefix } => {
                let choice = self.choose(&repo, range, prefix, &tags(&repo, prefix))?;
                let note = choice.taken_elsewhere.map(|tag| {
                    format!(
                        "{tag} is a pre-release of the first version that {range} leaves out, so it \
                         is not taken; Flux and Argo CD with Masterminds/semver 3.4.0 or newer take it"
                    )
                });
                Ok(note.into_iter().collect())
            }
            TrackedRef::Name(name) => {
                let (full, short) = self.named(&repo, name)?;
                Ok(self.ahead(&repo, &full, &short)?.into_iter().collect())
            }
        }
    }

    /// That the branch of here has commits that the fetched one lacks.
    fn ahead(
        &self,
        repo: &gix::Repository,
        full: &str,
        short: &str,
    ) -> Result<Option<String>, Error> {
        let commit = |name: &str| {
            let mut reference = repo.try_find_reference(name).ok().flatten()?;
            reference.peel_to_commit().ok().map(|commit| commit.id)
        };
        let local = format!("refs/heads/{short}");
        let (Some(local), Some(fetched)) = (commit(&local), commit(full)) else { return Ok(None) };
        if !full.starts_with("refs/remotes/") || local == fetched {
            return Ok(None);
        }
        let ahead = walk::commits(repo, local, Some(fetched))?.len();
        let fetched = fetched.to_string();
        Ok((ahead > 0).then(|| {
            let plural = if ahead == 1 { "" } else { "s" };
            format!(
                "local branch {short} has {ahead} commit{plural} that {} lacks; {} is read",
                full.trim_start_matches("refs/remotes/"),
                snapshot::short(&fetched),
            )
        }))
    }

    /// The full and the short name of the branch or the tag that is called `name`.
    fn named(&self, repo: &gix::Repository, name: &str) -> Result<(String, String), Error> {
        let is_there =
            |full: &String| repo.try_find_reference(full.as_str()).is_ok_and(|it| it.is_some());
        let of_branch = |name: &str| {
            [fetched_name(repo, name), format!("refs/heads/{name}")].into_iter().find(is_there)
        };
        let of_tag = |name: &str| Some(format!("refs/tags/{name}")).filter(is_there);
        let (found, short) =
            match (name.strip_prefix("refs/heads/"), name.strip_prefix("refs/tags/")) {
                (Some(branch), _) => (of_branch(branch), branch),
                (_, Some(tag)) => (of_tag(tag), tag),
                _ => match (of_branch(name), of_tag(name)) {
                    (Some(_), Some(_)) => {
                        return Err(Error::Tracked(TrackedFault::Ambiguous {
                            name: name.to_owned(),
                        }));
                    }
                    (branch, tag) => (branch.or(tag), name),
                },
            };
        let unknown = || {
            let near = suggest(short, ref_names(repo));
            Error::Tracked(TrackedFault::Unknown { name: name.to_owned(), near })
        };
        Ok((found.ok_or_else(unknown)?, short.to_owned()))
    }

    /// The choice among the tags. Times are read only of versions that are equal.
    fn choose(
        &self,
        repo: &gix::Repository,
        range: &VersionRange,
        prefix: &str,
        tags: &[TagCandidate],
    ) -> Result<TagChoice, Error> {
        let choice = TrackedRef::choose(range, prefix, tags);
        let version = |name: &str| name.strip_prefix(prefix).and_then(Version::of_tag);
        let Some(best) = choice.tag.as_deref().and_then(version) else { return Ok(choice) };
        let is_equal =
            |tag: &&TagCandidate| version(&tag.name).is_some_and(|it| it.cmp(&best).is_eq());
        let mut equal: Vec<TagCandidate> = tags.iter().filter(is_equal).cloned().collect();
        if equal.len() > 1 {
            for tag in &mut equal {
                tag.seconds = self.seconds_of_tag(repo, &tag.name)?;
            }
        }
        let TagChoice { tag, .. } = TrackedRef::choose(range, prefix, &equal);
        Ok(TagChoice { tag, ..choice })
    }

    fn seconds_of_tag(&self, repo: &gix::Repository, tag: &str) -> Result<i64, Error> {
        let name = format!("refs/tags/{tag}");
        let mut reference = repo.find_reference(&name).map_err(Error::read(&name))?;
        let id = reference.peel_to_id().map_err(Error::read(&name))?.detach();
        let commit = find_commit(repo, self.limits(), id)?;
        Ok(walk::seconds(&commit.data).unwrap_or_default())
    }
}

/// The tags that begin with `prefix`; their times are not read.
fn tags(repo: &gix::Repository, prefix: &str) -> Vec<TagCandidate> {
    let Ok(platform) = repo.references() else { return Vec::new() };
    let beginning = format!("refs/tags/{prefix}");
    // The iterator takes whole folders of names.
    let folder = &beginning[..=beginning.rfind('/').unwrap_or_default()];
    let Ok(all) = platform.prefixed(folder) else { return Vec::new() };
    let names = all.flatten().filter_map(|reference| {
        let name = reference.name().as_bstr().to_str().ok()?;
        name.starts_with(&beginning).then(|| name["refs/tags/".len()..].to_owned())
    });
    names.map(|name| TagCandidate { name, seconds: 0 }).collect()
}

/// The tag with the newest version of all.
fn newest(prefix: &str, tags: &[TagCandidate]) -> Option<String> {
    let versions = tags.iter().filter_map(|tag| {
        Some((tag.name.strip_prefix(prefix).and_then(Version::of_tag)?, &tag.name))
    });
    versions.max().map(|(_, name)| name.clone())
}

/// Where fetches of the branch `name` go: below the remote of the checked-out branch, else `origin`.
pub(super) fn fetched_name(repo: &gix::Repository, name: &str) -> String {
    format!("refs/remotes/{}/{name}", remote_name(repo))
}

/// The name of the remote that tracked refs are fetched from.
pub(super) fn remote_name(repo: &gix::Repository) -> String {
    let branch = repo.head().ok().and_then(|head| head.referent_name().map(ToOwned::to_owned));
    let name = branch.and_then(|branch| {
        repo.branch_remote_name(branch.shorten(), gix::remote::Direction::Fetch)
    });
    let name = name.map(|name| name.as_bstr().to_string());
    // A place has no refs of its own here.
    name.filter(|name| name != "." && !name.contains(['/', ':'])).unwrap_or_else(|| "origin".into())
}
