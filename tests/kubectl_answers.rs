//! Mutated files, read by trueup and by the real kubectl: what one takes the other takes, and makes
//! the same of it.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};
use trueup::core::manifest::{Reading, read};

use crate::support::mutate::{Mutator, number};
use crate::support::sandbox::{self, Plane};

/// What `kubectl annotate` adds, for want of a command that only reads.
const MARK: &str = "answers.example/seen";
/// Files that kubectl reads in one run.
const BATCH: usize = 250;

/// What trueup refuses, on purpose, though kubectl reads it.
const STRICTER: [(&str, &str); 16] = [
    ("kind is missing", "kubectl does not look into the items of a list before it sends them"),
    ("kind must be text", "the same"),
    ("this is null, not an object", "kubectl leaves out items that are null"),
    ("apiVersion is missing", "kubectl finds that out when it asks for the kind"),
    ("metadata.name is missing", "the server refuses it later; git can't say what is meant"),
    ("metadata.generateName would create", "every apply would make another object"),
    ("this is not UTF-8 text", "kubectl puts U+FFFD in place of bytes without a word"),
    ("this is not UTF-16 text", "kubectl puts U+FFFD in place of bytes without a word"),
    ("metadata must be a map", "kubectl takes null and texts for no metadata in a List's item"),
    ("a list can't hold a list", "kubectl flattens lists only in a List's own items"),
    ("only a comment may follow a line's `---`", "kubectl drops what follows in some places"),
    ("apiVersion has more than one `/`", "kubectl finds that out when it asks for the kind"),
    ("items must be a list of objects", "kubectl takes what it can't list for an object"),
    ("metadata.namespace must be text", "kubectl reads null-like names of items leniently"),
    (
        "lists and maps are nested more than",
        "kubectl goes ten times deeper, no API type comes near",
    ),
    ("the object is over 1.5 MiB", "the server would not store it"),
];

/// What trueup says of a document that begins as JSON and is none. kubectl refused it too, up to
/// 1.33, and has tried YAML since.
const NO_JSON: &str = "a file that begins with `{` is read as JSON";

/// What a file holds that kubectl's own YAML parser reads and trueup's refuses: too odd to be mended.
const ODD: [(&str, &str); 2] = [
    ("\\'", "an escape that only kubectl's parser knows"),
    ("!,", "kubectl takes a comma right behind a tag for a part of the tag"),
];

/// What `kubectl annotate` refuses, and `kubectl apply` would read.
const ANNOTATE: [(&str, &str); 3] = [
    ("metadata.annotations", "annotating needs annotations that are texts"),
    ("metadata.labels", "annotating reads labels too"),
    ("parsing time", "annotating reads when the object was made"),
];

/// One file, and what trueup makes of it.
struct Case {
    bytes: Vec<u8>,
    reading: Reading,
}

impl Case {
    /// What kubectl should print: the objects, marked.
    fn expected(&self) -> Vec<Value> {
        let marked = |object: &trueup::core::object::Object| {
            let mut object = object.clone();
            // Annotating drops a namespace that is none.
            if object.namespace().is_none() {
                object.metadata_mut().remove("namespace");
            }
            let annotations =
                object.metadata_mut().entry("annotations").or_insert(json!({}).into());
            if !annotations.is_object() {
                *annotations = json!({}).into();
            }
            annotations[MARK] = "1".into();
            trueup::core::json::Value::from(object).into()
        };
        self.reading.manifests.iter().map(|manifest| marked(&manifest.object)).collect()
    }
}

/// What kubectl says about files: the objects in the order of the files, and its errors.
fn ask(plane: &Plane, cases: &[&Case]) -> (Vec<Value>, BTreeMap<usize, String>) {
    let folder = tempfile::tempdir().unwrap();
    for (n, case) in cases.iter().enumerate() {
        fs::write(folder.path().join(format!("{n:05}.yaml")), &case.bytes).unwrap();
    }
    let path = folder.path().to_str().unwrap();
    let mark = format!("{MARK}=1");
    let args =
        ["annotate", "--local", "--overwrite", "-o", "json", "-R", "-f", path, mark.as_str()];
    let output = plane.kubectl(args);
    let values = serde_json::Deserializer::from_str(&output.stdout).into_iter::<Value>();
    let objects = values.map(|value| value.unwrap()).collect();
    let mut errors = BTreeMap::new();
    for line in output.stderr.lines() {
        let named = line.split_once(path).and_then(|(_, rest)| rest.get(1..6)?.parse().ok());
        let (at, text) = match named {
            Some(n) => (n, line.to_owned()),
            None => (usize::MAX, line.to_owned()),
        };
        errors.entry(at).or_insert_with(String::new).push_str(&text);
    }
    (objects, errors)
}

fn is_known(list: &[(&str, &str)], text: &str) -> bool {
    list.iter().any(|(known, _)| text.contains(known))
}

/// Whether kubectl itself may read a file this way or that: `1` and `"1"` are two keys for YAML and
/// one for JSON, and which of the two counts is up to the order in which Go goes through a map.
fn is_up_to_chance(case: &Case) -> bool {
    let mut messages = case.reading.warnings.iter().map(|warning| &warning.message);
    messages.any(|message| message.contains("duplicate key"))
}

fn told(what: &str, case: &Case) -> String {
    format!("{what}\n  in {:?}", String::from_utf8_lossy(&case.bytes))
}

#[allow(clippy::print_stdout, reason = "who runs it wants to know what it found")]
#[test]
#[ignore = "runs kubectl on ten thousand files: TRUEUP_MUTATIONS for more, TRUEUP_SEED for others"]
fn kubectl_reads_mutated_files_as_we_do() {
    let plane = sandbox::bare();
    let (count, seed) = (number("TRUEUP_MUTATIONS", 10_000), number("TRUEUP_SEED", 1));
    let mut mutator = Mutator::new(seed);
    let cases: Vec<Case> = (0..count)
        .map(|_| mutator.file())
        .map(|bytes| Case { reading: read("a.yaml", &bytes), bytes })
        .collect();
    // Errors hide objects, so what we refuse is asked about apart.
    let (refused, sound): (Vec<&Case>, Vec<&Case>) =
        cases.iter().partition(|case| !case.reading.problems.is_empty());
    println!("seed {seed}: {} files that we take, {} that we refuse", sound.len(), refused.len());
    let mut differences = Vec::new();
    for batch in refused.chunks(BATCH) {
        let (_, errors) = ask(plane, batch);
        for (_, case) in batch.iter().enumerate().filter(|(n, _)| !errors.contains_key(n)) {
            let problem = &case.reading.problems[0];
            let is_no_json = problem.hint.as_deref().is_some_and(|hint| hint.starts_with(NO_JSON));
            let is_meant = is_known(&STRICTER, &problem.message) || is_no_json;
            if !is_meant && !is_known(&ODD, &String::from_utf8_lossy(&case.bytes)) {
                let what = format!("we refuse it: {}: {}", problem.place, problem.message);
                differences.push(told(&what, case));
            }
        }
    }
    for batch in sound.chunks(BATCH) {
        compare(plane, batch, &mut differences);
    }
    for difference in &differences {
        println!("- {difference}");
    }
    assert!(differences.is_empty(), "{} of {count} differ, seed {seed}", differences.len());
}

/// Compares the objects of files that we take; where their number differs, by halves.
fn compare(plane: &Plane, batch: &[&Case], differences: &mut Vec<String>) {
    let (objects, errors) = ask(plane, batch);
    let mut taken = Vec::new();
    for (n, case) in batch.iter().enumerate() {
        match errors.get(&n) {
            None => taken.push(*case),
            Some(error) if is_known(&ANNOTATE, error) => {}
            Some(error) => differences.push(told(&format!("kubectl refuses it: {error}"), case)),
        }
    }
    let expected: Vec<(&Case, Value)> = taken
        .iter()
        .flat_map(|case| case.expected().into_iter().map(move |object| (*case, object)))
        .collect();
    if expected.len() == objects.len() {
        for ((case, ours), kubectls) in expected.iter().zip(&objects) {
            if ours != kubectls && !is_up_to_chance(case) {
                differences.push(told(&format!("kubectl: {kubectls}\n  ours: {ours}"), case));
            }
        }
    } else if let [case] = taken.as_slice() {
        let (kubectls, ours) = (objects.len(), expected.len());
        differences.push(told(&format!("kubectl has {kubectls} objects, we {ours}"), case));
    } else {
        for half in taken.chunks(taken.len().div_ceil(2)) {
            compare(plane, half, differences);
        }
    }
}
