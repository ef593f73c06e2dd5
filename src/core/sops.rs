//! Documents that SOPS encrypted: their values are ciphertext, which nothing here decrypts. So they
//! are never applied, and are checked by their shape alone.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::core::json::{Value, json};
use crate::core::manifest::{Manifest, PathPart};
use crate::core::object::Object;
use crate::core::problem::Problem;

/// The key of a document's root that SOPS keeps its own data under.
pub const KEY: &str = "sops";
/// The begin of every encrypted value.
const BEGIN: &str = "ENC[AES256_GCM,data:";
/// The kind of the operators that decrypt within the cluster: its ciphertext is meant to be there.
const OPERATED: &str = "SopsSecret";

/// The type of a value before it was encrypted, as `type:` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlainType {
    /// A text, or bytes as text.
    Text,
    /// An integer.
    Integer,
    /// A number with a fraction.
    Float,
    /// A truth value.
    Boolean,
    /// One that this version does not know.
    Unknown,
}

impl PlainType {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "an integer",
            Self::Float => "a number",
            Self::Boolean => "true or false",
            Self::Unknown => "a value",
        }
    }
}

/// The type that an encrypted value had; `None` for any other text.
pub fn plain_type(text: &str) -> Option<PlainType> {
    let inner = text.trim().strip_prefix(BEGIN)?.strip_suffix(']')?;
    let (_, name) = inner.rsplit_once(",type:")?;
    Some(match name {
        "str" | "bytes" | "comment" => PlainType::Text,
        "int" => PlainType::Integer,
        "float" => PlainType::Float,
        "bool" => PlainType::Boolean,
        _ => PlainType::Unknown,
    })
}

/// Whether SOPS encrypted the document, as the data at its root says.
pub fn is_encrypted(object: &Object) -> bool {
    let Some(sops) = object.0.get(KEY).and_then(Value::as_object) else { return false };
    let has = |key: &str| sops.get(key).is_some_and(Value::is_string);
    has("mac") && has("lastmodified") && object.kind() != OPERATED
}

/// The problem of a manifest that would put ciphertext into the cluster.
pub fn problem(manifest: &Manifest) -> Option<Problem> {
    let object = &manifest.object;
    let path = ciphertext(object)?;
    let part = match path[..] {
        [_, PathPart::Key(key)] => format!("`{key}` of "),
        _ => String::new(),
    };
    let (kind, name) = (object.kind(), object.name());
    let message = format!("{part}{kind} {name} is encrypted with SOPS: trueup does not decrypt");
    let place = manifest.place_at(&path).unwrap_or_else(|| manifest.origin.location());
    let hint = "let an operator in the cluster make the Secret, or name the file in .trueupignore";
    Some(Problem { place, message, excerpt: None, hint: Some(hint.to_owned()) })
}

/// Where an object says that it is ciphertext, or the first value of a Secret that is.
pub fn ciphertext(object: &Object) -> Option<Vec<PathPart<'_>>> {
    match is_encrypted(object) {
        true => Some(vec![PathPart::Key(KEY)]),
        false => ciphertext_of_secret(object),
    }
}

/// The first value of a Secret that is ciphertext, such as of a file that kustomize made it from.
fn ciphertext_of_secret(object: &Object) -> Option<Vec<PathPart<'_>>> {
    if (object.group(), object.kind()) != ("", "Secret") {
        return None;
    }
    let map = |field: &str| object.0.get(field).and_then(Value::as_object);
    let texts = map("stringData").into_iter().flatten();
    let texts = texts.map(|(key, value)| ("stringData", key, value.as_str().map(str::to_owned)));
    let data = map("data").into_iter().flatten().map(|(key, value)| {
        let plain = value.as_str().map(|text| match plain_type(text) {
            Some(_) => text.to_owned(),
            None => decoded(text),
        });
        ("data", key, plain)
    });
    let mut all = texts.chain(data);
    let (field, key, _) = all.find(|(_, _, text)| text.as_deref().is_some_and(is_ciphertext))?;
    Some(vec![PathPart::Key(field), PathPart::Key(key)])
}

fn decoded(text: &str) -> String {
    // kustomize breaks long values into lines.
    let text: String = text.split_ascii_whitespace().collect();
    let bytes = STANDARD.decode(text).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether a text is an encrypted value or a file with some, with the data that SOPS adds to it.
fn is_ciphertext(text: &str) -> bool {
    plain_type(text).is_some()
        || text.contains(BEGIN) && text.contains("lastmodified") && text.contains(KEY)
}

/// A document that SOPS encrypted with a value of its type in place of each encrypted one, and
/// without SOPS' own data; `None` for any other.
pub fn shape(manifest: &Manifest) -> Option<Manifest> {
    if !is_encrypted(&manifest.object) {
        return None;
    }
    let mut shaped = manifest.clone();
    let fields = shaped.object.fields_mut();
    fields.remove(KEY);
    fields.values_mut().for_each(stand_in);
    Some(shaped)
}

/// Puts a value of its type in place of each encrypted one.
fn stand_in(value: &mut Value) {
    match value {
        Value::String(text) => match plain_type(text) {
            Some(PlainType::Integer) => *value = 1.into(),
            Some(PlainType::Float) => *value = json!(1.5),
            Some(PlainType::Boolean) => *value = true.into(),
            Some(PlainType::Text | PlainType::Unknown) | None => {}
        },
        Value::Object(map) => map.values_mut().for_each(stand_in),
        Value::Array(list) => list.iter_mut().for_each(stand_in),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(value: Value) -> Manifest {
        let Value::Object(map) = value else { panic!("not a map") };
        Manifest { object: map.into(), ..Manifest::default() }
    }

    fn enc(of: &str) -> String {
        format!("ENC[AES256_GCM,data:dGVzdA==,iv:aXY=,tag:dGFn,type:{of}]")
    }

    fn said(value: Value) -> Option<String> {
        problem(&manifest(value)).map(|problem| problem.message)
    }

    #[test]
    fn the_type_of_a_value_is_read() {
        for (of, plain) in [
            ("str", PlainType::Text),
            ("bytes", PlainType::Text),
            ("int", PlainType::Integer),
            ("float", PlainType::Float),
            ("bool", PlainType::Boolean),
            ("time", PlainType::Unknown),
        ] {
            assert_eq!(plain_type(&enc(of)), Some(plain), "{of}");
        }
        for text in ["", "ENC[", "ENC[AES256_GCM,data:a]", "a ENC[AES256_GCM,data:a,type:str]"] {
            assert_eq!(plain_type(text), None, "{text}");
        }
    }

    #[test]
    fn ciphertext_is_a_problem_wherever_it_would_be_applied() {
        let sops = json!({"mac": enc("str"), "lastmodified": "2026-01-01T00:00:00Z"});
        for kind in ["Secret", "ConfigMap"] {
            let whole = format!("{kind} b is encrypted with SOPS: trueup does not decrypt");
            let object = json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": "b"},
                "sops": sops});
            assert_eq!(said(object), Some(whole));
        }
        let of_key =
            Some("`a` of Secret b is encrypted with SOPS: trueup does not decrypt".to_owned());
        let file = format!("a: {}\nsops:\n  lastmodified: x\n", enc("str"));
        for data in [
            json!({"data": {"b": "eA==", "a": enc("str")}}),
            json!({"data": {"a": STANDARD.encode(enc("str"))}}),
            json!({"data": {"a": STANDARD.encode(&file)}}),
            json!({"stringData": {"a": file}}),
            json!({"stringData": {"b": "ENC", "a": enc("int")}}),
        ] {
            let Value::Object(mut map) = data else { panic!("not a map") };
            map.insert("apiVersion", "v1".into());
            map.insert("kind", "Secret".into());
            map.insert("metadata", json!({"name": "b"}));
            assert_eq!(said(Value::Object(map.clone())), of_key, "{map:?}");
            map.insert("kind", "ConfigMap".into());
            assert_eq!(said(Value::Object(map)), None);
        }
    }

    #[test]
    fn what_is_not_of_sops_is_applied() {
        for value in [
            json!({"apiVersion": "v1", "kind": "Secret", "data": {"a": "eA==", "b": "not base64!"}}),
            json!({"apiVersion": "v1", "kind": "Secret", "stringData": {"a": "see the sops manual"}}),
            json!({"apiVersion": "a.b/v1", "kind": "Widget", "sops": {"mac": "x"}}),
            json!({"apiVersion": "isindir.github.com/v1alpha3", "kind": "SopsSecret",
                "sops": {"mac": "x", "lastmodified": "y"}}),
        ] {
            assert_eq!(said(value.clone()), None, "{value:?}");
        }
    }

    #[test]
    fn a_value_stands_in_for_each_encrypted_one() {
        let shaped = shape(&manifest(json!({
            "kind": "X", "spec": {"n": enc("int"), "l": [enc("bool"), enc("float"), "a"]},
            "sops": {"mac": "x", "lastmodified": "y"},
        })));
        let expected = manifest(json!({"kind": "X", "spec": {"n": 1, "l": [true, 1.5, "a"]}}));
        assert_eq!(shaped.unwrap().object, expected.object);
        assert!(shape(&manifest(json!({"kind": "X"}))).is_none());
    }
}
