//! Objects that the server refuses because of fields that are live and not declared: which of those
//! are in the way, asked by dry runs, and the write after which the next apply removes them. Which
//! fields come into question is [`crate::core::managed_fields::leftovers`]'s.

use super::take_over::still;
use super::{ApiError, Apply, Cluster};
use crate::core::json::{Value, json};
use crate::core::kinds::catalog::Served;
use crate::core::managed_fields::emptied::fill;
use crate::core::managed_fields::leftovers::{Leftover, leftovers, recorded_as_ours};
use crate::core::managed_fields::predicted_owners::with_owners;
use crate::core::managed_fields::prediction::foresee;
use crate::core::managed_fields::takeover::hand_over;
use crate::core::object::Object;
use crate::core::policy::OnConflict;
use crate::core::problem::Cause;
use crate::core::remedy::Remedy;

/// How many levels around the fields that the server complains of are looked at.
const REACH: usize = 8;
/// How often the server is asked whether it would do with less.
const QUESTIONS: usize = 24;
/// How often an object is written that changes in between.
const TRIES: usize = 5;

/// An object that the server refuses to apply beside what is live.
#[derive(Clone, Copy)]
pub(in crate::cluster) struct BlockedApply<'a> {
    /// Its kind.
    pub(in crate::cluster) served: &'a Served,
    /// The object as it is sent.
    pub(in crate::cluster) send: &'a Object,
    /// The live object.
    pub(in crate::cluster) live: &'a Object,
    /// The server's error.
    pub(in crate::cluster) error: &'a ApiError,
    /// Whether a field may be removed at all.
    pub(in crate::cluster) may_go: &'a (dyn Fn(&Leftover) -> bool + Sync),
}

/// How an object can be applied after all.
pub(in crate::cluster) struct ClearedApply {
    /// The result.
    pub(in crate::cluster) merged: Object,
    /// The removed fields; none where it is enough to take over from others.
    leftovers: Vec<Leftover>,
}

/// Why it can't.
pub(in crate::cluster) enum ApplyObstacle {
    /// The server's error, and a further hint.
    Refused { error: ApiError, hint: Option<Remedy> },
    /// It was not asked to the end.
    Failed(ApiError),
}

impl Cluster {
    /// The object when the fields that are in the way are removed from it. Of others' fields, no
    /// more are removed than has to be. Writes nothing.
    pub(in crate::cluster) async fn rehearse_cleared(
        &self,
        blocked: BlockedApply<'_>,
    ) -> Result<ClearedApply, ApplyObstacle> {
        let BlockedApply { served, send, live, error, may_go } = blocked;
        let refused =
            |error: &ApiError, hint| ApplyObstacle::Refused { error: error.clone(), hint };
        if !error.is_invalid() || self.is_immutability(served, error, None).await {
            return Err(refused(error, None));
        }
        let handed_over = hand_over(live, send);
        let base = handed_over.as_ref().unwrap_or(live);
        let mut causes: Vec<Cause> = error.causes().to_vec();
        let mut latest = error.clone();
        if handed_over.is_some() {
            match self.without(blocked, base, &[]).await? {
                Ok(merged) => return Ok(ClearedApply { merged, leftovers: Vec::new() }),
                Err(error) => {
                    causes.extend_from_slice(error.causes());
                    latest = error;
                }
            }
        }
        let (all, left): (Vec<_>, Vec<_>) =
            leftovers(send, base).into_iter().partition(|leftover| may_go(leftover));
        let mut tried = 0;
        for reach in 0..=REACH {
            // After a removal the server may see further.
            loop {
                let near = nearest(&all, &causes, reach);
                if near.len() <= tried {
                    break;
                }
                tried = near.len();
                match self.without(blocked, base, &near).await? {
                    Ok(merged) => return self.fewest(blocked, base, near, merged).await,
                    Err(error) => {
                        causes.extend_from_slice(error.causes());
                        latest = error;
                    }
                }
            }
        }
        let is_theirs = |leftover: &Leftover| !leftover.managers.is_empty();
        let mut in_question = nearest(&left, error.causes(), 1);
        if latest.causes() != error.causes() {
            in_question.extend(nearest(&all, error.causes(), 0));
        }
        in_question.retain(is_theirs);
        let hint = (!in_question.is_empty()).then(|| way_out(&in_question));
        // The field in the way can't be removed, and that is why.
        let is_fixed = self.is_immutability(served, &latest, None).await;
        let error = if is_fixed { &latest } else { error };
        Err(refused(error, hint))
    }

    /// Records as ours what is in the way of an object that the server refuses, as long as it
    /// is not meant to stay; says what is there then. `None` where there is nothing to do about
    /// it.
    ///
    /// # Errors
    ///
    /// When it is not the one that was seen, which is a conflict; when the API server does not
    /// answer.
    pub(in crate::cluster) async fn clear(
        &self,
        apply: Apply<'_>,
        error: &ApiError,
    ) -> Result<Option<Object>, ApiError> {
        let Apply { served, send, on_conflict, meant } = apply;
        let Some(meant) = meant.filter(|_| error.is_invalid()) else { return Ok(None) };
        let mut last = None;
        for _ in 0..TRIES {
            let live = self.get(served, send.namespace(), send.name()).await?;
            let Some(live) = live.filter(|live| live.api_version() == send.api_version()) else {
                return Ok(None);
            };
            let seen = send.resource_version();
            if seen.is_some() && seen != live.resource_version() {
                return Err(ApiError::changed());
            }
            let may_go = &|leftover: &Leftover| {
                let may_take = on_conflict == OnConflict::Force || leftover.managers.is_empty();
                may_take && !leftover.remains(&live, meant)
            };
            let blocked = BlockedApply { served, send, live: &live, error, may_go };
            let cleared = match self.rehearse_cleared(blocked).await {
                Ok(cleared) => cleared,
                Err(ApplyObstacle::Failed(error)) if error.is_conflict() => {
                    last = Some(error);
                    continue;
                }
                Err(ApplyObstacle::Failed(error)) => return Err(error),
                Err(ApplyObstacle::Refused { .. }) => return Ok(None),
            };
            let handed_over = hand_over(&live, send);
            let base = handed_over.as_ref().unwrap_or(&live);
            let recorded = recorded_as_ours(base, send, &cleared.leftovers);
            let owners = recorded.metadata().and_then(|metadata| metadata.get("managedFields"));
            let owners = json!({ "op": "add", "path": "/metadata/managedFields", "value": owners });
            let patch: Vec<Value> = vec![owners, still(&live)];
            match self.patch_json(served, &live, patch, false).await {
                Err(error) if error.is_conflict() => last = Some(error),
                done => return done.map(Some),
            }
        }
        Err(last.unwrap_or_else(ApiError::changed))
    }

    /// Records as ours what was to go and is still there in `seen`, which comes of applying `send`:
    /// else it would have no owner, and no apply would remove it any more.
    ///
    /// # Errors
    ///
    /// When it changes all the time; when the API server refuses, or does not answer.
    pub async fn keep_to_remove(
        &self,
        served: &Served,
        send: &Object,
        seen: &Object,
        leftovers: &[Leftover],
    ) -> Result<(), ApiError> {
        let mut live = seen.clone();
        for _ in 0..TRIES {
            let is_there = |leftover: &&Leftover| leftover.value(&live).is_some();
            let there: Vec<Leftover> = leftovers.iter().filter(is_there).cloned().collect();
            if there.is_empty() {
                return Ok(());
            }
            let recorded = recorded_as_ours(&live, send, &there);
            let owners = recorded.metadata().and_then(|metadata| metadata.get("managedFields"));
            let owners = json!({ "op": "add", "path": "/metadata/managedFields", "value": owners });
            match self.patch_json(served, &live, vec![owners, still(&live)], false).await {
                Err(error) if error.is_conflict() => {}
                Err(error) if error.is_gone() => return Ok(()),
                done => return done.map(|_| ()),
            }
            match self.get(served, send.namespace(), send.name()).await? {
                Some(now) if now.uid() == seen.uid() => live = now,
                _ => return Ok(()),
            }
        }
        Err(ApiError::changed())
    }

    /// Those of `leftovers` that the server does not put back once they are gone from `live`: the
    /// others are what it fills in. Writes nothing.
    ///
    /// # Errors
    ///
    /// When it changed since it was seen, which is a conflict; when the API server refuses, or does
    /// not answer.
    pub async fn removable(
        &self,
        served: &Served,
        live: &Object,
        leftovers: Vec<Leftover>,
    ) -> Result<Vec<Leftover>, ApiError> {
        let gone = leftovers.iter().fold(live.clone(), |object, it| it.taken_from(&object));
        let becomes = self.as_written(served, live, &gone).await?;
        Ok(leftovers.into_iter().filter(|it| it.value(&becomes).is_none()).collect())
    }

    /// Leaves out of `removed` what need not go, others' fields first. `merged` is what comes of it.
    async fn fewest(
        &self,
        blocked: BlockedApply<'_>,
        base: &Object,
        mut removed: Vec<Leftover>,
        mut merged: Object,
    ) -> Result<ClearedApply, ApplyObstacle> {
        let mut questions = 0;
        loop {
            removed.sort_by_key(|leftover| leftover.managers.is_empty());
            let mut size = removed.len();
            while size > 0 {
                let mut from = 0;
                while from < removed.len() && questions < QUESTIONS {
                    let to = removed.len().min(from + size);
                    let rest = [&removed[..from], &removed[to..]].concat();
                    questions += 1;
                    match self.without(blocked, base, &rest).await? {
                        Ok(other) => (removed, merged) = (rest, other),
                        Err(_) => from = to,
                    }
                }
                size = if size == 1 { 0 } else { size.div_ceil(2) };
            }
            // Of what others have in it, it may be enough to remove a part.
            let mut is_finer = false;
            for at in 0..removed.len() {
                let fields = removed[at].fields(base);
                if removed[at].managers.is_empty() || fields.len() < 2 || questions >= QUESTIONS {
                    continue;
                }
                let finer = [&removed[..at], &removed[at + 1..], &fields].concat();
                questions += 1;
                if let Ok(other) = self.without(blocked, base, &finer).await? {
                    (removed, merged, is_finer) = (finer, other, true);
                    break;
                }
            }
            if !is_finer {
                break;
            }
        }
        // The server refuses the apply for what it takes as a write: that is another matter.
        if removed.is_empty() || questions >= QUESTIONS {
            let error = blocked.error.clone();
            return Err(ApplyObstacle::Refused { error, hint: None });
        }
        Ok(ClearedApply { merged, leftovers: removed })
    }

    /// The server's answer to the object without `leftovers`, where `base` is what is live as far
    /// as it is taken over. An error inside is the server's verdict.
    async fn without(
        &self,
        blocked: BlockedApply<'_>,
        base: &Object,
        leftovers: &[Leftover],
    ) -> Result<Result<Object, ApiError>, ApplyObstacle> {
        let BlockedApply { served, send, live, error: _, may_go: _ } = blocked;
        let recorded = recorded_as_ours(base, send, leftovers);
        let mut after = with_owners(foresee(send, &recorded), send, &recorded);
        fill(send, live, &mut after);
        match self.as_written(served, live, &after).await {
            Ok(merged) => Ok(Ok(merged)),
            Err(error) if error.is_verdict() && !error.is_conflict() => Ok(Err(error)),
            Err(error) => Err(ApplyObstacle::Failed(error)),
        }
    }
}

fn nearest(all: &[Leftover], causes: &[Cause], reach: usize) -> Vec<Leftover> {
    let is_near = |leftover: &&Leftover| causes.iter().any(|cause| leftover.is_near(cause, reach));
    all.iter().filter(is_near).cloned().collect()
}

/// The remedy for conflicting fields that stay.
fn way_out(leftovers: &[Leftover]) -> Remedy {
    let whose = |it: &Leftover| format!("{} is set by {}", it.field(), it.managers.join(", "));
    let whose: Vec<String> = leftovers.iter().map(whose).collect();
    Remedy::RemoveOrForce { set: whose.join("; ") }
}
