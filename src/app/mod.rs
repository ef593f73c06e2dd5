//! The story: [`round()`] makes a target true once. `apply` is one round, `watch` is round after round,
//! and a rollback is the same with another commit.
//!
//! Whoever runs a round is its [`Runner`], and hears of it by [`Event`]s.

mod event;
mod lookout;
mod round;

pub use event::Event;
pub use lookout::{Lookout, NoLookout};
pub use round::{RoundEnd, RoundOptions, Runner, WaitWhen, round};
