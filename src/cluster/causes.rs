//! The API server's causes by field, in whichever of its three formats.
//!
//! Validation gives its causes as data. Server-side apply types the object first, and strict
//! decoding reads it before that; both put the fields into the message's text. Where a field stands
//! in a file is [`crate::core::manifest`]'s.

use crate::core::json::Value;
use crate::core::problem::Cause;
use crate::core::remedy::Remedy;

/// Begins the message where a value has the type that the schema asks for and still is none of its
/// kind's, such as a quantity that is not one. It names no field.
pub(super) const UNCONVERTED: &str = "failed to convert new object";

/// The field that the API server names where the data of a ConfigMap or a Secret is too long in all.
const NAMELESS: &str = "[]";
/// The field that it means.
const DATA: &str = "data";

/// The message with a name for what the API server has none for: the data that is too long in all,
/// and an object that is in no namespace.
pub(super) fn field_of_message(message: &str) -> String {
    let message = message.replace(&format!(" {NAMELESS}: Too long"), &format!(" {DATA}: Too long"));
    message.replace("typed patch object (/", "typed patch object (")
}

/// The causes that an error's message and details name.
pub(super) fn of(message: &str, details: Option<&Value>) -> Vec<Cause> {
    let listed = details.and_then(|details| details.get("causes")?.as_array());
    let listed: Vec<Cause> = listed.into_iter().flatten().filter_map(listed_cause).collect();
    if listed.iter().any(|cause| !cause.field.is_empty()) {
        return listed;
    }
    if missing_namespace(message).is_some() {
        return vec![cause("metadata.namespace", message)];
    }
    let told = of_typed_patch(message).unwrap_or_else(|| of_strict_decoding(message));
    // A cause about the whole object, such as a definition's rule at its root, names no field.
    if told.is_empty() { listed } else { told }
}

/// Advice about a forbidden request: a right is missing, a quota is full, or another admission
/// plugin says itself what it wants.
pub(super) fn hint_of_forbidden(message: &str) -> Option<Remedy> {
    let is_of_quota = message.contains("exceeded quota: ");
    let is_of_limit = is_of_limit(message);
    let is_of_admission = is_of_policy(message) || message.contains("violates PodSecurity");
    Some(match (is_of_quota, is_of_limit, is_of_admission) {
        (true, ..) => "raise the quota, or ask for less".into(),
        (_, true, _) => "change the LimitRange, or ask for what it allows".into(),
        (_, _, true) => return None,
        _ => Remedy::AskForRight,
    })
}

/// Whether a LimitRange refuses something, which the server does not name
/// (k8s.io/kubernetes, `plugin/pkg/admission/limitranger/admission.go`).
pub fn is_of_limit(message: &str) -> bool {
    message.contains(" usage per ") || message.contains(" ratio per ")
}

/// Whether an admission policy or a webhook refuses something, each with a status of its own choice
/// (k8s.io/apiserver, `pkg/admission/plugin/policy` and `plugin/webhook/errors/statuserror.go`).
pub fn is_of_policy(message: &str) -> bool {
    let is_of = |by: &str, denies: &str| {
        message.split_once(by).is_some_and(|(_, rest)| rest.contains(denies))
    };
    is_of("olicy '", "denied request:") || is_of("admission webhook \"", "denied the request")
}

/// The namespace that does not exist, where that is what the message says.
pub(super) fn missing_namespace(message: &str) -> Option<&str> {
    message.strip_prefix("namespaces \"")?.strip_suffix("\" not found")
}

/// One of a Status' `details.causes`.
fn listed_cause(cause: &Value) -> Option<Cause> {
    let text = |key: &str| cause.get(key).and_then(Value::as_str).unwrap_or_default();
    let field = match text("field") {
        // A fault of the whole object is reported of a field without a name.
        "<nil>" => "",
        NAMELESS => DATA,
        field => field,
    };
    Some(self::cause(field, text("message"))).filter(|cause| !cause.message.is_empty())
}

/// The causes in a message of server-side apply about fields that don't fit the kind's schema;
/// `None` if the message is another.
///
/// `failed to create typed patch object (NAME; VERSION, Kind=KIND): .a.b: MESSAGE`, or with several
/// of them behind `errors:`, each on a line.
pub(super) fn of_typed_patch(message: &str) -> Option<Vec<Cause>> {
    let (_, told) =
        message.strip_prefix("failed to create typed patch object (")?.split_once("): ")?;
    let mut causes: Vec<Cause> = Vec::new();
    for line in told.strip_prefix("errors:").unwrap_or(told).lines() {
        let line = line.trim();
        match (field_end(line), causes.last_mut()) {
            (Some(end), _) if line.starts_with('.') => {
                causes.push(cause(&line[1..end], &plain(line[end + 1..].trim())));
            }
            (_, Some(last)) if !line.is_empty() => {
                last.message.push('\n');
                last.message.push_str(line);
            }
            _ => {}
        }
    }
    Some(causes)
}

/// Where the field's name ends that a line begins with: at the first `: ` that is in no quotes.
fn field_end(line: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in line.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ':' if !quoted && line[at..].starts_with(": ") => return Some(at),
            _ => {}
        }
    }
    None
}

/// The message without what only says how the server holds a value in memory.
fn plain(message: &str) -> String {
    let value = message.split_once("got &value.valueUnstructured{Value:");
    match value.and_then(|(before, value)| Some((before, value.strip_suffix('}')?))) {
        Some((before, value)) => format!("{before}got {value}"),
        None => message.to_owned(),
    }
}

/// The causes in `strict decoding error: unknown field "spec.replica", duplicate field "a"`.
fn of_strict_decoding(message: &str) -> Vec<Cause> {
    let Some((_, mut rest)) = message.split_once("strict decoding error: ") else {
        return Vec::new();
    };
    let mut causes = Vec::new();
    while let Some((what, behind)) = rest.split_once(" field \"") {
        let Some((field, after)) = behind.split_once('"') else { break };
        let what = what.rsplit([' ', ',']).next().unwrap_or(what);
        causes.push(cause(field, &format!("{what} field")));
        rest = after;
    }
    causes
}

fn cause(field: &str, message: &str) -> Cause {
    Cause { field: field.to_owned(), message: message.to_owned(), place: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(message: &str, details: Option<Value>) -> Vec<(String, String)> {
        let causes = of(message, details.as_ref());
        causes.into_iter().map(|cause| (cause.field, cause.message)).collect()
    }

    #[track_caller]
    fn assert_told(message: &str, expected: &[(&str, &str)]) {
        let expected: Vec<_> =
            expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        assert_eq!(told(message, None), expected, "{message}");
    }

    #[test]
    fn typed_patches_name_their_fields() {
        let start = "failed to create typed patch object (shop/web; apps/v1, Kind=Deployment): ";
        assert_told(
            &format!("{start}.spec.replicas: expected numeric (int or float), got string"),
            &[("spec.replicas", "expected numeric (int or float), got string")],
        );
        assert_told(
            &format!(
                "{start}errors:\n  .a[name=\"x: \\\"y\"].b: field not declared in schema\n  \
                 .data.c: expected string, got &value.valueUnstructured{{Value:3}}"
            ),
            &[
                ("a[name=\"x: \\\"y\"].b", "field not declared in schema"),
                ("data.c", "expected string, got 3"),
            ],
        );
    }

    #[test]
    fn strict_decoding_names_its_fields() {
        assert_told(
            "Deployment in version \"v1\" cannot be handled as a Deployment: strict decoding error: \
             unknown field \"spec.replica\", duplicate field \"spec.a\"",
            &[("spec.replica", "unknown field"), ("spec.a", "duplicate field")],
        );
    }

    #[test]
    fn a_missing_namespace_is_the_fault_of_the_field_that_names_it() {
        let missing = "namespaces \"a\" not found";
        assert_told(missing, &[("metadata.namespace", missing)]);
        assert_told("configmaps \"a\" not found", &[]);
    }

    #[test]
    fn details_come_before_the_text() {
        let details = crate::core::json::json!({ "causes": [
            { "field": "spec.code", "message": "Required value" },
            { "field": "<nil>", "message": "some rules were not checked" },
        ]});
        let expected = [("spec.code", "Required value"), ("", "some rules were not checked")];
        let expected = expected.map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(told("it is invalid", Some(details)), expected);
    }
}
