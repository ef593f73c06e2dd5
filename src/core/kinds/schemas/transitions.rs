//! Which of a definition's rules the API server speaks of when it refuses an object, and whether it is
//! one about a change: a transition rule, which compares the value with `oldSelf`.
//!
//! The server names a field and what the rule's author wrote of it (k8s.io/apiextensions-apiserver,
//! `pkg/apiserver/schema/cel/validation.go`), so a rule is found by where it stands and by what it
//! says. What a `messageExpression` comes to, only the server knows: of such a rule the place and the
//! sort of the fault are compared.

use super::{Others, Schema, Validation};
use crate::core::problem::Cause;

/// How a cause begins, by the reason of the rule.
const REASONS: [(&str, &str); 4] = [
    ("FieldValueInvalid", "Invalid value: "),
    ("FieldValueForbidden", "Forbidden: "),
    ("FieldValueRequired", "Required value: "),
    ("FieldValueDuplicate", "Duplicate value: "),
];

impl Validation {
    /// Whether it compares the value with the one that it had.
    pub fn is_transition(&self) -> bool {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        self.rule.split(|c| !is_word(c)).any(|word| word == "oldSelf")
    }

    /// Whether the server would put it so.
    fn matches_cause(&self, cause: &Cause) -> bool {
        let rule = format!("failed rule: {}", self.rule.trim());
        let message = self.message.as_deref().map(str::trim).filter(|text| !text.is_empty());
        // Where the expression can't be evaluated, the server falls back on the others.
        let texts = message.into_iter().chain([rule.as_str()]);
        let mut texts = texts.filter(|text| cause.message.ends_with(*text));
        texts.any(|text| {
            let before = &cause.message[..cause.message.len() - text.len()];
            before.is_empty() || before.ends_with(": ")
        })
    }

    /// Whether the server may put it so, of what only it can evaluate.
    fn may_say(&self, cause: &Cause) -> bool {
        let reason = self.reason.as_deref().unwrap_or("FieldValueInvalid");
        let begins = REASONS.iter().find(|(known, _)| *known == reason);
        self.message_expression.is_some()
            && begins.is_some_and(|(_, begins)| cause.message.starts_with(begins))
    }
}

impl Schema {
    /// The rules that the cause may come from; none where it comes from something else.
    pub fn rules_behind(&self, cause: &Cause) -> Vec<&Validation> {
        let mut here = self.forms();
        let mut rules: Vec<&Validation> = Vec::new();
        let steps = steps(&cause.field);
        for (depth, step) in steps.iter().enumerate() {
            rules.extend(rules_of(&here).filter(|rule| {
                let blames = rule.field_path.as_deref().map(self::steps);
                blames.is_some_and(|path| steps[depth..].starts_with(&path) && !path.is_empty())
            }));
            here = here.iter().filter_map(|schema| schema.at(step)).flat_map(Self::forms).collect();
        }
        rules.extend(rules_of(&here).filter(|rule| rule.field_path.is_none()));
        let said: Vec<&Validation> =
            rules.iter().copied().filter(|rule| rule.matches_cause(cause)).collect();
        match said.is_empty() {
            true => rules.into_iter().filter(|rule| rule.may_say(cause)).collect(),
            false => said,
        }
    }

    /// The schema and all that is said of the same value in other words.
    fn forms(&self) -> Vec<&Self> {
        let others = self.all_of.iter().chain(&self.any_of).chain(&self.one_of);
        let others = others.chain(self.not.as_deref()).flat_map(Self::forms);
        [self].into_iter().chain(others).collect()
    }

    /// The schema of a part.
    fn at(&self, step: &str) -> Option<&Self> {
        if let Some(schema) = self.properties.get(step) {
            return Some(schema);
        }
        match &self.additional_properties {
            Some(Others::Like(schema)) => Some(schema),
            Some(Others::Allowed(_)) | None => self.items.as_deref(),
        }
    }
}

fn rules_of<'a>(schemas: &[&'a Schema]) -> impl Iterator<Item = &'a Validation> {
    schemas.iter().flat_map(|schema| &schema.validations)
}

/// The steps of a field as the server names it: `spec.rules[0].labels[a.b/c]`, or `.spec['a.b']`.
fn steps(field: &str) -> Vec<&str> {
    let (mut steps, mut rest) = (Vec::new(), field);
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let end = inner.find(']').unwrap_or(inner.len());
            steps.push(inner[..end].trim_matches(['\'', '"']));
            rest = inner.get(end + 1..).unwrap_or_default();
        } else {
            let name = rest.strip_prefix('.').unwrap_or(rest);
            let end = name.find(['.', '[']).unwrap_or(name.len());
            if end > 0 {
                steps.push(&name[..end]);
            } else if name.len() == rest.len() {
                break;
            }
            rest = &name[end..];
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::json::{self, Value, json};

    fn schema(value: &Value) -> Schema {
        json::from_value(value.clone()).unwrap()
    }

    fn cause(field: &str, message: &str) -> Cause {
        Cause { field: field.to_owned(), message: message.to_owned(), place: None }
    }

    fn behind(schema: &Schema, field: &str, message: &str) -> Vec<String> {
        let rules = schema.rules_behind(&cause(field, message));
        rules.into_iter().map(|rule| rule.rule.clone()).collect()
    }

    #[test]
    fn a_rule_is_found_by_where_it_stands_and_what_it_says() {
        let text = |rules: Value| json!({ "type": "string", "x-kubernetes-validations": rules });
        let schema = schema(&json!({
            "x-kubernetes-validations": [
                { "rule": "self.spec.a == oldSelf.spec.a", "message": "a stays", "fieldPath": ".spec.a" },
                { "rule": "root == oldSelf" }],
            "properties": { "spec": {
                "x-kubernetes-validations": [{ "rule": "whole == oldSelf", "message": "it stays" }],
                "properties": {
                    "a": text(json!([{ "rule": "size(self) > 1", "message": "longer" },
                        { "rule": "self == oldSelf", "messageExpression": "'was ' + oldSelf" },
                        { "rule": "self >= oldSelf", "message": "fixed", "reason": "FieldValueForbidden" }])),
                    "list": { "items": { "properties": { "x": text(json!([{ "rule": "x == oldSelf" }])) } } },
                    "map": { "additionalProperties": text(json!([{ "rule": "m == oldSelf" }])) },
                    "all": { "allOf": [text(json!([{ "rule": "all == oldSelf" }]))] },
                } } },
        }));
        for (field, message, rules) in [
            ("spec.a", "Invalid value: \"b\": longer", &["size(self) > 1"][..]),
            ("spec.a", "Forbidden: fixed", &["self >= oldSelf"]),
            ("spec.a", "Invalid value: \"b\": was red", &["self == oldSelf"]),
            ("spec.a", "Unsupported value: \"b\": supported values: \"c\"", &[]),
            ("spec.a", "Invalid value: \"b\": a stays", &["self.spec.a == oldSelf.spec.a"]),
            ("spec", "Invalid value: \"object\": it stays", &["whole == oldSelf"]),
            ("spec.b", "Invalid value: \"object\": it stays", &[]),
            ("", "Invalid value: \"object\": failed rule: root == oldSelf", &["root == oldSelf"]),
            (
                "spec.list[3].x",
                "Invalid value: \"b\": failed rule: x == oldSelf",
                &["x == oldSelf"],
            ),
            (
                "spec.map[a.b/c]",
                "Invalid value: \"b\": failed rule: m == oldSelf",
                &["m == oldSelf"],
            ),
            ("spec.all", "Invalid value: \"b\": failed rule: all == oldSelf", &["all == oldSelf"]),
        ] {
            assert_eq!(behind(&schema, field, message), rules, "{field}: {message}");
        }
    }

    #[test]
    fn a_transition_rule_names_the_old_value() {
        for (rule, is) in [
            ("self == oldSelf", true),
            ("self.all(x, x in oldSelf)", true),
            ("!oldSelf.hasValue() || oldSelf.value() == self", true),
            ("self.oldSelfish > 1", false),
            ("self > 1", false),
        ] {
            let rule = Validation { rule: rule.to_owned(), ..Validation::default() };
            assert_eq!(rule.is_transition(), is, "{}", rule.rule);
        }
    }
}
