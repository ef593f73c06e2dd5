//! Input that never ends or takes all memory: expressions, git objects, answers of a server.

mod cel;
mod git;
mod held_up;
mod server;
