//! What people and controllers do to live objects, at random.

use http::Method;
use serde_json::{Map, Value, json};

use super::world::World;
use crate::support::random::Random;

/// The parts of an object that a person writes.
const PARTS: [&[&str]; 11] = [
    &["spec"],
    &["spec", "template", "spec"],
    &["spec"],
    &["data"],
    &["rules"],
    &["subjects"],
    &["imagePullSecrets"],
    &["metadata", "labels"],
    &["metadata", "annotations"],
    &["metadata", "finalizers"],
    &["binaryData"],
];

/// Texts that mean something somewhere, some of them in two spellings.
const TEXTS: [&str; 12] = [
    "x",
    "1",
    "1000m",
    "1024Mi",
    "1Gi",
    "TCP",
    "UDP",
    "IfNotPresent",
    "example.com/a",
    "Always",
    "8080",
    "ClusterIP",
];

/// One way to change a live object.
#[derive(Clone, Copy, Debug)]
pub enum Drift {
    /// Somebody replaces the object, under this name.
    Replaced(&'static str),
    /// Somebody else applies a part of it, server-side and with force.
    Shared(&'static str),
    /// Somebody applies another version of it in our name, as a member or not.
    Impersonated { as_member: bool },
    /// A controller writes its status.
    Status,
    /// Somebody scales it.
    Scaled,
}

impl Drift {
    pub fn random(random: &mut Random) -> Self {
        let someone = *random.one_of(&["kubectl-edit", "kubectl-client-side-apply", "trueup"]);
        match random.below(12) {
            0..=4 => Self::Replaced(someone),
            5 => Self::Shared("helm"),
            6 => Self::Shared("flux"),
            7..=9 => Self::Impersonated { as_member: random.below(4) > 0 },
            10 => Self::Status,
            _ => Self::Scaled,
        }
    }

    /// Does it; says what, unless the server would not have it.
    pub fn happen(self, world: &World, at: usize, random: &mut Random) -> Option<String> {
        let declared = &world.objects[at];
        let live = world.api.get(&declared.path).ok()?;
        let apply = "application/apply-patch+yaml";
        let path = |rest: &str| format!("{}{rest}", declared.path);
        let (method, path, content_type, body) = match self {
            Self::Replaced(manager) => {
                let mut object = live;
                for _ in 0..=random.below(3) {
                    mutate(&mut object, random);
                }
                let path = path(&format!("?fieldManager={manager}"));
                (Method::PUT, path, "application/json", object)
            }
            Self::Shared(manager) => {
                let mut object = bare(&live);
                let parts: Vec<String> = object.as_object().unwrap().keys().cloned().collect();
                for part in parts {
                    if !matches!(part.as_str(), "apiVersion" | "kind" | "metadata") {
                        thin(&mut object[part.as_str()], random);
                    }
                }
                let path = path(&format!("?fieldManager={manager}&force=true"));
                (Method::PATCH, path, apply, object)
            }
            Self::Impersonated { as_member } => {
                let mut object = declared.now.clone();
                match random.below(3) {
                    0 => graft(&mut object, &live, random),
                    _ => mutate(&mut object, random),
                }
                if as_member {
                    let label = "applyset.kubernetes.io/part-of";
                    object["metadata"]["labels"][label] = world.id().into();
                }
                (Method::PATCH, path("?fieldManager=trueup&force=true"), apply, object)
            }
            Self::Status => {
                let count = random.below(100);
                let status =
                    json!({ "status": { "observedGeneration": count, "replicas": count } });
                let path = path("/status?fieldManager=controller");
                (Method::PATCH, path, "application/merge-patch+json", status)
            }
            Self::Scaled => {
                let scale = json!({ "spec": { "replicas": random.below(9) } });
                let path = path("/scale?fieldManager=kubectl-scale");
                (Method::PATCH, path, "application/merge-patch+json", scale)
            }
        };
        world.api.send(method, &path, content_type, Some(&body)).ok()?;
        Some(format!("{self:?} {path}: {body}"))
    }
}

/// An object without what is the server's.
fn bare(live: &Value) -> Value {
    let mut object = live.clone();
    let metadata = &live["metadata"];
    object["metadata"] = json!({ "name": metadata["name"] });
    object.as_object_mut().unwrap().remove("status");
    object
}

/// Takes parts out, but leaves what an element is told by.
fn thin(value: &mut Value, random: &mut Random) {
    const KEYS: [&str; 10] = [
        "name",
        "containerPort",
        "port",
        "protocol",
        "topologyKey",
        "whenUnsatisfiable",
        "id",
        "host",
        "mountPath",
        "type",
    ];
    match value {
        Value::Object(map) => {
            map.retain(|key, _| KEYS.contains(&key.as_str()) || random.below(3) > 0);
            map.values_mut().for_each(|value| thin(value, random));
        }
        Value::Array(list) => list.iter_mut().for_each(|value| thin(value, random)),
        _ => {}
    }
}

/// One of the parts that an object has.
fn part_of(object: &Value, random: &mut Random) -> &'static [&'static str] {
    let is_there =
        |part: &&&[&str]| part.iter().try_fold(object, |value, key| value.get(*key)).is_some();
    let there: Vec<_> = PARTS.iter().filter(is_there).collect();
    there.get(random.below(there.len())).map_or(&["metadata"], |part| part)
}

/// Changes one value somewhere.
pub fn mutate(object: &mut Value, random: &mut Random) {
    let part = part_of(object, random);
    let there = part.iter().try_fold(&mut *object, |value, key| value.get_mut(*key));
    let Some(mut value) = there else { return };
    while random.below(4) > 0 {
        let below = match value {
            Value::Object(map) if !map.is_empty() => random.below(map.len()),
            Value::Array(list) if !list.is_empty() => random.below(list.len()),
            _ => break,
        };
        value = match value {
            Value::Object(map) => map.values_mut().nth(below).unwrap(),
            Value::Array(list) => &mut list[below],
            _ => unreachable!("only maps and lists are gone into"),
        };
    }
    change(value, random);
}

fn change(value: &mut Value, random: &mut Random) {
    let text = || Value::from(TEXTS[0]);
    match value {
        Value::Object(map) => match random.below(5) {
            0 => map.clear(),
            1 => drop(map.insert("added".to_owned(), text())),
            2 => drop(map.insert("more".to_owned(), json!({}))),
            _ => {
                let key = map.keys().nth(random.below(map.len())).cloned();
                key.and_then(|key| map.remove(&key));
            }
        },
        Value::Array(list) => match (random.below(5), list.last().cloned()) {
            (0, _) => list.clear(),
            (1 | 2, Some(_)) => {
                let by = random.below(list.len());
                list.rotate_left(by);
            }
            (3, Some(mut last)) => {
                let tell = ["name", "id", "host", "key"].into_iter().find(|k| last[*k].is_string());
                match tell {
                    Some(key) => last[key] = "added".into(),
                    None if last.is_string() => last = text(),
                    None => {}
                }
                list.insert(random.below(list.len() + 1), last);
            }
            _ => drop(list.pop()),
        },
        Value::Number(number) => {
            *value =
                (number.as_i64().unwrap_or(1) + i64::from(random.below(2) == 0) * 2 - 1).into();
        }
        Value::Bool(is) => *is = !*is,
        Value::String(_) | Value::Null => *value = (*random.one_of(&TEXTS)).into(),
    }
    if random.below(20) == 0 {
        *value = Value::Null;
    }
}

/// Puts something that is live into a declaration, as it is.
pub fn graft(object: &mut Value, live: &Value, random: &mut Random) {
    let part = part_of(live, random);
    let Some(from) = part.iter().try_fold(live, |value, key| value.get(*key)) else { return };
    let mut to = object;
    for key in part {
        if to.get(*key).is_none() {
            match to.as_object_mut() {
                Some(map) => drop(map.insert((*key).to_owned(), Value::Object(Map::new()))),
                None => return,
            }
        }
        to = &mut to[*key];
    }
    graft_at(to, from, random);
}

fn graft_at(to: &mut Value, from: &Value, random: &mut Random) {
    match (from, &mut *to) {
        (Value::Object(there), Value::Object(here)) if !there.is_empty() => {
            let (key, value) = there.iter().nth(random.below(there.len())).unwrap();
            match here.get_mut(key) {
                Some(here) if random.below(6) > 0 => graft_at(here, value, random),
                _ => drop(here.insert(key.clone(), value.clone())),
            }
        }
        (Value::Array(there), Value::Array(here)) if !there.is_empty() => {
            let at = random.below(there.len());
            match here.get_mut(at) {
                Some(here) => graft_at(here, &there[at], random),
                None => here.push(there[at].clone()),
            }
        }
        _ => *to = from.clone(),
    }
}
