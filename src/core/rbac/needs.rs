//! The objects of a target that the rows of the table are about.

use std::collections::{BTreeMap, BTreeSet};

use super::table::About;
use crate::core::annotations::{self, WAIT};
use crate::core::desired::Desired;
use crate::core::health::{HealthAssessor, evidence};
use crate::core::history::history_name;
use crate::core::inventory::Inventory;
use crate::core::kinds::catalog::{Catalog, Lookup, definition, is_crd};
use crate::core::object::{GroupKind, Object, ObjectKey};
use crate::core::status::pod_template;

/// The objects of a target, as far as rights depend on them.
#[derive(Clone, Debug)]
pub struct TargetNeeds {
    /// Its inventory.
    pub inventory: Inventory,
    /// The objects.
    pub objects: Vec<DeclaredObject>,
}

/// A declared object.
#[derive(Clone, Debug)]
pub struct DeclaredObject {
    /// The object.
    pub key: ObjectKey,
    /// Its kind's name in URLs.
    pub plural: String,
    /// Whether it is waited for.
    is_awaited: bool,
    /// Whether waiting looks for pods of it.
    runs_pods: bool,
    /// Whether it is a pod, or has a template of one, so that status looks for pods of it.
    has_template: bool,
    /// The kind that it defines.
    defines: Option<DefinedKind>,
}

#[derive(Clone, Debug)]
struct DefinedKind {
    group: String,
    plural: String,
}

/// Objects of one resource in one scope.
#[derive(Clone, Debug)]
pub(super) struct Need {
    /// `None` for the whole cluster.
    pub(super) namespace: Option<String>,
    pub(super) group: String,
    pub(super) resource: String,
    pub(super) names: BTreeSet<String>,
    /// Whether the names are those of the commit, so that another commit has others.
    pub(super) is_declared: bool,
}

impl Need {
    fn all(namespace: Option<&str>, group: &str, resource: &str) -> Self {
        Self {
            namespace: namespace.map(str::to_owned),
            group: group.to_owned(),
            resource: resource.to_owned(),
            names: BTreeSet::new(),
            is_declared: false,
        }
    }

    fn one(namespace: Option<&str>, group: &str, resource: &str, name: &str) -> Self {
        let names = BTreeSet::from([name.to_owned()]);
        Self { names, ..Self::all(namespace, group, resource) }
    }
}

impl TargetNeeds {
    /// The needs of the objects of a commit; those of kinds that the catalog lacks are left out.
    pub fn new(
        inventory: Inventory,
        desired: &Desired,
        catalog: &Catalog,
        assessor: &HealthAssessor,
    ) -> Self {
        let objects = desired.objects.iter().filter_map(|(key, manifest)| {
            let object = &manifest.object;
            if annotations::Mode::ignores(object) {
                return None;
            }
            let Lookup::Served(served) = catalog.lookup(&key.group_kind(), object.version()) else {
                return None;
            };
            let is_awaited = annotations::flag(object, WAIT) != Some(false)
                && !assessor.is_ready_once_applied(key, Some(object));
            Some(DeclaredObject {
                key: key.clone(),
                plural: served.plural.clone(),
                is_awaited,
                runs_pods: is_awaited && runs_pods(key, object),
                has_template: pod_template(object).is_some(),
                defines: is_crd(key).then(|| defined(object)).flatten(),
            })
        });
        Self { inventory, objects: objects.collect() }
    }

    /// The namespaces that the record names: its own, and those of the objects.
    pub fn namespaces(&self) -> BTreeSet<&str> {
        let of_objects = self.objects.iter().filter_map(|it| it.key.namespace.as_deref());
        of_objects.chain([self.inventory.namespace.as_str()]).collect()
    }

    /// The needs that a row is about.
    pub(super) fn of(&self, about: About) -> Vec<Need> {
        let Inventory { name, namespace } = &self.inventory;
        let home = Some(namespace.as_str());
        let awaited = || self.objects.iter().filter(|it| it.is_awaited);
        let with_pods = || self.objects.iter().filter(|it| it.runs_pods);
        let place = |it: &DeclaredObject| it.key.namespace.clone();
        match about {
            About::Cluster => vec![Need::one(None, "", "namespaces", "kube-system")],
            About::Record => vec![Need::one(home, "", "configmaps", name)],
            About::Records => vec![Need::all(home, "", "configmaps")],
            About::History => {
                let history = history_name(&self.inventory);
                vec![Need::one(home, "", "configmaps", &history)]
            }
            About::RoundEvents => vec![Need::all(home, "", "events")],
            About::Lease => vec![Need::one(home, "coordination.k8s.io", "leases", name)],
            About::Declared => self.declared(),
            About::Kinds => self.kinds(),
            About::Awaited => {
                let all = |it: &DeclaredObject| {
                    Need::all(it.key.namespace.as_deref(), &it.key.group, &it.plural)
                };
                awaited().map(all).collect()
            }
            About::Pods => {
                in_each(with_pods().filter(|it| !is_pod(&it.key)).map(place), "", "pods")
            }
            About::Templates => {
                let templates = self.objects.iter().filter(|it| it.has_template);
                in_each(templates.map(place), "", "pods")
            }
            About::Logs => in_each(with_pods().map(place), "", "pods/log"),
            About::ReplicaSets => {
                let deployments = with_pods().filter(|it| it.key.kind == "Deployment");
                in_each(deployments.map(place), "apps", "replicasets")
            }
            About::Events => {
                // Events about what is in no namespace are in this one.
                let place = |it| place(it).or_else(|| Some("default".to_owned()));
                in_each(awaited().map(place), "", "events")
            }
            About::StorageClasses => {
                let is_claim = |it: &&DeclaredObject| {
                    (it.key.group.as_str(), it.key.kind.as_str()) == ("", "PersistentVolumeClaim")
                };
                let everywhere = awaited().filter(is_claim).map(|_| None);
                in_each(everywhere, "storage.k8s.io", "storageclasses")
            }
            About::Instances => {
                let defined = self.objects.iter().filter_map(|it| it.defines.as_ref());
                defined.map(|kind| Need::all(None, &kind.group, &kind.plural)).collect()
            }
        }
    }

    fn declared(&self) -> Vec<Need> {
        let one = |it: &DeclaredObject| {
            let ObjectKey { group, namespace, name, .. } = &it.key;
            let need = Need::one(namespace.as_deref(), group, &it.plural, name);
            Need { is_declared: true, ..need }
        };
        self.objects.iter().map(one).collect()
    }

    fn kinds(&self) -> Vec<Need> {
        let kinds = self.objects.iter().map(|it| (it.key.group_kind(), it));
        let kinds: BTreeMap<GroupKind, &DeclaredObject> = kinds.collect();
        let namespaces = self.namespaces();
        let mut needs = Vec::new();
        for DeclaredObject { key, plural, .. } in kinds.into_values() {
            match key.namespace {
                None => needs.push(Need::all(None, &key.group, plural)),
                Some(_) => needs.extend(
                    namespaces.iter().map(|place| Need::all(Some(place), &key.group, plural)),
                ),
            }
        }
        needs
    }
}

/// All objects of a resource, in each of some scopes.
fn in_each(scopes: impl Iterator<Item = Option<String>>, group: &str, resource: &str) -> Vec<Need> {
    let scopes: BTreeSet<Option<String>> = scopes.collect();
    scopes.iter().map(|scope| Need::all(scope.as_deref(), group, resource)).collect()
}

fn is_pod(key: &ObjectKey) -> bool {
    (key.group.as_str(), key.kind.as_str()) == ("", "Pod")
}

/// Whether trueup looks for pods of an object. The selector of a Job is the server's.
fn runs_pods(key: &ObjectKey, object: &Object) -> bool {
    let runs = ["apps", "batch", "extensions", ""].contains(&key.group.as_str());
    let is_job = (key.group.as_str(), key.kind.as_str()) == ("batch", "Job");
    runs && (is_pod(key) || is_job || evidence::selector(object).is_some())
}

fn defined(object: &Object) -> Option<DefinedKind> {
    let (kind, defined) = definition(object)?;
    Some(DefinedKind { group: kind.group, plural: defined.plural })
}
