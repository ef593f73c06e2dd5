//! Jobs that are done and gone: `ttlSecondsAfterFinished` takes a Job away once it has ended, and
//! it would be missing, made and run again for ever. So the inventory's record remembers of each by
//! a digest which declaration was run, until git declares another one, or none.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::core::object::{Object, ObjectKey};

/// How many Jobs a record remembers: an object's annotations have 256 KiB together.
const MOST: usize = 500;
/// How many bytes of a digest are kept.
const LENGTH: usize = 16;

/// The Jobs that were run, each with a digest of the declaration that was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finished(BTreeMap<ObjectKey, String>);

impl Finished {
    /// Whether this declaration of an object was run.
    pub fn has(&self, key: &ObjectKey, declared: &Object) -> bool {
        self.0.get(key).is_some_and(|known| digest(key, declared).as_ref() == Some(known))
    }

    /// Remembers that this declaration of an object was run, if it is a Job that goes by itself and
    /// there is room.
    pub fn note(&mut self, key: &ObjectKey, declared: &Object) {
        if let Some(digest) = digest(key, declared)
            && (self.0.len() < MOST || self.0.contains_key(key))
        {
            self.0.insert(key.clone(), digest);
        }
    }

    /// The Jobs.
    pub fn keys(&self) -> impl Iterator<Item = &ObjectKey> {
        self.0.keys()
    }

    /// Forgets all that are not `wanted`.
    pub fn retain(&mut self, wanted: impl Fn(&ObjectKey) -> bool) {
        self.0.retain(|key, _| wanted(key));
    }

    /// As an annotation has it; `None` where there are none.
    pub(super) fn text(&self) -> Option<String> {
        let all: BTreeMap<String, &String> =
            self.0.iter().map(|(key, digest)| (key.path(), digest)).collect();
        serde_json::to_string(&all).ok().filter(|_| !all.is_empty())
    }

    /// Reads an annotation. What can't be understood counts for nothing: a Job runs once more then.
    pub(super) fn read(text: &str) -> Self {
        let all: BTreeMap<String, String> = serde_json::from_str(text).unwrap_or_default();
        let job = |(path, digest): (String, String)| {
            let (namespace, name) = path.split_once('/')?;
            let key = ObjectKey {
                group: "batch".to_owned(),
                kind: "Job".to_owned(),
                namespace: Some(namespace.to_owned()),
                name: name.to_owned(),
            };
            Some((key, digest))
        };
        Self(all.into_iter().take(MOST).filter_map(job).collect())
    }
}

/// Whether an object goes by itself once it has done what it is for.
pub fn is_short_lived(key: &ObjectKey, declared: &Object) -> bool {
    let spec = declared.0.get("spec");
    let ttl = spec.and_then(|spec| spec.get("ttlSecondsAfterFinished"));
    (key.group.as_str(), key.kind.as_str()) == ("batch", "Job")
        && ttl.is_some_and(|it| !it.is_null())
}

/// The digest of a declaration; `None` where the object stays when it has ended.
fn digest(key: &ObjectKey, declared: &Object) -> Option<String> {
    if !is_short_lived(key, declared) {
        return None;
    }
    let text = serde_json::to_vec(declared).ok()?;
    Some(URL_SAFE_NO_PAD.encode(&Sha256::digest(text)[..LENGTH]))
}

#[cfg(test)]
mod tests {
    use crate::core::json::json;

    use super::*;

    fn job(name: &str, ttl: crate::core::json::Value) -> (ObjectKey, Object) {
        let object = json!({
            "apiVersion": "batch/v1", "kind": "Job",
            "metadata": { "name": name, "namespace": "shop" },
            "spec": { "ttlSecondsAfterFinished": ttl },
        });
        let object = Object::from(object.as_object().cloned().unwrap_or_default());
        (object.key(), object)
    }

    #[test]
    fn a_declaration_is_known_until_it_changes_and_survives_its_annotation() {
        let mut finished = Finished::default();
        let (key, declared) = job("migrate", json!(60));
        finished.note(&key, &declared);
        let read = Finished::read(&finished.text().unwrap_or_default());
        assert_eq!(read, finished);
        assert!(read.has(&key, &declared));
        assert!(!read.has(&key, &job("migrate", json!(61)).1));
        for odd in ["", "[]", "{\"a\": 1}", "{\"no-path\": \"x\"}"] {
            assert_eq!(Finished::read(odd), Finished::default(), "{odd}");
        }
    }

    #[test]
    fn finished_jobs_remembered_are_limited() {
        let mut finished = Finished::default();
        let (key, declared) = job("stays", json!(null));
        finished.note(&key, &declared);
        assert_eq!(finished, Finished::default());
        for n in 0..2 * MOST {
            let (key, declared) = job(&format!("job-{n}"), json!(0));
            finished.note(&key, &declared);
        }
        assert_eq!(finished.keys().count(), MOST);
    }
}
