//! Which fields pass from one manager to another when an object is applied: what the entries in
//! `managedFields` say before and after.
//!
//! Server-side apply (KEP-555, "Conflicts") takes a field from whoever has it with another value;
//! with the same value it has one owner more.

use std::collections::BTreeSet;

use super::managers::{self, FieldsV1, Manager, is_leaf, node};
use super::owners::element;
use crate::core::json::{Map, Value};
use crate::core::manifest::PathPart;
use crate::core::object::Object;

type Path<'a> = Vec<&'a str>;

/// A field of which we become an owner, or no longer are one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnershipChange<'a> {
    /// As the entries have it, such as `["f:spec", "f:replicas"]`.
    pub path: Vec<&'a str>,
    /// Where it stands in the object as it is, and as it will be.
    pub places: [Vec<PathPart<'a>>; 2],
    /// Whether it becomes ours.
    pub becomes_ours: bool,
}

/// The fields that both objects have and that become ours, or are no longer.
pub fn passings<'a>(before: &'a Object, after: &'a Object) -> Vec<OwnershipChange<'a>> {
    let (was, is) = (ours(before), ours(after));
    let gained = is.difference(&was).map(|path| (path, true));
    let lost = was.difference(&is).map(|path| (path, false));
    let passing = |(path, becomes_ours): (&Path<'a>, bool)| {
        if has_parts(before, path) || has_parts(after, path) {
            return None;
        }
        let places = [place(path, &before.0)?, place(path, &after.0)?];
        Some(OwnershipChange { path: path.clone(), places, becomes_ours })
    };
    gained.chain(lost).filter_map(passing).collect()
}

/// Those of the `owners` of a field that lose it: others than us who do not own what stands at
/// `path` of `after`.
pub fn losers<'a>(
    owners: Vec<Manager<'a>>,
    after: &Object,
    path: &[PathPart<'_>],
) -> Vec<Manager<'a>> {
    let told = |manager: &Manager<'_>| {
        [manager.name, manager.operation, manager.subresource].map(str::to_owned)
    };
    let left: Vec<_> = super::owners::of(after, path).iter().map(told).collect();
    let is_lost = |owner: &Manager<'_>| !owner.is_ours() && !left.contains(&told(owner));
    owners.into_iter().filter(is_lost).collect()
}

/// The fields that are ours and have no parts that are owned by themselves.
fn ours(object: &Object) -> BTreeSet<Path<'_>> {
    let mut paths = BTreeSet::new();
    for manager in managers::of(object).filter(Manager::is_ours) {
        paths.extend(leaves(manager.fields));
    }
    paths
}

/// Whether a manager owns a part of the field by itself. Then who owns the field and nothing in it
/// owns only that there is one, as of a map that was empty when it was written.
pub fn has_parts(object: &Object, path: &[&str]) -> bool {
    managers::of(object).any(|manager| node(manager.fields, path).is_some_and(|it| !is_leaf(it)))
}

/// The fields of an entry that have no parts that are owned by themselves, as it has them.
pub fn leaves(fields: &FieldsV1) -> BTreeSet<Path<'_>> {
    let mut paths = BTreeSet::new();
    collect(fields, &mut Vec::new(), &mut paths);
    paths
}

fn collect<'a>(node: &'a FieldsV1, path: &mut Path<'a>, paths: &mut BTreeSet<Path<'a>>) {
    if is_leaf(node) && !path.is_empty() {
        paths.insert(path.clone());
    }
    for (key, below) in node.iter().filter(|(key, _)| *key != ".") {
        if let Some(below) = below.as_object() {
            path.push(key);
            collect(below, path, paths);
            path.pop();
        }
    }
}

/// Where in the object the field stands that an entry has at `path`.
pub fn place<'a>(path: &[&'a str], object: &Map) -> Option<Vec<PathPart<'a>>> {
    let (first, rest) = path.split_first()?;
    let first = first.strip_prefix("f:")?;
    let mut value = object.get(first)?;
    let mut parts = vec![PathPart::Key(first)];
    for key in rest {
        let part = match key.strip_prefix("f:") {
            Some(name) => {
                value = value.get(name)?;
                PathPart::Key(name)
            }
            None => {
                let only: FieldsV1 =
                    [((*key).to_owned(), Value::Object(FieldsV1::new()))].into_iter().collect();
                let items = value.as_array()?;
                let at = match key.strip_prefix("i:") {
                    Some(index) => index.parse().ok()?,
                    None => items.iter().position(|item| element(&only, item).is_some())?,
                };
                value = items.get(at)?;
                PathPart::Index(at)
            }
        };
        parts.push(part);
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use crate::core::json::json;

    use super::*;

    fn object(managers: Value) -> Object {
        let object = json!({
            "metadata": { "managedFields": managers },
            "spec": { "replicas": 5, "paused": true, "ports": [{ "port": 90 }, { "port": 80 }] },
        });
        Object::from(object.as_object().cloned().unwrap())
    }

    fn entry(manager: &str, operation: &str, fields: Value) -> Value {
        json!({ "manager": manager, "operation": operation, "fieldsV1": { "f:spec": fields } })
    }

    #[test]
    fn ownership_change_follows_managed_fields() {
        let port = json!({ "k:{\"port\":80}": { ".": {}, "f:port": {} } });
        let before = object(json!([
            entry("trueup", "Apply", json!({ "f:paused": {}, "f:gone": {} })),
            entry("scaler", "Update", json!({ "f:replicas": {}, "f:ports": port })),
            entry("other", "Apply", json!({ "f:replicas": {} })),
        ]));
        let after = object(json!([
            entry("trueup", "Apply", json!({ "f:replicas": {}, "f:ports": port })),
            entry("other", "Apply", json!({ "f:replicas": {} })),
        ]));
        let (key, at) = (PathPart::Key, PathPart::Index);
        let passed = passings(&before, &after);
        let passed: Vec<_> = passed
            .iter()
            .map(|passing| (passing.places[1][1..].to_vec(), passing.becomes_ours))
            .collect();
        assert_eq!(
            passed,
            [
                (vec![key("ports"), at(1), key("port")], true),
                (vec![key("replicas")], true),
                (vec![key("paused")], false),
            ]
        );
        let replicas = [key("spec"), key("replicas")];
        let losers =
            losers(crate::core::managed_fields::owners::of(&before, &replicas), &after, &replicas);
        assert_eq!(losers.iter().map(|loser| loser.name).collect::<Vec<_>>(), ["scaler"]);
        assert_eq!(passings(&before, &before), []);
    }
}
