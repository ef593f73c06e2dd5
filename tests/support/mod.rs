//! What the tests are written with.

pub mod command;
#[cfg(unix)]
pub mod sandbox;
