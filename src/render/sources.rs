//! Which of a target's files are rendered and not read: a pure function of the checkout's paths and
//! of what kustomizations, charts and Jsonnet programs say.
//!
//! A source that another one takes in is not rendered by itself. Nothing that any of them takes in
//! is read as a manifest once more: everything below a rendered folder, and everything that a
//! kustomization refers to.

use std::collections::{BTreeMap, BTreeSet};

use super::chart;
use super::file_index::{CHART, FileIndex, KUSTOMIZATIONS, folder_of, is_marker, is_within, join};
use super::imports::imports;
use super::kustomization::{Closure, Kustomization, closure};
use super::unreferenced::{Kustomizations, UnreadFolders};
use crate::core::problem::{Location, Problem};
use crate::core::source::formats::Formats;

/// A program that makes manifests of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SourceFormat {
    /// A folder that kustomize builds.
    Kustomize,
    /// A chart that Helm renders.
    Helm,
    /// A program in Jsonnet.
    Jsonnet,
}

/// Something to be rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderSource {
    /// By which program.
    pub format: SourceFormat,
    /// The folder, or the Jsonnet file, by its path from the root.
    pub path: String,
    /// The file that makes it what it is.
    pub file: String,
    /// The files and folders that rendering it reads.
    pub reads: BTreeSet<String>,
    /// The content for the program in place of these files.
    pub given: BTreeMap<String, Vec<u8>>,
}

/// The sources of a target to render.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The sources to render, in the order of their paths.
    pub sources: Vec<RenderSource>,
    /// The problems of the others.
    pub problems: Vec<Problem>,
    /// Files that are not read, once [`unread_files`](Self::unread_files) has told.
    pub unreferenced: UnreadFolders,
    /// Those of charts that may be manifests, once [`files_of_charts`](Self::files_of_charts) has told.
    pub chart_files: BTreeSet<String>,
    /// Files to look into whose content the shelf doesn't have: with it, more may be found.
    pub unread: BTreeSet<String>,
    /// The files and folders that are taken in.
    taken_in: BTreeSet<String>,
    /// Every kustomization with what it takes in, by its folder.
    kustomizations: BTreeMap<String, Closure>,
    /// The folders of those that are built, or would be if they could.
    built: BTreeSet<String>,
    /// The folders of charts.
    charts: BTreeSet<String>,
}

impl RenderSource {
    /// Whether rendering it reads this file.
    pub fn reads(&self, path: &str) -> bool {
        holds(&self.reads, path)
    }

    /// A problem with the whole of it.
    pub fn problem(&self, message: String, hint: Option<String>) -> Problem {
        let place = Location { path: self.file.clone(), line: 1, column: 1 };
        Problem { place, message, excerpt: None, hint }
    }
}

impl Sources {
    /// Finds what is to be rendered among the files of `shelf` that `reaches` says are the target's.
    pub fn find(shelf: &FileIndex, formats: &Formats, reaches: &dyn Fn(&str) -> bool) -> Self {
        let mut found = Self::default();
        let markers: Vec<&str> =
            shelf.paths().filter(|path| is_marker(path) && reaches(path)).collect();
        let named = |names: &[&str]| -> BTreeSet<&str> {
            let is_named = |path: &&&str| names.contains(&path.rsplit('/').next().unwrap_or(path));
            markers.iter().filter(is_named).map(|path| folder_of(path)).collect()
        };
        let mut built = match formats.kustomize {
            Some(_) => found.kustomizations(shelf, named(&KUSTOMIZATIONS)),
            None => BTreeMap::new(),
        };
        let mut charts = match formats.helm {
            Some(_) => named(&[CHART]),
            None => BTreeSet::new(),
        };
        // Whoever stands further up takes the other in.
        let above = |folder: &str, other: &str| folder != other && is_within(folder, other);
        let tops: Vec<String> = built.keys().cloned().collect();
        let roots: Vec<&str> = charts.iter().copied().collect();
        built.retain(|folder, _| !roots.iter().any(|chart| above(folder, chart)));
        charts.retain(|chart| {
            !tops.iter().any(|folder| above(chart, folder))
                && !roots.iter().any(|other| above(chart, other))
                && !holds(&found.taken_in, chart)
                || built.contains_key(*chart)
        });
        for chart in &charts {
            if built.remove(*chart).is_some() {
                found.ambiguous(shelf, chart);
                continue;
            }
            found.chart(shelf, formats, chart);
        }
        found.build(shelf, built);
        if let Some(jsonnet) = &formats.jsonnet {
            for path in markers.iter().filter(|path| path.ends_with(".jsonnet")) {
                if !holds(&found.taken_in, path) {
                    found.program(shelf, path, &jsonnet.library);
                }
            }
        }
        found.sources.sort_by(|a, b| a.path.cmp(&b.path));
        found
    }

    /// Whether this file is taken in by something that is rendered.
    pub fn take_in(&self, path: &str) -> bool {
        holds(&self.taken_in, path)
    }

    /// The files that `is_manifest` says are manifests, and that are not read: they stand below a
    /// kustomization's folder, and no kustomization that is built refers to them.
    pub fn unread_files(
        &self,
        shelf: &FileIndex,
        is_manifest: &dyn Fn(&str) -> bool,
    ) -> UnreadFolders {
        let sources = self.sources.iter();
        let programs = sources.filter(|source| source.format == SourceFormat::Jsonnet);
        let imported: BTreeSet<&str> =
            programs.flat_map(|program| &program.reads).map(String::as_str).collect();
        let is_free = |path: &str| {
            is_manifest(path) && !holds(&self.charts, path) && !imported.contains(path)
        };
        Kustomizations { all: &self.kustomizations, built: &self.built }.unread(shelf, &is_free)
    }

    /// The files in charts that `is_manifest` says may be manifests: their content decides.
    pub fn files_of_charts(
        &self,
        shelf: &FileIndex,
        is_manifest: &dyn Fn(&str) -> bool,
    ) -> BTreeSet<String> {
        let is_of_chart = |path: &&str| holds(&self.charts, path) && is_manifest(path);
        shelf.paths().filter(is_of_chart).map(str::to_owned).collect()
    }

    /// The kustomizations in these folders that no other takes in, with what each takes in.
    fn kustomizations(
        &mut self,
        shelf: &FileIndex,
        folders: BTreeSet<&str>,
    ) -> BTreeMap<String, Closure> {
        let mut closures: BTreeMap<String, Closure> = BTreeMap::new();
        let mut components = BTreeSet::new();
        for folder in folders {
            let Some(file) = shelf.kustomization(folder) else { continue };
            match Kustomization::read(&file, shelf.content(&file).unwrap_or_default()) {
                Ok(kustomization) if kustomization.is_manifest() => continue,
                Ok(kustomization) if kustomization.is_component() => {
                    components.insert(folder.to_owned());
                }
                _ => {}
            }
            closures.insert(folder.to_owned(), closure(shelf, folder));
        }
        for closure in closures.values() {
            self.taken_in.extend(closure.folders.iter().chain(&closure.files).cloned());
        }
        let takes = |one: &str, other: &str| closures[one].folders.contains(other);
        let is_top = |folder: &String| {
            let mut others = closures.keys().filter(|other| *other != folder);
            !components.contains(folder)
                // Of those that take each other in, kustomize reports the first.
                && !others.any(|other| {
                    takes(other, folder) && !(takes(folder, other) && folder < other)
                })
        };
        let tops: BTreeSet<String> =
            closures.keys().filter(|folder| is_top(folder)).cloned().collect();
        let is_below =
            |folder: &str| tops.iter().any(|top| top != folder && is_within(folder, top));
        let rendered: BTreeSet<String> =
            tops.iter().filter(|folder| !is_below(folder)).cloned().collect();
        self.kustomizations.clone_from(&closures);
        closures.retain(|folder, _| rendered.contains(folder));
        closures
    }

    fn build(&mut self, shelf: &FileIndex, built: BTreeMap<String, Closure>) {
        for (folder, Closure { folders, files, given, unread, problems }) in built {
            self.built.insert(folder.clone());
            self.unread.extend(unread);
            self.problems.extend(problems.iter().cloned());
            if problems.is_empty() {
                let file = shelf.kustomization(&folder).unwrap_or_default();
                let reads = folders.into_iter().chain(files).collect();
                let (format, path) = (SourceFormat::Kustomize, folder);
                self.sources.push(RenderSource { format, path, file, reads, given });
            }
        }
    }

    fn chart(&mut self, shelf: &FileIndex, formats: &Formats, folder: &str) {
        self.taken_in.insert(folder.to_owned());
        self.charts.insert(folder.to_owned());
        let values = formats.helm.iter().flat_map(|helm| &helm.values);
        let values: BTreeSet<String> =
            values.map(|path| path.trim_matches('/').to_owned()).collect();
        self.taken_in.extend(values.iter().cloned());
        if chart::is_library(shelf, folder) {
            return;
        }
        let file = join(folder, CHART);
        let mut problems = chart::problems(shelf, folder);
        for path in values.iter().filter(|path| !shelf.has_file(path)) {
            problems.push(Problem {
                place: Location { path: file.clone(), line: 1, column: 1 },
                message: format!("the values file {path} is not in the checkout"),
                excerpt: None,
                hint: Some("correct its path in trueup.yaml; it counts from the root".to_owned()),
            });
        }
        if problems.is_empty() {
            let path = folder.to_owned();
            let reads = values.into_iter().chain([path.clone()]).collect();
            let given = BTreeMap::new();
            self.sources.push(RenderSource {
                format: SourceFormat::Helm,
                path,
                file,
                reads,
                given,
            });
        }
        self.problems.extend(problems);
    }

    fn program(&mut self, shelf: &FileIndex, path: &str, library: &[String]) {
        let imports = imports(shelf, path, library);
        self.taken_in.extend(imports.files.iter().cloned());
        if imports.problems.is_empty() {
            let (file, path) = (path.to_owned(), path.to_owned());
            let (reads, given) = (imports.files, BTreeMap::new());
            self.sources.push(RenderSource {
                format: SourceFormat::Jsonnet,
                path,
                file,
                reads,
                given,
            });
        }
        self.problems.extend(imports.problems);
    }

    fn ambiguous(&mut self, shelf: &FileIndex, folder: &str) {
        self.taken_in.insert(folder.to_owned());
        self.charts.insert(folder.to_owned());
        let file = shelf.kustomization(folder).unwrap_or_default();
        self.problems.push(Problem {
            place: Location { path: file, line: 1, column: 1 },
            message: "this folder is a kustomization and a Helm chart".to_owned(),
            excerpt: None,
            hint: Some(
                "choose one with render: kustomize or render: helm in trueup.yaml".to_owned(),
            ),
        });
    }
}

/// Whether one of these files and folders is or holds the file.
fn holds(set: &BTreeSet<String>, path: &str) -> bool {
    let mut above = Some(path);
    while let Some(at) = above {
        if set.contains(at) {
            return true;
        }
        above = (!at.is_empty()).then(|| folder_of(at));
    }
    false
}

#[cfg(test)]
mod tests;
