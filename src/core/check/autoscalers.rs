//! Replicas that an autoscaler of the same set changes: each run would set them back.

use std::collections::HashMap;

use super::validate::KeyOrValue;
use super::{CheckRule, Finding};
use crate::core::annotations::Mode;
use crate::core::field_rules::{FieldRule, fields_of};
use crate::core::json::Value;
use crate::core::manifest::{Manifest, PathPart};
use crate::core::object::{Object, ObjectKey};

/// The field that autoscalers change.
const REPLICAS: [&str; 2] = ["spec", "replicas"];

/// An autoscaler, and the numbers between which it scales.
struct Autoscaler<'a> {
    key: &'a ObjectKey,
    least: u64,
    most: Option<u64>,
    /// Whether it leaves alone what has no replicas.
    spares_none: bool,
}

/// A warning for every number of replicas that is declared, and changed by an autoscaler, unless
/// trueup leaves the field alone. `namespace` is that of objects that name none.
pub(super) fn fights(
    named: &[(&ObjectKey, &Manifest)],
    ignore: &[FieldRule],
    namespace: &str,
) -> Vec<Finding> {
    let scaled = named.iter().filter_map(|(key, manifest)| of(key, &manifest.object, namespace));
    let scaled: HashMap<ObjectKey, Autoscaler<'_>> = scaled.collect();
    if scaled.is_empty() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (key, manifest) in named {
        let object = &manifest.object;
        let replicas = object.0.get("spec").and_then(|spec| spec.get("replicas"));
        let Some(replicas) = replicas.and_then(Value::as_u64) else { continue };
        let Some(autoscaler) = scaled.get(&within(key, namespace)) else { continue };
        let stays = autoscaler.least == replicas && autoscaler.most == Some(replicas)
            || replicas == 0 && autoscaler.spares_none;
        if stays || Mode::treatment_of(object).is_some() || is_ignored(ignore, key, object) {
            continue;
        }
        let message = format!(
            "{} sets `replicas` as well: each run of trueup and the autoscaler undo each other",
            autoscaler.key
        );
        let path = REPLICAS.map(PathPart::Key);
        let hint = Some(remedy(key).into());
        let rule = CheckRule::Controlled;
        let finding = Finding::about(key, manifest, &path, KeyOrValue::Key, rule, message);
        findings.push(Finding { hint, ..finding });
    }
    findings
}

/// The object that an autoscaler scales. A VerticalPodAutoscaler never changes replicas.
fn of<'a>(
    key: &'a ObjectKey,
    object: &'a Object,
    namespace: &str,
) -> Option<(ObjectKey, Autoscaler<'a>)> {
    // KEDA scales Deployments where the target says no kind, and makes an autoscaler of its own.
    let (usual, numbers, spares_none) = match (key.group.as_str(), key.kind.as_str()) {
        // The controller's reconcileAutoscaler in kubernetes/pkg/controller/podautoscaler: what has
        // no replicas is not scaled.
        ("autoscaling", "HorizontalPodAutoscaler") => {
            (None, ("minReplicas", "maxReplicas", 1), true)
        }
        ("keda.sh", "ScaledObject") => {
            (Some(("apps/v1", "Deployment")), ("minReplicaCount", "maxReplicaCount", 0), false)
        }
        _ => return None,
    };
    if Mode::ignores(object) {
        return None;
    }
    let spec = object.0.get("spec")?;
    let target = spec.get("scaleTargetRef")?;
    let text = |field: &str, usual: Option<&'a str>| target[field].as_str().or(usual);
    let version = text("apiVersion", usual.map(|(version, _)| version))?;
    let scaled = ObjectKey {
        group: version.split_once('/').map_or("", |(group, _)| group).to_owned(),
        kind: text("kind", usual.map(|(_, kind)| kind))?.to_owned(),
        namespace: key.namespace.clone(),
        name: target["name"].as_str()?.to_owned(),
    };
    let (least, most, usual_least) = numbers;
    let least = spec[least].as_u64().unwrap_or(usual_least);
    let autoscaler = Autoscaler { key, least, most: spec[most].as_u64(), spares_none };
    Some((within(&scaled, namespace), autoscaler))
}

/// A key with the namespace that it has where it names none.
fn within(key: &ObjectKey, namespace: &str) -> ObjectKey {
    let mut key = key.clone();
    key.namespace.get_or_insert_with(|| namespace.to_owned());
    key
}

fn is_ignored(ignore: &[FieldRule], key: &ObjectKey, object: &Object) -> bool {
    let mut pointers = fields_of(ignore, key).into_iter();
    pointers.any(|pointer| {
        let covers = |parts: &[String]| {
            (1..=REPLICAS.len()).contains(&parts.len())
                && parts.iter().zip(REPLICAS).all(|(part, field)| part == field)
        };
        pointer.within(&object.0).iter().any(|pointer| covers(pointer.parts()))
    })
}

/// The remedy, with the rule of trueup.yaml as it has to be written.
fn remedy(key: &ObjectKey) -> String {
    let ObjectKey { group, kind, namespace, name } = key;
    let mut rule = format!("kind: {kind}");
    for (field, value) in [("group", Some(group)), ("namespace", namespace.as_ref())] {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            rule.push_str(&format!(", {field}: {value:?}"));
        }
    }
    format!(
        "remove it, or leave it to the autoscaler by a rule of the target in trueup.yaml: \
        `ignore: [{{{rule}, name: {name:?}, paths: [/spec/replicas]}}]`"
    )
}
