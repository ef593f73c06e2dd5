//! Fields that may stand in the way of what is declared: live, not declared, and not for
//! server-side apply to remove.
//!
//! Server-side apply removes what we owned alone and no longer declare, and nothing else. What
//! another manager set, or what the server filled in, stays beside what is declared. Where the two
//! exclude each other, such as two sources of one volume or two ports of one name, the server
//! refuses the object for ever. Once such a field is recorded as ours, the next apply removes it.
//!
//! In the same way what was ours is left over where something keeps it though it was to go, such as an
//! admission policy: it has no owner then, and no apply would ever remove it.
//!
//! Decides only. [`crate::cluster`] asks the server which of them are in the way, and writes.

use super::FIELD_MANAGER;
use super::managers::{self, FieldsV1, Manager, is_leaf};
use super::owners::{element, is_same_key};
use super::takeover::{join, take};
use crate::core::json::{Key, Map, Value, json};
use crate::core::manifest::PathPart;
use crate::core::object::Object;
use crate::core::problem::Cause;

/// Top-level fields that say which object it is, or what controllers report of it.
const NOT_DECLARED: [&str; 4] = ["apiVersion", "kind", "metadata", "status"];

/// The parts of `metadata` that people declare, beside the object's identity.
const OF_METADATA: [&str; 4] = ["annotations", "finalizers", "labels", "ownerReferences"];

/// A live field that is not declared, with everything in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    steps: Vec<LeftoverStep>,
    /// The managers beside us that own it, in words; none where the server filled it in.
    pub managers: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum LeftoverStep {
    /// The value of a map's key.
    Field(String),
    /// The element of a list.
    Element {
        /// Its key, as in `fieldsV1`: `k:{"name":"a"}` or `v:"a"`.
        key: String,
        /// Where it is.
        at: usize,
    },
}

/// The fields of `live` that stay beside `send` when it is applied.
pub fn leftovers(send: &Object, live: &Object) -> Vec<Leftover> {
    let managers: Vec<Manager<'_>> = managers::of(live).collect();
    let owned = managers.iter().map(|manager| ManagerFields { manager, node: manager.fields });
    let owned: Vec<ManagerFields<'_>> = owned.collect();
    let mut walk = LeftoverWalk::default();
    for (name, value) in live.0.iter().filter(|(name, _)| !NOT_DECLARED.contains(&name.as_str())) {
        walk.field(&owned, name, send.0.get(name), value);
    }
    walk.found
}

/// A write after which some fields were to be gone.
#[derive(Clone, Copy, Debug)]
pub struct Removal<'a> {
    /// The object that was sent.
    pub send: &'a Object,
    /// The object before.
    pub before: &'a Object,
    /// The intended object.
    pub meant: &'a Object,
    /// The object after.
    pub after: &'a Object,
}

impl Removal<'_> {
    /// The fields that were to go, are still there, and have no manager. What others have written in
    /// between is theirs.
    pub fn left_behind(&self) -> Vec<Leftover> {
        let Self { send, before, meant, after } = *self;
        if before.uid() != after.uid() {
            return Vec::new();
        }
        let mut open = leftovers(send, after);
        open.extend(leftovers_of_metadata(send, after));
        let mut left = Vec::new();
        while let Some(field) = open.pop() {
            let is_there = |object| field.value(object).is_some_and(|value| !value.is_null());
            match (is_there(before), is_there(meant)) {
                (false, _) => {}
                // Some types of the server write null for what is not there, as a Role's rules.
                _ if !is_there(after) => {}
                (true, false) if field.managers.is_empty() => left.push(field),
                // Of a part of it, more may be known.
                (true, _) => open.extend(field.fields(after)),
            }
        }
        left.sort_by_cached_key(Leftover::path);
        left
    }
}

/// As [`leftovers`], of what people declare of `metadata`.
fn leftovers_of_metadata(send: &Object, live: &Object) -> Vec<Leftover> {
    let managers: Vec<Manager<'_>> = managers::of(live).collect();
    let owned = managers.iter().map(|manager| ManagerFields { manager, node: manager.fields });
    let owned = below(&owned.collect::<Vec<_>>(), "f:metadata");
    let mut walk =
        LeftoverWalk { steps: vec![LeftoverStep::Field("metadata".to_owned())], found: Vec::new() };
    for name in OF_METADATA {
        let get = |object: &'_ Object| object.metadata().and_then(|it| it.get(name)).cloned();
        if let Some(live) = get(live) {
            walk.field(&owned, name, get(send).as_ref(), &live);
        }
    }
    walk.found
}

/// `live` once `leftovers` are recorded as ours, and as no other manager's, so that applying `send`
/// removes them.
pub fn recorded_as_ours(live: &Object, send: &Object, leftovers: &[Leftover]) -> Object {
    let mut mine = None;
    let mut entries = Vec::new();
    for entry in managers::entries(live) {
        let mut entry = entry.clone();
        let is_ours = managers::read(&entry).is_some_and(|manager| manager.is_ours());
        let Some(Value::Object(fields)) = entry.get_mut("fieldsV1") else {
            entries.push(entry);
            continue;
        };
        if is_ours {
            mine = Some(entry);
            continue;
        }
        for leftover in leftovers {
            let path = leftover.path();
            take(fields, &path.iter().map(String::as_str).collect::<Vec<_>>());
        }
        if !fields.is_empty() {
            entries.push(entry);
        }
    }
    let mut mine = mine.unwrap_or_else(|| {
        json!({ "manager": FIELD_MANAGER, "operation": "Apply",
            "apiVersion": send.api_version(), "fieldsType": "FieldsV1", "fieldsV1": {} })
    });
    if let Some(Value::Object(fields)) = mine.get_mut("fieldsV1") {
        for leftover in leftovers {
            let node = json!({ ".": {} });
            let path = leftover.path();
            if let Value::Object(path) = path.iter().rfold(node, |below, key| json!({ key: below }))
            {
                join(fields, &path);
            }
        }
    }
    entries.insert(0, mine);
    let mut recorded = live.clone();
    recorded.metadata_mut().insert("managedFields".to_owned(), entries.into());
    recorded
}

impl Leftover {
    /// As the entries of `managedFields` name it, step by step.
    pub fn path(&self) -> Vec<String> {
        let key = |step: &LeftoverStep| match step {
            LeftoverStep::Field(name) => format!("f:{name}"),
            LeftoverStep::Element { key, .. } => key.clone(),
        };
        self.steps.iter().map(key).collect()
    }

    /// Where it is in the live object.
    pub fn place(&self) -> Vec<PathPart<'_>> {
        let mut place = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            place.push(match step {
                LeftoverStep::Field(name) => PathPart::Key(name),
                LeftoverStep::Element { at, .. } => PathPart::Index(*at),
            });
        }
        place
    }

    /// Where it is, for a person: `spec.ports[port=83,protocol=TCP]`.
    pub fn field(&self) -> String {
        let mut field = String::new();
        for step in &self.steps {
            match step {
                LeftoverStep::Field(name) if name.contains(['.', '/']) => {
                    field.push_str(&format!("[{name}]"));
                }
                LeftoverStep::Field(name) if field.is_empty() => field.push_str(name),
                LeftoverStep::Field(name) => field.push_str(&format!(".{name}")),
                LeftoverStep::Element { key, .. } => {
                    field.push_str(&format!("[{}]", element_key(key)))
                }
            }
        }
        field
    }

    /// `object` without it.
    pub fn taken_from(&self, object: &Object) -> Object {
        let mut value = Value::from(object.clone());
        let mut parts = self.steps.as_slice();
        let mut here = Some(&mut value);
        while let (Some(at), Some((step, rest))) = (here.take(), parts.split_first()) {
            match (step, at, rest.is_empty()) {
                (LeftoverStep::Field(name), Value::Object(map), true) => drop(map.remove(name)),
                (LeftoverStep::Field(name), Value::Object(map), false) => here = map.get_mut(name),
                (LeftoverStep::Element { key, .. }, Value::Array(list), is_last) => {
                    let node = FieldsV1::from_iter([(key.clone(), json!({}))]);
                    let found = list.iter().position(|item| element(&node, item).is_some());
                    match found {
                        Some(place) if is_last => drop(list.remove(place)),
                        Some(place) => here = list.get_mut(place),
                        None => {}
                    }
                }
                _ => {}
            }
            parts = rest;
        }
        match value {
            Value::Object(map) => map.into(),
            _ => object.clone(),
        }
    }

    /// Its value in `object`, wherever it is in its list.
    pub fn value<'a>(&self, object: &'a Object) -> Option<&'a Value> {
        let (first, rest) = self.steps.split_first()?;
        let LeftoverStep::Field(first) = first else { return None };
        rest.iter().try_fold(object.0.get(first)?, |value, step| match step {
            LeftoverStep::Field(name) => value.get(name),
            LeftoverStep::Element { key, .. } => {
                let node = FieldsV1::from_iter([(key.clone(), json!({}))]);
                value.as_array()?.iter().find(|item| element(&node, item).is_some())
            }
        })
    }

    /// Whether it stays as it is where `live` becomes `merged`.
    pub fn remains(&self, live: &Object, merged: &Object) -> bool {
        self.value(merged).is_some_and(|value| self.value(live) == Some(value))
    }

    /// The fields that it is made of, where it is a map.
    pub fn fields(&self, live: &Object) -> Vec<Self> {
        let Some(Value::Object(map)) = self.value(live) else { return Vec::new() };
        let managers: Vec<Manager<'_>> = managers::of(live).collect();
        let owned = managers.iter().map(|manager| ManagerFields { manager, node: manager.fields });
        let owned =
            self.path().iter().fold(owned.collect(), |owned: Vec<_>, key| below(&owned, key));
        let field = |name: &Key| {
            let step = LeftoverStep::Field(name.to_string());
            let managers = others(&below(&owned, &format!("f:{name}")));
            Self { steps: [&self.steps[..], &[step]].concat(), managers }
        };
        map.keys().map(field).collect()
    }

    /// Whether it is near what the server complains of: in it, around it, or in what is `reach`
    /// levels around it.
    pub fn is_near(&self, cause: &Cause, reach: usize) -> bool {
        let cause = parts(&cause.field);
        let here = self.steps.iter().map(|step| match step {
            LeftoverStep::Field(name) => name.as_str(),
            LeftoverStep::Element { .. } => ELEMENT,
        });
        let shared = here.zip(&cause).take_while(|(here, cause)| here == *cause).count();
        let wanted = match reach {
            0 => cause.len(),
            // All that an object declares is near nothing.
            reach => cause.len().saturating_sub(reach).max(1),
        };
        shared == self.steps.len() || shared >= wanted
    }
}

/// Stands for whichever element of a list.
const ELEMENT: &str = "[]";

/// The parts of a field as the server names it. It counts the elements of a list that it did not
/// show, so that each stands for all.
fn parts(field: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = field;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (key, after) = inner.split_once(']').unwrap_or((inner, ""));
            let is_index = key.bytes().all(|byte| byte.is_ascii_digit()) || key.contains('=');
            parts.push(if is_index { ELEMENT } else { key });
            rest = after;
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            if end > 0 {
                parts.push(&rest[..end]);
            }
            rest = &rest[end..];
        }
        rest = rest.strip_prefix('.').unwrap_or(rest);
    }
    parts
}

/// The identity of an element, for a person.
fn element_key(key: &str) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let keys = key.strip_prefix("k:").and_then(|keys| serde_json::from_str::<FieldsV1>(keys).ok());
    match keys {
        Some(keys) => {
            let keys = keys.iter().map(|(name, value)| format!("{name}={}", text(value)));
            keys.collect::<Vec<_>>().join(",")
        }
        None => key.strip_prefix("v:").unwrap_or(key).to_owned(),
    }
}

/// The part of a value that one manager owns.
#[derive(Clone, Copy)]
struct ManagerFields<'a> {
    manager: &'a Manager<'a>,
    node: &'a FieldsV1,
}

fn below<'a>(owned: &[ManagerFields<'a>], key: &str) -> Vec<ManagerFields<'a>> {
    let below = |owned: &ManagerFields<'a>| {
        let node = owned.node.get(key)?.as_object()?;
        Some(ManagerFields { manager: owned.manager, node })
    };
    owned.iter().filter_map(below).collect()
}

/// The other owners, in words.
fn others(owned: &[ManagerFields<'_>]) -> Vec<String> {
    let others = owned.iter().map(|owned| owned.manager).filter(|manager| !manager.is_ours());
    let mut others: Vec<String> = others.map(Manager::in_words).collect();
    others.sort_unstable();
    others.dedup();
    others
}

/// The walk through what is live and what is sent, side by side.
#[derive(Default)]
struct LeftoverWalk {
    found: Vec<Leftover>,
    steps: Vec<LeftoverStep>,
}

impl LeftoverWalk {
    fn field(
        &mut self,
        owned: &[ManagerFields<'_>],
        name: &str,
        send: Option<&Value>,
        live: &Value,
    ) {
        let owned = below(owned, &format!("f:{name}"));
        self.steps.push(LeftoverStep::Field(name.to_owned()));
        match send {
            None => self.undeclared(&owned),
            Some(send) => self.value(&owned, send, live),
        }
        self.steps.pop();
    }

    fn value(&mut self, owned: &[ManagerFields<'_>], send: &Value, live: &Value) {
        // A field that is owned as a whole is replaced as a whole.
        let is_whole = !owned.is_empty() && owned.iter().all(|owned| is_leaf(owned.node));
        match (send, live) {
            (Value::Object(send), Value::Object(live)) if !is_whole || send.is_empty() => {
                for (name, value) in live {
                    self.field(owned, name, send.get(name), value);
                }
            }
            (Value::Array(send), Value::Array(live)) => self.list(owned, send, live),
            _ => {}
        }
    }

    fn list(&mut self, owned: &[ManagerFields<'_>], send: &[Value], live: &[Value]) {
        let nodes = || owned.iter().map(|owned| owned.node);
        let is_told = |key: &&Key| key.starts_with("k:") || key.starts_with("v:");
        let Some(first) = nodes().flat_map(Map::keys).find(is_told) else { return };
        let names: Option<FieldsV1> =
            first.strip_prefix("k:").and_then(|keys| serde_json::from_str(keys).ok());
        let is_same = |send: &Value, live: &Value| match &names {
            None => send == live,
            Some(names) => names.keys().all(|name| is_same_key(name, send, live)),
        };
        for (at, item) in live.iter().enumerate() {
            let recorded = nodes().find_map(|node| element(node, item)).map(|(key, _)| key);
            let key = match (recorded, &names) {
                (Some(key), _) => key.to_owned(),
                (None, None) => format!("v:{item}"),
                (None, Some(names)) => {
                    let pair = |name: &Key| Some((name.clone(), item.get(name)?.clone()));
                    let keys: FieldsV1 = names.keys().filter_map(pair).collect();
                    format!("k:{}", Value::Object(keys))
                }
            };
            let owned = below(owned, &key);
            self.steps.push(LeftoverStep::Element { key, at });
            match send.iter().find(|send| is_same(send, item)) {
                None => self.undeclared(&owned),
                Some(send) => self.value(&owned, send, item),
            }
            self.steps.pop();
        }
    }

    /// A field that is not declared is left over, unless it is ours alone.
    fn undeclared(&mut self, owned: &[ManagerFields<'_>]) {
        let managers = others(owned);
        if owned.is_empty() || !managers.is_empty() {
            self.found.push(Leftover { steps: self.steps.clone(), managers });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Object {
        Object::from(value.as_object().cloned().unwrap())
    }

    fn live() -> Object {
        object(json!({
            "metadata": { "managedFields": [
                { "manager": "trueup", "operation": "Apply", "fieldsV1": { "f:spec": {
                    "f:selector": {}, "f:mine": {}, "f:ports": {
                        "k:{\"port\":80}": { ".": {}, "f:port": {} } } } } },
                { "manager": "edit", "operation": "Update", "fieldsV1": { "f:spec": {
                    "f:ports": { "k:{\"port\":80}": { "f:name": {} },
                        "k:{\"port\":83}": { ".": {}, "f:port": {} } } } } },
            ] },
            "spec": { "selector": { "a": "b" }, "mine": 1, "defaulted": { "x": 1 },
                "ports": [{ "port": 80, "name": "web" }, { "port": 83 }, { "port": 9 }] },
            "status": { "ready": true },
        }))
    }

    #[test]
    fn undeclared_fields_beside_declared_ones_are_leftovers() {
        let send =
            object(json!({ "spec": { "selector": {  "c": "d" }, "ports": [{ "port": 80 }] } }));
        let told: Vec<(String, Vec<String>)> =
            leftovers(&send, &live()).into_iter().map(|it| (it.field(), it.managers)).collect();
        let edit = vec!["edit".to_owned()];
        assert_eq!(
            told,
            [
                ("spec.defaulted".to_owned(), vec![]),
                ("spec.ports[port=80].name".to_owned(), edit.clone()),
                ("spec.ports[port=83]".to_owned(), edit),
                ("spec.ports[port=9]".to_owned(), vec![]),
            ]
        );
    }

    #[test]
    fn removed_fields_that_stay_are_reported_unless_owned_by_others() {
        let object = |spec: Value, labels: Value, theirs: Value| {
            object(json!({ "spec": spec, "metadata": { "uid": "u", "labels": labels,
                "managedFields": [{ "manager": "edit", "operation": "Update",
                    "fieldsV1": { "f:metadata": { "f:labels": theirs } } }] } }))
        };
        let send = object(json!({ "ports": [{ "port": 80 }] }), json!({ "a": "1" }), json!({}));
        let before = object(
            json!({ "x": 1, "m": { "a": 1, "b": 2 } }),
            json!({ "a": "1", "b": "2", "c": "3" }),
            json!({}),
        );
        let meant = object(json!({ "m": { "b": 2 } }), json!({ "a": "1" }), json!({}));
        let after = object(
            json!({ "x": 1, "y": 1, "m": { "a": 1, "b": 2 } }),
            json!({ "a": "1", "b": "2", "c": "3", "d": "4" }),
            json!({ "f:c": {} }),
        );
        let removal = Removal { send: &send, before: &before, meant: &meant, after: &after };
        let left = removal.left_behind();
        let told: Vec<String> = left.iter().map(Leftover::field).collect();
        assert_eq!(told, ["metadata.labels.b", "spec.m.a", "spec.x"]);
        let mut gone = after.clone();
        for field in &left {
            gone = field.taken_from(&gone);
        }
        assert_eq!(gone.0["spec"], json!({ "y": 1, "m": { "b": 2 } }));
        assert_eq!(gone.0["metadata"]["labels"], json!({ "a": "1", "c": "3", "d": "4" }));
        let removal = Removal { after: &meant, ..removal };
        assert_eq!(removal.left_behind(), []);
        // Null is how the server writes what is not there.
        let (null, nothing) = (json!({ "x": null }), json!({}));
        let after = object(null, json!({ "a": "1" }), nothing);
        let removal = Removal { after: &after, ..removal };
        assert_eq!(removal.left_behind(), []);
    }

    #[test]
    fn a_leftover_is_near_what_is_around_it_beside_it_or_in_it() {
        let send = object(json!({ "spec": { "ports": [{ "port": 80 }] } }));
        let all = leftovers(&send, &live());
        let near = |field: &str, reach| {
            let cause = Cause { field: field.to_owned(), message: String::new(), place: None };
            let near = all.iter().filter(|it| it.is_near(&cause, reach)).map(Leftover::field);
            near.collect::<Vec<_>>()
        };
        assert_eq!(
            near("spec.ports[7].name", 0),
            ["spec.ports[port=80].name", "spec.ports[port=83]", "spec.ports[port=9]"]
        );
        assert_eq!(near("spec.other", 0), Vec::<String>::new());
        assert_eq!(near("spec.other", 1).len(), all.len());
        assert_eq!(near("other", 2), Vec::<String>::new());
        assert_eq!(near("", 0).len(), all.len());
    }

    #[test]
    fn a_leftover_is_made_of_fields_with_owners_of_their_own() {
        let ports = Leftover {
            steps: vec![
                LeftoverStep::Field("spec".to_owned()),
                LeftoverStep::Field("ports".to_owned()),
                LeftoverStep::Element { key: "k:{\"port\":80}".to_owned(), at: 0 },
            ],
            managers: vec![],
        };
        let fields = ports.fields(&live());
        let told: Vec<_> = fields.iter().map(|it| (it.field(), it.managers.clone())).collect();
        let name = ("spec.ports[port=80].name".to_owned(), vec!["edit".to_owned()]);
        assert_eq!(told, [name, ("spec.ports[port=80].port".to_owned(), vec![])]);
        assert_eq!(fields[0].fields(&live()), []);
    }

    #[test]
    fn fields_recorded_as_ours_leave_other_managers() {
        let send = object(json!({ "spec": { "ports": [{ "port": 80 }] } }));
        let all = leftovers(&send, &live());
        let recorded = recorded_as_ours(&live(), &send, &all[2..3]);
        let fields = |at: usize| recorded.0["metadata"]["managedFields"][at]["fieldsV1"].clone();
        assert_eq!(
            fields(0)["f:spec"]["f:ports"],
            json!({ "k:{\"port\":80}": { ".": {}, "f:port": {} },
                "k:{\"port\":83}": { ".": {} } })
        );
        assert_eq!(
            fields(1),
            json!({ "f:spec": { "f:ports": { "k:{\"port\":80}": { "f:name": {} } } } })
        );
        let gone = crate::core::managed_fields::prediction::foresee(&send, &recorded);
        assert!(!all[2].remains(&live(), &gone) && all[3].remains(&live(), &gone), "{gone:?}");
    }
}
