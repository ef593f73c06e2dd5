//! Whether two states of an object differ, and the way to a field of them.

mod dropped;
mod noop;
mod step;

pub use dropped::dropped;
pub(crate) use dropped::{METADATA, is_nothing};
pub use noop::is_noop;
pub use step::{PathStep, Side, around, path, resolve};
