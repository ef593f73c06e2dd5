//! Admission policies of a folder, for `trueup check --policy`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::exit::Failure;
use crate::core::manifest::{self, Manifest};
use crate::core::problem::Problem;
use crate::local::bounded_read;

/// The most bytes of a file.
const FILE: u64 = 16 << 20;
/// The most files of all folders.
const FILES: usize = 10_000;
/// How deep folders may be nested.
const DEPTH: usize = 32;

/// Policies, bindings and parameters, and the documents that could not be read.
#[derive(Debug, Default)]
pub struct Policies {
    /// The objects.
    pub manifests: Vec<Manifest>,
    /// The faults of the files.
    pub problems: Vec<Problem>,
}

impl Policies {
    /// Reads every YAML and JSON file of folders, or files that are named.
    ///
    /// # Errors
    ///
    /// When a file can't be read, or there are too many.
    pub fn read(paths: &[PathBuf], directory: &Path) -> Result<Self, Failure> {
        let mut files = Vec::new();
        for path in paths {
            let found = directory.join(path);
            let data = found.metadata();
            let data = data.with_context(|| format!("--policy: cannot read {}", path.display()))?;
            if data.is_dir() {
                list(&found, path, DEPTH, &mut files)?
            } else {
                files.push((found, path.clone()))
            }
        }
        let mut policies = Self::default();
        for (file, shown) in files {
            let bytes = bounded_read::read_regular(&file, FILE);
            let bytes =
                bytes.with_context(|| format!("--policy: cannot read {}", shown.display()))?;
            let reading = manifest::read(&shown.to_string_lossy(), &bytes);
            policies.manifests.extend(reading.manifests);
            policies.problems.extend(reading.problems);
        }
        Ok(policies)
    }
}

/// Lists the files of a folder, in order. A link to a folder is not followed.
fn list(
    folder: &Path,
    shown: &Path,
    depth: usize,
    files: &mut Vec<(PathBuf, PathBuf)>,
) -> Result<(), Failure> {
    let attempt = || format!("--policy: cannot read {}", shown.display());
    let mut entries: Vec<_> = folder
        .read_dir()
        .and_then(Iterator::collect::<std::io::Result<_>>)
        .with_context(attempt)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let (path, shown) = (entry.path(), shown.join(entry.file_name()));
        let is_wanted = path
            .extension()
            .is_some_and(|end| ["yaml", "yml", "json"].iter().any(|wanted| end == *wanted));
        let kind = entry.file_type().with_context(attempt)?;
        if kind.is_dir() {
            let deeper = depth.checked_sub(1).with_context(|| {
                format!("--policy: {} is nested more than {DEPTH} folders deep", shown.display())
            })?;
            list(&path, &shown, deeper, files)?;
        } else if is_wanted {
            if files.len() == FILES {
                return Err(anyhow::anyhow!("--policy: more than {FILES} files").into());
            }
            files.push((path, shown));
        }
    }
    Ok(())
}
