//! Which fields a change would move that can't: of a StatefulSet and a Pod the API server says only
//! which ones can.

use crate::core::json::{Map, Value};
use crate::core::object::Object;
use crate::core::problem::Cause;

/// The texts before the names of the fields that can change.
const OTHERS: [&str; 2] = ["spec for fields other than ", "may not change fields other than "];
/// How many fields are listed one by one.
const MOST: usize = 5;

/// The causes with the fields in place of the part that they are in, where the server names only
/// what can change.
pub(super) fn name_causes(causes: Vec<Cause>, send: &Object, live: &Object) -> Vec<Cause> {
    causes.into_iter().flat_map(|cause| fields(cause, send, live)).collect()
}

fn fields(cause: Cause, send: &Object, live: &Object) -> Vec<Cause> {
    let first = cause.message.lines().next().unwrap_or_default();
    let told = OTHERS.iter().find_map(|start| first.split_once(start));
    let Some((_, told)) = told else { return vec![cause] };
    let may_change = quoted(told);
    let (wanted, is) = (send.0.get("spec"), live.0.get("spec"));
    let mut moved = Vec::new();
    if let (Some(wanted), Some(is)) = (wanted, is) {
        differences("spec", wanted, is, &mut moved);
    }
    moved.retain(|path| !may_change.iter().any(|can| covers(can, path)));
    if moved.is_empty() {
        return vec![cause];
    }
    moved.truncate(MOST);
    moved.into_iter().map(|field| Cause { field, ..cause.clone() }).collect()
}

/// The names in quotes, from the root of the object.
fn quoted(text: &str) -> Vec<String> {
    let parts = text.split(['\'', '`']).skip(1).step_by(2);
    let whole = |name: &str| match name.starts_with("spec.") {
        true => name.to_owned(),
        false => format!("spec.{name}"),
    };
    parts.map(whole).collect()
}

/// Whether a field is the one that can change, or in it. `[*]` is any element.
fn covers(can_change: &str, path: &str) -> bool {
    let mut plain = String::new();
    let mut inside = false;
    for c in path.chars() {
        match c {
            '[' => {
                inside = true;
                plain.push_str("[*]");
            }
            ']' => inside = false,
            _ if inside => {}
            c => plain.push(c),
        }
    }
    let rest = plain.strip_prefix(can_change);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// The fields that are declared and are otherwise in the cluster; what the server has beside them
/// are its defaults.
fn differences(path: &str, wanted: &Value, is: &Value, moved: &mut Vec<String>) {
    match (wanted, is) {
        (Value::Object(wanted), Value::Object(is)) => {
            for (key, wanted) in wanted {
                let path = format!("{path}.{key}");
                differences(&path, wanted, is.get(key).unwrap_or(&Value::Null), moved);
            }
        }
        (Value::Array(wanted), Value::Array(is)) if wanted.len() == is.len() => {
            for (at, (wanted, is)) in wanted.iter().zip(is).enumerate() {
                differences(&format!("{path}[{at}]"), wanted, is, moved);
            }
        }
        (wanted, is) if wanted == is || is_nothing(wanted) && is_nothing(is) => {}
        _ => moved.push(path.to_owned()),
    }
}

fn is_nothing(value: &Value) -> bool {
    value.is_null()
        || value.as_object().is_some_and(Map::is_empty)
        || value.as_array().is_some_and(Vec::is_empty)
}

#[cfg(test)]
mod tests {
    use crate::core::json::json;

    use super::*;

    fn named(message: &str, send: Value, live: Value) -> Vec<String> {
        let object =
            |spec: Value| Object::from(json!({ "spec": spec }).as_object().cloned().unwrap());
        let cause = Cause { field: "spec".to_owned(), message: message.to_owned(), place: None };
        let causes = super::name_causes(vec![cause], &object(send), &object(live));
        causes.into_iter().map(|cause| cause.field).collect()
    }

    #[test]
    fn immutable_fields_are_derived_from_the_mutable_ones() {
        let set = "Forbidden: updates to statefulset spec for fields other than 'replicas', 'template' and 'minReadySeconds' are forbidden";
        let pod = "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.tolerations` (only additions to existing tolerations)\n  core.PodSpec{}";
        let claim = |size: &str| json!({ "replicas": 1, "volumeClaimTemplates": [{ "spec": { "size": size } }] });
        let live = json!({ "replicas": 2, "podManagementPolicy": "OrderedReady",
            "volumeClaimTemplates": [{ "kind": "Claim", "spec": { "size": "1Gi", "mode": "x" } }] });
        let size = "spec.volumeClaimTemplates[0].spec.size";
        assert_eq!(named(set, claim("2Gi"), live.clone()), [size]);
        assert_eq!(named(set, claim("1Gi"), live.clone()), ["spec"], "it is unknown which");
        let containers = |image: &str, name: &str| json!({ "containers": [{ "name": "a" }, { "name": name, "image": image }] });
        let found = named(pod, containers("b", "y"), containers("a", "x"));
        assert_eq!(found, ["spec.containers[1].name"]);
        assert_eq!(named("field is immutable", claim("2Gi"), live), ["spec"]);
    }
}
