//! The CustomResourceDefinitions of the cluster, and whether a kind that is not served has one still.

use super::observe::typed;
use super::{ApiError, Cluster};
use crate::core::kinds::catalog::{CRD, Served, definition};
use crate::core::object::{GroupKind, Object};

/// Whether a kind that is not served is gone, and its objects with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UnservedKind {
    /// It has no definition any more, as far as the user may see that.
    Gone,
    /// It has one, or the server was started a moment ago: its objects may well be there.
    NotYet,
}

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

    /// How a kind stands that is not served. An API server that was started a moment ago serves no custom
    /// resource until it has read the definitions, and objects that are there look as if they were gone.
    pub(super) async fn unserved_kind(&self, kind: &GroupKind) -> UnservedKind {
        let is_it =
            |object: &Object| definition(object).is_some_and(|(defined, _)| defined == *kind);
        match self.definitions().await {
            Ok(definitions) if definitions.iter().any(is_it) => UnservedKind::NotYet,
            Err(error) if !error.is_forbidden() => UnservedKind::NotYet,
            _ if self.is_recovering() => UnservedKind::NotYet,
            _ => UnservedKind::Gone,
        }
    }
}
