//! The same of other people's manifests, written down and rendered, with a table of what was found.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use trueup::core::check::{Finding, Level};
use trueup::core::manifest::{self, Manifest};
use trueup::core::object::ObjectKey;

use super::{both, errors, read};
use crate::render_corpus::{checkout, kustomizations};
use crate::support::command::Cmd;
use crate::support::renderers;
use crate::support::sandbox::{self, Plane};

#[test]
#[ignore = "needs TRUEUP_CORPUS, a folder with other people's repositories"]
#[allow(clippy::disallowed_methods, reason = "where the corpus is, is the machine's")]
#[allow(clippy::print_stdout, reason = "the table is what one runs this for")]
fn the_corpus_has_no_false_errors() {
    let corpus = std::env::var_os("TRUEUP_CORPUS").expect("TRUEUP_CORPUS names no folder");
    let corpus = Path::new(&corpus);
    let plane = &sandbox::own();
    let mut all = Row::default();
    println!("{:40} {}", "", Row::HEAD);
    let plain =
        folders(&corpus.join("plain")).into_iter().map(|folder| (read_all(&folder), folder));
    let (_copy, root) = checkout(corpus);
    let rendered = folders(&root).into_iter().map(|folder| (render_all(&folder, &root), folder));
    for (manifests, folder) in plain.chain(rendered) {
        let row = Row::of(manifests, plane);
        println!("{:40} {}", folder.file_name().unwrap().to_string_lossy(), row.cells());
        all.add(row);
    }
    println!("{:40} {}", "all", all.cells());
    all.missed.iter().for_each(|missed| println!("only the server refuses {missed}"));
    for (message, count) in &all.missed_for {
        println!("{count:4} × only the server says: {message}");
    }
    assert!(all.objects > 1_000, "{} objects", all.objects);
    assert!(all.wrong.is_empty(), "{}", all.wrong.join("\n"));
}

/// What was found in a project.
#[derive(Default)]
struct Row {
    objects: usize,
    accepted: usize,
    refused: usize,
    /// Of those, the ones that check has an error for.
    found: usize,
    /// What it has an error for though they are accepted.
    wrong: Vec<String>,
    warnings: usize,
    /// The ones that it has no error for, with what the server says.
    missed: Vec<String>,
    /// The start of what the server says of those that check has no error for.
    missed_for: BTreeMap<String, usize>,
}

impl Row {
    const HEAD: &str = "objects accepted refused  found missed  false warnings";

    fn of(manifests: Vec<Manifest>, plane: &Plane) -> Self {
        let mut row = Self::default();
        // The sandbox keeps the definitions of a layer for those after it, and so does check.
        let is_definition =
            |manifest: &&Manifest| manifest.object.kind() == "CustomResourceDefinition";
        let definitions: Vec<Manifest> = manifests.iter().filter(is_definition).cloned().collect();
        for manifests in layers(manifests) {
            let (findings, rehearsal) = both(&manifests, &definitions, plane);
            let found: BTreeMap<&ObjectKey, &Finding> = errors(&findings).collect();
            let mut refused = BTreeSet::new();
            for refusal in &rehearsal.refusals {
                let key = refusal.object.as_ref().unwrap();
                if refused.insert(key) && !found.contains_key(key) {
                    row.missed.push(format!("{key}: {}", refusal.message));
                    *row.missed_for.entry(start(&refusal.message)).or_default() += 1;
                }
            }
            let wrong = found.iter().filter(|(key, _)| rehearsal.accepted.contains(key));
            row.wrong.extend(wrong.map(|(key, f)| format!("{key}: {}: {}", f.place, f.message)));
            row.objects += manifests.len();
            row.accepted += rehearsal.accepted.len();
            row.refused += refused.len();
            row.found += refused.iter().filter(|key| found.contains_key(*key)).count();
            row.warnings += findings.iter().filter(|f| f.level == Level::Warning).count();
        }
        row
    }

    fn add(&mut self, other: Self) {
        let Self { objects, accepted, refused, found, wrong, warnings, missed, missed_for } = other;
        self.missed.extend(missed);
        self.objects += objects;
        self.accepted += accepted;
        self.refused += refused;
        self.found += found;
        self.wrong.extend(wrong);
        self.warnings += warnings;
        for (message, count) in missed_for {
            *self.missed_for.entry(message).or_default() += count;
        }
    }

    fn cells(&self) -> String {
        let Self { objects, accepted, refused, found, wrong, warnings, .. } = self;
        let (missed, wrong) = (refused - found, wrong.len());
        format!("{objects:7} {accepted:8} {refused:7} {found:6} {missed:6} {wrong:6} {warnings:8}")
    }
}

/// Enough of a message to tell it from others, without names and numbers.
fn start(message: &str) -> String {
    message.split(['"', '\'']).next().unwrap_or_default().chars().take(100).collect()
}

/// Sets in which no object is declared twice: a corpus has many variants of one.
fn layers(manifests: Vec<Manifest>) -> Vec<Vec<Manifest>> {
    let mut seen: BTreeMap<ObjectKey, usize> = BTreeMap::new();
    let mut layers: Vec<Vec<Manifest>> = Vec::new();
    for manifest in manifests {
        let count = seen.entry(manifest.object.key()).or_default();
        if *count == layers.len() {
            layers.push(Vec::new());
        }
        layers[*count].push(manifest);
        *count += 1;
    }
    layers
}

fn read_all(folder: &Path) -> Vec<Manifest> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let is_manifest = |path: &Path| {
        path.extension().is_some_and(|end| end == "yaml" || end == "yml" || end == "json")
    };
    let read = |path: PathBuf| match path {
        path if path.is_dir() => read_all(&path),
        path if is_manifest(&path) => read(&path),
        _ => Vec::new(),
    };
    entries.into_iter().flat_map(read).collect()
}

/// What the kustomizations below a folder make.
fn render_all(folder: &Path, root: &Path) -> Vec<Manifest> {
    let mut files = Vec::new();
    kustomizations(folder, &mut files);
    let render = |file: PathBuf| {
        let trueup = Cmd::trueup().dir(root).env("XDG_CACHE_HOME", root.join(".git"));
        let args = ["render", "--show-secrets"];
        let output = renderers::with(trueup).args(args).args([&file]).run();
        manifest::read(&file.to_string_lossy(), output.stdout.as_bytes()).manifests
    };
    files.into_iter().flat_map(render).collect()
}

fn folders(root: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let is_project = |path: &PathBuf| path.is_dir() && !path.ends_with(".git");
    let mut folders: Vec<PathBuf> = entries.filter(is_project).collect();
    folders.sort();
    folders
}
