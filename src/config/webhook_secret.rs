//! The secret of `trueup watch --webhook`, as the environment has it.

/// The variable with the secret.
pub const VARIABLE: &str = "TRUEUP_WEBHOOK_SECRET";

/// The secret of the environment.
#[allow(clippy::disallowed_methods, reason = "the one reader of this variable")]
pub fn variable() -> Option<String> {
    std::env::var(VARIABLE).ok().filter(|secret| !secret.is_empty())
}
