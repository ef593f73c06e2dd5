//! Selectors of labels, and whether they select a template.
//!
//! Source of the rules: k8s.io/apimachinery `pkg/apis/meta/v1/validation/validation.go`.

use super::faults::{Faults, list, map, maps};
use super::metadata;
use super::names;
use crate::core::json::{Map, Value};

/// A selector of labels.
pub(super) fn selector<'v>(faults: &mut Faults<'v>, selector: Option<&'v Value>) {
    let Some(selector) = selector.and_then(Value::as_object) else { return };
    metadata::labels(faults, selector.get("matchLabels"));
    for requirement in maps(selector, "matchExpressions") {
        self::requirement(faults, requirement);
    }
}

fn requirement<'v>(faults: &mut Faults<'v>, requirement: &'v Map) {
    operator(faults, requirement, false);
    faults.name(requirement.get("key"), names::qualified);
    for value in list(requirement, "values") {
        faults.name(Some(value), names::label_value);
    }
}

/// The requirement of a node's labels; a mere wish may have any value.
pub(super) fn node_requirement<'v>(
    faults: &mut Faults<'v>,
    requirement: &'v Map,
    is_required: bool,
) {
    operator(faults, requirement, true);
    faults.name(requirement.get("key"), names::qualified);
    let values = list(requirement, "values");
    for value in values.iter().filter(|_| is_required) {
        faults.name(Some(value), names::label_value);
    }
}

/// An operator, and the number of values that it takes.
fn operator<'v>(faults: &mut Faults<'v>, requirement: &'v Map, is_node: bool) {
    let Some(value) = requirement.get("operator") else { return };
    let Some(operator) = value.as_str() else { return };
    let count = list(requirement, "values").len();
    match operator {
        "In" | "NotIn" if count == 0 => {
            faults.missing(requirement, "values", ": operator In or NotIn needs one at least");
        }
        "Exists" | "DoesNotExist" if count > 0 => {
            faults.clash(requirement, "values", format!("must be empty with operator {operator}"));
        }
        "Gt" | "Lt" if is_node && count != 1 => {
            faults.clash(requirement, "values", "must be one number with operator Gt or Lt");
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        "Gt" | "Lt" if is_node => {}
        _ if is_node => faults.must(value, "be one of DoesNotExist, Exists, Gt, In, Lt, NotIn"),
        _ => faults.must(value, "be one of DoesNotExist, Exists, In, NotIn"),
    }
}

/// Whether a selector asks for nothing.
pub(super) fn is_empty(selector: &Map) -> bool {
    map(selector, "matchLabels").is_none_or(Map::is_empty)
        && list(selector, "matchExpressions").is_empty()
}

/// A controller's selector, which must not be empty, and which must select its own template.
pub(super) fn controls<'v>(faults: &mut Faults<'v>, spec: &'v Map) {
    let Some(value) = spec.get("selector") else { return };
    let Some(wanted) = value.as_object() else { return };
    selector(faults, Some(value));
    if is_empty(wanted) {
        return faults.says(value, "must not be empty");
    }
    matches(faults, spec, wanted);
}

/// A selector that must select the template beside it.
pub(super) fn matches<'v>(faults: &mut Faults<'v>, spec: &'v Map, selector: &'v Map) {
    let template = map(spec, "template").and_then(|template| map(template, "metadata"));
    let labels = template.and_then(|metadata| map(metadata, "labels"));
    let label = |key: &str| labels.and_then(|labels| labels.get(key));
    for (key, wanted) in map(selector, "matchLabels").into_iter().flatten() {
        // A label that is null is empty text.
        let has = label(key).map(|value| value.as_str().unwrap_or_default());
        if has != Some(wanted.as_str().unwrap_or_default()) {
            let what = match has {
                None => "is not a label of the template".to_owned(),
                Some(has) => format!("selects another value than the template's \"{has}\""),
            };
            faults.clash(map(selector, "matchLabels").unwrap_or(selector), key, what);
        }
    }
    for requirement in maps(selector, "matchExpressions") {
        let Some(key) = requirement.get("key").and_then(Value::as_str) else { continue };
        let has = label(key);
        let is_among = has.is_some_and(|has| list(requirement, "values").contains(has));
        let holds = match requirement.get("operator").and_then(Value::as_str) {
            Some("In") => is_among,
            Some("NotIn") => !is_among,
            Some("Exists") => has.is_some(),
            Some("DoesNotExist") => has.is_none(),
            _ => true,
        };
        if !holds {
            faults.clash(requirement, "key", "selects other labels than the template's");
        }
    }
}
