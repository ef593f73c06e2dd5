//! The lines of a log: what each tells, how long it may be, and
//! when two say the same.

mod bound;
mod event;
mod normal;

pub use bound::bounded;
pub use event::{Level, LogEvent};
pub use normal::{normal_form, one_line};
