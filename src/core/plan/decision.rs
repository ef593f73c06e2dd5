//! The decision about one object, and its effect.

use super::{Action, Confidence, Effect, Reason, Write};
use crate::core::object::Object;

/// A decision.
pub(super) struct Decision {
    pub(super) action: Action,
    /// The live object, unless it stays as it is: there may be thousands of those, and none is
    /// copied.
    pub(super) live: Option<Object>,
    pub(super) merged: Option<Object>,
    pub(super) confidence: Confidence,
    pub(super) reason: Option<Reason>,
}

impl Decision {
    /// The effect of the decision, with what there is to `send`. What can't be without an object is
    /// only decided where there is one.
    pub(super) fn into_effect(self, send: Option<Object>) -> Effect {
        let Self { action, live, merged, confidence, reason: _ } = self;
        match (action, live, send) {
            (Action::Keep, live, _) => Effect::Keep { live, becomes: merged },
            (Action::Abandon, Some(live), _) => {
                let released = merged.unwrap_or_else(|| live.clone());
                Effect::Abandon { live, released }
            }
            (Action::Delete, Some(live), _) => Effect::Delete { live },
            (Action::Create | Action::Update | Action::Replace, live, Some(send)) => {
                let becomes = merged.unwrap_or_else(|| send.clone());
                let write = Write { send, becomes, confidence };
                match (action, live) {
                    (Action::Update, Some(live)) => Effect::Update { live, write },
                    (Action::Replace, Some(live)) => Effect::Replace { live, write },
                    _ => Effect::Create(write),
                }
            }
            (_, live, send) => Effect::Refuse { live, send },
        }
    }
}
