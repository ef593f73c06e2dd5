//! The switches: what an object says, with annotations of trueup's own, of how it is treated.
//!
//! The names and their values are known here and nowhere else, and so is what a manifest may not
//! say. So check, diff and apply agree on what is wrong. What follows from a switch is described
//! where it counts: the turn in [`crate::core::plan`], conflicts in
//! [`crate::core::managed_fields::conflict`], waiting in [`crate::core::health`]. What other tools'
//! annotations mean is there, too, except for the [`Mode`].

mod mode;
#[cfg(test)]
mod tests;

pub use mode::{Mode, Treatment};

use serde::Serialize;

use crate::core::json::Value;
use crate::core::manifest::{Manifest, PathPart};
use crate::core::object::Object;
use crate::core::policy::OnConflict;
use crate::core::problem::{Cause, Location};
use crate::core::remedy::Remedy;
use crate::core::suggest::suggest;

/// The prefix of all of them.
const PREFIX: &str = "trueup.dev/";
/// The wave that the object belongs to.
pub const WAVE: &str = "trueup.dev/wave";
/// Whether it is only ever made, or left alone.
pub const MODE: &str = "trueup.dev/mode";
/// How to resolve conflicts.
pub const ON_CONFLICT: &str = "trueup.dev/on-conflict";
/// Whether it goes when git no longer declares it.
pub const PRUNE: &str = "trueup.dev/prune";
/// Whether it may be deleted and recreated where a field can't change.
pub const REPLACE: &str = "trueup.dev/replace";
/// Whether it is waited for.
pub const WAIT: &str = "trueup.dev/wait";

/// Argo CD's word for a deletion that a person has approved, and when. It counts on a live object only:
/// a commit that could set it would approve its own deletions.
pub const APPROVED: &str = "argocd.argoproj.io/deletion-approved";

/// The values of a switch.
#[derive(Clone, Copy)]
enum SwitchValues {
    /// A whole number.
    Number,
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Words(&'static [&'static str]),
}

/// Every switch.
const ALL: [(&str, SwitchValues); 6] = [
    (MODE, SwitchValues::Words(&Mode::NAMES)),
    (ON_CONFLICT, SwitchValues::Words(&OnConflict::NAMES)),
    (PRUNE, SwitchValues::Flag),
    (REPLACE, SwitchValues::Flag),
    (WAIT, SwitchValues::Flag),
    (WAVE, SwitchValues::Number),
];

/// The object's own setting for conflicts, if any.
///
/// # Errors
///
/// With the text, where it means nothing.
pub fn on_conflict(object: &Object) -> Result<Option<OnConflict>, String> {
    let said = object.annotation(ON_CONFLICT).map(|text| text.parse().map_err(|()| text));
    said.transpose().map_err(str::to_owned)
}

/// The fault of an annotation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AnnotationFault {
    /// The annotation.
    pub annotation: String,
    /// The message.
    pub message: String,
    /// The remedy.
    pub hint: Remedy,
}

impl AnnotationFault {
    /// The fault as a cause with its place.
    pub fn cause(&self, manifest: &Manifest) -> Cause {
        let Self { annotation, message, hint: _ } = self;
        let message = format!("{annotation}: {message}");
        Cause { field: String::new(), message, place: Some(place(manifest, annotation)) }
    }
}

/// Where an annotation stands, or else the object.
pub fn place(manifest: &Manifest, annotation: &str) -> Location {
    let path = ["metadata", "annotations", annotation].map(PathPart::Key);
    manifest.place_at(&path).unwrap_or_else(|| manifest.location())
}

/// The faults in an object's switches: unknown names, invalid values, and switches that a manifest
/// must not set.
pub fn faults(object: &Object) -> Vec<AnnotationFault> {
    let annotations = object.metadata().and_then(|metadata| metadata.get("annotations"));
    let annotations = annotations.and_then(Value::as_object).into_iter().flatten();
    let known = annotations.filter_map(|(name, value)| match name.as_str() {
        APPROVED => Some(AnnotationFault {
            annotation: name.to_string(),
            message: "a manifest can't approve that its object is deleted".to_owned(),
            hint: Remedy::ApproveElsewhere { kind: object.kind().to_owned() },
        }),
        // A value that is not a text is not an annotation: the API server refuses it, and says so.
        name if name.starts_with(PREFIX) => fault(name, value.as_str()?),
        _ => None,
    });
    known.collect()
}

/// The fault of one switch of an object, if any.
pub(crate) fn fault_of(object: &Object, name: &str) -> Option<AnnotationFault> {
    fault(name, object.annotation(name)?)
}

/// The value of a switch that is `true` or `false`; `None` where it is not set, or invalid.
pub fn flag(object: &Object, name: &str) -> Option<bool> {
    read_flag(object.annotation(name)?)
}

fn read_flag(text: &str) -> Option<bool> {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if is("true") { Some(true) } else { is("false").then_some(false) }
}

/// A wave as it is written.
pub(crate) fn read_wave(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

fn fault(name: &str, text: &str) -> Option<AnnotationFault> {
    let wrong = |message: String, hint: String| {
        let annotation = name.to_owned();
        Some(AnnotationFault { annotation, message, hint: hint.into() })
    };
    let Some((_, values)) = ALL.iter().find(|(known, _)| *known == name) else {
        let names = ALL.map(|(known, _)| known);
        let suffix = |name: &'static str| name.strip_prefix(PREFIX).unwrap_or(name);
        let written = name.strip_prefix(PREFIX).unwrap_or(name);
        let hint = match suggest(written, names.map(suffix)).first() {
            Some(near) => format!("did you mean {PREFIX}{near}?"),
            None => format!("there are {}", names.join(", ")),
        };
        return wrong("trueup has no such annotation".to_owned(), hint);
    };
    match values {
        SwitchValues::Number => match read_wave(text) {
            Some(_) => None,
            None => wrong(
                format!("invalid wave {text:?}: must be an integer"),
                "a wave is a whole number, such as \"-1\" or \"2\"".to_owned(),
            ),
        },
        SwitchValues::Flag => match read_flag(text) {
            Some(_) => None,
            None => wrong(
                format!("{text:?} is neither true nor false"),
                "it can be \"true\" or \"false\"".to_owned(),
            ),
        },
        SwitchValues::Words(words) if words.contains(&text) => None,
        SwitchValues::Words(words) => {
            wrong(format!("invalid value {text:?}"), format!("it can be {}", words.join(", ")))
        }
    }
}
