//! Which kinds exist, in which versions and scope: what the API server serves, and what the
//! CustomResourceDefinitions and APIServices of the commit itself bring.
//!
//! Data only; [`crate::cluster`] fills it from discovery.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::core::json::Value;
use crate::core::object::{GroupKind, Object, ObjectKey};

/// The kind that defines kinds.
pub const CRD: (&str, &str) = ("apiextensions.k8s.io", "CustomResourceDefinition");

/// Whether an object is a CustomResourceDefinition.
pub fn is_crd(key: &ObjectKey) -> bool {
    (key.group.as_str(), key.kind.as_str()) == CRD
}

/// Whether an object is an APIService.
pub fn is_api_service(key: &ObjectKey) -> bool {
    (key.group.as_str(), key.kind.as_str()) == ("apiregistration.k8s.io", "APIService")
}

/// Whether an object is a Namespace.
pub fn is_namespace(key: &ObjectKey) -> bool {
    (key.group.as_str(), key.kind.as_str()) == ("", "Namespace")
}

/// A kind as the API server serves it in one version, with what a request's URL needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// The kind with its group.
    pub group_kind: GroupKind,
    /// The version, such as `v1`.
    pub version: String,
    /// The resource's name in URLs, such as `deployments`.
    pub plural: String,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// Its verbs, such as `list` and `patch`.
    pub verbs: Vec<String>,
}

impl Served {
    /// The kind of the definitions themselves.
    pub fn definitions() -> Self {
        Self {
            group_kind: GroupKind::new(CRD.0, CRD.1),
            version: "v1".to_owned(),
            plural: "customresourcedefinitions".to_owned(),
            namespaced: false,
            verbs: Vec::new(),
        }
    }

    /// Whether its objects can be listed, as far as is known.
    pub fn can_be_listed(&self) -> bool {
        self.verbs.is_empty() || self.verbs.iter().any(|verb| verb == "list")
    }
}

/// A kind that a CustomResourceDefinition of the commit defines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defined {
    /// The definition.
    pub by: ObjectKey,
    /// The versions that it serves.
    pub versions: Vec<String>,
    /// The resource's name in URLs.
    pub plural: String,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
}

/// A CustomResourceDefinition that another target of `trueup.yaml` declares at the same commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefinedElsewhere {
    /// The target's name.
    pub target: String,
    /// The definition's file.
    pub path: String,
    /// The versions that it serves.
    pub versions: Vec<String>,
}

/// The knowledge about one kind in one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup<'a> {
    /// The API server serves it.
    Served(&'a Served),
    /// It will be served once a definition of this commit is established.
    Defined(&'a Defined),
    /// It may be served once the server answers that an APIService of this commit leads to.
    Promised(AnnouncedKind<'a>),
    /// The kind exists, but not in this version; these are served.
    OtherVersions(Vec<String>),
    /// The group's server does not answer, so the kind is unknown; why it does not.
    Unknown(&'a str),
    /// Nothing defines it; kinds with nearly this name, as `apiVersion/Kind`.
    Nowhere(Vec<String>),
}

/// A kind of a server that does not answer yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnnouncedKind<'a> {
    /// The APIService that leads to the server.
    pub by: &'a ObjectKey,
    /// The knowledge from times when the server answered.
    pub known: Option<&'a Served>,
    /// Why the server does not answer; `None` where there is no APIService yet.
    pub silence: Option<&'a str>,
}

/// Every kind that is served, and every kind that the commit defines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalog {
    /// Versions of each kind, the preferred one first.
    served: BTreeMap<GroupKind, Vec<Served>>,
    defined: BTreeMap<GroupKind, Defined>,
    /// APIServices of the commit, by what they bring, such as `metrics.k8s.io/v1`.
    promised: BTreeMap<String, ObjectKey>,
    /// Groups in versions whose server could not be asked, so that their kinds may be missing here,
    /// with the reason.
    silent: BTreeMap<String, String>,
    /// Definitions of other targets. They serve for hints only.
    elsewhere: BTreeMap<GroupKind, Vec<DefinedElsewhere>>,
}

impl Catalog {
    /// A catalog of what the API server serves, in its order of preference, and of the groups and
    /// versions that it could not speak for, with the reason.
    pub fn new(served: Vec<Served>, silent: BTreeMap<String, String>) -> Self {
        let mut catalog = Self { silent, ..Self::default() };
        for kind in served {
            catalog.served.entry(kind.group_kind.clone()).or_default().push(kind);
        }
        catalog
    }

    /// Adds the kinds that the CustomResourceDefinitions among `objects` define, and the groups that
    /// the APIServices among them bring.
    pub fn define<'a>(&mut self, objects: impl IntoIterator<Item = &'a Object>) {
        for object in objects {
            if let Some((group_kind, defined)) = definition(object) {
                self.defined.insert(group_kind, defined);
            }
            if let Some(api_version) = brought_by(object) {
                self.promised.insert(api_version, object.key());
            }
        }
    }

    /// The knowledge about `group_kind` in `version`.
    pub fn lookup(&self, group_kind: &GroupKind, version: &str) -> Lookup<'_> {
        let served = self.served.get(group_kind).map_or(&[][..], Vec::as_slice);
        let known = served.iter().find(|kind| kind.version == version);
        let api_version = format!("{}/{version}", group_kind.group);
        let silence = self.silent.get(&api_version).map(String::as_str);
        let promised = |by| Lookup::Promised(AnnouncedKind { by, known, silence });
        let promise = self.promised.get(&api_version);
        if let Some(by) = promise.filter(|_| silence.is_some()) {
            return promised(by);
        }
        if let Some(kind) = known {
            return Lookup::Served(kind);
        }
        let defined = self.defined.get(group_kind);
        if let Some(defined) = defined.filter(|d| d.versions.iter().any(|v| v == version)) {
            return Lookup::Defined(defined);
        }
        if let Some(by) = promise.filter(|_| !self.serves(&group_kind.group, version)) {
            return promised(by);
        }
        if let Some(silence) = silence {
            return Lookup::Unknown(silence);
        }
        let mut versions: Vec<String> = served.iter().map(|kind| kind.version.clone()).collect();
        versions.extend(defined.into_iter().flat_map(|defined| defined.versions.clone()));
        if versions.is_empty() {
            Lookup::Nowhere(self.suggestions(group_kind))
        } else {
            Lookup::OtherVersions(versions)
        }
    }

    /// The kinds of `objects` that nothing defines.
    pub fn nowhere<'a>(
        &self,
        objects: impl IntoIterator<Item = &'a Object>,
    ) -> BTreeSet<GroupKind> {
        objects
            .into_iter()
            .map(|object| (object.group_kind(), object.version()))
            .filter(|(kind, version)| matches!(self.lookup(kind, version), Lookup::Nowhere(_)))
            .map(|(kind, _)| kind)
            .collect()
    }

    /// Notes a definition of another target.
    pub fn note_elsewhere(&mut self, group_kind: GroupKind, definition: DefinedElsewhere) {
        self.elsewhere.entry(group_kind).or_default().push(definition);
    }

    /// The definitions of other targets that serve the kind in `version`.
    pub fn elsewhere(&self, group_kind: &GroupKind, version: &str) -> Vec<&DefinedElsewhere> {
        let definitions = self.elsewhere.get(group_kind).into_iter().flatten();
        definitions.filter(|it| it.versions.iter().any(|served| served == version)).collect()
    }

    /// The names of all kinds that are served or that the commit defines; `None` where not all are
    /// known.
    pub fn kinds(&self) -> Option<BTreeSet<&str>> {
        let known = self.served.keys().chain(self.defined.keys());
        let is_all = self.silent.is_empty() && self.promised.is_empty();
        is_all.then(|| known.map(|kind| kind.kind.as_str()).collect())
    }

    /// The kind in the version that the API server prefers; `None` when it is not served.
    pub fn preferred(&self, group_kind: &GroupKind) -> Option<&Served> {
        self.served.get(group_kind)?.first()
    }

    /// The kind in `version` as it is served, or will be once the definition in the commit is
    /// established.
    pub fn endpoint(&self, group_kind: &GroupKind, version: &str) -> Option<Served> {
        match self.lookup(group_kind, version) {
            Lookup::Served(served) => Some(served.clone()),
            Lookup::Defined(defined) => Some(Served {
                group_kind: group_kind.clone(),
                version: version.to_owned(),
                plural: defined.plural.clone(),
                namespaced: defined.namespaced,
                verbs: Vec::new(),
            }),
            Lookup::Promised(AnnouncedKind { known, .. }) => known.cloned(),
            Lookup::OtherVersions(_) | Lookup::Unknown(_) | Lookup::Nowhere(_) => None,
        }
    }

    /// Whether a definition in the commit brings the kind.
    pub fn is_defined(&self, group_kind: &GroupKind) -> bool {
        self.defined.contains_key(group_kind)
    }

    /// The APIService of the commit that brings a group's version.
    pub fn promised_by(&self, api_version: &str) -> Option<&ObjectKey> {
        self.promised.get(api_version)
    }

    /// The API versions of the commit's APIServices that discovery neither lists nor calls stale:
    /// it takes the API server a while to notice an APIService.
    pub fn unnoticed(&self) -> Vec<String> {
        let is_unnoticed = |at: &&String| {
            let (group, version) = at.split_once('/').unwrap_or(("", at));
            !self.serves(group, version) && !self.silent.contains_key(*at)
        };
        self.promised.keys().filter(is_unnoticed).cloned().collect()
    }

    /// Notes that the server of a group's version does not answer, and why.
    pub fn is_silent(&mut self, api_version: String, why: String) {
        self.silent.insert(api_version, why);
    }

    /// An APIService of the commit that brings a version of the group that is not served.
    pub fn missing(&self, group: &str) -> Option<&ObjectKey> {
        let is_missing = |at: &str| match at.split_once('/') {
            Some((of, version)) => of == group && !self.serves(group, version),
            None => false,
        };
        self.promised.iter().find(|(at, _)| is_missing(at)).map(|(_, by)| by)
    }

    /// That a server of the group could not be asked, and why.
    pub fn silence(&self, group: &str) -> Option<String> {
        let is_of = |at: &str| at.split_once('/').is_some_and(|(of, _)| of == group);
        self.silent.iter().find(|(at, _)| is_of(at)).map(|(_, why)| silence(why))
    }

    /// Whether any kind of the group is served.
    pub fn serves_group(&self, group: &str) -> bool {
        self.served.keys().any(|kind| kind.group == group)
    }

    /// Whether any kind of the group is served in the version.
    fn serves(&self, group: &str, version: &str) -> bool {
        let mut kinds = self.served.iter().filter(|(kind, _)| kind.group == group);
        kinds.any(|(_, versions)| versions.iter().any(|served| served.version == version))
    }

    /// Kinds that a person may have meant: the same name in another group, or one in other case
    /// or number.
    fn suggestions(&self, wanted: &GroupKind) -> Vec<String> {
        let plain = |kind: &str| kind.to_lowercase().trim_end_matches('s').to_owned();
        self.served
            .iter()
            .filter(|(kind, _)| plain(&kind.kind) == plain(&wanted.kind))
            .filter_map(|(kind, versions)| Some((kind, versions.first()?)))
            .map(|(kind, served)| match kind.group.as_str() {
                "" => format!("{}/{}", served.version, kind.kind),
                group => format!("{group}/{}/{}", served.version, kind.kind),
            })
            .collect()
    }
}

/// The kind that a CustomResourceDefinition defines; `None` for any other object, and for one that
/// lacks a field without which the API server refuses it.
pub fn definition(object: &Object) -> Option<(GroupKind, Defined)> {
    if (object.group(), object.kind()) != CRD {
        return None;
    }
    let spec = object.0.get("spec")?;
    let text = |value: &Value, key: &str| value.get(key)?.as_str().map(str::to_owned);
    let names = spec.get("names")?;
    let group_kind = GroupKind { group: text(spec, "group")?, kind: text(names, "kind")? };
    let versions = spec.get("versions")?.as_array()?.iter();
    let versions = versions
        .filter(|version| version.get("served").and_then(Value::as_bool).unwrap_or(false))
        .filter_map(|version| text(version, "name"))
        .collect();
    let (plural, namespaced) = (text(names, "plural")?, text(spec, "scope")? == "Namespaced");
    Some((group_kind, Defined { by: object.key(), versions, plural, namespaced }))
}

/// The group and version, such as `metrics.k8s.io/v1`, that an APIService brings from a server
/// other than the API server itself; `None` for any other object.
pub fn brought_by(object: &Object) -> Option<String> {
    if object.kind() != "APIService" || !is_api_service(&object.key()) {
        return None;
    }
    let spec = object.0.get("spec").filter(|spec| spec["service"].is_object())?;
    Some(format!("{}/{}", spec["group"].as_str()?, spec["version"].as_str()?))
}

/// That the server of a group does not answer, and why.
pub fn silence(why: &str) -> String {
    format!("the server behind this API group does not answer: {why}")
}
