//! Fields that are removed from an object when we release them: those without another owner, by the
//! rules of server-side apply (sigs.k8s.io/structured-merge-diff, `merge/update.go`).
//!
//! No defaults come back here; that is left to the server.

use super::managers::{self, FieldsV1, Manager};
use super::owners::element;
use crate::core::json::{Map, Value};
use crate::core::object::Object;

/// `merged`, in which we own what we sent, without the fields that we owned in `before` and
/// release: each is removed, unless another manager of `before` owns it as well. The result's
/// managers are those of `before`, we with what we own in `merged`.
pub fn release(merged: &Object, before: &Object) -> Object {
    let ours = |object| managers::of(object).find(Manager::is_ours).map(|ours| ours.fields);
    let others = managers::of(before).filter(|manager| !manager.is_ours());
    let stays: Vec<&FieldsV1> = others.map(|other| other.fields).chain(ours(merged)).collect();
    let mut after = merged.clone();
    if let Some(owned) = ours(before) {
        from_root(after.fields_mut(), owned, &stays);
    }
    let is_ours = |entry: &&Value| managers::read(entry).is_some_and(|it| it.is_ours());
    let mine = managers::entries(merged).filter(is_ours);
    let theirs = managers::entries(before).filter(|entry| !is_ours(entry));
    let entries: Vec<Value> = mine.chain(theirs).cloned().collect();
    after.metadata_mut().insert("managedFields".to_owned(), entries.into());
    after
}

/// Takes out of a whole object. Its metadata stays, whoever owned what is in it: the name has no
/// owner.
fn from_root(object: &mut Map, owned: &FieldsV1, stays: &[&FieldsV1]) {
    const METADATA: &str = "f:metadata";
    let others = owned.iter().filter(|(key, _)| key.as_str() != METADATA);
    let others: Map = others.map(|(key, owned)| (key.clone(), owned.clone())).collect();
    from_map(object, &others, stays);
    if let (Some(Value::Object(metadata)), Some(Value::Object(owned))) =
        (object.get_mut("metadata"), owned.get(METADATA))
    {
        from_map(metadata, owned, &managers::below(stays, METADATA));
    }
}

fn from_map(map: &mut Map, owned: &FieldsV1, stays: &[&FieldsV1]) {
    for (key, owned) in owned {
        let (Some(name), Some(owned)) = (key.strip_prefix("f:"), owned.as_object()) else {
            continue;
        };
        let stays = managers::below(stays, key);
        if stays.is_empty() {
            map.remove(name);
        } else if let Some(value) = map.get_mut(name) {
            from(value, owned, &stays);
        }
    }
}

/// Takes out of a value that stays itself. What becomes empty is null afterwards, which is how the
/// API server does it.
fn from(value: &mut Value, owned: &FieldsV1, stays: &[&FieldsV1]) {
    let is_empty = |value: &Value| match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    };
    let was_empty = is_empty(value);
    match value {
        Value::Object(map) => from_map(map, owned, stays),
        Value::Array(list) => list.retain_mut(|item| {
            let Some((key, owned)) = element(owned, item) else { return true };
            let stays = managers::below(stays, key);
            // Unlike a field, an element is not kept by a manager that owns a part of it.
            let is_owned = |node: &FieldsV1| node.is_empty() || node.contains_key(".");
            if is_owned(owned) && !stays.iter().any(|node| is_owned(node)) {
                return false;
            }
            from(item, owned, &stays);
            true
        }),
        _ => {}
    }
    if is_empty(value) && !was_empty {
        *value = Value::Null;
    }
}

#[cfg(test)]
mod tests {
    use crate::core::json::json;

    use super::*;

    fn object(value: Value) -> Object {
        Object::from(value.as_object().cloned().unwrap())
    }

    #[test]
    fn released_fields_without_another_owner_are_removed() {
        let entry = |manager: &str, operation: &str, spec: Value| json!({ "manager": manager, "operation": operation, "fieldsV1": { "f:spec": spec } });
        let before = object(json!({ "metadata": { "managedFields": [
            entry("trueup", "Apply", json!({
                "f:kept": {}, "f:gone": {}, "f:shared": {}, "f:whole": { "f:a": {} },
                "f:labels": { ".": {}, "f:a": {}, "f:b": {} },
                "f:set": { "v:\"a\"": {}, "v:\"b\"": {} },
                "f:list": {
                    "k:{\"name\":\"a\"}": { ".": {}, "f:name": {}, "f:x": {} },
                    "k:{\"name\":\"b\"}": { ".": {}, "f:name": {}, "f:x": {} },
                    "k:{\"name\":\"c\"}": { "f:x": {} } } })),
            entry("other", "Update", json!({
                "f:shared": {}, "f:labels": { "f:b": {} },
                "f:list": { "k:{\"name\":\"a\"}": { "f:x": {} },
                    "k:{\"name\":\"b\"}": { ".": {}, "f:name": {} } } })),
        ] } }));
        let sent = entry(
            "trueup",
            "Apply",
            json!({
            "f:kept": {}, "f:set": { "v:\"b\"": {} } }),
        );
        let merged = object(json!({
            "metadata": { "managedFields": [sent.clone(), entry("gone", "Update", json!({}))] },
            "spec": { "kept": 1, "gone": 2, "shared": 3, "whole": { "a": 1, "default": 2 },
                "labels": { "a": "1", "b": "2" }, "set": ["a", "b", "c"],
                "list": [{ "name": "a", "x": 1 }, { "name": "b", "x": 1 },
                    { "name": "c", "x": 1 }] },
        }));
        let after = release(&merged, &before);
        assert_eq!(
            after.0["spec"],
            json!({
            "kept": 1, "shared": 3, "labels": { "b": "2" }, "set": ["b", "c"],
            "list": [{ "name": "b" }, { "name": "c" }] })
        );
        assert_eq!(
            after.0["metadata"]["managedFields"],
            json!([sent, before.0["metadata"]["managedFields"][1]])
        );
    }
    /// As of a Namespace that was applied with a name alone.
    #[test]
    fn the_name_stays_where_nothing_else_of_the_metadata_does() {
        let owned = json!({ "f:metadata": { "f:labels": { ".": {}, "f:a": {} } } });
        let entry = json!({ "manager": "trueup", "operation": "Apply", "fieldsV1": owned });
        let metadata = json!({ "name": "shop", "labels": { "a": "b" }, "managedFields": [] });
        let mut before = object(json!({ "metadata": metadata, "spec": {} }));
        let merged = before.clone();
        before.metadata_mut().insert("managedFields".to_owned(), json!([entry]));
        let after = release(&merged, &before);
        assert_eq!(after.0["metadata"], json!({ "name": "shop", "managedFields": [] }));
    }
}
