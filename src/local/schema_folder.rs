//! Folders with schemas of custom resources. Of JSON Schema only the files of wanted kinds are opened:
//! a catalogue has thousands.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::bounded_read::read_regular;
use crate::core::kinds::catalog::CRD;
use crate::core::kinds::schemas::{Schemas, candidates};
use crate::core::manifest;
use crate::core::object::GroupKind;

/// Larger files are not read.
pub(super) const LARGEST: u64 = 16 << 20;

/// More files with definitions than this are not read.
const MOST: usize = 10_000;

/// Folders in folders are read to this depth.
const DEEPEST: usize = 8;

/// Why a folder's schemas can't be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the schema {}: {why}", path.display())]
pub struct SchemaFileError {
    path: PathBuf,
    why: String,
}

impl SchemaFileError {
    pub(super) fn new(path: &Path, why: impl fmt::Display) -> Self {
        Self { path: path.to_owned(), why: why.to_string() }
    }
}

/// Adds the schemas that a folder has of the wanted kinds and versions and that are not known yet.
///
/// # Errors
///
/// When the folder or one of these files can't be read.
pub fn add(
    schemas: &mut Schemas,
    folder: &Path,
    wanted: &[(GroupKind, String)],
) -> Result<(), SchemaFileError> {
    let is_folder =
        std::fs::metadata(folder).map_err(|error| SchemaFileError::new(folder, error))?;
    if !is_folder.is_dir() {
        return Err(SchemaFileError::new(folder, "it is not a folder"));
    }
    for (kind, version) in wanted {
        for name in candidates(kind, version) {
            if schemas.has(kind, version) {
                break;
            }
            let path = folder.join(name);
            let text = match read_regular(&path, LARGEST) {
                Ok(text) => text,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(SchemaFileError::new(&path, error)),
            };
            let added = schemas.add_json(kind, version, &text);
            added.map_err(|why| SchemaFileError::new(&path, why))?;
        }
    }
    if wanted.iter().all(|(kind, version)| schemas.has(kind, version)) {
        return Ok(());
    }
    let mut files = Vec::new();
    definitions(folder, 0, &mut files)?;
    files.sort();
    for path in files {
        let text =
            read_regular(&path, LARGEST).map_err(|error| SchemaFileError::new(&path, error))?;
        let reading = manifest::read(&path.to_string_lossy(), &text);
        if let Some(problem) = reading.problems.first() {
            return Err(SchemaFileError::new(&path, &problem.message));
        }
        for manifest in &reading.manifests {
            let object = &manifest.object;
            if (object.group(), object.kind()) == CRD {
                schemas.define_unknown(object);
            }
        }
    }
    Ok(())
}

/// The YAML files of a folder and those in it. Links are not followed, so that there is no circle.
pub(super) fn definitions(
    folder: &Path,
    depth: usize,
    found: &mut Vec<PathBuf>,
) -> Result<(), SchemaFileError> {
    let error = |error: io::Error| SchemaFileError::new(folder, error);
    for entry in std::fs::read_dir(folder).map_err(error)? {
        let entry = entry.map_err(error)?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(error)?);
        let is_yaml = path.extension().is_some_and(|it| it == "yaml" || it == "yml");
        if kind.is_dir() && depth < DEEPEST {
            definitions(&path, depth + 1, found)?;
        } else if kind.is_file() && is_yaml {
            if found.len() == MOST {
                let why = format!("it has more than {MOST} YAML files");
                return Err(SchemaFileError::new(folder, why));
            }
            found.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> Vec<(GroupKind, String)> {
        vec![(GroupKind::new("example.com", "Thing"), "v1".to_owned())]
    }

    fn result(files: &[(&str, &str)]) -> (Schemas, Result<(), String>, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let mut schemas = Schemas::default();
        let added = add(&mut schemas, folder.path(), &wanted());
        (schemas, added.map_err(|error| error.to_string()), folder.path().to_owned())
    }

    #[test]
    fn schemas_come_from_either_layout_and_from_definitions() {
        let definition = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n\
            metadata: {name: things.example.com}\nspec:\n  group: example.com\n  scope: Cluster\n  \
            names: {kind: Thing}\n  versions: [{name: v1, served: true, schema: \
            {openAPIV3Schema: {type: object}}}]\n";
        for (name, text) in [
            ("example.com/thing_v1.json", "{}"),
            ("thing-example-v1.json", "{}"),
            ("crds/deep/things.yaml", definition),
        ] {
            let (schemas, added, _) = result(&[(name, text), ("other.json", "not JSON")]);
            assert_eq!(added, Ok(()), "{name}");
            assert!(schemas.has(&wanted()[0].0, "v1"), "{name}");
        }
        let (schemas, added, _) = result(&[("example.com/thing_v2.json", "{}")]);
        assert_eq!(added, Ok(()));
        assert!(!schemas.has(&wanted()[0].0, "v1"));
    }

    #[test]
    fn a_file_that_is_not_a_schema_is_named() {
        let (_, added, folder) = result(&[("example.com/thing_v1.json", "{\"type\": ")]);
        let path = folder.join("example.com/thing_v1.json");
        let start = format!("cannot use the schema {}: EOF", path.display());
        assert!(added.clone().unwrap_err().starts_with(&start), "{added:?}");
        let mut schemas = Schemas::default();
        assert!(add(&mut schemas, &folder.join("nothing"), &wanted()).is_err());
    }
}
