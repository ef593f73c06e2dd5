//! How a run may go about its work, and who decides: the operator, the repository or one object.

mod max_prune;
mod on_conflict;
mod permissions;
pub mod precedence;
pub mod run_options;

pub use max_prune::MaxPrune;
pub use on_conflict::OnConflict;
pub use permissions::{Permissions, Policy, RepositoryPolicy};
