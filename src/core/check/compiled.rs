//! Expressions that the API server does not compile: rules of definitions, and conditions of
//! webhooks and policies. It refuses the object that holds them, whether anything uses it or not.
//!
//! The rules are those of k8s.io/apiextensions-apiserver, `pkg/apiserver/schema/cel/compilation.go`,
//! and of `pkg/apis/admissionregistration/validation/validation.go` in Kubernetes. Types come from
//! the schemas; where one is not sure, nothing is said.

use std::sync::LazyLock;

use super::validate::KeyOrValue;
use super::{CheckRule, Finding, Level, words};
use crate::core::cel::{Rule, Type, Wanted};
use crate::core::json::{self, Value, json};
use crate::core::kinds::catalog::CRD;
use crate::core::kinds::schemas::{Others, Schema};
use crate::core::manifest::{Manifest, PathPart};
use crate::core::object::ObjectKey;

const GROUP: &str = "admissionregistration.k8s.io";
const RULES: &str = "x-kubernetes-validations";
/// The variables of a definition's rule.
const SELVES: [&str; 2] = ["self", "oldSelf"];

/// The errors about expressions of an object of the set.
pub(super) fn refused(key: &ObjectKey, manifest: &Manifest) -> Vec<Finding> {
    let mut expressions = Expressions { key, manifest, findings: Vec::new() };
    let spec = manifest.object.0.get("spec").unwrap_or(&Value::Null);
    match (key.group.as_str(), key.kind.as_str()) {
        CRD => expressions.definition(spec),
        (GROUP, "ValidatingAdmissionPolicy") => expressions.policy(spec),
        (GROUP, "MutatingAdmissionPolicy") => {
            let has_parameters = !spec["paramKind"].is_null();
            expressions.conditions(spec, &[PathPart::Key("spec")], has_parameters);
        }
        (GROUP, "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration") => {
            let hooks = manifest.object.0.get("webhooks").and_then(Value::as_array);
            for (index, hook) in hooks.into_iter().flatten().enumerate() {
                let around = [PathPart::Key("webhooks"), PathPart::Index(index)];
                expressions.conditions(hook, &around, false);
            }
        }
        _ => {}
    }
    expressions.findings
}

/// Adds findings about rules and policies. That a rule is not evaluated is not said where the rule
/// is refused, nor is that of a refused policy.
pub(super) fn settle(findings: &mut Vec<Finding>, more: Vec<Finding>) {
    let is_error = |found: &&Finding| found.level == Level::Error;
    let is_told = |found: &Finding, findings: &[Finding]| {
        found.rule == CheckRule::NotEvaluated
            && findings.iter().filter(is_error).filter(|it| it.object == found.object).any(|it| {
                let is_policy = it.object.as_ref().is_some_and(|key| key.group == GROUP);
                it.field == found.field || is_policy
            })
    };
    let more: Vec<Finding> = more.into_iter().filter(|it| !is_told(it, findings)).collect();
    findings.extend(more);
}

/// Whether there is a rule somewhere in a schema: most definitions have none, and reading a schema
/// takes time.
fn has_rules(schema: &Value) -> bool {
    match schema {
        Value::Object(map) => {
            map.iter().any(|(key, below)| key.as_str() == RULES || has_rules(below))
        }
        Value::Array(list) => list.iter().any(has_rules),
        _ => false,
    }
}

/// The expressions of one object.
struct Expressions<'m> {
    key: &'m ObjectKey,
    manifest: &'m Manifest,
    findings: Vec<Finding>,
}

/// An expression, what it may use, and what it has to be.
struct Expression<'e, 's> {
    text: Option<&'e str>,
    names: &'e [&'e str],
    /// Composed variables.
    defined: &'e [&'e str],
    /// The types of the variables; those after the last are not known.
    types: &'e [Type<'s>],
    wanted: Wanted,
}

impl Expressions<'_> {
    /// Compiles an expression that is at a path.
    fn compile(&mut self, path: &[PathPart<'_>], expression: &Expression<'_, '_>) {
        let Expression { text, names, defined, types, wanted } = *expression;
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return };
        let Some(why) = Rule::new(text, names, defined).refusal(types, wanted) else { return };
        let message = format!("{} does not compile: {why}", words::name(path));
        let (at, rule) = (KeyOrValue::Value, CheckRule::Value);
        let found = Finding::about(self.key, self.manifest, path, at, rule, message);
        self.findings.push(Finding { level: Level::Error, ..found });
    }

    /// The rules of a definition, of all its versions.
    fn definition(&mut self, spec: &Value) {
        for (index, version) in spec["versions"].as_array().into_iter().flatten().enumerate() {
            let schema = &version["schema"]["openAPIV3Schema"];
            if !has_rules(schema) {
                continue;
            }
            let Ok(schema) = json::from_value::<Schema>(schema.clone()) else { continue };
            let mut path = vec![
                PathPart::Key("spec"),
                PathPart::Key("versions"),
                PathPart::Index(index),
                PathPart::Key("schema"),
                PathPart::Key("openAPIV3Schema"),
            ];
            self.rules(&schema, &mut path, &Type::of_resource(&schema));
        }
    }

    /// The rules of a value, and those below.
    fn rules<'s>(&mut self, schema: &'s Schema, path: &mut Vec<PathPart<'s>>, own: &Type<'s>) {
        for (index, rule) in schema.validations.iter().enumerate() {
            let old = if rule.optional_old_self { Type::Any } else { own.clone() };
            let types = [own.clone(), old];
            path.extend([PathPart::Key(RULES), PathPart::Index(index)]);
            let texts = [
                ("rule", Some(rule.rule.as_str()), Wanted::Bool),
                ("messageExpression", rule.message_expression.as_deref(), Wanted::Text),
            ];
            for (field, text, wanted) in texts {
                path.push(PathPart::Key(field));
                let names = &SELVES;
                self.compile(
                    path,
                    &Expression { text, names, defined: &[], types: &types, wanted },
                );
                path.pop();
            }
            path.truncate(path.len() - 2);
        }
        let mut below = |steps: &[PathPart<'s>], schema: &'s Schema| {
            path.extend_from_slice(steps);
            self.rules(schema, path, &Type::of(schema));
            path.truncate(path.len() - steps.len());
        };
        for (name, schema) in &schema.properties {
            below(&[PathPart::Key("properties"), PathPart::Key(name)], schema);
        }
        if let Some(Others::Like(schema)) = &schema.additional_properties {
            below(&[PathPart::Key("additionalProperties")], schema);
        }
        if let Some(schema) = &schema.items {
            below(&[PathPart::Key("items")], schema);
        }
    }

    /// The conditions of a webhook or a policy, which see no composed variables.
    fn conditions(&mut self, around: &Value, path: &[PathPart<'_>], has_parameters: bool) {
        let names = names(has_parameters);
        let list = around["matchConditions"].as_array();
        for (index, condition) in list.into_iter().flatten().enumerate() {
            let steps = ["matchConditions", "expression"].map(PathPart::Key);
            let path = [path, &[steps[0], PathPart::Index(index), steps[1]]].concat();
            let text = condition["expression"].as_str();
            let (names, wanted) = (&names[..], Wanted::Bool);
            self.compile(&path, &Expression { text, names, defined: &[], types: &types(), wanted });
        }
    }

    /// The expressions of a policy.
    fn policy(&mut self, spec: &Value) {
        let has_parameters = !spec["paramKind"].is_null();
        self.conditions(spec, &[PathPart::Key("spec")], has_parameters);
        let list = |name: &str| spec[name].as_array().map_or(&[][..], Vec::as_slice);
        let variables = list("variables").iter();
        let defined: Vec<&str> =
            variables.map(|variable| variable["name"].as_str().unwrap_or_default()).collect();
        let names = names(has_parameters);
        // A message has no authorizer.
        let of_messages: Vec<&str> =
            names.iter().copied().filter(|it| *it != "authorizer").collect();
        let places = [
            ("variables", "expression", Wanted::Anything),
            ("validations", "expression", Wanted::Bool),
            ("validations", "messageExpression", Wanted::Text),
            ("auditAnnotations", "valueExpression", Wanted::TextOrNull),
        ];
        for (part, field, wanted) in places {
            for (index, source) in list(part).iter().enumerate() {
                let names = if field == "messageExpression" { &of_messages } else { &names };
                let end = if part == "variables" { index } else { defined.len() };
                let (text, defined) = (source[field].as_str(), &defined[..end]);
                let path = [
                    PathPart::Key("spec"),
                    PathPart::Key(part),
                    PathPart::Index(index),
                    PathPart::Key(field),
                ];
                self.compile(&path, &Expression { text, names, defined, types: &types(), wanted });
            }
        }
    }
}

/// The variables of an expression of admission.
fn names(has_parameters: bool) -> Vec<&'static str> {
    let mut names = vec!["object", "oldObject", "request", "namespaceObject", "authorizer"];
    if has_parameters {
        names.push("params");
    }
    names
}

/// Their types, as far as there are such.
fn types() -> [Type<'static>; 3] {
    [Type::Any, Type::Any, Type::of(&REQUEST)]
}

/// The fields of a request (k8s.io/apiserver, `pkg/admission/plugin/cel/compile.go`).
static REQUEST: LazyLock<Schema> = LazyLock::new(|| {
    let text = || json!({"type": "string"});
    let kind = json!({"type": "object", "properties":
        {"group": text(), "version": text(), "kind": text()}});
    let resource = json!({"type": "object", "properties":
        {"group": text(), "version": text(), "resource": text()}});
    let list = json!({"type": "array", "items": {"type": "string"}});
    let user = json!({"type": "object", "properties": {
        "username": {"type": "string"}, "uid": {"type": "string"}, "groups": list,
        "extra": {"type": "object", "additionalProperties": list},
    }});
    let schema = json!({"type": "object", "properties": {
        "kind": kind, "requestKind": kind, "resource": resource, "requestResource": resource,
        "subResource": text(), "requestSubResource": text(), "name": text(), "namespace": text(),
        "operation": text(), "userInfo": user, "dryRun": {"type": "boolean"},
        "options": {"x-kubernetes-int-or-string": true},
    }});
    json::from_value(schema).unwrap_or_default()
});
