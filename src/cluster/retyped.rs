//! Applies the elements of a list or a map as they are, where the next apply could not remove them
//! otherwise. Which those are is [`crate::core::managed_fields::retyped`]'s.

use super::api_request::object;
use super::{ApiError, Apply, Cluster};
use crate::core::kinds::catalog::Served;
use crate::core::managed_fields::retyped::{may_need_elements, with_elements};
use crate::core::object::Object;

impl Cluster {
    /// The result for `live` where applying `send`, which makes `merged`, leaves elements behind
    /// that are not declared. `None` where there are none, or where they can't be removed. Writes
    /// nothing.
    ///
    /// # Errors
    ///
    /// When it changed since it was seen, which is a conflict; when the API server does not answer.
    pub(in crate::cluster) async fn rehearse_elements(
        &self,
        served: &Served,
        send: &Object,
        live: &Object,
        merged: &Object,
    ) -> Result<Option<Object>, ApiError> {
        let Some(first) = with_elements(send, live, merged) else { return Ok(None) };
        let owned = match self.dry_run(served, &first).await {
            Ok(answer) => object(answer.body),
            Err(error) if error.is_verdict() => return Ok(None),
            Err(error) => return Err(error),
        };
        if owned.resource_version() != live.resource_version() {
            return Err(ApiError::changed());
        }
        match self.taken_over(served, send, live, &owned, merged).await {
            Ok(merged) => Ok(Some(merged)),
            Err(error) if error.is_verdict() && !error.is_conflict() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes the elements of `seen` ours that applying `send` would leave behind and that are
    /// to go; says what is there then.
    ///
    /// # Errors
    ///
    /// When it changed since it was seen, which is a conflict; when the API server refuses, or does
    /// not answer.
    pub(in crate::cluster) async fn own_elements(
        &self,
        apply: Apply<'_>,
        seen: Object,
    ) -> Result<Object, ApiError> {
        let Apply { served, send, on_conflict, meant } = apply;
        if !meant.is_some_and(|meant| may_need_elements(send, &seen, meant)) {
            return Ok(seen);
        }
        // Only the server tells whether it would leave any behind.
        let merged = match self.dry_run(served, send).await {
            Ok(answer) => object(answer.body),
            Err(error) if error.is_verdict() => return Ok(seen),
            Err(error) => return Err(error),
        };
        let Some(mut first) = with_elements(send, &seen, &merged) else { return Ok(seen) };
        let version = seen.resource_version().unwrap_or_default();
        first.metadata_mut().insert("resourceVersion".to_owned(), version.into());
        Ok(object(self.patch(served, &first, false, on_conflict).await?.body))
    }

    /// Removes what applying over `seen` left behind all the same, where it became `done`: the
    /// definition may have changed after the server was asked.
    ///
    /// # Errors
    ///
    /// When the API server refuses, or does not answer.
    pub async fn remove_elements(
        &self,
        apply: Apply<'_>,
        seen: &Object,
        done: Object,
    ) -> Result<Object, ApiError> {
        let Apply { served, send, on_conflict, meant: _ } = apply;
        let Some(first) = with_elements(send, seen, &done) else { return Ok(done) };
        let mut answer = done;
        for object_to_send in [&first, send] {
            let mut next = object_to_send.clone();
            let version = answer.resource_version().unwrap_or_default();
            next.metadata_mut().insert("resourceVersion".to_owned(), version.into());
            answer = object(self.patch(served, &next, false, on_conflict).await?.body);
        }
        Ok(answer)
    }
}
