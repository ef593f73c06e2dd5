//! Versions of Kubernetes' own kinds that a release does not serve, deprecates, or serves only where it
//! is asked to.

use super::finding::{CheckRule, Finding, Level};
use super::validate::KeyOrValue;
use crate::core::kinds::lifecycle::{self, Notice};
use crate::core::kinds::schemas::Schemas;
use crate::core::manifest::{Manifest, PathPart};
use crate::core::object::ObjectKey;
use crate::core::remedy::Remedy;
use crate::core::suggest::suggest;

/// The error about a version that the release does not serve; `None` where that is not known.
pub(super) fn unserved(manifest: &Manifest, key: &ObjectKey, schemas: &Schemas) -> Option<Finding> {
    let (api_version, kind) = (manifest.object.api_version(), manifest.object.kind());
    if schemas.is_custom(&key.group_kind()) || schemas.is_aggregated(api_version) {
        return None;
    }
    let notice = lifecycle::unserved(api_version, kind, schemas.release()?);
    let Notice { message, hint } = notice.or_else(|| slip(api_version, kind, schemas))?;
    Some(Finding { level: Level::Error, ..finding(manifest, key, message, hint) })
}

/// The notice about a kind that no release serves, where what is meant is evident. A definition
/// can't extend a group without a dot. An alpha or beta version may come with a later release.
fn slip(api_version: &str, kind: &str, schemas: &Schemas) -> Option<Notice> {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    let newest = Schemas::newest();
    let wanted = format!("{api_version}/{kind}");
    if group.contains('.')
        || lifecycle::is_off_by_default(api_version)
        || !schemas.has_group(group)
        || !newest.has_group(group)
        || newest.names().any(|name| name == wanted)
    {
        return None;
    }
    let names: Vec<String> = schemas.names().collect();
    let split =
        |name: &'_ str| name.rsplit_once('/').map(|(at, kind)| (at.to_owned(), kind.to_owned()));
    let named: Vec<(String, String)> = names.iter().filter_map(|name| split(name)).collect();
    let like = |is: &dyn Fn(&str) -> bool| -> Vec<String> {
        let found = named.iter().filter(|(_, own)| is(own));
        found.map(|(at, own)| format!("{at}/{own}")).collect()
    };
    let same = like(&|own| own == kind);
    let hint = if same.is_empty() {
        let lower = kind.to_ascii_lowercase();
        let singular = lower.strip_suffix('s').unwrap_or(&lower);
        let mut spelt =
            like(&|own| [&lower, singular].contains(&own.to_ascii_lowercase().as_str()));
        spelt.sort_by_key(|name| !name.starts_with(&format!("{api_version}/")));
        let near = || {
            let beside = named.iter().filter(|(at, _)| at == api_version).map(|(_, own)| own);
            let near = suggest(kind, beside.map(String::as_str));
            near.first().map(|near| format!("{api_version}/{near}"))
        };
        let meant = spelt.into_iter().next().or_else(near)?;
        format!("did you mean {meant}?")
    } else {
        format!("use {} instead", same.join(" or "))
    };
    let message = match schemas.release() {
        Some(release) => format!("Kubernetes {release} does not serve {wanted}"),
        None => return None,
    };
    Some(Notice { message, hint: Some(hint) })
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
    fn a_kind_of_kubernetes_that_no_release_serves_is_an_error() {
        let object = |wanted: &str| {
            let (api_version, kind) = wanted.rsplit_once('/').unwrap();
            format!("apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: a}}\n")
        };
        for (wanted, hint) in [
            ("v1/Deployment", "use apps/v1/Deployment instead"),
            ("apps/v2/Deployment", "use apps/v1/Deployment instead"),
            ("apps/v1/deployment", "did you mean apps/v1/Deployment?"),
            ("apps/v1/Deployments", "did you mean apps/v1/Deployment?"),
            ("v1/configmap", "did you mean v1/ConfigMap?"),
            ("apps/v1/Deploymnet", "did you mean apps/v1/Deployment?"),
            ("v1/Ingress", "use networking.k8s.io/v1/Ingress instead"),
        ] {
            for release in releases() {
                let told = format!("error Kubernetes {release} does not serve {wanted}; {hint}");
                assert_eq!(findings_in(release, &object(wanted)), [told]);
            }
        }
        // Others may serve these, or a later release.
        for wanted in [
            "apps/v2alpha1/Deployment",
            "metrics.k8s.io/v1/Pod",
            "metrics.k8s.io/v1beta1/PodMetrics",
            "gateway.networking.k8s.io/v1/Ingress",
            "example.com/v1/Deployment",
            "v1/Flow",
        ] {
            let [found] = &findings_in("1.36", &object(wanted))[..] else { panic!("{wanted}") };
            assert!(found.starts_with("warning no schema for "), "{found}");
        }
        let service = "apiVersion: apiregistration.k8s.io/v1\nkind: APIService\n\
            metadata: {name: v2.apps}\nspec: {group: apps, version: v2, groupPriorityMinimum: 1, \
            versionPriority: 1, service: {name: a, namespace: b}}\n---\n";
        let yaml = format!("{service}{}", object("apps/v2/Deployment"));
        assert!(!findings_in("1.36", &yaml).iter().any(|found| found.starts_with("error")));
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
