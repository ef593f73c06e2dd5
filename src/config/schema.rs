//! The JSON Schemas in `docs/schema` are made of the types that are read and written, so that no key
//! can be forgotten. Tests compare, and with `TRUEUP_BLESS=1` they write the files.

use std::path::Path;

use schemars::generate::SchemaSettings;
use schemars::transform::transform_subschemas;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::Config;
use crate::core::source::formats::{Formats, WORDS};

pub(super) use crate::core::source::formats::schema::NAMESPACE;

/// The most seconds that a duration may have: 366 days.
const LONGEST: u32 = 366 * 86_400;

/// `12` or `20%`.
pub(super) fn share(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": ["string", "integer"],
        "pattern": "^([0-9]+|0*(100|[0-9]{1,2})%)$",
        "minimum": 0,
    })
}

/// `90s`, `5m` or `1h30m`, or seconds.
pub(super) fn time(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = time_or_none(generator);
    schema.remove("minimum");
    schema.insert("exclusiveMinimum".to_owned(), 0.into());
    schema
}

/// The same, or 0.
pub(super) fn time_or_none(_: &mut SchemaGenerator) -> Schema {
    let number = r"([0-9]+\.?[0-9]*|\.[0-9]+)";
    json_schema!({
        "type": ["string", "number"],
        "pattern": format!("^({number}[smh])*({number}[smh]?)$"),
        "minimum": 0,
        "maximum": LONGEST,
    })
}

/// The name of a ref, or a range of versions.
pub(super) fn reference(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "anyOf": [
            { "type": "string", "minLength": 1 },
            {
                "type": "object",
                "properties": {
                    "semver": {
                        "description": "A range of versions, as Flux and Argo CD read it.",
                        "type": ["string", "integer"],
                    },
                    "tag-prefix": {
                        "description": "The beginning of the tags, before the version.",
                        "type": "string",
                    },
                },
                "required": ["semver"],
                "additionalProperties": false,
            },
        ],
    })
}

/// The name of a format, or formats with their options.
pub(super) fn render(generator: &mut SchemaGenerator) -> Schema {
    let options = generator.subschema_for::<Formats>();
    json_schema!({ "anyOf": [{ "type": "string", "enum": WORDS }, options] })
}

/// Lays a schema out as people and editors want it: a description is one line, a choice is one
/// `enum`, and nothing is said of Rust's own types.
pub(crate) fn tidy(schema: &mut Schema) {
    transform_subschemas(&mut tidy, schema);
    one_choice(schema);
    let Some(schema) = schema.as_object_mut() else { return };
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        *text = text.replace("[`", "`").replace("`]", "`");
    }
    schema.retain(|key, value| match key.as_str() {
        "format" => value == "date-time",
        "default" | "uniqueItems" => false,
        _ => true,
    });
}

/// An enum's variants, each with its description, are one choice.
fn one_choice(schema: &mut Schema) {
    let Some(variants) = schema.get("oneOf").and_then(Value::as_array) else { return };
    let parts =
        |key: &str| variants.iter().map(|it| it.get(key).cloned()).collect::<Option<Vec<_>>>();
    let Some(words) = parts("const") else { return };
    let about = parts("description");
    schema.remove("oneOf");
    schema.insert("type".to_owned(), "string".into());
    schema.insert("enum".to_owned(), words.into());
    if let Some(about) = about {
        schema.insert("enumDescriptions".to_owned(), about.into());
    }
}

/// A written document has no other keys, and a key that may be absent is never null.
pub(crate) fn close(schema: &mut Schema) {
    transform_subschemas(&mut close, schema);
    let Some(schema) = schema.as_object_mut() else { return };
    let required: Vec<Value> = match schema.get("required") {
        Some(Value::Array(keys)) => keys.clone(),
        _ => Vec::new(),
    };
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
    for (key, property) in properties.iter_mut() {
        if !required.contains(&Value::from(key.as_str())) {
            never_null(property);
        }
    }
    schema.insert("additionalProperties".to_owned(), false.into());
}

/// A key without a value is not finished, which an editor has to say.
fn no_nulls(schema: &mut Schema) {
    transform_subschemas(&mut no_nulls, schema);
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.values_mut().for_each(never_null);
    }
}

fn never_null(schema: &mut Value) {
    let Some(schema) = schema.as_object_mut() else { return };
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|it| it != "null");
        if let [one] = &types[..] {
            let one = one.clone();
            schema.insert("type".to_owned(), one);
        }
    }
    if let Some(Value::Array(words)) = schema.get_mut("enum") {
        words.retain(|it| !it.is_null());
    }
    let Some(Value::Array(mut any)) = schema.remove("anyOf") else { return };
    any.retain(|it| it["type"] != "null");
    match <[Value; 1]>::try_from(any) {
        // A key beside a reference does not count, and beside the rest the outer word does.
        Ok([Value::Object(one)]) if schema.is_empty() || !one.contains_key("$ref") => {
            for (key, value) in one {
                schema.entry(key).or_insert(value);
            }
        }
        Ok(one) => drop(schema.insert("allOf".to_owned(), Value::from(one.to_vec()))),
        Err(any) => drop(schema.insert("anyOf".to_owned(), any.into())),
    }
}

/// Holds the file against what the types say, or writes it.
#[expect(clippy::disallowed_methods, reason = "a test is asked by who runs it")]
pub(crate) fn hold(name: &str, schema: &Schema) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema").join(name);
    let text = serde_json::to_string_pretty(schema).unwrap() + "\n";
    if std::env::var_os("TRUEUP_BLESS").is_some() {
        return std::fs::write(&file, text).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap();
    let pairs = written.lines().zip(text.lines()).enumerate();
    let other = pairs.into_iter().find(|(_, (written, made))| written != made);
    assert!(
        written == text,
        "docs/schema/{name} is not what the types say{}\nto write it: \
         TRUEUP_BLESS=1 cargo test --locked --lib schema",
        other.map_or(String::new(), |(line, (written, made))| format!(
            ", from line {}:\n  the file:  {written}\n  the types: {made}",
            line + 1
        )),
    );
}

#[test]
fn schema_of_trueup_yaml_is_that_of_its_types() {
    let mut schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<Config>();
    tidy(&mut schema);
    no_nulls(&mut schema);
    // An empty file declares nothing.
    schema.insert("title".to_owned(), super::FILE.into());
    schema.insert("type".to_owned(), ["object", "null"].as_slice().into());
    hold("trueup.yaml.json", &schema);
}
