//! What the tests are written with.

pub mod command;
pub mod eventually;
pub mod repo;
pub mod sandbox;
