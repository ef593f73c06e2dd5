//! An object that is not as it was when its change was approved, and in which way.

use serde::Serialize;

use super::Approved;
use crate::core::object::{Object, ObjectKey};
use crate::core::plan::{Action, Change};

/// An object whose relevant state moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedObject {
    /// Which object.
    pub object: ObjectKey,
    /// The approved action; `None` when it was to be left as it is.
    pub approved: Option<Action>,
    /// The action now; `None` when it is not known any more.
    pub now: Option<Action>,
    /// The difference.
    pub why: MoveReason,
}

/// A difference. Its name in JSON is a stable code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "move"))]
#[serde(rename_all = "kebab-case")]
pub enum MoveReason {
    /// It was to be left as it is.
    NotApproved,
    /// Something else would be done.
    Action,
    /// The object was deleted and recreated.
    Recreated,
    /// A field that the change is about has another value, or another field would change, too.
    State,
    /// It would become something else.
    Becomes,
    /// It is unknown what is there.
    Unknown,
}

impl MovedObject {
    /// The difference, as a phrase.
    pub fn message(&self) -> String {
        let approved = self.approved.map_or("keep", Action::name);
        let now = self.now.map_or("keep", Action::name);
        match self.why {
            MoveReason::NotApproved => format!("was in sync, and is to {now} now"),
            MoveReason::Action => match (self.approved, self.now) {
                (Some(Action::Create), Some(Action::Update)) => {
                    "was not there, and has been created since".to_owned()
                }
                (Some(Action::Update), Some(Action::Create)) => {
                    "was there, and has been deleted since".to_owned()
                }
                _ => format!("was approved to {approved}, and is to {now} now"),
            },
            MoveReason::Recreated => "was deleted and recreated".to_owned(),
            MoveReason::State if self.approved == Some(Action::Delete) => {
                "changed since its deletion was approved".to_owned()
            }
            MoveReason::State => "differs in other fields or values than were approved".to_owned(),
            MoveReason::Becomes => "would become something else".to_owned(),
            MoveReason::Unknown => "can't be read any more".to_owned(),
        }
    }
}

/// The differences between an approved change and the one that is found now; `None` when there are
/// none, or when the approved change is done already.
pub(super) fn why(approved: &Approved, change: &Change, now: &Approved) -> Option<MoveReason> {
    match (approved.action, now.action) {
        (Action::Refuse, Action::Keep) => None,
        (Action::Delete, Action::Keep) => (!is_going(change)).then_some(MoveReason::Action),
        (_, Action::Keep) => None,
        (before, after) if before != after => Some(MoveReason::Action),
        _ if approved.uid != now.uid => Some(MoveReason::Recreated),
        _ if approved.live != now.live => Some(MoveReason::State),
        _ if approved.becomes != now.becomes || approved.version != now.version => {
            Some(MoveReason::Becomes)
        }
        _ => None,
    }
}

/// Whether the object is being deleted already.
fn is_going(change: &Change) -> bool {
    change.live().is_some_and(Object::is_terminating)
}
