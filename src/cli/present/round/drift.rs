//! The lines about drift that was put back.

use std::collections::BTreeMap;

use crate::app::watch::Round;
use crate::cli::present::Glyphs;
use crate::core::attribution::FormerDrift;
use crate::core::diff::{Delta, FieldOrder};
use crate::core::json::Value;
use crate::core::log::{LogEvent, bounded};
use crate::core::masked_plan::MaskedChange;
use crate::core::object::ObjectKey;
use crate::core::plan::Action;
use crate::core::report::Outcome;

use super::entry::Entry;

/// The most fields of one object that are listed; of more, the number is given.
const FEW_FIELDS: usize = 3;
/// The most characters of a value.
const VALUE: usize = 120;

/// The drift that was put back.
pub(super) fn drifts(round: &Round, glyphs: Glyphs) -> impl Iterator<Item = Entry> {
    let is_done = |key| {
        let mut steps = round.report.steps.iter();
        steps.any(|step| {
            step.key == key && matches!(step.outcome, Outcome::Done | Outcome::Terminating)
        })
    };
    let changes: Vec<MaskedChange<'_>> = round.survey.masked_plan().changes().collect();
    let done = changes.into_iter().filter(move |change| is_done(change.key().clone()));
    done.map(move |change| drift(change, "put back", glyphs))
}

/// The drift that was not put back, as the target is held.
pub(super) fn unrestored(round: &Round, glyphs: Glyphs) -> Vec<Entry> {
    let is_kept = |action| matches!(action, Action::Keep | Action::Refuse);
    let plan = round.survey.masked_plan();
    let changes = plan.changes().filter(|change| !is_kept(change.action()));
    changes.map(|change| drift(change, "not put back", glyphs)).collect()
}

/// The line about one object.
fn drift(change: MaskedChange<'_>, end: &str, glyphs: Glyphs) -> Entry {
    let what = match change.action() {
        Action::Create => "gone".to_owned(),
        Action::Delete => "no longer declared".to_owned(),
        Action::Abandon => {
            let text = format!("abandoned: {}", change.key());
            return Entry::new(LogEvent::Abandoned, text).of_object(change.key());
        }
        _ => fields(&change.delta(FieldOrder::none()), glyphs),
    };
    let text = format!("drift: {} {what}, {end}", change.key());
    Entry::new(LogEvent::Drift, text).of_object(change.key())
}

/// The drift that was put back, or changed, with a new commit.
pub(super) fn former_drifts(
    drift: &BTreeMap<ObjectKey, FormerDrift>,
    glyphs: Glyphs,
) -> impl Iterator<Item = Entry> {
    let line = move |(key, drift): (&ObjectKey, &FormerDrift)| {
        let (what, end) = match drift {
            FormerDrift::Gone => ("gone".to_owned(), "put back"),
            FormerDrift::Fields(fields) => {
                let is_restored = fields.iter().all(|field| field.is_restored);
                let end = if is_restored { "put back" } else { "overwritten by the commit" };
                let fields = fields.iter().map(|field| ChangedField {
                    path: &field.path,
                    before: field.before.as_ref(),
                    after: field.after.as_ref(),
                });
                (few_fields(&fields.collect::<Vec<_>>(), glyphs), end)
            }
        };
        Entry::new(LogEvent::Drift, format!("drift: {key} {what}, {end}")).of_object(key)
    };
    drift.iter().map(line)
}

/// The fields that a drift touched, with the value found and the value put back.
fn fields(delta: &Delta, glyphs: Glyphs) -> String {
    let fields = delta.fields.iter().map(|field| ChangedField {
        path: &field.path,
        before: field.before.as_ref(),
        after: field.after.as_ref(),
    });
    few_fields(&fields.collect::<Vec<_>>(), glyphs)
}

/// A field that changed.
struct ChangedField<'a> {
    path: &'a str,
    before: Option<&'a Value>,
    after: Option<&'a Value>,
}

fn few_fields(fields: &[ChangedField<'_>], glyphs: Glyphs) -> String {
    match fields {
        [] => "changed".to_owned(),
        few if few.len() <= FEW_FIELDS => {
            let few = few.iter().map(|ChangedField { path, before, after }| {
                let (before, after) = (value(*before, glyphs), value(*after, glyphs));
                format!("{path} {before} {} {after}", glyphs.arrow())
            });
            few.collect::<Vec<_>>().join(", ")
        }
        many => format!("in {} fields", many.len()),
    }
}

/// A value, cut where it is long: both values and what became of them fit in a line.
fn value(value: Option<&Value>, glyphs: Glyphs) -> String {
    let text = match value {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => "none".to_owned(),
    };
    bounded(&glyphs.inert(&text), VALUE, glyphs.gap()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::diff::FieldChange;

    fn field(path: &str, before: &str, after: &str) -> FieldChange {
        let value = |text: &str| Some(Value::from(text));
        let (before, after) = (value(before), value(after));
        FieldChange { path: path.to_owned(), steps: Vec::new(), is_order: false, before, after }
    }

    #[test]
    fn long_values_leave_room_for_what_became_of_them() {
        let glyphs = Glyphs { utf8: true, width: None };
        let long = "x".repeat(350_000);
        let delta = |fields| Delta { fields, ..Delta::default() };
        let text = fields(&delta(vec![field("data.key", &long, "2")]), glyphs);
        let begin = format!("data.key {}", "x".repeat(50));
        assert!(text.starts_with(&begin) && text.len() < 200, "{text}");
        assert!(text.ends_with(" more characters) → 2"), "{text}");
        let multi = fields(&delta(vec![field("data.key", "a\nb", "é\u{1b}")]), glyphs);
        assert_eq!(multi, "data.key a\\nb → é\\x1b");
        let many = delta(vec![field("a", "1", "2"); FEW_FIELDS + 1]);
        assert_eq!(fields(&many, glyphs), "in 4 fields");
    }
}
