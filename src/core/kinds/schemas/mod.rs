//! Which schemas there are: those of a Kubernetes release, which come with trueup, and those of the
//! CustomResourceDefinitions of the set itself.
//!
//! `<release>.gz` is written by `cargo run --example schemas`, whose first lines say how. A
//! new release is one more file there and one more line in [`RELEASES`]. Only the release that is asked
//! for is unpacked.

mod atomic;
mod catalogue;
mod folder;
mod schema;
mod transitions;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read as _;
use std::sync::{LazyLock, OnceLock};

use flate2::read::GzDecoder;

pub use catalogue::{LeftOut, PulledSchemas, SOURCE, SchemaFile, WhyLeftOut, pulled};
pub use folder::candidates;
pub use schema::{JsonType, Others, Schema, Validation};

use crate::core::json::{self, Value};
use crate::core::kinds::catalog::CRD;
use crate::core::kinds::release::Release;
use crate::core::object::{GroupKind, Object};

/// The releases whose schemas come with trueup, the newest first.
const RELEASES: [(&str, &[u8]); 4] = [
    ("1.37", include_bytes!("1.37.gz")),
    ("1.36", include_bytes!("1.36.gz")),
    ("1.35", include_bytes!("1.35.gz")),
    ("1.34", include_bytes!("1.34.gz")),
];

/// The release whose schemas are used where none is chosen: that of the sandbox, on whose API server
/// they were tried, so that `check` and `check --sandbox` agree.
pub const DEFAULT: &str = "1.36";

/// The releases that there are schemas for, the newest first.
pub fn releases() -> impl Iterator<Item = &'static str> {
    RELEASES.iter().map(|(release, _)| *release)
}

/// The lines of a release's file; `None` where trueup does not have it.
pub(super) fn unpacked(release: &str) -> Option<String> {
    let (_, packed) = RELEASES.iter().find(|(known, _)| *known == release)?;
    let mut text = String::new();
    GzDecoder::new(*packed).read_to_string(&mut text).ok()?;
    Some(text)
}

/// The kinds that there are schemas for.
#[derive(Default)]
pub struct Schemas {
    release: Option<Release>,
    kinds: BTreeMap<GroupKind, Vec<Version>>,
    types: HashMap<String, ReleaseType>,
    /// Schemas of custom resources.
    custom: Vec<Schema>,
    /// The versions that servers behind APIServices serve, as `group/version`.
    aggregated: BTreeSet<String>,
}

/// A kind in one version.
struct Version {
    version: String,
    /// `None` where its schema came without its scope.
    namespaced: Option<bool>,
    source: SchemaSource,
}

enum SchemaSource {
    /// The type of this name.
    Release(String),
    /// The custom resource of this number; `None` where its definition has no usable schema.
    Custom(Option<usize>),
}

/// A type of the release, read when it is asked for.
struct ReleaseType {
    json: String,
    schema: OnceLock<Schema>,
}

/// The knowledge about an object's kind.
pub enum SchemaLookup<'a> {
    /// A kind of the release.
    Release(&'a Schema),
    /// A custom resource.
    Custom(&'a Schema),
    /// Its definition is in the set, and says nothing of its objects.
    Unspecified,
    /// The kind is there in these versions only.
    OtherVersions(Vec<&'a str>),
    /// The kind is unknown.
    Nowhere,
}

impl Schemas {
    /// The schemas of `release`; `None` where trueup does not have them.
    pub fn of(release: &str) -> Option<Self> {
        let text = unpacked(release)?;
        let mut schemas = Self { release: Release::parse(release), ..Self::default() };
        for line in text.lines() {
            schemas.add(line);
        }
        Some(schemas)
    }

    /// The release that they are of; `None` where they are of no release.
    pub fn release(&self) -> Option<Release> {
        self.release
    }

    /// The schemas of the newest release that trueup has.
    pub fn newest() -> &'static Self {
        static NEWEST: LazyLock<Schemas> = LazyLock::new(|| {
            let newest = releases().next().and_then(Schemas::of);
            newest.unwrap_or_else(|| unreachable!("what comes with trueup can be read"))
        });
        &NEWEST
    }

    fn add(&mut self, line: &str) {
        if let Some((name, json)) = line.strip_prefix("type ").and_then(|l| l.split_once(' ')) {
            let unread = ReleaseType { json: json.to_owned(), schema: OnceLock::new() };
            self.types.insert(name.to_owned(), unread);
            return;
        }
        let words: Vec<&str> = line.split(' ').collect();
        if let ["kind", kind, scope, name] = words[..]
            && let Some((api_version, kind)) = kind.rsplit_once('/')
        {
            let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
            self.kinds.entry(GroupKind::new(group, kind)).or_default().push(Version {
                version: version.to_owned(),
                namespaced: Some(scope == "namespaced"),
                source: SchemaSource::Release(name.to_owned()),
            });
        }
    }

    /// Adds the kinds that a CustomResourceDefinition defines, and the version of an APIService;
    /// other objects have none.
    pub fn define(&mut self, object: &Object) {
        if (object.group(), object.kind()) == ("apiregistration.k8s.io", "APIService") {
            let spec = object.0.get("spec").unwrap_or(&Value::Null);
            if let (Some(group), Some(version)) = (spec["group"].as_str(), spec["version"].as_str())
            {
                self.aggregated.insert(format!("{group}/{version}"));
            }
        }
        if (object.group(), object.kind()) != CRD {
            return;
        }
        let spec = &object.0.get("spec").unwrap_or(&Value::Null);
        let (Some(group), Some(kind)) = (spec["group"].as_str(), spec["names"]["kind"].as_str())
        else {
            return;
        };
        let mut versions = Vec::new();
        for version in spec["versions"].as_array().into_iter().flatten() {
            let Some(name) = version["name"].as_str().filter(|_| version["served"] == true) else {
                continue;
            };
            // An unreadable schema is the definition's fault, which its own schema finds.
            let schema = json::from_value(version["schema"]["openAPIV3Schema"].clone()).ok();
            let number = schema.map(|schema| {
                self.custom.push(schema);
                self.custom.len() - 1
            });
            versions.push(Version {
                version: name.to_owned(),
                namespaced: Some(spec["scope"] == "Namespaced"),
                source: SchemaSource::Custom(number),
            });
        }
        self.kinds.insert(GroupKind::new(group, kind), versions);
    }

    /// The schema of an object's kind.
    pub fn find(&self, object: &Object) -> SchemaLookup<'_> {
        let Some(versions) = self.kinds.get(&object.group_kind()).filter(|v| !v.is_empty()) else {
            return SchemaLookup::Nowhere;
        };
        let Some(kind) = versions.iter().find(|kind| kind.version == object.version()) else {
            return SchemaLookup::OtherVersions(
                versions.iter().map(|k| k.version.as_str()).collect(),
            );
        };
        match &kind.source {
            SchemaSource::Release(name) => {
                self.named(name).map_or(SchemaLookup::Unspecified, SchemaLookup::Release)
            }
            SchemaSource::Custom(number) => {
                let schema = number.and_then(|number| self.custom.get(number));
                schema.map_or(SchemaLookup::Unspecified, SchemaLookup::Custom)
            }
        }
    }

    /// The schema of a kind that a CustomResourceDefinition defines, in one version.
    pub fn custom(&self, kind: &GroupKind, version: &str) -> Option<&Schema> {
        let versions = self.kinds.get(kind)?;
        match versions.iter().find(|it| it.version == version)?.source {
            SchemaSource::Custom(number) => self.custom.get(number?),
            SchemaSource::Release(_) => None,
        }
    }

    /// Whether the kind comes from a definition, not from the release.
    pub fn is_custom(&self, kind: &GroupKind) -> bool {
        let versions = self.kinds.get(kind).and_then(|versions| versions.first());
        versions.is_some_and(|it| matches!(it.source, SchemaSource::Custom(_)))
    }

    /// Whether an APIService says that another server serves the version.
    pub fn is_aggregated(&self, api_version: &str) -> bool {
        self.aggregated.contains(api_version)
    }

    /// Whether there is a kind of the group.
    pub fn has_group(&self, group: &str) -> bool {
        self.kinds.keys().any(|kind| kind.group == group)
    }

    /// The type that a `$ref` names.
    pub fn named(&self, name: &str) -> Option<&Schema> {
        let found = self.types.get(name)?;
        Some(found.schema.get_or_init(|| serde_json::from_str(&found.json).unwrap_or_default()))
    }

    /// Whether the kind's objects live in namespaces; `None` where that is unknown.
    pub fn is_namespaced(&self, kind: &GroupKind) -> Option<bool> {
        self.kinds.get(kind)?.first()?.namespaced
    }

    /// The kinds with a person's word for them: `apps/v1/Deployment`.
    pub fn names(&self) -> impl Iterator<Item = String> {
        self.kinds.iter().flat_map(|(kind, versions)| {
            versions.iter().map(move |version| match kind.group.as_str() {
                "" => format!("{}/{}", version.version, kind.kind),
                group => format!("{group}/{}/{}", version.version, kind.kind),
            })
        })
    }

    /// Every type as it is packed.
    #[cfg(test)]
    pub(crate) fn every_type(&self, mut with: impl FnMut(&str, &str)) {
        self.types.iter().for_each(|(name, found)| with(name, &found.json));
    }
}
