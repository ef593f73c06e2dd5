//! Manifests + catalog + defaults → [`Desired`]: one manifest for every object that should exist.
//!
//! An object that can't be wanted (an unknown kind, the same object twice) becomes a [`Problem`]
//! and costs that object only.

mod scope;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::core::annotations::{self, Mode};
use crate::core::field_rules::{
    FieldRule, Pointer, carry_over, controlled, fields_of, leave, paths_in, settle,
};
use crate::core::inventory::{Inventory, PART_OF, reserved};
use crate::core::json::{Key, Map, Value};
use crate::core::kinds::catalog::Catalog;
use crate::core::managed_fields::conflict::{Conflict, conflicts};
use crate::core::managed_fields::server_metadata::strip;
use crate::core::managed_fields::takeover::hand_over;
use crate::core::manifest::{Manifest, Origin};
use crate::core::moves::Destination;
use crate::core::object::{Object, ObjectKey};
use crate::core::policy::OnConflict;
use crate::core::policy::precedence::{self, SettingLayers};
use crate::core::problem::{Location, Problem};
use crate::core::sops;
use scope::{is_of_no_concern, scope};

/// The objects that the target's paths say should exist.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Desired {
    /// Every object with its manifest; namespaces are filled in.
    pub objects: BTreeMap<ObjectKey, Manifest>,
    /// The objects that could not be read or can't be wanted. While there is any, something of the
    /// target is unknown and nothing of it is pruned.
    pub problems: Vec<Problem>,
    /// The objects of files that an ignore file names, as far as anything live is not desired: an
    /// ignore file deletes nothing.
    pub left_out: BTreeMap<ObjectKey, Origin>,
    /// Objects that are no longer declared, as far as another target of the commit takes them over.
    pub leaving: BTreeMap<ObjectKey, Destination>,
    /// Objects that the server refuses until others of the commit are applied, with those.
    pub after: BTreeMap<ObjectKey, BTreeSet<ObjectKey>>,
    /// Fields that are left as they are in the cluster.
    pub ignore: Vec<FieldRule>,
    /// How to resolve conflicts, as far as objects do not say it themselves.
    pub on_conflict: SettingLayers<OnConflict>,
}

impl Desired {
    /// Sorts out `manifests`: gives each its identity, with `namespace` where a namespaced object
    /// names none, and turns what can't be wanted into problems.
    ///
    /// A namespace on an object of a cluster-scoped kind is dropped, as the API server does
    /// (`EnsureObjectNamespaceMatchesRequestNamespace` in k8s.io/apiserver).
    pub fn new(manifests: Vec<Manifest>, catalog: &Catalog, namespace: &str) -> Self {
        let mut desired = Self::default();
        let mut places: BTreeMap<ObjectKey, Vec<Location>> = BTreeMap::new();
        for mut manifest in manifests {
            if let Some(problem) = reserved::problem(&manifest) {
                desired.problems.push(problem);
                continue;
            }
            if let Some(problem) =
                sops::problem(&manifest).filter(|_| !Mode::ignores(&manifest.object))
            {
                desired.problems.push(problem);
                continue;
            }
            let namespaced = match scope(&manifest, catalog) {
                Ok(namespaced) => namespaced,
                // It may be for another cluster, and nothing is done with it here either.
                Err(_) if is_of_no_concern(&manifest, catalog) => continue,
                Err(problem) => {
                    desired.problems.push(problem);
                    continue;
                }
            };
            let metadata = manifest.object.metadata_mut();
            if !namespaced {
                metadata.remove("namespace");
            } else if metadata.get("namespace").is_none_or(|value| value == "" || value.is_null()) {
                metadata.insert("namespace".to_owned(), namespace.into());
            }
            strip(&mut manifest.object);
            fold_string_data(&mut manifest.object);
            let key = manifest.object.key();
            places.entry(key.clone()).or_default().push(manifest.location());
            desired.objects.insert(key, manifest);
        }
        desired.refuse_twins(&places);
        desired
    }

    /// Makes every object a member of `inventory`: the label is part of what is sent.
    pub fn join(&mut self, inventory: &Inventory) {
        let id = inventory.id();
        for manifest in self.objects.values_mut() {
            manifest.object.set_label(PART_OF, &id);
        }
    }

    /// How to resolve conflicts of an object. Nothing is taken for one with an invalid value.
    pub fn on_conflict(&self, manifest: &Manifest) -> OnConflict {
        let said = annotations::on_conflict(&manifest.object).unwrap_or(Some(OnConflict::Fail));
        precedence::on_conflict(self.on_conflict, said)
    }

    /// Whether what is sent depends on what is live.
    pub fn depends_on_live(&self, key: &ObjectKey, manifest: &Manifest) -> bool {
        !self.ignored_fields(key, manifest).is_empty()
            || self.on_conflict(manifest) == OnConflict::Yield
    }

    /// The fields of an object that stay as they are: those that rules name, and those that are a
    /// controller's by definition.
    pub fn ignored_fields(&self, key: &ObjectKey, manifest: &Manifest) -> Vec<&Pointer> {
        let mut fields = fields_of(&self.ignore, key);
        fields.extend(controlled(&manifest.object).map(|it| &it.field));
        fields
    }

    /// The fields of a manifest that are left to others of whom they are in `live`.
    pub fn left(&self, key: &ObjectKey, manifest: &Manifest, live: &Object) -> Vec<Conflict> {
        if self.on_conflict(manifest) != OnConflict::Yield {
            return Vec::new();
        }
        let live = hand_over(live, &manifest.object).map_or(Cow::Borrowed(live), Cow::Owned);
        conflicts(&self.settled(key, manifest, &live), &live)
    }

    /// The object to send where `live` is there: fields that are ignored, or left to others, stay
    /// as they are.
    pub fn sent<'a>(
        &self,
        key: &ObjectKey,
        manifest: &'a Manifest,
        live: Option<&Object>,
    ) -> Cow<'a, Object> {
        let Some(live) = live.filter(|_| self.depends_on_live(key, manifest)) else {
            return Cow::Borrowed(&manifest.object);
        };
        let handed_over = hand_over(live, &manifest.object);
        let send = self.settled(key, manifest, handed_over.as_ref().unwrap_or(live));
        let left = self.left(key, manifest, live);
        match left.is_empty() {
            true => send,
            false => Cow::Owned(leave(&send, left.iter().map(|conflict| &*conflict.path))),
        }
    }

    /// The object to send that replaces `live`: fields that are ignored, or left to others, as they
    /// were.
    pub fn recreate_manifest<'a>(
        &self,
        key: &ObjectKey,
        manifest: &'a Manifest,
        live: &Object,
    ) -> Cow<'a, Object> {
        if !self.depends_on_live(key, manifest) {
            return Cow::Borrowed(&manifest.object);
        }
        let mut paths = paths_in(&manifest.object, live, &self.ignored_fields(key, manifest));
        paths.extend(self.left(key, manifest, live).into_iter().map(|conflict| conflict.path));
        Cow::Owned(carry_over(&manifest.object, live, &paths))
    }

    fn settled<'a>(
        &self,
        key: &ObjectKey,
        manifest: &'a Manifest,
        live: &Object,
    ) -> Cow<'a, Object> {
        let fields = self.ignored_fields(key, manifest);
        match fields.is_empty() {
            true => Cow::Borrowed(&manifest.object),
            false => Cow::Owned(settle(&manifest.object, live, &fields)),
        }
    }

    /// Takes out every object that is declared more than once: it is ambiguous.
    fn refuse_twins(&mut self, places: &BTreeMap<ObjectKey, Vec<Location>>) {
        for (key, places) in places {
            let [first, others @ ..] = places.as_slice() else { continue };
            for place in others {
                self.objects.remove(key);
                self.problems.push(Problem {
                    place: place.clone(),
                    message: format!("{key} is declared twice, here and at {first}"),
                    excerpt: None,
                    hint: Some(
                        "delete one of the two, or list its file in .trueupignore".to_owned(),
                    ),
                });
            }
        }
    }

    /// The namespaces that the objects live in.
    pub fn namespaces(&self) -> BTreeSet<String> {
        self.objects.keys().filter_map(|key| key.namespace.clone()).collect()
    }
}

/// Moves a Secret's `stringData` into `data`, as the API server would. Left to the server, the
/// field would be ours by name and its values without an owner: a key that leaves `stringData`
/// would stay in the cluster.
fn fold_string_data(object: &mut Object) {
    if (object.api_version(), object.kind()) != ("v1", "Secret") {
        return;
    }
    let Some(Value::Object(texts)) = object.0.get("stringData") else { return };
    // A value that is not a text is the server's to refuse.
    let Some(texts) = texts
        .iter()
        .map(|(key, value)| Some((key.clone(), STANDARD.encode(value.as_str()?).into())))
        .collect::<Option<Vec<(Key, Value)>>>()
    else {
        return;
    };
    let data = object.fields_mut().entry("data").or_insert_with(|| Value::Object(Map::new()));
    if data.is_null() {
        *data = Value::Object(Map::new());
    }
    if let Value::Object(data) = data {
        data.extend(texts);
        object.fields_mut().remove("stringData");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::kinds::catalog::Served;
    use crate::core::object::GroupKind;

    fn catalog() -> Catalog {
        let kinds = [("", "Secret", true), ("", "Namespace", false), ("apps", "Deployment", true)];
        let served = kinds.map(|(group, kind, namespaced)| Served {
            group_kind: GroupKind::new(group, kind),
            version: "v1".to_owned(),
            plural: format!("{}s", kind.to_lowercase()),
            namespaced,
            verbs: Vec::new(),
        });
        let silent = ("metrics.k8s.io/v1".to_owned(), "APIService says so".to_owned());
        Catalog::new(served.to_vec(), [silent].into())
    }

    fn desired(yaml: &str) -> Desired {
        let reading = crate::core::manifest::read("a.yaml", format!("---\n{yaml}").as_bytes());
        assert_eq!(reading.problems, []);
        Desired::new(reading.manifests, &catalog(), "shop")
    }

    fn problem(yaml: &str) -> (String, String) {
        let problem = desired(yaml).problems.remove(0);
        (problem.message, problem.hint.unwrap_or_default())
    }

    #[test]
    fn namespaces_are_filled_in_and_taken_out_by_scope() {
        let desired = desired(
            "{apiVersion: v1, kind: Secret, metadata: {name: a}}\n---\n\
             {apiVersion: v1, kind: Secret, metadata: {name: b, namespace: far}}\n---\n\
             {apiVersion: v1, kind: Namespace, metadata: {name: c, namespace: shop}}\n",
        );
        let keys: Vec<String> = desired.objects.keys().map(ToString::to_string).collect();
        assert_eq!(keys, ["Namespace c", "Secret far/b", "Secret shop/a"]);
    }

    #[test]
    fn string_data_becomes_data() {
        let desired = desired(
            "{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {k: b2xk, l: bA==}, stringData: {k: new}}",
        );
        let secret = &desired.objects.values().next().unwrap().object;
        assert_eq!(secret.0["data"], crate::core::json::json!({ "k": "bmV3", "l": "bA==" }));
        assert!(!secret.0.contains_key("stringData"));
    }

    #[test]
    fn undeclarable_object_has_reason_and_hint() {
        for (yaml, message, hint) in [
            (
                "{apiVersion: v2, kind: Secret, metadata: {name: a}}",
                "the cluster has no Secret in v2",
                "it serves this kind in v1",
            ),
            (
                "{apiVersion: v1, kind: Deployment, metadata: {name: a}}",
                "the cluster has no kind Deployment in v1",
                "did you mean apps/v1/Deployment?",
            ),
            (
                "{apiVersion: metrics.k8s.io/v1, kind: Pods, metadata: {name: a}}",
                "unknown whether the cluster has Pods in metrics.k8s.io/v1: the server behind this API group does not answer: APIService says so",
                "see `kubectl get apiservices` for the group metrics.k8s.io",
            ),
            (
                "{apiVersion: v1, kind: Secret, metadata: {name: a, labels: {applyset.kubernetes.io/part-of: x}}}",
                "Secret a carries the label applyset.kubernetes.io/part-of, which is an inventory's own mark",
                "take the label out of the manifest; trueup sets it",
            ),
        ] {
            assert_eq!(problem(yaml), (message.to_owned(), hint.to_owned()));
        }
    }

    #[test]
    fn duplicate_object_is_excluded() {
        let twice = "{apiVersion: v1, kind: Secret, metadata: {name: a}}\n---\n";
        let desired = desired(&twice.repeat(2));
        assert!(desired.objects.is_empty());
        let message = "Secret shop/a is declared twice, here and at a.yaml:2:1";
        assert_eq!(desired.problems[0].message, message);
    }
}
