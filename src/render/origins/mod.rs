//! Where each object of a kustomization is written: which file kustomize read it from, and the
//! document in it, the patches and the generator.
//!
//! kustomize notes the file in an annotation where a kustomization asks for it with
//! `buildMetadata: [originAnnotations]`. A patch or a replacement could read that annotation. Where
//! one might ([`unseen`]), trueup has kustomize build twice: the objects are those of the build that
//! does not ask, and the other one is looked at for its annotations alone.

mod generators;
mod inline;
mod patches;
mod settings;
mod unseen;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use super::file_index::{KUSTOMIZATIONS, folder_of, resolve};
use super::sources::RenderSource;
use crate::core::json::Value;
use crate::core::manifest::{self, Manifest, Positions, WrittenObject, WrittenPart};
use crate::core::object::Object;
use crate::core::problem::Location;
use patches::Patch;
use settings::Settings;

/// kustomize's annotation of the file that an object was read from
/// (kustomize, `api/internal/utils/annotations.go`).
const ORIGIN: &str = "config.kubernetes.io/origin";

/// The content of the files that a build read.
pub type ReadFile<'a> = dyn Fn(&str) -> Option<&'a [u8]> + 'a;

/// Has each of the objects know where it is written; `annotated` is what kustomize prints of the same
/// source with origins. Where the two differ in more, nothing is known.
pub fn add(
    source: &RenderSource,
    manifests: &mut [Manifest],
    annotated: &[u8],
    files: &ReadFile<'_>,
) {
    let told = manifest::read("", annotated).manifests;
    let keys = |manifests: &[Manifest]| -> Vec<_> {
        manifests.iter().map(|manifest| manifest.object.key()).collect()
    };
    if keys(&told) != keys(manifests) {
        return;
    }
    let mut search = OriginSearch::new(source, files);
    for (manifest, told) in manifests.iter_mut().zip(told) {
        manifest.written = search.written(&manifest.object, &told.object).map(Arc::new);
    }
}

/// Takes the notes of origins out of the objects of a build that asked for them; false where the
/// objects may differ in more from those of one that did not.
pub fn take_out(source: &RenderSource, manifests: &mut [Manifest], files: &ReadFile<'_>) -> bool {
    let search = OriginSearch::new(source, files);
    // Other files configure plugins, or could not be looked into.
    search.kustomizations.len() == source.given.len()
        && unseen::by(&search.kustomizations, files)
        && manifests.iter_mut().all(|manifest| unseen::take_out(&mut manifest.object))
}

/// Whether a file of a build may have to do with annotations.
pub fn names_annotations(text: &[u8]) -> bool {
    unseen::names_annotations(text)
}

/// A kustomization of the build, as it is written.
struct KustomizationText<'a> {
    path: &'a str,
    text: &'a [u8],
    value: Value,
    positions: Positions,
}

/// The files of a build, as far as they are known.
struct OriginSearch<'s, 'a> {
    source: &'s RenderSource,
    files: &'s ReadFile<'a>,
    kustomizations: Vec<KustomizationText<'s>>,
    patches: Vec<Patch>,
    settings: Settings,
    read: BTreeMap<String, Rc<Vec<Manifest>>>,
}

/// The annotation that kustomize has made.
struct OriginNote {
    /// The file, from the folder that is built.
    path: String,
    /// Whether the file configures a generator, and is not the object's own.
    is_configuration: bool,
}

impl<'s, 'a: 's> OriginSearch<'s, 'a> {
    fn new(source: &'s RenderSource, files: &'s ReadFile<'a>) -> Self {
        let is_kustomization =
            |path: &&String| KUSTOMIZATIONS.contains(&path.rsplit('/').next().unwrap_or(path));
        let mut paths: Vec<&String> = source.given.keys().filter(is_kustomization).collect();
        // The kustomization that is built last has the last word.
        paths.sort_by_key(|path| **path != source.file);
        let read = |path: &'s String| {
            let text = files(path)?;
            let (value, positions) = manifest::value(path, text).ok()??;
            Some(KustomizationText { path, text, value, positions })
        };
        let kustomizations: Vec<_> = paths.into_iter().filter_map(read).collect();
        let patches = kustomizations.iter().flat_map(|it| patches::of(it, files)).collect();
        let settings = Settings::of(&kustomizations);
        Self { source, files, kustomizations, patches, settings, read: BTreeMap::new() }
    }

    /// Where an object is written, of which kustomize has `told` the origin.
    fn written(&mut self, object: &Object, told: &Object) -> Option<WrittenObject> {
        let OriginNote { path, is_configuration } = note(told)?;
        let path = resolve(&self.source.path, &path)?;
        (self.files)(&path)?;
        let whole = Location { path: path.clone(), line: 1, column: 1 };
        let mut written = WrittenObject { whole, parts: Vec::new() };
        let mut name = None;
        let kustomization = self.kustomizations.iter().find(|it| it.path == path);
        match kustomization.filter(|_| is_configuration) {
            Some(kustomization) => {
                if let Some(entry) = generators::entry(kustomization, object) {
                    written = entry;
                }
            }
            None => {
                let documents = self.documents(&path);
                if let Some(document) = nearest(&documents, object) {
                    written.whole = document.origin.location();
                    name = Some(document.object.name().to_owned());
                    written.parts.push(WrittenPart::Document {
                        path: path.clone(),
                        fields: document.object.clone(),
                        positions: document.positions.clone(),
                        within: (0, 0),
                    });
                }
            }
        }
        let names = [Some(object.name()), name.as_deref()];
        let about = self.patches.iter().filter(|patch| patch.is_about(object, &names));
        written.parts.extend(about.flat_map(|patch| patch.parts.iter().cloned()));
        written.parts.extend(self.settings.parts(object, &path, name.as_deref()));
        Some(written)
    }

    /// The objects of a file, as kustomize reads it.
    fn documents(&mut self, path: &str) -> Rc<Vec<Manifest>> {
        if let Some(known) = self.read.get(path) {
            return Rc::clone(known);
        }
        let text = (self.files)(path).unwrap_or_default();
        let documents = Rc::new(manifest::read_yaml(path, text).manifests);
        self.read.insert(path.to_owned(), Rc::clone(&documents));
        documents
    }
}

/// The annotation of an object.
fn note(told: &Object) -> Option<OriginNote> {
    let text = told.metadata()?.get("annotations")?.get(ORIGIN)?.as_str()?;
    let (value, _) = manifest::value("", text.as_bytes()).ok()??;
    let path = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    // Of what was fetched there is no file; trueup lets kustomize fetch nothing.
    if value.get("repo").is_some() {
        return None;
    }
    match path("path") {
        Some(path) => Some(OriginNote { path, is_configuration: false }),
        None => Some(OriginNote { path: path("configuredIn")?, is_configuration: true }),
    }
}

/// The document that an object was made of, as far as prefixes and suffixes leave it recognizable:
/// of its kind, and of its name or one that is a part of it.
fn nearest<'d>(documents: &'d [Manifest], object: &Object) -> Option<&'d Manifest> {
    let is_kind = |document: &&Manifest| document.object.group_kind() == object.group_kind();
    let of_kind: Vec<&Manifest> = documents.iter().filter(is_kind).collect();
    let named = of_kind.iter().filter(|document| has_name(object.name(), document.object.name()));
    let nearness = |document: &&&Manifest| {
        let is_same_namespace = document.object.namespace() == object.namespace();
        (document.object.name().len(), is_same_namespace)
    };
    match named.max_by_key(nearness) {
        Some(document) => Some(document),
        // A patch may have renamed it.
        None => (of_kind.len() == 1).then(|| of_kind[0]),
    }
}

/// Whether an object that is called `name` may have been called so before prefixes and suffixes.
fn has_name(name: &str, before: &str) -> bool {
    name.contains(before)
}

/// The folder that the names in a kustomization count from.
fn folder<'k>(kustomization: &KustomizationText<'k>) -> &'k str {
    folder_of(kustomization.path)
}

#[cfg(test)]
mod tests;
