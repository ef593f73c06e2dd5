//! Versions of Kubernetes' own kinds that a release does not serve, deprecates, or serves only where it
//! is asked to.

use super::finding::{CheckRule, Finding, Level};
use super::validate::KeyOrValue;
use crate::core::kinds::lifecycle::{self, Notice};
use crate::core::kinds::schemas::Schemas;
use crate::core::manifest::{Manifest, PathPart};
use crate::core::object::ObjectKey;
use crate::core::remedy::Remedy;

/// The error about a version that the release does not serve; `None` where that is not known.
pub(super) fn unserved(manifest: &Manifest, key: &ObjectKey, schemas: &Schemas) -> Option<Finding> {
    let (api_version, kind) = (manifest.object.api_version(), manifest.object.kind());
    if schemas.is_custom(&key.group_kind()) {
        return None;
    }
    let Notice { message, hint } = lifecycle::unserved(api_version, kind, schemas.release()?)?;
    Some(Finding { level: Level::Error, ..finding(manifest, key, message, hint) })
}

/// The warning about a version that the release serves for now, or not everywhere.
pub(super) fn aging(manifest: &Manifest, key: &ObjectKey, schemas: &Schemas) -> Option<Finding> {
    let (api_version, kind) = (manifest.object.api_version(), manifest.object.kind());
    let Notice { message, hint } = lifecycle::aging(api_version, kind, schemas.release()?)?;
    Some(finding(manifest, key, message, hint))
}

fn finding(manifest: &Manifest, key: &ObjectKey, message: String, hint: Option<String>) -> Finding {
    let path = [PathPart::Key("apiVersion")];
    let rule = CheckRule::ApiVersion;
    let hint = hint.map(Remedy::Text);
    Finding { hint, ..Finding::about(key, manifest, &path, KeyOrValue::Value, rule, message) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::check::{Set, check};
    use crate::core::kinds::schemas::releases;
    use crate::core::manifest::read;
    use crate::core::redact::Inputs;

    /// The findings by the schemas of a release.
    fn findings_in(release: &str, yaml: &str) -> Vec<String> {
        let reading = read("a.yaml", yaml.as_bytes());
        let set = Set {
            manifests: &reading.manifests,
            problems: &reading.problems,
            unreferenced: &[],
            others: &[],
            warnings: &reading.warnings,
            namespace: "shop",
            ignore: &[],
            redact: &[],
            inputs: &Inputs::default(),
        };
        let told = |finding: Finding| {
            let level = if finding.level == Level::Error { "error" } else { "warning" };
            let hint = finding.hint.map(|hint| format!("; {}", hint.text().unwrap()));
            format!("{level} {}{}", finding.message, hint.unwrap_or_default())
        };
        check(set, Schemas::of(release).unwrap()).into_iter().map(told).collect()
    }

    #[test]
    fn versions_that_a_release_does_not_serve_are_errors() {
        let object = |api_version: &str, kind: &str| {
            format!("apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: a}}\n")
        };
        let budget = object("policy/v1beta1", "PodDisruptionBudget");
        for release in releases() {
            assert_eq!(
                findings_in(release, &budget),
                [format!(
                    "error Kubernetes {release} does not serve policy/v1beta1/PodDisruptionBudget: \
                    removed in 1.25; use policy/v1/PodDisruptionBudget instead"
                )]
            );
        }
        let policy = object("admissionregistration.k8s.io/v1", "MutatingAdmissionPolicy");
        let early = "error Kubernetes 1.35 does not serve \
            admissionregistration.k8s.io/v1/MutatingAdmissionPolicy: added in 1.36";
        assert_eq!(findings_in("1.35", &policy), [early]);
        assert_eq!(findings_in("1.36", &policy), Vec::<String>::new());
        let class = object("resource.k8s.io/v1beta1", "DeviceClass");
        let warning = |rest: &str| {
            let start = "warning resource.k8s.io/v1beta1/DeviceClass is";
            [format!("{start} {rest}; use resource.k8s.io/v1/DeviceClass instead")]
        };
        assert_eq!(findings_in("1.34", &class), warning("off by default in Kubernetes 1.34"));
        let deprecated = "deprecated since Kubernetes 1.35, to be removed in 1.38";
        assert_eq!(findings_in("1.37", &class), warning(deprecated));
    }

    #[test]
    fn a_definition_in_the_set_counts_more_than_the_removal_of_a_kind() {
        let yaml = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: storageversionmigrations.storagemigration.k8s.io
  annotations: {api-approved.kubernetes.io: \"https://github.com/kubernetes/kubernetes/pull/1\"}
spec:
  group: storagemigration.k8s.io
  scope: Cluster
  names: {kind: StorageVersionMigration, plural: storageversionmigrations}
  versions:
  - {name: v1alpha1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
---
apiVersion: storagemigration.k8s.io/v1alpha1
kind: StorageVersionMigration
metadata: {name: a}
";
        assert_eq!(findings_in("1.37", yaml), Vec::<String>::new());
    }
}
