//! Rules of `trueup.yaml`: when objects of a kind are ready, and when they have failed, by their
//! conditions.

use serde::Deserialize;
use serde_json::Value;

use super::Health;
use super::conditions::{condition, is_stale, words};
use crate::object::{Object, ObjectKey};

/// When objects of a kind are ready.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthRule {
    /// The kind.
    pub kind: String,
    /// Its API group; the empty text, which is also what is meant when it is left out, is the core
    /// group.
    #[serde(default)]
    pub group: String,
    /// What all has to hold.
    pub ready: Vec<Expectation>,
    /// What says that it failed, if any of it holds.
    #[serde(default)]
    pub failed: Vec<Expectation>,
}

/// A condition and the status that is expected of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The condition's type.
    pub condition: String,
    /// Its status; `True` when left out.
    #[serde(default = "yes")]
    pub status: String,
    /// Its reason; any when left out.
    pub reason: Option<String>,
}

fn yes() -> String {
    "True".to_owned()
}

impl HealthRule {
    /// Whether it is about this object.
    pub fn is_about(&self, key: &ObjectKey) -> bool {
        self.kind == key.kind && self.group == key.group
    }

    /// The health of an object that it is about.
    pub fn health(&self, object: &Object) -> Health {
        if let Some(found) = self.failed.iter().find_map(|it| it.met(object)) {
            return Health::failed(words(found, "it failed"));
        }
        match self.ready.iter().find(|it| it.met(object).is_none()) {
            None => Health::ready(),
            Some(lack) => Health::progressing(lack.lack(object)),
        }
    }
}

impl Expectation {
    /// The condition, if it is as expected.
    fn met<'a>(&self, object: &'a Object) -> Option<&'a Value> {
        let found = condition(object, &self.condition).filter(|it| !is_stale(it, object))?;
        let is = |name: &str, wanted: &str| found.get(name).and_then(Value::as_str) == Some(wanted);
        let met = is("status", &self.status)
            && self.reason.as_ref().is_none_or(|reason| is("reason", reason));
        met.then_some(found)
    }

    /// What is there instead of what is expected.
    fn lack(&self, object: &Object) -> String {
        let Self { condition: kind, status, .. } = self;
        match condition(object, kind) {
            Some(found) => {
                format!("{kind} is not {status}: {}", words(found, "no reason is given"))
            }
            None => format!("it has no condition {kind}"),
        }
    }
}
