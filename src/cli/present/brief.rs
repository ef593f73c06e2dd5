//! A change in a few words, for the forms that have room for no more: which fields change, or why
//! nothing does.

use std::collections::BTreeSet;

use super::{because, hint_of};
use crate::core::diff::Delta;
use crate::core::json::Value;
use crate::core::masked_plan::MaskedChange;
use crate::core::object::ObjectKey;
use crate::core::observed::Prerequisite;
use crate::core::plan::{Action, Confidence, FreedValue, NoPreview, Reason};

/// More fields than this are told by their number.
const FEW_FIELDS: usize = 3;
/// Longer values, in characters, are left out.
const SHORT: usize = 40;

/// An object that others had: it joins the inventory, and is taken over from those
/// who applied it.
pub(super) fn joining(delta: &Delta) -> Vec<String> {
    let joins = delta.joins.then(|| "joins the inventory".to_owned());
    let adopted = delta.adopted_from.as_ref().map(|owner| format!("is adopted from {owner}"));
    let names = delta.predecessors.join(", ");
    let taken = (!names.is_empty()).then(|| format!("takes over from {names}"));
    joins.into_iter().chain(adopted).chain(taken).collect()
}

/// The differences of a change, in parts that stand by themselves.
pub(super) fn parts(change: MaskedChange<'_>, delta: &Delta) -> Vec<String> {
    let mut parts = Vec::new();
    if let Some(reason) = change.reason() {
        parts.extend(reasons(&reason));
    }
    let confidence = confidence(change);
    if !confidence.is_empty() {
        parts.push(confidence.join(" "));
    }
    parts.extend(joining(delta));
    if delta.only_ownership {
        parts.push("only who owns which field changes".to_owned());
    }
    parts.extend(delta.reordered.iter().map(|list| list.words("→", "…")));
    if delta.only_masked {
        parts.push("only what is masked changes".to_owned());
    }
    if matches!(change.action(), Action::Update | Action::Replace) {
        parts.extend(delta.fields.iter().take(FEW_FIELDS).map(|field| {
            match (short(field.before.as_ref()), short(field.after.as_ref())) {
                (Some(before), Some(after)) => format!("{} {before} → {after}", field.path),
                _ => field.path.clone(),
            }
        }));
        match delta.fields.len().saturating_sub(FEW_FIELDS) {
            0 => {}
            1 => parts.push("1 more field".to_owned()),
            more => parts.push(format!("{more} more fields")),
        }
    }
    parts
}

/// The names of the first few objects; `None` where there are none.
fn few(objects: &BTreeSet<ObjectKey>) -> Option<String> {
    let names = objects.iter().take(FEW_FIELDS).map(ToString::to_string);
    let more = objects.len().saturating_sub(FEW_FIELDS);
    let names: Vec<String> = names.chain((more > 0).then(|| format!("{more} more"))).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// The lines that say that trueup alone predicts what an object will be.
pub(super) fn confidence(change: MaskedChange<'_>) -> Vec<String> {
    match &*change.confidence() {
        Confidence::Server => Vec::new(),
        Confidence::Local(NoPreview::DryRun(why)) => vec![
            "as far as trueup itself can tell, since the server can't be asked:".to_owned(),
            why.clone(),
        ],
        Confidence::Local(NoPreview::Recreate) => {
            vec!["as far as trueup itself can tell: the server fills in the rest".to_owned()]
        }
        Confidence::Local(NoPreview::Value(freed)) => freed
            .iter()
            .map(|FreedValue { value, holder, by }| {
                let after = match by {
                    Action::Delete => "is deleted",
                    Action::Replace => "is replaced",
                    _ => "has given it up",
                };
                format!("{value} is still {holder}'s: this comes after that {after}")
            })
            .collect(),
        Confidence::Local(NoPreview::Prerequisite(Prerequisite::Namespace(name))) => {
            vec![format!("as declared, until its namespace {name} is there")]
        }
        Confidence::Local(NoPreview::Prerequisite(Prerequisite::Definition(key))) => {
            vec![format!("as declared, until its {key} is there")]
        }
        Confidence::Local(NoPreview::Prerequisite(Prerequisite::Applied {
            first,
            gone,
            refusal,
        })) => {
            let applied = few(first).map(|names| format!("after {names}"));
            let deleted = few(gone).map(|names| format!("once {names} is deleted"));
            let after: Vec<String> = applied.into_iter().chain(deleted).collect();
            vec![
                format!("as declared, tried {}; until then:", after.join(", and ")),
                refusal.message.clone(),
            ]
        }
        Confidence::Local(NoPreview::Prerequisite(Prerequisite::Server { by, silence })) => {
            let declared = format!("as declared, until the server of its {by} answers");
            let unknown = silence
                .as_ref()
                .map(|why| format!("it may be there already, but can't be read: {why}"));
            [declared].into_iter().chain(unknown).collect()
        }
    }
}

/// Why something is refused, kept or failed, and what to do about it.
pub(super) fn reasons(reason: &Reason) -> Vec<String> {
    let mut lines = because(reason);
    let hint = hint_of(reason).unwrap_or_default();
    lines.extend(hint.lines().map(|line| format!("do this: {line}")));
    lines
}

/// A value on one line; `None` where it is long.
pub(super) fn short(value: Option<&Value>) -> Option<String> {
    let text = match value {
        None => return Some("none".to_owned()),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Object(map)) if !map.is_empty() => return None,
        Some(Value::Array(list)) if !list.is_empty() => return None,
        Some(value) => value.to_string(),
    };
    (text.chars().count() <= SHORT && !text.contains('\n')).then_some(text)
}
