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
}

#[derive(Serialize, Deserialize)]
struct KeptAnswer {
    objects: usize,
    files: usize,
    findings: Vec<KeptFinding>,
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
}

impl CheckAnswer {
    /// As it is kept.
    pub fn to_bytes(&self) -> Vec<u8> {
        let kept = KeptAnswer {
            objects: self.objects,
            files: self.files,
            findings: self.findings.iter().map(KeptFinding::of).collect(),
        };
        serde_json::to_vec(&kept).unwrap_or_default()
    }

    /// As it was kept; `None` for what this build does not understand.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let kept: KeptAnswer = serde_json::from_slice(bytes).ok()?;
        let findings =
            kept.findings.into_iter().map(KeptFinding::finding).collect::<Option<_>>()?;
        Some(Self { findings, objects: kept.objects, files: kept.files })
    }
}

impl KeptFinding {
    fn of(finding: &Finding) -> Self {
        let Finding { level, rule, place, object, field, message, hint } = finding.clone();
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
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(rule: CheckRule, level: Level, hint: Option<Remedy>) -> Finding {
        Finding {
            level,
            rule,
            place: Location { path: "a b/ü.yaml".to_owned(), line: 3, column: 7 },
            object: Some(ObjectKey {
                group: "apps".to_owned(),
                kind: "Deployment".to_owned(),
                namespace: None,
                name: "web".to_owned(),
            }),
            field: Some("spec.replicas".to_owned()),
            message: "not a \"number\"\nat all".to_owned(),
            hint,
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
                let given = CheckAnswer { findings: vec![first.clone()], objects: 2, files: 1 };
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
