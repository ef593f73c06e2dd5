//! Definitions that other targets of `trueup.yaml` declare: a kind that this target lacks may be one that
//! another target brings.

use std::collections::BTreeSet;

use super::declare::{Reach, declare_readable};
use super::{Error, OtherRevision, Target};
use crate::core::annotations::Mode;
use crate::core::kinds::catalog::{Catalog, DefinedElsewhere, definition};
use crate::core::manifest::Manifest;
use crate::core::object::{GroupKind, Object};
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
    let found = definitions_of_others(target, checkout, revision, wanted).await;
    for Definition { target, manifest, group_kind, versions } in found.unwrap_or_default() {
        let path = manifest.origin.path;
        catalog.note_elsewhere(group_kind, DefinedElsewhere { target, path, versions });
    }
}

/// The CustomResourceDefinitions of other targets that define one of the `wanted` kinds.
///
/// # Errors
///
/// When the task that reads them ends without an answer. Other targets that can't be read are passed
/// over: their own runs say so.
pub async fn defined_by_others(
    target: &Target,
    checkout: &Checkout,
    revision: &Revision,
    wanted: BTreeSet<GroupKind>,
) -> Result<Vec<Object>, Error> {
    let found = definitions_of_others(target, checkout, revision, wanted).await?;
    Ok(found.into_iter().map(|definition| definition.manifest.object).collect())
}

/// A definition of another target.
struct Definition {
    target: String,
    manifest: Manifest,
    group_kind: GroupKind,
    versions: Vec<String>,
}

async fn definitions_of_others(
    target: &Target,
    checkout: &Checkout,
    revision: &Revision,
    wanted: BTreeSet<GroupKind>,
) -> Result<Vec<Definition>, Error> {
    let (target, checkout, revision) = (target.clone(), checkout.clone(), revision.clone());
    let read = move || {
        let definitions = |reach| definitions(&target, &checkout, &revision, &wanted, reach);
        let plain = definitions(Reach::Plain);
        // Rendering takes longer, and is done only for what is in no file.
        let is_found = |kind: &GroupKind| plain.iter().any(|it| it.group_kind == *kind);
        match wanted.iter().all(is_found) {
            true => plain,
            false => definitions(Reach::Rendered),
        }
    };
    Ok(tokio::task::spawn_blocking(read).await?)
}

/// The definitions of all other targets.
fn definitions(
    target: &Target,
    checkout: &Checkout,
    revision: &Revision,
    wanted: &BTreeSet<GroupKind>,
    reach: Reach,
) -> Vec<Definition> {
    let mut found = Vec::new();
    for (name, other) in target.others.iter() {
        let Some(read) = target.other(name, checkout) else { continue };
        let at = match other.at {
            OtherRevision::Same => Ok(revision.clone()),
            _ => read.revision(checkout),
        };
        let Ok(at) = at else { continue };
        let manifests = declare_readable(&read, checkout, &at, reach).unwrap_or_default();
        for manifest in manifests {
            let defined = definition(&manifest.object);
            if let Some((group_kind, defined)) = defined
                && wanted.contains(&group_kind)
                && !Mode::ignores(&manifest.object)
            {
                let (target, versions) = (name.clone(), defined.versions);
                found.push(Definition { target, manifest, group_kind, versions });
            }
        }
    }
    found
}
