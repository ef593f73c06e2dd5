//! Writes the schemas of a cluster into a folder, each file whole or not at all. A file that trueup did
//! not write stays as it is.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use super::bounded_read::read_regular;
use super::schema_folder::{LARGEST, SchemaFileError};
use crate::core::json::Value;
use crate::core::kinds::schemas::{SOURCE, SchemaFile};

/// The outcome for one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteOutcome {
    /// It is new.
    Created,
    /// It was another one.
    Updated,
    /// It was the same.
    Unchanged,
    /// Trueup did not write the file that is there, so it stays.
    Kept,
}

/// A file of an earlier run whose definition the cluster no longer has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoneSchema {
    /// Its path in the folder.
    pub path: String,
    /// The name of the definition.
    pub definition: String,
}

/// Writes the files into the folder, which is made if need be, and gives the outcome of each.
///
/// # Errors
///
/// When a file can't be read or written. Those before it are written.
pub fn write(folder: &Path, files: &[SchemaFile]) -> Result<Vec<WriteOutcome>, SchemaFileError> {
    let written = files.iter().map(|file| {
        let path = folder.join(&file.path);
        write_one(&path, file.text.as_bytes()).map_err(|error| SchemaFileError::new(&path, error))
    });
    written.collect()
}

fn write_one(path: &Path, text: &[u8]) -> io::Result<WriteOutcome> {
    let outcome = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => WriteOutcome::Created,
        Err(error) => return Err(error),
        Ok(found) if !found.is_file() => return Ok(WriteOutcome::Kept),
        Ok(_) => match read_regular(path, LARGEST)? {
            there if there == text => return Ok(WriteOutcome::Unchanged),
            there if source_of(&there).is_none() => return Ok(WriteOutcome::Kept),
            _ => WriteOutcome::Updated,
        },
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    if fs::symlink_metadata(folder)?.is_symlink() {
        return Err(io::Error::other("its folder is a link, which may lead elsewhere"));
    }
    let mut builder = tempfile::Builder::new();
    // Schemas are for all who read the repository; the umask takes its share.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(text)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(outcome)
}

/// The files of earlier runs that are not among `current`, by path.
///
/// # Errors
///
/// When the folder can't be read.
pub fn gone(folder: &Path, current: &[SchemaFile]) -> Result<Vec<GoneSchema>, SchemaFileError> {
    let current: BTreeSet<&str> = current.iter().map(|file| file.path.as_str()).collect();
    let mut found = Vec::new();
    for group in names(folder, fs::FileType::is_dir)? {
        for name in names(&folder.join(&group), fs::FileType::is_file)? {
            let path = format!("{group}/{name}");
            if !name.ends_with(".json") || current.contains(path.as_str()) {
                continue;
            }
            // A file that can't be read was not written by trueup, as far as can be told.
            let text = read_regular(&folder.join(&path), LARGEST).unwrap_or_default();
            if let Some(definition) = source_of(&text) {
                found.push(GoneSchema { path, definition });
            }
        }
    }
    Ok(found)
}

/// The names in a folder, sorted.
fn names(folder: &Path, is: fn(&fs::FileType) -> bool) -> Result<Vec<String>, SchemaFileError> {
    let error = |error: io::Error| SchemaFileError::new(folder, error);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(error)?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(error)?;
        if is(&entry.file_type().map_err(error)?) {
            found.extend(entry.file_name().into_string());
        }
    }
    found.sort();
    Ok(found)
}

/// The definition that a file of trueup's names as its source.
fn source_of(text: &[u8]) -> Option<String> {
    let root: Value = serde_json::from_slice(text).ok()?;
    root[SOURCE]["definition"].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> SchemaFile {
        SchemaFile {
            path: path.to_owned(),
            definition: "things.example.com".to_owned(),
            api_version: "example.com/v1".to_owned(),
            kind: "Thing".to_owned(),
            text: text.to_owned(),
        }
    }

    fn ours(note: &str) -> String {
        format!(r#"{{"{SOURCE}": {{"definition": "things.example.com"}}, "note": "{note}"}}"#)
    }

    #[test]
    fn files_are_written_once_and_those_of_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("a/b");
        let path = "example.com/thing_v1.json";
        let outcome = |text: &str| write(&to, &[file(path, text)]).unwrap()[0];
        assert_eq!(outcome(&ours("1")), WriteOutcome::Created);
        assert_eq!(outcome(&ours("1")), WriteOutcome::Unchanged);
        assert_eq!(outcome(&ours("2")), WriteOutcome::Updated);
        assert_eq!(fs::read_to_string(to.join(path)).unwrap(), ours("2"));
        for other in ["{}", "not JSON", ""] {
            fs::write(to.join(path), other).unwrap();
            assert_eq!(outcome(&ours("3")), WriteOutcome::Kept);
            assert_eq!(fs::read_to_string(to.join(path)).unwrap(), other);
        }
        assert_eq!(fs::read_dir(to.join("example.com")).unwrap().count(), 1);
    }

    #[test]
    fn files_of_earlier_runs_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path();
        assert_eq!(gone(&to.join("nowhere"), &[]).unwrap(), []);
        let files =
            [file("b.example/x_v1.json", &ours("1")), file("a.example/y_v1.json", &ours("1"))];
        write(to, &files).unwrap();
        fs::write(to.join("a.example/other_v1.json"), "{}").unwrap();
        fs::write(to.join("note.json"), ours("1")).unwrap();
        let paths = |current: &[SchemaFile]| -> Vec<String> {
            gone(to, current).unwrap().into_iter().map(|it| it.path).collect()
        };
        assert_eq!(paths(&files), Vec::<String>::new());
        assert_eq!(paths(&files[1..]), ["b.example/x_v1.json"]);
        assert_eq!(paths(&[]), ["a.example/y_v1.json", "b.example/x_v1.json"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_written_through() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};

        let folder = tempfile::tempdir().unwrap();
        let (to, away) = (folder.path().join("to"), folder.path().join("away"));
        fs::create_dir_all(&to).unwrap();
        fs::create_dir_all(&away).unwrap();
        symlink(&away, to.join("example.com")).unwrap();
        let files = [file("example.com/thing_v1.json", &ours("1"))];
        let error = write(&to, &files).unwrap_err().to_string();
        assert!(error.contains("its folder is a link"), "{error}");
        assert_eq!(fs::read_dir(&away).unwrap().count(), 0);
        fs::remove_file(to.join("example.com")).unwrap();
        fs::create_dir(to.join("example.com")).unwrap();
        symlink(away.join("x"), to.join("example.com/thing_v1.json")).unwrap();
        assert_eq!(write(&to, &files).unwrap(), [WriteOutcome::Kept]);
        fs::remove_file(to.join("example.com/thing_v1.json")).unwrap();
        write(&to, &files).unwrap();
        let mode = fs::metadata(to.join(&files[0].path)).unwrap().permissions().mode();
        assert_eq!(mode & 0o600, 0o600);
        assert!(!away.join("x").exists());
    }
}
