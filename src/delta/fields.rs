//! Two JSON trees → the fields in which they differ, each with its path.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{FieldChange, Step, yaml};

/// A field on the way to the differences.
#[derive(Clone, Default)]
struct At {
    path: String,
    steps: Vec<Step>,
}

impl At {
    fn below(&self, step: Step, path: String) -> Self {
        let mut steps = self.steps.clone();
        steps.push(step);
        Self { path, steps }
    }

    fn key(&self, key: &str) -> Self {
        self.below(Step::Key(key.to_owned()), child(&self.path, key))
    }

    fn item(&self, i: usize) -> Self {
        self.below(Step::Item(i), format!("{}[{i}]", self.path))
    }

    fn named(&self, name: &str) -> Self {
        self.below(Step::Named(name.to_owned()), format!("{}[name={}]", self.path, word(name)))
    }
}

/// Every field in which `after` differs from `before`, in the order in which they are written.
pub(super) fn between(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<FieldChange> {
    let mut fields = Vec::new();
    maps(&At::default(), before, after, &mut fields);
    fields
}

fn maps(
    at: &At,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    fields: &mut Vec<FieldChange>,
) {
    for key in yaml::keys(&at.path, &[before, after]) {
        let (before, after) = (before.get(key), after.get(key));
        if before != after {
            values(&at.key(key), before, after, fields);
        }
    }
}

fn values(at: &At, before: Option<&Value>, after: Option<&Value>, fields: &mut Vec<FieldChange>) {
    match (before, after) {
        (before, after) if before == after => {}
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            maps(at, before, after, fields);
        }
        (Some(Value::Array(before)), Some(Value::Array(after))) => {
            lists(at, before, after, fields);
        }
        _ => fields.push(FieldChange {
            path: at.path.clone(),
            steps: at.steps.clone(),
            before: before.cloned(),
            after: after.cloned(),
        }),
    }
}

fn lists(at: &At, before: &[Value], after: &[Value], fields: &mut Vec<FieldChange>) {
    let (Some(old), Some(new)) = (by_name(before), by_name(after)) else {
        for i in 0..before.len().max(after.len()) {
            values(&at.item(i), before.get(i), after.get(i), fields);
        }
        return;
    };
    let find = |list: &BTreeMap<&str, usize>, items: &[Value], name: &str| {
        list.get(name).map(|i| items[*i].clone())
    };
    let names = |items: &[Value]| -> Vec<String> {
        items.iter().filter_map(name).map(str::to_owned).collect()
    };
    let (old_names, new_names) = (names(before), names(after));
    let gone = old_names.iter().filter(|name| !new.contains_key(name.as_str()));
    for name in new_names.iter().chain(gone) {
        let (old, new) = (find(&old, before, name), find(&new, after, name));
        values(&at.named(name), old.as_ref(), new.as_ref(), fields);
    }
    let kept_in_order = |names: &[String], other: &BTreeMap<&str, usize>| -> Vec<String> {
        names.iter().filter(|name| other.contains_key(name.as_str())).cloned().collect()
    };
    if kept_in_order(&old_names, &new) != kept_in_order(&new_names, &old) {
        fields.push(FieldChange {
            path: format!("{}[*].name", at.path),
            steps: Vec::new(),
            before: Some(old_names.into()),
            after: Some(new_names.into()),
        });
    }
}

/// The name by which an element is known in its list.
pub(super) fn name(item: &Value) -> Option<&str> {
    item.get("name")?.as_str()
}

/// Where each name stands in the list; `None` when an element has none or two have the same.
fn by_name(items: &[Value]) -> Option<BTreeMap<&str, usize>> {
    let mut places = BTreeMap::new();
    for (i, item) in items.iter().enumerate() {
        if places.insert(name(item)?, i).is_some() {
            return None;
        }
    }
    Some(places)
}

fn child(path: &str, key: &str) -> String {
    match (path, is_word(key)) {
        ("", true) => key.to_owned(),
        (_, true) => format!("{path}.{key}"),
        (_, false) => format!("{path}[{}]", Value::from(key)),
    }
}

/// `text`, quoted unless it is a plain word.
fn word(text: &str) -> String {
    if is_word(text) { text.to_owned() } else { Value::from(text).to_string() }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}
