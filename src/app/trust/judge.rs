//! One rule of the machine's file, asked about commits. `signatures` has what a commit's own signature
//! says, and `ancestors` what those before it add.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::kept;
use super::refused::RefusedSignatures;
use crate::core::verification::{Fault, Mode, PathRules, Standing};
use crate::git::{self, Checkout, SignedCommit, SignedTag};
use crate::local::sealed_cache::SealedCache;
use crate::local::signatures::{SignatureVerifier, SignerKeys, VerifierEnvironment};

/// The last line of a message of a signed commit or tag that vouches for its ancestors: its key.
pub const SEAL: &str = "trueup-seal";
/// How many commits are looked at for one answer.
pub(super) const FOLLOWED: usize = 20_000;

/// Everything that a rule says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JudgeRule {
    /// Which commits have to be signed.
    pub mode: Mode,
    /// The paths that each signer may sign for.
    pub signers: PathRules,
    /// The keys that count.
    pub keys: SignerKeys,
}

/// The answers of before.
#[derive(Default)]
pub struct JudgeMemory {
    /// Trusted commits of other runs.
    pub cache: Option<SealedCache>,
    /// Signatures that were refused in this process.
    pub refused: Arc<RefusedSignatures>,
}

/// A rule with what is known by it.
pub struct Judge {
    pub(super) mode: Mode,
    pub(super) signers: PathRules,
    pub(super) verifier: SignatureVerifier,
    /// A digest of all that the rule says.
    pub(super) digest: [u8; 32],
    /// Trusted commits of other runs.
    cache: Option<SealedCache>,
    /// Commits of this run.
    known: Mutex<HashMap<String, Standing>>,
    /// Signatures that were refused in this process.
    pub(super) refused: Arc<RefusedSignatures>,
}

impl Judge {
    /// One that goes by `rule`.
    pub fn new(rule: JudgeRule, environment: VerifierEnvironment, memory: JudgeMemory) -> Self {
        let JudgeMemory { cache, refused } = memory;
        // Lifetimes of keys are in local time.
        let all = format!("{:?}", (&rule, &environment.time_zone));
        let digest = Sha256::digest(all).into();
        let JudgeRule { mode, signers, keys } = rule;
        let verifier = SignatureVerifier::new(keys, environment);
        Self { mode, signers, verifier, digest, cache, known: Mutex::default(), refused }
    }

    /// A digest of all that the rule says.
    pub(super) fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// Whether the commit `id` may be applied that the tag `tag` led to: in mode `tag`, that one has to be
    /// signed, whatever other tags there are of the commit.
    ///
    /// # Errors
    ///
    /// When the repository can't be read.
    pub(super) fn standing_by_tag(
        &self,
        place: &Place<'_>,
        id: &str,
        tag: &str,
    ) -> Result<Standing, git::Error> {
        if self.mode == Mode::Tag {
            let tags = place.tags_of(id)?;
            let named = tags.iter().find(|it| it.name == tag).map(|it| self.signed(&it.signed));
            match named.unwrap_or(Standing::Refused { fault: Fault::NoTag, key: None }) {
                Standing::Trusted { signer, until, .. } if self.signers.of(&signer).is_none() => {
                    let tag = Some(tag.to_owned());
                    return Ok(Standing::Trusted { signer, tag, seal: false, until });
                }
                Standing::Trusted { .. } => {}
                refused @ Standing::Refused { .. } => return Ok(refused),
            }
        }
        self.standing(place, id)
    }

    /// Whether the commit `id` may be applied.
    ///
    /// # Errors
    ///
    /// When the repository can't be read.
    pub(super) fn standing(&self, place: &Place<'_>, id: &str) -> Result<Standing, git::Error> {
        if let Some(known) = self.recall(id) {
            return Ok(known);
        }
        let commit = place.checkout.signed_commit(id)?;
        let seal = self.seal_of(place, &commit)?;
        if let Some(standing) = self.kept(id, seal.as_ref()) {
            return Ok(standing);
        }
        let standing = match self.mode {
            Mode::Head | Mode::Tag => self.by_itself(place, commit)?,
            Mode::All => self.with_ancestors(place, commit)?,
        };
        if let Some((cache, seal)) = self.cache.as_ref().zip(seal.as_ref()) {
            kept::keep(cache, seal, &standing);
        }
        Ok(standing)
    }

    /// The answer of another run about a commit.
    pub(super) fn kept(&self, id: &str, seal: Option<&kept::Seal>) -> Option<Standing> {
        let standing = kept::recall(self.cache.as_ref()?, seal?, Timestamp::now().as_second())?;
        self.note(id, &standing);
        Some(standing)
    }

    /// The parts that a kept answer about a commit depends on; `None` where it is not known.
    ///
    /// # Errors
    ///
    /// When the repository can't be read.
    pub(super) fn seal_of(
        &self,
        place: &Place<'_>,
        commit: &SignedCommit,
    ) -> Result<Option<kept::Seal>, git::Error> {
        if self.cache.is_none() {
            return Ok(None);
        }
        let tags = match self.mode {
            Mode::Head => Vec::new(),
            Mode::All | Mode::Tag => place.tags_of(&commit.commit)?.iter().collect(),
        };
        let tags = tags.into_iter().map(|tag| tag.content.as_slice());
        Ok(Some(kept::seal(&self.digest, &commit.content, tags)))
    }

    pub(super) fn recall(&self, id: &str) -> Option<Standing> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    pub(super) fn note(&self, id: &str, standing: &Standing) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(id.to_owned(), standing.clone());
    }
}

/// A repository, and its tags once they were read.
pub(super) struct Place<'a> {
    pub(super) checkout: &'a Checkout,
    tags: OnceCell<BTreeMap<String, Vec<SignedTag>>>,
}

impl<'a> Place<'a> {
    pub(super) fn new(checkout: &'a Checkout) -> Self {
        Self { checkout, tags: OnceCell::new() }
    }

    /// The annotated tags of a commit.
    ///
    /// # Errors
    ///
    /// When the repository can't be read.
    pub(super) fn tags_of(&self, id: &str) -> Result<&[SignedTag], git::Error> {
        let all = match self.tags.get() {
            Some(all) => all,
            None => {
                let read = self.checkout.signed_tags()?;
                self.tags.get_or_init(|| read)
            }
        };
        Ok(all.get(id).map(Vec::as_slice).unwrap_or_default())
    }
}
