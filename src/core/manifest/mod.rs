//! Bytes of a file → [`Manifest`]s: the objects that its documents declare, and where each stands.
//!
//! Documents mean here what they mean to `kubectl apply -f`, number for number and boolean for
//! boolean, because that is what the cluster has received so far. One wrong document costs that
//! document: it becomes a [`Problem`], and the others are still read. Which files are manifests is
//! the caller's choice; what the objects mean is [`crate::core::desired`]'s.
//!
//! The way of the bytes: [`encoding`] → [`split`] → [`events`] → [`tree`] → [`build`] (with
//! [`scalar`], [`number`], [`surprise`] and [`tabs`]) → [`declared_objects`]; JSON goes from [`encoding`] through
//! [`json`] straight to [`declared_objects`]. A [`fault::ManifestFault`] becomes a [`Problem`] in [`fault_problem`].

mod build;
mod declared_objects;
mod encoding;
mod events;
mod fault;
mod fault_problem;
mod hints;
mod json;
mod limits;
mod number;
mod place;
mod positions;
mod prepared_text;
mod scalar;
mod split;
mod spots;
mod surprise;
mod tabs;
mod tree;
mod written;

#[cfg(test)]
mod tests;

pub use events::is_parsing;
pub use positions::{PathPart, Positions, Written};
pub use written::{WrittenObject, WrittenPart};

use std::sync::Arc;

use crate::core::json::Value;
use crate::core::object::Object;
use crate::core::problem::{Location, Problem};

/// Where in the checkout an object is declared.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// Path from the checkout's root, with `/` between the parts.
    pub path: String,
    /// Line of the document's first key, from 1.
    pub line: usize,
    /// Column of the document's first key in characters, from 1.
    pub column: usize,
    /// Which document of the file it is, from 1; documents without content don't count.
    pub document: usize,
}

impl Origin {
    /// The place of the document's first key.
    pub fn location(&self) -> Location {
        Location { path: self.path.clone(), line: self.line, column: self.column }
    }
}

/// An object that a file declares.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Manifest {
    /// The object as the file has it.
    pub object: Object,
    /// Where it is declared.
    pub origin: Origin,
    /// Where each of its fields stands.
    pub positions: Positions,
    /// Where it is written, if it was rendered and its program says so.
    pub written: Option<Arc<WrittenObject>>,
}

/// The content of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// The objects, in the order of the file; those of a `List` one by one.
    pub manifests: Vec<Manifest>,
    /// The documents that could not be read, in the order of the file.
    pub problems: Vec<Problem>,
    /// Texts that Kubernetes reads without an error, though their author most likely meant
    /// something else.
    pub warnings: Vec<Problem>,
}

/// Reads a file as kubectl does: a stream of JSON documents if its first character is `{`, else
/// YAML documents between lines that start with `---`. What begins as JSON may go on as YAML behind
/// such a line.
///
/// A document that begins with `{` and is not JSON is refused, as kubectl did before 1.34. Since
/// then it tries YAML (`YAMLOrJSONDecoder` in k8s.io/apimachinery), which has a meaning for a
/// forgotten quote or a line break within a text: another one than was meant.
pub fn read(path: &str, bytes: &[u8]) -> Reading {
    let text = match encoding::decode(bytes) {
        Ok(text) => text,
        Err(fault) => return fault_problem::FaultSource::new(path, &[]).only(fault),
    };
    let mut reader = ManifestReader::new(fault_problem::FaultSource::new(path, &text));
    if json::is_json(&text) {
        reader.json(&text);
    } else {
        reader.yaml(&text, 1);
    }
    reader.reading
}

/// Reads a file of which kubectl knows nothing, as kustomize does: as YAML, also where it begins
/// with `{`.
pub fn read_yaml(path: &str, bytes: &[u8]) -> Reading {
    let text = match encoding::decode(bytes) {
        Ok(text) => text,
        Err(fault) => return fault_problem::FaultSource::new(path, &[]).only(fault),
    };
    let mut reader = ManifestReader::new(fault_problem::FaultSource::new(path, &text));
    reader.yaml(&text, 1);
    reader.reading
}

/// Reads a file that is not a manifest, such as a kustomization: the value of its first document
/// and where each part of it stands, `None` when there is nothing in it.
///
/// # Errors
///
/// When that document can't be read.
pub fn value(path: &str, bytes: &[u8]) -> Result<Option<(Value, Positions)>, Problem> {
    let text = encoding::decode(bytes);
    let text =
        text.map_err(|fault| fault_problem::FaultSource::new(path, &[]).problem(fault, &[]))?;
    for chunk in split::chunks(&text, 1) {
        match chunk.read() {
            Ok(None) => {}
            Ok(Some(document)) => return Ok(Some((document.value, document.positions))),
            Err(fault) => {
                return Err(
                    fault_problem::FaultSource::new(path, &text).problem(fault, chunk.bytes())
                );
            }
        }
    }
    Ok(None)
}

/// Every document of a file, whatever it is, without where its parts stand.
///
/// # Errors
///
/// When one of them can't be read.
pub fn values(path: &str, bytes: &[u8]) -> Result<Vec<Value>, Problem> {
    let text = encoding::decode(bytes);
    let text =
        text.map_err(|fault| fault_problem::FaultSource::new(path, &[]).problem(fault, &[]))?;
    let mut values = Vec::new();
    for chunk in split::chunks(&text, 1) {
        match chunk.read() {
            Ok(document) => values.extend(document.map(|document| document.value)),
            Err(fault) => {
                return Err(
                    fault_problem::FaultSource::new(path, &text).problem(fault, chunk.bytes())
                );
            }
        }
    }
    Ok(values)
}

/// Every document of a text that can be read, with where its parts stand.
pub fn documents(bytes: &[u8]) -> Vec<(Value, Positions)> {
    let Ok(text) = encoding::decode(bytes) else { return Vec::new() };
    let read = split::chunks(&text, 1).filter_map(|chunk| chunk.read().ok().flatten());
    read.map(|document| (document.value, document.positions)).collect()
}

/// The remedy for a document that begins as JSON and is not JSON.
const NO_JSON: &str =
    "a file that begins with `{` is read as JSON; for YAML, put `---` on a line before it";

/// The file under way: how many documents it had so far, and what came of them.
struct ManifestReader<'a> {
    source: fault_problem::FaultSource<'a>,
    documents: usize,
    reading: Reading,
}

impl<'a> ManifestReader<'a> {
    fn new(source: fault_problem::FaultSource<'a>) -> Self {
        Self { source, documents: 0, reading: Reading::default() }
    }

    /// Reads YAML that begins at a line of the file.
    fn yaml(&mut self, text: &[u8], line: u32) {
        for chunk in split::chunks(text, line) {
            let document = match chunk.read() {
                Ok(Some(document)) => document,
                Ok(None) => continue,
                Err(fault) => {
                    self.documents += 1;
                    self.problem(fault, chunk.bytes());
                    continue;
                }
            };
            if !self.document(document, chunk.bytes()) {
                return;
            }
        }
    }

    fn json(&mut self, text: &'a [u8]) {
        for (before, document) in json::documents(text).enumerate() {
            match document {
                Ok((Some(document), bytes)) => {
                    if !self.document(document, bytes) {
                        return;
                    }
                }
                Ok((None, _)) => {}
                Err((_, rest)) if before <= 1 && self.is_yaml_from(text, rest) => return,
                Err((fault, bytes)) => {
                    self.documents += 1;
                    let hint = fault.hint.clone().unwrap_or_else(|| NO_JSON.to_owned());
                    self.problem(fault.hint(hint), bytes);
                }
            }
        }
    }

    /// Reads `rest`, the end of `text`, as YAML if it does not begin as JSON does and its first
    /// document is YAML; kubectl does so where at most one document was JSON.
    fn is_yaml_from(&mut self, text: &'a [u8], rest: &[u8]) -> bool {
        if json::is_json(rest) {
            return false;
        }
        let before = &text[..text.len() - rest.len()];
        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        let mut other =
            ManifestReader::new(fault_problem::FaultSource::new(self.source.path, text));
        other.documents = self.documents;
        other.yaml(rest, u32::try_from(line).unwrap_or(u32::MAX));
        let Reading { manifests, problems, warnings } = other.reading;
        let begins = manifests.first().map(|manifest| manifest.origin.line);
        if let Some(problem) = problems.first()
            && begins.is_none_or(|begins| problem.place.line <= begins)
        {
            return false;
        }
        self.documents = other.documents;
        self.reading.manifests.extend(manifests);
        self.reading.problems.extend(problems);
        self.reading.warnings.extend(warnings);
        true
    }

    /// Takes a document that could be read; false when the file has had its share of them.
    fn document(&mut self, document: build::BuiltDocument, bytes: &[u8]) -> bool {
        self.documents += 1;
        if self.documents > limits::DOCUMENTS {
            let spot = document.positions.root().unwrap_or_default();
            self.problem(limits::too_many_documents(spot), bytes);
            return false;
        }
        for fault in &document.warnings {
            self.reading.warnings.push(self.source.problem(fault.clone(), bytes));
        }
        for declared in declared_objects::objects(document) {
            match declared {
                Ok((object, positions)) => {
                    let spot = positions.root().unwrap_or_default();
                    let origin = Origin {
                        path: self.source.path.to_owned(),
                        line: spot.line as usize,
                        column: spot.column as usize,
                        document: self.documents,
                    };
                    let manifest = Manifest { object, origin, positions, written: None };
                    self.reading.manifests.push(manifest);
                }
                Err(fault) => self.problem(fault, bytes),
            }
        }
        true
    }

    fn problem(&mut self, fault: fault::ManifestFault, bytes: &[u8]) {
        self.reading.problems.push(self.source.problem(fault, bytes));
    }
}
