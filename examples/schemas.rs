//! Writes the schemas that `trueup check` carries, as an API server publishes them. From the
//! checkout's root, with the sandbox of the release that is wanted:
//!
//! ```text
//! cargo build && target/debug/trueup sandbox -- cargo run --example schemas
//! ```
//!
//! The file is `src/schemas/<release>.gz`: a line for every kind that can be created, and a
//! line for every type that they are made of. What it takes to name a new release is in
//! `src/schemas/mod.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use kube::Client;
use serde_json::{Map, Value, json};

/// Fields that are required by the schema's word alone: the API server takes their zero value, so
/// that nothing is wrong with leaving them out. A schema has no word for this.
const NOT_MISSED: [(&str, &[&str]); 27] = [
    ("apps.v1.ControllerRevision", &["revision"]),
    ("core.v1.Event", &["metadata", "involvedObject"]),
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

#[tokio::main]
#[allow(clippy::disallowed_methods, reason = "a tool of the house, no answer of trueup's")]
async fn main() -> Result<()> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let client = Client::try_default().await.context("no cluster: run this in a sandbox")?;
    let version = client.apiserver_version().await?;
    let release = format!("{}.{}", version.major, version.minor.trim_end_matches('+'));
    let mut published = Published::default();
    let index = get(&client, "/openapi/v3").await?;
    for (path, document) in index["paths"].as_object().context("no paths in the index")? {
        if path.starts_with("api") && path.contains("/v") {
            let url = document["serverRelativeURL"].as_str().context("a document without a URL")?;
            published.add(&get(&client, url).await?);
        }
    }
    let text = published.text();
    let file = format!("src/schemas/{release}.gz");
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(text.as_bytes())?;
    let bytes = gzip.finish()?;
    std::fs::write(&file, &bytes).with_context(|| format!("cannot write {file}"))?;
    let kinds = published.kinds.len();
    let line = format!("{file}: {kinds} kinds, {} bytes, {} unpacked\n", bytes.len(), text.len());
    std::io::stdout().write_all(line.as_bytes())?;
    Ok(())
}

async fn get(client: &Client, url: &str) -> Result<Value> {
    let request = http::Request::get(url).header(http::header::ACCEPT, "application/json");
    Ok(client.request(request.body(Vec::new())?).await?)
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
