//! Brings in the refs that targets track, after the branch that is checked out.
//!
//! The remote is asked for those refs alone, and objects are fetched only where one of them moved.
//! Nothing of here moves back. A branch that was force-pushed, a tag that moved and a ref that is gone
//! are refused, each by itself. The target stays where it is until a person allows it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use gix::ObjectId;
use gix::refs::FullName;
use gix::refs::transaction::{Change, LogChange, PreviousValue, RefEdit, RefLog};
use serde::Serialize;

use super::fast_forward::{Relation, relation};
use super::fetch::{FetchFailure, over_line, receive};
use super::lock::PullLock;
use super::ls_refs::Line;
use super::remote_refs::{ListedRefs, RemoteRef, RemoteRefs, missing, needed, remote_refs, specs};
use super::upstream::Upstream;
use super::{PullError, PullOptions, Pulled};
use crate::core::source::snapshot::short;
use crate::core::tracking::TrackedRef;
use crate::git::tracked::fetched_name;
use crate::git::trees::Trees;
use crate::git::{Checkout, Error, TrackedRevision, walk};

/// A target, and what it tracks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackingTarget {
    /// The name of the target.
    pub target: String,
    /// The ref.
    pub tracks: TrackedRef,
}

/// The function that reads the targets of a checkout.
type ReadTargets = dyn Fn(&Checkout) -> Vec<TrackingTarget> + Send + Sync;

/// Says which targets track a ref, once the checked-out branch has moved.
#[derive(Clone, Default)]
pub struct TrackedRefs(Option<Arc<ReadTargets>>);

impl TrackedRefs {
    /// Those that `read` finds.
    pub fn new(read: impl Fn(&Checkout) -> Vec<TrackingTarget> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(read)))
    }

    /// The targets of a checkout.
    pub fn of(&self, checkout: &Checkout) -> Vec<TrackingTarget> {
        self.0.as_ref().map(|read| read(checkout)).unwrap_or_default()
    }
}

impl fmt::Debug for TrackedRefs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TrackedRefs").field(&self.0.is_some()).finish()
    }
}

/// A target whose commit moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "moved_target"))]
pub struct MovedTarget {
    /// The name of the target.
    pub target: String,
    /// The branch or the tag that it was at, if it was at any.
    pub from: Option<String>,
    /// The branch or the tag that it is at now.
    pub to: String,
    /// The commit that it was at, if it was at any.
    pub before: Option<String>,
    /// The commit that it is at now.
    pub after: String,
    /// How many commits came in.
    pub commits: usize,
}

/// A ref that stays as it is here, against the remote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "refused_ref"))]
pub struct RefusedRef {
    /// The targets that track it.
    pub targets: Vec<String>,
    /// Why it stays.
    pub message: String,
    /// The remedy.
    pub hint: String,
}

/// Fetches what the targets need, and adds to `pulled` what moved and what was refused. The remote is not
/// asked again where the pull of the branch has `listed` their refs.
///
/// # Errors
///
/// When the remote can't be read, or nothing can be written.
pub(super) fn fetch(
    checkout: &Checkout,
    options: &PullOptions,
    listed: Option<ListedRefs>,
    pulled: &mut Pulled,
) -> Result<(), PullError> {
    let mut targets = options.tracked.of(checkout);
    targets.retain(|it| it.tracks.commit().is_none());
    if targets.is_empty() {
        return Ok(());
    }
    let mut repo = checkout.local();
    let _lock = PullLock::take(&repo, options)?;
    let upstream = Upstream::of(&repo, options)?;
    let at = |it: &TrackingTarget| checkout.resolve_tracked(&it.tracks).ok();
    let before: Vec<Option<TrackedRevision>> = targets.iter().map(at).collect();
    // The checked-out branch may have brought another trueup.yaml.
    let wanted: Vec<TrackedRef> = targets.iter().map(|it| it.tracks.clone()).collect();
    let listed = listed.filter(|it| it.has_asked(&specs(&wanted))).map(|it| it.refs);
    let refs = match listed {
        Some(refs) if missing(&wanted, &refs, &repo).is_empty() => refs,
        listed => over_line(checkout, &upstream, options, move |repo, line, stop| {
            bring(repo, line, stop, &wanted, listed)
        })?,
    };
    repo.committer_or_set_generic_fallback().map_err(Error::read("the configuration"))?;
    let taker = Taker { checkout, repo: &repo, url: &upstream.url, options, refs: &refs };
    let mut refused: BTreeMap<String, RefusedRef> = BTreeMap::new();
    for (target, before) in targets.iter().zip(&before) {
        for refusal in taker.take(target, before.as_ref())? {
            let known = refused
                .entry(refusal.message.clone())
                .or_insert(RefusedRef { targets: Vec::new(), ..refusal });
            known.targets.push(target.target.clone());
        }
    }
    pulled.refused = refused.into_values().collect();
    for (target, before) in targets.iter().zip(before) {
        let Some(now) = at(target) else { continue };
        if before.as_ref() != Some(&now) {
            pulled.tracked.push(moved(&repo, target, before, now)?);
        }
    }
    Ok(())
}

/// Lists the refs that the targets need, unless that was done, and fetches what is missing of them.
fn bring(
    repo: &gix::Repository,
    mut line: Line<'_, '_>,
    stop: &AtomicBool,
    tracked: &[TrackedRef],
    listed: Option<RemoteRefs>,
) -> Result<RemoteRefs, FetchFailure> {
    let mut refs = match listed {
        Some(refs) => refs,
        None => remote_refs(&line.list(&specs(tracked))?),
    };
    let missing = missing(tracked, &refs, repo);
    if !missing.is_empty() {
        let pulse = line.pulse.clone();
        let prepared = line.prepare(&missing)?;
        // They may have moved since they were listed.
        refs.extend(remote_refs(prepared.ref_map()));
        receive(repo, prepared, pulse, stop)?;
    }
    Ok(refs)
}

/// Moves refs of here to where the remote has them.
struct Taker<'a> {
    checkout: &'a Checkout,
    repo: &'a gix::Repository,
    url: &'a str,
    options: &'a PullOptions,
    refs: &'a RemoteRefs,
}

impl Taker<'_> {
    /// Takes what one target needs.
    fn take(
        &self,
        target: &TrackingTarget,
        before: Option<&TrackedRevision>,
    ) -> Result<Vec<RefusedRef>, PullError> {
        let needed = needed(std::slice::from_ref(&target.tracks), self.refs);
        let mut refused = Vec::new();
        for name in &needed {
            refused.extend(match name.strip_prefix("refs/heads/") {
                Some(branch) => self.take_branch(name, branch)?,
                None => self.take_tag(name)?,
            });
        }
        let was = before.and_then(|before| Some((before.name.as_deref()?, &before.revision)));
        match was {
            // The tag that counted so far is gone, so an older one would.
            Some((tag, revision))
                if tag.starts_with("refs/tags/") && !self.refs.contains_key(tag) =>
            {
                refused.extend(self.drop_tag(tag, &revision.commit)?);
            }
            Some((name, revision)) if needed.is_empty() => {
                let branch = name.trim_start_matches("refs/heads/");
                let branch = branch.strip_prefix(&fetched_name(self.repo, "")).unwrap_or(branch);
                refused.push(refusal(
                    format!("{} has no branch `{branch}` any more", self.url),
                    format!(
                        "{} stays at {}; push the branch again, or track another ref",
                        target.target,
                        revision.short()
                    ),
                ));
            }
            None if needed.is_empty() => refused.push(match &target.tracks {
                TrackedRef::Newest { range, prefix } => refusal(
                    format!("{} has no tag `{prefix}*` in the range {range}", self.url),
                    "push such a tag, or change the range in trueup.yaml".to_owned(),
                ),
                TrackedRef::Name(name) => refusal(
                    format!("{} has no branch and no tag `{name}`", self.url),
                    format!("push it, or change the ref of {} in trueup.yaml", target.target),
                ),
            }),
            _ => {}
        }
        Ok(refused)
    }

    fn take_branch(&self, name: &str, branch: &str) -> Result<Option<RefusedRef>, PullError> {
        let followed = fetched_name(self.repo, branch);
        let new = self.refs[name].commit;
        let old = self.at(&followed)?;
        if old == Some(new) {
            return Ok(None);
        }
        Trees::of(self.repo, self.checkout.limits(), new)?.inspect()?;
        let lost = match relation(self.repo, old, new)? {
            Relation::Same | Relation::Behind => 0,
            Relation::Ahead { by } => by,
            Relation::Diverged { ahead, .. } => ahead,
        };
        match old.filter(|_| lost > 0 && !self.options.allow_rewind) {
            None => self.set(&followed, old, Some(new)).map(|()| None),
            Some(old) => {
                let (old, new) = (old.to_string(), new.to_string());
                let commits =
                    if lost == 1 { "1 commit".to_owned() } else { format!("{lost} commits") };
                Ok(Some(refusal(
                    format!(
                        "branch `{branch}` was force-pushed from {} to {}, which loses {commits}",
                        short(&old),
                        short(&new)
                    ),
                    allow(&old),
                )))
            }
        }
    }

    fn take_tag(&self, name: &str) -> Result<Option<RefusedRef>, PullError> {
        let RemoteRef { target: new, commit } = self.refs[name];
        let old = self.at(name)?;
        if old == Some(new) {
            return Ok(None);
        }
        Trees::of(self.repo, self.checkout.limits(), commit)?.inspect()?;
        match old.filter(|_| !self.options.allow_rewind) {
            None => self.set(name, old, Some(new)).map(|()| None),
            Some(old) => {
                let old = self.commit(old).unwrap_or(old).to_string();
                let message = format!(
                    "tag {} moved from {} to {}",
                    name.trim_start_matches("refs/tags/"),
                    short(&old),
                    short(&commit.to_string())
                );
                Ok(Some(refusal(message, allow(&old))))
            }
        }
    }

    /// A tag that the remote no longer has.
    fn drop_tag(&self, name: &str, commit: &str) -> Result<Option<RefusedRef>, PullError> {
        if self.options.allow_rewind {
            return self.set(name, self.at(name)?, None).map(|()| None);
        }
        let tag = name.trim_start_matches("refs/tags/");
        Ok(Some(refusal(format!("{} has no tag {tag} any more", self.url), allow(commit))))
    }

    /// The object that a ref of here names.
    fn at(&self, name: &str) -> Result<Option<ObjectId>, PullError> {
        let found = self.repo.try_find_reference(name).map_err(Error::read(name))?;
        Ok(found.and_then(|found| found.try_id().map(gix::Id::detach)))
    }

    fn commit(&self, id: ObjectId) -> Option<ObjectId> {
        Some(self.repo.find_object(id).ok()?.peel_to_commit().ok()?.id)
    }

    /// Moves a ref that is still where it was; deletes it where there is nothing to move to.
    fn set(
        &self,
        name: &str,
        old: Option<ObjectId>,
        new: Option<ObjectId>,
    ) -> Result<(), PullError> {
        let expected = match old {
            Some(old) => PreviousValue::MustExistAndMatch(old.into()),
            None => PreviousValue::MustNotExist,
        };
        let change = match new {
            Some(new) => Change::Update {
                log: LogChange { message: "pull".into(), ..LogChange::default() },
                expected,
                new: new.into(),
            },
            None => Change::Delete { expected, log: RefLog::AndReference },
        };
        let full: FullName = name.try_into().map_err(Error::read(name))?;
        let edit = RefEdit { change, name: full, deref: false };
        self.repo.edit_reference(edit).map(drop).map_err(PullError::write(format!("`{name}`")))
    }
}

fn refusal(message: String, hint: String) -> RefusedRef {
    RefusedRef { targets: Vec::new(), message, hint }
}

/// The remedy that moves it all the same.
fn allow(stays: &str) -> String {
    format!("{} stays in use; if this is intended: trueup pull --allow-rewind", short(stays))
}

fn moved(
    repo: &gix::Repository,
    target: &TrackingTarget,
    before: Option<TrackedRevision>,
    now: TrackedRevision,
) -> Result<MovedTarget, Error> {
    let id = |commit: &str| ObjectId::from_hex(commit.as_bytes()).ok();
    let before = before.map(|before| before.revision);
    let from = before.as_ref().and_then(|before| id(&before.commit));
    let commits = match (id(&now.revision.commit), from) {
        (Some(now), Some(from)) => walk::commits(repo, now, Some(from))?.len(),
        _ => 0,
    };
    Ok(MovedTarget {
        target: target.target.clone(),
        from: before.as_ref().map(|before| before.named.clone()),
        to: now.revision.named,
        before: before.map(|before| before.commit),
        after: now.revision.commit,
        commits,
    })
}
