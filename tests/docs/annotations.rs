//! `docs/annotations.md` lists the annotations and labels that the code knows, and their values.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use trueup::core::annotations::faults;
use trueup::core::object::Object;

use crate::docs::{code_spans, rows};
use crate::readme::read;

/// Whose annotations and labels the page lists.
const DOMAINS: [&str; 12] = [
    "app.kubernetes.io",
    "applyset.kubernetes.io",
    "argocd.argoproj.io",
    "cli-utils.sigs.k8s.io",
    "client.lifecycle.config.k8s.io",
    "config.kubernetes.io",
    "helm.sh",
    "helm.toolkit.fluxcd.io",
    "kapp.k14s.io",
    "kustomize.toolkit.fluxcd.io",
    "meta.helm.sh",
    "trueup.dev",
];

/// In tests of the code alone, as examples of marks.
const EXAMPLES: [&str; 1] = ["applyset.kubernetes.io/contains-group-resources"];

fn is_one_of_them(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c == '-';
    name.split_once('/').is_some_and(|(domain, name)| {
        DOMAINS.contains(&domain) && !name.is_empty() && name.chars().all(is_plain)
    })
}

#[test]
fn the_page_lists_the_names_that_the_code_knows() {
    let mut known = BTreeSet::new();
    for file in sources() {
        let text = fs::read_to_string(file).unwrap();
        // What stands between double quotes, and other texts that are no such name.
        known.extend(text.split('"').filter(|it| is_one_of_them(it)).map(str::to_owned));
    }
    known.retain(|name| !EXAMPLES.contains(&name.as_str()));
    let rows = rows(&read("docs/annotations.md"));
    let listed: Vec<String> = rows
        .iter()
        .flat_map(|row| code_spans(&row[0]))
        .filter(|name| is_one_of_them(name))
        .collect();
    let set: BTreeSet<String> = listed.iter().cloned().collect();
    assert_eq!(set, known);
    assert_eq!(listed.len(), set.len(), "a name is listed twice");
}

/// An object that says so much of itself.
fn object(name: &str, value: &str) -> Object {
    let object = json!({ "kind": "ConfigMap", "metadata": { "annotations": { name: value } } });
    serde_json::from_value(object).unwrap()
}

#[test]
fn the_page_lists_the_values_that_the_code_takes() {
    let hint = |name: &str, value: &str| {
        let fault = faults(&object(name, value)).remove(0);
        fault.hint.text().unwrap().to_owned()
    };
    let unknown = hint("trueup.dev/no-such-annotation", "");
    let mut own = 0;
    for row in rows(&read("docs/annotations.md")) {
        let names = code_spans(&row[0]);
        let Some(name) = names.first().filter(|name| unknown.contains(*name)) else { continue };
        if row.len() != 4 {
            continue; // what trueup writes
        }
        own += 1;
        let wrong = hint(name, "no such value");
        let values = code_spans(&row[1]);
        for value in &values {
            assert_eq!(faults(&object(name, value)), [], "{name}: {value}");
            assert!(wrong.contains(value.as_str()), "{name}: {value}: {wrong}");
        }
        // `it can be a, b` or `it can be "a" or "b"`
        let words = wrong.split([' ', ',', '"']).filter(|word| !word.is_empty()).skip(3);
        let taken = words.filter(|word| *word != "or").count();
        let is_number = row[1] == "an integer" && wrong.contains("number");
        assert!(is_number || taken == values.len(), "{name} takes more: {wrong}");
    }
    assert_eq!(own, unknown.matches("trueup.dev/").count(), "{unknown}");
}

/// The program's sources, without the tests that have files of their own.
fn sources() -> Vec<PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_tests = path.file_stem().is_some_and(|name| name == "tests");
            if is_tests {
                continue;
            } else if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                files.push(path);
            }
        }
    }
    files
}
