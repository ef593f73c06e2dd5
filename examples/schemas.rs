//! Writes the schemas that `trueup check` carries, from the OpenAPI documents that Kubernetes publishes
//! with each release. From the checkout's root, with the folders of the releases' Go modules:
//!
//! ```text
//! for version in v1.34.4 v1.35.4 v1.36.3 v1.37.2; do
//!   go mod download -json k8s.io/kubernetes@$version | sed -n 's/.*"Dir": "\(.*\)".*/\1/p'
//! done | xargs cargo run --example schemas --
//! ```
//!
//! `src/core/kinds/schemas/<release>.gz` has a line for every kind that can be created, and a line for
//! every type that they are made of. The same modules make the same files. What it takes to name a new
//! release is in `src/core/kinds/schemas/mod.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Map, Value, json};
use trueup::core::kinds::schemas::DEFAULT as TRIED;

/// Where the files go.
const TO: &str = "src/core/kinds/schemas";

/// Fields that are required by the schema's word alone: the API server takes their zero value, so
/// that nothing is wrong with leaving them out. A schema has no word for this.
const NOT_MISSED: [(&str, &[&str]); 28] = [
    ("apps.v1.ControllerRevision", &["revision"]),
    ("core.v1.Event", &["metadata", "involvedObject"]),
    ("core.v1.EvictionResponder", &["priority"]),
    ("core.v1.HTTPHeader", &["value"]),
    ("core.v1.ISCSIPersistentVolumeSource", &["lun"]),
    ("core.v1.ISCSIVolumeSource", &["lun"]),
    ("core.v1.LimitRangeSpec", &["limits"]),
    ("core.v1.PreferredSchedulingTerm", &["preference"]),
    ("core.v1.ScaleIOPersistentVolumeSource", &["secretRef"]),
    ("core.v1.ScaleIOVolumeSource", &["secretRef"]),
    ("core.v1.SleepAction", &["seconds"]),
    ("core.v1.Sysctl", &["value"]),
    ("events.v1.Event", &["eventTime"]),
    ("events.v1.EventSeries", &["count", "lastObservedTime"]),
    ("resource.v1.CapacityRequestPolicyRange", &["min"]),
    ("resource.v1.Counter", &["value"]),
    ("resource.v1.DeviceCapacity", &["value"]),
    ("resource.v1.DeviceClass", &["spec"]),
    ("resource.v1.ResourceClaim", &["spec"]),
    ("resource.v1.ResourceClaimTemplate", &["spec"]),
    ("resource.v1.ResourceClaimTemplateSpec", &["spec"]),
    ("resource.v1.ResourcePool", &["generation"]),
    ("storage.v1.CSIDriver", &["spec"]),
    ("storage.v1.CSINode", &["spec"]),
    ("storage.v1.CSINodeSpec", &["drivers"]),
    ("storage.v1.TokenRequest", &["audience"]),
    ("storage.v1.VolumeAttachmentSpec", &["source"]),
    ("apiextensions.v1.CustomResourceDefinitionVersion", &["served", "storage"]),
];

#[allow(clippy::disallowed_methods, reason = "a tool of the house, no answer of trueup's")]
fn main() -> Result<()> {
    let mut releases = BTreeMap::new();
    for module in std::env::args().skip(1) {
        let (_, version) = module.rsplit_once("@v").context("not a folder of a Go module")?;
        let release = version.rsplit_once('.').context("not a version")?.0.to_owned();
        let published = published(Path::new(&module))?;
        releases.insert(release, published);
    }
    take_what_a_server_takes(&mut releases)?;
    for (release, published) in &releases {
        write(&format!("{TO}/{release}.gz"), &published.text())?;
    }
    Ok(())
}

/// What a release publishes.
fn published(module: &Path) -> Result<Published> {
    let mut published = Published::default();
    let folder = module.join("api/openapi-spec/v3");
    let entries = fs::read_dir(&folder).with_context(|| format!("no {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("api") && name.contains("__v") {
            let document: Value = serde_json::from_slice(&fs::read(&path)?)?;
            published.add(&document);
        }
    }
    add_enums(module, &mut published.types)?;
    Ok(published)
}

/// The values that texts may have, as `type` and the path below it. The API server publishes them from
/// this code; the documents in the repository are made with this feature off.
fn add_enums(module: &Path, types: &mut BTreeMap<String, Value>) -> Result<()> {
    let file = module.join("pkg/generated/openapi/zz_generated.openapi.go");
    let code = fs::read_to_string(&file).with_context(|| format!("no {}", file.display()))?;
    let (mut name, mut path, mut added) = (String::new(), String::new(), 0);
    for line in code.lines() {
        let text = line.trim_start();
        if let Some(function) = line.strip_prefix("func schema_") {
            name = function.split('(').next().unwrap_or_default().replace('_', ".");
            name = ["k8sio.api.", "pkg.apis."]
                .iter()
                .find_map(|prefix| name.strip_prefix(prefix))
                .unwrap_or_default()
                .to_owned();
        } else if let Some(field) =
            line.strip_prefix("\t\t\t\t\t\"").and_then(|it| it.split_once("\": {"))
        {
            path = format!("/properties/{}", field.0);
        } else if text.starts_with("Items:") {
            path.push_str("/items");
        } else if text.starts_with("AdditionalProperties:") {
            path.push_str("/additionalProperties");
        } else if let Some(values) = text.strip_prefix("Enum:") {
            let values =
                values.trim().strip_prefix("[]interface{}{").and_then(|it| it.strip_suffix("},"));
            let values =
                values.with_context(|| format!("{name}{path}: an enum of another form"))?;
            let values: Value = serde_json::from_str(&format!("[{values}]"))?;
            let schema = types.get_mut(&name).and_then(|schema| schema.pointer_mut(&path));
            if let Some(schema) = schema.and_then(Value::as_object_mut) {
                schema.insert("enum".to_owned(), values);
                added += 1;
            }
        }
    }
    anyhow::ensure!(added > 0, "{} has no enums", file.display());
    Ok(())
}

/// A release may require what a server does not: it sets a default, or takes a zero. So what the others
/// require beyond the release that the tests try on a server is left out, for the types that it has.
/// Kinds of alpha and beta versions are off by default, and so were never tried: what they miss is left
/// to the server.
fn take_what_a_server_takes(releases: &mut BTreeMap<String, Published>) -> Result<()> {
    let tried = &releases.get(TRIED).context("the release that was tried is missing")?.types;
    let tried: BTreeMap<String, BTreeSet<String>> =
        tried.iter().map(|(name, schema)| (name.clone(), required(schema))).collect();
    for published in releases.values_mut() {
        for (name, schema) in &mut published.types {
            let is_off =
                name.split('.').any(|part| part.contains("alpha") || part.contains("beta"));
            let tried = tried.get(name);
            if let Some(list) = schema.get_mut("required").and_then(Value::as_array_mut) {
                list.retain(|field| {
                    let field = field.as_str().unwrap_or_default();
                    !is_off && tried.is_none_or(|tried| tried.contains(field))
                });
            }
        }
    }
    Ok(())
}

fn required(schema: &Value) -> BTreeSet<String> {
    let listed = schema["required"].as_array().into_iter().flatten();
    listed.filter_map(Value::as_str).map(str::to_owned).collect()
}

#[allow(clippy::disallowed_methods, reason = "a tool of the house, no answer of trueup's")]
fn write(file: &str, text: &str) -> Result<()> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(text.as_bytes())?;
    let bytes = gzip.finish()?;
    fs::write(file, &bytes).with_context(|| format!("cannot write {file}"))?;
    let lines = text.lines().count();
    let line = format!("{file}: {lines} lines, {} bytes, {} unpacked\n", bytes.len(), text.len());
    std::io::stdout().write_all(line.as_bytes())?;
    Ok(())
}

/// What the API server publishes.
#[derive(Default)]
struct Published {
    /// The type of each `group/version/Kind`, and whether its objects live in namespaces.
    kinds: BTreeMap<String, (String, bool)>,
    types: BTreeMap<String, Value>,
}

impl Published {
    fn add(&mut self, document: &Value) {
        let none = Map::new();
        let schemas = document["components"]["schemas"].as_object().unwrap_or(&none);
        for (path, item) in document["paths"].as_object().unwrap_or(&none) {
            if item["post"].is_object() && !path.contains("{name}") {
                let kind = &item["post"]["x-kubernetes-group-version-kind"];
                let found = schemas.iter().find(|(_, schema)| {
                    let kinds = schema["x-kubernetes-group-version-kind"].as_array();
                    kinds.is_some_and(|kinds| kinds.len() == 1 && kinds[0] == *kind)
                });
                if let (Some((name, _)), Some(key)) = (found, key(kind)) {
                    let entry = self.kinds.entry(key).or_insert((short(name), false));
                    entry.1 |= path.contains("{namespace}");
                }
            }
        }
        for (name, schema) in schemas {
            let name = short(name);
            let mut schema = stripped(schema);
            if let Some((_, fields)) = NOT_MISSED.iter().find(|(t, _)| name.ends_with(t))
                && let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut)
            {
                required.retain(|field| !fields.iter().any(|other| field == other));
            }
            self.types.insert(name, schema);
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for (kind, (name, namespaced)) in &self.kinds {
            let scope = if *namespaced { "namespaced" } else { "cluster" };
            let _ = writeln!(text, "kind {kind} {scope} {name}");
        }
        let mut wanted: Vec<&str> = self.kinds.values().map(|(name, _)| name.as_str()).collect();
        let mut reached = BTreeSet::new();
        while let Some(name) = wanted.pop() {
            if let Some((name, schema)) = self.types.get_key_value(name)
                && reached.insert(name.as_str())
            {
                references(schema, &mut wanted);
            }
        }
        for name in reached {
            let _ = writeln!(text, "type {name} {}", self.types[name]);
        }
        text
    }
}

fn references<'a>(schema: &'a Value, found: &mut Vec<&'a str>) {
    match schema {
        Value::Object(map) => {
            for (key, value) in map {
                match value.as_str() {
                    Some(name) if key == "$ref" => found.push(name),
                    _ => references(value, found),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

fn key(kind: &Value) -> Option<String> {
    let text = |field: &str| kind[field].as_str();
    Some(match text("group")? {
        "" => format!("{}/{}", text("version")?, text("kind")?),
        group => format!("{group}/{}/{}", text("version")?, text("kind")?),
    })
}

fn short(name: &str) -> String {
    let name = name.rsplit('/').next().unwrap_or(name);
    let name = name.strip_prefix("io.k8s.").unwrap_or(name);
    ["api.", "apimachinery.pkg.", "apiextensions-apiserver.pkg.apis."]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .unwrap_or(name)
        .to_owned()
}

/// A schema with nothing but what a check and the proof of a no-op need.
fn stripped(schema: &Value) -> Value {
    const KEPT: [&str; 5] = ["type", "required", "enum", "format", "pattern"];
    let mut kept = Map::new();
    // A list is atomic where nothing else is said, and a map is not.
    let owned = [("x-kubernetes-map-type", "granular"), ("x-kubernetes-list-type", "atomic")];
    for (field, usual) in owned {
        if let Some(value) = schema.get(field).filter(|value| **value != usual) {
            kept.insert(field.to_owned(), value.clone());
        }
    }
    if let Some(keys) = schema.get("x-kubernetes-list-map-keys") {
        kept.insert("x-kubernetes-list-map-keys".to_owned(), keys.clone());
    }
    // A zero value is every field's default that the generator writes down, and tells nothing.
    let zero = [json!({}), json!(""), json!(0), json!(false)];
    if let Some(value) = schema.get("default").filter(|value| !zero.contains(value)) {
        kept.insert("default".to_owned(), value.clone());
    }
    let reference = schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str());
    if let Some(reference) = reference {
        kept.insert("$ref".to_owned(), short(reference).into());
        return kept.into();
    }
    if schema["format"] == "int-or-string" {
        return json!({ "x-kubernetes-int-or-string": true });
    }
    if schema["oneOf"] == json!([{ "type": "string" }, { "type": "number" }]) {
        return json!({ "format": "quantity" });
    }
    for field in KEPT {
        if let Some(value) = schema.get(field) {
            kept.insert(field.to_owned(), value.clone());
        }
    }
    if let Some(properties) = schema["properties"].as_object() {
        let properties: Map<String, Value> =
            properties.iter().map(|(name, schema)| (name.clone(), stripped(schema))).collect();
        kept.insert("properties".to_owned(), properties.into());
    }
    for field in ["items", "additionalProperties"] {
        if let Some(schema) = schema.get(field) {
            let below = if schema.is_object() { stripped(schema) } else { schema.clone() };
            kept.insert(field.to_owned(), below);
        }
    }
    kept.into()
}
