//! The change of one object: the action, and all that carrying it out takes.

use super::{Action, FreedValue, Reason};
use crate::core::inventory::PART_OF;
use crate::core::manifest::Origin;
use crate::core::object::{Object, ObjectKey};
use crate::core::observed::Prerequisite;

/// The change of one object.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Which object.
    pub key: ObjectKey,
    /// The version in which it is declared, or in which it was seen.
    pub version: String,
    /// Where it is declared; `None` when it no longer is.
    pub origin: Option<Origin>,
    /// The action and its details.
    pub effect: Effect,
    /// Why it is refused, or why it is kept though not desired.
    pub reason: Option<Reason>,
}

/// An action on one object, and the states of the object that it is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// It does not exist: create it.
    Create(Write),
    /// It differs: apply it.
    Update {
        /// The object as the cluster has it.
        live: Object,
        /// The object to write.
        write: Write,
    },
    /// It differs in a way that no update can make true: delete it and create it.
    Replace {
        /// The object as the cluster has it.
        live: Object,
        /// The object to write once the old one is gone.
        write: Write,
    },
    /// It is in the inventory and no longer desired: delete it.
    Delete {
        /// The object as the cluster has it.
        live: Object,
    },
    /// It stays as it is, and is a member of the inventory no more.
    Abandon {
        /// The object as the cluster has it.
        live: Object,
        /// The same without the inventory's label.
        released: Object,
    },
    /// It stays as it is.
    Keep {
        /// The object as the cluster has it, where it was seen.
        live: Option<Object>,
        /// The server's dry-run result of applying it, where the server was asked.
        becomes: Option<Object>,
    },
    /// It should be otherwise, and trueup or the API server refuses to make it so.
    Refuse {
        /// The object as the cluster has it, where there is one.
        live: Option<Object>,
        /// The object that would be sent.
        send: Option<Object>,
    },
}

/// A write, and its expected result.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// The object to send.
    pub send: Object,
    /// The object as it will be: the server's own answer, or what trueup tells without it.
    pub becomes: Object,
    /// The source of the expected result.
    pub confidence: Confidence,
}

/// The source of an object's expected result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confidence {
    /// The API server: its own answer, or one that is proven.
    Server,
    /// trueup alone, for lack of something: defaults, conversions and admission are not part
    /// of it.
    Local(NoPreview),
}

/// Why the server could not say what an object will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoPreview {
    /// Something that the commit also brings is not there yet.
    Prerequisite(Prerequisite),
    /// It can't be asked without carrying it out: its own words.
    DryRun(String),
    /// The object is there, and is to be recreated.
    Recreate,
    /// Others hold values that it is to have, and give them up first.
    Value(Vec<FreedValue>),
}

impl Change {
    /// The action.
    pub fn action(&self) -> Action {
        match self.effect {
            Effect::Create(_) => Action::Create,
            Effect::Update { .. } => Action::Update,
            Effect::Replace { .. } => Action::Replace,
            Effect::Delete { .. } => Action::Delete,
            Effect::Abandon { .. } => Action::Abandon,
            Effect::Keep { .. } => Action::Keep,
            Effect::Refuse { .. } => Action::Refuse,
        }
    }

    /// The object as the cluster has it.
    pub fn live(&self) -> Option<&Object> {
        match &self.effect {
            Effect::Create(_) => None,
            Effect::Update { live, .. }
            | Effect::Replace { live, .. }
            | Effect::Delete { live }
            | Effect::Abandon { live, .. } => Some(live),
            Effect::Keep { live, .. } | Effect::Refuse { live, .. } => live.as_ref(),
        }
    }

    /// The write: where the object is created, updated or replaced.
    pub fn write(&self) -> Option<&Write> {
        match &self.effect {
            Effect::Create(write)
            | Effect::Update { write, .. }
            | Effect::Replace { write, .. } => Some(write),
            _ => None,
        }
    }

    /// The object to send, or what would be sent if that were not refused.
    pub fn send(&self) -> Option<&Object> {
        match &self.effect {
            Effect::Refuse { send, .. } => send.as_ref(),
            _ => self.write().map(|write| &write.send),
        }
    }

    /// The object as it will be.
    pub fn becomes(&self) -> Option<&Object> {
        match &self.effect {
            Effect::Abandon { released, .. } => Some(released),
            Effect::Keep { becomes, .. } => becomes.as_ref(),
            _ => self.write().map(|write| &write.becomes),
        }
    }

    /// The source of the expected result.
    pub fn confidence(&self) -> &Confidence {
        self.write().map_or(&Confidence::Server, |write| &write.confidence)
    }

    /// The same, to change it; `None` where nothing is written.
    pub(super) fn confidence_mut(&mut self) -> Option<&mut Confidence> {
        match &mut self.effect {
            Effect::Create(write)
            | Effect::Update { write, .. }
            | Effect::Replace { write, .. } => Some(&mut write.confidence),
            _ => None,
        }
    }

    /// The same change of an object that is `live` like this now.
    pub fn of_live(&self, live: Object) -> Self {
        let mut change = self.clone();
        match &mut change.effect {
            Effect::Create(_) => {}
            Effect::Update { live: seen, .. }
            | Effect::Replace { live: seen, .. }
            | Effect::Delete { live: seen }
            | Effect::Abandon { live: seen, .. } => *seen = live,
            Effect::Keep { live: seen, .. } | Effect::Refuse { live: seen, .. } => {
                *seen = Some(live);
            }
        }
        change
    }

    /// Takes the change back.
    pub(super) fn refuse(&mut self, reason: Reason) {
        let (live, send) = (self.live().cloned(), self.send().cloned());
        self.effect = Effect::Refuse { live, send };
        self.reason = Some(reason);
    }

    /// Whether there is anything to carry out.
    pub fn is_work(&self) -> bool {
        !matches!(self.action(), Action::Keep | Action::Refuse)
    }

    /// Whether the object is a member of the inventory with this id once the change is made.
    pub fn ends_in(&self, inventory: Option<&str>) -> bool {
        match self.action() {
            Action::Create | Action::Update | Action::Replace => true,
            Action::Keep => self.live().is_some_and(|live| live.label(PART_OF) == inventory),
            Action::Delete | Action::Abandon | Action::Refuse => false,
        }
    }

    /// Whether the deletion of the object began before.
    pub fn is_terminating(&self) -> bool {
        self.origin.is_none() && self.live().is_some_and(Object::is_terminating)
    }
}

#[cfg(test)]
impl Effect {
    /// An action in a test, on an object that is `live` and `becomes` something, which is what is
    /// sent, too.
    pub(crate) fn of(action: Action, live: Option<Object>, becomes: Option<Object>) -> Self {
        let write = |becomes: Option<Object>| {
            let send = becomes.expect("something is written");
            Write { becomes: send.clone(), send, confidence: Confidence::Server }
        };
        let there = |live: Option<Object>| live.expect("something is there");
        match action {
            Action::Create => Self::Create(write(becomes)),
            Action::Update => Self::Update { live: there(live), write: write(becomes) },
            Action::Replace => Self::Replace { live: there(live), write: write(becomes) },
            Action::Delete => Self::Delete { live: there(live) },
            Action::Abandon => {
                let live = there(live);
                Self::Abandon { released: becomes.unwrap_or_else(|| live.clone()), live }
            }
            Action::Keep => Self::Keep { live, becomes },
            Action::Refuse => Self::Refuse { live, send: becomes },
        }
    }

    /// The write, in a test.
    pub(crate) fn write_mut(&mut self) -> &mut Write {
        match self {
            Self::Create(write) | Self::Update { write, .. } | Self::Replace { write, .. } => write,
            _ => panic!("nothing is written"),
        }
    }
}
