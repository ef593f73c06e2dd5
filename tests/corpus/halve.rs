//! Takes half of a repository out of it: every second file in the order of their paths, or every
//! second document where there are fewer than four files. A file or document stays if it declares a
//! namespace that something which stays lives in, or the definition of its kind.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;

use super::answer::{Answer, Key};
use crate::support::repo::Repo;

/// What goes or stays as a whole.
struct Unit {
    path: String,
    /// The lines of the document; `None` for a file.
    lines: Option<Range<usize>>,
    objects: BTreeSet<Key>,
}

/// Takes half out, and returns the objects that it declares.
pub fn take_out_half(
    repo: &Repo<'_>,
    applied: &Answer,
    definitions: &BTreeMap<String, (String, String)>,
) -> BTreeSet<Key> {
    let mut units = files(applied);
    if units.len() < 4 {
        units = documents(repo, applied);
    }
    let (goes, _) = split(units, definitions);
    // From the end, so that line numbers before it stay what they are.
    for unit in goes.iter().rev() {
        match &unit.lines {
            None => drop(repo.remove(&unit.path)),
            Some(lines) => cut(repo, &unit.path, lines),
        }
    }
    goes.into_iter().flat_map(|unit| unit.objects).collect()
}

fn files(applied: &Answer) -> Vec<Unit> {
    let mut files: BTreeMap<&str, BTreeSet<Key>> = BTreeMap::new();
    for change in &applied.changes {
        let origin = change.origin.as_ref().unwrap();
        files.entry(&origin.path).or_default().insert(change.object.clone());
    }
    let unit = |(path, objects): (&str, _)| Unit { path: path.to_owned(), lines: None, objects };
    files.into_iter().map(unit).collect()
}

fn documents(repo: &Repo<'_>, applied: &Answer) -> Vec<Unit> {
    let mut units = Vec::new();
    for Unit { path, .. } in files(applied) {
        let text = fs::read_to_string(repo.path().join(&path)).unwrap();
        for lines in document_lines(&text) {
            let within = applied.changes.iter().filter(|change| {
                let origin = change.origin.as_ref().unwrap();
                // The first line is 1.
                origin.path == path && lines.contains(&(origin.line - 1))
            });
            let objects: BTreeSet<Key> = within.map(|change| change.object.clone()).collect();
            if !objects.is_empty() {
                units.push(Unit { path: path.clone(), lines: Some(lines), objects });
            }
        }
    }
    units
}

/// The lines of each document, the one that separates it from the document before among them.
fn document_lines(text: &str) -> Vec<Range<usize>> {
    let separators = text.lines().enumerate().filter(|(_, line)| line.starts_with("---"));
    let mut starts: Vec<usize> = separators.map(|(at, _)| at).collect();
    starts.insert(0, 0);
    starts.push(text.lines().count());
    starts.windows(2).map(|pair| pair[0]..pair[1]).collect()
}

fn cut(repo: &Repo<'_>, path: &str, lines: &Range<usize>) {
    let text = fs::read_to_string(repo.path().join(path)).unwrap();
    let left = text.split_inclusive('\n').enumerate().filter(|(at, _)| !lines.contains(at));
    repo.write(path, left.map(|(_, line)| line).collect::<String>());
}

/// What goes, and what stays.
fn split(
    units: Vec<Unit>,
    definitions: &BTreeMap<String, (String, String)>,
) -> (Vec<Unit>, Vec<Unit>) {
    let (mut goes, mut stays) = (Vec::new(), Vec::new());
    for (at, unit) in units.into_iter().enumerate() {
        if at % 2 == 0 { &mut stays } else { &mut goes }.push(unit);
    }
    let needed = |unit: &Unit, stays: &[Unit]| {
        let is_needed_by = |needed: &Key, key: &Key| match needed.kind.as_str() {
            "Namespace" => key.namespace.as_deref() == Some(&needed.name),
            "CustomResourceDefinition" => {
                let (group, kind) = &definitions[&needed.name];
                key.group == *group && key.kind == *kind
            }
            _ => false,
        };
        let mut stays = stays.iter().flat_map(|unit| &unit.objects);
        stays.any(|key| unit.objects.iter().any(|object| is_needed_by(object, key)))
    };
    while let Some(at) = goes.iter().position(|unit| needed(unit, &stays)) {
        stays.push(goes.remove(at));
    }
    (goes, stays)
}
