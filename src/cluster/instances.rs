//! How many objects of a kind the cluster has, so that deleting the kind's definition is not a
//! surprise.

use std::collections::{BTreeMap, BTreeSet};

use super::observe::HeldBytes;
use super::path::collection;
use super::{ApiError, Cluster};
use crate::core::kinds::catalog::{Catalog, definition, is_crd};
use crate::core::object::{Object, ObjectKey};
use crate::core::observed::{Observation, Observed};

impl Cluster {
    /// For every definition of the inventory that is no longer desired: how many objects of its
    /// kind there are beside those of the inventory itself. Definitions without any are left out.
    ///
    /// # Errors
    ///
    /// When a kind's objects can't be listed.
    pub async fn instances(
        &self,
        observed: &Observed,
        catalog: &Catalog,
    ) -> Result<BTreeMap<ObjectKey, usize>, ApiError> {
        let mut instances = BTreeMap::new();
        let leaving = observed.objects.iter().filter_map(|(key, observation)| match observation {
            Observation::Seen { live: Some(live), preview: None } if is_crd(key) => {
                Some((key, live))
            }
            _ => None,
        });
        for (key, live) in leaving {
            let ours = own_instances(live, observed);
            let others = self.names(live, catalog).await?.difference(&ours).count();
            if others > 0 {
                instances.insert(key.clone(), others);
            }
        }
        Ok(instances)
    }

    /// Namespace and name of every object of the kind that `crd` defines.
    async fn names(
        &self,
        crd: &Object,
        catalog: &Catalog,
    ) -> Result<BTreeSet<(Option<String>, String)>, ApiError> {
        let served = definition(crd).and_then(|(kind, _)| catalog.preferred(&kind));
        let Some(served) = served else { return Ok(BTreeSet::new()) };
        let all = format!("{}?labelSelector=", collection(served, None));
        let objects = self.metadata(&all, 0, &HeldBytes::default()).await?;
        Ok(objects.into_iter().map(|object| (object.namespace, object.name)).collect())
    }
}

/// Namespace and name of the objects of a definition's kind that leave with it.
fn own_instances(crd: &Object, observed: &Observed) -> BTreeSet<(Option<String>, String)> {
    let Some((kind, _)) = definition(crd) else { return BTreeSet::new() };
    let leaving = observed.objects.iter().filter(|(key, observation)| {
        key.group_kind() == kind && matches!(observation, Observation::Seen { preview: None, .. })
    });
    leaving.map(|(key, _)| (key.namespace.clone(), key.name.clone())).collect()
}
