//! Takes an object over from those who applied it before: what that makes of it, asked by dry run,
//! and the write that makes their fields ours. Whose fields those are is
//! [`crate::core::managed_fields::takeover`]'s.

use http::Method;

use super::api_request::{ApiRequest, object};
use super::path::one;
use super::{ApiError, Apply, Cluster};
use crate::core::json::{Value, json};
use crate::core::kinds::catalog::Served;
use crate::core::managed_fields::emptied::fill;
use crate::core::managed_fields::managers::{self, Manager};
use crate::core::managed_fields::prediction::foresee;
use crate::core::managed_fields::release::release;
use crate::core::managed_fields::takeover::hand_over;
use crate::core::managed_fields::versions::{are_mixed, redeclared, unconverted};
use crate::core::object::Object;

/// How often an object is taken over that changes in between.
const TRIES: usize = 5;

impl Cluster {
    /// The result for `live` when its predecessors hand over what they own and `send` is applied.
    /// Without the handover, the dry run made `merged` of it.
    ///
    /// A dry run can't do two things one after the other. So what is removed with the fields that
    /// we release is taken out here, and the server is asked what it makes of the rest: it brings
    /// back defaults, and refuses what can't go.
    pub(in crate::cluster) async fn taken_over(
        &self,
        served: &Served,
        send: &Object,
        live: &Object,
        handed_over: &Object,
        merged: &Object,
    ) -> Result<Object, ApiError> {
        let mut after = release(merged, handed_over);
        fill(send, live, &mut after);
        if without_owners(&after) == without_owners(merged) {
            return Ok(after);
        }
        self.as_written(served, live, &after).await
    }

    /// The server's answer when `after` is put in the place of `live`, with the owners of `after`.
    /// Writes nothing.
    ///
    /// # Errors
    ///
    /// When it changed since it was seen, which is a conflict; when the API server refuses, or does
    /// not answer.
    pub(in crate::cluster) async fn as_written(
        &self,
        served: &Served,
        live: &Object,
        after: &Object,
    ) -> Result<Object, ApiError> {
        let becomes = without_owners(after);
        let lives = without_owners(live);
        let gone = lives.0.keys().filter(|key| !becomes.0.contains_key(key));
        let mut patch: Vec<Value> =
            gone.map(|key| json!({ "op": "remove", "path": path_to(key) })).collect();
        for (key, value) in &*becomes.0 {
            if lives.0.get(key) == Some(value) {
                continue;
            }
            match (key.as_str(), value) {
                ("metadata", Value::Object(metadata)) => {
                    let mut metadata = metadata.clone();
                    let owners = live.metadata().and_then(|m| m.get("managedFields"));
                    metadata
                        .extend(owners.map(|owners| ("managedFields".to_owned(), owners.clone())));
                    patch.push(json!({ "op": "add", "path": "/metadata", "value": metadata }));
                }
                _ => patch.push(json!({ "op": "add", "path": path_to(key), "value": value })),
            }
        }
        patch.push(still(live));
        let mut answer = self.patch_json(served, live, patch, true).await?;
        let owners = after.metadata().and_then(|metadata| metadata.get("managedFields"));
        let owners = owners.map(|owners| ("managedFields".to_owned(), owners.clone()));
        answer.metadata_mut().extend(owners);
        Ok(answer)
    }

    /// Makes ours what the predecessors of `seen` own, if there are any, and what would be left
    /// behind; says what is there then.
    ///
    /// # Errors
    ///
    /// When it changed since it was seen, which is a conflict; when the API server refuses, or does
    /// not answer.
    pub async fn take_over_seen(
        &self,
        apply: Apply<'_>,
        seen: &Object,
    ) -> Result<Object, ApiError> {
        let Apply { served, send, on_conflict: _, meant: _ } = apply;
        // Of an object of which nothing is recorded, only the server knows the fields.
        let recorded = match managers::of(seen).next() {
            Some(_) => seen.clone(),
            None => recorded(seen, &object(self.dry_run(served, send).await?.body)),
        };
        let Some(handed_over) = hand_over(&recorded, send) else {
            return self.own_elements(apply, seen.clone()).await;
        };
        self.put_owners(served, send, handed_over, still(seen)).await
    }

    /// Puts the owners of `after` in the place of those that the object has, as long as it is `still`
    /// the one that was seen.
    ///
    /// The server may be unable to convert the object to the version that an entry is named in.
    /// Then it drops all entries without a word, or leaves them as they were (k8s.io/apimachinery,
    /// `pkg/util/managedfields/internal/fieldmanager.go`, `UpdateNoErrors`). So it is asked first,
    /// and our entry is named in the version of `send` where that is what it takes.
    async fn put_owners(
        &self,
        served: &Served,
        send: &Object,
        mut after: Object,
        still: Value,
    ) -> Result<Object, ApiError> {
        let patch = |after: &Object| {
            let owners = after.metadata().and_then(|metadata| metadata.get("managedFields"));
            let owners = json!({ "op": "add", "path": "/metadata/managedFields", "value": owners });
            vec![owners, still.clone()]
        };
        while are_mixed(&after, send) {
            let becomes = self.patch_json(served, &after, patch(&after), true).await?;
            let version = |object: &Object| {
                let mut ours = managers::of(object).filter(Manager::is_ours);
                ours.next().map(|ours| ours.api_version.to_owned())
            };
            let is_taken = managers::entries(&becomes).count() <= managers::entries(&after).count();
            if is_taken && version(&becomes) == version(&after) {
                break;
            }
            let Some(redeclared) = redeclared(&after, send) else {
                return Err(ApiError::of_other_owners(unconverted(&after, send)));
            };
            after = redeclared;
        }
        self.patch_json(served, &after, patch(&after), false).await
    }

    /// The result for `live` when `send` is applied once our entry is named in its version; `None`
    /// where it is, or we have none. Writes nothing.
    ///
    /// As a dry run can't do two things one after the other, the server is asked what it makes of what
    /// is foreseen.
    pub(in crate::cluster) async fn redeclared(
        &self,
        served: &Served,
        send: &Object,
        live: &Object,
    ) -> Option<Result<Object, ApiError>> {
        let handed_over = hand_over(live, send);
        let redeclared = redeclared(handed_over.as_ref().unwrap_or(live), send)?;
        let after = foresee(send, &redeclared);
        Some(self.as_written(served, live, &after).await)
    }

    /// Names our entry in the version of `send`; what is there then, or `None` where it is named so,
    /// or we have none.
    ///
    /// # Errors
    ///
    /// When it changed since it was seen, which is a conflict; when the API server refuses, or does
    /// not answer.
    pub(in crate::cluster) async fn redeclare(
        &self,
        served: &Served,
        send: &Object,
    ) -> Result<Option<Object>, ApiError> {
        let Some(live) = self.get(served, send.namespace(), send.name()).await? else {
            return Ok(None);
        };
        let Some(redeclared) = redeclared(&live, send) else { return Ok(None) };
        let seen = send.resource_version().map_or_else(|| still(&live), |_| still(send));
        self.put_owners(served, send, redeclared, seen).await.map(Some)
    }

    /// As [`take_over_seen`](Self::take_over_seen), whatever `seen` has become in the meantime.
    ///
    /// # Errors
    ///
    /// When the API server refuses, or does not answer.
    pub async fn take_over(&self, apply: Apply<'_>, seen: &Object) -> Result<(), ApiError> {
        let served = apply.served;
        let mut seen = seen.clone();
        for _ in 0..TRIES {
            match self.take_over_seen(apply, &seen).await {
                Err(error) if error.is_conflict() => {}
                Err(error) if error.is_gone() => return Ok(()),
                done => return done.map(|_| ()),
            }
            match self.get(served, seen.namespace(), seen.name()).await? {
                None => return Ok(()),
                Some(now) => seen = now,
            }
        }
        self.take_over_seen(apply, &seen).await.map(|_| ())
    }

    /// Sends a JSON patch.
    pub(super) async fn patch_json(
        &self,
        served: &Served,
        live: &Object,
        patch: Vec<Value>,
        dry_run: bool,
    ) -> Result<Object, ApiError> {
        let dry_run = if dry_run { "&dryRun=All" } else { "" };
        let manager = crate::core::managed_fields::FIELD_MANAGER;
        let path = one(served, live.namespace(), live.name());
        let body = serde_json::to_vec(&patch).unwrap_or_default();
        let call = ApiRequest {
            method: Method::PATCH,
            path: format!("{path}?fieldManager={manager}{dry_run}"),
            body: Some(("application/json-patch+json", body)),
            accept: None,
            known: None,
        };
        self.call(call).await.map(|answer| object(answer.body))
    }
}

/// `live` with its owners; where none are recorded, with those that the server makes up on the
/// first apply.
pub(in crate::cluster) fn recorded(live: &Object, merged: &Object) -> Object {
    let mut recorded = live.clone();
    if managers::of(live).next().is_none() {
        let theirs = managers::entries(merged)
            .filter(|entry| managers::read(entry).is_some_and(|manager| !manager.is_ours()));
        let theirs: Vec<Value> = theirs.cloned().collect();
        recorded.metadata_mut().insert("managedFields".to_owned(), theirs.into());
    }
    recorded
}

/// That the object is still the one that was seen. Not a test, so that the server calls a race a
/// conflict.
pub(super) fn still(live: &Object) -> Value {
    let version = live.resource_version();
    json!({ "op": "replace", "path": "/metadata/resourceVersion", "value": version })
}

fn without_owners(object: &Object) -> Object {
    let mut object = object.clone();
    object.metadata_mut().remove("managedFields");
    object
}

fn path_to(key: &str) -> String {
    format!("/{}", key.replace('~', "~0").replace('/', "~1"))
}
