//! Collects what is wrong with an object. A fault points at the value or the field; its path is
//! looked for in the object afterwards, so that a sound object costs nothing.

use std::borrow::Cow;

use super::names::{self, Wanted};
use crate::core::check::validate::KeyOrValue;
use crate::core::check::{CheckRule, Finding, Level, words};
use crate::core::json::{Map, Value};
use crate::core::manifest::{Manifest, PathPart};
use crate::core::object::{Object, ObjectKey};

/// The value of a field that is not there.
static NOTHING: Value = Value::Null;

/// The faults of one object.
pub(super) struct Faults<'v> {
    root: &'v Map,
    found: Vec<Fault<'v>>,
}

/// One fault.
struct Fault<'v> {
    spot: Spot<'v>,
    rule: CheckRule,
    text: Text,
    hint: Option<String>,
}

/// Where it is.
#[derive(Clone, Copy)]
enum Spot<'v> {
    Value(&'v Value),
    /// A field of a map, by its name, there or not.
    Field(&'v Map, &'v str),
}

/// The words of a fault.
enum Text {
    /// The rest of "must", which is followed by the value.
    Must(Cow<'static, str>),
    /// The rest of a sentence that starts with the field's name.
    Says(Cow<'static, str>),
    /// The field is missing, and why it is needed.
    Missing(&'static str),
}

/// The fields of a value that may not be there.
pub(super) fn get<'v>(value: Option<&'v Value>, name: &str) -> Option<&'v Value> {
    value?.as_object()?.get(name).filter(|value| !value.is_null())
}

/// The field of a map, unless it is null.
pub(super) fn of<'v>(map: &'v Map, name: &str) -> Option<&'v Value> {
    map.get(name).filter(|value| !value.is_null())
}

/// Text that is there and not empty.
pub(super) fn text<'v>(map: &'v Map, name: &str) -> Option<&'v str> {
    map.get(name)?.as_str().filter(|text| !text.is_empty())
}

/// A map that is there.
pub(super) fn map<'v>(map: &'v Map, name: &str) -> Option<&'v Map> {
    map.get(name)?.as_object()
}

/// The elements of a list, none where there is no list.
pub(super) fn list<'v>(map: &'v Map, name: &str) -> &'v [Value] {
    map.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The elements of a list that are maps, as those of most lists have to be.
pub(super) fn maps<'v>(from: &'v Map, name: &str) -> impl Iterator<Item = &'v Map> + Clone {
    list(from, name).iter().filter_map(Value::as_object)
}

/// An integer that is there.
pub(super) fn integer(map: &Map, name: &str) -> Option<i64> {
    map.get(name)?.as_i64()
}

impl<'v> Faults<'v> {
    /// None yet.
    pub(super) fn of(object: &'v Object) -> Self {
        Self { root: &object.0, found: Vec::new() }
    }

    /// The object.
    pub(super) fn root(&self) -> &'v Map {
        self.root
    }

    /// A value that must be something else; the message ends with what it is.
    pub(super) fn must(&mut self, value: &'v Value, what: impl Into<Cow<'static, str>>) {
        self.add(Spot::Value(value), CheckRule::Value, Text::Must(what.into()));
    }

    /// A value about which something else is wrong; the message goes on after the field's name.
    pub(super) fn says(&mut self, value: &'v Value, what: impl Into<Cow<'static, str>>) {
        self.add(Spot::Value(value), CheckRule::Value, Text::Says(what.into()));
    }

    /// A field that does not go together with another.
    pub(super) fn clash(
        &mut self,
        map: &'v Map,
        field: &'v str,
        what: impl Into<Cow<'static, str>>,
    ) {
        self.add(Spot::Field(map, field), CheckRule::Combination, Text::Says(what.into()));
    }

    /// The name of a field that is wrong.
    pub(super) fn key(&mut self, map: &'v Map, field: &'v str, what: &'static str) {
        self.add(Spot::Field(map, field), CheckRule::Name, Text::Must(what.into()));
    }

    /// A field of a map that has to be there; `why` goes on after "is missing".
    pub(super) fn missing(&mut self, map: &'v Map, field: &'static str, why: &'static str) {
        self.add(Spot::Field(map, field), CheckRule::MissingField, Text::Missing(why));
    }

    /// A name that is there already.
    pub(super) fn repeated(&mut self, value: &'v Value) {
        let text = Text::Says("is there already".into());
        self.add(Spot::Value(value), CheckRule::DuplicateKey, text);
    }

    /// A name, against a grammar; what is not text is the schema's affair.
    pub(super) fn name(&mut self, value: Option<&'v Value>, grammar: fn(&str) -> Wanted) {
        let Some((value, text)) = value.and_then(|value| Some((value, value.as_str()?))) else {
            return;
        };
        if let Some(wanted) = grammar(text) {
            self.add(Spot::Value(value), CheckRule::Name, Text::Must(wanted.into()));
            let hint = names::meant(text, grammar).map(|meant| format!("write {meant}"));
            self.hint(hint);
        }
    }

    /// The same of a name that may be empty.
    pub(super) fn name_if_any(&mut self, map: &'v Map, name: &str, grammar: fn(&str) -> Wanted) {
        self.name(map.get(name).filter(|value| *value != ""), grammar);
    }

    /// Gives the last fault a hint.
    pub(super) fn hint(&mut self, hint: Option<String>) {
        if let (Some(fault), Some(hint)) = (self.found.last_mut(), hint) {
            fault.hint = Some(hint);
        }
    }

    /// Exactly one of these fields has to be there; `around` is the value that is the map.
    pub(super) fn one_of(&mut self, map: &'v Map, around: &'v Value, fields: &[&'static str]) {
        if fields.iter().all(|name| of(map, name).is_none()) {
            return self.says(around, format!("must have one of {}", fields.join(", ")));
        }
        self.at_most_one_of(map, fields);
    }

    /// Two of these fields exclude each other.
    pub(super) fn at_most_one_of(&mut self, map: &'v Map, fields: &[&'static str]) -> bool {
        let mut there = fields.iter().filter(|name| of(map, name).is_some());
        let (Some(one), Some(other)) = (there.next(), there.next()) else { return true };
        self.clash(map, other, format!("excludes `{one}`"));
        false
    }

    fn add(&mut self, spot: Spot<'v>, rule: CheckRule, text: Text) {
        self.found.push(Fault { spot, rule, text, hint: None });
    }

    /// The findings that it all comes to.
    pub(super) fn findings(self, key: &ObjectKey, manifest: &Manifest) -> Vec<Finding> {
        let Self { root, found } = self;
        let is_secret = key.kind.contains("Secret");
        let finding = |fault: Fault<'_>| {
            let Fault { spot, rule, text, hint } = fault;
            let path = path(root, spot);
            let name = words::name(&path);
            let (at, shown) = match spot {
                Spot::Value(value) => (KeyOrValue::Value, value),
                Spot::Field(..) => (KeyOrValue::Key, &NOTHING),
            };
            let message = match text {
                Text::Must(what) if shown.is_null() => format!("{name} must {what}"),
                Text::Must(what) => {
                    // A name is no secret, and what is wrong with it can't be seen otherwise.
                    let is_hidden = is_secret && rule != CheckRule::Name;
                    format!("{name} must {what}, not {}", words::kind_and_value(shown, is_hidden))
                }
                Text::Says(what) => format!("{name} {what}"),
                Text::Missing(why) => {
                    let around = path.split_last().map_or(&[][..], |(_, around)| around);
                    let around = if around.is_empty() {
                        String::new()
                    } else {
                        format!(" in {}", words::name(around))
                    };
                    format!("{name} is missing{around}{why}")
                }
            };
            let found = Finding::about(key, manifest, &path, at, rule, message);
            Finding { level: Level::Error, hint: hint.map(Into::into), ..found }
        };
        found.into_iter().map(finding).collect()
    }
}

/// The path to a place in an object.
fn path<'v>(root: &'v Map, spot: Spot<'v>) -> Vec<PathPart<'v>> {
    let mut path = Vec::new();
    match spot {
        Spot::Value(wanted) => {
            search(root, &mut path, &|value| std::ptr::eq(value, wanted));
        }
        Spot::Field(map, field) => {
            let is_it = |value: &Value| value.as_object().is_some_and(|it| std::ptr::eq(it, map));
            search(root, &mut path, &is_it);
            path.push(PathPart::Key(field));
        }
    }
    path
}

/// Finds a value in a map, and leaves the path to it.
fn search<'v>(map: &'v Map, path: &mut Vec<PathPart<'v>>, is_it: &dyn Fn(&Value) -> bool) -> bool {
    map.iter().any(|(key, value)| {
        path.push(PathPart::Key(key));
        let is_found = search_in(value, path, is_it);
        if !is_found {
            path.pop();
        }
        is_found
    })
}

fn search_in<'v>(
    value: &'v Value,
    path: &mut Vec<PathPart<'v>>,
    is_it: &dyn Fn(&Value) -> bool,
) -> bool {
    if is_it(value) {
        return true;
    }
    match value {
        Value::Object(map) => search(map, path, is_it),
        Value::Array(list) => list.iter().enumerate().any(|(index, value)| {
            path.push(PathPart::Index(index));
            let is_found = search_in(value, path, is_it);
            if !is_found {
                path.pop();
            }
            is_found
        }),
        _ => false,
    }
}
