//! `pull`: the remote's new commits → the branch, its index and its work tree.
//!
//! It only ever fast-forwards, never touches local work, and can be killed at any instant: files
//! come first, then the index, then the branch, and a file that already is what the update would
//! write is accepted, so that the next pull finishes the job. A repository that is not there yet is
//! `clone`'s; `upstream` says which branch of which remote, `fetch` brings its commits,
//! `fast_forward` moves the branch, `lock` keeps two pulls apart and cleans up after a killed one.

mod branch_choice;
mod clone;
mod credentials;
mod encoding;
mod error;
mod fast_forward;
mod fetch;
mod fetch_hint;
mod http_transport;
mod known_tips;
mod lock;
mod ls_refs;
mod maintenance;
mod netrc;
mod obstacles;
mod paths;
mod program_transport;
mod prompt;
mod proxy;
mod refspec;
mod remote_messages;
mod remote_refs;
mod session;
mod settings;
mod shallow;
#[cfg(unix)]
mod shared_repository;
mod sparse;
mod staging;
mod tracked;
mod traffic;
mod transport;
mod tree;
mod update;
mod upstream;
mod url;
mod watchdog;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gix::ObjectId;
use serde::Serialize;

pub use error::{Obstacle, PullError, WhyObstacle};
pub use tracked::{MovedTarget, RefusedRef, TrackedRefs, TrackingTarget};
pub use traffic::{Traffic, TrafficCount};

use super::trees::Trees;
use super::{Checkout, Error, RepositoryLimits, quarantine, walk};
use fast_forward::Relation;
use fetch::FetchedBranch;
use known_tips::KnownTips;
use lock::PullLock;
use remote_refs::ListedRefs;
use upstream::Upstream;

/// The source and the destination of a pull.
#[derive(Clone, Debug)]
pub struct PullOptions {
    /// A folder in the checkout, or the folder to clone into.
    pub directory: PathBuf,
    /// The remote that the checkout must be of; cloned from when there is no checkout yet.
    pub url: Option<String>,
    /// The branch that must be checked out; the one to check out when cloning.
    pub branch: Option<String>,
    /// Whether to clone without a work tree.
    pub bare: bool,
    /// How long the network may be silent.
    pub timeout: Duration,
    /// Becomes true when the user wants it to stop.
    pub interrupt: Arc<AtomicBool>,
    /// How much is read, and taken from the network.
    pub limits: RepositoryLimits,
    /// Warnings while the pull goes on.
    pub warnings: Warnings,
    /// The count of what it costs the remote.
    pub traffic: Traffic,
    /// The refs that targets track.
    pub tracked: TrackedRefs,
    /// Whether a tracked branch may lose commits, and a tracked tag may move or go.
    pub allow_rewind: bool,
}

/// Warnings of a pull, each once. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Warnings(Arc<Mutex<Vec<String>>>);

impl Warnings {
    /// Warnings since the last time.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, warning: String) {
        let mut warnings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
}

/// The result of a pull.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "pulled"))]
pub struct Pulled {
    /// The branch's short name.
    pub branch: String,
    /// The commit that the branch was at, if it had one.
    pub before: Option<String>,
    /// The commit that the branch is at now.
    pub after: String,
    /// How many commits came in.
    pub commits: usize,
    /// How many people wrote them.
    pub authors: usize,
    /// How many files differ.
    pub files: usize,
    /// How many commits the branch has that its upstream has not.
    pub ahead: usize,
    /// Whether the checkout was made by this pull.
    pub cloned: bool,
    /// The targets that track a ref, and whose commit moved.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, schemars(default))]
    pub tracked: Vec<MovedTarget>,
    /// The tracked refs that stay as they are here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, schemars(default))]
    pub refused: Vec<RefusedRef>,
}

impl Pulled {
    /// Whether the branch already had everything, and no target moved.
    pub fn is_up_to_date(&self) -> bool {
        !self.has_moved() && self.tracked.is_empty()
    }

    /// Whether the checked-out branch moved.
    pub fn has_moved(&self) -> bool {
        self.before.as_deref() != Some(&self.after)
    }
}

/// The remote that a checkout is pulled from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullSource {
    /// Its URL, without credentials.
    pub url: String,
    /// Its branch, by the short name.
    pub branch: String,
}

/// The remote that the checked-out branch follows.
///
/// # Errors
///
/// When there is none, or no branch is checked out.
pub fn source(checkout: &Checkout) -> Result<PullSource, PullError> {
    let options = PullOptions {
        directory: checkout.root().to_owned(),
        url: None,
        branch: None,
        bare: false,
        allow_rewind: false,
        timeout: Duration::ZERO,
        interrupt: Arc::default(),
        limits: checkout.limits().clone(),
        warnings: Warnings::default(),
        traffic: Traffic::default(),
        tracked: TrackedRefs::default(),
    };
    let upstream = Upstream::of(&checkout.local(), &options)?;
    Ok(PullSource { branch: upstream.merge.shorten().to_string(), url: upstream.url })
}

/// Fetches and fast-forwards; clones first if there is nothing yet. Blocks.
///
/// # Errors
///
/// When the remote can't be read, the branch can't be fast-forwarded, or local work is in the way.
pub fn pull(options: &PullOptions) -> Result<Pulled, PullError> {
    if quarantine::is_active() {
        return Err(PullError::Quarantined);
    }
    let (mut pulled, listed) = pull_branch(options)?;
    let limits = options.limits.for_pull();
    let checkout = Checkout::discover_within(&options.directory, &limits)?;
    let fetched = tracked::fetch(&checkout, options, listed, &mut pulled);
    if fetched.is_err() || !pulled.tracked.is_empty() {
        share(&checkout.local());
    }
    fetched?;
    Ok(pulled)
}

/// A pull of the branch, and the refs that the remote listed for targets meanwhile.
type PulledBranch = (Pulled, Option<ListedRefs>);

/// Brings the checked-out branch up to its upstream, after it was cloned where it is not there yet.
fn pull_branch(options: &PullOptions) -> Result<PulledBranch, PullError> {
    match &options.url {
        Some(url) => match clone::clone_unless_there(options, url)? {
            clone::CloneOutcome::Cloned(pulled) => {
                let limits = options.limits.for_pull();
                share(&Checkout::discover_within(&options.directory, &limits)?.local());
                Ok((pulled, None))
            }
            clone::CloneOutcome::There(checkout) => update(&checkout, options),
        },
        None => {
            let limits = options.limits.for_pull();
            update(&Checkout::discover_within(&options.directory, &limits)?, options)
        }
    }
}

/// Brings a checkout that is there up to its upstream.
fn update(checkout: &Checkout, options: &PullOptions) -> Result<PulledBranch, PullError> {
    let repo = checkout.local();
    let _lock = PullLock::take(&repo, options)?;
    let updated = update_locked(checkout, options);
    // Fetched objects stay, whatever else went wrong.
    share(&repo);
    if !updated.as_ref().is_ok_and(|(pulled, _)| pulled.is_up_to_date()) {
        maintenance::maintain(&repo);
    }
    updated
}

fn update_locked(checkout: &Checkout, options: &PullOptions) -> Result<PulledBranch, PullError> {
    let repo = checkout.local();
    let upstream = Upstream::of(&repo, options)?;
    let before = upstream.commit;
    fast_forward::finish(checkout, &upstream.branch, before)?;
    let known = KnownTips::of(&repo, &upstream);
    let FetchedBranch { tip, listed } = fetch::fetch(checkout, &upstream, options)?;
    // Before anything moves to it. What a bare repository's refspecs moved is refused all the same.
    if before != Some(tip) || checkout.is_bare() {
        Trees::of(&repo, checkout.limits(), tip)?.inspect()?;
    }
    // A bare repository's refspecs may have moved the branch already.
    let now = upstream::commit_of(&repo, &upstream.branch)?;
    let relation = fast_forward::relation(&repo, now, tip)?;
    // Where the branch is what the remote had, the commits that the remote lacks are not of here.
    let forced = now.filter(|now| relation.lacks() > 0 && known.contains(*now));
    if let Some(from) = forced.filter(|_| !checkout.is_bare()) {
        if !options.allow_rewind {
            return Err(PullError::ForcePushed {
                branch: upstream.short_name(),
                upstream: upstream.tracking_name(),
                from: text(from),
                to: text(tip),
                lost: relation.lacks(),
            });
        }
        fast_forward::fast_forward(checkout, &upstream.branch, now, tip)?;
        let files = fast_forward::count_files(checkout, before, tip)?;
        let (commits, authors) = newcomers(&repo, before, tip)?;
        let before = before.map(text);
        let pulled = Pulled { before, files, commits, authors, ..unchanged(&upstream, tip, 0) };
        return Ok((pulled, listed));
    }
    let files = match relation {
        Relation::Same => fast_forward::count_files(checkout, before, tip)?,
        Relation::Ahead { by } => {
            return Ok((unchanged(&upstream, now.unwrap_or(tip), by), listed));
        }
        Relation::Diverged { ahead, behind } => {
            let (branch, upstream) = (upstream.short_name(), upstream.tracking_name());
            return Err(PullError::Diverged { branch, upstream, ahead, behind });
        }
        Relation::Behind => {
            fast_forward::fast_forward(checkout, &upstream.branch, now, tip)?;
            fast_forward::count_files(checkout, before, tip)?
        }
    };
    let (commits, authors) = newcomers(&repo, before, tip)?;
    let before = before.map(text);
    let pulled = Pulled { before, files, commits, authors, ..unchanged(&upstream, tip, 0) };
    Ok((pulled, listed))
}

/// Lets others read what was written, as far as git would.
fn share(repo: &gix::Repository) {
    #[cfg(unix)]
    shared_repository::share(repo);
    #[cfg(not(unix))]
    let _ = repo;
}

fn unchanged(upstream: &Upstream, at: ObjectId, ahead: usize) -> Pulled {
    Pulled {
        branch: upstream.short_name(),
        before: Some(text(at)),
        after: text(at),
        commits: 0,
        authors: 0,
        files: 0,
        ahead,
        cloned: false,
        tracked: Vec::new(),
        refused: Vec::new(),
    }
}

fn text(id: ObjectId) -> String {
    id.to_string()
}

/// How many commits `tip` has that `before` has not, and how many people wrote them.
fn newcomers(
    repo: &gix::Repository,
    before: Option<ObjectId>,
    tip: ObjectId,
) -> Result<(usize, usize), Error> {
    let commits = walk::commits(repo, tip, before)?;
    let mut people = HashSet::new();
    for id in &commits {
        let commit = repo.find_commit(*id).map_err(Error::read(format!("commit {id}")))?;
        people.insert(walk::author(&commit.data).identity);
    }
    Ok((commits.len(), people.len()))
}
