//! Reads and writes the inventory's parent object, and reads the cluster's own identity.

use super::observe::{object, one};
use super::wire::Call;
use super::{ApiError, Cluster};
use crate::catalog::Served;
use crate::inventory::{Inventory, Record};
use crate::object::{GroupKind, Object};

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
        self.patch(&config_maps(), &inventory.parent(record), false).await.map(|_| ())
    }

    /// The cluster's identity: the uid of its kube-system namespace, the nearest thing to one that
    /// Kubernetes has. `None` where the user may not see it.
    ///
    /// # Errors
    ///
    /// When the API server does not answer.
    pub async fn uid(&self) -> Result<Option<String>, ApiError> {
        let namespaces = Served {
            group_kind: GroupKind::new("", "Namespace"),
            plural: "namespaces".to_owned(),
            namespaced: false,
            ..config_maps()
        };
        match self.call(Call::get(one(&namespaces, None, "kube-system"))).await {
            Ok(answer) => Ok(object(answer.body).uid().map(str::to_owned)),
            Err(error) if error.is_forbidden() || error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
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
