//! ConfigMaps and Secrets.
//!
//! Source of the rules: `ValidateConfigMap` and `ValidateSecret` in Kubernetes'
//! `pkg/apis/core/validation/validation.go`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::faults::{Faults, map, text};
use super::names;
use crate::core::json::{Map, Value};

/// How many bytes the values may have together.
const MOST: usize = 1 << 20;

/// A ConfigMap.
pub(super) fn config_map(faults: &mut Faults<'_>) {
    let root = faults.root();
    let (plain, binary) = (map(root, "data"), map(root, "binaryData"));
    for data in [plain, binary].into_iter().flatten() {
        keys(faults, data);
    }
    if let (Some(plain), Some(binary)) = (plain, binary) {
        for key in binary.keys().filter(|key| plain.contains_key(key.as_str())) {
            faults.clash(binary, key, "is in `data` already");
        }
    }
    // Base64 is counted as what it stands for, which is three quarters of it.
    let size = size(plain) + size(binary) / 4 * 3;
    if let Some(value) = root.get("data").or(root.get("binaryData")).filter(|_| size > MOST + 3) {
        faults.says(value, format!("must have at most {MOST} bytes in all"));
    }
}

fn size(data: Option<&Map>) -> usize {
    let values = data.into_iter().flatten().filter_map(|(_, value)| value.as_str());
    values.map(str::len).sum()
}

fn keys<'v>(faults: &mut Faults<'v>, data: &'v Map) {
    for key in data.keys() {
        if let Some(wanted) = names::data_key(key) {
            faults.key(data, key, wanted);
        }
    }
}

/// A Secret.
pub(super) fn secret(faults: &mut Faults<'_>) {
    let root = faults.root();
    let both = [map(root, "data"), map(root, "stringData")];
    for data in both.into_iter().flatten() {
        keys(faults, data);
    }
    let has = |key: &str| both.iter().flatten().any(|data| data.contains_key(key));
    let around = if both[0].is_none() && both[1].is_some() { "stringData" } else { "data" };
    let around = map(root, around).unwrap_or(root);
    let wanted: &[&str] = match text(root, "type").unwrap_or("Opaque") {
        "kubernetes.io/tls" => &["tls.crt", "tls.key"],
        "kubernetes.io/dockercfg" => &[".dockercfg"],
        "kubernetes.io/dockerconfigjson" => &[".dockerconfigjson"],
        "kubernetes.io/ssh-auth" => &["ssh-privatekey"],
        "kubernetes.io/basic-auth" if !has("username") => &["password"],
        "kubernetes.io/service-account-token" => return token(faults),
        _ => &[],
    };
    for key in wanted.iter().filter(|key| !has(key)) {
        faults.missing(around, key, ": a Secret of this type needs it");
    }
    match text(root, "type") {
        Some("kubernetes.io/dockercfg" | "kubernetes.io/dockerconfigjson") => {
            // Values of `stringData` count.
            if let Some((value, text)) = wanted.first().and_then(|key| content(both, key))
                && !is_configuration(&text)
            {
                faults.says(value, "must have a JSON object in it");
            }
        }
        Some("kubernetes.io/ssh-auth") => {
            if let Some((value, text)) = content(both, "ssh-privatekey")
                && text.is_empty()
            {
                faults.says(value, "must not be empty");
            }
        }
        _ => {}
    }
}

/// The value of a key and its bytes; `None` where base64 can't be read, which the schema finds.
fn content<'v>(both: [Option<&'v Map>; 2], key: &str) -> Option<(&'v Value, Vec<u8>)> {
    let [data, plain] = both;
    if let Some(value) = plain.and_then(|plain| plain.get(key)) {
        return Some((value, value.as_str()?.as_bytes().to_vec()));
    }
    let value = data?.get(key)?;
    Some((value, STANDARD.decode(value.as_str()?).ok()?))
}

/// Whether Go's decoder takes it for a map.
fn is_configuration(bytes: &[u8]) -> bool {
    serde_json::from_slice::<Value>(bytes).is_ok_and(|value| value.is_object() || value.is_null())
}

/// The token of a ServiceAccount, which an annotation names.
fn token(faults: &mut Faults<'_>) {
    const NAME: &str = "kubernetes.io/service-account.name";
    let root = faults.root();
    let Some(metadata) = map(root, "metadata") else { return };
    let annotations = map(metadata, "annotations");
    if annotations.and_then(|annotations| text(annotations, NAME)).is_none() {
        let why = ": a Secret of this type needs it";
        faults.missing(annotations.unwrap_or(metadata), NAME, why);
    }
}
