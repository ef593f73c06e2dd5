//! Kinds that are unknown before their server answers: it is waited for, and asked once which it
//! has. That it is reached at all, by its APIService, is the order's.

use std::borrow::Cow;
use std::time::Duration;

use super::ApplyRun;
use super::worker::{ServedResult, Worker, endpoint};
use crate::cluster::WaitCondition;
use crate::core::annotations::Mode;
use crate::core::health::Health;
use crate::core::kinds::catalog::{Served, is_api_service};
use crate::core::managed_fields;
use crate::core::object::ObjectKey;
use crate::core::observed::{Prerequisite, Unlisted};
use crate::core::plan::{Change, Confidence, Effect, NoPreview, Plan, Reason, ReasonKind, Write};
use crate::core::problem::Cause;

/// The pause before a server that is available and does not answer yet is asked again.
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// The APIService of an object whose kind is still unknown.
pub(super) fn server_of(change: &Change) -> Option<&ObjectKey> {
    match change.confidence() {
        Confidence::Local(NoPreview::Prerequisite(Prerequisite::Server { by, .. })) => Some(by),
        _ => None,
    }
}

/// Whether objects of the plan wait until an APIService is available on which there is nothing to
/// do.
pub(super) fn is_waited_for(plan: &Plan, service: &Change) -> bool {
    let key = &service.key;
    let mut all = plan.desired.changes.iter();
    let needs = |it: &Change| it.is_work() && server_of(it) == Some(key);
    is_api_service(key) && !service.is_work() && all.any(needs)
}

impl Worker<'_> {
    /// Where an object is served.
    pub(super) async fn endpoint(&self, change: &Change) -> Result<Served, Reason> {
        let Some(by) = server_of(change) else {
            let served = endpoint(self.survey, change);
            return served.ok_or_else(|| ReasonKind::NotServed.into());
        };
        let (kind, version) = (change.key.group_kind(), &change.version);
        let api_version = format!("{}/{version}", kind.group);
        let answer = self.servers.answer(&api_version);
        let answer = answer.get_or_init(|| self.ask(&api_version)).await;
        let silent = |message: &String| ReasonKind::ServerSilent {
            by: by.clone(),
            message: message.clone(),
        };
        let kinds = answer.as_ref().map_err(silent)?;
        let Some(served) = kinds.iter().find(|served| served.group_kind == kind) else {
            let names: Vec<&str> = kinds.iter().map(|it| it.group_kind.kind.as_str()).collect();
            let remedy = (!names.is_empty()).then(|| format!("it has {}", names.join(", ")));
            let (by, kind) = (by.clone(), kind.kind);
            let why = ReasonKind::NoSuchKind { by, kind, api_version };
            let why = Reason { remedy: remedy.map(Into::into), ..why.into() };
            return Err(self.at(change, "kind", why));
        };
        if served.namespaced == change.key.namespace.is_some() {
            return Ok(served.clone());
        }
        let remedy = match served.namespaced {
            true => {
                "set metadata.namespace, or run again: the server now says that the kind is \
                namespaced"
            }
            false => {
                "remove metadata.namespace, or run again: the server now says that the kind \
                is cluster-scoped"
            }
        };
        let kind = ReasonKind::WrongScope { kind: kind.kind, is_namespaced: served.namespaced };
        let why = Reason::with_remedy(kind, remedy);
        Err(self.at(change, "metadata.namespace", why))
    }

    /// The change as it is now that the server of its kind answers: before, it was unknown whether
    /// the object exists. What is there and not ours is left to the next run, which shows it first.
    pub(super) async fn as_it_is_now<'c>(
        &self,
        served: &Served,
        change: &'c Change,
    ) -> Result<Cow<'c, Change>, Reason> {
        if server_of(change).is_none() || change.live().is_some() {
            return Ok(Cow::Borrowed(change));
        }
        let (key, desired) = (&change.key, &self.survey.found.desired);
        let live = self.cluster.get(served, key.namespace.as_deref(), &key.name).await;
        let live =
            live.map_err(|error| ReasonKind::RequestFailed { message: error.to_string() })?;
        let (Some(live), Some(manifest)) = (live, desired.objects.get(key)) else {
            return Ok(Cow::Borrowed(change));
        };
        let is_ours = managed_fields::is_ours(&live, &self.inventory.id());
        if !is_ours || self.approval.is_some() {
            let remedy = "run again: its server answers now, so the difference can be shown";
            return Err(Reason::with_remedy(ReasonKind::ThereAlready { is_ours }, remedy));
        }
        // An object that is only created is never changed, and the server says that it is there.
        let Some(write) = change.write().filter(|_| !Mode::only_creates(&manifest.object)) else {
            return Ok(Cow::Borrowed(change));
        };
        let send = desired.sent(key, manifest, Some(&live)).into_owned();
        let effect = Effect::Update { live, write: Write { send, ..write.clone() } };
        Ok(Cow::Owned(Change { effect, ..change.clone() }))
    }

    /// Waits until an APIService is available on which there is nothing to do; how it is if it does
    /// not get so.
    pub(super) async fn until_available(&self, change: &Change) -> Option<Health> {
        let served = endpoint(self.survey, change)?;
        let name = change.key.name.as_str();
        match self
            .cluster
            .until_condition(&served, &WaitCondition::AVAILABLE, name, self.patience)
            .await
        {
            Ok(Ok(())) => None,
            Ok(Err(why)) => Some(Health::progressing(why)),
            Err(error) => Some(Health::progressing(error.to_string())),
        }
    }

    /// Asks for the kinds of a group's version; its server is said to be there.
    async fn ask(&self, api_version: &str) -> ServedResult {
        loop {
            match self.cluster.kinds_of(api_version).await {
                // An API server may take a moment to see what another one has seen.
                Err(error)
                    if error.is_not_found()
                        && self.patience.allows(ASK_AGAIN)
                        && self.patience.rest(ASK_AGAIN).await => {}
                answer => return answer.map_err(|error| error.to_string()),
            }
        }
    }

    /// A reason with its place in the files.
    fn at(&self, change: &Change, field: &str, why: Reason) -> Reason {
        let Some(manifest) = self.survey.found.desired.objects.get(&change.key) else { return why };
        let cause = Cause { field: field.to_owned(), message: why.to_string(), place: None };
        Reason { causes: manifest.located(vec![cause]), ..why }
    }
}

impl ApplyRun<'_> {
    /// Kinds whose members in the inventory are unknown. Where their server has come up in this
    /// run, they are listed now; what is to go of them is left to the next one.
    pub(super) async fn still_unlisted(&self) -> Vec<Unlisted> {
        let (survey, kinds) = (self.survey, self.servers.kinds());
        let mut still = Vec::new();
        for unlisted in &survey.found.unlisted {
            let served = kinds.iter().find(|served| served.group_kind == unlisted.kind);
            let is_settled =
                match served.filter(|_| survey.decided.plan.undesired.changes.is_empty()) {
                    Some(served) => {
                        let is_desired =
                            |key: &ObjectKey| survey.found.desired.objects.contains_key(key);
                        let members = self
                            .cluster
                            .members_of(served, self.course.inventory, &survey.decided.after)
                            .await;
                        members.is_ok_and(|members| members.iter().all(is_desired))
                    }
                    None => false,
                };
            if !is_settled {
                still.push(unlisted.clone());
            }
        }
        still
    }
}
