//! Lists and maps that we own as a whole, of a kind whose new schema has their elements owned one
//! by one.
//!
//! Server-side apply reads our entry of before by the new schema: it has the list and none of its
//! elements. So an element that is no longer declared has no owner, and it stays. Where the
//! elements are applied once as they are, they are ours, and the next apply removes those that are
//! not declared.
//!
//! Decides only. [`crate::cluster`] sends.

use super::managers::{self, FieldsV1, Manager, is_leaf};
use super::owners::{element, is_same_key};
use crate::core::json::{Map, Value};
use crate::core::object::Object;

/// The object to apply before `send` so that elements of `live` go that are not declared: `send`
/// with the lists and maps as they are. `None` where applying `send`, which makes `merged`, removes
/// them.
pub fn with_elements(send: &Object, live: &Object, merged: &Object) -> Option<Object> {
    RetypedWalk::new(live, merged).begin(send, live, merged, UndeclaredElements::Staying)
}

/// As [`with_elements`], where `meant` has none of what should go. Of what is emptied, it is not
/// known whether the server does it in one apply.
pub fn may_need_elements(send: &Object, live: &Object, meant: &Object) -> bool {
    RetypedWalk::new(live, meant).begin(send, live, meant, UndeclaredElements::Live).is_some()
}

/// Which elements that are not declared count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum UndeclaredElements {
    /// Those that stay when it is applied.
    Staying,
    /// All.
    Live,
}

/// The owned parts of a value.
struct RetypedWalk<'a> {
    /// By us, as it is.
    ours: Option<&'a FieldsV1>,
    /// By others, as it is.
    others: Vec<&'a FieldsV1>,
    /// By us, after the apply.
    after: Option<&'a FieldsV1>,
}

impl<'a> RetypedWalk<'a> {
    fn new(live: &'a Object, merged: &'a Object) -> Self {
        let (ours, others): (Vec<_>, Vec<_>) = managers::of(live).partition(Manager::is_ours);
        Self {
            ours: ours.first().map(|ours| ours.fields),
            others: others.iter().map(|other| other.fields).collect(),
            after: managers::of(merged).find(Manager::is_ours).map(|ours| ours.fields),
        }
    }

    fn below(&self, key: &str) -> Self {
        let below = |node: &&'a FieldsV1| node.get(key)?.as_object();
        Self {
            ours: self.ours.as_ref().and_then(below),
            others: self.others.iter().filter_map(below).collect(),
            after: self.after.as_ref().and_then(below),
        }
    }

    fn begin(
        &self,
        send: &Object,
        live: &Object,
        merged: &Object,
        undeclared: UndeclaredElements,
    ) -> Option<Object> {
        let mut first = Value::from(send.clone());
        let (live, merged) = (Value::from(live.clone()), Value::from(merged.clone()));
        let is_found = self.value(&mut first, &live, Some(&merged), undeclared);
        match first {
            Value::Object(first) if is_found => Some(first.into()),
            _ => None,
        }
    }

    /// Puts what is live into `send` where it is needed; says whether it was anywhere.
    fn value(
        &self,
        send: &mut Value,
        live: &Value,
        merged: Option<&Value>,
        undeclared: UndeclaredElements,
    ) -> bool {
        let Some(ours) = self.ours else { return false };
        if is_leaf(ours) {
            let merged = match undeclared {
                UndeclaredElements::Staying => merged,
                UndeclaredElements::Live => Some(live),
            };
            let stays = merged.is_some_and(|merged| self.is_short(send, merged));
            let is_needed = stays && self.others.is_empty() && self.is_short(send, live);
            if is_needed {
                *send = live.clone();
            }
            return is_needed;
        }
        let mut is_found = false;
        match (send, live) {
            (Value::Object(send), Value::Object(live)) => {
                for (name, send) in send.iter_mut() {
                    let Some(live) = live.get(name) else { continue };
                    let merged = merged.and_then(|merged| merged.get(name));
                    let below = self.below(&format!("f:{name}"));
                    is_found |= below.value(send, live, merged, undeclared);
                }
            }
            (Value::Array(send), Value::Array(live)) => {
                for live in live {
                    let Some((key, _)) = element(ours, live) else { continue };
                    let node =
                        FieldsV1::from_iter([(key.to_owned(), Value::Object(FieldsV1::new()))]);
                    let is_it = |item: &Value| element(&node, item).is_some();
                    let Some(send) = send.iter_mut().find(|item| is_it(item)) else { continue };
                    let merged = merged.and_then(Value::as_array);
                    let merged = merged.and_then(|items| items.iter().find(|item| is_it(item)));
                    is_found |= self.below(key).value(send, live, merged, undeclared);
                }
            }
            _ => {}
        }
        is_found
    }

    /// Whether something of `found` is not declared, and our entry after the apply has elements. What
    /// is declared empty has none.
    fn is_short(&self, send: &Value, found: &Value) -> bool {
        let after = || self.after.into_iter().flat_map(Map::keys);
        match (send, found) {
            (Value::Object(send), Value::Object(found)) if send.is_empty() => !found.is_empty(),
            (Value::Object(send), Value::Object(found)) => {
                after().any(|key| key.starts_with("f:"))
                    && found.keys().any(|name| !send.contains_key(name))
            }
            (Value::Array(send), Value::Array(found)) if send.is_empty() => !found.is_empty(),
            (Value::Array(send), Value::Array(found)) => {
                let Some(first) = after().find(|key| !key.starts_with('.')) else { return false };
                let names = first.strip_prefix("k:");
                let names: Option<FieldsV1> =
                    names.and_then(|keys| serde_json::from_str(keys).ok());
                let is_same = |send: &Value, found: &Value| match &names {
                    None => send == found,
                    Some(names) => names.keys().all(|name| is_same_key(name, send, found)),
                };
                found.iter().any(|found| !send.iter().any(|send| is_same(send, found)))
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::core::json::json;

    use super::*;

    fn object(fields: &Value, spec: &Value) -> Object {
        let object = json!({
            "metadata": { "managedFields": [{ "manager": "trueup", "operation": "Apply",
                "fieldsV1": { "f:spec": fields } }] },
            "spec": spec,
        });
        Object::from(object.as_object().cloned().unwrap())
    }

    #[test]
    fn elements_that_lose_their_owner_are_applied_again() {
        let live = object(
            &json!({ "f:set": {}, "f:keyed": {}, "f:map": {}, "f:args": {} }),
            &json!({ "set": ["a", "b"], "keyed": [{ "id": 1 }, { "id": 2 }],
                "map": { "a": "1", "b": "2" }, "args": ["a", "b"] }),
        );
        let spec = json!({ "set": ["a"], "keyed": [{ "id": 2, "x": 1 }], "map": { "a": "1" },
            "args": ["a"] });
        let merged = object(
            &json!({ "f:set": { "v:\"a\"": {} }, "f:keyed": { "k:{\"id\":2}": { ".": {} } },
                "f:map": { "f:a": {} }, "f:args": {} }),
            &json!({ "set": ["a", "b"], "keyed": [{ "id": 1 }, { "id": 2, "x": 1 }],
                "map": { "a": "1", "b": "2" }, "args": ["a"] }),
        );
        let first = with_elements(&object(&json!({}), &spec), &live, &merged).unwrap();
        let mut wanted = live.0["spec"].clone();
        wanted["args"] = json!(["a"]);
        assert_eq!(first.0["spec"], wanted);

        let whole = object(&live.0["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"], &spec);
        assert_eq!(with_elements(&object(&json!({}), &spec), &live, &whole), None);
    }

    #[test]
    fn emptied_list_that_keeps_elements_needs_a_second_apply() {
        let live = object(&json!({ "f:set": {} }), &json!({ "set": ["a"] }));
        let send = object(&json!({}), &json!({ "set": [] }));
        let empty = object(&json!({ "f:set": {} }), &json!({ "set": [] }));
        assert_eq!(with_elements(&send, &live, &empty), None);
        assert!(may_need_elements(&send, &live, &empty));
        let first = with_elements(&send, &live, &live).unwrap();
        assert_eq!(first.0["spec"], live.0["spec"]);
    }
}
