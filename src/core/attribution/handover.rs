//! Fields whose value stays as it is and whose owner changes: what apply makes ours as well, and
//! what we release and others, or the server's default, keep.

use super::{FieldWriter, writers};
use crate::core::compare::PathStep;
use crate::core::inventory::PART_OF;
use crate::core::json::{Map, Value};
use crate::core::managed_fields::owners;
use crate::core::managed_fields::ownership_change::{OwnershipChange, losers, passings};
use crate::core::manifest::PathPart;
use crate::core::object::Object;
use crate::core::plan::Change;
use crate::core::redact::Redactor;

/// A field that keeps its value and changes hands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    /// The field, as a [`FieldChange`](crate::core::diff::FieldChange) names it.
    pub path: String,
    /// Its value, masked.
    pub value: Value,
    /// From whose hands into whose.
    pub hands: OwnerChange,
}

/// The change of a field's owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnerChange {
    /// It becomes ours, and had no owner.
    Ours,
    /// It becomes ours, and stays theirs as well.
    Shared(Vec<FieldWriter>),
    /// It becomes ours, and is taken from them.
    Taken(Vec<FieldWriter>),
    /// It is no longer ours, and stays theirs.
    Left(Vec<FieldWriter>),
    /// It is no longer ours, and has no owner: the server's default is the same.
    Default,
}

/// Every field of an updated object that keeps its value and changes hands. Nothing where the
/// server did not say who will own what.
pub fn handovers(change: &Change, redactor: &Redactor) -> Vec<Handover> {
    let (Some(live), Some(merged)) = (change.live(), change.becomes()) else { return Vec::new() };
    let passings = passings(live, merged);
    if passings.is_empty() {
        return Vec::new();
    }
    let shown = redactor.object(merged);
    let handover = |OwnershipChange { path, places: [was, at], becomes_ours }: &OwnershipChange<
        '_,
    >| {
        // The label of a member has words of its own.
        let is_label = at.last() == Some(&PathPart::Key(PART_OF));
        if is_label || value(&live.0, was)? != value(&merged.0, at)? {
            return None;
        }
        let taken = writers(&losers(owners::of(live, was), merged, at));
        let (_, mut stays) = super::owners(live, was);
        stays.retain(|writer| !taken.contains(writer));
        let hands = match (*becomes_ours, taken.is_empty(), stays.is_empty()) {
            (true, false, _) => OwnerChange::Taken(taken),
            (true, true, false) => OwnerChange::Shared(stays),
            (true, true, true) => OwnerChange::Ours,
            (false, _, false) => OwnerChange::Left(stays),
            (false, _, true) => OwnerChange::Default,
        };
        let value = value(&shown.0, at)?.clone();
        Some(Handover { path: crate::core::compare::path(&steps(path, at, &shown)), value, hands })
    };
    passings
        .iter()
        .filter(|passing| {
            let alike = passings.iter().filter(|it| it.becomes_ours == passing.becomes_ours);
            !is_only_key(&passing.path, alike.map(|it| it.path.as_slice()))
        })
        .filter_map(handover)
        .collect()
}

/// Whether a field is only a key of its element, and more of the element is among the `others`.
pub(super) fn is_only_key<'p>(
    path: &[&str],
    mut others: impl Iterator<Item = &'p [&'p str]>,
) -> bool {
    let is_key = |path: &[&str]| {
        let [.., element, field] = path else { return false };
        let keys = element.strip_prefix("k:").and_then(|keys| serde_json::from_str(keys).ok());
        let keys: Map = keys.unwrap_or_default();
        field.strip_prefix("f:").is_some_and(|field| keys.contains_key(field))
    };
    let element = &path[..path.len().saturating_sub(1)];
    is_key(path) && others.any(|other| other.starts_with(element) && !is_key(other))
}

pub(super) fn value<'v>(object: &'v Map, at: &[PathPart<'_>]) -> Option<&'v Value> {
    let (PathPart::Key(first), rest) = at.split_first()? else { return None };
    rest.iter().try_fold(object.get(first)?, |value, part| match part {
        PathPart::Key(key) => value.get(key),
        PathPart::Index(index) => value.get(index),
    })
}

/// The path for people: elements by their keys. Values come from the masked object.
pub(super) fn steps(path: &[&str], at: &[PathPart<'_>], shown: &Object) -> Vec<PathStep> {
    let keyed = |i: usize| -> Option<Map> {
        let keys: Map = serde_json::from_str(path.get(i)?.strip_prefix("k:")?).ok()?;
        let item = value(&shown.0, &at[..=i])?;
        keys.into_iter().map(|(name, _)| Some((name.clone(), item.get(&name)?.clone()))).collect()
    };
    let member = |i: usize| {
        let is_member = path.get(i).is_some_and(|key| key.starts_with("v:"));
        value(&shown.0, &at[..=i]).filter(|_| is_member).cloned()
    };
    let step = |(i, part): (usize, &PathPart<'_>)| match part {
        PathPart::Key(key) => PathStep::Key((*key).to_owned()),
        PathPart::Index(index) => {
            let told = keyed(i).map(PathStep::Keyed).or_else(|| member(i).map(PathStep::Member));
            told.unwrap_or_else(|| PathStep::item(*index))
        }
    };
    at.iter().enumerate().map(step).collect()
}
