//! Maps that are emptied: declared as `{}` while there are fields of ours in them.
//!
//! Server-side apply takes out what we no longer declare, and where nothing is left of a map that is
//! declared itself it leaves `null` in its place (`removingWalker.doMap` in
//! sigs.k8s.io/structured-merge-diff). A built-in kind drops that, so that the next apply of the same
//! would put an empty map there. A custom resource keeps it; or its schema knows no `null`, and the
//! server refuses what would be fine if the map had been empty before. So such an object is applied in
//! two steps, and a dry run tells what comes of both.
//!
//! Decides only. [`crate::cluster`] sends.

use std::collections::BTreeSet;

use crate::core::json::{Key, Map, Value};
use crate::core::object::Object;
use crate::core::problem::Cause;

/// Puts an empty map or list wherever `send` and `beside` have one, the latter maybe with something
/// in it, and `answer` has none; says whether there was any. Beside what is live, `answer` becomes
/// what is meant; beside what is meant, it says whether `answer` is short of it.
pub fn fill(send: &Object, beside: &Object, answer: &mut Object) -> bool {
    fill_in(&send.0, &beside.0, answer.fields_mut())
}

/// The object to send before `send` where the server refuses it for nothing but the `null` that it
/// made itself: without the maps that this is about. `None` where it has other reasons.
pub fn without_refused(send: &Object, causes: &[Cause]) -> Option<Object> {
    let (nulls, others): (Vec<_>, Vec<_>) = causes.iter().partition(|cause| is_null(cause));
    if nulls.is_empty() || !others.into_iter().all(is_unchecked) {
        return None;
    }
    let refused = nulls.iter().map(|cause| anywhere(&cause.field)).collect();
    let mut first = send.clone();
    take_out(first.fields_mut(), "", &refused).then_some(first)
}

/// Whether the server refuses `null` where a map has to be.
pub fn is_null(cause: &Cause) -> bool {
    cause.message.ends_with("must be of type object: \"null\"")
}

/// Whether it only says that a kind's rules come into question once the rest is right.
fn is_unchecked(cause: &Cause) -> bool {
    cause.message.contains("some validation rules were not checked")
}

/// The dry-run answer to `first`, with the empty maps that only `send` has.
pub fn restored(send: &Object, first: &Object, mut answer: Object) -> Object {
    restore(&send.0, &first.0, answer.fields_mut());
    answer
}

fn fill_in(send: &Map, beside: &Map, answer: &mut Map) -> bool {
    let mut found = false;
    for (key, send) in send {
        let Some(beside) = beside.get(key) else { continue };
        match (send, beside, answer.get_mut(key)) {
            (Value::Object(_), Value::Object(_), None | Some(Value::Null)) if is_hollow(send) => {
                answer.insert(key.clone(), send.clone());
                found = true;
            }
            (Value::Object(send), Value::Object(beside), Some(Value::Object(answer))) => {
                found |= fill_in(send, beside, answer);
            }
            (Value::Array(empty), Value::Array(_), None | Some(Value::Null))
                if empty.is_empty() =>
            {
                answer.insert(key.clone(), send.clone());
                found = true;
            }
            (Value::Array(send), Value::Array(beside), Some(Value::Array(answer))) => {
                for send in send.iter().filter_map(Value::as_object) {
                    let beside = element(send, beside).and_then(|at| beside[at].as_object());
                    let answer = element(send, answer).and_then(|at| answer[at].as_object_mut());
                    let (Some(beside), Some(answer)) = (beside, answer) else { continue };
                    found |= fill_in(send, beside, answer);
                }
            }
            _ => {}
        }
    }
    found
}

/// Whether there is nothing but maps in it.
fn is_hollow(value: &Value) -> bool {
    value.as_object().is_some_and(|map| map.values().all(is_hollow))
}

/// Takes out the empty maps at `refused` below `path`; says whether there was any.
fn take_out(fields: &mut Map, path: &str, refused: &BTreeSet<String>) -> bool {
    let mut found = false;
    fields.retain(|key, value| {
        let path = if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
        match value {
            Value::Object(map) if map.is_empty() && refused.contains(&path) => {
                found = true;
                return false;
            }
            Value::Object(map) => found |= take_out(map, &path, refused),
            Value::Array(list) => {
                for element in list.iter_mut().filter_map(Value::as_object_mut) {
                    found |= take_out(element, &format!("{path}[]"), refused);
                }
            }
            _ => {}
        }
        true
    });
    found
}

fn restore(send: &Map, first: &Map, answer: &mut Map) {
    for (key, send) in send {
        match (send, first.get(key), answer.get_mut(key)) {
            (Value::Object(map), None, None | Some(Value::Null)) if map.is_empty() => {
                answer.insert(key.clone(), send.clone());
            }
            (Value::Object(send), Some(Value::Object(first)), Some(Value::Object(answer))) => {
                restore(send, first, answer);
            }
            (Value::Array(send), Some(Value::Array(first)), Some(Value::Array(answer))) => {
                for pair in send.iter().zip(first) {
                    let (Value::Object(send), Value::Object(first)) = pair else { continue };
                    let answer = element(first, answer).and_then(|at| answer[at].as_object_mut());
                    if let Some(answer) = answer {
                        restore(send, first, answer);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Which element of a list is the one that `send` is about: the one that agrees with most of its
/// plain values, the first of several.
fn element(send: &Map, list: &[Value]) -> Option<usize> {
    let is_plain = |value: &Value| !matches!(value, Value::Object(_) | Value::Array(_));
    let agreed = |element: &Map| {
        let agrees = |(key, value): &(&Key, &Value)| element.get(key) == Some(*value);
        send.iter().filter(|(_, value)| is_plain(value)).filter(agrees).count()
    };
    let maps = list.iter().enumerate().filter_map(|(at, it)| Some((at, it.as_object()?)));
    maps.rev().max_by_key(|(_, element)| agreed(element)).map(|(at, _)| at)
}

/// A field as the server names it, whichever the elements of lists on the way to it.
fn anywhere(field: &str) -> String {
    let mut path = String::with_capacity(field.len());
    let mut rest = field;
    while let Some((before, after)) = rest.split_once('[') {
        let Some((index, after)) = after.split_once(']') else { break };
        let is_index = !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit());
        path.push_str(before);
        path.push_str(&if is_index { "[]".to_owned() } else { format!("[{index}]") });
        rest = after;
    }
    path + rest
}

#[cfg(test)]
mod tests {
    use crate::core::json::json;

    use super::*;

    fn object(spec: Value) -> Object {
        Object::from(Map::from_iter([("spec".to_owned(), spec)]))
    }

    fn refused(field: &str, message: &str) -> Cause {
        Cause { field: field.to_owned(), message: message.to_owned(), place: None }
    }

    fn null(field: &str) -> Cause {
        let message = "Invalid value: \"null\": x in body must be of type object: \"null\"";
        refused(field, message)
    }

    #[test]
    fn emptied_fields_are_restored_where_declared() {
        let send = object(json!({
            "m": {}, "n": null, "k": [{ "id": "b", "x": 2, "v": {} }], "gone": { "a": {} },
            "never": {}, "full": {}, "list": [],
        }));
        let live = object(json!({
            "m": { "a": 1 }, "gone": { "a": { "b": 1 } }, "full": { "a": 1, "b": 2 }, "list": [1],
            "k": [{ "id": "a", "x": 1, "v": { "a": 1 } }, { "id": "b", "x": 1, "v": { "a": 1 } }],
        }));
        let mut answer = object(json!({
            "m": null, "n": null, "k": [{ "id": "a", "x": 1 }, { "id": "b", "x": 2 }],
            "full": { "b": 2 }, "list": null,
        }));
        let wanted = object(json!({
            "m": {}, "n": null, "k": [{ "id": "a", "x": 1 }, { "id": "b", "x": 2, "v": {} }],
            "full": { "b": 2 }, "gone": { "a": {} }, "list": [],
        }));
        let first = answer.clone();
        assert!(fill(&send, &live, &mut answer));
        assert_eq!(answer, wanted);
        assert!(fill(&send, &wanted, &mut first.clone()), "it is short of what is meant");
        assert!(!fill(&send, &wanted, &mut answer));
        assert!(!fill(&send, &first, &mut first.clone()), "it is what is meant");
    }

    #[test]
    fn fields_refused_as_null_are_left_out_and_restored() {
        let send =
            object(json!({ "m": {}, "l": {}, "k": [{ "id": "a" }, { "id": "b", "v": {} }] }));
        let causes = [null("spec.m"), null("spec.k[7].v")];
        let first = without_refused(&send, &causes).unwrap();
        assert_eq!(first, object(json!({ "l": {}, "k": [{ "id": "a" }, { "id": "b" }] })));
        let answer = json!({ "k": [{ "id": "b", "x": 1 }, { "id": "a" }] });
        let wanted = json!({ "m": {}, "k": [{ "id": "b", "x": 1, "v": {} }, { "id": "a" }] });
        assert_eq!(restored(&send, &first, object(answer)), object(wanted));
    }

    #[test]
    fn other_validation_errors_stay_refused() {
        let send = object(json!({ "m": {}, "n": { "a": 1 } }));
        assert_eq!(without_refused(&send, &[]), None);
        assert_eq!(without_refused(&send, &[null("spec.m"), refused("spec.x", "Required")]), None);
        let unchecked = refused(
            "",
            "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
        );
        assert_eq!(without_refused(&send, std::slice::from_ref(&unchecked)), None);
        assert!(without_refused(&send, &[null("spec.m"), unchecked]).is_some());
        // It is not empty: the null in it was declared.
        assert_eq!(without_refused(&send, &[null("spec.n")]), None);
    }
}
