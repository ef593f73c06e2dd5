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
    /// It has one: its objects may well be there.
    Defined,
    /// It can't be told, as where the server was started a moment ago.
    Unknown,
}

/// The definitions, which are listed once, and only where a kind is not served.
#[derive(Default)]
pub(super) struct ListedDefinitions(tokio::sync::OnceCell<Result<Vec<Object>, ApiError>>);

impl ListedDefinitions {
    pub(super) async fn of(&self, cluster: &Cluster) -> &Result<Vec<Object>, ApiError> {
        self.0.get_or_init(|| cluster.definitions()).await
    }
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

    /// How a kind stands that is not served, by the definitions as they were listed now. An API server that was
    /// started a moment ago serves no custom resource until it has read them, and objects that are there look
    /// as if they were gone. The same of an APIService, unless other kinds of its group are served.
    pub(super) fn unserved_kind(
        &self,
        kind: &GroupKind,
        definitions: &Result<Vec<Object>, ApiError>,
        is_group_served: bool,
    ) -> UnservedKind {
        let is_it =
            |object: &Object| definition(object).is_some_and(|(defined, _)| defined == *kind);
        match definitions {
            Ok(definitions) if definitions.iter().any(is_it) => UnservedKind::Defined,
            Err(error) if !error.is_forbidden() => UnservedKind::Unknown,
            // The server behind its APIService is there, and does not have it.
            Ok(_) if is_group_served => UnservedKind::Gone,
            _ if self.is_recovering() => UnservedKind::Unknown,
            _ => UnservedKind::Gone,
        }
    }
}
