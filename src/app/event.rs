//! Events of a round, as they happen. Terminal, JSON and log are made of these.

use serde::Serialize;

use crate::core::health::HealthSummary;
use crate::core::lease::Holder;
use crate::core::mask::Masked;
use crate::core::report::{ChangeOutcome, Report};

/// Something that happened in a round. Everything in it can be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", content = "data", rename_all = "kebab-case")]
pub enum Event {
    /// Another run has the lock, and is waited for. Comes again where that run changes, or has not
    /// renewed its lock.
    LockAwaited(Holder),
    /// No lock is taken, as the user may not have one; why.
    LockForbidden(Masked<String>),
    /// The cluster was remembered by its address, as the user may not read its uid.
    RememberedByAddress,
    /// The round could not be recorded everywhere; why.
    NotRecorded(Masked<String>),
    /// One change has ended.
    Changed(Masked<ChangeOutcome>),
    /// Waiting for objects to be healthy begins.
    WaitBegan,
    /// How the objects are that are waited for. Comes again with news and every second.
    Waiting(Masked<HealthSummary>),
    /// Waiting has ended.
    WaitEnded,
    /// The commit failed, as the report says, and the last healthy one is applied.
    RollbackBegan {
        /// The id of the healthy commit.
        to: String,
        /// The report of the commit that failed.
        failed: Box<Masked<Report>>,
    },
    /// The last healthy commit was applied, with this result.
    RollbackEnded(Box<Masked<Report>>),
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::core::json::json;

    use super::*;
    use crate::core::object::{Object, ObjectKey};
    use crate::core::plan::{Action, ReasonKind};
    use crate::core::redact::Redactor;
    use crate::core::report::Outcome;

    #[test]
    fn events_serialise_with_secrets_masked() {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "db", "namespace": "shop" },
            "stringData": { "password": "hunter2-canary" },
        });
        let secret = Object::from(secret.as_object().cloned().unwrap());
        let redactor = Redactor::new([&secret]);
        let message = "refused: hunter2-canary is too short".to_owned();
        let reason = ReasonKind::RequestFailed { message }.into();
        let key = ObjectKey {
            group: String::new(),
            kind: "Secret".to_owned(),
            namespace: Some("shop".to_owned()),
            name: "db".to_owned(),
        };
        let step = ChangeOutcome { key, action: Action::Update, outcome: Outcome::Failed(reason) };
        let changed = crate::core::json::to_value(Event::Changed(step.masked(&redactor))).unwrap();
        assert_eq!(changed["event"], "changed");
        assert_eq!(changed["data"]["outcome"], "failed");
        assert_eq!(changed["data"]["action"], "update");
        assert_eq!(changed["data"]["reason"]["code"], "request-failed");
        assert!(!changed.to_string().contains("hunter2"), "{changed}");

        let holder = Holder {
            name: "me@here (pid 1)".to_owned(),
            revision: Some("4f2c1a9".to_owned()),
            held: Duration::from_millis(1500),
        };
        assert_eq!(
            crate::core::json::to_value(Event::LockAwaited(holder)).unwrap(),
            json!({ "event": "lock-awaited", "data": { "name": "me@here (pid 1)", "revision": "4f2c1a9", "held": 1.5 } })
        );
    }
}
