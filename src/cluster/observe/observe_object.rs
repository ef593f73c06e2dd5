//! One desired object: what is live, and what applying would make of it.
//!
//! The proof first, then what the server said before, and the server itself last.

use http::StatusCode;

use super::ObserveOptions;
use crate::cluster::api_request::object;
use crate::cluster::leftovers::{ApplyObstacle, BlockedApply, ClearedApply};
use crate::cluster::take_over::recorded;
use crate::cluster::{ApiError, Cluster};
use crate::core::annotations::Mode;
use crate::core::compare;
use crate::core::dry_run_cache::{CachedNoOp, DryRunCache};
use crate::core::field_rules::fields_of;
use crate::core::kinds::catalog::Served;
use crate::core::managed_fields::leftovers::Leftover;
use crate::core::managed_fields::takeover::hand_over;
use crate::core::managed_fields::versions;
use crate::core::manifest::{Manifest, PathPart};
use crate::core::object::{Object, ObjectKey};
use crate::core::observed::{Observation, Prerequisite, Preview};
use crate::core::policy::OnConflict;
use crate::core::problem::Refusal;
use crate::core::remedy::Remedy;

/// How often an object is looked at that changes between two looks.
const LOOKS: usize = 5;

/// An object to observe.
pub(super) struct ObserveRequest<'a> {
    /// Its kind.
    pub(super) served: &'a Served,
    /// The object as it would be sent, beside the member.
    pub(super) send: Object,
    /// How it comes about, where it depends on what is live.
    pub(super) sent: Option<SendSource<'a>>,
    /// The object as the LIST of members brought it.
    pub(super) member: Option<Object>,
    /// Its kind could not be listed, so it may be a member all the same.
    pub(super) is_unlisted: bool,
    /// The APIService of the commit that brings its kind.
    pub(super) promised: Option<&'a ObjectKey>,
    /// The CustomResourceDefinition of the commit that has its kind.
    pub(super) definition: Option<&'a Object>,
    /// How it is treated, where it is not simply made true.
    pub(super) mode: Option<Mode>,
}

/// How what is sent comes about.
#[derive(Clone, Copy)]
pub(super) struct SendSource<'a> {
    pub(super) question: &'a ObserveOptions<'a>,
    pub(super) key: &'a ObjectKey,
    pub(super) manifest: &'a Manifest,
}

impl SendSource<'_> {
    /// The object to send where `live` is there.
    pub(super) fn beside(&self, live: Option<&Object>) -> Object {
        self.question.desired.sent(self.key, self.manifest, live).into_owned()
    }

    /// Whether a field that is not declared may be removed where it is in the way: it is not one that
    /// is ignored, or left to others.
    fn may_go(&self, leftover: &Leftover, live: &Object) -> bool {
        let desired = self.question.desired;
        let yields = desired.on_conflict(self.manifest) == OnConflict::Yield;
        let place = leftover.place();
        let is_in_or_around = |parts: &[String]| {
            place.iter().zip(parts).all(|(place, part)| match place {
                PathPart::Key(key) => key == part,
                PathPart::Index(index) => index.to_string() == *part,
            })
        };
        let rules = fields_of(&desired.ignore, self.key).into_iter();
        let mut ignored = rules.flat_map(|rule| rule.within(&live.0));
        (!yields || leftover.managers.is_empty())
            && !ignored.any(|pointer| is_in_or_around(pointer.parts()))
    }

    /// Whether fields of the object are left as they are.
    pub(super) fn depends_on_live(&self) -> bool {
        self.question.desired.depends_on_live(self.key, self.manifest)
    }
}

/// Knowledge before the server is asked.
pub(super) struct KnownMembers {
    /// Its cached answers.
    pub(super) verdicts: DryRunCache,
}

/// The result of an observation.
pub(super) struct ObserveResult {
    pub(super) observation: Observation,
    /// The answer to cache.
    pub(super) verdict: Option<CachedNoOp>,
}

impl ObserveResult {
    /// The live object, and the result of applying.
    fn seen(live: Option<Object>, preview: Preview) -> Self {
        let observation = Observation::Seen { live, preview: Some(preview) };
        Self { observation, verdict: None }
    }
}

/// The outcome of one step on the way to a preview.
enum Step {
    /// The answer so far, and what to do about an error.
    Answer(Result<Object, ApiError>, Option<Remedy>),
    /// Nothing is left to ask.
    Done(Preview),
    /// The object changed in between: all of it has to be asked again.
    Again,
}

impl Step {
    /// A request of the step failed.
    fn failed(error: ApiError) -> Self {
        match error.is_conflict() {
            true => Self::Again,
            false => Self::Answer(Err(error), None),
        }
    }
}

impl Cluster {
    /// Looks at one desired object: live, and what a dry run makes of it.
    ///
    /// Between the two looks a controller may write the object's status, say. Then the two are not
    /// of one state, which the resourceVersion tells, and both are asked for again.
    pub(super) async fn observe_object(
        &self,
        mut look: ObserveRequest<'_>,
        known: Option<&KnownMembers>,
    ) -> ObserveResult {
        if (look.is_unlisted || look.mode.is_some())
            && look.member.is_none()
            && let Some(settled) = self.settled(&mut look, known).await
        {
            return settled;
        }
        look.member = look.member.filter(|member| member.api_version() == look.send.api_version());
        for _ in 0..LOOKS {
            if let Some(result) = self.dry_run_once(&mut look).await {
                return result;
            }
        }
        let reason = "it changes faster than it can be read".to_owned();
        ObserveResult { observation: Observation::Unknown(reason), verdict: None }
    }

    /// The answer that needs no dry run, for an object that may not be listed or has a mode of its
    /// own. The live object then stands in the request.
    async fn settled(
        &self,
        look: &mut ObserveRequest<'_>,
        known: Option<&KnownMembers>,
    ) -> Option<ObserveResult> {
        match self.get(look.served, look.send.namespace(), look.send.name()).await {
            Ok(live) => look.member = live,
            Err(error) => return Some(self.unknown(look.served, look.promised, &error).await),
        }
        let is_there = look.member.as_ref().is_some_and(|live| !live.is_terminating());
        let is_left = match look.mode {
            None => false,
            Some(Mode::CreateOnly) => is_there,
            Some(Mode::Ignore) => true,
        };
        if is_left {
            return Some(ObserveResult::seen(look.member.take(), Preview::Left));
        }
        if let Some(sent) = look.sent {
            look.send = sent.beside(look.member.as_ref());
        }
        let (live, known) = look.member.as_ref().zip(known)?;
        let verdict = known.is_same(&look.send, live)?;
        let same = ObserveResult::seen(Some(live.clone()), Preview::Same);
        Some(ObserveResult { verdict, ..same })
    }

    /// Reads the object and asks what applying would make of it; `None` where it changed in between.
    async fn dry_run_once(&self, look: &mut ObserveRequest<'_>) -> Option<ObserveResult> {
        let (served, sent, promised) = (look.served, look.sent, look.promised);
        let name = (look.send.namespace().map(str::to_owned), look.send.name().to_owned());
        let get = || self.get(served, name.0.as_deref(), &name.1);
        if let Some(sent) = sent {
            if look.member.is_none() {
                match get().await {
                    Ok(live) => look.member = live,
                    Err(error) => return Some(self.unknown(served, promised, &error).await),
                }
            }
            look.send = sent.beside(look.member.as_ref());
        }
        let answer = self.dry_run(served, &look.send).await;
        let created = matches!(&answer, Ok(answer) if answer.status == StatusCode::CREATED);
        let live = match look.member.take() {
            _ if created => None,
            Some(member) => Some(member),
            None => match get().await {
                Ok(live) => live,
                Err(error) => return Some(self.unknown(served, promised, &error).await),
            },
        };
        let answer = answer.map(|answer| object(answer.body));
        let (answer, hint) = match &live {
            None => (answer, None),
            Some(seen) => match self.beyond_first_step(look, seen, answer).await {
                Step::Again => return None,
                Step::Done(preview) => return Some(ObserveResult::seen(live, preview)),
                Step::Answer(answer, hint) => (answer, hint),
            },
        };
        self.judged(look, live, answer, hint).await
    }

    /// The answer to the dry run of an object that is `live`, once every further step is rehearsed that
    /// applying it would take.
    async fn beyond_first_step(
        &self,
        look: &ObserveRequest<'_>,
        live: &Object,
        answer: Result<Object, ApiError>,
    ) -> Step {
        let is_of_live = |merged: &Object| merged.resource_version() == live.resource_version();
        let step = match answer {
            Err(error) => self.in_declared_version(look, live, error).await,
            Ok(merged) if is_of_live(&merged) => {
                self.without_predecessors(look, live, merged).await
            }
            answer => Step::Answer(answer, None),
        };
        let step = match step {
            Step::Answer(Err(error), _) => self.past_leftovers(look, live, error).await,
            step => step,
        };
        let Step::Answer(Ok(mut merged), hint) = step else { return step };
        if is_of_live(&merged) {
            match self.rehearse_elements(look.served, &look.send, live, &merged).await {
                Ok(None) => {}
                Ok(Some(rehearsed)) => merged = rehearsed,
                Err(error) => return Step::failed(error),
            }
        }
        match self.rehearse_to_the_end(look.served, &look.send, live, merged).await {
            Ok(merged) => Step::Answer(Ok(merged), hint),
            Err(error) => Step::failed(error),
        }
    }

    /// Handles an error that may be about the version in which fields are owned.
    async fn in_declared_version(
        &self,
        look: &ObserveRequest<'_>,
        live: &Object,
        error: ApiError,
    ) -> Step {
        let Some(said) = error.of_other_version() else { return Step::Answer(Err(error), None) };
        if let Some(refused) = versions::hindered(live, &look.send, said) {
            return Step::Done(Preview::Refused(refused));
        }
        match self.redeclared(look.served, &look.send, live).await {
            None => Step::Answer(Err(error), None),
            Some(Ok(merged)) => Step::Done(Preview::Merged(merged)),
            Some(Err(error)) => Step::failed(error),
        }
    }

    /// The result of applying an object that others applied before, once their fields are taken
    /// over.
    async fn without_predecessors(
        &self,
        look: &ObserveRequest<'_>,
        live: &Object,
        merged: Object,
    ) -> Step {
        let Some(handed_over) = hand_over(&recorded(live, &merged), &look.send) else {
            return Step::Answer(Ok(merged), None);
        };
        let (served, send) = (look.served, &look.send);
        match self.taken_over(served, send, live, &handed_over, &merged).await {
            Ok(merged) => Step::Done(Preview::Merged(merged)),
            Err(error) => Step::failed(error),
        }
    }

    /// The result of applying an object that is invalid only for fields which applying would
    /// remove.
    async fn past_leftovers(
        &self,
        look: &ObserveRequest<'_>,
        live: &Object,
        error: ApiError,
    ) -> Step {
        let (served, send, sent) = (look.served, &look.send, look.sent);
        if !error.is_invalid() || live.api_version() != send.api_version() {
            return Step::Answer(Err(error), None);
        }
        let may_go = &|leftover: &Leftover| sent.is_none_or(|it| it.may_go(leftover, live));
        let blocked = BlockedApply { served, send, live, error: &error, may_go };
        match self.rehearse_cleared(blocked).await {
            Ok(ClearedApply { merged, .. }) => Step::Done(Preview::Merged(merged)),
            Err(ApplyObstacle::Failed(error)) => Step::failed(error),
            Err(ApplyObstacle::Refused { error, hint }) => Step::Answer(Err(error), hint),
        }
    }

    /// The observation that the last answer makes; `None` where it is not about what is `live`.
    async fn judged(
        &self,
        look: &ObserveRequest<'_>,
        live: Option<Object>,
        answer: Result<Object, ApiError>,
        hint: Option<Remedy>,
    ) -> Option<ObserveResult> {
        let (served, send) = (look.served, &look.send);
        let mut verdict = None;
        let preview = match (answer, &live) {
            (Ok(merged), Some(live)) if compare::is_noop(live, &merged) => {
                match compare::dropped(send, &merged).is_empty() {
                    true => {
                        verdict = CachedNoOp::new(send, live);
                        Preview::Same
                    }
                    // Of what is declared and not there nothing is remembered: the server may
                    // learn to keep it.
                    false => Preview::Merged(merged),
                }
            }
            (Ok(merged), Some(live)) if merged.resource_version() != live.resource_version() => {
                return None;
            }
            (Ok(merged), _) => Preview::Merged(merged),
            (Err(error), _) => match error.no_dry_run() {
                Some(why) => Preview::Unasked(why),
                None if let Some(live) = &live
                    && self.is_immutability(served, &error, look.definition).await =>
                {
                    let recreation = self.could_be_made(served, send, live).await;
                    Preview::Immutable { refusal: error.refusal(), recreation }
                }
                None if error.is_verdict() => {
                    let refusal = error.refusal();
                    Preview::Refused(Refusal { hint: hint.or(refusal.hint), ..refusal })
                }
                None => return Some(self.unknown(served, look.promised, &error).await),
            },
        };
        Some(ObserveResult { verdict, ..ObserveResult::seen(live, preview) })
    }

    /// It could not be looked at. A server that the commit itself brings may yet come up.
    async fn unknown(
        &self,
        served: &Served,
        promised: Option<&ObjectKey>,
        error: &ApiError,
    ) -> ObserveResult {
        let why = self.why_not(served, error).await;
        let observation = match promised.filter(|_| error.is_of_gateway()) {
            Some(by) => {
                let prerequisite = Prerequisite::Server { by: by.clone(), silence: Some(why) };
                Observation::Seen { live: None, preview: Some(Preview::Deferred(prerequisite)) }
            }
            None => Observation::Unknown(why),
        };
        ObserveResult { observation, verdict: None }
    }

    /// Looks at one object again, as the server has it now.
    pub async fn observe_again(&self, served: &Served, send: &Object) -> Observation {
        let look = ObserveRequest {
            served,
            send: send.clone(),
            sent: None,
            member: None,
            is_unlisted: false,
            promised: None,
            definition: None,
            mode: None,
        };
        self.observe_object(look, None).await.observation
    }
}
