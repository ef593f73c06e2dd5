//! Which objects a policy and its binding are about (k8s.io/apiserver,
//! `pkg/admission/plugin/policy/matching/matching.go`).

use super::Candidate;
use crate::core::json::Value;

/// Whether something matches, as far as that is known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    Yes,
    No,
    /// A server knows more.
    Unknown(&'static str),
}

impl Match {
    fn of(is: bool) -> Self {
        if is { Self::Yes } else { Self::No }
    }

    /// Both match.
    pub(super) fn and(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::No => Self::No,
            Self::Yes => other(),
            Self::Unknown(why) => match other() {
                Self::No => Self::No,
                _ => Self::Unknown(why),
            },
        }
    }
}

/// Whether `matchConstraints` or `matchResources` match an object that is created.
pub(super) fn constraints(constraints: &Value, candidate: &Candidate<'_>) -> Match {
    if constraints.is_null() {
        return Match::Yes;
    }
    namespaces(&constraints["namespaceSelector"], candidate).and(|| {
        let labels = candidate.object["metadata"]["labels"].as_object();
        let label = |key: &str| labels.and_then(|labels| labels.get(key)?.as_str());
        selector(&constraints["objectSelector"], &|key| Some(label(key)))
            .and(|| excluded(constraints, candidate))
            .and(|| included(constraints, candidate))
    })
}

/// Whether the namespace of the object is selected.
fn namespaces(wanted: &Value, candidate: &Candidate<'_>) -> Match {
    let is_namespace = candidate.kind.1 == "Namespace" && candidate.kind.0.is_empty();
    if candidate.namespace.is_none() && !is_namespace {
        return Match::Yes;
    }
    let own = is_namespace.then_some(&candidate.object);
    let object = own.or(candidate.namespace_object);
    let name = candidate.namespace.unwrap_or(candidate.name);
    selector(wanted, &|key| {
        if key == "kubernetes.io/metadata.name" {
            return Some(Some(name));
        }
        object.map(|object| object["metadata"]["labels"][key].as_str())
    })
}

/// Whether labels are selected; the value of a label is `None` where it is not known.
pub(super) fn selector<'l>(
    selector: &Value,
    label: &dyn Fn(&str) -> Option<Option<&'l str>>,
) -> Match {
    let unknown = Match::Unknown("the labels of the namespace are not in the set");
    let mut found = Match::Yes;
    let labels = selector["matchLabels"].as_object();
    for (key, value) in labels.into_iter().flat_map(|labels| labels.iter()) {
        found = found.and(|| match label(key) {
            Some(own) => Match::of(own == value.as_str()),
            None => unknown,
        });
    }
    for wanted in selector["matchExpressions"].as_array().into_iter().flatten() {
        let own = label(wanted["key"].as_str().unwrap_or_default());
        let values = &wanted["values"];
        let is_in = |own: &str| {
            values.as_array().is_some_and(|values| values.iter().any(|value| *value == own))
        };
        found = found.and(|| match (own, wanted["operator"].as_str().unwrap_or_default()) {
            (None, _) => unknown,
            (Some(own), "In") => Match::of(own.is_some_and(is_in)),
            (Some(own), "NotIn") => Match::of(!own.is_some_and(is_in)),
            (Some(own), "Exists") => Match::of(own.is_some()),
            (Some(own), "DoesNotExist") => Match::of(own.is_none()),
            _ => Match::Unknown("a selector has an unknown operator"),
        });
    }
    found
}

fn excluded(constraints: &Value, candidate: &Candidate<'_>) -> Match {
    match rules(&constraints["excludeResourceRules"], constraints, candidate) {
        Match::Yes => Match::No,
        Match::No => Match::Yes,
        unknown => unknown,
    }
}

fn included(constraints: &Value, candidate: &Candidate<'_>) -> Match {
    match constraints["resourceRules"].as_array() {
        Some(list) if !list.is_empty() => {
            rules(&constraints["resourceRules"], constraints, candidate)
        }
        _ => Match::Yes,
    }
}

/// Whether any of the rules matches.
fn rules(rules: &Value, constraints: &Value, candidate: &Candidate<'_>) -> Match {
    let mut found = Match::No;
    for wanted in rules.as_array().into_iter().flatten() {
        match rule(wanted, constraints, candidate) {
            Match::Yes => return Match::Yes,
            Match::No => {}
            unknown => found = unknown,
        }
    }
    found
}

fn rule(rule: &Value, constraints: &Value, candidate: &Candidate<'_>) -> Match {
    let has = |list: &str, value: &str| {
        let list = rule[list].as_array();
        list.is_some_and(|list| list.iter().any(|own| *own == "*" || *own == value))
    };
    let is_in_scope = match rule["scope"].as_str() {
        Some("Namespaced") => candidate.namespace.is_some(),
        Some("Cluster") => candidate.namespace.is_none(),
        _ => true,
    };
    let names = rule["resourceNames"].as_array().filter(|names| !names.is_empty());
    let is_named = names.is_none_or(|names| names.iter().any(|name| *name == candidate.name));
    if !is_in_scope
        || !is_named
        || !has("operations", "CREATE")
        || !has("apiGroups", candidate.kind.0)
    {
        return Match::No;
    }
    let resources = rule["resources"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let resources: Vec<&str> = resources.collect();
    let is_any = resources.iter().any(|resource| matches!(*resource, "*" | "*/*"));
    let resource = match candidate.resource {
        _ if is_any => Match::Yes,
        Some(own) => {
            let is = |wanted: &&str| *wanted == own || wanted.strip_suffix("/*") == Some(own);
            Match::of(resources.iter().any(is))
        }
        None => Match::Unknown("the plural of the kind is not in the set"),
    };
    resource.and(|| match has("apiVersions", candidate.version) {
        true => Match::Yes,
        false if constraints["matchPolicy"] == "Exact" => Match::No,
        // The server converts the object to the version of the rule.
        false => Match::Unknown("the policy is about another version of the kind"),
    })
}
