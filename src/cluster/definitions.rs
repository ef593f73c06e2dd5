//! The CustomResourceDefinitions of the cluster.

use super::observe::typed;
use super::{ApiError, Cluster};
use crate::core::kinds::catalog::{CRD, Served};
use crate::core::object::Object;

impl Cluster {
    /// Lists the cluster's CustomResourceDefinitions.
    ///
    /// # Errors
    ///
    /// When the API server does not answer, or the user may not list them.
    pub async fn definitions(&self) -> Result<Vec<Object>, ApiError> {
        let list = self.list(&Served::definitions(), None, "").await?;
        let api_version = format!("{}/v1", CRD.0);
        Ok(list.items.iter().map(|item| typed(item, &api_version, CRD.1)).collect())
    }
}
