//! Applies, in two steps where the server can't empty a map in one. Which maps those are is
//! [`crate::core::managed_fields::emptied`]'s.

use std::borrow::Cow;

use super::api_request::{ApiResponse, object};
use super::{ApiError, Apply, Cluster};
use crate::core::kinds::catalog::Served;
use crate::core::managed_fields::emptied::{fill, restored, without_refused};
use crate::core::object::Object;
use crate::core::policy::OnConflict;

/// The outcome of the first step.
struct FirstWrite {
    answer: ApiResponse,
    /// The object that was sent, where that was not all.
    first: Option<Object>,
}

impl Cluster {
    /// The result of applying an object, as far as one step goes. Writes nothing.
    ///
    /// # Errors
    ///
    /// When the API server refuses, or does not answer.
    pub(in crate::cluster) async fn dry_run(
        &self,
        served: &Served,
        send: &Object,
    ) -> Result<ApiResponse, ApiError> {
        let FirstWrite { mut answer, first } =
            self.first_step(served, send, true, OnConflict::Force).await?;
        if let Some(first) = first {
            answer.body = restored(send, &first, object(answer.body)).into();
        }
        Ok(answer)
    }

    /// The result of applying an object now. Writes nothing.
    ///
    /// # Errors
    ///
    /// When the API server refuses, or does not answer.
    pub async fn would_become(&self, served: &Served, send: &Object) -> Result<Object, ApiError> {
        Ok(object(self.dry_run(served, send).await?.body))
    }

    /// The result of the second step on `live`, where `merged` is that of the first one.
    ///
    /// # Errors
    ///
    /// When it changed since it was seen, which is a conflict; when the API server refuses, or does
    /// not answer.
    pub(in crate::cluster) async fn rehearse_to_the_end(
        &self,
        served: &Served,
        send: &Object,
        live: &Object,
        mut merged: Object,
    ) -> Result<Object, ApiError> {
        match fill(send, live, &mut merged) {
            true => self.as_written(served, live, &merged).await,
            false => Ok(merged),
        }
    }

    /// Applies one object and returns the result. Fields of others are taken from them only where
    /// that is asked for. It takes a second step where the first one falls short of what is
    /// `meant`. It takes a step before where the server refuses that because of fields that are to
    /// go, or because of the version in which our fields are named. Killed between two, the next
    /// run finds a difference and goes on.
    ///
    /// # Errors
    ///
    /// When the API server refuses, or does not answer.
    pub async fn apply_or(&self, apply: Apply<'_>) -> Result<Object, ApiError> {
        let Apply { served, send, on_conflict, meant } = apply;
        let mut send = Cow::Borrowed(send);
        let FirstWrite { answer, first } = match self
            .first_step(served, &send, false, on_conflict)
            .await
        {
            Ok(step) => step,
            Err(error) if error.of_other_version().is_some() => {
                let Some(seen) = self.redeclare(served, &send).await? else { return Err(error) };
                if let (Some(_), Some(now)) = (send.resource_version(), seen.resource_version()) {
                    let version = now.into();
                    send.to_mut().metadata_mut().insert("resourceVersion".to_owned(), version);
                }
                self.first_step(served, &send, false, on_conflict).await?
            }
            Err(error) => {
                let Some(cleared) = self.clear(apply, &error).await? else { return Err(error) };
                send = Cow::Owned(over(&send, &cleared));
                self.first_step(served, &send, false, on_conflict).await?
            }
        };
        let mut done = object(answer.body);
        let is_short = meant.is_some_and(|meant| fill(&send, meant, &mut done));
        if first.is_none() && !is_short {
            return Ok(done);
        }
        Ok(object(self.patch(served, &over(&send, &done), false, on_conflict).await?.body))
    }

    /// Sends the object; where the server can't take it in one step, as much as goes.
    async fn first_step(
        &self,
        served: &Served,
        send: &Object,
        dry_run: bool,
        on_conflict: OnConflict,
    ) -> Result<FirstWrite, ApiError> {
        let error = match self.patch(served, send, dry_run, on_conflict).await {
            Ok(answer) => return Ok(FirstWrite { answer, first: None }),
            Err(error) => error,
        };
        let Some(first) = without_refused(send, error.causes()) else { return Err(error) };
        match self.patch(served, &first, dry_run, on_conflict).await {
            Ok(answer) => Ok(FirstWrite { answer, first: Some(first) }),
            // The kind can't be without the map either: there is no way, and that is why.
            Err(other) if other.is_verdict() => Err(error),
            Err(other) => Err(other),
        }
    }
}

/// The object to send over what became of it in the meantime, where only that may be there.
fn over(send: &Object, done: &Object) -> Object {
    let mut send = send.clone();
    if send.resource_version().is_some() {
        let seen = done.resource_version().unwrap_or_default();
        send.metadata_mut().insert("resourceVersion".to_owned(), seen.into());
    }
    send
}
