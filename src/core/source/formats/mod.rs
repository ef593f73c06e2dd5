//! Which formats besides plain manifests a target is made of, and with which options they are
//! rendered: `render:` in `trueup.yaml`.
//!
//! Left out, every format is recognized by its files. A word (`kustomize`, `helm`, `jsonnet`,
//! `plain`) or a map of formats with their options says that no other format is meant: what looks
//! like one is read as plain manifests.

#[cfg(test)]
pub(crate) mod schema;
pub mod set;
mod wrong;

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::core::json::Value;

pub use wrong::{InvalidOption, wrong_namespace, wrong_version};

/// The names of the formats, and of none.
pub(crate) const WORDS: &[&str] = &["kustomize", "helm", "jsonnet", "plain"];

/// The formats to render; one that is left out is not rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "render", deny_unknown_fields))]
pub struct Formats {
    /// Build kustomizations: folders with a `kustomization.yaml`.
    pub kustomize: Option<Kustomize>,
    /// Render charts: folders with a `Chart.yaml`.
    pub helm: Option<Helm>,
    /// Run Jsonnet programs: files whose name ends in `.jsonnet`.
    pub jsonnet: Option<Jsonnet>,
}

/// How kustomizations are built: there is nothing to choose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "kustomize"))]
#[serde(deny_unknown_fields)]
pub struct Kustomize {}

/// How charts are rendered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "helm"))]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Helm {
    /// The release's name; defaults to the chart's.
    #[cfg_attr(test, schemars(length(max = 53), regex(pattern = schema::RELEASE)))]
    pub release: Option<String>,
    /// The release's namespace; defaults to the target's.
    #[cfg_attr(test, schemars(regex(pattern = schema::NAMESPACE)))]
    pub namespace: Option<String>,
    /// Files with values, relative to the root of the checkout; later ones override.
    pub values: Vec<String>,
    /// Single values by their path, such as `image.tag`; they override the files.
    pub set: BTreeMap<String, Value>,
    /// API versions that templates can ask for, such as `monitoring.coreos.com/v1`.
    #[cfg_attr(test, schemars(inner(regex(pattern = schema::API_VERSION))))]
    pub api_versions: Vec<String>,
    /// The Kubernetes version that templates see; defaults to the cluster's.
    #[cfg_attr(test, schemars(regex(pattern = schema::VERSION)))]
    pub kube_version: Option<String>,
}

/// How Jsonnet programs are run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "jsonnet"))]
#[serde(deny_unknown_fields, default)]
pub struct Jsonnet {
    /// Arguments of the program's top-level function.
    #[cfg_attr(test, schemars(transform = schema::with_identifiers))]
    pub tla: BTreeMap<String, Value>,
    /// Values of `std.extVar`.
    #[cfg_attr(test, schemars(transform = schema::with_identifiers))]
    pub ext: BTreeMap<String, Value>,
    /// Folders in which imports are looked up, relative to the root of the checkout; the first match
    /// counts.
    pub library: Vec<String>,
}

impl Default for Formats {
    fn default() -> Self {
        Self {
            kustomize: Some(Kustomize::default()),
            helm: Some(Helm::default()),
            jsonnet: Some(Jsonnet::default()),
        }
    }
}

impl Formats {
    /// Only plain manifests.
    pub const PLAIN: Self = Self { kustomize: None, helm: None, jsonnet: None };
}

impl<'de> Deserialize<'de> for Formats {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FormatsVisitor)
    }
}

/// Takes a word or a map.
struct FormatsVisitor;

impl<'de> Visitor<'de> for FormatsVisitor {
    type Value = Formats;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one of {}, or a map of them with options", WORDS.join(", "))
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<Formats, E> {
        let mut formats = Formats::PLAIN;
        match word {
            "kustomize" => formats.kustomize = Some(Kustomize::default()),
            "helm" => formats.helm = Some(Helm::default()),
            "jsonnet" => formats.jsonnet = Some(Jsonnet::default()),
            "plain" => {}
            other => return Err(E::unknown_variant(other, WORDS)),
        }
        Ok(formats)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Formats, A::Error> {
        let mut formats = Formats::PLAIN;
        while let Some(format) = map.next_key::<String>()? {
            match format.as_str() {
                "kustomize" => formats.kustomize = Some(map.next_value()?),
                "helm" => formats.helm = Some(map.next_value()?),
                "jsonnet" => formats.jsonnet = Some(map.next_value()?),
                other => return Err(A::Error::unknown_field(other, &WORDS[..3])),
            }
        }
        Ok(formats)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(yaml: &str) -> Result<Formats, String> {
        serde_yaml::from_str(yaml).map_err(|error| error.to_string())
    }

    #[test]
    fn formats_are_read_from_a_name_or_a_map() {
        assert_eq!(read("plain"), Ok(Formats::PLAIN));
        let kustomize = Some(Kustomize::default());
        assert_eq!(read("kustomize"), Ok(Formats { kustomize, ..Formats::PLAIN }));
        let helm = Helm {
            release: Some("web".to_owned()),
            set: BTreeMap::from([("replicas".to_owned(), 3.into())]),
            api_versions: vec!["example.com/v1".to_owned()],
            ..Helm::default()
        };
        let yaml = "helm: {release: web, set: {replicas: 3}, api-versions: [example.com/v1]}";
        assert_eq!(read(yaml), Ok(Formats { helm: Some(helm), ..Formats::PLAIN }));
    }

    #[test]
    fn unknown_format_lists_the_known_ones() {
        for (yaml, wrong) in [
            ("helmfile", "unknown variant `helmfile`, expected one of `kustomize`"),
            ("{plain: {}}", "unknown field `plain`, expected one of `kustomize`"),
            ("{helm: {valeus: []}}", "helm: unknown field `valeus`, expected one of `release`"),
            ("{kustomize: {enable: true}}", "unknown field `enable`"),
            ("[helm]", "expected one of kustomize, helm, jsonnet, plain, or a map of them"),
        ] {
            let error = read(yaml).unwrap_err();
            assert!(error.contains(wrong), "{yaml}: {error}");
        }
    }
}
