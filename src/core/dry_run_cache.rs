//! Cached dry-run results of objects that the API server writes down otherwise than they are
//! declared, such as `cpu: 1000m`: applying them is a no-op. That holds until one of the two moves.
//!
//! Data only; [`crate::cluster`] keeps it on this machine, where nothing of an object but a digest
//! is written.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::core::object::Object;

/// Applying this to that changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedNoOp {
    uid: String,
    state: CachedState,
}

/// The object of a cached answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct CachedState {
    /// The live object's resourceVersion.
    version: String,
    /// A digest of what would be sent.
    digest: String,
}

impl CachedNoOp {
    /// That applying `send` changes nothing of `live`; `None` when `live` is not the server's.
    pub fn new(send: &Object, live: &Object) -> Option<Self> {
        let (uid, version) = (live.uid()?.to_owned(), live.resource_version()?.to_owned());
        let mut digest = Sha256::new();
        // The digest tells nothing by itself: the same object elsewhere has another.
        digest.update(uid.as_bytes());
        digest.update(serde_json::to_vec(send).ok()?);
        let digest = URL_SAFE_NO_PAD.encode(digest.finalize());
        Some(Self { uid, state: CachedState { version, digest } })
    }
}

/// The verdicts of one inventory, by uid.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DryRunCache(BTreeMap<String, CachedState>);

impl DryRunCache {
    /// Whether `verdict` was given before.
    pub fn has(&self, verdict: &CachedNoOp) -> bool {
        self.0.get(&verdict.uid) == Some(&verdict.state)
    }
}

impl Extend<CachedNoOp> for DryRunCache {
    fn extend<T: IntoIterator<Item = CachedNoOp>>(&mut self, verdicts: T) {
        self.0.extend(verdicts.into_iter().map(|verdict| (verdict.uid, verdict.state)));
    }
}

#[cfg(test)]
mod tests {
    use crate::core::json::json;

    use super::*;

    fn object(value: crate::core::json::Value) -> Object {
        Object::from(value.as_object().cloned().unwrap())
    }

    #[test]
    fn cached_dry_run_holds_until_manifest_or_live_object_changes() {
        let live = |version: &str| {
            object(json!({ "metadata": { "uid": "u", "resourceVersion": version } }))
        };
        let send = |cpu: &str| object(json!({ "spec": { "cpu": cpu } }));
        let mut verdicts = DryRunCache::default();
        verdicts.extend(CachedNoOp::new(&send("1000m"), &live("1")));
        let text = serde_json::to_string(&verdicts).unwrap();
        let verdicts: DryRunCache = serde_json::from_str(&text).unwrap();
        assert!(verdicts.has(&CachedNoOp::new(&send("1000m"), &live("1")).unwrap()));
        assert!(!verdicts.has(&CachedNoOp::new(&send("1000m"), &live("2")).unwrap()));
        assert!(!verdicts.has(&CachedNoOp::new(&send("2000m"), &live("1")).unwrap()));
        assert_eq!(CachedNoOp::new(&send("1000m"), &object(json!({ "metadata": {} }))), None);
    }
}
