//! Kinds and their fields in words: what `trueup explain` prints.
//!
//! `explain.gz` beside this file is written by `cargo run --example explain`, whose first lines say how.
//! It has the texts of Kubernetes' OpenAPI documents; the types themselves are those of
//! [`super::schemas`]. Custom resources bring both in their own schema. All of it is kept as it is
//! written, and read where it is asked for.

mod error;
mod name;
mod node;
mod page;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io::Read as _;
use std::sync::OnceLock;

use flate2::read::GzDecoder;

pub use error::ManualError;
pub use name::{guessed_plural, word};
pub use page::{FieldPage, Page, Rule};

use crate::core::json::{Map, Value, json};
use crate::core::kinds::catalog::CRD;
use crate::core::kinds::release::Release;
use crate::core::kinds::schemas;
use crate::core::object::{GroupKind, Object};

const PACKED: &[u8] = include_bytes!("explain.gz");

/// A kind whose metadata and type fields every object has.
const USUAL: &str = "core.v1.Pod";

/// The type of every object's metadata.
const METADATA: &str = "apis.meta.v1.ObjectMeta";

/// The kinds that there are words for.
pub struct Manual {
    release: Release,
    types: HashMap<String, Type>,
    kinds: Vec<Known>,
    /// The schemas of custom resources.
    documents: Vec<Value>,
    /// Kinds that were seen in passing.
    seen: Vec<String>,
}

/// A kind in one version.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its group; empty for the core group.
    pub group: String,
    /// Its version, such as `v1`.
    pub version: String,
    /// The kind.
    pub kind: String,
    /// Its name in URLs.
    pub plural: String,
    /// Its short names, such as `deploy`.
    pub short: Vec<String>,
    /// Its name for one object, where its definition has one of its own.
    singular: Option<String>,
    /// The file that it is from; `None` for Kubernetes' own.
    pub file: Option<String>,
    source: Source,
}

/// The names of a kind as its definition has them.
struct OwnNames {
    plural: String,
    singular: Option<String>,
    short: Vec<String>,
}

impl OwnNames {
    fn of(names: &Value, kind: &str) -> Self {
        let singular = names["singular"].as_str().filter(|name| !name.is_empty());
        let short = names["shortNames"].as_array().into_iter().flatten();
        Self {
            plural: names["plural"].as_str().map_or_else(|| guessed_plural(kind), str::to_owned),
            singular: singular.map(str::to_owned),
            short: short.filter_map(Value::as_str).map(str::to_owned).collect(),
        }
    }
}

impl Known {
    /// Such as `apps/v1`.
    pub fn api_version(&self) -> String {
        match self.group.as_str() {
            "" => self.version.clone(),
            group => format!("{group}/{}", self.version),
        }
    }
}

#[derive(Clone, Debug)]
enum Source {
    /// The type of this name.
    Type(String),
    /// The document of this number.
    Document(usize),
    /// Its definition has no schema.
    Nothing,
}

/// A type of the release, read when it is asked for.
#[derive(Default)]
struct Type {
    json: String,
    required: Option<String>,
    /// Descriptions in JSON by field; `-` is the type itself.
    texts: Vec<(String, String)>,
    read: OnceLock<Value>,
}

impl Type {
    fn read(&self) -> &Value {
        self.read.get_or_init(|| {
            let mut schema: Value = serde_json::from_str(&self.json).unwrap_or_default();
            let Some(map) = schema.as_object_mut() else { return schema };
            if let Some(required) = &self.required {
                let names = required.split(',').map(|name| Value::from(name.to_owned()));
                map.insert("required", Value::Array(names.collect()));
            }
            for (field, text) in &self.texts {
                let text: Value = serde_json::from_str(text).unwrap_or_default();
                let of = match field.as_str() {
                    "-" => Some(&mut *map),
                    field => map
                        .get_mut("properties")
                        .and_then(|fields| fields.get_mut(field)?.as_object_mut()),
                };
                if let Some(of) = of {
                    of.insert("description", text);
                }
            }
            schema
        })
    }
}

impl Manual {
    /// The manual of `release`; `None` where trueup does not have it.
    pub fn of(release: &str) -> Option<Self> {
        let mut manual = Self {
            release: Release::parse(release)?,
            types: HashMap::new(),
            kinds: Vec::new(),
            documents: Vec::new(),
            seen: Vec::new(),
        };
        for line in schemas::unpacked(release)?.lines() {
            manual.add_schema(line);
        }
        let mut text = String::new();
        GzDecoder::new(PACKED).read_to_string(&mut text).ok()?;
        for line in text.lines() {
            manual.add_words(line, release);
        }
        Some(manual)
    }

    /// The release that it is of.
    pub fn release(&self) -> Release {
        self.release
    }

    /// The name in URLs of a kind; `None` where it is unknown.
    pub fn plural_of(&self, kind: &GroupKind) -> Option<&str> {
        let is_it = |known: &&Known| known.group == kind.group && known.kind == kind.kind;
        self.kinds.iter().find(is_it).map(|known| known.plural.as_str())
    }

    fn add_schema(&mut self, line: &str) {
        let mut words = line.splitn(3, ' ');
        match (words.next(), words.next(), words.next()) {
            (Some("type"), Some(name), Some(json)) => {
                let read = Type { json: json.to_owned(), ..Type::default() };
                self.types.insert(name.to_owned(), read);
            }
            (Some("kind"), Some(kind), Some(rest)) => {
                let (Some((api_version, kind)), Some((_, name))) =
                    (kind.rsplit_once('/'), rest.split_once(' '))
                else {
                    return;
                };
                let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
                self.kinds.push(Known {
                    group: group.to_owned(),
                    version: version.to_owned(),
                    kind: kind.to_owned(),
                    plural: guessed_plural(kind),
                    short: Vec::new(),
                    singular: None,
                    file: None,
                    source: Source::Type(name.to_owned()),
                });
            }
            _ => {}
        }
    }

    fn add_words(&mut self, line: &str, release: &str) {
        let mut words = line.splitn(4, ' ');
        let (Some(what), Some(releases), Some(name), Some(rest)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return;
        };
        if releases.split(',').all(|other| other != release) {
            return;
        }
        if what == "names" {
            let mut words = rest.split(' ');
            let (kind, plural) = (words.next().unwrap_or_default(), words.next());
            let short = words.next().unwrap_or_default().split(',');
            let short: Vec<String> = short.filter(|it| !it.is_empty()).map(str::to_owned).collect();
            let is = |known: &&mut Known| known.kind == kind && known.api_version() == name;
            if let (Some(known), Some(plural)) = (self.kinds.iter_mut().find(is), plural) {
                plural.clone_into(&mut known.plural);
                known.short = short;
            }
            return;
        }
        let Some(of) = self.types.get_mut(name) else { return };
        match (what, rest.split_once(' ')) {
            ("required", None) => of.required = Some(rest.to_owned()),
            ("text", Some((field, text))) => of.texts.push((field.to_owned(), text.to_owned())),
            _ => {}
        }
    }

    /// Adds the kind that a CustomResourceDefinition defines, unless it is known; other objects define
    /// none.
    pub fn define(&mut self, object: &Object, file: &str) {
        if (object.group(), object.kind()) != CRD {
            return;
        }
        let spec = object.0.get("spec").unwrap_or(&Value::Null);
        let (Some(group), Some(kind)) = (spec["group"].as_str(), spec["names"]["kind"].as_str())
        else {
            return;
        };
        if self.kinds.iter().any(|known| known.group == group && known.kind == kind) {
            return;
        }
        let names = &spec["names"];
        let OwnNames { plural, singular, short } = OwnNames::of(names, kind);
        for version in spec["versions"].as_array().into_iter().flatten() {
            let Some(name) = version["name"].as_str().filter(|_| version["served"] == true) else {
                continue;
            };
            let schema = &version["schema"]["openAPIV3Schema"];
            let source = match schema.is_object() {
                true => self.document(schema.clone()),
                false => Source::Nothing,
            };
            self.kinds.push(Known {
                group: group.to_owned(),
                version: name.to_owned(),
                kind: kind.to_owned(),
                plural: plural.clone(),
                short: short.clone(),
                singular: singular.clone(),
                file: Some(file.to_owned()),
                source,
            });
        }
    }

    /// Adds the kind that a file with JSON Schema is about, unless it is known in this version. Its name
    /// is that of the file where the schema does not say it.
    ///
    /// # Errors
    ///
    /// When the text is not a schema.
    pub fn add_json(&mut self, name: &FileName, text: &[u8]) -> Result<(), String> {
        let schema: Value = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        if !schema.is_object() {
            return Err("it is not a JSON Schema: its root is not an object".to_owned());
        }
        let FileName { group, kind, version, file } = name;
        let is_same = |known: &Known| {
            known.group == *group
                && known.version == *version
                && known.kind.eq_ignore_ascii_case(kind)
        };
        if self.kinds.iter().any(is_same) {
            return Ok(());
        }
        let said = [
            &schema["x-kubernetes-group-version-kind"][0]["kind"],
            &schema["properties"]["kind"]["enum"][0],
            &schema["properties"]["kind"]["const"],
            &schema["properties"]["kind"]["default"],
            &schema["title"],
        ];
        let said = said.into_iter().filter_map(Value::as_str);
        // Descriptions of Go's types name the type.
        let words = schema["description"].as_str().unwrap_or_default();
        let words = words.split(|c: char| !c.is_ascii_alphanumeric());
        let is_kind = |it: &&str| it.eq_ignore_ascii_case(kind);
        let said = said.chain(words).filter(is_kind);
        let said = said.into_iter().find(|it| it.contains(|c: char| c.is_ascii_uppercase()));
        let kind = said.unwrap_or(kind).to_owned();
        let names = OwnNames::of(&schema[schemas::SOURCE]["names"], &kind);
        let source = self.document(schema);
        self.kinds.push(Known {
            group: group.clone(),
            version: version.clone(),
            plural: names.plural,
            kind,
            short: names.short,
            singular: names.singular,
            file: Some(file.clone()),
            source,
        });
        Ok(())
    }

    /// Notes a kind that is there and was not asked for, so that a suggestion may name it.
    pub fn saw(&mut self, kind: &str) {
        self.seen.push(kind.to_owned());
    }

    /// A schema with the fields that every object has, whether its author wrote them down or not.
    fn document(&mut self, mut schema: Value) -> Source {
        if schema["$ref"].is_null()
            && let Some(map) = schema.as_object_mut()
            && let Some(fields) =
                map.entry("properties").or_insert(Map::new().into()).as_object_mut()
        {
            for field in ["apiVersion", "kind", "metadata"] {
                let usual = self.usual(USUAL, field);
                let own = fields.entry(field).or_insert(json!({}));
                // An author says at most which names are valid.
                for (name, schema) in own["properties"].as_object_mut().into_iter().flatten() {
                    complete(schema, &self.usual(METADATA, name));
                }
                complete(own, &usual);
            }
        }
        self.documents.push(schema);
        Source::Document(self.documents.len() - 1)
    }

    /// A field of a type of the release.
    fn usual(&self, of: &str, field: &str) -> Value {
        self.types.get(of).map_or(Value::Null, |of| of.read()["properties"][field].clone())
    }
}

/// Adds what a schema does not say of itself.
fn complete(schema: &mut Value, usual: &Value) {
    if let (Some(schema), Some(usual)) = (schema.as_object_mut(), usual.as_object()) {
        for (key, value) in usual {
            schema.entry(key.as_str()).or_insert_with(|| value.clone());
        }
    }
}

/// The kind in the name of a file with JSON Schema, and the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName {
    /// The group, as far as the name has it.
    pub group: String,
    /// The kind, in whichever case.
    pub kind: String,
    /// The version.
    pub version: String,
    /// The file.
    pub file: String,
}
