//! Where the API server keeps what: a kind's objects, and one of them.

use crate::core::kinds::catalog::Served;

/// `apps/v1`, or `v1` for the core group.
pub(super) fn api_version(served: &Served) -> String {
    match served.group_kind.group.as_str() {
        "" => served.version.clone(),
        group => format!("{group}/{}", served.version),
    }
}

/// The path of a kind's objects.
pub(super) fn collection(served: &Served, namespace: Option<&str>) -> String {
    let root = if served.group_kind.group.is_empty() { "/api" } else { "/apis" };
    let base = format!("{root}/{}", api_version(served));
    match namespace {
        Some(namespace) => {
            format!("{base}/namespaces/{}/{}", path_escape(namespace), served.plural)
        }
        None => format!("{base}/{}", served.plural),
    }
}

/// The path of one object.
pub(super) fn one(served: &Served, namespace: Option<&str>, name: &str) -> String {
    let namespace = namespace.filter(|_| served.namespaced);
    format!("{}/{}", collection(served, namespace), path_escape(name))
}

/// Escapes what may not stand in a path's segment. Names come from manifests, and some kinds allow
/// `:` and the like; a `/` or `?` must not lead elsewhere.
fn path_escape(segment: &str) -> String {
    escape(segment, b"-._~:@!$'()*,;")
}

/// Escapes what may not stand in a query's value.
pub(super) fn query_escape(value: &str) -> String {
    escape(value, b"-._~")
}

fn escape(text: &str, allowed: &[u8]) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || allowed.contains(&byte) {
            escaped.push(byte.into());
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
