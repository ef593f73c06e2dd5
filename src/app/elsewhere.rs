//! Definitions that other targets of `trueup.yaml` declare, for hints: a kind that this target lacks
//! may be one that another target brings.

use super::Target;
use super::declare::declare_plain;
use crate::core::annotations::Mode;
use crate::core::kinds::catalog::{Catalog, DefinedElsewhere, definition};
use crate::core::manifest::Manifest;
use crate::core::object::GroupKind;
use crate::core::source::snapshot::Revision;
use crate::git::Checkout;

/// Notes in `catalog` the definitions of other targets, where nothing defines the kind of any
/// object of `manifests`. Other targets that can't be read are passed over: their own runs say so.
pub(super) async fn note_definitions_elsewhere(
    target: &Target,
    checkout: &Checkout,
    revision: &Revision,
    manifests: &[Manifest],
    catalog: &mut Catalog,
) {
    let objects = manifests.iter().map(|manifest| &manifest.object);
    let wanted = catalog.nowhere(objects.filter(|object| !Mode::ignores(object)));
    if wanted.is_empty() || target.others.is_empty() {
        return;
    }
    let (target, checkout, revision) = (target.clone(), checkout.clone(), revision.clone());
    let read = tokio::task::spawn_blocking(move || definitions(&target, &checkout, &revision));
    for (group_kind, definition) in read.await.unwrap_or_default() {
        if wanted.contains(&group_kind) {
            catalog.note_elsewhere(group_kind, definition);
        }
    }
}

/// The definitions of all other targets.
fn definitions(
    target: &Target,
    checkout: &Checkout,
    revision: &Revision,
) -> Vec<(GroupKind, DefinedElsewhere)> {
    let mut found = Vec::new();
    for (name, other) in &target.others {
        let mut read = Target { paths: other.paths.clone(), ..target.clone() };
        read.render.formats = other.formats.clone();
        let manifests = declare_plain(&read, checkout, revision).unwrap_or_default();
        for manifest in manifests.iter().filter(|manifest| !Mode::ignores(&manifest.object)) {
            if let Some((group_kind, defined)) = definition(&manifest.object) {
                let (target, path) = (name.clone(), manifest.origin.path.clone());
                let versions = defined.versions;
                found.push((group_kind, DefinedElsewhere { target, path, versions }));
            }
        }
    }
    found
}
