//! The lines of a log: what each tells, and how long it may be.

mod bound;
mod event;

pub use bound::bounded;
pub use event::{Level, LogEvent};
