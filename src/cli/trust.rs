//! The rules of the machine's file that a run is held to. Which rules they are must not depend on what
//! the checkout says.

use std::ffi::OsString;
use std::sync::{Arc, LazyLock};

use super::cache::cache_folder;
use super::exit::Failure;
use super::machine_file::machine;
use super::search_path;
use crate::app::trust::{BOUNDS, Judge, JudgeMemory, JudgeRule, RefusedSignatures, Trust};
use crate::config::verify::VerifyRule;
use crate::git::Checkout;
use crate::local::sealed_cache::SealedCache;
use crate::local::signatures::{SignerKeys, VerifierEnvironment};
use crate::local::trusted_file;

/// Signatures that any rule refused. The rounds of a watch each read the rules again.
static REFUSED: LazyLock<Arc<RefusedSignatures>> = LazyLock::new(Arc::default);

/// The target of a run, as far as the command line names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NamedBy<'a> {
    /// The command line or the environment gives this name.
    Operator(&'a str),
    /// Only the checkout says which target it is. It could take any name to meet a lenient rule, so that
    /// all rules count.
    Checkout,
}

/// The rules that count for a target, none of which has to be met where they are `waived`.
///
/// # Errors
///
/// When the machine's file or a file that it names can't be used.
pub(super) fn trust(
    target: NamedBy<'_>,
    checkout: &Checkout,
    is_waived: bool,
) -> Result<Trust, Failure> {
    let rules = machine()?.verify;
    let is_for = |rule: &VerifyRule| match target {
        NamedBy::Operator(name) => rule.is_for(name),
        NamedBy::Checkout => true,
    };
    let mut wanted: Vec<VerifyRule> = rules.into_iter().filter(|rule| is_for(rule)).collect();
    if matches!(target, NamedBy::Operator(_)) {
        // The first counts, as of every list of patterns.
        wanted.truncate(1);
    }
    let folders = checkout.folders();
    let judges = wanted.into_iter().map(|rule| {
        let VerifyRule { targets: _, ssh, openpgp, mode, signers } = rule;
        let read = |path: &std::path::PathBuf| trusted_file::read(path, &folders);
        let allowed_signers = ssh.as_ref().map(|ssh| read(&ssh.allowed_signers)).transpose()?;
        let revoked = ssh.as_ref().and_then(|ssh| ssh.revoked.as_ref()).map(read).transpose()?;
        let openpgp = openpgp.as_ref().map(|openpgp| read(&openpgp.keys)).transpose()?;
        let keys = SignerKeys { allowed_signers, revoked, openpgp };
        let cache = cache_folder("trust").and_then(|it| SealedCache::open(&it, BOUNDS).ok());
        let rule = JudgeRule { mode, signers, keys };
        let memory = JudgeMemory { cache, refused: Arc::clone(&REFUSED) };
        Ok(Arc::new(Judge::new(rule, environment(), memory)))
    });
    Ok(Trust::new(judges.collect::<Result<_, Failure>>()?, is_waived))
}

#[allow(clippy::disallowed_methods, reason = "the time zone is the machine's")]
fn environment() -> VerifierEnvironment {
    let time_zone: Option<OsString> = std::env::var_os("TZ");
    VerifierEnvironment { path: search_path::path(), time_zone }
}
