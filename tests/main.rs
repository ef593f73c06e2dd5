//! The one integration binary. A test reads as before, command, after, and checks stdout, stderr
//! and status together.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop where it stands")]

mod forgotten;
#[cfg(unix)]
mod sandbox;
mod support;
