//! Makes one change: sends an object or deletes it, and waits where something has to come about
//! first. In which order changes are made is the caller's.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use super::answer::WrittenObject;
use super::deletion::deletion_patience;
use super::servers::server_of;
use super::worker::Worker;
use crate::app::WaitOptions;
use crate::app::wait::wait_for_one;
use crate::cluster::{ApiError, Apply, DeleteOutcome, RetryClass, RetryPolicy, WaitCondition};
use crate::core::annotations::Mode;
use crate::core::health::Health;
use crate::core::kinds::catalog::{Served, is_api_service, is_crd};
use crate::core::object::Object;
use crate::core::observed::{Observation, Prerequisite, Preview};
use crate::core::plan::{
    self, Action, Change, Confidence, Effect, NoPreview, Reason, ReasonKind, Write,
};
use crate::core::policy::{OnConflict, precedence};
use crate::core::report::Outcome;
use crate::core::{managed_fields, unique_value};
use crate::local::cancel::Cancellation;

/// How long a new definition may take to be established, and a new kind to be served after that.
const DEFINITION_PATIENCE: Duration = Duration::from_secs(60);
/// How long an API server may go by the definition that it had before the one that it was just given;
/// with several of them, each learns of it by itself.
const DEFINITION_DELAY: Duration = Duration::from_secs(5);
/// How often an approved change is tried over a state that moves without touching it.
const SEND_TRIES: usize = 5;
/// How often what a right was given for a moment ago is tried.
const RIGHT_TRIES: usize = 25;
/// The pause before something that is about to be possible is tried again.
const TRY_AGAIN: Duration = Duration::from_millis(200);

/// The outcome of sending an object.
enum SendOutcome<'c> {
    /// It was taken, and the server's answer.
    Done(Box<WrittenObject<'c>>),
    /// It was not sent: it is as it was to be.
    Same,
    /// It was not sent: what is there is not what was approved.
    Moved,
    /// It was not sent: each time it was to be, something else was there.
    Restless,
}

impl Worker<'_> {
    /// Makes one change. Where it `is_awaited`, others need it to be there, or gone, in full.
    pub(super) async fn change(self, change: &Change, is_awaited: bool) -> Outcome {
        let served = match self.endpoint(change).await {
            Ok(served) => served,
            Err(why) => return Outcome::Failed(why),
        };
        let change = &*match self.as_it_is_now(&served, change).await {
            Ok(change) => change,
            Err(why) => return Outcome::Failed(why),
        };
        let done = match &change.effect {
            Effect::Delete { live } => match self.delete(&served, change, live).await {
                Ok(DeleteOutcome::Deleted) => Ok(Outcome::Done),
                Ok(DeleteOutcome::Terminating) if is_awaited => {
                    let gone = self.cluster.until_gone(&served, live, &deletion_patience()).await;
                    Ok(if gone.unwrap_or(false) { Outcome::Done } else { Outcome::Terminating })
                }
                Ok(DeleteOutcome::Terminating) => Ok(Outcome::Terminating),
                Ok(DeleteOutcome::Changed) => Ok(Outcome::Failed(ReasonKind::NotAsSeen.into())),
                Err(error) => Err(error),
            },
            Effect::Abandon { live, .. } => self.release(&served, live).await,
            Effect::Replace { live, write } => {
                self.replace(&served, change, is_awaited, &write.send, live).await
            }
            Effect::Create(write) | Effect::Update { write, .. } => {
                self.apply(&served, change, is_awaited, &write.send).await
            }
            Effect::Keep { .. } | Effect::Refuse { .. } => return Outcome::Done,
        };
        done.unwrap_or_else(|error| self.failed(&error, change))
    }

    /// Waits until an object is ready that others come after; how it is if it does not get so.
    pub(super) async fn until_ready(
        self,
        change: &Change,
        timeout: Duration,
        cancel: &Cancellation,
    ) -> Option<Health> {
        let Self { survey, cluster, inventory, .. } = self;
        let waiting = WaitOptions { inventory, timeout, cancel, events: &mut |_| {} };
        wait_for_one(survey, &self.servers.kinds(), cluster, change, waiting).await
    }

    /// Abandons an object, as long as it is ours.
    async fn release(self, served: &Served, live: &Object) -> Result<Outcome, ApiError> {
        let mut seen = Some(live.clone());
        for _ in 0..SEND_TRIES {
            let Some(now) = seen.filter(|now| {
                now.uid() == live.uid() && managed_fields::is_ours(now, &self.inventory.id())
            }) else {
                return Ok(Outcome::Done); // it is not ours any more, or gone
            };
            match self.cluster.release(served, &now).await {
                Err(error) if error.is_conflict() => {}
                Err(error) if error.is_gone() => return Ok(Outcome::Done),
                done => return done.map(|()| Outcome::Done),
            }
            seen = self.cluster.get(served, live.namespace(), live.name()).await?;
        }
        Ok(Outcome::Failed(ReasonKind::AbandonOutrun.into()))
    }

    /// The server's refusal, with positions in the files.
    pub(super) fn failed(self, error: &ApiError, change: &Change) -> Outcome {
        let causes = error.causes().to_vec();
        let causes = match self.survey.found.desired.objects.get(&change.key) {
            Some(manifest) => manifest.located(causes),
            None => causes,
        };
        let kind = ReasonKind::RequestFailed { message: error.to_string() };
        Outcome::Failed(Reason { remedy: error.hint(), causes, ..kind.into() })
    }

    /// Deletes the object that is there, provided that it is the one that was seen.
    pub(super) async fn delete(
        self,
        served: &Served,
        change: &Change,
        live: &Object,
    ) -> Result<DeleteOutcome, ApiError> {
        self.delete_where(served, change, live, &|_| true).await
    }

    /// The same, provided that `is_meant` says so of what it became since it was seen.
    pub(super) async fn delete_where(
        self,
        served: &Served,
        change: &Change,
        live: &Object,
        is_meant: &(dyn Fn(&Object) -> bool + Sync),
    ) -> Result<DeleteOutcome, ApiError> {
        let id = self.inventory.id();
        let may_go = |now: &Object| match (change.action(), change.send()) {
            (Action::Delete, _) => plan::may_go(&change.key, now, &self.survey.decided.context),
            (_, Some(send)) => plan::may_be_replaced(now, send),
            (_, None) => true,
        };
        let is_meant = |now: &Object| {
            managed_fields::is_ours(now, &id)
                && may_go(now)
                && self.is_approved(change, now)
                && is_meant(now)
        };
        self.cluster.delete(served, live, self.cascade, &is_meant).await
    }

    /// Applies one object; where what it needs was made a moment ago, gives that a moment to work.
    pub(super) async fn apply(
        self,
        served: &Served,
        change: &Change,
        is_awaited: bool,
        send: &Object,
    ) -> Result<Outcome, ApiError> {
        let mut tries = 0;
        let begun = Instant::now();
        loop {
            match self.send(served, change, send).await {
                // The object that gives the right was applied a moment ago, and not every part of
                // the server has heard of it.
                Err(error)
                    if is_put_off(change) && error.refusal_may_pass() && tries < RIGHT_TRIES =>
                {
                    tries += 1;
                    if !self.patience.allows(TRY_AGAIN) || !self.patience.rest(TRY_AGAIN).await {
                        return Err(error);
                    }
                }
                Err(error)
                    if (self.is_about_to_work(&error, change)
                        || self.may_be_outdated(&error, change)
                            && begun.elapsed() < DEFINITION_DELAY)
                        && self.patience.allows(TRY_AGAIN)
                        && self.patience.rest(TRY_AGAIN).await => {}
                Err(error) => return Err(error),
                Ok(SendOutcome::Done(written)) => match self.why_differs(served, &written).await {
                    Some(why) => return Ok(Outcome::Differs(why)),
                    None => break,
                },
                Ok(SendOutcome::Same) => break,
                Ok(SendOutcome::Moved) => {
                    return Ok(Outcome::Failed(ReasonKind::NotAsApproved.into()));
                }
                Ok(SendOutcome::Restless) => {
                    return Ok(Outcome::Failed(ReasonKind::ReadOutrun.into()));
                }
            }
        }
        let key = &change.key;
        let (condition, patience) = match is_awaited {
            true if is_crd(key) => (
                WaitCondition::ESTABLISHED,
                &RetryPolicy::of(DEFINITION_PATIENCE, &Cancellation::default()),
            ),
            // Its pods may have to start first.
            true if is_api_service(key) => (WaitCondition::AVAILABLE, self.patience),
            _ => return Ok(Outcome::Done),
        };
        Ok(
            match self
                .cluster
                .until_condition(served, &condition, key.name.as_str(), patience)
                .await?
            {
                Ok(()) => Outcome::Done,
                Err(message) => Outcome::Failed(ReasonKind::ConditionUnmet { message }.into()),
            },
        )
    }

    /// Sends one object. Where a plan was approved, only over the very state that was looked at; of
    /// a state that moved, say by a controller that writes the status, the approved difference is
    /// compared again.
    async fn send<'c>(
        self,
        served: &Served,
        change: &'c Change,
        send: &'c Object,
    ) -> Result<SendOutcome<'c>, ApiError> {
        let (on_conflict, meant) = (self.on_conflict(change), change.becomes());
        let apply = Apply { served, send, on_conflict, meant };
        let mut change = Cow::Borrowed(change);
        let mut send = Cow::Borrowed(send);
        let Some(approval) = self.approval else {
            let answer = if change.action() == Action::Create && self.only_creates(&change) {
                self.send_over(apply, None).await?
            } else if self.depends_on_live(&change) {
                return self.send_beside(served, change, apply).await;
            } else if let Some(seen) = change.live() {
                self.cluster.take_over(apply, seen).await?;
                let done = self.cluster.apply_or(apply).await?;
                self.cluster.remove_elements(apply, seen, done).await?
            } else {
                self.cluster.apply_or(apply).await?
            };
            return Ok(SendOutcome::Done(Box::new(WrittenObject { change, send, answer })));
        };
        for _ in 0..SEND_TRIES {
            match self.send_over(Apply { send: &send, ..apply }, change.live()).await {
                Err(error) if error.is_conflict() => {}
                done => {
                    let answer = done?;
                    return Ok(SendOutcome::Done(Box::new(WrittenObject { change, send, answer })));
                }
            }
            if self.depends_on_live(&change) {
                let live = self.cluster.get(served, send.namespace(), send.name()).await?;
                send = Cow::Owned(self.beside(&change, &send, live.as_ref()));
            }
            let now = self.cluster.observe_again(served, &send).await;
            let Observation::Seen { live, preview } = now else { return Ok(SendOutcome::Moved) };
            let becomes = match preview {
                Some(Preview::Same) => return Ok(SendOutcome::Same),
                Some(Preview::Merged(merged)) => merged,
                _ => return Ok(SendOutcome::Moved),
            };
            let Some(write) = change.write() else { return Ok(SendOutcome::Moved) };
            let write = Write { becomes, ..write.clone() };
            let effect = match live {
                Some(live) => Effect::Update { live, write },
                None => Effect::Create(write),
            };
            let now = Change { effect, ..change.into_owned() };
            if !approval.holds(&now, self.survey.redactor()) {
                return Ok(SendOutcome::Moved);
            }
            change = Cow::Owned(now);
        }
        Ok(SendOutcome::Moved)
    }

    /// Sends one object with fields that keep their live value. It is sent over the very state that
    /// they were read from. What that is, is read again after each concurrent write.
    async fn send_beside<'c>(
        self,
        served: &Served,
        change: Cow<'c, Change>,
        apply: Apply<'_>,
    ) -> Result<SendOutcome<'c>, ApiError> {
        let (mut seen, mut send) = (change.live().cloned(), apply.send.clone());
        for _ in 0..SEND_TRIES {
            match self.send_over(Apply { send: &send, ..apply }, seen.as_ref()).await {
                Err(error) if error.is_conflict() => {}
                done => {
                    let (send, answer) = (Cow::Owned(send), done?);
                    return Ok(SendOutcome::Done(Box::new(WrittenObject { change, send, answer })));
                }
            }
            seen = self.cluster.get(served, send.namespace(), send.name()).await?;
            send = self.beside(&change, &send, seen.as_ref());
        }
        Ok(SendOutcome::Restless)
    }

    /// Whether what is sent has fields that stay as they are in the cluster.
    pub(super) fn depends_on_live(self, change: &Change) -> bool {
        let desired = &self.survey.found.desired;
        let manifest = desired.objects.get(&change.key);
        manifest.is_some_and(|manifest| desired.depends_on_live(&change.key, manifest))
    }

    /// The object to send where `live` is there; `send` where that does not depend on it.
    fn beside(self, change: &Change, send: &Object, live: Option<&Object>) -> Object {
        let desired = &self.survey.found.desired;
        match desired.objects.get(&change.key) {
            Some(manifest) => desired.sent(&change.key, manifest, live).into_owned(),
            None => send.clone(),
        }
    }

    /// The object to create in place of `live`; `send` where that does not depend on it.
    pub(super) fn in_place_of(self, change: &Change, send: &Object, live: &Object) -> Object {
        let desired = &self.survey.found.desired;
        match desired.objects.get(&change.key) {
            Some(manifest) => desired.recreate_manifest(&change.key, manifest, live).into_owned(),
            None => send.clone(),
        }
    }

    /// Takes over and sends, provided that what is there is `seen` to the last write, or nothing.
    async fn send_over(self, apply: Apply<'_>, seen: Option<&Object>) -> Result<Object, ApiError> {
        let seen = match seen {
            Some(seen) => Some(self.cluster.take_over_seen(apply, seen).await?),
            None => None,
        };
        self.cluster.apply_over(apply, seen.as_ref()).await
    }

    /// How to resolve conflicts with fields that others took after the look.
    fn on_conflict(self, change: &Change) -> OnConflict {
        let desired = &self.survey.found.desired;
        let said = desired.objects.get(&change.key).map(|manifest| desired.on_conflict(manifest));
        said.unwrap_or_else(|| precedence::on_conflict(desired.on_conflict, None))
    }

    /// Whether an object is never changed, so that one that was created concurrently stays.
    fn only_creates(self, change: &Change) -> bool {
        let manifest = self.survey.found.desired.objects.get(&change.key);
        manifest.is_some_and(|manifest| Mode::only_creates(&manifest.object))
    }

    /// Whether a change was approved for an object that is `now` like this, where approval counts.
    fn is_approved(self, change: &Change, now: &Object) -> bool {
        let now = || change.of_live(now.clone());
        self.approval.is_none_or(|approval| approval.holds(&now(), self.survey.redactor()))
    }

    /// Whether an error may be by a definition that was changed in this run, as it was before. One that
    /// was made in this run was nothing else before, and what is missing is not its.
    fn may_be_outdated(self, error: &ApiError, change: &Change) -> bool {
        let lack = change.confidence();
        let waits =
            matches!(lack, Confidence::Local(NoPreview::Prerequisite(Prerequisite::Definition(_))));
        waits
            && self.survey.found.catalog.preferred(&change.key.group_kind()).is_some()
            && error.is_verdict()
            && !error.is_not_found()
            && !error.causes().is_empty()
    }

    /// Whether an error is the kind that ends by itself. It concerns a kind that was established in
    /// this run and is not served everywhere yet, or a namespace so new that its service account is
    /// missing. Or it concerns a namespace that is on its way out, or a value that was given up a
    /// moment ago.
    fn is_about_to_work(self, error: &ApiError, change: &Change) -> bool {
        let kind = change.key.group_kind();
        let is_freed = || {
            matches!(change.confidence(), Confidence::Local(NoPreview::Value(_)))
                && unique_value::is_taken(&error.to_string())
        };
        let new_kind =
            || self.survey.found.catalog.is_defined(&kind) || server_of(change).is_some();
        (error.is_not_found() && error.missing_namespace().is_none() && new_kind())
            || error.fault() == RetryClass::Settling
            || is_freed()
    }
}

/// Whether it was refused as long as others of the commit were not applied.
fn is_put_off(change: &Change) -> bool {
    let applied = |it: &Prerequisite| matches!(it, Prerequisite::Applied { .. });
    matches!(change.confidence(), Confidence::Local(NoPreview::Prerequisite(it)) if applied(it))
}
