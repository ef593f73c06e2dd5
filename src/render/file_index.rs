//! The checkout's files, as far as they decide what is to be rendered: every path, and the content
//! of the few files that refer to others. Plain data.

pub use crate::core::source::snapshot::resolve;
use std::collections::{BTreeMap, BTreeSet};

/// The names that a kustomization goes by, the first one being the usual.
pub const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
/// The file that makes a folder a Helm chart.
pub const CHART: &str = "Chart.yaml";

/// Whether the file makes something of its folder, or is a program itself.
pub fn is_marker(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    KUSTOMIZATIONS.contains(&name) || name == CHART || name.ends_with(".jsonnet")
}

fn may_be_kustomization(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
    // Letters that file systems fold into ASCII.
    let name = name.replace('\u{17f}', "s").replace('\u{212a}', "k");
    KUSTOMIZATIONS.iter().any(|known| known.to_lowercase() == name)
}

/// Whether the file's content says which other files are read.
pub fn refers_to_others(path: &str) -> bool {
    is_marker(path) || path.ends_with(".libsonnet") || path.ends_with("requirements.yaml")
}

/// A checkout's paths, and the content of some files.
#[derive(Clone, Debug, Default)]
pub struct FileIndex {
    paths: BTreeSet<String>,
    contents: BTreeMap<String, Vec<u8>>,
    kustomizations: BTreeMap<String, Vec<String>>,
}

impl FileIndex {
    /// A shelf of all `paths` from the root, with the content of those that
    /// [refer to others](refers_to_others).
    /// Folders among the paths are left out.
    pub fn new(paths: BTreeSet<String>, contents: BTreeMap<String, Vec<u8>>) -> Self {
        let mut shelf = Self { paths, contents, kustomizations: BTreeMap::new() };
        let folders: Vec<String> =
            shelf.paths().filter(|path| shelf.has_folder(path)).map(str::to_owned).collect();
        for folder in folders {
            shelf.paths.remove(&folder);
        }
        for path in shelf.paths.iter().filter(|path| may_be_kustomization(path)) {
            let folder = folder_of(path).to_owned();
            shelf.kustomizations.entry(folder).or_default().push(path.clone());
        }
        shelf
    }

    /// Adds the content of more files.
    pub fn add(&mut self, contents: BTreeMap<String, Vec<u8>>) {
        self.contents.extend(contents);
    }

    /// Every path.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(String::as_str)
    }

    /// Whether there is such a file.
    pub fn has_file(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    /// Whether there is a file below this folder.
    pub fn has_folder(&self, folder: &str) -> bool {
        let below = format!("{folder}/");
        folder.is_empty()
            || self.paths.range(below.clone()..).next().is_some_and(|path| path.starts_with(&below))
    }

    /// The content of a file, where it is known.
    pub fn content(&self, path: &str) -> Option<&[u8]> {
        self.contents.get(path).map(Vec::as_slice)
    }

    /// The files of a folder that are kustomizations by their names, or would be where names ignore
    /// case.
    pub fn kustomizations(&self, folder: &str) -> &[String] {
        self.kustomizations.get(folder).map_or(&[], Vec::as_slice)
    }

    /// The kustomization that a folder has.
    pub fn kustomization(&self, folder: &str) -> Option<String> {
        KUSTOMIZATIONS.iter().map(|name| join(folder, name)).find(|path| self.has_file(path))
    }
}

/// The folder that a path stands in; the root is empty.
pub fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A name in a folder.
pub fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Whether `path` is `folder` or below it.
pub fn is_within(path: &str, folder: &str) -> bool {
    folder.is_empty()
        || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_resolved_within_the_checkout_only() {
        for (folder, reference, leads_to) in [
            ("a/b", "../c", Some("a/c")),
            ("a", "./b//c/", Some("a/b/c")),
            ("", "a", Some("a")),
            ("a/b", "../..", Some("")),
            ("a/b", "../../..", None),
            ("a", "/etc/passwd", None),
            ("a", "b/../../../c", None),
        ] {
            assert_eq!(resolve(folder, reference).as_deref(), leads_to, "{folder} {reference}");
        }
    }

    #[test]
    fn a_folder_is_there_when_something_is_in_it() {
        let shelf = FileIndex::new(
            ["a", "a/b", "a/b/c.yaml", "ab.yaml"].map(str::to_owned).into(),
            [].into(),
        );
        assert!(shelf.has_folder("") && shelf.has_folder("a") && shelf.has_folder("a/b"));
        assert!(!shelf.has_file("a") && !shelf.has_file("a/b"));
        assert!(!shelf.has_folder("ab") && !shelf.has_folder("a/b/c.yaml"));
        assert!(is_within("a/b", "a") && is_within("a", "a") && !is_within("ab", "a"));
    }
}
