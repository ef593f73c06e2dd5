//! The findings of a check as they are kept. A hint is kept as the words that are printed.

use serde::{Deserialize, Serialize};

use crate::cli::remedy;
use crate::core::check::{CheckRule, Finding, Level};
use crate::core::object::ObjectKey;
use crate::core::problem::Location;
use crate::core::remedy::Remedy;

/// The findings, and what they are of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckAnswer {
    /// The findings, in order.
    pub findings: Vec<Finding>,
    /// How many objects were checked.
    pub objects: usize,
    /// In how many files.
    pub files: usize,
    /// The objects that there are with the target, where others may name them.
    pub there: Vec<ObjectKey>,
}

#[derive(Serialize, Deserialize)]
struct KeptAnswer {
    objects: usize,
    files: usize,
    findings: Vec<KeptFinding>,
    there: Vec<(String, String, Option<String>, String)>,
}

#[derive(Serialize, Deserialize)]
struct KeptFinding {
    is_error: bool,
    rule: String,
    path: String,
    line: usize,
    column: usize,
    object: Option<ObjectKey>,
    field: Option<String>,
    message: String,
    hint: Option<String>,
    missing: Option<ObjectKey>,
}

impl CheckAnswer {
    /// As it is kept.
    pub fn to_bytes(&self) -> Vec<u8> {
        let short = |key: &ObjectKey| {
            let ObjectKey { group, kind, namespace, name } = key.clone();
            (group, kind, namespace, name)
        };
        let kept = KeptAnswer {
            objects: self.objects,
            files: self.files,
            findings: self.findings.iter().map(KeptFinding::of).collect(),
            there: self.there.iter().map(short).collect(),
        };
        serde_json::to_vec(&kept).unwrap_or_default()
    }

    /// As it was kept; `None` for what this build does not understand.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let kept: KeptAnswer = serde_json::from_slice(bytes).ok()?;
        let findings =
            kept.findings.into_iter().map(KeptFinding::finding).collect::<Option<_>>()?;
        let there = kept.there.into_iter();
        let there = there
            .map(|(group, kind, namespace, name)| ObjectKey { group, kind, namespace, name })
            .collect();
        Some(Self { findings, objects: kept.objects, files: kept.files, there })
    }
}

impl KeptFinding {
    fn of(finding: &Finding) -> Self {
        let Finding { level, rule, place, object, field, message, hint, missing } = finding.clone();
        Self {
            is_error: level == Level::Error,
            rule: rule.name().to_owned(),
            path: place.path,
            line: place.line,
            column: place.column,
            object,
            field,
            message,
            hint: hint.as_ref().map(remedy::words),
            missing: missing.map(|key| *key),
        }
    }

    fn finding(self) -> Option<Finding> {
        Some(Finding {
            level: if self.is_error { Level::Error } else { Level::Warning },
            rule: CheckRule::ALL.into_iter().find(|rule| rule.name() == self.rule)?,
            place: Location { path: self.path, line: self.line, column: self.column },
            object: self.object,
            field: self.field,
            message: self.message,
            hint: self.hint.map(Remedy::Text),
            missing: self.missing.map(Box::new),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kind: &str) -> ObjectKey {
        let (group, namespace, name) = ("apps".to_owned(), None, "web".to_owned());
        ObjectKey { group, kind: kind.to_owned(), namespace, name }
    }

    fn finding(rule: CheckRule, level: Level, hint: Option<Remedy>) -> Finding {
        Finding {
            level,
            rule,
            place: Location { path: "a b/ü.yaml".to_owned(), line: 3, column: 7 },
            object: Some(key("Deployment")),
            field: Some("spec.replicas".to_owned()),
            message: "not a \"number\"\nat all".to_owned(),
            hint,
            missing: Some(Box::new(key("ConfigMap"))),
        }
    }

    #[test]
    fn every_finding_is_told_in_the_same_words_again() {
        let kind = "Job".to_owned();
        let hint = Remedy::Each(vec![Remedy::Replace { kind }, Remedy::Text("or not".to_owned())]);
        let told = |hint: &Option<Remedy>| hint.as_ref().map(remedy::words);
        for rule in CheckRule::ALL {
            for level in [Level::Error, Level::Warning] {
                let first = finding(rule, level, Some(hint.clone()));
                let there = vec![key("Job")];
                let findings = vec![first.clone()];
                let given = CheckAnswer { findings, objects: 2, files: 1, there };
                let again = CheckAnswer::from_bytes(&given.to_bytes()).unwrap();
                assert_eq!(told(&again.findings[0].hint), told(&first.hint));
                let plain = Finding { hint: again.findings[0].hint.clone(), ..first };
                assert_eq!(again, CheckAnswer { findings: vec![plain], ..given });
            }
        }
    }

    #[test]
    fn an_answer_of_another_form_is_none() {
        let given = CheckAnswer {
            findings: vec![finding(CheckRule::Value, Level::Error, None)],
            ..CheckAnswer::default()
        };
        let text = String::from_utf8(given.to_bytes()).unwrap();
        assert_eq!(CheckAnswer::from_bytes(text.as_bytes()), Some(given));
        let other = text.replace("\"value\"", "\"values\"");
        for wrong in ["", "{}", "null", &text[1..], &text[..text.len() - 1], &other] {
            assert_eq!(CheckAnswer::from_bytes(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
