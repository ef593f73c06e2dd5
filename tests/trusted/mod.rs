//! Verify rules: commits that were signed with the real programs, beside git's own verdict; checkouts
//! that try to choose their judges; and which commit is applied.

mod applied;
mod hostile;
mod matrix;
mod modes;
mod programs;
mod signing;
mod tracked;
