//! A policy, by one of its bindings, for one object.

use super::matching::{self, Match};
use super::{Candidate, Level, Policy};
use crate::core::cel::{ExpressionValue, FilledIn, Form, Rule, Scope, Verdict};
use crate::core::json::{Map, Value, json};
use crate::core::manifest::Manifest;

/// The outcome of a policy.
pub(super) enum Outcome {
    /// It does not admit the object: how bad that is, the expression, and why.
    Denied(Level, String, String),
    /// It can't be worked out here: why, and the part of the policy's `spec` that can't.
    Unknown(String, Part),
}

/// A part of a policy's `spec`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// The objects that it is about.
    Constraints,
    /// The kind of its parameters.
    Parameters,
    /// A condition, by its number.
    Condition(usize),
    /// A validation, by its number.
    Validation(usize),
}

/// A policy, its binding, and an object.
pub(super) struct Case<'c> {
    pub(super) policy: &'c Policy<'c>,
    pub(super) binding: &'c Map,
    pub(super) candidate: &'c Candidate<'c>,
}

impl<'c> Case<'c> {
    /// Everything that comes of it; nothing where the object is admitted.
    pub(super) fn outcomes<'m, I: Iterator<Item = &'m Manifest>>(
        &self,
        manifests: &dyn Fn() -> I,
    ) -> Vec<Outcome> {
        let (policy, candidate) = (self.policy, self.candidate);
        let binding = self.binding.get("spec").unwrap_or(&Value::Null);
        let is_about = matching::constraints(&policy.spec["matchConstraints"], candidate)
            .and(|| matching::constraints(&binding["matchResources"], candidate));
        match is_about {
            Match::No => return Vec::new(),
            Match::Yes if !candidate.has_schema => {
                let why = "there is no schema for the kind, so its defaults are unknown";
                return vec![Outcome::Unknown(why.to_owned(), Part::Constraints)];
            }
            Match::Yes => {}
            Match::Unknown(why) => {
                return vec![Outcome::Unknown(why.to_owned(), Part::Constraints)];
            }
        }
        let request = self.request();
        let parameters = match self.parameters(binding, manifests) {
            Ok(parameters) => parameters,
            Err(why) => return vec![Outcome::Unknown(why, Part::Parameters)],
        };
        let actions = binding["validationActions"].as_array();
        let denies = actions.is_none_or(|actions| actions.iter().any(|action| *action == "Deny"));
        let level = if denies { Level::Error } else { Level::Warning };
        let each = |parameter: Option<&Value>| {
            let mut scope = self.scope(&request, parameter);
            let mut outcomes = Vec::new();
            let (verdict, condition) = self.conditions(&mut scope);
            match verdict {
                Verdict::Known(true) => {}
                Verdict::Known(false) => return outcomes,
                Verdict::Failed(why) if policy.is_strict => {
                    return vec![Outcome::Denied(level, String::new(), why)];
                }
                Verdict::Failed(_) => return outcomes,
                Verdict::Unknown(why) => {
                    return vec![Outcome::Unknown(why, Part::Condition(condition))];
                }
            }
            for (number, validation) in policy.validations.iter().enumerate() {
                let expression =
                    validation.source["expression"].as_str().unwrap_or_default().trim();
                let denied = |why| Outcome::Denied(level, expression.to_owned(), why);
                match validation.rule.holds(&mut scope) {
                    Verdict::Known(true) => {}
                    Verdict::Known(false) => {
                        let made = validation.message.as_ref().and_then(|it| it.text(&mut scope));
                        let written = validation.source["message"].as_str().map(str::trim);
                        let written = written.filter(|text| !text.is_empty());
                        let message = made
                            .or_else(|| written.map(str::to_owned))
                            .unwrap_or_else(|| format!("failed expression: {expression}"));
                        outcomes.push(denied(message));
                    }
                    Verdict::Failed(why) if policy.is_strict => {
                        outcomes.push(denied(format!("{why}: evaluating {expression}")));
                    }
                    Verdict::Failed(_) => {}
                    Verdict::Unknown(why) => {
                        let why = format!("{why}: {expression}");
                        outcomes.push(Outcome::Unknown(why, Part::Validation(number)));
                    }
                }
            }
            outcomes
        };
        // Rules of one call borrow from the request and the parameters, so each has its own.
        match parameters.is_empty() {
            true => each(None),
            false => parameters.iter().flat_map(|parameter| each(Some(parameter))).collect(),
        }
    }

    /// Whether all conditions hold, and the number of one that can't be worked out. One that does
    /// not hold decides, whatever is wrong with others.
    fn conditions<'o>(&'o self, scope: &mut Scope<'o>) -> (Verdict<bool>, usize) {
        let (mut failed, mut unknown) = (None, None);
        for (number, condition) in self.policy.conditions.iter().enumerate() {
            match condition.rule.holds(scope) {
                Verdict::Known(true) => {}
                Verdict::Known(false) => return (Verdict::Known(false), number),
                Verdict::Failed(why) => failed = Some(why),
                Verdict::Unknown(why) => unknown = Some((why, number)),
            }
        }
        match (unknown, failed) {
            (Some((why, number)), _) => (Verdict::Unknown(why), number),
            (None, Some(why)) => (Verdict::Failed(why), 0),
            (None, None) => (Verdict::Known(true), 0),
        }
    }

    fn scope<'o>(&'o self, request: &'o Value, parameter: Option<&'o Value>) -> Scope<'o> {
        let candidate = self.candidate;
        let filled = match (candidate.is_custom, candidate.kind) {
            (true, _) => FilledIn::Custom,
            (false, ("", "Pod")) => FilledIn::Pod,
            (false, _) => FilledIn::Release,
        };
        let namespace = match (candidate.namespace, candidate.namespace_object) {
            (None, _) => Ok(ExpressionValue::Null),
            (Some(_), Some(object)) => Ok(Form::Filled(FilledIn::Release).read(object)),
            (Some(_), None) => Err("the namespace is not in the set".to_owned()),
        };
        let variables: &'o [Rule] = &self.policy.variables;
        Scope::new(vec![
            Ok(Form::Filled(filled).read(&candidate.object)),
            Ok(ExpressionValue::Null),
            Ok(Form::Filled(FilledIn::Request).read(request)),
            Ok(parameter.map_or(ExpressionValue::Null, |it| Form::Dynamic.read(it))),
            namespace,
            Err("only a server knows what an authorizer allows".to_owned()),
        ])
        .with(variables)
    }

    /// The request that creates the object.
    fn request(&self) -> Value {
        let candidate = self.candidate;
        let (group, kind) = candidate.kind;
        let (version, resource) = (candidate.version, candidate.resource.unwrap_or_default());
        let kind = json!({"group": group, "version": version, "kind": kind});
        let resource = json!({"group": group, "version": version, "resource": resource});
        json!({
            "name": candidate.name, "namespace": candidate.namespace.unwrap_or_default(),
            "operation": "CREATE", "kind": kind, "requestKind": kind, "resource": resource,
            "requestResource": resource, "subResource": "", "requestSubResource": "",
        })
    }

    /// The parameters that the binding names; none where the policy has none.
    fn parameters<'m, I: Iterator<Item = &'m Manifest>>(
        &self,
        binding: &Value,
        manifests: &dyn Fn() -> I,
    ) -> Result<Vec<Value>, String> {
        let (kind, reference) = (&self.policy.spec["paramKind"], &binding["paramRef"]);
        if kind.is_null() || reference.is_null() {
            return Ok(Vec::new());
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let namespace = reference["namespace"].as_str().or(self.candidate.namespace);
        let is_wanted = |it: &&Manifest| {
            let object = &it.object;
            let own = object.namespace();
            let labels = object.0.get("metadata").map(|metadata| &metadata["labels"]);
            let label = |key: &str| Some(labels.and_then(|labels| labels.get(key)?.as_str()));
            object.kind() == text(&kind["kind"])
                && object.api_version() == text(&kind["apiVersion"])
                && (own.is_none() || own == namespace)
                && match reference["name"].as_str() {
                    Some(name) => object.name() == name,
                    None => matching::selector(&reference["selector"], &label) == Match::Yes,
                }
        };
        let found: Vec<Value> =
            manifests().filter(is_wanted).map(|it| Value::from(it.object.clone())).collect();
        if found.is_empty() {
            let kind = text(&kind["kind"]);
            let name = reference["name"].as_str().map(|name| format!(" {name}"));
            let consequence = match reference["parameterNotFoundAction"].as_str() {
                Some("Allow") => "admits",
                _ => "refuses",
            };
            return Err(format!(
                "the parameter {kind}{} is not in the set; where the server has none, it \
                {consequence} the object",
                name.unwrap_or_default()
            ));
        }
        Ok(found)
    }
}
