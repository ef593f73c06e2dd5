//! Reads and writes the inventory's parent object, and reads the cluster's own identity.

use super::{ApiError, Cluster};
use crate::core::inventory::{Inventory, Record};
use crate::core::kinds::catalog::Served;
use crate::core::object::{GroupKind, Object};
use crate::core::policy::OnConflict;

impl Cluster {
    /// The inventory's parent; `None` when there is none yet.
    ///
    /// # Errors
    ///
    /// When it can't be read.
    pub async fn parent(&self, inventory: &Inventory) -> Result<Option<Object>, ApiError> {
        self.get(&config_maps(), Some(&inventory.namespace), &inventory.name).await
    }

    /// Writes what the inventory's parent says.
    ///
    /// # Errors
    ///
    /// When the API server refuses.
    pub async fn record(&self, inventory: &Inventory, record: &Record) -> Result<(), ApiError> {
        self.patch(&config_maps(), &inventory.parent(record), false, OnConflict::Force)
            .await
            .map(|_| ())
    }

    /// Whether there is a namespace `name`; yes where the user may not ask.
    ///
    /// # Errors
    ///
    /// When the API server does not answer.
    pub async fn has_namespace(&self, name: &str) -> Result<bool, ApiError> {
        match self.get(&namespaces(), None, name).await {
            Ok(namespace) => Ok(namespace.is_some()),
            Err(error) if error.is_forbidden() => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// The cluster's identity: the uid of its kube-system namespace, the nearest thing to one that
    /// Kubernetes has. `None` where the user may not see it.
    ///
    /// # Errors
    ///
    /// When the API server does not answer.
    pub async fn uid(&self) -> Result<Option<String>, ApiError> {
        match self.get(&namespaces(), None, "kube-system").await {
            Ok(namespace) => Ok(namespace.and_then(|namespace| namespace.uid().map(str::to_owned))),
            Err(error) if error.is_forbidden() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn namespaces() -> Served {
    Served {
        group_kind: GroupKind::new("", "Namespace"),
        plural: "namespaces".to_owned(),
        namespaced: false,
        ..config_maps()
    }
}

fn config_maps() -> Served {
    Served {
        group_kind: GroupKind::new("", "ConfigMap"),
        version: "v1".to_owned(),
        plural: "configmaps".to_owned(),
        namespaced: true,
        verbs: Vec::new(),
    }
}
