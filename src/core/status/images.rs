//! The images that a target declares, and those that its pods run.

use std::collections::BTreeMap;

use super::{ImageStatus, RunningImage};
use crate::core::json::Value;
use crate::core::object::{Object, ObjectKey};

/// The containers of a pod's spec, in the order in which they are started.
const CONTAINERS: [(&str, &str); 3] = [
    ("initContainers", "initContainerStatuses"),
    ("containers", "containerStatuses"),
    ("ephemeralContainers", "ephemeralContainerStatuses"),
];

/// The spec of the pods that an object makes, or of the pod itself.
pub struct PodTemplate<'a>(&'a Value);

/// The pod template of a workload; `None` of any other object.
pub fn pod_template(object: &Object) -> Option<PodTemplate<'_>> {
    let way: &[&str] = match (object.group(), object.kind()) {
        ("", "Pod") => &["spec"],
        ("batch", "CronJob") => &["spec", "jobTemplate", "spec", "template", "spec"],
        ("apps" | "batch" | "", _) => &["spec", "template", "spec"],
        _ => return None,
    };
    let (first, below) = way.split_first()?;
    let spec = below.iter().try_fold(object.0.get(first)?, |value, key| value.get(key))?;
    spec.get("containers").map(|_| PodTemplate(spec))
}

impl<'a> PodTemplate<'a> {
    /// Each container with its image.
    fn images(&self) -> Vec<(&'a str, &'a str)> {
        let lists = CONTAINERS.iter().filter_map(|(list, _)| self.0.get(list)?.as_array());
        let image = |container: &'a Value| {
            Some((container.get("name")?.as_str()?, container.get("image")?.as_str()?))
        };
        lists.flatten().filter_map(image).collect()
    }
}

/// The images of a workload, container by container, and of its pods.
pub fn image_statuses(key: &ObjectKey, object: &Object, pods: &[&Object]) -> Vec<ImageStatus> {
    let Some(template) = pod_template(object) else { return Vec::new() };
    let mut running: BTreeMap<&str, BTreeMap<(String, Option<String>), usize>> = BTreeMap::new();
    for (container, image, digest) in pods.iter().flat_map(|pod| running_of(pod)) {
        *running.entry(container).or_default().entry((image, digest)).or_default() += 1;
    }
    let mut images: Vec<ImageStatus> = Vec::new();
    let mut status = |container: &str, declared: Option<&str>, running| {
        images.push(ImageStatus {
            key: key.clone(),
            container: container.to_owned(),
            declared: declared.map(str::to_owned),
            running,
        });
    };
    let of_pods = |found: BTreeMap<(String, Option<String>), usize>| {
        let image = |((image, digest), pods)| RunningImage { image, digest, pods };
        found.into_iter().map(image).collect::<Vec<_>>()
    };
    for (container, image) in template.images() {
        let found = running.remove(container).unwrap_or_default();
        status(container, Some(image), of_pods(found));
    }
    for (container, found) in running {
        status(container, None, of_pods(found));
    }
    images
}

/// The containers of a pod with the image and the digest that its status has. A container that was not
/// started has the image of its spec.
fn running_of(pod: &Object) -> Vec<(&str, String, Option<String>)> {
    let Some(template) = pod_template(pod) else { return Vec::new() };
    let status = pod.0.get("status");
    let statuses: BTreeMap<&str, &Value> = CONTAINERS
        .iter()
        .filter_map(|(_, list)| status?.get(list)?.as_array())
        .flatten()
        .filter_map(|it| Some((it.get("name")?.as_str()?, it)))
        .collect();
    let images = template.images().into_iter().map(|(container, declared)| {
        let text = |key: &str| {
            let text = statuses.get(container)?.get(key)?.as_str()?;
            Some(text).filter(|text| !text.is_empty())
        };
        // A runtime that only knows the digest reports that in place of a name.
        let image = text("image").filter(|image| !image.starts_with("sha256:"));
        (container, image.unwrap_or(declared).to_owned(), text("imageID").and_then(digest))
    });
    images.collect()
}

/// The digest in a pod's `imageID`, such as `docker.io/library/nginx@sha256:…` or `sha256:…`.
fn digest(id: &str) -> Option<String> {
    let digest = id.rsplit_once('@').map_or(id, |(_, digest)| digest);
    let (algorithm, hex) = digest.split_once(':')?;
    let is_hex = hex.len() >= 32 && hex.chars().all(|c| c.is_ascii_hexdigit());
    (is_hex && !algorithm.contains('/')).then(|| digest.to_owned())
}

impl ImageStatus {
    /// Whether its pods run another image than the declared one, or several under one name.
    pub fn differs(&self) -> bool {
        let Some(declared) = &self.declared else { return true };
        let digests: std::collections::BTreeSet<&String> =
            self.running.iter().filter_map(|image| image.digest.as_ref()).collect();
        let is_other = |image: &RunningImage| match declared.split_once('@') {
            Some((_, digest)) if image.digest.is_some() => image.digest.as_deref() != Some(digest),
            _ => whole_name(&image.image) != whole_name(declared),
        };
        digests.len() > 1 || self.running.iter().any(is_other)
    }
}

/// An image's name with the registry and the tag that are meant where they are left out. Source of the
/// rules: distribution/reference `normalize.go`.
fn whole_name(image: &str) -> String {
    let first = image.split('/').next().unwrap_or_default();
    let has_registry = image.contains('/') && (first.contains(['.', ':']) || first == "localhost");
    let name = match (has_registry, image.contains('/')) {
        (true, _) => image.to_owned(),
        (false, true) => format!("docker.io/{image}"),
        (false, false) => format!("docker.io/library/{image}"),
    };
    let last = name.rsplit('/').next().unwrap_or_default();
    match last.contains([':', '@']) {
        true => name,
        false => format!("{name}:latest"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    fn object(yaml: &str) -> Object {
        serde_yaml::from_str(yaml).unwrap_or_else(|error| panic!("{error} in\n{yaml}"))
    }

    fn pod(image: &str, status: &str, id: &str) -> Object {
        object(&format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: p}}, spec: {{containers: [{{name: main, image: '{image}'}}]}}, \
             status: {{containerStatuses: [{{name: main, image: '{status}', imageID: '{id}'}}]}}}}"
        ))
    }

    fn web(image: &str) -> Object {
        object(&format!(
            "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: web}}, spec: {{template: {{spec: {{containers: [{{name: main, image: '{image}'}}]}}}}}}}}"
        ))
    }

    fn status(declared: &str, pods: &[Object]) -> ImageStatus {
        let workload = web(declared);
        let pods: Vec<&Object> = pods.iter().collect();
        let mut images = image_statuses(&workload.key(), &workload, &pods);
        assert_eq!(images.len(), 1);
        images.pop().unwrap()
    }

    #[test]
    fn digests_are_those_of_the_pods_own_status() {
        for (id, expected) in [
            (format!("docker.io/library/nginx@{A}"), Some(A)),
            (format!("docker-pullable://nginx@{A}"), Some(A)),
            (A.to_owned(), Some(A)),
            ("docker://nginx".to_owned(), None),
            (String::new(), None),
        ] {
            let image = status("nginx:1", &[pod("nginx:1", "docker.io/library/nginx:1", &id)]);
            assert_eq!(image.running[0].digest.as_deref(), expected, "{id}");
            assert!(!image.differs(), "{id}");
        }
    }

    #[test]
    fn other_images_and_a_tag_that_moved_differ() {
        let same = |image: &str, id: &str| pod(image, image, id);
        for (declared, pods, differs) in [
            ("nginx", vec![], false),
            ("nginx", vec![same("docker.io/library/nginx:latest", A)], false),
            ("nginx:2", vec![same("nginx:1", A), same("nginx:2", B)], true),
            ("nginx:2", vec![same("nginx:2", A), same("nginx:2", B)], true),
            ("nginx:2", vec![same("nginx:2", A), same("nginx:2", A)], false),
            ("registry.example/web:1", vec![same("web:1", A)], true),
            (&format!("nginx@{A}"), vec![pod("nginx", A, A)], false),
            (&format!("nginx@{A}"), vec![pod("nginx", B, B)], true),
        ] {
            let image = status(declared, &pods);
            assert_eq!(image.differs(), differs, "{image:?}");
        }
        let two = status("nginx:2", &[same("nginx:2", A), same("nginx:2", A)]);
        assert_eq!(two.running.iter().map(|it| it.pods).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn container_that_only_runs_is_shown_as_well() {
        let pod = object(&format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: p}}, spec: {{containers: [{{name: main, image: a}}, {{name: proxy, image: b}}]}}, \
             status: {{containerStatuses: [{{name: proxy, image: b, imageID: '{A}'}}]}}}}"
        ));
        let workload = web("a");
        let images = image_statuses(&workload.key(), &workload, &[&pod]);
        let found: Vec<_> =
            images.iter().map(|it| (it.container.as_str(), it.declared.as_deref())).collect();
        assert_eq!(found, [("main", Some("a")), ("proxy", None)]);
        assert!(!images[0].differs() && images[1].differs());
    }
}
