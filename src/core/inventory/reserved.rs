//! The objects that keep track of others: records of inventories and other tools' ApplySets, and the
//! locks of trueup. No manifest may declare one, and none is pruned.
//!
//! A commit that could write such an object could take another target's inventory away, or have its
//! members deleted.

use serde::Serialize;

use super::PART_OF;
use crate::core::json::{Key, Map, Value};
use crate::core::manifest::{Manifest, PathPart};
use crate::core::object::Object;
use crate::core::problem::Problem;

/// The prefix of an ApplySet's labels and annotations.
const MARKS: &str = "applyset.kubernetes.io/";
/// The one label among them that does not make an object a parent or a member: it marks a definition
/// whose objects may be parents.
const PARENT_TYPE: &str = "applyset.kubernetes.io/is-parent-type";
/// The prefix of the names of trueup's records and locks.
pub const NAME_PREFIX: &str = "trueup-";

/// An object that keeps track of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReservedObject {
    /// The record of one of trueup's inventories, by its name.
    Record,
    /// The record of any ApplySet, by its marks.
    Parent,
    /// A lock.
    Lock,
}

impl ReservedObject {
    /// The kind of a live object, if it is one of them.
    pub fn of(live: &Object) -> Option<Self> {
        let is_parents = |mark: &&str| *mark != PART_OF && *mark != PARENT_TYPE;
        let by_mark = || {
            let mut marks =
                ["labels", "annotations"].into_iter().flat_map(|field| marks(live, field));
            marks.any(|mark| is_parents(&mark)).then_some(Self::Parent)
        };
        Self::by_name(live).or_else(by_mark)
    }

    /// The kind of an object by its kind and name alone.
    fn by_name(object: &Object) -> Option<Self> {
        if !object.name().starts_with(NAME_PREFIX) {
            return None;
        }
        match (object.group(), object.kind()) {
            ("", "ConfigMap") => Some(Self::Record),
            ("coordination.k8s.io", "Lease") => Some(Self::Lock),
            _ => None,
        }
    }

    /// Its name, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Record => "the record of an inventory",
            Self::Parent => "the record of an ApplySet",
            Self::Lock => "the lock of an inventory",
        }
    }
}

/// Why a manifest may not be there, whatever else it says of itself, and where that stands.
pub fn problem(manifest: &Manifest) -> Option<Problem> {
    let ReservedFault { path, message, hint } = fault(&manifest.object)?;
    let path: Vec<PathPart<'_>> = path.into_iter().map(PathPart::Key).collect();
    let place = manifest.place_at(&path).unwrap_or_else(|| manifest.location());
    Some(Problem { place, message, excerpt: None, hint: Some(hint) })
}

/// The fault of a manifest's object, and the keys that lead to it.
struct ReservedFault<'a> {
    path: Vec<&'a str>,
    message: String,
    hint: String,
}

fn fault(object: &Object) -> Option<ReservedFault<'_>> {
    let whose = object.key();
    for (field, word) in [("labels", "label"), ("annotations", "annotation")] {
        let Some(mark) = marks(object, field).next() else { continue };
        let setter = match mark {
            PART_OF => "trueup",
            _ => "the tool that keeps the inventory",
        };
        return Some(ReservedFault {
            path: vec!["metadata", field, mark],
            message: format!("{whose} carries the {word} {mark}, which is an inventory's own mark"),
            hint: format!("take the {word} out of the manifest; {setter} sets it"),
        });
    }
    let (kinds, what) = match ReservedObject::by_name(object)? {
        ReservedObject::Lock => ("Leases", "locks"),
        ReservedObject::Record | ReservedObject::Parent => ("ConfigMaps", "inventories"),
    };
    Some(ReservedFault {
        path: vec!["metadata", "name"],
        message: format!(
            "{whose} can't be declared: names of {kinds} that begin with {NAME_PREFIX} are those of {what}"
        ),
        hint: "give it another name, or list its file in .trueupignore".to_owned(),
    })
}

/// The marks of an ApplySet among an object's labels or annotations, whatever they are set to.
fn marks<'a>(object: &'a Object, field: &str) -> impl Iterator<Item = &'a str> {
    let map = object.metadata().and_then(|metadata| metadata.get(field));
    let keys = map.and_then(Value::as_object).into_iter().flat_map(Map::keys);
    keys.map(Key::as_str).filter(move |key| key.starts_with(MARKS) && *key != PARENT_TYPE)
}

#[cfg(test)]
mod tests {
    use crate::core::json::json;

    use super::*;

    fn object(version: &str, kind: &str, name: &str, metadata: Value) -> Object {
        let mut object = json!({ "apiVersion": version, "kind": kind, "metadata": metadata });
        object["metadata"]["name"] = name.into();
        Object::from(object.as_object().cloned().unwrap_or_default())
    }

    const CONFIG_MAP: (&str, &str) = ("v1", "ConfigMap");
    const LEASE: (&str, &str) = ("coordination.k8s.io/v1beta1", "Lease");

    #[test]
    fn records_and_locks_are_known_by_name_or_by_mark() {
        let label = |key: &str| json!({ "labels": { key: "x" } });
        let annotation = |key: &str| json!({ "annotations": { key: null } });
        for (kind, name, metadata, keeper, is_declared) in [
            (CONFIG_MAP, "a", json!({}), None, true),
            (CONFIG_MAP, "my-trueup-a", json!({}), None, true),
            (CONFIG_MAP, "trueup-a", json!({}), Some(ReservedObject::Record), false),
            (LEASE, "trueup-a", json!({}), Some(ReservedObject::Lock), false),
            (LEASE, "a", json!({}), None, true),
            (("v1", "Secret"), "trueup-a", json!({}), None, true),
            (("example.com/v1", "ConfigMap"), "trueup-a", json!({}), None, true),
            (
                ("v1", "Secret"),
                "a",
                label("applyset.kubernetes.io/id"),
                Some(ReservedObject::Parent),
                false,
            ),
            (
                ("example.com/v1", "Gear"),
                "a",
                annotation("applyset.kubernetes.io/contains-group-resources"),
                Some(ReservedObject::Parent),
                false,
            ),
            (CONFIG_MAP, "a", label(PART_OF), None, false),
            (CONFIG_MAP, "a", label(PARENT_TYPE), None, true),
        ] {
            let object = object(kind.0, kind.1, name, metadata);
            assert_eq!(ReservedObject::of(&object), keeper, "{object:?}");
            assert_eq!(fault(&object).is_none(), is_declared, "{object:?}");
        }
    }
}
