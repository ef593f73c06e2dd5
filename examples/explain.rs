//! Writes what `trueup explain` knows beyond the schemas of `check`: the descriptions, the published
//! required fields, and the names that `kubectl` knows of a kind. From the checkout's root, after
//! `examples/schemas.rs`, with the folders of the releases' Go modules:
//!
//! ```text
//! for version in v1.34.4 v1.35.4 v1.36.3 v1.37.2; do
//!   go mod download -json k8s.io/kubernetes@$version | sed -n 's/.*"Dir": "\(.*\)".*/\1/p'
//! done | xargs cargo run --example explain --
//! ```
//!
//! `src/core/kinds/manual/explain.gz` has a line for every fact, with the releases that have it: most
//! are the same in all. Only types that `src/core/kinds/schemas/<release>.gz` names are in it. The texts
//! are those of Kubernetes' OpenAPI documents, and under the Apache License 2.0 as they are.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Map, Value};

/// The schemas of `check`.
const SCHEMAS: &str = "src/core/kinds/schemas";

/// Where the file goes.
const TO: &str = "src/core/kinds/manual/explain.gz";

/// Facts, with the releases that have them.
type Facts = BTreeMap<[String; 3], BTreeSet<String>>;

/// What all releases say.
#[derive(Default)]
struct Knowledge {
    /// `api_version Kind`, plural, short names.
    names: Facts,
    /// Type, required fields, nothing.
    required: Facts,
    /// Type, field or `-` for the type itself, description.
    descriptions: Facts,
}

#[allow(clippy::disallowed_methods, reason = "a tool of the house, no answer of trueup's")]
fn main() -> Result<()> {
    let mut knowledge = Knowledge::default();
    for module in std::env::args().skip(1) {
        let (_, version) = module.rsplit_once("@v").context("not a folder of a Go module")?;
        let (release, _) = version.rsplit_once('.').context("not a version")?;
        let wanted = types(release)?;
        for document in documents(&Path::new(&module).join("api/openapi-spec/v3"))? {
            knowledge.describe(&document, release, &wanted);
        }
        for document in documents(&Path::new(&module).join("api/discovery"))? {
            knowledge.name(&document, release);
        }
    }
    let text = knowledge.text();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(text.as_bytes())?;
    let bytes = gzip.finish()?;
    fs::write(TO, &bytes).with_context(|| format!("cannot write {TO}"))?;
    let lines = text.lines().count();
    let line = format!("{TO}: {lines} lines, {} bytes, {} unpacked\n", bytes.len(), text.len());
    std::io::stdout().write_all(line.as_bytes())?;
    Ok(())
}

/// The types that a release's schemas name.
fn types(release: &str) -> Result<BTreeSet<String>> {
    let file = format!("{SCHEMAS}/{release}.gz");
    let packed = fs::read(&file).with_context(|| format!("cannot read {file}"))?;
    let mut text = String::new();
    GzDecoder::new(packed.as_slice()).read_to_string(&mut text)?;
    let names = text.lines().filter_map(|line| line.strip_prefix("type ")?.split(' ').next());
    Ok(names.map(str::to_owned).collect())
}

/// The JSON files of a folder.
fn documents(folder: &Path) -> Result<Vec<Value>> {
    let entries = fs::read_dir(folder).with_context(|| format!("no {}", folder.display()))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|it| it == "json") {
            found.push(serde_json::from_slice(&fs::read(&path)?)?);
        }
    }
    Ok(found)
}

impl Knowledge {
    fn describe(&mut self, document: &Value, release: &str, wanted: &BTreeSet<String>) {
        let none = Map::new();
        for (name, schema) in document["components"]["schemas"].as_object().unwrap_or(&none) {
            let name = short(name);
            if !wanted.contains(&name) {
                continue;
            }
            let required = schema["required"].as_array().into_iter().flatten();
            let required: Vec<&str> = required.filter_map(Value::as_str).collect();
            if !required.is_empty() {
                note(&mut self.required, [&name, &required.join(","), ""], release);
            }
            let fields = schema["properties"].as_object().unwrap_or(&none);
            let fields = fields.iter().map(|(field, below)| (field.as_str(), below));
            for (field, schema) in [("-", schema)].into_iter().chain(fields) {
                if let Some(text) = schema["description"].as_str().filter(|text| !text.is_empty()) {
                    note(&mut self.descriptions, [&name, field, text], release);
                }
            }
        }
    }

    fn name(&mut self, document: &Value, release: &str) {
        if document["kind"] != "APIResourceList" {
            return;
        }
        let api_version = document["groupVersion"].as_str().unwrap_or_default();
        for resource in document["resources"].as_array().into_iter().flatten() {
            if let (Some(plural), Some(kind)) =
                (resource["name"].as_str(), resource["kind"].as_str())
                && !plural.contains('/')
            {
                let short = resource["shortNames"].as_array().into_iter().flatten();
                let short: Vec<&str> = short.filter_map(Value::as_str).collect();
                let kind = format!("{api_version} {kind}");
                note(&mut self.names, [&kind, plural, &short.join(",")], release);
            }
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let releases = |of: &BTreeSet<String>| of.iter().cloned().collect::<Vec<_>>().join(",");
        for ([kind, plural, short], of) in &self.names {
            let _ = writeln!(text, "names {} {kind} {plural} {short}", releases(of));
        }
        for ([name, fields, _], of) in &self.required {
            let _ = writeln!(text, "required {} {name} {fields}", releases(of));
        }
        for ([name, field, description], of) in &self.descriptions {
            let description = Value::from(description.as_str());
            let _ = writeln!(text, "text {} {name} {field} {description}", releases(of));
        }
        text
    }
}

fn note(facts: &mut Facts, fact: [&str; 3], release: &str) {
    facts.entry(fact.map(str::to_owned)).or_default().insert(release.to_owned());
}

/// The name of a type as `examples/schemas.rs` writes it.
fn short(name: &str) -> String {
    let name = name.strip_prefix("io.k8s.").unwrap_or(name);
    ["api.", "apimachinery.pkg.", "apiextensions-apiserver.pkg.apis."]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .unwrap_or(name)
        .to_owned()
}
