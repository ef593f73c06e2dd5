//! kubectl's recorded answers are ours.

use std::path::{Path, PathBuf};

use super::*;

use crate::core::json::{Value, json};

/// Every file of `fixtures/yaml` with what kubectl makes of it beside it.
#[test]
fn fixtures_are_read_as_kubectl_reads_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/yaml");
    let mut found = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let expected = std::fs::read_to_string(path.with_extension("expected.json")).unwrap();
            let reading = read("a.yaml", &std::fs::read(&path).unwrap());
            assert_eq!(reading.problems, [], "{}", path.display());
            let objects: Vec<_> =
                reading.manifests.into_iter().map(|m| Value::from(m.object)).collect();
            let expected: Vec<Value> = serde_json::from_str(&expected).unwrap();
            assert_eq!(objects, expected, "{}", path.display());
            found += 1;
        }
    }
    assert!(found > 0);
}

#[allow(clippy::disallowed_methods, reason = "a test that is given more to do by its caller")]
fn corpus() -> Option<PathBuf> {
    std::env::var_os("TRUEUP_CORPUS").map(PathBuf::from)
}

/// With `TRUEUP_CORPUS`: the recorded answers of kubectl beside the corpus.
#[test]
fn recorded_kubectl_answers_match() {
    use base64::Engine;
    let Some(corpus) = corpus() else { return };
    let text = std::fs::read_to_string(corpus.join("../yaml/kubectl-answers.json")).unwrap();
    let answers: Vec<Value> = serde_json::from_str(&text).unwrap();
    for answer in &answers {
        let input = answer["input_base64"].as_str().unwrap();
        let bytes = base64::engine::general_purpose::STANDARD.decode(input).unwrap();
        let reading = read("a.yaml", &bytes);
        let Some(expected) = answer["kubectl"].get("ok").and_then(Value::as_array) else {
            assert!(!reading.problems.is_empty(), "{}", answer["name"]);
            continue;
        };
        assert_eq!(reading.problems, [], "{}", answer["name"]);
        let objects: Vec<_> =
            reading.manifests.into_iter().map(|m| Value::from(m.object)).collect();
        let expected: Vec<_> = expected.iter().map(unmarked).collect();
        assert_eq!(objects, expected, "{}", answer["name"]);
    }
    assert!(answers.len() > 100);
}

/// The recorded form of floats (`"F:1.5"`) undone.
fn unmarked(value: &Value) -> Value {
    match value {
        Value::String(text) => match text.strip_prefix("F:") {
            Some(float) => json!(float.parse::<f64>().unwrap()),
            None => value.clone(),
        },
        Value::Array(list) => list.iter().map(unmarked).collect(),
        Value::Object(map) => {
            map.iter().map(|(key, value)| (key.clone(), unmarked(value))).collect()
        }
        _ => value.clone(),
    }
}
