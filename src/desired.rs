//! Manifests + catalog + defaults → [`Desired`]: one manifest for every object that should exist.
//!
//! What can't be wanted (an unknown kind, the same object twice) becomes a [`Problem`] and costs
//! that object only.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalog, Lookup};
use crate::inventory::PART_OF;
use crate::manifest::Manifest;
use crate::object::ObjectKey;
use crate::problem::{Place, Problem};

/// The objects that the target's paths say should exist.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Desired {
    /// Every object with its manifest; namespaces are filled in.
    pub objects: BTreeMap<ObjectKey, Manifest>,
    /// What could not be read or can't be wanted. While there is any, something of the target is
    /// unknown and nothing of it is pruned.
    pub problems: Vec<Problem>,
}

impl Desired {
    /// Sorts out `manifests`: gives each its identity, with `namespace` where a namespaced object
    /// names none, and turns what can't be wanted into problems.
    ///
    /// A namespace on an object of a cluster-scoped kind is dropped, as the API server does
    /// (`EnsureObjectNamespaceMatchesRequestNamespace` in k8s.io/apiserver).
    pub fn new(manifests: Vec<Manifest>, catalog: &Catalog, namespace: &str) -> Self {
        let mut desired = Self::default();
        let mut places: BTreeMap<ObjectKey, Vec<Place>> = BTreeMap::new();
        for mut manifest in manifests {
            let namespaced = match scope(&manifest, catalog) {
                Ok(namespaced) => namespaced,
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
            let key = manifest.object.key();
            places.entry(key.clone()).or_default().push(manifest.origin.place());
            desired.objects.insert(key, manifest);
        }
        desired.refuse_twins(&places);
        desired
    }

    /// Takes out every object that is declared more than once: nobody can say which is meant.
    fn refuse_twins(&mut self, places: &BTreeMap<ObjectKey, Vec<Place>>) {
        for (key, places) in places {
            let [first, others @ ..] = places.as_slice() else { continue };
            for place in others {
                self.objects.remove(key);
                self.problems.push(Problem {
                    place: place.clone(),
                    message: format!("{key} is declared twice, here and at {first}"),
                    excerpt: None,
                    hint: Some(
                        "delete one of the two, or name its file in .trueupignore".to_owned(),
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

/// Whether the manifest's kind is namespaced, or why it can't be wanted.
fn scope(manifest: &Manifest, catalog: &Catalog) -> Result<bool, Problem> {
    let object = &manifest.object;
    let problem = |message: String, hint: Option<String>| Problem {
        place: manifest.origin.place(),
        message,
        excerpt: None,
        hint,
    };
    if object.label(PART_OF).is_some() {
        return Err(problem(
            format!(
                "{} carries the label {PART_OF}, which is an inventory's own mark",
                object.key()
            ),
            Some("take the label out of the manifest; trueup sets it".to_owned()),
        ));
    }
    let (api_version, kind) = (object.api_version(), object.kind());
    match catalog.look_up(&object.group_kind(), object.version()) {
        Lookup::Served(served) => Ok(served.namespaced),
        Lookup::Defined(defined) => Ok(defined.namespaced),
        Lookup::OtherVersions(versions) => Err(problem(
            format!("the cluster has no {kind} in {api_version}"),
            Some(format!("it serves this kind in {}", versions.join(", "))),
        )),
        Lookup::Unknown => Err(problem(
            format!(
                "nobody can say whether the cluster has {kind} in {api_version}: the server behind this API group does not answer"
            ),
            Some(format!("see `kubectl get apiservices` for the group {}", object.group())),
        )),
        Lookup::Nowhere(near) if near.is_empty() => Err(problem(
            format!(
                "the cluster has no kind {kind} in {api_version}, and no CustomResourceDefinition of this commit defines it"
            ),
            Some(
                "add its CustomResourceDefinition to the commit, or name the file in .trueupignore"
                    .to_owned(),
            ),
        )),
        Lookup::Nowhere(near) => Err(problem(
            format!("the cluster has no kind {kind} in {api_version}"),
            Some(format!("did you mean {}?", near.join(" or "))),
        )),
    }
}
