//! The annotations of an inventory's parent that hold its target. Others may have written them: a text
//! that can't be read is kept as such, and never counts as none.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::core::log::{bounded, one_line};
use crate::core::object::Object;
use crate::core::sanitize::{is_harmless, spelled};

/// Annotation on the parent: that its target is suspended, by whom, why and until when, as JSON.
pub const SUSPENDED: &str = "trueup.dev/suspended";
/// Annotation on the parent: the commit that was released to its target, by whom and when, as JSON.
pub const RELEASED: &str = "trueup.dev/released";

/// The longest time before the end of a suspension at which people hear of it.
const SOON: SignedDuration = SignedDuration::from_mins(15);
/// The part of a suspension's time that is its end at most.
const PART: i32 = 4;
/// The most characters of a text that is shown.
const SHOWN: usize = 300;

/// An annotation that holds a target, or why it can't be read.
pub type Note<T> = Result<T, String>;

/// All that an inventory's parent says of holding its target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// That it is suspended.
    pub suspended: Option<Note<Suspension>>,
    /// The commit that was released.
    pub released: Option<Note<Release>>,
}

/// A commit that was released to a target in mode `hold`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// Its full id.
    pub commit: String,
    /// The person or program that released it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl Release {
    /// The annotation's value.
    pub fn text(&self) -> String {
        // Texts and times can always be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A suspension of a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suspension {
    /// The person or program that suspended it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// The end; `None` where it lasts until it is resumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Why.
    pub reason: String,
}

impl Holding {
    /// Reads the annotations of a live parent.
    pub fn read(parent: &Object) -> Self {
        let suspended = parent.annotation(SUSPENDED).map(read);
        let released = parent.annotation(RELEASED).map(read);
        Self { suspended, released }
    }

    /// Whether the target is suspended. An annotation that can't be read may be that of a later version, or
    /// of a person: it never counts for less.
    pub fn is_suspended(&self, now: Timestamp) -> bool {
        match &self.suspended {
            None => false,
            Some(Ok(suspension)) => !suspension.is_over(now),
            Some(Err(_)) => true,
        }
    }
}

impl Suspension {
    /// The annotation's value.
    pub fn text(&self) -> String {
        // Texts and times can always be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether its time is up.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }

    /// Whether it ends within a quarter of an hour, or, of a short one, within a quarter of its time.
    pub fn ends_soon(&self, now: Timestamp) -> bool {
        self.told_at().is_some_and(|told| told <= now)
    }

    /// When people hear that it ends.
    pub(super) fn told_at(&self) -> Option<Timestamp> {
        let until = self.until?;
        let lead = (until.duration_since(self.at) / PART).min(SOON);
        until.checked_sub(lead).ok()
    }

    /// By whom, until when and why.
    pub fn words(&self) -> String {
        let Self { by, until, reason, .. } = self;
        let until = match until {
            Some(until) => format!("{until:.0}"),
            None => "it is resumed".to_owned(),
        };
        format!("by {} until {until}: {}", inert(by), inert(reason))
    }
}

/// Reads an annotation's value.
fn read<T: for<'de> Deserialize<'de>>(text: &str) -> Note<T> {
    serde_json::from_str(text).map_err(|error| inert(&error.to_string()))
}

/// A text from outside on one bounded line, with nothing in it that is not seen.
fn inert(text: &str) -> String {
    let line = one_line(text);
    let mut shown = String::new();
    for c in line.chars() {
        match is_harmless(c) {
            true => shown.push(c),
            false => shown.push_str(&spelled(c)),
        }
    }
    bounded(&shown, SHOWN, "…").into_owned()
}
