//! The references of a kustomization, and whether they are allowed. Nothing is read or run here.
//!
//! kustomize builds any folder of the machine that a kustomization names and downloads what it
//! takes for a URL. So everything it could open is found here before it runs, and refused where it
//! is not in the checkout. To be sure of that, a kustomization is read as widely as kustomize reads
//! it ([`fields`], [`findings`], [`plugins`]), and the rest is refused. kustomize is [given](given)
//! what was understood and not what is written.

mod fields;
mod findings;
mod given;
mod plugins;
mod remote;

use std::collections::{BTreeMap, BTreeSet};

use super::file_index::{FileIndex, KUSTOMIZATIONS, resolve};
use crate::core::json::Value;
use crate::core::manifest::{self, Positions};
use crate::core::problem::{Location, Problem};
use fields::{KUSTOMIZATION, Names, OBJECT, PLUGINS};
use findings::{KustomizationFindings, MapPlace, Reference, look};
use remote::{is_repository, is_url, looks_remote};

/// The API group of kustomizations.
const GROUP: &str = "kustomize.config.k8s.io";

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
    /// The content for kustomize in place of these files.
    pub given: BTreeMap<String, Vec<u8>>,
    /// Files that have to be looked into, and whose content the shelf doesn't have.
    pub unread: BTreeSet<String>,
    /// References that are refused, and kustomizations that can't be read.
    pub problems: Vec<Problem>,
}

impl Kustomization {
    /// Reads the kustomization at `file`.
    ///
    /// # Errors
    ///
    /// When it can't be read.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self, Problem> {
        let (value, positions) = manifest::value(file, bytes)?.unwrap_or_default();
        Ok(Self { file: file.to_owned(), value, positions })
    }

    /// Whether it is something else by that name, such as an object of another tool's kind
    /// `Kustomization`. kustomize takes it for a kustomization all the same where another one refers
    /// to its folder.
    pub fn is_manifest(&self) -> bool {
        let version = self.value.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
        !version.is_empty() && version.split('/').next() != Some(GROUP)
    }

    /// Whether it is a part for others to take in, which is not built by itself.
    pub fn is_component(&self) -> bool {
        self.value.get("kind").is_some_and(|kind| kind == "Component")
    }

    fn places(&self) -> MapPlace<'_> {
        MapPlace::In { file: &self.file, positions: &self.positions }
    }

    fn keys(&self) -> impl Iterator<Item = &str> {
        self.value.as_object().into_iter().flatten().map(|(key, _)| key.as_str())
    }

    /// The files and folders that its fields name, and the fields that it can't have.
    fn walk(&self) -> KustomizationFindings {
        let mut found = match &self.value {
            Value::Object(map) => look(map, &[OBJECT, KUSTOMIZATION], self.places()),
            // kustomize itself refuses what is not a map.
            _ => KustomizationFindings::default(),
        };
        found.problems.extend(self.misnamed());
        found
    }

    /// The fault of its apiVersion and kind.
    fn misnamed(&self) -> Option<Problem> {
        let version = if self.is_component() { "v1alpha1" } else { "v1beta1" };
        let version = format!("{GROUP}/{version}");
        let is_one_of = |key: &str, allowed: &[&str]| match self.value.get(key) {
            None | Some(Value::Null) => true,
            Some(Value::String(text)) => text.is_empty() || allowed.contains(&text.as_str()),
            Some(_) => false,
        };
        let (key, message, hint) = if !is_one_of("kind", &["Kustomization", "Component"]) {
            ("kind", "kustomize builds only the kinds Kustomization and Component", None)
        } else if !is_one_of("apiVersion", &[&version]) {
            ("apiVersion", "kustomize builds no other version than", Some(version))
        } else {
            return None;
        };
        let message = match &hint {
            Some(version) => format!("{message} {version}"),
            None => message.to_owned(),
        };
        Some(Problem {
            place: self.places().value(&[key.into()]),
            message,
            excerpt: None,
            hint: Some(
                "correct it; if it is a manifest, refer to the file and not to its folder"
                    .to_owned(),
            ),
        })
    }
}

/// The text of a kustomization that has kustomize note the origin of each object; `None` where it
/// does already, or can't be read.
pub fn with_origins(given: &[u8]) -> Option<Vec<u8>> {
    const ORIGINS: &str = "originAnnotations";
    let mut value: Value = serde_json::from_slice(given).ok()?;
    let map = value.as_object_mut()?;
    let mut wanted = match map.get("buildMetadata") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(wanted)) => wanted.clone(),
        Some(_) => return None,
    };
    if wanted.iter().any(|option| option == ORIGINS) {
        return None;
    }
    wanted.push(ORIGINS.into());
    map.insert("buildMetadata".to_owned(), wanted.into());
    Some(given::text(&value).into_bytes())
}

/// Everything that building the kustomization in `folder` reads.
pub fn closure(shelf: &FileIndex, folder: &str) -> Closure {
    let mut builder = Builder {
        shelf,
        closure: Closure::default(),
        ahead: vec![folder.to_owned()],
        built: BTreeSet::new(),
        configured: BTreeSet::new(),
        data: BTreeMap::new(),
    };
    while let Some(folder) = builder.ahead.pop() {
        builder.build(folder);
    }
    builder.finish()
}

/// Follows what kustomizations refer to.
struct Builder<'a> {
    shelf: &'a FileIndex,
    closure: Closure,
    /// Folders that kustomize builds and that were not looked into yet.
    ahead: Vec<String>,
    /// Folders that were.
    built: BTreeSet<String>,
    /// Which files and folders configure generators or transformers of which folder.
    configured: BTreeSet<(String, String)>,
    /// Files that kustomize reads as what they are, and the first place that names each.
    data: BTreeMap<String, Location>,
}

impl Builder<'_> {
    fn build(&mut self, folder: String) {
        if !self.built.insert(folder.clone()) {
            return;
        }
        let Some(kustomization) = self.kustomization(&folder) else { return };
        for reference in kustomization.walk().references {
            self.follow(&folder, reference);
        }
        let mut value = kustomization.value.clone();
        for key in PLUGINS {
            let entries = value.get_mut(key).and_then(Value::as_array_mut);
            for (index, entry) in entries.into_iter().flatten().enumerate() {
                if let Value::String(text) = entry {
                    let place = kustomization.places().value(&[key.into(), index.into()]);
                    if let Some(given) = self.plugin(&folder, text, &place) {
                        *text = given;
                    }
                }
            }
        }
        self.give(&kustomization, &value);
    }

    /// The kustomization in a folder that kustomize would build.
    fn kustomization(&mut self, folder: &str) -> Option<Kustomization> {
        self.closure.folders.insert(folder.to_owned());
        let problem = |file: &str, message: String, hint: &str| Problem {
            place: Location { path: file.to_owned(), line: 1, column: 1 },
            message,
            excerpt: None,
            hint: Some(hint.to_owned()),
        };
        let files = self.shelf.kustomizations(folder);
        for file in files {
            let name = file.rsplit('/').next().unwrap_or(file);
            if !KUSTOMIZATIONS.contains(&name) {
                let message = format!(
                    "kustomize would take {name} for a kustomization where file names ignore case"
                );
                self.problem(problem(
                    file,
                    message,
                    "name it kustomization.yaml, or something \
                    else entirely",
                ));
            }
        }
        let file = match files {
            [] => return None,
            [file] => file,
            [first, second, ..] => {
                let message = format!("its folder has another kustomization, {first}");
                self.problem(problem(second, message, "keep one of them"));
                return None;
            }
        };
        let Some(content) = self.shelf.content(file) else {
            self.closure.unread.insert(file.clone());
            return None;
        };
        match Kustomization::read(file, content) {
            Ok(kustomization) => {
                for problem in kustomization.walk().problems {
                    self.problem(problem);
                }
                Some(kustomization)
            }
            Err(problem) => {
                self.problem(problem);
                None
            }
        }
    }

    /// Takes in what a name in a kustomization in `folder` leads to.
    fn follow(&mut self, folder: &str, reference: Reference) {
        match self.find(folder, &reference) {
            Ok(Some(path)) if self.shelf.has_file(&path) => {
                self.closure.files.insert(path.clone());
                self.data.entry(path).or_insert(reference.place);
            }
            Ok(Some(path)) => self.ahead.push(path),
            Ok(None) => {}
            Err(problem) => self.problem(problem),
        }
    }

    /// Where a name leads to in the checkout; `None` where kustomize itself had better say what is
    /// wrong with it.
    fn find(&self, folder: &str, reference: &Reference) -> Result<Option<String>, Problem> {
        let Reference { text, names, place } = reference;
        let text = match (names, text.split_once('=')) {
            (Names::KeyedFile, Some((_, path))) => path,
            _ => text,
        };
        if is_url(text) {
            return Err(not_here(text, place));
        }
        // kustomize loads no file from outside the folder, so that YAML leads nowhere as a path.
        if *names == Names::Patch && text.contains(['\n', '{']) {
            return Ok(None);
        }
        let may_be_folder = matches!(names, Names::Folder | Names::FileOrFolder);
        match resolve(folder, text) {
            Some(path) if self.shelf.has_file(&path) => Ok(Some(path)),
            _ if may_be_folder && is_repository(text) => Err(not_here(text, place)),
            Some(path) if may_be_folder && self.shelf.has_folder(&path) => Ok(Some(path)),
            _ if looks_remote(text) => Err(not_here(text, place)),
            None => Err(outside(text, place)),
            Some(_) if may_be_folder => Err(not_there(text, place)),
            Some(_) => Ok(None),
        }
    }

    /// Has kustomize read this in place of the kustomization.
    fn give(&mut self, kustomization: &Kustomization, value: &Value) {
        let text = given::text(value);
        self.closure.given.insert(kustomization.file.clone(), text.into_bytes());
    }

    /// Keeps a problem, once where its file is looked into for several others.
    fn problem(&mut self, problem: Problem) {
        if !self.closure.problems.contains(&problem) {
            self.closure.problems.push(problem);
        }
    }

    /// The findings, with those that only the whole of it shows.
    fn finish(mut self) -> Closure {
        for (path, place) in self.data {
            if self.closure.given.contains_key(&path) {
                self.closure.problems.push(Problem {
                    place,
                    message: format!(
                        "{path} configures this build, so it can't be one of its resources"
                    ),
                    excerpt: None,
                    hint: Some("put a copy of it under another name, and refer to that".to_owned()),
                });
            }
        }
        // Should it be there after all, kustomize refuses it.
        for path in &self.closure.unread {
            self.closure.given.insert(path.clone(), b"{\"unread\": true}".to_vec());
        }
        self.closure
    }
}

fn not_here(text: &str, place: &Location) -> Problem {
    let message =
        format!("{} is not in the checkout, and nothing is fetched while rendering", display(text));
    let hint = "put a copy of it into the repository, and refer to that";
    refused(place, message, hint)
}

fn outside(text: &str, place: &Location) -> Problem {
    let message = format!("{} leads out of the checkout", display(text));
    refused(place, message, "put what it refers to into the repository")
}

fn not_there(text: &str, place: &Location) -> Problem {
    refused(place, format!("{} is not there", display(text)), "commit it, or correct its path")
}

fn refused(place: &Location, message: String, hint: &str) -> Problem {
    Problem { place: place.clone(), message, excerpt: None, hint: Some(hint.to_owned()) }
}

/// The name as a message has it: its first line.
fn display(text: &str) -> String {
    match text.trim_end().split_once('\n') {
        Some((first, _)) => format!("{first}…"),
        None => text.trim_end().to_owned(),
    }
}

#[cfg(test)]
mod tests;
