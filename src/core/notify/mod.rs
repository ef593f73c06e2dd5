//! Notifications: an observation of a round becomes messages, one for each transition.
//!
//! A round is an [`Observation`]. [`TargetState`] remembers what was told, and [`TargetState::advance`]
//! gives the messages that are new. Keys are a target, an object and a class of error, and never a text
//! with times or counts in it. So an error that is worded differently in every round makes one message.
//! [`Outbox`] keeps messages until each sink has taken them. [`Groups`] says which of several targets are
//! sent as one, and [`merged`] makes them that.

mod groups;
mod key;
mod merged;
mod message;
mod observation;
mod outage;
mod outbox;
mod rules;
mod sink;
mod state;
mod suspension;
mod template;
#[cfg(test)]
mod tests;
mod words;

pub use groups::{GroupKey, Groups, WaitingMessage};
pub use key::key_digest;
pub use merged::merged;
pub use message::{Alert, AlertState, CommitVerdict, Level, Message, Transition};
pub use observation::{
    Commit, Culprit, Drift, Failure, Observation, Reach, RefusedCommit, RoundEnd, Step,
    SuspendedRound, Taken, WaitingNews,
};
pub use outbox::{LIMIT, Outbox, Queue};
pub use rules::{Rules, SinkFilter};
pub use sink::{Address, Email, Forge, ForgeApi, MailTls, SecretSource, Sink, SinkKind};
pub use state::TargetState;
pub use template::{Template, TemplateError};
