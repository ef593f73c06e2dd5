//! The reader as its callers see it: what kubectl makes of a text, what is wrong where, and that
//! nothing hostile costs more than a message.

mod answers;
mod documents;
mod hostile;
mod messages;
mod places;
mod values;

use super::*;

use crate::core::json::Value;

const HEAD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";

fn read_text(text: &str) -> Reading {
    read("a.yaml", text.as_bytes())
}

/// The one object of a text.
fn object(text: &str) -> Value {
    let reading = read_text(text);
    assert_eq!(reading.problems, [], "{text:?}");
    assert_eq!(reading.manifests.len(), 1, "{text:?}");
    Value::from(reading.manifests[0].object.clone())
}

/// The field `v` of an object that ends in `v: {text}`.
fn v(text: &str) -> Value {
    object(&format!("{HEAD}v: {text}\n"))["v"].clone()
}

/// The one problem of a text: `line:column message`, its hint, its excerpt.
fn problem(text: &str) -> (String, Option<String>, Option<String>) {
    let mut problems = read_text(text).problems;
    assert_eq!(problems.len(), 1, "{text:?}: {problems:?}");
    let Problem { place, message, excerpt, hint } = problems.remove(0);
    (format!("{}:{} {message}", place.line, place.column), hint, excerpt)
}
