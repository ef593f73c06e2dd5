//! The refs of a remote that targets need: which the remote is asked for, and which of them are missing.

use std::collections::BTreeMap;

use gix::ObjectId;
use gix::bstr::{BString, ByteSlice};
use gix::remote::fetch::RefMap;

use crate::core::semver::Version;
use crate::core::tracking::{TagCandidate, TrackedRef};

/// The answer to one question for the checked-out branch and for the refs that targets track.
#[derive(Clone, Debug)]
pub(super) struct ListedRefs {
    /// The refspecs of the targets that it was asked with.
    pub(super) specs: Vec<BString>,
    /// The answer.
    pub(super) refs: RemoteRefs,
}

impl ListedRefs {
    /// Whether `specs` were asked for.
    pub(super) fn has_asked(&self, specs: &[BString]) -> bool {
        specs.iter().all(|spec| self.specs.contains(spec))
    }
}

/// The refs of the remote by their full names.
pub(super) type RemoteRefs = BTreeMap<String, RemoteRef>;

/// A ref of the remote.
#[derive(Clone, Copy, Debug)]
pub(super) struct RemoteRef {
    /// The object that it names: of an annotated tag, the tag.
    pub(super) target: ObjectId,
    /// The commit.
    pub(super) commit: ObjectId,
}

impl RemoteRef {
    fn is_here(&self, repo: &gix::Repository) -> bool {
        repo.has_object(self.target) && repo.has_object(self.commit)
    }
}

/// The answer of a remote.
pub(super) fn remote_refs(listed: &RefMap) -> RemoteRefs {
    listed.remote_refs.iter().filter_map(remote_ref).collect()
}

fn remote_ref(known: &gix::protocol::handshake::Ref) -> Option<(String, RemoteRef)> {
    let (name, target, peeled) = known.unpack();
    let target = target?.to_owned();
    let commit = peeled.map_or(target, ToOwned::to_owned);
    Some((name.to_str().ok()?.to_owned(), RemoteRef { target, commit }))
}

/// The refspecs that the remote is asked for. A commit is here or not.
pub(super) fn specs(tracked: &[TrackedRef]) -> Vec<BString> {
    let of = |it: &TrackedRef| match it {
        TrackedRef::Newest { prefix, .. } => {
            let tags = format!("refs/tags/{prefix}*");
            vec![format!("{tags}:{tags}")]
        }
        TrackedRef::Name(name) if name.starts_with("refs/") => vec![name.clone()],
        TrackedRef::Name(name) => vec![format!("refs/heads/{name}"), format!("refs/tags/{name}")],
    };
    let refs = tracked.iter().filter(|it| it.commit().is_none());
    let mut specs: Vec<BString> = refs.flat_map(of).map(BString::from).collect();
    specs.sort();
    specs.dedup();
    specs
}

/// The refs of the remote that the targets need: of a range, the newest tag, and the one that Flux
/// and Argo CD would take.
pub(super) fn needed(tracked: &[TrackedRef], refs: &RemoteRefs) -> Vec<String> {
    let of = |it: &TrackedRef| match it {
        TrackedRef::Newest { range, prefix } => {
            let tag = |name: &String| {
                let name = name.strip_prefix("refs/tags/")?.to_owned();
                Some(TagCandidate { name, seconds: 0 })
            };
            let tags: Vec<TagCandidate> = refs.keys().filter_map(tag).collect();
            let choice = TrackedRef::choose(range, prefix, &tags);
            let version = |name: &str| name.strip_prefix(prefix).and_then(Version::of_tag);
            let best = choice.tag.as_deref().and_then(version);
            let is_best = |tag: &&TagCandidate| {
                let version = version(&tag.name);
                version.zip(best.as_ref()).is_some_and(|(one, best)| one.cmp(best).is_eq())
            };
            let equal = tags.iter().filter(is_best).map(|tag| tag.name.clone());
            let names = equal.chain(choice.taken_elsewhere);
            names.map(|name| format!("refs/tags/{name}")).collect()
        }
        TrackedRef::Name(name) if name.starts_with("refs/") => vec![name.clone()],
        TrackedRef::Name(name) => vec![format!("refs/heads/{name}"), format!("refs/tags/{name}")],
    };
    let mut names: Vec<String> = tracked.iter().flat_map(of).collect();
    names.retain(|name| refs.contains_key(name));
    names.sort();
    names.dedup();
    names
}

/// The needed refs whose objects are not here.
pub(super) fn missing(
    tracked: &[TrackedRef],
    refs: &RemoteRefs,
    repo: &gix::Repository,
) -> Vec<BString> {
    let names = needed(tracked, refs).into_iter();
    let missing = names.filter(|name| refs.get(name).is_some_and(|it| !it.is_here(repo)));
    missing.map(BString::from).collect()
}
