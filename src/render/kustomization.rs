//! What a kustomization refers to, and whether it may. Nothing is read or run here.
//!
//! kustomize fetches what it takes for a URL without being asked, so that whatever is not in the
//! checkout is found, and refused, before it runs.

use std::collections::BTreeSet;

use serde_json::Value;

use super::shelf::{Shelf, folder_of, resolve};
use crate::manifest::{self, PathPart, Positions};
use crate::problem::{Place, Problem};

/// The lists whose entries are files or folders, or YAML itself.
const FOLDERS: [&str; 6] =
    ["resources", "bases", "components", "generators", "transformers", "validators"];
/// The lists whose entries are files, or YAML itself.
const FILES: [&str; 3] = ["crds", "configurations", "patchesStrategicMerge"];
/// The lists of maps that name files, and the keys that do.
const NESTED: [(&str, &[&str]); 5] = [
    ("patches", &["path"]),
    ("patchesJson6902", &["path"]),
    ("replacements", &["path"]),
    ("configMapGenerator", &["files", "envs", "env"]),
    ("secretGenerator", &["files", "envs", "env"]),
];

/// A kustomization that can be read.
#[derive(Debug)]
pub struct Kustomization {
    file: String,
    value: Value,
    positions: Positions,
}

/// Everything that building a kustomization reads.
#[derive(Clone, Debug, Default)]
pub struct Closure {
    /// Its own folder, and the folders that it refers to, directly or not.
    pub folders: BTreeSet<String>,
    /// The files that it refers to.
    pub files: BTreeSet<String>,
    /// References that are refused, and kustomizations that can't be read.
    pub problems: Vec<Problem>,
}

impl Kustomization {
    /// Reads the kustomization at `file`; `None` where it is something else by that name, such as
    /// an object of another tool's kind `Kustomization`.
    ///
    /// # Errors
    ///
    /// When it can't be read.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Option<Self>, Problem> {
        let (value, positions) = manifest::value(file, bytes)?.unwrap_or_default();
        let said = |key: &str| value.get(key).and_then(Value::as_str);
        let group = said("apiVersion").map(|version| version.split('/').next().unwrap_or(version));
        let is_other = group.is_some_and(|group| group != "kustomize.config.k8s.io");
        Ok((!is_other).then(|| Self { file: file.to_owned(), value, positions }))
    }

    /// Whether it is a part for others to take in, which nobody builds by itself.
    pub fn is_component(&self) -> bool {
        self.value.get("kind").is_some_and(|kind| kind == "Component")
    }

    /// Adds what it refers to; returns the folders.
    fn follow(&self, shelf: &Shelf, closure: &mut Closure) -> Vec<String> {
        let mut folders = Vec::new();
        for reference in self.references() {
            match self.look_up(&reference, shelf) {
                Ok(Some(path)) if shelf.has_file(&path) => drop(closure.files.insert(path)),
                Ok(Some(path)) => folders.push(path),
                Ok(None) => {}
                Err(problem) => closure.problems.push(problem),
            }
        }
        folders
    }

    /// Where a reference leads to in the checkout; `None` where kustomize itself had better say
    /// what is wrong with it.
    fn look_up(&self, reference: &Reference, shelf: &Shelf) -> Result<Option<String>, Problem> {
        let Reference { text, .. } = reference;
        let path = resolve(folder_of(&self.file), text);
        if let Some(path) = &path
            && (shelf.has_file(path) || reference.may_be_folder && shelf.has_folder(path))
        {
            return Ok(Some(path.clone()));
        }
        let (message, hint) = if is_remote(text) {
            (
                format!("{text} is not in the checkout, and nothing is fetched while rendering"),
                "put a copy of it into the repository, and refer to that",
            )
        } else if path.is_none() {
            (
                format!("{text} leads out of the checkout"),
                "put what it refers to into the repository",
            )
        } else if reference.may_be_folder {
            (format!("{text} is not there"), "commit it, or correct its path")
        } else {
            return Ok(None);
        };
        let Reference { line, column, .. } = *reference;
        Err(Problem {
            place: Place { path: self.file.clone(), line, column },
            message,
            excerpt: None,
            hint: Some(hint.to_owned()),
        })
    }

    fn references(&self) -> Vec<Reference> {
        let mut found = Vec::new();
        for (lists, may_be_folder) in [(&FOLDERS[..], true), (&FILES[..], false)] {
            for key in lists {
                self.texts(&[(*key).into()], self.value.get(key), may_be_folder, &mut found);
            }
        }
        for (list, keys) in NESTED {
            let items = self.value.get(list).and_then(Value::as_array);
            for (at, item) in items.into_iter().flatten().enumerate() {
                for key in keys {
                    let path = [list.into(), at.into(), (*key).into()];
                    self.texts(&path, item.get(key), false, &mut found);
                }
            }
        }
        let schema = self.value.get("openapi").and_then(|openapi| openapi.get("path"));
        self.texts(&["openapi".into(), "path".into()], schema, false, &mut found);
        found
    }

    /// The texts of a list, or the only text.
    fn texts<'a>(
        &self,
        at: &[PathPart<'a>],
        value: Option<&'a Value>,
        may_be_folder: bool,
        found: &mut Vec<Reference>,
    ) {
        let mut add = |text: &str, at: &[PathPart<'_>]| {
            // What has several lines, or is a map in one, is YAML and no path.
            if text.contains('\n') || text.starts_with(['{', '[']) || text.is_empty() {
                return;
            }
            // A generator's file may have a key of its own: `key=path`.
            let is_generated =
                matches!(at.first(), Some(PathPart::Key(key)) if key.ends_with("Generator"));
            let text = match text.split_once('=') {
                Some((_, path)) if is_generated => path,
                _ => text,
            };
            let (line, column) = self.positions.of_value(at).unwrap_or((1, 1));
            found.push(Reference { text: text.to_owned(), line, column, may_be_folder });
        };
        match value {
            Some(Value::String(text)) => add(text, at),
            Some(Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    if let Value::String(text) = item {
                        add(text, &[at, &[index.into()]].concat());
                    }
                }
            }
            _ => {}
        }
    }
}

/// A path or URL that a kustomization names.
struct Reference {
    text: String,
    line: usize,
    column: usize,
    may_be_folder: bool,
}

/// Everything that building the kustomization in `folder` reads.
pub fn closure(shelf: &Shelf, folder: &str) -> Closure {
    let mut closure = Closure::default();
    let mut ahead = vec![folder.to_owned()];
    while let Some(folder) = ahead.pop() {
        if !closure.folders.insert(folder.clone()) {
            continue;
        }
        let Some(file) = shelf.kustomization(&folder) else { continue };
        match Kustomization::read(&file, shelf.content(&file).unwrap_or_default()) {
            Ok(Some(kustomization)) => ahead.extend(kustomization.follow(shelf, &mut closure)),
            Ok(None) => {}
            Err(problem) => closure.problems.push(problem),
        }
    }
    closure
}

/// Whether kustomize would take what is no local path for something to fetch: a URL, or a
/// repository as git names it.
fn is_remote(text: &str) -> bool {
    let first = text.split('/').next().unwrap_or(text);
    let is_host = first.contains('.') && !first.starts_with('.') && text.contains('/');
    text.contains("://")
        || text.contains("?ref=")
        || text.contains(".git")
        || ["git::", "gh:"].iter().any(|start| text.starts_with(start))
        || first.contains('@')
        || is_host
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shelf(files: &[(&str, &str)]) -> Shelf {
        let paths = files.iter().map(|(path, _)| (*path).to_owned()).collect();
        let contents = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).into()));
        Shelf::new(paths, contents.collect())
    }

    fn refused(kustomization: &str) -> Vec<String> {
        let shelf = shelf(&[("a/b/kustomization.yaml", kustomization), ("a/c.yaml", "")]);
        let problems = closure(&shelf, "a/b").problems;
        problems.iter().map(|problem| format!("{}: {}", problem.place, problem.message)).collect()
    }

    #[test]
    fn what_is_referred_to_is_followed_to_its_end() {
        let shelf = shelf(&[
            (
                "envs/prod/kustomization.yaml",
                "resources: [../../base, ./web.yaml]\ncomponents:\n- ../../parts/tls\n",
            ),
            ("envs/prod/web.yaml", ""),
            ("base/kustomization.yml", "bases:\n- ../common\n"),
            ("common/Kustomization", "configMapGenerator: [{name: a, files: [b=c.txt]}]"),
            ("common/c.txt", ""),
            ("parts/tls/kustomization.yaml", "kind: Component"),
            ("elsewhere/kustomization.yaml", ""),
        ]);
        let closure = closure(&shelf, "envs/prod");
        assert_eq!(closure.problems, []);
        let folders: Vec<&str> = closure.folders.iter().map(String::as_str).collect();
        assert_eq!(folders, ["base", "common", "envs/prod", "parts/tls"]);
        let files: Vec<&str> = closure.files.iter().map(String::as_str).collect();
        assert_eq!(files, ["common/c.txt", "envs/prod/web.yaml"]);
    }

    #[test]
    fn kustomizations_that_take_each_other_in_come_to_an_end() {
        let shelf = shelf(&[
            ("a/kustomization.yaml", "resources: [../b]"),
            ("b/kustomization.yaml", "resources: [../a]"),
        ]);
        assert_eq!(closure(&shelf, "a").folders.len(), 2);
    }

    #[test]
    fn nothing_outside_the_checkout_is_taken_in() {
        let fetched = "is not in the checkout, and nothing is fetched while rendering";
        for remote in [
            "https://example.com/a.yaml",
            "github.com/example/repo//deploy?ref=v1",
            "git@github.com:example/repo.git",
            "git::https://example.com/repo",
            "ssh://git@example.com/repo",
        ] {
            assert_eq!(
                refused(&format!("resources:\n- ../c.yaml\n- {remote}\n")),
                [format!("a/b/kustomization.yaml:3:3: {remote} {fetched}")]
            );
        }
        let patch = "patches:\n- path: http://localhost/p.yaml\n";
        let wanted = format!("a/b/kustomization.yaml:2:9: http://localhost/p.yaml {fetched}");
        assert_eq!(refused(patch), [wanted]);
        let file = "secretGenerator:\n- name: s\n  files: [key=https://localhost/p]\n";
        let wanted = format!("a/b/kustomization.yaml:3:11: https://localhost/p {fetched}");
        assert_eq!(refused(file), [wanted]);
        for (path, message) in [
            ("../../../x", "../../../x leads out of the checkout"),
            ("/etc/passwd", "/etc/passwd leads out of the checkout"),
            ("../d", "../d is not there"),
        ] {
            let wanted = format!("a/b/kustomization.yaml:1:13: {message}");
            assert_eq!(refused(&format!("resources: [{path}]")), [wanted]);
        }
    }

    #[test]
    fn another_tool_s_kustomization_is_a_manifest() {
        let read = |text: &str| Kustomization::read("k", text.as_bytes()).unwrap();
        assert!(read("apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization").is_none());
        assert!(read("").is_some_and(|kustomization| !kustomization.is_component()));
        let component = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component";
        assert!(read(component).is_some_and(|kustomization| kustomization.is_component()));
    }
}
