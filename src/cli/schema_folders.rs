//! The kinds of a check that nothing has a schema for, and the folders of `--schemas` that may have one.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::app::Declared;
use crate::core::check::{CheckRule, Finding};
use crate::core::kinds::schemas::Schemas;
use crate::core::object::GroupKind;
use crate::local::schema_folder;

/// The kinds that nothing has a schema for.
pub(super) fn unknown_kinds(findings: &[Finding]) -> BTreeSet<GroupKind> {
    let unknown = findings.iter().filter(|finding| finding.rule == CheckRule::NoSchema);
    unknown.filter_map(|finding| Some(finding.object.as_ref()?.group_kind())).collect()
}

/// Adds the schemas of the folders for the kinds that neither the release nor the manifests define.
///
/// # Errors
///
/// When a file of theirs can't be used.
pub(super) fn add(
    schemas: &mut Schemas,
    folders: &[PathBuf],
    declared: &Declared,
) -> Result<(), schema_folder::SchemaFileError> {
    if folders.is_empty() {
        return Ok(());
    }
    let objects = || declared.manifests.iter().map(|manifest| &manifest.object);
    objects().for_each(|object| schemas.define(object));
    let kinds = objects().map(|object| (object.group_kind(), object.version().to_owned()));
    let kinds: BTreeSet<_> = kinds.filter(|(kind, _)| schemas.is_unknown(kind)).collect();
    let wanted: Vec<_> = kinds.into_iter().collect();
    folders.iter().try_for_each(|folder| schema_folder::add(schemas, folder, &wanted))
}
