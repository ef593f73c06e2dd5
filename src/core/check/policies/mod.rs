//! `ValidatingAdmissionPolicy`s of the set, and of a folder, evaluated for the objects of the set as
//! the API server evaluates them when an object is created (k8s.io/apiserver,
//! `pkg/admission/plugin/policy/validating`).
//!
//! Facts that only a server has, as an authorizer, parameters that are not in the set, or the labels of a
//! namespace elsewhere, are never guessed: an expression that asks for one is reported once.

mod defaults;
mod evaluate;
mod matching;

use std::collections::BTreeMap;

use super::validate::{KeyOrValue, filled};
use super::{CheckRule, Finding, Level, compiled};
use crate::core::cel::Rule;
use crate::core::json::Value;
use crate::core::kinds::catalog::definition;
use crate::core::kinds::schemas::{SchemaLookup, Schemas};
use crate::core::manifest::{Manifest, PathPart};
use crate::core::object::{GroupKind, ObjectKey};

use evaluate::{Case, Outcome, Part};

const GROUP: &str = "admissionregistration.k8s.io";
/// The variables of an expression, in the order of their values.
const NAMES: [&str; 6] =
    ["object", "oldObject", "request", "params", "namespaceObject", "authorizer"];

/// A policy, read.
struct Policy<'m> {
    name: &'m str,
    manifest: &'m Manifest,
    spec: &'m Value,
    variables: Vec<Rule>,
    conditions: Vec<Named<'m>>,
    validations: Vec<Named<'m>>,
    /// Whether what fails is refused, too.
    is_strict: bool,
}

/// An expression of a policy, with the object that it is written in.
struct Named<'m> {
    source: &'m Value,
    rule: Rule,
    message: Option<Rule>,
}

/// An object that is created, as a policy sees it.
struct Candidate<'a> {
    key: &'a ObjectKey,
    manifest: &'a Manifest,
    /// Group and kind.
    kind: (&'a str, &'a str),
    version: &'a str,
    /// The plural, where it is known.
    resource: Option<&'a str>,
    name: &'a str,
    namespace: Option<&'a str>,
    namespace_object: Option<&'a Value>,
    object: Value,
    is_custom: bool,
    /// Whether the defaults of the kind are known.
    has_schema: bool,
}

/// The findings of policies in the objects of the set. `others` are policies, bindings and parameters from
/// elsewhere; of those a policy without a binding is reported.
pub(super) fn findings(
    named: &[(&ObjectKey, &Manifest)],
    others: &[Manifest],
    schemas: &Schemas,
) -> Vec<Finding> {
    let everything = || named.iter().map(|(_, manifest)| *manifest).chain(others);
    let of_kind = |kind: &'static str| {
        everything().filter(move |it| (it.object.group(), it.object.kind()) == (GROUP, kind))
    };
    let policies: BTreeMap<&str, Policy<'_>> = of_kind("ValidatingAdmissionPolicy")
        .map(|manifest| (manifest.object.name(), Policy::read(manifest)))
        .collect();
    if policies.is_empty() {
        return Vec::new();
    }
    let bindings: Vec<&Manifest> = of_kind("ValidatingAdmissionPolicyBinding").collect();
    let policy_of =
        |binding: &Manifest| policies.get(binding.object.0.get("spec")?["policyName"].as_str()?);
    let mut found = Vec::new();
    for manifest in others {
        let is_policy = (manifest.object.group(), manifest.object.kind())
            == (GROUP, "ValidatingAdmissionPolicy");
        let is_bound = bindings
            .iter()
            .any(|binding| policy_of(binding).is_some_and(|it| it.name == manifest.object.name()));
        if is_policy {
            found.extend(compiled::refused(&manifest.object.key(), manifest));
        }
        if is_policy && !is_bound {
            let name = [PathPart::Key("metadata"), PathPart::Key("name")];
            found.push(about_policy(
                manifest,
                &name,
                "the policy has no ValidatingAdmissionPolicyBinding, so a server ignores it".into(),
            ));
        }
    }
    let plurals = plurals(everything(), named, schemas);
    let namespaces: BTreeMap<&str, Value> = everything()
        .filter(|it| (it.object.group(), it.object.kind()) == ("", "Namespace"))
        .map(|it| {
            let mut namespace = Value::from(it.object.clone());
            defaults::fill(&mut namespace, "", "Namespace");
            (it.object.name(), namespace)
        })
        .collect();
    let mut unknown: BTreeMap<(&str, Part, String), &Policy<'_>> = BTreeMap::new();
    for &(key, manifest) in named {
        if manifest.object.group() == GROUP {
            continue; // no policy is about policies
        }
        let candidate = Candidate::new(key, manifest, schemas, &plurals, &namespaces);
        for binding in &bindings {
            let Some(policy) = policy_of(binding) else { continue };
            let parameters = || everything();
            let case = Case { policy, binding: &binding.object.0, candidate: &candidate };
            for outcome in case.outcomes(&parameters) {
                match outcome {
                    Outcome::Denied(level, expression, message) => {
                        found.push(denied(policy, &candidate, level, &expression, &message));
                    }
                    Outcome::Unknown(why, part) => {
                        unknown.insert((policy.name, part, why), policy);
                    }
                }
            }
        }
    }
    found.extend(unknown.into_iter().map(|((_, part, why), policy)| {
        let message = format!("policy not evaluated for some objects: {why}");
        about_policy(policy.manifest, &way(part), message)
    }));
    found
}

/// The plurals of kinds, of the release by their rule and of others by their definition.
fn plurals<'m>(
    manifests: impl Iterator<Item = &'m Manifest>,
    named: &[(&ObjectKey, &Manifest)],
    schemas: &Schemas,
) -> BTreeMap<GroupKind, String> {
    let of_release = named.iter().map(|(_, manifest)| &manifest.object);
    let of_release = of_release
        .filter(|object| matches!(schemas.find(object), SchemaLookup::Release(_)))
        .map(|object| (object.group_kind(), plural(object.kind())));
    let objects = manifests.map(|it| &it.object);
    let defined = objects.filter_map(definition).map(|(kind, defined)| (kind, defined.plural));
    of_release.chain(defined).collect()
}

/// The plural of a kind of the release.
fn plural(kind: &str) -> String {
    let kind = kind.to_ascii_lowercase();
    match kind.as_str() {
        "endpoints" => kind,
        _ if kind.ends_with('s') => format!("{kind}es"),
        _ => match kind.strip_suffix('y') {
            Some(stem) if !stem.ends_with(['a', 'e', 'o']) => format!("{stem}ies"),
            _ => format!("{kind}s"),
        },
    }
}

/// The way to a part of a policy.
fn way(part: Part) -> Vec<PathPart<'static>> {
    let listed = |list, number| {
        vec![PathPart::Key(list), PathPart::Index(number), PathPart::Key("expression")]
    };
    let way = match part {
        Part::Constraints => vec![PathPart::Key("matchConstraints")],
        Part::Parameters => vec![PathPart::Key("paramKind")],
        Part::Condition(number) => listed("matchConditions", number),
        Part::Validation(number) => listed("validations", number),
    };
    [vec![PathPart::Key("spec")], way].concat()
}

fn about_policy(manifest: &Manifest, path: &[PathPart<'_>], message: String) -> Finding {
    let (key, at) = (manifest.object.key(), KeyOrValue::Value);
    Finding::about(&key, manifest, path, at, CheckRule::NotEvaluated, message)
}

/// The finding about an object, at the first field that the expression names.
fn denied(
    policy: &Policy<'_>,
    candidate: &Candidate<'_>,
    level: Level,
    expression: &str,
    message: &str,
) -> Finding {
    let path = blamed(expression, &candidate.object);
    let message = format!("policy {}: {}", policy.name, message.trim_end_matches('.'));
    let (key, manifest) = (candidate.key, candidate.manifest);
    let found = Finding::about(key, manifest, &path, KeyOrValue::Value, CheckRule::Policy, message);
    Finding { level, ..found }
}

/// The path of the first field of the object in an expression, as far as the object has it.
fn blamed<'e>(expression: &'e str, object: &Value) -> Vec<PathPart<'e>> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let starts = expression
        .match_indices("object.")
        .find(|(at, _)| !expression[..*at].ends_with(|c: char| is_word(c) || c == '.'));
    let Some((start, _)) = starts else { return Vec::new() };
    let (mut path, mut here) = (Vec::new(), object);
    for name in expression[start + "object.".len()..].split('.') {
        let end = name.find(|c| !is_word(c)).unwrap_or(name.len());
        let Some(below) = here.get(&name[..end]) else { break };
        path.push(PathPart::Key(&name[..end]));
        here = below;
        if end < name.len() {
            break;
        }
    }
    path
}

impl<'m> Policy<'m> {
    fn read(manifest: &'m Manifest) -> Self {
        let spec = manifest.object.0.get("spec").unwrap_or(&Value::Null);
        let list = |name: &str| spec[name].as_array().map_or(&[][..], Vec::as_slice);
        let text = |value: &'m Value, name: &str| value[name].as_str().unwrap_or_default();
        let names: Vec<&str> =
            list("variables").iter().map(|variable| text(variable, "name")).collect();
        let variables = list("variables").iter().enumerate();
        // A variable can use those before it.
        let variables = variables
            .map(|(at, variable)| Rule::new(text(variable, "expression"), &NAMES, &names[..at]))
            .collect();
        let read = |source: &'m Value, names: &[&str]| Named {
            source,
            rule: Rule::new(text(source, "expression"), &NAMES, names),
            message: source["messageExpression"]
                .as_str()
                .filter(|text| !text.is_empty())
                .map(|text| Rule::new(text, &NAMES, names)),
        };
        Self {
            name: manifest.object.name(),
            manifest,
            spec,
            conditions: list("matchConditions").iter().map(|it| read(it, &names)).collect(),
            validations: list("validations").iter().map(|it| read(it, &names)).collect(),
            variables,
            is_strict: spec["failurePolicy"] != "Ignore",
        }
    }
}

impl<'a> Candidate<'a> {
    fn new(
        key: &'a ObjectKey,
        manifest: &'a Manifest,
        schemas: &Schemas,
        plurals: &'a BTreeMap<GroupKind, String>,
        namespaces: &'a BTreeMap<&str, Value>,
    ) -> Self {
        let object = &manifest.object;
        let found = schemas.find(object);
        let has_schema = matches!(found, SchemaLookup::Custom(_) | SchemaLookup::Release(_));
        let (mut value, is_custom) = match found {
            SchemaLookup::Custom(schema) => (filled(object, schema), true),
            SchemaLookup::Release(_) => {
                let mut value = Value::from(object.clone());
                defaults::fill(&mut value, object.group(), object.kind());
                (value, false)
            }
            _ => (Value::from(object.clone()), true),
        };
        if let (Some(namespace), Some(metadata)) =
            (&key.namespace, value.get_mut("metadata").and_then(Value::as_object_mut))
        {
            metadata.insert("namespace", Value::String(namespace.clone()));
        }
        Self {
            key,
            manifest,
            kind: (object.group(), object.kind()),
            version: object.version(),
            resource: plurals.get(&object.group_kind()).map(String::as_str),
            name: object.name(),
            namespace: key.namespace.as_deref(),
            namespace_object: key.namespace.as_deref().and_then(|name| namespaces.get(name)),
            object: value,
            is_custom,
            has_schema,
        }
    }
}
