//! Builds the object to send where fields are ignored, so that the live values stay.
//!
//! Not to send a field is not enough: what we owned and no longer send is removed by server-side
//! apply (KEP-555), or falls back to its default. And to send it keeps others from it. So:
//!
//! - An object that does not exist yet is sent as it is declared, and so is a new element of a list.
//! - A field that others own, or that has no owner, is not sent: it stays without us.
//! - A field that only we own is sent with its live value, until another manager takes it.
//! - A part of what is owned whole, such as an element of a list without keys, is sent with its live
//!   value: without it the whole would change.

use std::borrow::Cow;

use super::Pointer;
use super::pointer::step;
use crate::core::json::{Map, Value};
use crate::core::managed_fields::share::{OwnedShare, share};
use crate::core::manifest::PathPart;
use crate::core::object::Object;

/// The object to send of `declared`, with the fields at `paths` left as they are in `live`.
pub fn settle(declared: &Object, live: &Object, paths: &[&Pointer]) -> Object {
    let mut send = declared.clone();
    // An element that is identified by its index goes after those behind it.
    for path in all_within(declared, live, paths).iter().rev() {
        let there = path.find(&live.0);
        let mut value = Value::Object(std::mem::take(send.fields_mut()));
        match there.as_deref().map_or(OwnedShare::None, |there| share(live, there)) {
            OwnedShare::Part(live) => put(&mut value, path.parts(), live, false),
            OwnedShare::Ours(live) => {
                let is_key = |part: &PathPart<'_>| matches!(part, PathPart::Key(_));
                let is_in_maps = there.is_some_and(|there| there.iter().all(is_key));
                put(&mut value, path.parts(), live, is_in_maps);
            }
            OwnedShare::None => {
                take(&mut value, path.parts());
            }
        }
        if let Value::Object(map) = value {
            send = map.into();
        }
    }
    send
}

/// Each field that `paths` mean here or there, once.
fn all_within<'a>(
    declared: &Object,
    live: &Object,
    paths: &[&'a Pointer],
) -> Vec<Cow<'a, Pointer>> {
    let mut all: Vec<Cow<'_, Pointer>> = Vec::new();
    for path in paths.iter().flat_map(|path| [path.within(&declared.0), path.within(&live.0)]) {
        let new: Vec<_> = path.into_iter().filter(|path| !all.contains(path)).collect();
        all.extend(new);
    }
    all.retain(|path| !path.lacks_element(&live.0));
    all
}

/// The object to send of `declared` that replaces `live`: the fields at `paths` as `live` has them.
/// They have no owner then, whoever had them before, so no other client restores them.
pub fn carry_over(declared: &Object, live: &Object, paths: &[Vec<String>]) -> Object {
    let (mut value, old) = (Value::from(declared.clone()), Value::from(live.clone()));
    for path in paths.iter().rev() {
        let kept = path.iter().try_fold(&old, |value, part| step(part, value)?.1);
        match kept {
            Some(kept) => put(&mut value, path, kept.clone(), true),
            None => drop(take(&mut value, path)),
        }
    }
    match value {
        Value::Object(map) => map.into(),
        _ => declared.clone(),
    }
}

/// The paths to the fields that are meant by `paths`, in what is declared and in what is live; without
/// those into an element that is not live yet.
pub fn paths_in(declared: &Object, live: &Object, paths: &[&Pointer]) -> Vec<Vec<String>> {
    let pointers = all_within(declared, live, paths);
    pointers.iter().map(|path| path.parts().to_vec()).collect()
}

/// The rest of `send` without the fields at `paths`: keys, and indexes in lists.
pub fn leave<'a>(send: &Object, paths: impl Iterator<Item = &'a [String]>) -> Object {
    let mut value = Value::from(send.clone());
    for path in paths {
        take(&mut value, path);
    }
    match value {
        Value::Object(map) => map.into(),
        _ => send.clone(),
    }
}

/// Takes the field out; a map that is empty without it goes, too. Says whether `value` is now one.
fn take(value: &mut Value, path: &[String]) -> bool {
    let [part, rest @ ..] = path else { return false };
    let Some((step, Some(_))) = step(part, value) else { return false };
    match (value, step) {
        (Value::Object(map), PathPart::Key(key)) => {
            let is_done =
                rest.is_empty() || map.get_mut(key).is_some_and(|below| take(below, rest));
            if is_done {
                map.remove(key);
            }
            is_done && map.is_empty()
        }
        (Value::Array(list), PathPart::Index(index)) if rest.is_empty() => {
            list.remove(index);
            false
        }
        (Value::Array(list), PathPart::Index(index)) => {
            if let Some(below) = list.get_mut(index) {
                take(below, rest);
            }
            false
        }
        _ => false,
    }
}

/// Puts a value where the path leads: where one stands, or, if it is to be made, where none does,
/// with the maps around it.
fn put(value: &mut Value, path: &[String], new: Value, make: bool) {
    let [part, rest @ ..] = path else {
        *value = new;
        return;
    };
    let Some((step, there)) = step(part, value) else { return };
    let is_there = there.is_some();
    match (value, step) {
        (Value::Object(map), PathPart::Key(key)) if is_there || make || rest.is_empty() => {
            let below = map.entry(key).or_insert_with(|| Value::Object(Map::new()));
            put(below, rest, new, make);
        }
        (Value::Array(list), PathPart::Index(index)) => {
            if let Some(below) = list.get_mut(index) {
                put(below, rest, new, make);
            }
        }
        _ => {}
    }
}
