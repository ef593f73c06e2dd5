//! Whether the cluster is what git says, as seen from outside: the files of the commit and the objects
//! with the label of an inventory, compared without a line of trueup's.

use std::collections::BTreeMap;

use serde_json::Value;

use super::objects::KINDS;
use super::world::World;
use crate::support::api::Api;
use crate::support::git::git;

/// All that differs, a line each; nothing where the cluster is at the commit.
pub fn differences(world: &World<'_>, api: &Api) -> Vec<String> {
    let declared = declared(world);
    let mut live = match live(world, api) {
        Ok(live) => live,
        Err(error) => return vec![format!("cannot list: {error}")],
    };
    let mut differ = Vec::new();
    for (key, manifest) in &declared {
        match live.remove(key) {
            None => differ.push(format!("{} {} of {} is missing", key.1, key.2, key.0)),
            Some(object) => {
                let mut places = Vec::new();
                compare(manifest, &object, "", &mut places);
                differ.extend(places.first().map(|it| format!("{} {}: {it}", key.1, key.2)));
            }
        }
    }
    differ.extend(live.keys().map(|(target, kind, name)| {
        format!("{kind} {name} of {target} is in the cluster, and git does not have it")
    }));
    differ
}

/// The target, the kind and the name.
type Key = (String, String, String);

/// The objects of the commit, by target.
fn declared(world: &World<'_>) -> BTreeMap<Key, Value> {
    let checkout = world.repo.outside().join("oracle");
    if !checkout.exists() {
        git(world.repo.outside(), ["clone", "--quiet", world.repo.namespace(), "oracle"]);
    }
    git(&checkout, ["fetch", "--quiet", "origin", "main"]);
    git(&checkout, ["reset", "--quiet", "--hard", "FETCH_HEAD"]);
    let mut declared = BTreeMap::new();
    for target in world.targets() {
        for entry in std::fs::read_dir(checkout.join(&target)).unwrap() {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            let object: Value = serde_yaml::from_str(&text).unwrap();
            let of = |pointer| object.pointer(pointer).and_then(Value::as_str).unwrap().to_owned();
            let key = (target.clone(), of("/kind"), of("/metadata/name"));
            declared.insert(key, object);
        }
    }
    declared
}

/// The objects with the label of one of the inventories.
fn live(world: &World<'_>, api: &Api) -> Result<BTreeMap<Key, Value>, String> {
    let namespace = world.repo.namespace();
    let mut targets = BTreeMap::new();
    for target in world.targets() {
        let parent =
            api.get(&format!("/api/v1/namespaces/{namespace}/configmaps/trueup-{target}"))?;
        let id = parent["metadata"]["labels"]["applyset.kubernetes.io/id"].as_str();
        targets.insert(id.ok_or("an inventory has no id")?.to_owned(), target);
    }
    let mut live = BTreeMap::new();
    for kind in KINDS {
        let path = kind.path(namespace);
        let mut list = api.get(&format!("{path}?labelSelector=applyset.kubernetes.io/part-of"))?;
        let of_list = list["kind"].as_str().unwrap().trim_end_matches("List").to_owned();
        let Value::Array(items) = list["items"].take() else { return Err(format!("{list}")) };
        for mut object in items {
            // A list says it once for all.
            object["kind"] = of_list.as_str().into();
            object["apiVersion"] = list["apiVersion"].clone();
            let labels = &object["metadata"]["labels"];
            let id = labels["applyset.kubernetes.io/part-of"].as_str().unwrap();
            let target = targets.get(id).cloned().unwrap_or_else(|| format!("stranger {id}"));
            let name = object["metadata"]["name"].as_str().unwrap().to_owned();
            live.insert((target, of_list.clone(), name), object);
        }
    }
    Ok(live)
}

/// Notes where the object lacks what is declared.
fn compare(declared: &Value, live: &Value, at: &str, places: &mut Vec<String>) {
    match (declared, live) {
        (Value::Object(declared), Value::Object(live)) => {
            for (key, value) in declared {
                let found = live.get(key).unwrap_or(&Value::Null);
                compare(value, found, &format!("{at}.{key}"), places);
            }
        }
        (Value::Array(declared), Value::Array(live)) if declared.len() == live.len() => {
            for (one, other) in declared.iter().zip(live) {
                compare(one, other, &format!("{at}[]"), places);
            }
        }
        (declared, live) if declared == live => {}
        _ => places.push(format!("{at} is {live}, and git says {declared}")),
    }
}
