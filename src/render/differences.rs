//! Differences between programs of the same kind on the same input.

use std::collections::BTreeMap;

use super::sources::{RenderSource, SourceFormat};
use super::{chart_nulls, jsonnet_differences};
use crate::core::manifest::Manifest;
use crate::core::problem::Problem;
use crate::core::source::formats::Formats;

/// A warning for each place of the files of a source, of which a program made these manifests.
pub(super) fn warnings(
    source: &RenderSource,
    formats: &Formats,
    files: &BTreeMap<String, Vec<u8>>,
    made: &[Manifest],
) -> Vec<Problem> {
    match source.format {
        SourceFormat::Kustomize => Vec::new(),
        SourceFormat::Helm => chart_nulls::warnings(files, &source.path, formats.helm.as_ref()),
        SourceFormat::Jsonnet => {
            let library = formats.jsonnet.as_ref().map_or(&[][..], |it| &it.library);
            jsonnet_differences::warnings(source, files, library, made)
        }
    }
}
