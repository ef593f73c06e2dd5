//! Brings the upstream's commits into the object database, and its refs up to date.

use gix::ObjectId;
use gix::bstr::{BStr, ByteSlice};
use gix::remote::{Direction, fetch::RefMap, ref_map};

use super::transport::{self, Manner};
use super::upstream::Upstream;
use super::url::RemoteUrl;
use super::watchdog::{self, Bounds, Pulse};
use super::{PullError, PullOptions};
use crate::git::{Cause, Checkout};

/// Fetches as `git fetch` would, and says which commit the upstream is at.
pub(super) fn fetch(
    checkout: &Checkout,
    upstream: &Upstream,
    options: &PullOptions,
) -> Result<ObjectId, PullError> {
    let url = options.url.as_deref().map(RemoteUrl::parse).transpose()?;
    let credentials = url.and_then(|url| url.credentials);
    let manner = Manner::of(options, credentials);
    let words = manner.words.clone();
    let shared = checkout.shared();
    let wanted = upstream.clone();
    let bounds = Bounds::of(options);
    let fetched = watchdog::watch(bounds, &options.interrupt, move |pulse, stop| {
        let mut repo = shared.to_thread_local();
        fetch_here(&mut repo, &wanted, &manner, pulse, stop)
    });
    match fetched {
        Ok(Ok(tip)) => Ok(tip),
        Ok(Err(Failed::Told(error))) => Err(*error),
        Ok(Err(Failed::Transport(error))) => {
            let source = words.explain(Cause::from(error));
            Err(PullError::Fetch { url: upstream.url.clone(), source })
        }
        Err(stopped) => Err(stopped.into_error(upstream.url.clone(), bounds)),
    }
}

enum Failed {
    Transport(gix::Error),
    Told(Box<PullError>),
}

impl From<gix::Error> for Failed {
    fn from(error: gix::Error) -> Self {
        Self::Transport(error)
    }
}

fn fetch_here(
    repo: &mut gix::Repository,
    upstream: &Upstream,
    manner: &Manner,
    mut pulse: Pulse,
    stop: &std::sync::atomic::AtomicBool,
) -> Result<ObjectId, Failed> {
    repo.committer_or_set_generic_fallback()?;
    let defaults = transport::ssh_defaults(repo, manner.patience);
    let mut config = repo.config_snapshot_mut();
    config.append_config(&defaults, gix::config::Source::Api)?;
    config.commit()?;
    let remote = repo.find_remote(upstream.remote.as_str())?;
    let mut connection = remote.connect(Direction::Fetch)?;
    transport::prepare(&mut connection, Some(BStr::new(&upstream.remote)), manner, &pulse)?;
    // The configured refspecs may leave the branch out, as they do in a bare clone.
    let branch =
        gix::refspec::parse(upstream.merge.as_bstr(), gix::refspec::parse::Operation::Fetch)?;
    let refs = ref_map::Options { extra_refspecs: vec![branch.to_owned()], ..Default::default() };
    let prepared = connection.prepare_fetch(&mut pulse, refs)?;
    let tip = tip(prepared.ref_map(), upstream).map_err(|error| Failed::Told(Box::new(error)))?;
    prepared.receive(&mut pulse, stop)?;
    Ok(tip)
}

/// The commit that the remote says its branch is at.
fn tip(refs: &RefMap, upstream: &Upstream) -> Result<ObjectId, PullError> {
    let wanted = upstream.merge.as_bstr();
    let mapping = refs.mappings.iter().find(|mapping| mapping.remote.as_name() == Some(wanted));
    if let Some(id) = mapping.and_then(|mapping| mapping.remote.peeled_id()) {
        return Ok(id.to_owned());
    }
    let url = upstream.url.clone();
    let branches = refs.remote_refs.iter().filter_map(|known| {
        let (name, _, _) = known.unpack();
        name.strip_prefix(b"refs/heads/").map(|name| name.to_str_lossy().into_owned())
    });
    let mut others: Vec<String> = branches.collect();
    if others.is_empty() {
        return Err(PullError::EmptyRemote { url });
    }
    let branch = upstream.merge.shorten().to_string();
    let near = crate::near::near(&branch, others.iter().cloned());
    if !near.is_empty() {
        others = near;
    }
    others.truncate(5);
    Err(PullError::BranchGone { branch, url, others })
}
