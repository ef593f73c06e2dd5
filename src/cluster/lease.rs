//! Reads and writes the Leases that are inventories' locks, and those of replicas. What they say is
//! [`crate::core::lease`]'s and [`crate::core::replicas`]'.

use http::Method;

use super::api_request::{ApiRequest, object};
use super::observe::typed;
use super::path::{collection, one};
use super::wait::OneObject;
use super::{ApiError, Cascade, Cluster, RetryPolicy};
use crate::core::inventory::Inventory;
use crate::core::kinds::catalog::Served;
use crate::core::managed_fields::FIELD_MANAGER;
use crate::core::object::{GroupKind, Object};

impl Cluster {
    /// The inventory's Lease; `None` when there is none yet.
    ///
    /// # Errors
    ///
    /// When it can't be read.
    pub async fn lease(&self, inventory: &Inventory) -> Result<Option<Object>, ApiError> {
        self.get(&leases(), Some(&inventory.namespace), &inventory.name).await
    }

    /// Waits until `is_news` of the Lease, which is `None` where there is none, or until `patience`
    /// ends.
    ///
    /// # Errors
    ///
    /// When it can't be read.
    pub async fn lease_news(
        &self,
        inventory: &Inventory,
        patience: &RetryPolicy,
        mut is_news: impl FnMut(Option<&Object>) -> bool,
    ) -> Result<(), ApiError> {
        let namespace = Some(inventory.namespace.as_str());
        let lease = OneObject { served: &leases(), namespace, name: &inventory.name };
        let news = self.until(lease, patience, |now| is_news(now).then_some(())).await;
        news.map(|_| ())
    }

    /// The Leases of a namespace that `selector` picks, as they are now.
    ///
    /// # Errors
    ///
    /// When they can't be read.
    pub async fn leases(&self, namespace: &str, selector: &str) -> Result<Vec<Object>, ApiError> {
        let listed = self.list(&leases(), Some(namespace), selector).await?;
        let whole = |item: &Box<_>| typed(item, "coordination.k8s.io/v1", "Lease");
        Ok(listed.items.iter().map(whole).collect())
    }

    /// Deletes a Lease, unless it has moved since.
    ///
    /// # Errors
    ///
    /// When it has moved, which is a conflict; when the API server refuses, or does not answer.
    pub async fn delete_lease(&self, lease: &Object) -> Result<(), ApiError> {
        let served = leases();
        self.delete_exactly(&served, lease, Cascade::Background).await.map(|_| ())
    }

    /// Makes a Lease, or puts one in the place of the one that it names the version of.
    ///
    /// # Errors
    ///
    /// When there is one already, or the one to be replaced has moved, which is a conflict; when
    /// the API server refuses, or does not answer.
    pub async fn put_lease(&self, lease: &Object) -> Result<Object, ApiError> {
        let (method, path) = match lease.resource_version() {
            Some(_) => (Method::PUT, one(&leases(), lease.namespace(), lease.name())),
            None => (Method::POST, collection(&leases(), lease.namespace())),
        };
        let body = serde_json::to_vec(lease).unwrap_or_default();
        let call = ApiRequest {
            method,
            path: format!("{path}?fieldManager={FIELD_MANAGER}"),
            body: Some(("application/json", body)),
            accept: None,
            known: None,
        };
        // It names the version that it replaces, so that no one who may not write does harm by it.
        self.fenced(None).call(call).await.map(|answer| object(answer.body))
    }
}

fn leases() -> Served {
    Served {
        group_kind: GroupKind::new("coordination.k8s.io", "Lease"),
        version: "v1".to_owned(),
        plural: "leases".to_owned(),
        namespaced: true,
        verbs: Vec::new(),
    }
}
