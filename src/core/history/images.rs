//! The images of an object's containers, and how a change changes them. Nothing else of an object gets
//! into a record.

use std::collections::BTreeMap;

use super::record::ImageChange;
use crate::core::json::Value;
use crate::core::object::{Object, ObjectKey};

/// The images that a change of an object changes: from those of `before` to those of `after`.
pub fn image_changes(
    key: &ObjectKey,
    before: Option<&Object>,
    after: Option<&Object>,
) -> Vec<ImageChange> {
    let (before, after) = (before.map(images), after.map(images));
    let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
    let mut containers: Vec<&String> = before.keys().chain(after.keys()).collect();
    containers.sort();
    containers.dedup();
    let changed = containers.into_iter().filter(|name| before.get(*name) != after.get(*name));
    let changed = changed.map(|name| ImageChange {
        key: key.clone(),
        container: name.clone(),
        before: before.get(name).cloned(),
        after: after.get(name).cloned(),
    });
    changed.collect()
}

/// The images of an object's containers by their names.
fn images(object: &Object) -> BTreeMap<String, String> {
    let path = match (object.group(), object.kind()) {
        ("", "Pod") => "/spec",
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet") | ("batch", "Job") => {
            "/spec/template/spec"
        }
        ("batch", "CronJob") => "/spec/jobTemplate/spec/template/spec",
        _ => return BTreeMap::new(),
    };
    let mut pod = object.0.get("spec");
    for part in path.split('/').skip(2) {
        pod = pod.and_then(|it| it.get(part));
    }
    let lists = ["initContainers", "containers"].into_iter();
    let lists = lists.filter_map(|list| pod?.get(list)?.as_array());
    let named = lists.flatten().filter_map(|container| {
        let text = |field: &str| container.get(field).and_then(Value::as_str).map(str::to_owned);
        Some((text("name")?, text("image")?))
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::json::json;

    fn object(value: &Value) -> Object {
        Object::from(value.as_object().cloned().unwrap())
    }

    fn deployment(image: &str, init: Option<&str>) -> Object {
        let init: Vec<Value> =
            init.iter().map(|it| json!({ "name": "init", "image": it })).collect();
        object(&json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web" },
            "spec": { "template": { "spec": {
                "initContainers": init,
                "containers": [{
                    "name": "web", "image": image,
                    "env": [{ "name": "PASSWORD", "value": "hunter2-canary" }],
                    "args": ["--token=hunter2-canary"],
                }],
            } } },
        }))
    }

    #[test]
    fn images_that_change_are_named_and_no_other_value() {
        let (old, new) = (deployment("web:1", Some("init:1")), deployment("web:2", None));
        let changes = image_changes(&new.key(), Some(&old), Some(&new));
        let said: Vec<_> = changes
            .iter()
            .map(|it| (&*it.container, it.before.as_deref(), it.after.as_deref()))
            .collect();
        assert_eq!(said, [("init", Some("init:1"), None), ("web", Some("web:1"), Some("web:2"))]);
        assert!(!serde_json::to_string(&changes).unwrap().contains("canary"));
        assert_eq!(image_changes(&new.key(), Some(&new), Some(&new)), []);
        assert_eq!(image_changes(&new.key(), None, Some(&new)).len(), 1);
        assert_eq!(image_changes(&new.key(), Some(&old), None).len(), 2);
    }

    #[test]
    fn each_kind_that_runs_pods_has_its_own_place_for_them() {
        let pod = json!({ "containers": [{ "name": "a", "image": "a:1" }] });
        let template = json!({ "template": { "spec": pod.clone() } });
        for (version, kind, spec, expected) in [
            ("v1", "Pod", pod.clone(), 1),
            ("apps/v1", "StatefulSet", template.clone(), 1),
            ("apps/v1", "DaemonSet", template.clone(), 1),
            ("apps/v1", "ReplicaSet", template.clone(), 1),
            ("batch/v1", "Job", template.clone(), 1),
            ("batch/v1", "CronJob", json!({ "jobTemplate": { "spec": template.clone() } }), 1),
            ("example.com/v1", "Deployment", template, 0),
            ("v1", "ConfigMap", pod, 0),
        ] {
            let made = object(&json!({
                "apiVersion": version, "kind": kind, "metadata": { "name": "x" }, "spec": spec,
            }));
            assert_eq!(image_changes(&made.key(), None, Some(&made)).len(), expected, "{kind}");
        }
    }
}
