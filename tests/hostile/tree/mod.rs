//! Trees and work trees that lead out of the checkout, and repositories of other users.

mod names;
mod owner;
mod pull;
mod worktree;
