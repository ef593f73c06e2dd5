//! The rules of the machine's file that a run is held to. Which rules they are must not depend on what
//! the checkout says.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use super::cache::cache_folder;
use super::exit::Failure;
use super::machine_file::{machine, path};
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
    let rules = rules(checkout)?;
    let is_for = |rule: &&VerifyRule| match target {
        NamedBy::Operator(name) => rule.is_for(name),
        NamedBy::Checkout => true,
    };
    let mut wanted: Vec<&VerifyRule> = rules.iter().filter(is_for).collect();
    if matches!(target, NamedBy::Operator(_)) {
        // The first counts, as of every list of patterns.
        wanted.truncate(1);
    }
    let folders = checkout.folders();
    let judges = wanted.into_iter().map(|rule| judge(rule, &folders));
    Ok(Trust::new(judges.collect::<Result<_, Failure>>()?, is_waived))
}

/// The rules that count for each of several targets, as where an operator names it.
///
/// # Errors
///
/// As of [`trust`].
pub(super) fn trusts<'a>(
    targets: impl Iterator<Item = &'a String>,
    checkout: &Checkout,
) -> Result<BTreeMap<String, Trust>, Failure> {
    let rules = rules(checkout)?;
    let folders = checkout.folders();
    let mut judges: BTreeMap<usize, Arc<Judge>> = BTreeMap::new();
    let mut found = BTreeMap::new();
    for target in targets {
        let Some(place) = rules.iter().position(|rule| rule.is_for(target)) else { continue };
        let judge = match judges.get(&place) {
            Some(known) => Arc::clone(known),
            None => judge(&rules[place], &folders)?,
        };
        judges.insert(place, Arc::clone(&judge));
        found.insert(target.clone(), Trust::new(vec![judge], false));
    }
    Ok(found)
}

/// The rules of the machine's file, which neither another user nor the checkout may write.
fn rules(checkout: &Checkout) -> Result<Vec<VerifyRule>, Failure> {
    let rules = machine()?.verify;
    if let Some(file) = path().filter(|_| !rules.is_empty()) {
        trusted_file::read(&file, &checkout.folders())?;
    }
    Ok(rules)
}

fn judge(rule: &VerifyRule, folders: &[PathBuf]) -> Result<Arc<Judge>, Failure> {
    let VerifyRule { targets: _, ssh, openpgp, mode, signers } = rule;
    let read = |path: &PathBuf| trusted_file::read(path, folders);
    let allowed_signers = ssh.as_ref().map(|ssh| read(&ssh.allowed_signers)).transpose()?;
    let revoked = ssh.as_ref().and_then(|ssh| ssh.revoked.as_ref()).map(read).transpose()?;
    let openpgp = openpgp.as_ref().map(|openpgp| read(&openpgp.keys)).transpose()?;
    let keys = SignerKeys { allowed_signers, revoked, openpgp };
    let cache = cache_folder("trust").and_then(|it| SealedCache::open(&it, BOUNDS).ok());
    let rule = JudgeRule { mode: *mode, signers: signers.clone(), keys };
    let memory = JudgeMemory { cache, refused: Arc::clone(&REFUSED) };
    Ok(Arc::new(Judge::new(rule, environment(), memory)))
}

#[allow(clippy::disallowed_methods, reason = "the time zone is the machine's")]
fn environment() -> VerifierEnvironment {
    let time_zone: Option<OsString> = std::env::var_os("TZ");
    VerifierEnvironment { path: search_path::path(), time_zone }
}
