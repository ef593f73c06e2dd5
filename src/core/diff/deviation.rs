//! The promised object held against the server's answer to the write. A dry run can't tell what an
//! admission policy does to a real request only, nor what is changed between the two.
//!
//! Only what git declares counts, and what was to go ([`crate::core::managed_fields::leftovers`]). What is not
//! declared may be there or not: what the server fills in or allocates, what is injected, what
//! others write in between.

use super::equality::{are_same_bytes, are_same_number, are_same_quantity};
use crate::core::compare::{METADATA, PathStep, is_nothing, path};
use crate::core::json::{Key, Value};
use crate::core::managed_fields::leftovers::Leftover;
use crate::core::managed_fields::managers::{self, FieldsV1, Manager, is_leaf};
use crate::core::managed_fields::owners::{element, is_same_key};
use crate::core::manifest::PathPart;
use crate::core::object::Object;

/// The promise about an object.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The object as it is sent.
    pub sent: &'a Object,
    /// The former object; `None` where there was none.
    pub before: Option<&'a Object>,
    /// The object that the dry run answered; `None` where there was no dry run.
    pub said: Option<&'a Object>,
}

/// A field that is not as it was promised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldDeviation {
    /// Where it is.
    pub steps: Vec<PathStep>,
    /// How it is.
    pub deviation: Deviation,
}

/// How a field is that is not as it was promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deviation {
    /// It is declared, and has another value.
    Changed,
    /// It is declared, but missing in the cluster.
    Missing,
    /// It is declared, and the server never keeps it.
    Dropped,
    /// It is not declared, and there, in a map that is declared as a whole.
    Undeclared,
    /// It was to go, and is still there.
    Staying,
}

impl FieldDeviation {
    /// That something was to go and is still there.
    pub fn staying(leftover: &Leftover) -> Self {
        let step = |(key, part): (String, PathPart<'_>)| match (key.strip_prefix("k:"), part) {
            (Some(keys), _) => PathStep::Keyed(serde_json::from_str(keys).unwrap_or_default()),
            (None, PathPart::Key(name)) => PathStep::Key(name.to_owned()),
            (None, PathPart::Index(at)) => PathStep::item(at),
        };
        let steps = leftover.path().into_iter().zip(leftover.place()).map(step).collect();
        Self { steps, deviation: Deviation::Staying }
    }

    /// Where it is, for a person.
    pub fn path(&self) -> String {
        path(&self.steps)
    }
}

impl Expected<'_> {
    /// The declared fields that `answer` has otherwise, in the order of the object.
    ///
    /// The deviations. The server's own spelling of a value counts. Where it has none, a value that
    /// is another one by all that is known without it differs.
    pub fn differences(&self, answer: &Object) -> Vec<FieldDeviation> {
        let Self { sent, before, said } = *self;
        let owned = managers::of(answer).find(Manager::is_ours).map(|ours| ours.fields);
        let mut walk = DeviationWalk {
            is_asked: said.is_some(),
            is_secret: (sent.api_version(), sent.kind()) == ("v1", "Secret"),
            steps: Vec::new(),
            found: Vec::new(),
        };
        for (key, value) in &*sent.0 {
            let (now, said) = (answer.0.get(key), said.and_then(|said| said.0.get(key)));
            let before = before.and_then(|before| before.0.get(key));
            let seen = KnownValues { now, said, before, owned }.key_of_owned(key);
            match (key.as_str(), value) {
                // The status is written at an address of its own.
                ("apiVersion" | "kind" | "status", _) => {}
                ("metadata", Value::Object(metadata)) => {
                    let mut declared = metadata.clone();
                    declared.retain(|key, _| !METADATA.contains(&key.as_str()));
                    walk.below(PathStep::Key(key.to_string()), |walk| {
                        walk.fields(&declared, &seen);
                    });
                }
                _ => walk.below(PathStep::Key(key.to_string()), |walk| walk.value(value, &seen)),
            }
        }
        walk.found
    }
}

/// Known values beside the declared one.
#[derive(Clone, Copy, Default)]
struct KnownValues<'a> {
    /// As it is in the answer.
    now: Option<&'a Value>,
    /// As the server said that it becomes.
    said: Option<&'a Value>,
    /// As it was before.
    before: Option<&'a Value>,
    /// Our part of it, in the form `FieldsV1`.
    owned: Option<&'a FieldsV1>,
}

impl<'a> KnownValues<'a> {
    /// The same of a map's key.
    fn key(&self, key: &str) -> Self {
        let get = |value: Option<&'a Value>| value?.get(key);
        let (now, said, before) = (get(self.now), get(self.said), get(self.before));
        Self { now, said, before, ..*self }.key_of_owned(key)
    }

    fn key_of_owned(self, key: &str) -> Self {
        let owned = self.owned.and_then(|node| node.get(&format!("f:{key}"))?.as_object());
        Self { owned, ..self }
    }

    /// The same of the element of a list that `is_it`.
    fn element(&self, is_it: &dyn Fn(&Value) -> bool) -> Self {
        let find = |list: Option<&'a Value>| list?.as_array()?.iter().find(|item| is_it(item));
        let (now, said, before) = (find(self.now), find(self.said), find(self.before));
        let owned = self.owned.zip(now).and_then(|(node, item)| Some(element(node, item)?.1));
        Self { now, said, before, owned }
    }

    /// The same of what stands at a place of lists that have the same length.
    fn item(&self, at: usize, length: usize) -> Self {
        let get =
            |list: Option<&'a Value>| list?.as_array().filter(|list| list.len() == length)?.get(at);
        Self { now: get(self.now), said: get(self.said), before: get(self.before), owned: None }
    }

    /// The keys that identify the elements of the list; `None` where it is owned as a whole, or it
    /// is not known.
    fn element_identity(&self) -> Option<ElementIdentity> {
        let key = self.owned?.keys().find(|key| key.starts_with("k:") || key.starts_with("v:"))?;
        Some(match key.strip_prefix("k:") {
            Some(keys) => {
                let keys: FieldsV1 = serde_json::from_str(keys).unwrap_or_default();
                ElementIdentity::Keys(keys.into_iter().map(|(name, _)| name.into()).collect())
            }
            None => ElementIdentity::Value,
        })
    }

    /// Whether we own it as a whole.
    fn is_whole(&self) -> bool {
        self.owned.is_some_and(is_leaf)
    }
}

/// The keys that identify the elements of a list.
enum ElementIdentity {
    /// These of their fields.
    Keys(Vec<String>),
    /// Their values.
    Value,
}

/// The walk through what is declared.
struct DeviationWalk {
    /// Whether the server said what becomes of the object.
    is_asked: bool,
    /// Whether the object is a Secret, whose data is bytes.
    is_secret: bool,
    steps: Vec<PathStep>,
    found: Vec<FieldDeviation>,
}

impl DeviationWalk {
    fn below(&mut self, step: PathStep, look: impl FnOnce(&mut Self)) {
        self.steps.push(step);
        look(self);
        self.steps.pop();
    }

    fn differs(&mut self, deviation: Deviation) {
        self.found.push(FieldDeviation { steps: self.steps.clone(), deviation });
    }

    /// Whether the server may have written `now` for `sent`. What is text and nothing else, it leaves
    /// as it is.
    fn is_written_otherwise(&self, sent: &Value, now: &Value) -> bool {
        match self.steps.first() {
            Some(PathStep::Key(top)) if top == "metadata" => false,
            Some(PathStep::Key(top)) if matches!(top.as_str(), "data" | "binaryData") => {
                self.is_secret && are_same_bytes(sent, now)
            }
            _ => are_same_quantity(sent, now),
        }
    }

    fn value(&mut self, sent: &Value, seen: &KnownValues<'_>) {
        let is_there = |value: &&Value| !value.is_null();
        let (now, said) = (seen.now.filter(is_there), seen.said.filter(is_there));
        if sent.is_null() || now == Some(sent) || self.is_asked && now == said {
            return;
        }
        match (sent, now) {
            (_, None) if is_nothing(sent) => {}
            (Value::Object(map), None) => self.fields(map, seen),
            (_, None) => self.differs(Deviation::Missing),
            (Value::Object(map), Some(Value::Object(_))) => self.fields(map, seen),
            (Value::Array(list), Some(Value::Array(now))) => self.list(list, now, seen),
            (_, Some(now)) if are_same_number(sent, now) => {}
            (_, Some(now)) if !self.is_asked && self.is_written_otherwise(sent, now) => {}
            // The server puts a value of its own in the place of one that says nothing, such as the
            // port of a node, and not the same each time.
            (_, Some(_)) if is_nothing(sent) && said.is_some_and(|said| !is_nothing(said)) => {}
            _ => self.differs(Deviation::Changed),
        }
    }

    fn fields(&mut self, sent: &FieldsV1, seen: &KnownValues<'_>) {
        for (key, value) in sent {
            self.below(PathStep::Key(key.to_string()), |walk| walk.value(value, &seen.key(key)));
        }
        let is_declared = sent.values().any(|value| !value.is_null());
        let Some(Value::Object(now)) = seen.now else { return };
        // A value that the server fills in can't be told from a deviation where the server was not
        // asked.
        if self.is_asked && seen.is_whole() && is_declared {
            // With the map, it is declared that nothing else is in it.
            let is_more = |key: &&Key| {
                !sent.contains_key(key) && seen.said.is_none_or(|said| said.get(*key).is_none())
            };
            for key in now.keys().filter(is_more) {
                self.below(PathStep::Key(key.to_string()), |walk| {
                    walk.differs(Deviation::Undeclared)
                });
            }
        }
    }

    fn list(&mut self, sent: &[Value], now: &[Value], seen: &KnownValues<'_>) {
        if sent.is_empty() {
            let was = |item: &Value| {
                let before = seen.before.and_then(Value::as_array);
                before.is_some_and(|before| before.contains(item))
            };
            let is_emptied = self.is_asked && seen.said.is_none_or(is_nothing);
            if is_emptied && now.iter().any(was) {
                self.differs(Deviation::Changed);
            }
            return;
        }
        match seen.element_identity() {
            Some(ElementIdentity::Keys(names)) => self.keyed(sent, &names, seen),
            Some(ElementIdentity::Value) => {
                for (at, item) in sent.iter().enumerate() {
                    let is_it = |other: &Value| other == item || are_same_number(item, other);
                    let found = seen.element(&is_it);
                    if found.now.is_none() && (found.said.is_some() || !self.is_asked) {
                        self.below(PathStep::item(at), |walk| walk.differs(Deviation::Missing));
                    }
                }
            }
            None if sent.len() == now.len() => {
                for (at, item) in sent.iter().enumerate() {
                    let seen = seen.item(at, sent.len());
                    self.below(PathStep::item(at), |walk| walk.value(item, &seen));
                }
            }
            None => self.whole(sent, now, seen),
        }
    }

    /// A list whose elements are identified by some of their fields.
    fn keyed(&mut self, sent: &[Value], names: &[String], seen: &KnownValues<'_>) {
        for item in sent {
            let is_it = |other: &Value| names.iter().all(|name| is_same_key(name, item, other));
            let found = seen.element(&is_it);
            let pair = |name: &String| Some((name.clone(), item.get(name)?.clone()));
            let step = PathStep::Keyed(names.iter().filter_map(pair).collect());
            // The keys may be written otherwise than they are declared.
            let is_rewritten = found.now.is_none() && found.said.is_none() && self.is_asked;
            self.below(step, |walk| match found.now {
                None if is_rewritten => {}
                None => walk.differs(Deviation::Missing),
                Some(_) => walk.value(item, &found),
            });
        }
    }

    /// A list that has not as many elements as are declared, and whose keys are unknown.
    fn whole(&mut self, sent: &[Value], now: &[Value], seen: &KnownValues<'_>) {
        let said = seen.said.and_then(Value::as_array);
        let is_in = |item: &Value, list: &[Value]| list.iter().any(|other| is_like(item, other));
        // The server has put some more in when it was asked, too, which need not be the same ones.
        if said.is_some_and(|said| said.len() == now.len()) || !seen.is_whole() {
            for (at, item) in sent.iter().enumerate() {
                let was_in = said.is_none_or(|said| is_in(item, said));
                if was_in && !is_in(item, now) {
                    self.below(PathStep::item(at), |walk| walk.differs(Deviation::Missing));
                }
            }
        } else {
            self.differs(Deviation::Changed);
        }
    }
}

/// Whether all that an element declares is in another one.
fn is_like(sent: &Value, now: &Value) -> bool {
    let (steps, found) = (Vec::new(), Vec::new());
    let mut walk = DeviationWalk { is_asked: false, is_secret: false, steps, found };
    walk.value(sent, &KnownValues { now: Some(now), ..KnownValues::default() });
    walk.found.is_empty()
}

#[cfg(test)]
mod tests;
