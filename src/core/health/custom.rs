//! Rules of `trueup.yaml`: when objects of a kind are ready, and when they have failed, by their
//! conditions or by an expression.

use std::fmt;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::Health;
use super::conditions::{condition, is_stale, words};
use crate::core::cel::Expression;
use crate::core::json::Value;
use crate::core::object::{Object, ObjectKey};

/// When objects of a kind are ready.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "health"))]
#[serde(deny_unknown_fields)]
pub struct HealthRule {
    /// The kind.
    pub kind: String,
    /// The API group; the core group when left out.
    #[serde(default)]
    pub group: String,
    /// A CEL expression over `object`, or conditions that all have to hold.
    pub ready: HealthTest,
    /// A CEL expression over `object`, or conditions of which any has to hold.
    #[serde(default)]
    pub failed: HealthTest,
}

/// Something that holds of an object, or does not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "test", untagged))]
pub enum HealthTest {
    /// Conditions and what is expected of them.
    Conditions(Vec<ConditionTest>),
    /// An expression in CEL.
    Expression(#[cfg_attr(test, schemars(with = "String"))] Expression),
}

impl Default for HealthTest {
    fn default() -> Self {
        Self::Conditions(Vec::new())
    }
}

impl<'de> Deserialize<'de> for HealthTest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TestVisitor;
        impl<'de> Visitor<'de> for TestVisitor {
            type Value = HealthTest;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an expression in CEL, or a list of conditions")
            }

            fn visit_str<E>(self, text: &str) -> Result<HealthTest, E> {
                Ok(HealthTest::Expression(Expression::new(text)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<HealthTest, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(HealthTest::Conditions)
            }
        }
        deserializer.deserialize_any(TestVisitor)
    }
}

/// A condition and the status that is expected of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "condition"))]
#[serde(deny_unknown_fields)]
pub struct ConditionTest {
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

    /// The fault of its expressions, and which of them has it.
    pub fn wrong(&self) -> Option<(&'static str, &str)> {
        let tests = [("ready", &self.ready), ("failed", &self.failed)];
        tests.into_iter().find_map(|(name, test)| match test {
            HealthTest::Expression(expression) => Some((name, expression.wrong()?)),
            HealthTest::Conditions(_) => None,
        })
    }

    /// The health of an object that it is about. What can't be worked out is not known, and so not
    /// ready. What its expressions cost is added to `spent`.
    pub fn health(&self, object: &Object, spent: &mut u64) -> Health {
        let unknown = |why: String| {
            Health::progressing(format!(
                "its health rule can't be \
            evaluated: {why}"
            ))
        };
        match &self.failed {
            HealthTest::Conditions(any) => {
                if let Some(found) = any.iter().find_map(|it| it.met(object)) {
                    return Health::failed(words(found, "it failed"));
                }
            }
            HealthTest::Expression(expression) => match expression.holds(object, spent) {
                Ok(true) => return Health::failed(format!("{} holds", expression.text())),
                Ok(false) => {}
                Err(why) => return unknown(why),
            },
        }
        match &self.ready {
            HealthTest::Conditions(all) => match all.iter().find(|it| it.met(object).is_none()) {
                None => Health::ready(),
                Some(lack) => Health::progressing(lack.unmet_text(object)),
            },
            HealthTest::Expression(expression) => match expression.holds(object, spent) {
                Ok(true) => Health::ready(),
                Ok(false) => Health::progressing(format!("{} does not hold", expression.text())),
                Err(why) => unknown(why),
            },
        }
    }
}

impl ConditionTest {
    /// The condition, if it is as expected.
    fn met<'a>(&self, object: &'a Object) -> Option<&'a Value> {
        let found = condition(object, &self.condition).filter(|it| !is_stale(it, object))?;
        let is = |name: &str, wanted: &str| found.get(name).and_then(Value::as_str) == Some(wanted);
        let met = is("status", &self.status)
            && self.reason.as_ref().is_none_or(|reason| is("reason", reason));
        met.then_some(found)
    }

    /// The actual value in place of the expected one.
    fn unmet_text(&self, object: &Object) -> String {
        let Self { condition: kind, status, .. } = self;
        match condition(object, kind) {
            Some(found) => {
                format!("{kind} is not {status}: {}", words(found, "no reason is given"))
            }
            None => format!("it has no condition {kind}"),
        }
    }
}
