//! Replaces an object: asks once more whether it could be recreated, deletes the one that is there,
//! waits until it is gone, and creates it.
//!
//! The object is in the inventory's record all the time. If the run is killed while it is gone, or
//! it can't be made after all, the next run finds it missing and makes it.

use super::worker::Worker;
use crate::cluster::{ApiError, DeleteOutcome};
use crate::core::finalizers::what_holds;
use crate::core::kinds::catalog::Served;
use crate::core::object::Object;
use crate::core::plan::{Change, Effect, Reason, ReasonKind};
use crate::core::report::Outcome;

/// How often what is to be made is read off an object that changes.
const DELETE_TRIES: usize = 5;

impl Worker<'_> {
    /// Replaces the object `live` with `send`. Where it `is_awaited`, others need it in full.
    pub(super) async fn replace(
        self,
        served: &Served,
        change: &Change,
        is_awaited: bool,
        send: &Object,
        live: &Object,
    ) -> Result<Outcome, ApiError> {
        let is_going = live.is_terminating();
        if !is_going && let Err(refusal) = self.cluster.could_be_made(served, send, live).await {
            let kind = ReasonKind::LeftNotRecreatable { message: refusal.message };
            let causes = match self.survey.found.desired.objects.get(&change.key) {
                Some(manifest) => manifest.located(refusal.causes),
                None => refusal.causes,
            };
            return Ok(Outcome::Failed(Reason { remedy: refusal.hint, causes, ..kind.into() }));
        }
        let (deleted, send) = match is_going {
            true => (DeleteOutcome::Terminating, send.clone()),
            false => self.delete_beside(served, change, send, live).await?,
        };
        match deleted {
            DeleteOutcome::Deleted => {}
            DeleteOutcome::Changed => return Ok(Outcome::Failed(ReasonKind::NotAsSeen.into())),
            DeleteOutcome::Terminating => {
                if !self.is_gone(served, live).await? {
                    return Ok(Outcome::Failed(self.stuck(served, live).await));
                }
            }
        }
        // It is new now, whatever was there before.
        let fresh = change.write().cloned().map(Effect::Create);
        let fresh = fresh.map(|effect| Change { effect, ..change.clone() });
        let fresh = fresh.as_ref().unwrap_or(change);
        let made = self.apply(served, fresh, is_awaited, &send).await;
        let outcome = made.unwrap_or_else(|error| self.failed(&error, change));
        Ok(match outcome {
            Outcome::Failed(why) => {
                let Reason { kind, remedy, causes } = why;
                let kind = ReasonKind::DeletedNotRecreated { why: kind };
                Outcome::Failed(Reason { remedy, causes, ..kind.into() })
            }
            outcome => outcome,
        })
    }

    /// Deletes what is replaced. The fields that stay as they are, are those that it had at last:
    /// what is to be made with them, too.
    async fn delete_beside(
        self,
        served: &Served,
        change: &Change,
        send: &Object,
        live: &Object,
    ) -> Result<(DeleteOutcome, Object), ApiError> {
        let (mut send, mut seen) = (send.clone(), live.clone());
        let depends = self.depends_on_live(change);
        for _ in 0..DELETE_TRIES {
            let is_same = |now: &Object| !depends || self.in_place_of(change, &send, now) == send;
            let deleted = self.delete_where(served, change, &seen, &is_same).await?;
            if deleted != DeleteOutcome::Changed || !depends {
                return Ok((deleted, send));
            }
            match self.cluster.get(served, live.namespace(), live.name()).await? {
                Some(now) if now.uid() == live.uid() => seen = now,
                _ => break,
            }
            let replacement = self.in_place_of(change, &send, &seen);
            if replacement == send {
                break;
            }
            send = replacement;
        }
        Ok((DeleteOutcome::Changed, send))
    }

    /// Waits until what is replaced is gone, as long as there is time; says whether it is.
    async fn is_gone(self, served: &Served, live: &Object) -> Result<bool, ApiError> {
        self.cluster.until_gone(served, live, self.patience).await
    }

    /// Why what is to be replaced is still there.
    async fn stuck(self, served: &Served, live: &Object) -> Reason {
        let now = self.cluster.get(served, live.namespace(), live.name()).await.ok().flatten();
        let kind = ReasonKind::NotGone { holder: now.as_ref().and_then(what_holds) };
        Reason::with_remedy(kind, "the next run recreates it once it is gone")
    }
}
