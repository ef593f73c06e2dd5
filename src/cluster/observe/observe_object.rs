//! One desired object: what is live, and what applying would make of it.
//!
//! The proof first, then what the server said before, and the server itself last.

use http::{Method, StatusCode};

use super::ObserveOptions;
use crate::cluster::api_request::{ApiRequest, ApiResponse, object};
use crate::cluster::leftovers::{ApplyObstacle, BlockedApply, ClearedApply};
use crate::cluster::path::one;
use crate::cluster::take_over::recorded;
use crate::cluster::{ApiError, Cluster};
use crate::core::annotations::Mode;
use crate::core::compare;
use crate::core::dry_run_cache::{CachedNoOp, DryRunCache};
use crate::core::field_rules::fields_of;
use crate::core::kinds::catalog::Served;
use crate::core::kinds::schemas::Schemas;
use crate::core::managed_fields::leftovers::Leftover;
use crate::core::managed_fields::takeover::hand_over;
use crate::core::managed_fields::{FIELD_MANAGER, versions};
use crate::core::manifest::{Manifest, PathPart};
use crate::core::object::{Object, ObjectKey};
use crate::core::observed::{Observation, Prerequisite, Preview};
use crate::core::policy::OnConflict;
use crate::core::problem::Refusal;

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
    /// What its kinds are like. Custom resources are left to the server: the definition that is in
    /// force may not be the one that the commit has.
    pub(super) schemas: &'static Schemas,
}

/// The result of an observation.
pub(super) struct ObserveResult {
    pub(super) observation: Observation,
    /// The answer to cache.
    pub(super) verdict: Option<CachedNoOp>,
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
        if (look.is_unlisted || look.mode.is_some()) && look.member.is_none() {
            let name = (look.send.namespace(), look.send.name());
            match self.get(look.served, name.0, name.1).await {
                Ok(live) => look.member = live,
                Err(error) => return self.unknown(look.served, look.promised, &error).await,
            }
            let is_there = look.member.as_ref().is_some_and(|live| !live.is_terminating());
            let is_left = match look.mode {
                None => false,
                Some(Mode::CreateOnly) => is_there,
                Some(Mode::Ignore) => true,
            };
            if is_left {
                let (live, preview) = (look.member, Some(Preview::Left));
                let observation = Observation::Seen { live, preview };
                return ObserveResult { observation, verdict: None };
            }
            if let Some(sent) = look.sent {
                look.send = sent.beside(look.member.as_ref());
            }
            if let Some((live, known)) = look.member.as_ref().zip(known)
                && let Some(verdict) = known.is_same(&look.send, live)
            {
                let (live, preview) = (Some(live.clone()), Some(Preview::Same));
                return ObserveResult { observation: Observation::Seen { live, preview }, verdict };
            }
        }
        let ObserveRequest {
            served,
            mut send,
            sent,
            member,
            is_unlisted: _,
            promised,
            definition,
            mode: _,
        } = look;
        let mut member = member.filter(|member| member.api_version() == send.api_version());
        for _ in 0..LOOKS {
            if let Some(sent) = sent {
                if member.is_none() {
                    match self.get(served, send.namespace(), send.name()).await {
                        Ok(live) => member = live,
                        Err(error) => return self.unknown(served, promised, &error).await,
                    }
                }
                send = sent.beside(member.as_ref());
            }
            let answer = self.dry_run(served, &send).await;
            let created = matches!(&answer, Ok(answer) if answer.status == StatusCode::CREATED);
            let live = match member.take() {
                _ if created => None,
                Some(member) => Some(member),
                None => match self.get(served, send.namespace(), send.name()).await {
                    Ok(live) => live,
                    Err(error) => return self.unknown(served, promised, &error).await,
                },
            };
            let mut verdict = None;
            let mut answer = answer.map(|answer| object(answer.body));
            if let (Err(error), Some(live)) = (&answer, &live)
                && let Some(said) = error.of_other_version()
            {
                let hindered = versions::hindered(live, &send, said).map(Preview::Refused);
                let redeclared = match hindered {
                    Some(refused) => Some(Ok(refused)),
                    None => {
                        let redeclared = self.redeclared(served, &send, live).await;
                        redeclared.map(|merged| merged.map(Preview::Merged))
                    }
                };
                match redeclared {
                    Some(Err(error)) if error.is_conflict() => continue,
                    Some(Err(error)) => answer = Err(error),
                    Some(Ok(preview)) => {
                        let (live, preview) = (Some(live.clone()), Some(preview));
                        let observation = Observation::Seen { live, preview };
                        return ObserveResult { observation, verdict };
                    }
                    None => {}
                }
            }
            if let (Ok(merged), Some(live)) = (&answer, &live)
                && merged.resource_version() == live.resource_version()
                && let Some(handed_over) = hand_over(&recorded(live, merged), &send)
            {
                answer = self.taken_over(served, &send, live, &handed_over, merged).await;
                if matches!(&answer, Err(error) if error.is_conflict()) {
                    continue;
                }
                if let Ok(merged) = answer {
                    let (live, preview) = (Some(live.clone()), Some(Preview::Merged(merged)));
                    let observation = Observation::Seen { live, preview };
                    return ObserveResult { observation, verdict: None };
                }
            }
            let mut hint = None;
            if let (Err(error), Some(live)) = (&answer, &live)
                && error.is_invalid()
                && live.api_version() == send.api_version()
            {
                let may_go = &|leftover: &Leftover| sent.is_none_or(|it| it.may_go(leftover, live));
                let blocked = BlockedApply { served, send: &send, live, error, may_go };
                match self.rehearse_cleared(blocked).await {
                    Ok(ClearedApply { merged, .. }) => {
                        let (live, preview) = (Some(live.clone()), Preview::Merged(merged));
                        let observation = Observation::Seen { live, preview: Some(preview) };
                        return ObserveResult { observation, verdict: None };
                    }
                    Err(ApplyObstacle::Failed(error)) if error.is_conflict() => continue,
                    Err(ApplyObstacle::Failed(error)) => answer = Err(error),
                    Err(ApplyObstacle::Refused { error, hint: more }) => {
                        (answer, hint) = (Err(error), more);
                    }
                }
            }
            if let (Ok(merged), Some(live)) = (&answer, &live)
                && merged.resource_version() == live.resource_version()
            {
                match self.rehearse_elements(served, &send, live, merged).await {
                    Ok(None) => {}
                    Ok(Some(merged)) => answer = Ok(merged),
                    Err(error) if error.is_conflict() => continue,
                    Err(error) => answer = Err(error),
                }
            }
            answer = match (answer, &live) {
                (Ok(merged), Some(live)) => {
                    match self.rehearse_to_the_end(served, &send, live, merged).await {
                        Err(error) if error.is_conflict() => continue,
                        answer => answer,
                    }
                }
                (answer, _) => answer,
            };
            let preview = match (answer, &live) {
                (Ok(merged), Some(live)) if compare::is_noop(live, &merged) => {
                    match compare::dropped(&send, &merged).is_empty() {
                        true => {
                            verdict = CachedNoOp::new(&send, live);
                            Preview::Same
                        }
                        // Of what is declared and not there nothing is remembered: the server may
                        // learn to keep it.
                        false => Preview::Merged(merged),
                    }
                }
                (Ok(merged), Some(live))
                    if merged.resource_version() != live.resource_version() =>
                {
                    continue;
                }
                (Ok(merged), _) => Preview::Merged(merged),
                (Err(error), _) => match error.no_dry_run() {
                    Some(why) => Preview::Unasked(why),
                    None if let Some(live) = &live
                        && self.is_immutability(served, &error, definition).await =>
                    {
                        let anew = self.could_be_made(served, &send, live).await;
                        Preview::Immutable { refusal: error.refusal(), anew }
                    }
                    None if error.is_verdict() => {
                        let refusal = error.refusal();
                        Preview::Refused(Refusal { hint: hint.or(refusal.hint), ..refusal })
                    }
                    None => return self.unknown(served, promised, &error).await,
                },
            };
            let observation = Observation::Seen { live, preview: Some(preview) };
            return ObserveResult { observation, verdict };
        }
        let reason = "it changes faster than it can be read".to_owned();
        ObserveResult { observation: Observation::Unknown(reason), verdict: None }
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

    /// One object; `None` when it does not exist.
    pub async fn get(
        &self,
        served: &Served,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Option<Object>, ApiError> {
        match self.call(ApiRequest::get(one(served, namespace, name))).await {
            Ok(answer) => Ok(Some(object(answer.body))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Server-side apply with unknown fields refused. On a dry run nothing is written; unless it is
    /// forced, nothing is taken from another manager.
    pub(in crate::cluster) async fn patch(
        &self,
        served: &Served,
        send: &Object,
        dry_run: bool,
        on_conflict: OnConflict,
    ) -> Result<ApiResponse, ApiError> {
        let force = on_conflict == OnConflict::Force;
        let dry_run = if dry_run { "&dryRun=All" } else { "" };
        let path = format!(
            "{}?fieldManager={FIELD_MANAGER}&force={force}&fieldValidation=Strict{dry_run}",
            one(served, send.namespace(), send.name())
        );
        let body = serde_json::to_vec(send).unwrap_or_default();
        let body = Some(("application/apply-patch+yaml", body));
        self.call(ApiRequest { method: Method::PATCH, path, body, accept: None, known: None }).await
    }
}
