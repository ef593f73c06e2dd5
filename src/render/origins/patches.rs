//! The patches of a kustomization, and which objects each is about.

use super::{KustomizationText, ReadFile, folder, has_name, inline};
use crate::core::json::Value;
use crate::core::manifest::{self, PathPart, Positions, WrittenPart};
use crate::core::object::Object;
use crate::core::problem::Location;
use crate::render::file_index::resolve;

/// One document of a patch.
pub(super) struct Patch {
    /// The kind that it is for; `None` where that is not said.
    kind: Option<String>,
    /// The name that it is for.
    name: Option<String>,
    /// The fields that it sets.
    pub(super) parts: Vec<WrittenPart>,
}

impl Patch {
    /// Whether it may be about an object that has or had one of these names.
    pub(super) fn is_about(&self, object: &Object, names: &[Option<&str>]) -> bool {
        let is_named = |wanted: &str| {
            let mut names = names.iter().flatten();
            // A target's name may be a pattern.
            names.any(|name| *name == wanted || has_name(name, wanted))
                || wanted.contains(['*', '|', '[', '.', '('])
        };
        self.kind.as_deref().is_none_or(|kind| kind == object.kind())
            && self.name.as_deref().is_none_or(is_named)
    }
}

/// Where the text of a patch stands.
enum PatchText<'a> {
    /// In a file of its own.
    File(String, &'a [u8]),
    /// In the kustomization, with its lines in the file where they are lines of it.
    Inline(String, Option<(usize, usize)>, Location),
}

/// Every patch of a kustomization.
pub(super) fn of(kustomization: &KustomizationText<'_>, files: &ReadFile<'_>) -> Vec<Patch> {
    let mut found = Vec::new();
    for key in ["patches", "patchesJson6902", "patchesStrategicMerge"] {
        let entries = kustomization.value.get(key).and_then(Value::as_array);
        for (index, entry) in entries.into_iter().flatten().enumerate() {
            let at = [PathPart::Key(key), PathPart::Index(index)];
            let target = entry.get("target");
            let text = match entry {
                Value::String(text) => {
                    file(kustomization, text, files).or_else(|| written(kustomization, &at, text))
                }
                _ => patch_of(kustomization, &at, entry, files),
            };
            if let Some(text) = text {
                found.extend(read(&text, target));
            }
        }
    }
    found
}

fn patch_of<'a>(
    kustomization: &KustomizationText<'_>,
    at: &[PathPart<'_>],
    entry: &Value,
    files: &ReadFile<'a>,
) -> Option<PatchText<'a>> {
    if let Some(path) = entry.get("path").and_then(Value::as_str) {
        return file(kustomization, path, files);
    }
    let text = entry.get("patch")?.as_str()?;
    written(kustomization, &[at, &["patch".into()]].concat(), text)
}

fn file<'a>(
    kustomization: &KustomizationText<'_>,
    name: &str,
    files: &ReadFile<'a>,
) -> Option<PatchText<'a>> {
    let path = resolve(folder(kustomization), name)?;
    let text = files(&path)?;
    Some(PatchText::File(path, text))
}

fn written<'a>(
    kustomization: &KustomizationText<'_>,
    at: &[PathPart<'_>],
    text: &str,
) -> Option<PatchText<'a>> {
    let (line, column) = kustomization.positions.of(at)?;
    let place = Location { path: kustomization.path.to_owned(), line, column };
    let offset = inline::offset(kustomization, at, text);
    Some(PatchText::Inline(text.to_owned(), offset, place))
}

/// The documents of a patch: fields to merge, or a list of operations.
fn read(text: &PatchText<'_>, target: Option<&Value>) -> Vec<Patch> {
    let bytes = match text {
        PatchText::File(_, bytes) => bytes,
        PatchText::Inline(text, ..) => text.as_bytes(),
    };
    let of_target = |key: &str| target?.get(key)?.as_str().map(str::to_owned);
    let documents = manifest::documents(bytes).into_iter();
    let patch = |(value, positions): (Value, Positions)| match value {
        Value::Array(operations) => {
            let entry = |(at, operation)| entry(text, at, operation, &positions);
            let parts = operations.iter().enumerate().filter_map(entry).collect();
            Some(Patch { kind: of_target("kind"), name: of_target("name"), parts })
        }
        Value::Object(fields) => {
            let fields = Object::from(fields);
            let own = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
            // With a target, the name in the patch itself counts for nothing.
            let (kind, name) = match target {
                Some(_) => (of_target("kind"), of_target("name")),
                None => (own(fields.kind()), own(fields.name())),
            };
            Some(Patch { kind, name, parts: vec![document(text, fields, positions)] })
        }
        _ => None,
    };
    documents.filter_map(patch).collect()
}

fn document(text: &PatchText<'_>, fields: Object, positions: Positions) -> WrittenPart {
    match text {
        PatchText::File(path, _) => {
            WrittenPart::Document { path: path.clone(), fields, positions, within: (0, 0) }
        }
        PatchText::Inline(_, Some(within), place) => {
            let (path, within) = (place.path.clone(), *within);
            WrittenPart::Document { path, fields, positions, within }
        }
        PatchText::Inline(_, None, place) => {
            let path = place.path.clone();
            let positions = positions.all_at(place.line, place.column);
            WrittenPart::Document { path, fields, positions, within: (0, 0) }
        }
    }
}

/// An operation of a JSON patch that sets a field.
fn entry(
    text: &PatchText<'_>,
    at: usize,
    operation: &Value,
    positions: &Positions,
) -> Option<WrittenPart> {
    let (line, column) = positions.of(&[at.into()])?;
    let place = match text {
        PatchText::File(path, _) => Location { path: path.clone(), line, column },
        PatchText::Inline(_, Some((lines, columns)), place) => {
            Location { path: place.path.clone(), line: line + lines, column: column + columns }
        }
        PatchText::Inline(_, None, place) => place.clone(),
    };
    let pointer = operation.get("path")?.as_str()?.strip_prefix('/')?;
    let unescaped = |part: &str| part.replace("~1", "/").replace("~0", "~");
    let field = pointer.split('/').map(unescaped).collect();
    let value = operation.get("value")?.clone();
    Some(WrittenPart::Entry { field, value: Some(value), place })
}
