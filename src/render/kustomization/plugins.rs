//! Configurations of kustomize's generators, transformers and validators: YAML in the kustomization
//! itself, a file, or a kustomization that makes such objects.
//!
//! The files that it names are looked for from the kustomization that uses it. kustomize runs only
//! what is built into it, so anything else is refused; and a kustomization that makes generators may
//! only list files, since with patches and the like the names of files would be computed.

use super::fields::{BUILTIN, OBJECT, PLAIN};
use super::findings::{KustomizationFindings, MapPlace, charts, look};
use super::remote::{is_repository, is_url};
use super::{Builder, given, not_here, not_there, outside};
use crate::core::manifest::{self, Manifest};
use crate::core::problem::{Location, Problem};
use crate::render::file_index::{folder_of, resolve};

impl Builder<'_> {
    /// Looks into what an entry of a kustomization in `user` says; the text to give kustomize in its
    /// place, where it is YAML.
    pub(super) fn plugin(&mut self, user: &str, text: &str, place: &Location) -> Option<String> {
        // kustomize takes for a path whatever it can't read as YAML, so every text has to be harmless
        // as a path.
        let path = match resolve(user, text) {
            _ if is_url(text) => {
                self.problem(not_here(text, place));
                return None;
            }
            None => {
                self.problem(outside(text, place));
                return None;
            }
            Some(_) if text.trim().is_empty() => return None,
            Some(path) => path,
        };
        if self.shelf.has_file(&path) {
            self.plugin_file(user, &path);
            return None;
        }
        if self.shelf.has_folder(&path) {
            match is_repository(text) {
                true => self.problem(not_here(text, place)),
                false => self.plugin_folder(user, &path),
            }
            return None;
        }
        if !text.contains(['\n', '{']) {
            self.problem(not_there(text, place));
            return None;
        }
        let reading = manifest::read_yaml(&place.path, text.as_bytes());
        if let Some(problem) = reading.problems.first() {
            let message =
                format!("neither a path nor a plugin's configuration: {}", problem.message);
            let hint = problem.hint.clone();
            self.problem(Problem { place: place.clone(), message, excerpt: None, hint });
        }
        for manifest in &reading.manifests {
            self.configuration(user, manifest, MapPlace::At(place));
        }
        Some(documents(&reading.manifests))
    }

    fn plugin_file(&mut self, user: &str, path: &str) {
        if !self.configured.insert((user.to_owned(), path.to_owned())) {
            return;
        }
        self.closure.files.insert(path.to_owned());
        let Some(content) = self.shelf.content(path) else {
            self.closure.unread.insert(path.to_owned());
            return;
        };
        let reading = manifest::read_yaml(path, content);
        for problem in reading.problems {
            self.problem(problem);
        }
        for manifest in &reading.manifests {
            let places = MapPlace::In { file: path, positions: &manifest.positions };
            self.configuration(user, manifest, places);
        }
        let given = documents(&reading.manifests);
        self.closure.given.insert(path.to_owned(), given.into_bytes());
    }

    fn plugin_folder(&mut self, user: &str, folder: &str) {
        if !self.configured.insert((user.to_owned(), folder.to_owned())) {
            return;
        }
        let Some(kustomization) = self.kustomization(folder) else { return };
        for key in kustomization.keys() {
            if !PLAIN.contains(&key) {
                self.problem(Problem {
                    place: kustomization.places().key(&[key.into()]),
                    message: format!(
                        "`{key}` could change which files these generators and transformers read"
                    ),
                    excerpt: None,
                    hint: Some("leave only `resources` in it".to_owned()),
                });
            }
        }
        for reference in kustomization.walk().references {
            match self.find(folder_of(&kustomization.file), &reference) {
                Ok(Some(path)) if self.shelf.has_file(&path) => self.plugin_file(user, &path),
                Ok(Some(path)) => self.plugin_folder(user, &path),
                Ok(None) => {}
                Err(problem) => self.problem(problem),
            }
        }
        self.give(&kustomization, &kustomization.value);
    }

    /// Looks into one object that configures a generator or transformer.
    fn configuration(&mut self, user: &str, manifest: &Manifest, places: MapPlace<'_>) {
        let object = &manifest.object;
        let (version, kind) = (object.api_version(), object.kind());
        let builtin = BUILTIN.iter().find(|(name, _)| version == "builtin" && *name == kind);
        let Some((_, keys)) = builtin else {
            let place = places.key(&["kind".into()]);
            self.problem(match (version, kind) {
                ("builtin", "HelmChartInflationGenerator") => charts(kind, place),
                _ => foreign(version, kind, place),
            });
            return;
        };
        let KustomizationFindings { references, problems } =
            look(&object.0, &[OBJECT, keys], places);
        problems.into_iter().for_each(|problem| self.problem(problem));
        for reference in references {
            self.follow(user, reference);
        }
    }
}

fn foreign(version: &str, kind: &str, place: Location) -> Problem {
    Problem {
        place,
        message: format!(
            "{kind} of {version} is not built into kustomize, and kustomize runs no plugins here"
        ),
        excerpt: None,
        hint: Some("commit the plugin's output, and refer to that".to_owned()),
    }
}

fn documents(manifests: &[Manifest]) -> String {
    let documents = manifests.iter().map(|manifest| given::text(&manifest.object));
    documents.collect::<Vec<_>>().join("\n---\n")
}
