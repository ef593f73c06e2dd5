//! The values that a kustomization sets in every object that it takes in: a namespace, prefixes, labels, annotations,
//! images and replicas. A fault in such a value is one of the kustomization, and not of the file that the
//! object was read from.

use std::collections::{BTreeMap, BTreeSet};

use super::{KustomizationText, folder, has_name};
use crate::core::json::Value;
use crate::core::manifest::{PathPart, WrittenPart};
use crate::core::object::Object;
use crate::core::problem::Location;
use crate::render::file_index::{folder_of, resolve};

/// Where metadata is that labels and annotations are added to.
const METADATA: [&[&str]; 4] = [
    &["metadata"],
    &["spec", "template", "metadata"],
    &["spec", "jobTemplate", "metadata"],
    &["spec", "jobTemplate", "spec", "template", "metadata"],
];
/// Where selectors are that labels are added to.
const SELECTORS: [&[&str]; 4] = [
    &["spec", "selector"],
    &["spec", "selector", "matchLabels"],
    &["spec", "podSelector", "matchLabels"],
    &["spec", "jobTemplate", "spec", "selector", "matchLabels"],
];

/// The kustomizations of a build, by which objects they change.
pub(super) struct Settings {
    kustomizations: Vec<KustomizationSettings>,
}

/// A kustomization, with what it sets.
struct KustomizationSettings {
    /// The files that it takes in, itself or by others.
    files: BTreeSet<String>,
    prefixes: Vec<(NamePart, Location)>,
    fields: Vec<WrittenPart>,
    images: Vec<Image>,
    replicas: Vec<(String, Value, Location)>,
}

/// A part of a name that is added to it.
enum NamePart {
    Prefix(String),
    Suffix(String),
}

/// A changed image.
struct Image {
    /// Its name afterwards.
    name: String,
    /// The end of its reference afterwards.
    end: String,
    place: Location,
}

impl Settings {
    pub(super) fn of(kustomizations: &[KustomizationText<'_>]) -> Self {
        let by_folder: BTreeMap<&str, &KustomizationText<'_>> =
            kustomizations.iter().map(|it| (folder(it), it)).collect();
        let settings = kustomizations.iter().filter_map(|kustomization| {
            let mut settings = KustomizationSettings::of(kustomization)?;
            settings.files = files(&by_folder, folder(kustomization));
            // A component changes all that is beside it in the one that names it.
            for parent in kustomizations {
                let is_component =
                    named(parent, &["components"]).any(|path| path == folder(kustomization));
                if is_component {
                    settings.files.extend(files(&by_folder, folder(parent)));
                }
            }
            Some(settings)
        });
        Self { kustomizations: settings.collect() }
    }

    /// The fields that they set in an object that was read from `path`, where it may have another name.
    pub(super) fn parts(
        &self,
        object: &Object,
        path: &str,
        name: Option<&str>,
    ) -> Vec<WrittenPart> {
        let about = self.kustomizations.iter().filter(|it| it.files.contains(path));
        about.flat_map(|it| it.parts(object, name)).collect()
    }
}

/// The files and kustomizations that the one in a folder takes in.
fn files(by_folder: &BTreeMap<&str, &KustomizationText<'_>>, first: &str) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    let mut ahead = vec![first.to_owned()];
    let mut seen = BTreeSet::new();
    while let Some(folder) = ahead.pop() {
        let Some(kustomization) = by_folder.get(folder.as_str()) else { continue };
        if seen.insert(folder) {
            files.insert(kustomization.path.to_owned());
            for path in named(kustomization, &["resources", "bases", "components"]) {
                match by_folder.contains_key(path.as_str()) {
                    true => ahead.push(path),
                    false => drop(files.insert(path)),
                }
            }
        }
    }
    files
}

/// The paths that these fields of a kustomization name.
fn named<'k>(
    kustomization: &'k KustomizationText<'_>,
    fields: &'k [&str],
) -> impl Iterator<Item = String> + 'k {
    let entries = fields.iter().filter_map(|field| kustomization.value.get(*field)?.as_array());
    let folder = folder_of(kustomization.path);
    entries.flatten().filter_map(move |entry| resolve(folder, entry.as_str()?))
}

impl KustomizationSettings {
    /// `None` where it sets nothing.
    fn of(kustomization: &KustomizationText<'_>) -> Option<Self> {
        let value = &kustomization.value;
        let place = |path: &[PathPart<'_>]| {
            let (line, column) = kustomization.positions.of(path)?;
            Some(Location { path: kustomization.path.to_owned(), line, column })
        };
        let text = |key: &str| value.get(key)?.as_str().filter(|it| !it.is_empty());
        let mut fields = Vec::new();
        if let (Some(namespace), Some(place)) = (text("namespace"), place(&["namespace".into()])) {
            let field = vec!["metadata".to_owned(), "namespace".to_owned()];
            fields.push(WrittenPart::Entry { field, value: Some(namespace.into()), place });
        }
        let mut add = |at: &[PathPart<'_>], pairs: Option<&Value>, last: &str| {
            for (key, value) in pairs.and_then(Value::as_object).into_iter().flatten() {
                let key = key.as_str();
                let Some(place) = place(&[at, &[key.into()]].concat()) else { continue };
                let entry = |above: &[&str], last: Option<&str>| {
                    let field = above.iter().copied().chain(last).chain([key]);
                    let field = field.map(str::to_owned).collect();
                    WrittenPart::Entry { field, value: Some(value.clone()), place: place.clone() }
                };
                fields.extend(METADATA.iter().map(|above| entry(above, Some(last))));
                if last == "labels" {
                    fields.extend(SELECTORS.iter().map(|above| entry(above, None)));
                }
            }
        };
        for (key, last) in [("commonAnnotations", "annotations"), ("commonLabels", "labels")] {
            add(&[key.into()], value.get(key), last);
        }
        for (index, entry) in list(value, "labels") {
            let at = ["labels".into(), index.into(), "pairs".into()];
            add(&at, entry.get("pairs"), "labels");
        }
        let prefix = text("namePrefix").map(|it| NamePart::Prefix(it.to_owned()));
        let suffix = text("nameSuffix").map(|it| NamePart::Suffix(it.to_owned()));
        let prefixes = [("namePrefix", prefix), ("nameSuffix", suffix)].into_iter();
        let prefixes = prefixes.filter_map(|(key, part)| Some((part?, place(&[key.into()])?)));
        let image = |(index, entry): (usize, &Value)| {
            let text = |key: &str| entry.get(key).and_then(Value::as_str);
            let (key, end) = match (text("digest"), text("newTag"), text("newName")) {
                (Some(digest), ..) => ("digest", format!("@{digest}")),
                (None, Some(tag), _) => ("newTag", format!(":{tag}")),
                (None, None, Some(_)) => ("newName", String::new()),
                (None, None, None) => return None,
            };
            let name = text("newName").or_else(|| text("name"))?.to_owned();
            let place = place(&["images".into(), index.into(), key.into()])?;
            Some(Image { name, end, place })
        };
        let replicas = |(index, entry): (usize, &Value)| {
            let place = place(&["replicas".into(), index.into(), "count".into()])?;
            Some((entry.get("name")?.as_str()?.to_owned(), entry.get("count")?.clone(), place))
        };
        let settings = Self {
            files: BTreeSet::new(),
            prefixes: prefixes.collect(),
            images: list(value, "images").filter_map(image).collect(),
            replicas: list(value, "replicas").filter_map(replicas).collect(),
            fields,
        };
        let Self { files: _, prefixes, fields, images, replicas } = &settings;
        let sets_nothing = prefixes.is_empty() && fields.is_empty() && images.is_empty();
        (!sets_nothing || !replicas.is_empty()).then_some(settings)
    }

    fn parts(&self, object: &Object, before: Option<&str>) -> Vec<WrittenPart> {
        let mut parts = self.fields.clone();
        let name = object.name();
        // A fault that the name had before is one of where it is written.
        if before.is_none_or(is_plain_name) {
            let is_part = |part: &NamePart| match part {
                NamePart::Prefix(prefix) => name.contains(prefix.as_str()),
                NamePart::Suffix(suffix) => name.contains(suffix.as_str()),
            };
            let about = self.prefixes.iter().filter(|(part, _)| is_part(part));
            let mut about: Vec<&(NamePart, Location)> = about.collect();
            // The one that can't be a part of a name is the one to correct.
            about.sort_by_key(|(part, _)| match part {
                NamePart::Prefix(text) | NamePart::Suffix(text) => has_only_signs_of_names(text),
            });
            parts.extend(about.into_iter().map(|(_, place)| WrittenPart::Entry {
                field: vec!["metadata".to_owned(), "name".to_owned()],
                value: None,
                place: place.clone(),
            }));
        }
        for (of, count, place) in &self.replicas {
            if has_name(name, of) {
                let field = vec!["spec".to_owned(), "replicas".to_owned()];
                let (value, place) = (Some(count.clone()), place.clone());
                parts.push(WrittenPart::Entry { field, value, place });
            }
        }
        if !self.images.is_empty() {
            let mut field = Vec::new();
            for (key, value) in object.0.iter() {
                field.push(key.to_string());
                self.add_images(value, &mut field, &mut parts);
                field.pop();
            }
        }
        parts
    }

    /// Adds the images of containers below a field.
    fn add_images(&self, value: &Value, field: &mut Vec<String>, parts: &mut Vec<WrittenPart>) {
        let is_list =
            matches!(field.last().map(String::as_str), Some("containers" | "initContainers"));
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    field.push(key.to_string());
                    self.add_images(value, field, parts);
                    field.pop();
                }
            }
            Value::Array(elements) if is_list => {
                for (index, element) in elements.iter().enumerate() {
                    let Some(image) = element.get("image").and_then(Value::as_str) else {
                        continue;
                    };
                    let is_set = |it: &&Image| {
                        image.strip_prefix(&it.name).is_some_and(|rest| rest.ends_with(&it.end))
                    };
                    if let Some(set) = self.images.iter().find(is_set) {
                        let end = [index.to_string(), "image".to_owned()];
                        let field = field.iter().cloned().chain(end).collect();
                        let (value, place) = (Some(image.into()), set.place.clone());
                        parts.push(WrittenPart::Entry { field, value, place });
                    }
                }
            }
            _ => {}
        }
    }
}

/// The elements of a list, with their indexes.
fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = (usize, &'v Value)> {
    value.get(key).and_then(Value::as_array).into_iter().flatten().enumerate()
}

/// Whether a name is one that the API server takes for any kind.
fn is_plain_name(name: &str) -> bool {
    let is_edge = |char: Option<char>| char.is_some_and(|char| char.is_ascii_alphanumeric());
    name.len() <= 63
        && has_only_signs_of_names(name)
        && is_edge(name.chars().next())
        && is_edge(name.chars().last())
}

fn has_only_signs_of_names(text: &str) -> bool {
    text.chars().all(|char| matches!(char, 'a'..='z' | '0'..='9' | '-'))
}
