//! One object: read it, apply it, delete it, wait until it has a condition or is gone.

use http::Method;

use super::api_request::{ApiRequest, ApiResponse, object};
use super::definitions::UnservedKind;
use super::path::one;
use super::wait::OneObject;
use super::{ApiError, Cluster, RetryPolicy};
use crate::core::json::{Value, json};
use crate::core::kinds::catalog::Served;
use crate::core::managed_fields::FIELD_MANAGER;
use crate::core::object::Object;
use crate::core::policy::OnConflict;
use crate::core::policy::run_options::Cascade;

/// How often a deletion is tried again when the object changed in between without ceasing to be
/// ours, as a Deployment does whose pods come and go.
const DELETE_TRIES: usize = 5;

/// How a deletion ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeleteOutcome {
    /// The object is gone.
    Deleted,
    /// The server has taken the deletion and waits for finalizers.
    Terminating,
    /// The object is no longer the one to delete: it was taken over or recreated.
    Changed,
}

/// The API's word for what becomes of the objects that a deleted one owns.
fn policy(cascade: Cascade) -> &'static str {
    match cascade {
        Cascade::Background => "Background",
        Cascade::Foreground => "Foreground",
        Cascade::Orphan => "Orphan",
    }
}

/// A condition to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitCondition {
    /// Its type.
    pub kind: &'static str,
    /// The condition that, once it is false, will not become true by waiting.
    pub refused: Option<&'static str>,
}

impl WaitCondition {
    /// A definition's objects can be made.
    pub const ESTABLISHED: Self = Self { kind: "Established", refused: Some("NamesAccepted") };
    /// A group's server answers.
    pub const AVAILABLE: Self = Self { kind: "Available", refused: None };
}

/// One object to apply.
#[derive(Clone, Copy)]
pub struct Apply<'a> {
    /// Where it is served.
    pub served: &'a Served,
    /// The object as it is sent.
    pub send: &'a Object,
    /// How to resolve conflicts.
    pub on_conflict: OnConflict,
    /// The intended object, where that is known.
    pub meant: Option<&'a Object>,
}

impl Cluster {
    /// One object; `None` when it does not exist.
    ///
    /// # Errors
    ///
    /// When its kind is not served; when the API server refuses, or does not answer.
    pub async fn get(
        &self,
        served: &Served,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Option<Object>, ApiError> {
        match self.call(ApiRequest::get(one(served, namespace, name))).await {
            Ok(answer) => Ok(Some(object(answer.body))),
            Err(error) if error.is_gone() => Ok(None),
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

    /// Applies one object and returns what it became.
    ///
    /// # Errors
    ///
    /// When the API server refuses, or does not answer.
    pub async fn apply(&self, served: &Served, send: &Object) -> Result<Object, ApiError> {
        let on_conflict = OnConflict::Force;
        self.apply_or(Apply { served, send, on_conflict, meant: None }).await
    }

    /// Applies one object, provided that what is there is `seen` to the last write, or nothing; until
    /// it is what is `meant`.
    ///
    /// # Errors
    ///
    /// When something else is there, which is a conflict; when the API server refuses, or does not
    /// answer.
    pub async fn apply_over(
        &self,
        apply: Apply<'_>,
        seen: Option<&Object>,
    ) -> Result<Object, ApiError> {
        let mut send = apply.send.clone();
        match seen {
            Some(seen) => {
                let seen = [("uid", seen.uid()), ("resourceVersion", seen.resource_version())];
                let seen = seen.into_iter().map(|(key, value)| (key.to_owned(), value.into()));
                send.metadata_mut().extend(seen);
            }
            // Server-side apply has no way to ask for an object that is not there yet.
            None => {
                if self.get(apply.served, send.namespace(), send.name()).await?.is_some() {
                    return Err(ApiError::exists());
                }
            }
        }
        let done = self.apply_or(Apply { send: &send, ..apply }).await?;
        match seen {
            Some(seen) => self.remove_elements(apply, seen, done).await,
            None => Ok(done),
        }
    }

    /// Deletes one object, provided that it is the one that was seen and has not
    /// changed since; one that changed and `is_meant` all the same is tried again.
    ///
    /// # Errors
    ///
    /// When the API server refuses, or does not answer.
    pub async fn delete(
        &self,
        served: &Served,
        seen: &Object,
        cascade: Cascade,
        is_meant: &(dyn Fn(&Object) -> bool + Sync),
    ) -> Result<DeleteOutcome, ApiError> {
        let mut seen = seen.clone();
        for _ in 0..DELETE_TRIES {
            match self.delete_exactly(served, &seen, cascade).await {
                Err(error) if error.is_unserved() => {
                    let definitions = self.definitions().await;
                    return match self.unserved_kind(&served.group_kind, &definitions, false) {
                        UnservedKind::Gone => Ok(DeleteOutcome::Deleted),
                        UnservedKind::Defined | UnservedKind::Unknown => Err(error),
                    };
                }
                Err(error) if error.is_gone() => return Ok(DeleteOutcome::Deleted),
                Err(error) if error.is_conflict() => {}
                done => return done,
            }
            match self.get(served, seen.namespace(), seen.name()).await? {
                None => return Ok(DeleteOutcome::Deleted),
                Some(now) if now.uid() != seen.uid() || !is_meant(&now) => {
                    return Ok(DeleteOutcome::Changed);
                }
                Some(now) => seen = now,
            }
        }
        self.delete_exactly(served, &seen, cascade).await
    }

    /// Deletes one object if its uid and resourceVersion are still those that were seen.
    pub(super) async fn delete_exactly(
        &self,
        served: &Served,
        seen: &Object,
        cascade: Cascade,
    ) -> Result<DeleteOutcome, ApiError> {
        let options = json!({
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": policy(cascade),
            "preconditions": { "uid": seen.uid(), "resourceVersion": seen.resource_version() },
        });
        let answer = self
            .call(ApiRequest {
                method: Method::DELETE,
                path: one(served, seen.namespace(), seen.name()),
                body: Some(("application/json", options.to_string().into_bytes())),
                accept: None,
                known: None,
            })
            .await?;
        // A Status means gone; the object itself means that finalizers hold it.
        let held = answer.body.pointer("/metadata/deletionTimestamp").is_some();
        Ok(if held { DeleteOutcome::Terminating } else { DeleteOutcome::Deleted })
    }

    /// Waits until the object is gone; says whether it is.
    ///
    /// # Errors
    ///
    /// When the API server does not answer.
    pub async fn until_gone(
        &self,
        served: &Served,
        seen: &Object,
        patience: &RetryPolicy,
    ) -> Result<bool, ApiError> {
        let is_gone = |now: Option<&Object>| {
            let is_there = now.is_some_and(|now| now.uid() == seen.uid());
            (!is_there).then_some(())
        };
        let one = OneObject { served, namespace: seen.namespace(), name: seen.name() };
        Ok(self.until(one, patience, is_gone).await?.is_some())
    }

    /// Waits until an object without a namespace has a condition; says why when it does not get it.
    ///
    /// # Errors
    ///
    /// When the API server does not answer.
    pub async fn until_condition(
        &self,
        served: &Served,
        wanted: &WaitCondition,
        name: &str,
        patience: &RetryPolicy,
    ) -> Result<Result<(), String>, ApiError> {
        let mut last = None;
        let one = OneObject { served, namespace: None, name };
        let ended = self.until(one, patience, |live| {
            let has = condition(live?, wanted.kind);
            last = has.and_then(words);
            if has.is_some_and(|it| it["status"] == "True") {
                return Some(Ok(()));
            }
            let refused = wanted.refused.and_then(|kind| condition(live?, kind));
            let refused = refused.filter(|it| it["status"] == "False")?;
            Some(Err(words(refused)))
        });
        let ended = ended.await?;
        if let Some(Ok(())) = ended {
            return Ok(Ok(()));
        }
        let end = if patience.is_over() { "in time" } else { "yet when it was interrupted" };
        let not = format!("it was not {} {end}", wanted.kind.to_lowercase());
        Ok(Err(match (ended, last) {
            (Some(Err(Some(said))), _) => said,
            (_, Some(said)) => format!("{not}: {said}"),
            (_, None) => not,
        }))
    }
}

/// A condition of an object.
pub(super) fn condition<'a>(object: &'a Object, kind: &str) -> Option<&'a Value> {
    let conditions = object.0.get("status")?.get("conditions")?.as_array()?;
    conditions.iter().find(|it| it["type"] == kind)
}

/// The text of a condition, its reason first.
pub(super) fn words(condition: &Value) -> Option<String> {
    let text = |key: &str| condition[key].as_str().filter(|text| !text.is_empty());
    match (text("reason"), text("message")) {
        (Some(reason), Some(message)) => Some(format!("{reason}: {message}")),
        (one, other) => one.or(other).map(str::to_owned),
    }
}
