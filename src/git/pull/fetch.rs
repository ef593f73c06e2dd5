//! Brings the upstream's commits into the object database, and the ref that follows it up to date.
//!
//! As `git pull REMOTE BRANCH` does, it asks for the upstream's branch and for nothing else; other
//! refs stay as they are, so that a lock of one of them does not matter. What did not move is not
//! written. Tags are asked for as `remote.NAME.tagOpt` says, and where it says nothing, once new
//! commits came in that they may name.

use std::sync::atomic::AtomicBool;

use gix::ObjectId;
use gix::bstr::{BString, ByteSlice};
use gix::refspec::parse::Operation;
use gix::remote::Direction;
use gix::remote::fetch::{RefMap, Status, Tags};

use super::ls_refs::{Line, PreparedFetch};
use super::refspec::{self, SingleRefspec};
use super::remote_refs::{self, ListedRefs};
use super::transport::{self, TransportOptions};
use super::upstream::{self, Upstream};
use super::url::RemoteUrl;
use super::watchdog::{self, ActivityCounter, FetchLimits};
use super::{PullError, PullOptions, maintenance, shallow};
use crate::core::tracking::TrackedRef;
use crate::git::{Cause, Checkout};

/// The upstream's branch, fetched.
pub(super) struct FetchedBranch {
    /// The commit that it is at.
    pub(super) tip: ObjectId,
    /// The refs that targets track, where there are such targets.
    pub(super) listed: Option<ListedRefs>,
}

/// The upstream's branch, about to be fetched.
struct WantedBranch {
    upstream: Upstream,
    /// Whether the branch must not move back here.
    keeps: bool,
    /// The refspecs of the refs that targets track.
    tracked: Vec<BString>,
}

/// Fetches the upstream's branch. Where targets track refs, the remote is asked for all of them at once,
/// so that a pull that brings nothing needs one connection.
pub(super) fn fetch(
    checkout: &Checkout,
    upstream: &Upstream,
    options: &PullOptions,
) -> Result<FetchedBranch, PullError> {
    let short = upstream.merge.shorten().to_string();
    let targets = options.tracked.of(checkout).into_iter();
    let targets: Vec<TrackedRef> = targets.map(|it| it.tracks).collect();
    // A branch that a target tracks moves back only where a person allows it.
    let is_tracked = targets.iter().any(|it| match it {
        TrackedRef::Name(name) => {
            *name == short || name.strip_prefix("refs/heads/") == Some(&short)
        }
        TrackedRef::Newest { .. } => false,
    });
    let mut tracked = remote_refs::specs(&targets);
    // A ref that can't be asked for must not keep the branch back: its next commit may mend it.
    tracked.retain(|spec| gix::refspec::parse(spec.as_bstr(), Operation::Fetch).is_ok());
    let wanted = WantedBranch {
        upstream: upstream.clone(),
        keeps: is_tracked && !options.allow_rewind,
        tracked,
    };
    over_line(checkout, upstream, options, move |repo, line, stop| {
        fetch_here(repo, wanted, line, stop)
    })
}

/// Does `work` with the upstream's remote, watched for signs of life.
pub(super) fn over_line<T: Send + 'static>(
    checkout: &Checkout,
    upstream: &Upstream,
    options: &PullOptions,
    work: impl FnOnce(&gix::Repository, Line<'_, '_>, &AtomicBool) -> Result<T, FetchFailure>
    + Send
    + 'static,
) -> Result<T, PullError> {
    let url = options.url.as_deref().map(RemoteUrl::parse).transpose()?;
    let credentials = url.and_then(|url| url.credentials);
    let manner = TransportOptions::of(options, credentials);
    let words = manner.words.clone();
    let shared = checkout.shared();
    let name = upstream.remote.clone();
    let bounds = FetchLimits::of(options);
    let fetched = watchdog::watch(bounds, &options.interrupt, move |pulse, stop| {
        let mut repo = shared.to_thread_local();
        repo.committer_or_set_generic_fallback()?;
        let defaults = transport::ssh_defaults(&repo, manner.patience);
        let mut config = repo.config_snapshot_mut();
        config.append_config(&defaults, gix::config::Source::Api)?;
        config.commit()?;
        let remote = match upstream::remote(&repo, &name) {
            Some(remote) => remote?,
            // It was there a moment ago.
            None => repo.find_remote(name.as_str())?,
        };
        work(&repo, Line { remote, name: &name, manner: &manner, pulse }, stop)
    });
    match fetched {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(FetchFailure::Told(error))) => Err(*error),
        Ok(Err(FetchFailure::Transport(error))) => {
            let source = words.explain(Cause::of_transport(&error));
            Err(PullError::Fetch { url: upstream.url.clone(), source })
        }
        Err(stopped) => Err(stopped.into_error(upstream.url.clone(), bounds)),
    }
}

/// Why nothing came of a connection.
pub(super) enum FetchFailure {
    Transport(gix::Error),
    Told(Box<PullError>),
}

impl From<gix::Error> for FetchFailure {
    fn from(error: gix::Error) -> Self {
        Self::Transport(error)
    }
}

fn fetch_here(
    repo: &gix::Repository,
    wanted: WantedBranch,
    mut line: Line<'_, '_>,
    stop: &AtomicBool,
) -> Result<FetchedBranch, FetchFailure> {
    let WantedBranch { upstream, keeps, tracked } = wanted;
    let upstream = &upstream;
    let pulse = line.pulse.clone();
    let configured = line.remote.refspecs(Direction::Fetch);
    let narrow = refspec::of_branch(configured, upstream.merge.as_bstr());
    let forced = |spec: &BString| spec.strip_prefix(b"+").map_or(spec.clone(), BString::from);
    let specs: Vec<BString> = narrow
        .iter()
        .map(|narrow| if keeps { forced(&narrow.spec) } else { narrow.spec.clone() })
        .collect();
    let tags = line.remote.fetch_tags();
    let mut listed = None;
    if !tracked.is_empty() {
        let branch = BString::from(upstream.merge.as_bstr());
        let answer = line.list(&[&tracked[..], &[branch]].concat())?;
        listed = Some(ListedRefs { specs: tracked, refs: remote_refs::remote_refs(&answer) });
        if let Some(tip) = tip(&answer, upstream)
            && tags != Tags::All
            && is_here(repo, upstream, &narrow, tip)?
        {
            return Ok(FetchedBranch { tip, listed });
        }
    }
    let prepared = line.prepare(&specs)?;
    let Some(tip) = tip(prepared.ref_map(), upstream) else {
        drop(prepared);
        let branch = upstream.merge.shorten().to_string();
        return Err(FetchFailure::Told(Box::new(line.no_branch(&branch, &upstream.url)?)));
    };
    if let Some(listed) = &mut listed {
        // The branch may have moved since.
        listed.refs.extend(remote_refs::remote_refs(prepared.ref_map()));
    }
    let moved = !is_here(repo, upstream, &narrow, tip)?;
    match moved {
        true => receive(repo, prepared, pulse.clone(), stop)?,
        false => drop(prepared),
    }
    if tags == Tags::All || tags == Tags::Included && moved {
        let missing = missing_tags(repo, &line.list(&["refs/tags/*:refs/tags/*".into()])?, tags)?;
        if !missing.is_empty() {
            receive(repo, line.prepare(&missing)?, pulse, stop)?;
        }
    }
    Ok(FetchedBranch { tip, listed })
}

/// The commit that the remote says its branch is at.
fn tip(refs: &RefMap, upstream: &Upstream) -> Option<ObjectId> {
    let wanted = upstream.merge.as_bstr();
    let mapping = refs.mappings.iter().find(|mapping| mapping.remote.as_name() == Some(wanted))?;
    mapping.remote.peeled_id().map(ToOwned::to_owned)
}

/// Whether everything that follows the upstream's branch is at `tip` already.
fn is_here(
    repo: &gix::Repository,
    upstream: &Upstream,
    narrow: &[SingleRefspec],
    tip: ObjectId,
) -> Result<bool, gix::Error> {
    for followed in narrow {
        let at = match &followed.follows {
            None => upstream.commit,
            Some(name) => match repo.try_find_reference(name.as_bstr())? {
                None => None,
                Some(reference) => reference.try_id().map(gix::Id::detach),
            },
        };
        if at != Some(tip) {
            return Ok(false);
        }
    }
    Ok(repo.has_object(tip))
}

/// Takes what was prepared, and moves the refs that it is for.
pub(super) fn receive(
    repo: &gix::Repository,
    prepared: PreparedFetch<'_, '_>,
    pulse: ActivityCounter,
    stop: &AtomicBool,
) -> Result<(), gix::Error> {
    let boundary = shallow::boundary(repo)?;
    let outcome = prepared.receive(pulse, stop)?;
    shallow::drop_needless(repo, &boundary)?;
    let Status::Change { write_pack_bundle, .. } = outcome.status else { return Ok(()) };
    // gix leaves it for who is to name what came in, where no ref of its own does.
    if let Some(keep) = &write_pack_bundle.keep_path {
        std::fs::remove_file(keep).map_err(gix::Error::from_error)?;
    }
    maintenance::unpack(repo, &write_pack_bundle);
    Ok(())
}

/// The tags of the remote that are not here; unless all are wanted, those alone that name what is.
fn missing_tags(
    repo: &gix::Repository,
    refs: &RefMap,
    wanted: Tags,
) -> Result<Vec<BString>, gix::Error> {
    let mut missing = Vec::new();
    for known in &refs.remote_refs {
        let (name, target, peeled) = known.unpack();
        let Some(commit) = peeled.or(target) else { continue };
        if !name.starts_with(b"refs/tags/") || repo.try_find_reference(name)?.is_some() {
            continue;
        }
        let spec = BString::from([name.as_bytes(), name.as_bytes()].join(&b':'));
        // A name that a refspec can't have is not a tag's name either.
        let is_sound = gix::refspec::parse(spec.as_bstr(), Operation::Fetch).is_ok();
        if is_sound && (wanted == Tags::All || repo.has_object(commit)) {
            missing.push(spec);
        }
    }
    Ok(missing)
}
