//! The objects of a target's commit, as the rights on them need to know them: without a cluster where
//! their kinds' names in URLs are known.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{Declared, Error, Target, declare, defined_by_others};
use crate::core::annotations::Mode;
use crate::core::desired::Desired;
use crate::core::health::HealthAssessor;
use crate::core::kinds::catalog::{Catalog, Served, is_namespace};
use crate::core::kinds::manual::Manual;
use crate::core::kinds::schemas::Schemas;
use crate::core::manifest::Manifest;
use crate::core::object::{GroupKind, ObjectKey};
use crate::core::problem::{Location, Problem};
use crate::core::rbac::TargetNeeds;
use crate::core::redact::Redactor;
use crate::core::source::snapshot::Revision;
use crate::git::Checkout;
use crate::local::schema_folder::SchemaFileError;
use crate::local::{manual_folder, schema_folder};

/// The names of kinds in URLs, and their scopes.
pub struct KindNames {
    manual: Manual,
    schemas: Schemas,
    /// The kinds of a cluster, where it was asked.
    catalog: Option<Catalog>,
}

/// A kind whose name in URLs is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownKind {
    /// The kind in its version, such as `Issuer in cert-manager.io/v1`.
    pub kind: String,
    /// The first object of it.
    pub place: Location,
}

/// A target's commit, as far as rights depend on it.
pub struct TargetRights {
    /// The objects.
    pub needs: TargetNeeds,
    /// The commit.
    pub revision: Revision,
    /// Problems of what could not be read, with their Secrets masked by `redactor`.
    pub problems: Vec<Problem>,
    /// Masks Secrets.
    pub redactor: Redactor,
    /// Kinds that the roles lack.
    pub unknown: Vec<UnknownKind>,
    /// Roles and bindings of the commit: to write them takes the rights in them.
    pub escalating: Vec<(ObjectKey, Location)>,
    /// Namespaces of the commit, in which Roles can't be before the namespace is.
    pub namespaces: BTreeSet<String>,
}

impl KindNames {
    /// Those of a release of Kubernetes; `None` where trueup does not have it.
    pub fn of(release: &str) -> Option<Self> {
        Some(Self { manual: Manual::of(release)?, schemas: Schemas::of(release)?, catalog: None })
    }

    /// Adds the kinds of a cluster.
    pub fn add_catalog(&mut self, catalog: Catalog) {
        self.catalog = Some(catalog);
    }

    /// Adds the definitions of a commit.
    fn define(&mut self, manifests: &[Manifest]) {
        for Manifest { object, origin, .. } in manifests {
            self.manual.define(object, &origin.path);
            self.schemas.define_unknown(object);
        }
    }

    /// Adds the kinds that a folder has schemas of.
    ///
    /// # Errors
    ///
    /// When one of its files can't be read.
    pub fn add_folder(
        &mut self,
        folder: &Path,
        kinds: &[(GroupKind, String)],
    ) -> Result<(), SchemaFileError> {
        schema_folder::add(&mut self.schemas, folder, kinds)?;
        let add = |(kind, _): &(GroupKind, String)| {
            manual_folder::add(&mut self.manual, folder, &kind.kind.to_lowercase())
        };
        kinds.iter().try_for_each(add)
    }

    /// A kind as it is served; `None` where that is unknown.
    fn served(&self, kind: &GroupKind, version: &str) -> Option<Served> {
        if let Some(served) = self.catalog.as_ref().and_then(|catalog| catalog.preferred(kind)) {
            return Some(Served { version: version.to_owned(), ..served.clone() });
        }
        Some(Served {
            group_kind: kind.clone(),
            version: version.to_owned(),
            plural: self.manual.plural_of(kind)?.to_owned(),
            namespaced: self.schemas.is_namespaced(kind)?,
            verbs: Vec::new(),
        })
    }
}

/// The kinds of some objects, each with its first place.
fn kinds(manifests: &[Manifest]) -> BTreeMap<(GroupKind, String), Location> {
    let mut kinds = BTreeMap::new();
    for manifest in manifests.iter().filter(|it| !Mode::ignores(&it.object)) {
        let object = &manifest.object;
        let kind = (object.group_kind(), object.version().to_owned());
        kinds.entry(kind).or_insert_with(|| manifest.location());
    }
    kinds
}

/// Reads a target's commit and finds out what rights its objects need. Folders with schemas may know
/// kinds that nothing else knows.
///
/// # Errors
///
/// When git can't be read, or a folder can't.
pub async fn rights(
    target: &Target,
    checkout: &Checkout,
    names: &mut KindNames,
    folders: &[std::path::PathBuf],
) -> Result<Result<TargetRights, SchemaFileError>, Error> {
    let Declared { revision, manifests, problems, inputs, .. } = declare(target, checkout).await?;
    names.define(&manifests);
    let kinds = kinds(&manifests);
    let unknown = |names: &KindNames| -> Vec<(GroupKind, String)> {
        let is_unknown =
            |(kind, version): &&(GroupKind, String)| names.served(kind, version).is_none();
        kinds.keys().filter(is_unknown).cloned().collect()
    };
    let wanted: BTreeSet<GroupKind> = unknown(names).into_iter().map(|(kind, _)| kind).collect();
    if !wanted.is_empty() && !target.others.is_empty() {
        for definition in defined_by_others(target, checkout, &revision, wanted).await? {
            names.manual.define(&definition, "");
            names.schemas.define_unknown(&definition);
        }
    }
    for folder in folders {
        if let Err(error) = names.add_folder(folder, &unknown(names)) {
            return Ok(Err(error));
        }
    }
    let unknown: Vec<UnknownKind> = unknown(names)
        .into_iter()
        .map(|kind| {
            let place = kinds[&kind].clone();
            let (GroupKind { group, kind }, version) = kind;
            let api_version = if group.is_empty() { version } else { format!("{group}/{version}") };
            UnknownKind { kind: format!("{kind} in {api_version}"), place }
        })
        .collect();
    let served = kinds.keys().filter_map(|(kind, version)| names.served(kind, version));
    let catalog = Catalog::new(served.collect(), BTreeMap::new());
    let objects = manifests.iter().map(|manifest| &manifest.object);
    let redactor = Redactor::with_rules(objects, &target.redact, &inputs);
    let desired = match unknown.is_empty() {
        true => Desired::new(manifests, &catalog, &target.namespace),
        false => Desired::default(),
    };
    let problems = problems.into_iter().chain(desired.problems.iter().cloned()).collect();
    let assessor = HealthAssessor { rules: target.health.clone(), ..HealthAssessor::default() };
    let inventory = target.inventory.clone();
    let escalating = desired.objects.iter().filter(|(key, _)| is_of_rbac(key));
    let escalating = escalating.map(|(key, manifest)| (key.clone(), manifest.location()));
    let namespaces = desired.objects.keys().filter(|key| is_namespace(key));
    Ok(Ok(TargetRights {
        escalating: escalating.collect(),
        namespaces: namespaces.map(|key| key.name.clone()).collect(),
        needs: TargetNeeds::new(inventory, &desired, &catalog, &assessor),
        revision,
        problems,
        redactor,
        unknown,
    }))
}

fn is_of_rbac(key: &ObjectKey) -> bool {
    let kinds = ["Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"];
    key.group == "rbac.authorization.k8s.io" && kinds.contains(&key.kind.as_str())
}
