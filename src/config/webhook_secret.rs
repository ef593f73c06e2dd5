//! The secret of `trueup watch --webhook`, as the environment has it.

use std::ffi::OsString;

/// The variable with the secret.
pub const VARIABLE: &str = "TRUEUP_WEBHOOK_SECRET";

/// The secret of the environment, which may not be text.
#[allow(clippy::disallowed_methods, reason = "the one reader of this variable")]
pub fn variable() -> Option<OsString> {
    std::env::var_os(VARIABLE).filter(|secret| !secret.is_empty())
}
