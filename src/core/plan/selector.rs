//! Selectors that another tool has widened by a label of its own, as kapp does: they can't change,
//! so the object can only be kept with the label in git, or recreated.

use crate::core::json::{Key, Map, Value};
use crate::core::object::Object;
use crate::core::remedy::Remedy;

/// Where a workload says which pods are its own, and where its pods get their labels.
const SELECTOR: &str = "/spec/selector/matchLabels";
const LABELS: &str = "/spec/template/metadata/labels";

/// The labels to add to the manifest so that the live selector stays, where it asks for all that
/// the declared one asks for, and more.
pub(super) fn to_keep(declared: &Object, live: &Object) -> Option<Remedy> {
    let wanted = labels(declared, SELECTOR)?;
    let selector = labels(live, SELECTOR)?;
    if !wanted.iter().all(|(key, value)| selector.get(key) == Some(value)) {
        return None;
    }
    let more: Vec<_> = selector.iter().filter(|(key, _)| !wanted.contains_key(key)).collect();
    let of_pods = labels(declared, LABELS);
    let missing = more.iter().filter(|(key, value)| {
        of_pods.as_ref().is_none_or(|labels| labels.get(key) != Some(*value))
    });
    let lines = |labels: Vec<String>, path: &str| match labels.is_empty() {
        true => None,
        false => Some(format!("{} under {}", labels.join(" and "), path[1..].replace('/', "."))),
    };
    let line = |(key, value): &(&Key, &Value)| format!("{key}: {value}");
    let in_selector = lines(more.iter().map(line).collect(), SELECTOR)?;
    let in_template = lines(missing.map(line).collect(), LABELS);
    let all: Vec<String> = [Some(in_selector), in_template].into_iter().flatten().collect();
    Some(format!("to keep it as it is, write {}", all.join(", and ")).into())
}

fn labels(object: &Object, pointer: &str) -> Option<Map> {
    let mut parts = pointer.split('/').skip(1);
    let first = object.0.get(parts.next()?)?;
    parts.try_fold(first, |value, part| value.get(part))?.as_object().cloned()
}

#[cfg(test)]
mod tests {
    use crate::core::json::json;

    use super::*;

    fn workload(selector: &Value, labels: &Value) -> Object {
        let object = json!({ "spec": { "selector": { "matchLabels": selector },
            "template": { "metadata": { "labels": labels } } } });
        Object::from(object.as_object().cloned().unwrap())
    }

    #[test]
    fn selector_hint_lists_the_missing_labels() {
        let live = json!({ "app": "web", "kapp.k14s.io/app": "17" });
        let live = workload(&live, &live);
        let app = json!({ "app": "web" });
        assert_eq!(
            to_keep(&workload(&app, &app), &live).as_ref().and_then(Remedy::text),
            Some(
                "to keep it as it is, write kapp.k14s.io/app: \"17\" under \
                 spec.selector.matchLabels, and kapp.k14s.io/app: \"17\" under \
                 spec.template.metadata.labels"
            )
        );
        let labels = live.0["spec"]["selector"]["matchLabels"].clone();
        let hint = to_keep(&workload(&app, &labels), &live).unwrap();
        assert!(hint.text().unwrap().ends_with("under spec.selector.matchLabels"), "{hint:?}");
        let other = json!({ "app": "other" });
        assert_eq!(to_keep(&workload(&other, &other), &live), None);
        assert_eq!(to_keep(&live, &live), None);
    }
}
