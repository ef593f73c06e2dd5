//! Delivers messages: one sender for each kind of sink, and the threads that send. Sends traces, too. The
//! only user of lettre and of OpenTelemetry.
//!
//! The messages are made by [`crate::core::notify`]. An address or a token is a secret: an error
//! names the host at most, and never quotes what a server answered.

mod alertmanager;
mod chat;
mod courier;
mod couriers;
mod delivery;
mod delivery_deadline;
mod email;
mod error;
mod forge;
mod http;
mod line;
mod notifier;
mod sender;
mod shared;
mod traces;
mod webhook;

pub use couriers::Couriers;
pub use delivery_deadline::DeliveryDeadline;
pub use error::DeliveryError;
pub use notifier::Notifier;
pub use sender::Sender;
pub use shared::NotifierOptions;
pub use traces::{TraceSettingsError, Traces};
