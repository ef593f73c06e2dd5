//! The inventory as an ApplySet (KEP-3659, as kubectl's `pkg/cmd/apply/applyset.go` implements it):
//! its identity, and its parent object. What the parent says is [`record`]'s, and which objects no
//! manifest may declare is [`reserved`]'s; which Jobs are done and gone is [`finished`]'s.
//!
//! Data and rules only; [`crate::cluster`] reads and writes the parent object.

mod finished;
mod record;
pub mod reserved;
mod siblings;

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use self::finished::{Finished, is_short_lived};
pub use self::record::{InventorySource, Record, ReleaseHistory, TimedCommit};
pub use self::siblings::{AllInventories, Siblings};
use crate::core::json::json;
use crate::core::modes::Holding;
use crate::core::object::{GroupKind, Object, ObjectKey};
use crate::core::remedy::Remedy;

/// Label on every member: the id of the set it is part of.
pub const PART_OF: &str = "applyset.kubernetes.io/part-of";
/// Label on the parent: the set's id.
pub const ID: &str = "applyset.kubernetes.io/id";
/// Annotation on the parent: the tool that owns the set, as `name/version`.
const TOOLING: &str = "applyset.kubernetes.io/tooling";
/// Annotation on the parent: the members' kinds.
const KINDS: &str = "applyset.kubernetes.io/contains-group-kinds";
/// Annotation on the parent: the members' namespaces other than the parent's own.
const NAMESPACES: &str = "applyset.kubernetes.io/additional-namespaces";
/// Annotation on the parent: the id of the repository's first commit.
const REPOSITORY: &str = "trueup.dev/repository";
/// Annotation on the parent: the name under which `trueup.yaml` declares the target.
const TARGET: &str = "trueup.dev/target";
/// Annotation on the parent: the target's paths.
const PATHS: &str = "trueup.dev/paths";
/// Annotation on the parent: the commit that was last made true in full.
const REVISION: &str = "trueup.dev/revision";
/// Annotation on the parent: the branch or tag that led to it, where the target tracks one.
const TRACKED: &str = "trueup.dev/ref";
/// Annotation on the parent: that the commit was applied though it was not verified.
const UNVERIFIED: &str = "trueup.dev/unverified";
/// Annotation on the parent: who made that commit true.
const APPLIED_BY: &str = "trueup.dev/applied-by";
/// Annotation on the parent: when.
const APPLIED_AT: &str = "trueup.dev/applied-at";
/// Annotation on the parent: the commit that was last seen healthy in full.
const HEALTHY: &str = "trueup.dev/healthy-revision";
/// Annotation on the parent: when that was first seen.
const HEALTHY_AT: &str = "trueup.dev/healthy-at";
/// Annotation on the parent: the commit that was taken back because it failed.
const FAILED: &str = "trueup.dev/failed-revision";
/// Annotation on the parent: how many objects there were before what is not finished was begun.
const OBJECTS: &str = "trueup.dev/objects-before";
/// Annotation on the parent: the Jobs that were run and may be gone, with digests.
const FINISHED: &str = "trueup.dev/finished-jobs";

/// The name that a set's tooling annotation starts with when it is ours.
const TOOL: &str = "trueup";

/// Which inventory: the parent object's name and namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "purpose_inventory"))]
#[serde(deny_unknown_fields)]
pub struct Inventory {
    /// Name of the parent ConfigMap.
    pub name: String,
    /// Namespace of the parent ConfigMap.
    pub namespace: String,
}

impl Inventory {
    /// The parent's identity.
    pub fn key(&self) -> ObjectKey {
        ObjectKey {
            group: String::new(),
            kind: "ConfigMap".to_owned(),
            namespace: Some(self.namespace.clone()),
            name: self.name.clone(),
        }
    }

    /// The set's id, which its members carry as a label.
    pub fn id(&self) -> String {
        applyset_id(&self.key())
    }

    /// The parent object that says `record`.
    pub fn parent(&self, record: &Record) -> Object {
        let namespaces = record.namespaces.iter().filter(|name| **name != self.namespace);
        let mut annotations = json!({
            TOOLING: format!("{TOOL}/v{}", env!("CARGO_PKG_VERSION")),
            KINDS: join(record.kinds.iter().map(ToString::to_string)),
            NAMESPACES: join(namespaces.cloned()),
            REPOSITORY: record.repository,
            PATHS: join(record.paths.iter().cloned()),
        });
        if let Some(target) = &record.target {
            annotations[TARGET] = target.as_str().into();
        }
        if let Some(revision) = &record.revision {
            annotations[REVISION] = revision.as_str().into();
        }
        if let Some(tracked) = &record.tracked {
            annotations[TRACKED] = tracked.as_str().into();
        }
        if record.is_unverified {
            annotations[UNVERIFIED] = "true".into();
        }
        let ReleaseHistory { applied, healthy, failed, objects } = &record.past;
        let marks = [(applied, APPLIED_BY, APPLIED_AT), (healthy, HEALTHY, HEALTHY_AT)];
        for (mark, what, at) in marks {
            if let Some(mark) = mark {
                annotations[what] = mark.what.as_str().into();
                annotations[at] = format!("{:.0}", mark.at).into();
            }
        }
        if let Some(failed) = failed {
            annotations[FAILED] = failed.as_str().into();
        }
        if let Some(objects) = objects {
            annotations[OBJECTS] = objects.to_string().into();
        }
        if let Some(finished) = record.finished.text() {
            annotations[FINISHED] = finished.into();
        }
        let parent = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": self.name,
                "namespace": self.namespace,
                "labels": { ID: self.id() },
                "annotations": annotations,
            },
        });
        Object::from(parent.as_object().cloned().unwrap_or_default())
    }

    /// Reads the record off the live parent.
    ///
    /// # Errors
    ///
    /// When the object is not this set's parent, or another tool's.
    pub fn read(&self, parent: &Object) -> Result<Record, ParentError> {
        let whose = || self.key().path();
        let tool = parent.annotation(TOOLING).unwrap_or_default();
        match (parent.label(ID), tool.split_once('/').map_or(tool, |(name, _)| name)) {
            (None, "") => return Err(ParentError::NotAParent { parent: whose() }),
            (_, name) if name != TOOL => {
                return Err(ParentError::OtherTool { parent: whose(), tool: tool.to_owned() });
            }
            (id, _) if id != Some(self.id().as_str()) => {
                return Err(ParentError::OtherId { parent: whose() });
            }
            _ => {}
        }
        let list = |key: &str| parent.annotation(key).map(split);
        let kinds = list(KINDS).ok_or_else(|| ParentError::NoKinds { parent: whose() })?;
        let mut namespaces: BTreeSet<String> = list(NAMESPACES).unwrap_or_default();
        namespaces.insert(self.namespace.clone());
        let mark = |what: &str, at: &str| {
            let at = parent.annotation(at).and_then(|at| at.parse().ok());
            let at = at.unwrap_or(Timestamp::UNIX_EPOCH);
            parent.annotation(what).map(|what| TimedCommit { what: what.to_owned(), at })
        };
        let past = ReleaseHistory {
            applied: mark(APPLIED_BY, APPLIED_AT),
            healthy: mark(HEALTHY, HEALTHY_AT),
            failed: parent.annotation(FAILED).map(str::to_owned),
            objects: parent.annotation(OBJECTS).and_then(|count| count.parse().ok()),
        };
        Ok(Record {
            kinds: kinds.iter().map(|kind| GroupKind::parse(kind)).collect(),
            namespaces,
            repository: parent.annotation(REPOSITORY).unwrap_or_default().to_owned(),
            target: parent.annotation(TARGET).map(str::to_owned),
            paths: list(PATHS).unwrap_or_default(),
            revision: parent.annotation(REVISION).map(str::to_owned),
            tracked: parent.annotation(TRACKED).map(str::to_owned),
            is_unverified: parent.annotation(UNVERIFIED) == Some("true"),
            past,
            finished: parent.annotation(FINISHED).map(Finished::read).unwrap_or_default(),
            holding: Holding::read(parent),
        })
    }
}

/// Why an object can't be this inventory's parent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParentError {
    /// An ordinary ConfigMap.
    #[error("ConfigMap {parent} exists and is not an inventory")]
    NotAParent {
        /// Its namespace and name.
        parent: String,
    },
    /// Another tool's ApplySet.
    #[error("ConfigMap {parent} is the ApplySet of another tool, {tool:?}")]
    OtherTool {
        /// Its namespace and name.
        parent: String,
        /// The value of its tooling annotation.
        tool: String,
    },
    /// A parent whose id is not the one that its name and namespace give.
    #[error("ConfigMap {parent} carries the id of another ApplySet")]
    OtherId {
        /// Its namespace and name.
        parent: String,
    },
    /// A parent that does not say which kinds it has.
    #[error("ConfigMap {parent} lacks the annotation {KINDS}, so its members can't be found")]
    NoKinds {
        /// Its namespace and name.
        parent: String,
    },
}

impl ParentError {
    /// The remedy.
    pub fn hint(&self) -> Remedy {
        match self {
            Self::NotAParent { .. } | Self::OtherTool { .. } => Remedy::OtherInventory,
            Self::OtherId { parent } | Self::NoKinds { parent } => {
                Remedy::RestoreRecord { parent: parent.clone() }
            }
        }
    }
}

/// An ApplySet's id: `applyset-<base64url(sha256("<name>.<namespace>.<kind>.<group>"))>-v1`.
fn applyset_id(parent: &ObjectKey) -> String {
    let ObjectKey { group, kind, namespace, name } = parent;
    let text = format!("{name}.{}.{kind}.{group}", namespace.as_deref().unwrap_or_default());
    format!("applyset-{}-v1", URL_SAFE_NO_PAD.encode(Sha256::digest(text)))
}

/// Sorted as text, which is how kubectl writes these lists.
fn join(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(",")
}

fn split(text: &str) -> BTreeSet<String> {
    if text.is_empty() { BTreeSet::new() } else { text.split(',').map(str::to_owned).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(group: &str, kind: &str, namespace: Option<&str>, name: &str) -> ObjectKey {
        ObjectKey {
            group: group.to_owned(),
            kind: kind.to_owned(),
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        }
    }

    /// The vectors of kubectl's own tests.
    #[test]
    fn ids_are_those_that_kubectl_computes() {
        for (parent, id) in [
            (
                key("", "Secret", Some("test"), "my-set"),
                "applyset-0eFHV8ySqp7XoShsGvyWFQD3s96yqwHmzc4e0HR1dsY-v1",
            ),
            (
                key("company.com", "ApplySet", None, "my-set"),
                "applyset-rhp1a-HVAVT_dFgyEygyA1BEB82HPp2o10UiFTpqtAs-v1",
            ),
        ] {
            assert_eq!(applyset_id(&parent), id);
        }
    }

    fn record(kinds: &[&str], namespaces: &[&str]) -> Record {
        Record {
            kinds: kinds.iter().map(|kind| GroupKind::parse(kind)).collect(),
            namespaces: namespaces.iter().map(ToString::to_string).collect(),
            repository: "4f2c1a9".to_owned(),
            target: Some("prod".to_owned()),
            paths: BTreeSet::from([".".to_owned()]),
            revision: Some("8be01d3".to_owned()),
            tracked: Some("release".to_owned()),
            is_unverified: true,
            past: ReleaseHistory::default(),
            finished: Finished::default(),
            holding: Holding::default(),
        }
    }

    fn inventory() -> Inventory {
        Inventory { name: "shop".to_owned(), namespace: "default".to_owned() }
    }

    #[test]
    fn a_record_survives_its_parent() {
        let mut written = record(&["Deployment.apps", "ConfigMap"], &["default", "shop"]);
        let mark = |what: &str| {
            Some(TimedCommit { what: what.to_owned(), at: "2026-03-01T12:00:00Z".parse().unwrap() })
        };
        let failed = Some("77ab310".to_owned());
        written.past = ReleaseHistory {
            applied: mark("user@host"),
            healthy: mark("4f2c1a9"),
            failed,
            objects: Some(12),
        };
        let parent = inventory().parent(&written);
        assert_eq!(parent.annotation(KINDS), Some("ConfigMap,Deployment.apps"));
        assert_eq!(parent.annotation(NAMESPACES), Some("shop"));
        assert_eq!(inventory().read(&parent), Ok(written));
    }

    #[test]
    fn claim_covers_old_and_new_kinds_and_namespaces() {
        let before = record(&["ConfigMap"], &["old"]);
        let mut wanted = record(&["Service"], &["new"]);
        wanted.revision = Some("later".to_owned());
        let claim = Record::claim(Some(&before), &wanted);
        assert_eq!(claim.kinds, record(&["ConfigMap", "Service"], &[]).kinds);
        assert_eq!(claim.namespaces, record(&[], &["new", "old"]).namespaces);
        assert_eq!(claim.revision, before.revision);
        assert_eq!(Record::claim(None, &wanted).revision, None);
    }

    #[test]
    fn a_commit_is_noted_as_healthy_once_and_ends_what_failed_before_it() {
        let now = Timestamp::UNIX_EPOCH;
        let mut first = record(&["ConfigMap"], &[]);
        first.past.failed = Some("77ab310".to_owned());
        let healthy = first.healthy(now).unwrap();
        assert_eq!(healthy.past.healthy, Some(TimedCommit { what: "8be01d3".to_owned(), at: now }));
        assert_eq!(healthy.past.failed, None);
        assert_eq!(healthy.healthy(now), None);
        let dirty = Record { revision: Some("8be01d3-dirty".to_owned()), ..first };
        assert_eq!(dirty.healthy(now), None);
    }

    #[test]
    fn failed_revision_is_kept_until_it_is_retried() {
        let mut before = record(&["ConfigMap"], &[]);
        before.past.failed = Some("77ab310".to_owned());
        let mut other = record(&["ConfigMap"], &[]);
        other.remember(Some(&before));
        assert_eq!(other.past.failed.as_deref(), Some("77ab310"));
        let mut again = Record { revision: before.past.failed.clone(), ..other };
        again.remember(Some(&before));
        assert_eq!(again.past.failed, None);
        assert_eq!(Record::claim(Some(&before), &again).past, before.past);
    }

    #[test]
    fn foreign_parent_is_refused() {
        let ours = inventory().parent(&record(&["ConfigMap"], &[]));
        let set = |change: &dyn Fn(&mut crate::core::json::Map)| {
            let mut parent = ours.clone();
            change(parent.metadata_mut());
            inventory().read(&parent).unwrap_err()
        };
        let parent = "default/shop".to_owned();
        let bare = set(&|metadata| {
            metadata.remove("labels");
            metadata.remove("annotations");
        });
        assert_eq!(bare, ParentError::NotAParent { parent: parent.clone() });
        let other = set(&|metadata| metadata["annotations"][TOOLING] = "kubectl/v1.36".into());
        let tool = "kubectl/v1.36".to_owned();
        assert_eq!(other, ParentError::OtherTool { parent: parent.clone(), tool });
        let copied = set(&|metadata| metadata["labels"][ID] = "applyset-x-v1".into());
        assert_eq!(copied, ParentError::OtherId { parent: parent.clone() });
        let edited =
            set(&|metadata| metadata["annotations"][KINDS] = crate::core::json::Value::Null);
        assert_eq!(edited, ParentError::NoKinds { parent });
    }
}
