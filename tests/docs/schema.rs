//! `docs/schema/trueup.yaml.json` completes `trueup.yaml` in an editor. It is made of the types that
//! are read, as `src/config/schema.rs` holds. Here it says what the parser says: its keys and words
//! are the parser's, and both agree on files.
//!
//! [`check`] knows the few keywords that the schemas use, and stops at any other one. A crate with a
//! validator would bring ten more, for tests alone.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use trueup::config::Config;

use crate::docs::settings::of_config;
use crate::readme::{read, settings_of};

/// A schema by the name of its file.
pub(super) fn named(name: &str) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs/schema").join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn schema() -> Value {
    named("trueup.yaml.json")
}

/// The keys of an object of the schema.
fn properties(schema: &Value, pointer: &str) -> BTreeSet<String> {
    let object = schema.pointer(pointer).unwrap_or_else(|| panic!("{pointer}"));
    assert_eq!(object["additionalProperties"], false, "{pointer}");
    object["properties"].as_object().unwrap().keys().cloned().collect()
}

#[test]
fn schema_keys_match_the_parser() {
    let schema = schema();
    for (pointer, yaml) in [
        ("", "zzz: 1"),
        ("/definitions/target", "targets: {a: {zzz: 1}}"),
        ("/definitions/render", "targets: {a: {paths: [], render: {zzz: 1}}}"),
        ("/definitions/helm", "targets: {a: {paths: [], render: {helm: {zzz: 1}}}}"),
        ("/definitions/jsonnet", "targets: {a: {paths: [], render: {jsonnet: {zzz: 1}}}}"),
        ("/definitions/rule", "targets: {a: {paths: [], ignore: [{zzz: 1}]}}"),
        ("/definitions/health", "targets: {a: {paths: [], health: [{zzz: 1}]}}"),
        (
            "/definitions/condition",
            "targets: {a: {paths: [], health: [{kind: A, ready: [{zzz: 1}]}]}}",
        ),
    ] {
        assert_eq!(properties(&schema, pointer), of_config(yaml), "{pointer}");
    }
}

#[test]
fn schema_enums_match_the_parser() {
    let schema = schema();
    let target = "/definitions/target/properties";
    for (pointer, key) in [
        (format!("{target}/on-conflict/enum"), "on-conflict"),
        (format!("{target}/cascade/enum"), "cascade"),
        (format!("{target}/on-failure/enum"), "on-failure"),
        (format!("{target}/render/anyOf/0/enum"), "render"),
    ] {
        let words = schema.pointer(&pointer).and_then(Value::as_array).unwrap();
        let words: BTreeSet<String> =
            words.iter().map(|word| word.as_str().unwrap().to_owned()).collect();
        assert_eq!(
            words,
            of_config(&format!("targets: {{a: {{paths: [], {key}: zzz}}}}")),
            "{key}"
        );
    }
}

#[test]
fn schema_and_parser_agree_on_files() {
    let schema = schema();
    let examples = settings_of("trueup.yaml").into_iter();
    let mut files: Vec<(String, bool)> = examples.map(|text| (text, true)).collect();
    assert!(files.len() > 3);
    let fixtures = ["fixtures/shop/trueup.yaml", "fixtures/rendered/trueup.yaml"];
    files.extend(fixtures.map(|path| (read(path), true)));
    let target = |keys: &str| format!("targets: {{a: {{paths: [b], {keys}}}}}");
    for (keys, is_right) in [
        ("max-prune: 12, timeout: 90, lock-timeout: 0, wait: true", true),
        ("max-prune: 100%, timeout: 0.5h30, lock-timeout: 0s, namespace: shop-1", true),
        ("render: {helm: {release: a.b, kube-version: v1.33.1-rc.1+a, namespace: a}}", true),
        ("render: {helm: {api-versions: [v1, apps/v1/Deployment]}, jsonnet: {tla: {_a: 1}}}", true),
        ("ignore: [{paths: [/a~1b, '/spec/[name=a]/*']}]", true),
        ("mode: hold", true),
        ("mode: off", false),
        ("windows: [{allow: 'Mon-Fri 09:00-17:00', zone: Europe/Berlin}]", true),
        ("windows: [{deny: [Sat, Sun], kinds: [StatefulSet], drift: hold}]", true),
        ("windows: [{deny: Sat, drift: leave}]", false),
        ("windows: [{deny: Sat, at: Sun}]", false),
        ("max-prune: 101%", false),
        ("max-prune: -1", false),
        ("max-prune: half", false),
        ("timeout: 0", false),
        ("timeout: 5d", false),
        ("timeout: ''", false),
        ("timeout: 31622401", false),
        ("lock-timeout: -1", false),
        ("lock-timeout: 1.2.3", false),
        ("namespace: Shop", false),
        ("render: {helm: {namespace: -a}}", false),
        ("render: {helm: {release: a..b}}", false),
        (
            r#"render: {helm: {release: "aaaaaaaaa.aaaaaaaaa.aaaaaaaaa.aaaaaaaaa.aaaaaaaaa.aaaa"}}"#,
            false,
        ),
        ("render: {helm: {api-versions: [a/b/c/d]}}", false),
        ("render: {helm: {kube-version: newest}}", false),
        ("render: {jsonnet: {ext: {1a: 1}}}", false),
        ("ignore: [{paths: [/]}]", false),
        ("ignore: [{paths: [/a~2]}]", false),
        ("max-prune: 20%, timeout: 1h30m, cascade: orphan, on-failure: rollback", true),
        ("render: plain, replace: [Job], strict: false, verify: true", true),
        ("on-conflict: never", false),
        ("cascade: 1", false),
        ("wait: soon", false),
        ("paht: [b]", false),
        ("namespace: [a]", false),
        ("replace: Job", false),
        ("timeout: true", false),
        ("render: helmfile", false),
        ("render: {plain: {}}", false),
        ("render: {helm: {valeus: []}}", false),
        ("render: {kustomize: {enable: true}}", false),
        ("ignore: [{kind: A}]", false),
        ("ignore: [{paths: [spec]}]", false),
        ("health: [{kind: A}]", false),
        ("health: [{kind: A, ready: [{status: x}]}]", false),
        ("health: [{kind: A, ready: 1}]", false),
    ] {
        files.push((target(keys), is_right));
    }
    files.push(("targets: {a: {}}".to_owned(), false));
    files.push(("target: {}".to_owned(), false));
    files.push(("targets: []".to_owned(), false));
    for (text, is_right) in files {
        let parsed = Config::read(text.as_bytes()).map(drop).map_err(|error| error.to_string());
        let value: Value = serde_yaml::from_str(&text).unwrap();
        let checked = check(&schema, &schema, &value, "");
        assert_eq!(parsed.is_ok(), is_right, "{text}: {parsed:?}");
        assert_eq!(checked.is_ok(), is_right, "{text}: {checked:?}");
    }
}

#[test]
fn the_page_about_targets_names_the_schema() {
    let page = read("docs/targets.md");
    assert!(page.contains("# yaml-language-server: $schema=") && page.contains("trueup.yaml.json"));
}

/// Holds a value against a schema; an error says where it does not fit.
pub(super) fn check(root: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    for (keyword, rule) in schema.as_object().unwrap() {
        let fits = match keyword.as_str() {
            "$schema"
            | "title"
            | "description"
            | "definitions"
            | "additionalProperties"
            | "enumDescriptions" => true,
            "$ref" => {
                let pointer = rule.as_str().unwrap().strip_prefix('#').unwrap();
                check(root, root.pointer(pointer).unwrap(), value, at)?;
                true
            }
            "type" => match rule {
                Value::Array(types) => types.iter().any(|name| is_of(name, value)),
                name => is_of(name, value),
            },
            "enum" => rule.as_array().unwrap().contains(value),
            "pattern" => {
                let pattern = regex::Regex::new(rule.as_str().unwrap()).unwrap();
                value.as_str().is_none_or(|text| pattern.is_match(text))
            }
            "format" => {
                assert_eq!(rule, "date-time");
                value.as_str().is_none_or(|text| text.parse::<jiff::Timestamp>().is_ok())
            }
            "maxLength" => {
                value.as_str().is_none_or(|text| text.len() as u64 <= rule.as_u64().unwrap())
            }
            "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()),
            "exclusiveMinimum" => {
                value.as_f64().is_none_or(|number| number > rule.as_f64().unwrap())
            }
            "maximum" => value.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap()),
            "propertyNames" => {
                let mut names = value.as_object().into_iter().flat_map(|map| map.keys());
                names.all(|name| check(root, rule, &Value::from(name.as_str()), at).is_ok())
            }
            "allOf" => {
                let rules = rule.as_array().unwrap();
                rules.iter().try_for_each(|rule| check(root, rule, value, at))?;
                true
            }
            "anyOf" => {
                rule.as_array().unwrap().iter().any(|rule| check(root, rule, value, at).is_ok())
            }
            "required" => {
                let keys = rule.as_array().unwrap().iter().map(|key| key.as_str().unwrap());
                value.as_object().is_none_or(|map| keys.into_iter().all(|it| map.contains_key(it)))
            }
            "properties" => {
                let others = schema.get("additionalProperties").unwrap();
                for (key, value) in value.as_object().into_iter().flatten() {
                    check_key(
                        root,
                        rule.get(key).unwrap_or(others),
                        value,
                        &format!("{at}.{key}"),
                    )?;
                }
                true
            }
            "items" => {
                let elements = value.as_array().into_iter().flatten();
                elements.into_iter().try_for_each(|element| check(root, rule, element, at))?;
                true
            }
            "minItems" => {
                let elements = value.as_array().map_or(usize::MAX, Vec::len);
                rule.as_u64().is_some_and(|least| elements as u64 >= least)
            }
            "minLength" => {
                let length = value.as_str().map_or(usize::MAX, |text| text.chars().count());
                rule.as_u64().is_some_and(|least| length as u64 >= least)
            }
            other => panic!("the check does not know {other}"),
        };
        if !fits {
            return Err(format!("{at}: {keyword}"));
        }
    }
    // Without `properties`, every key is another one.
    if let (None, Some(others)) = (schema.get("properties"), schema.get("additionalProperties")) {
        for (key, value) in value.as_object().into_iter().flatten() {
            check_key(root, others, value, &format!("{at}.{key}"))?;
        }
    }
    Ok(())
}

/// A key's schema may also be `true` or `false`.
fn check_key(root: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    match schema {
        Value::Bool(true) => Ok(()),
        Value::Bool(false) => Err(format!("{at}: unknown")),
        schema => check(root, schema, value, at),
    }
}

fn is_of(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        other => panic!("the check does not know {other}"),
    }
}
