//! Abandons an object: it stays as it is, and is no longer managed by trueup.

use http::Method;

use super::api_request::ApiRequest;
use super::path::one;
use super::{ApiError, Cluster};
use crate::core::inventory::PART_OF;
use crate::core::json::{Value, json};
use crate::core::kinds::catalog::Served;
use crate::core::managed_fields::FIELD_MANAGER;
use crate::core::object::Object;

impl Cluster {
    /// Takes the inventory's label and our own entry among the managers off the object, provided
    /// that it is the one that was seen and has not changed since. Its values stay as they are.
    ///
    /// # Errors
    ///
    /// When something else is there, which is a conflict; when the API server refuses, or does not
    /// answer.
    pub async fn release(&self, served: &Served, seen: &Object) -> Result<(), ApiError> {
        let managers = seen.metadata().and_then(|metadata| metadata.get("managedFields"));
        let managers = managers.and_then(Value::as_array).into_iter().flatten();
        let is_ours = |entry: &&Value| {
            entry["manager"] == FIELD_MANAGER
                && entry["operation"] == "Apply"
                && entry.get("subresource").is_none()
        };
        let mut others: Vec<&Value> = managers.filter(|entry| !is_ours(entry)).collect();
        // An empty list would mean that nothing is said of it; an empty entry clears it.
        let nobody = json!({});
        if others.is_empty() {
            others.push(&nobody);
        }
        let patch = json!({ "metadata": {
            "uid": seen.uid(),
            "resourceVersion": seen.resource_version(),
            "labels": { PART_OF: null },
            "managedFields": others,
        }});
        let path =
            format!("{}?fieldManager={FIELD_MANAGER}", one(served, seen.namespace(), seen.name()));
        let body = Some(("application/merge-patch+json", patch.to_string().into_bytes()));
        let call = ApiRequest { method: Method::PATCH, path, body, accept: None, known: None };
        self.call(call).await.map(|_| ())
    }
}
