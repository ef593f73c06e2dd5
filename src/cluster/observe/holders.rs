//! The holders of values that desired objects want and of which the cluster has each only once.
//!
//! The server refuses such an object, or says nothing of it in a dry run and refuses it later. So
//! all objects of the kind are listed, once and only where there is such an object, and the server
//! is asked about the object without those values: what else is wrong with it is reported now.

use std::collections::{BTreeMap, BTreeSet};

use super::members::{ListRequest, PAGE};
use super::{HeldBytes, ObserveOptions, typed};
use crate::cluster::api_request::object;
use crate::cluster::path::{api_version, collection};
use crate::cluster::{ApiError, Cluster};
use crate::core::kinds::catalog::{Lookup, Served};
use crate::core::object::{GroupKind, Object, ObjectKey};
use crate::core::observed::{Observation, Observed, Preview, Taken};
use crate::core::unique_value::{self, Space, UniqueValue};

/// An object that wants values which others may hold.
struct Receiver<'a> {
    key: &'a ObjectKey,
    send: Object,
    values: Vec<UniqueValue>,
    is_refused: bool,
}

impl Cluster {
    /// Notes for each desired object who holds the values that it wants.
    pub(super) async fn find_holders(
        &self,
        question: &ObserveOptions<'_>,
        observed: &mut Observed,
    ) {
        let receivers = receivers(question, observed);
        let kinds: BTreeSet<GroupKind> = receivers.iter().map(|it| it.key.group_kind()).collect();
        let mut holders = BTreeMap::new();
        for kind in kinds {
            let Some(served) = question.catalog.preferred(&kind) else { continue };
            for live in self.all_of(question, served).await.unwrap_or_default() {
                let key = live.key();
                let values = unique_value::of(&key, &live);
                holders.insert(key, values);
            }
        }
        for receiver in receivers {
            let Receiver { key, send, values, is_refused } = receiver;
            let holds = |value: &UniqueValue| {
                let mut others = holders.iter().filter(|(other, _)| *other != key);
                others.find(|(other, held)| {
                    other.group_kind() == key.group_kind() && value.is_among(held)
                })
            };
            let taken: Vec<Taken> = values
                .into_iter()
                .filter_map(|value| {
                    let holder = holds(&value)?.0.clone();
                    Some(Taken { value, holder })
                })
                .collect();
            if taken.is_empty() {
                if is_refused {
                    say_that_it_is_hidden(observed.objects.get_mut(key));
                }
                continue;
            }
            if is_refused {
                self.retry_without_values(question, key, &send, &taken, observed).await;
            }
            observed.taken.insert(key.clone(), taken);
        }
    }

    /// Asks the server what it would make of an object if it did not want the values that others
    /// hold.
    async fn retry_without_values(
        &self,
        question: &ObserveOptions<'_>,
        key: &ObjectKey,
        send: &Object,
        taken: &[Taken],
        observed: &mut Observed,
    ) {
        let Lookup::Served(served) = question.catalog.lookup(&key.group_kind(), send.version())
        else {
            return;
        };
        let values: Vec<UniqueValue> = taken.iter().map(|it| it.value.clone()).collect();
        let answer = self.dry_run(served, &unique_value::without(key, send, &values)).await;
        let preview = match answer {
            Ok(answer) => Preview::Merged(unique_value::with(key, object(answer.body), send)),
            Err(error) if error.is_verdict() => Preview::Refused(error.refusal()),
            Err(_) => return,
        };
        if let Some(Observation::Seen { live: _, preview: seen }) = observed.objects.get_mut(key) {
            *seen = Some(preview);
        }
    }

    /// All objects of a kind, or as many as the user may list.
    async fn all_of(
        &self,
        question: &ObserveOptions<'_>,
        served: &Served,
    ) -> Result<Vec<Object>, ApiError> {
        let (version, kind) = (api_version(served), served.group_kind.kind.as_str());
        let held = HeldBytes::default();
        let mut objects = Vec::new();
        let namespaces = question.desired.namespaces();
        let mut scopes = vec![None];
        while let Some(scope) = scopes.pop() {
            let path = format!("{}?labelSelector=", collection(served, scope));
            match self
                .json_pages(ListRequest { path: &path, accept: None, held: &held, page: PAGE })
                .await
            {
                Ok(picked) => {
                    objects.extend(picked.items.iter().map(|item| typed(item, &version, kind)));
                }
                Err(error)
                    if error.is_forbidden()
                        && scope.is_none()
                        && served.namespaced
                        && namespaces.len() <= self.connection.limits.questions =>
                {
                    scopes.extend(namespaces.iter().map(|name| Some(name.as_str())));
                }
                Err(error) if error.is_forbidden() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(objects)
    }
}

/// The desired objects that want what others may hold: those that the server refuses for it, and
/// those with an address of which a dry run says nothing.
fn receivers<'a>(question: &ObserveOptions<'a>, observed: &Observed) -> Vec<Receiver<'a>> {
    let desired = question.desired;
    let declared =
        desired.objects.iter().filter(|(key, _)| unique_value::has_any(&key.group_kind()));
    let receivers = declared.filter_map(|(key, manifest)| {
        let Some(Observation::Seen { live, preview: Some(preview) }) = observed.objects.get(key)
        else {
            return None;
        };
        let send = desired.sent(key, manifest, live.as_ref()).into_owned();
        let has = live.as_ref().map(|live| unique_value::of(key, live)).unwrap_or_default();
        let mut values = unique_value::of(key, &send);
        values.retain(|value| !value.is_among(&has));
        let is_refused = match preview {
            Preview::Refused(refusal) => {
                let mut causes = refusal.causes.iter();
                unique_value::is_taken(&refusal.message)
                    || causes.any(|cause| unique_value::is_taken(&cause.message))
            }
            Preview::Merged(_) => {
                values.retain(|value| value.space == Space::Address);
                false
            }
            _ => return None,
        };
        (!values.is_empty()).then_some(Receiver { key, send, values, is_refused })
    });
    receivers.collect()
}

/// Adds what to do where whoever holds a value can't be seen.
fn say_that_it_is_hidden(observation: Option<&mut Observation>) {
    if let Some(Observation::Seen { preview: Some(Preview::Refused(refusal)), .. }) = observation {
        let hint = "another object that this user may not see holds it: choose another value, leave \
                    it out so that the server chooses one, or ask for the right to list the kind";
        refusal.hint.get_or_insert_with(|| hint.into());
    }
}
