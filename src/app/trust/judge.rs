//! One rule of the machine's file, asked about commits: their signatures, the paths that they change,
//! and their ancestors.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::kept;
use super::refused::RefusedSignatures;
use crate::core::verification::{Fault, Mode, PathRules, SignedObject, Signer, Standing, Verdict};
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
    signers: PathRules,
    verifier: SignatureVerifier,
    /// A digest of all that the rule says.
    digest: [u8; 32],
    /// Trusted commits of other runs.
    cache: Option<SealedCache>,
    /// Commits of this run.
    known: Mutex<HashMap<String, Standing>>,
    /// Signatures that were refused in this process.
    refused: Arc<RefusedSignatures>,
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
    fn kept(&self, id: &str, seal: Option<&kept::Seal>) -> Option<Standing> {
        let standing = kept::recall(self.cache.as_ref()?, seal?, Timestamp::now().as_second())?;
        self.note(id, &standing);
        Some(standing)
    }

    /// The parts that a kept answer about a commit depends on; `None` where it is not known.
    fn seal_of(
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

    fn recall(&self, id: &str) -> Option<Standing> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    fn note(&self, id: &str, standing: &Standing) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(id.to_owned(), standing.clone());
    }

    /// The standing of a commit that vouches for all of its files. A signer of some paths alone vouches
    /// for what changed since the last commit that is trusted, or for every file where there is none.
    fn by_itself(&self, place: &Place<'_>, commit: SignedCommit) -> Result<Standing, git::Error> {
        // The first-parent line down to a commit that is trusted whatever came before.
        let (mut line, mut base, mut next) = (Vec::new(), None, Some(commit));
        while let Some(commit) = next.take() {
            if let Some(Standing::Trusted { .. }) = self.recall(&commit.commit) {
                base = Some(commit.commit);
                break;
            }
            let standing = self.vouched(place, &commit)?;
            let is_limited = match &standing {
                Standing::Trusted { signer, .. } => self.signers.of(signer).is_some(),
                Standing::Refused { .. } => line.is_empty(),
            };
            if matches!(standing, Standing::Trusted { .. }) && !is_limited {
                base = Some(commit.commit.clone());
                self.note(&commit.commit, &standing);
                if line.is_empty() {
                    return Ok(standing);
                }
                break;
            }
            if line.is_empty() && !standing.is_trusted() {
                self.note(&commit.commit, &standing);
                return Ok(standing);
            }
            let parent = commit.parents.first().filter(|_| !commit.is_edge);
            next = parent.map(|parent| place.checkout.signed_commit(parent)).transpose()?;
            line.push((commit, standing));
            if line.len() > FOLLOWED {
                let fault = Fault::TooLong(FOLLOWED);
                return Ok(Standing::Refused { fault, key: None });
            }
        }
        let (mut last, mut dropped) = (None, BTreeSet::new());
        for (commit, standing) in line.into_iter().rev() {
            dropped.extend(place.checkout.dropped_paths(&commit)?);
            let change = Change { base: base.as_deref(), to: &commit.commit, dropped: &dropped };
            let standing = self.within_paths(place, standing, change)?;
            self.note(&commit.commit, &standing);
            if standing.is_trusted() {
                base = Some(commit.commit);
                dropped.clear();
            }
            last = Some(standing);
        }
        Ok(last.unwrap_or(Standing::Refused { fault: Fault::Unsigned, key: None }))
    }

    /// The standing of a commit all of whose ancestors have to be trusted, too, down to those that a
    /// seal vouches for.
    fn with_ancestors(
        &self,
        place: &Place<'_>,
        commit: SignedCommit,
    ) -> Result<Standing, git::Error> {
        let mut looked_at = 0;
        let mut open: Vec<Pending> = vec![Pending::new(self.own(place, &commit)?, commit)];
        loop {
            let Some(pending) = open.last_mut() else {
                return Ok(Standing::Refused { fault: Fault::Unsigned, key: None });
            };
            let next = match &pending.standing {
                Standing::Trusted { seal: false, .. } => pending.parents.pop(),
                _ => None,
            };
            let Some(parent) = next else {
                let Some(Pending { commit, standing, .. }) = open.pop() else { continue };
                self.note(&commit, &standing);
                let Some(child) = open.last_mut() else { return Ok(standing) };
                child.joined(&commit, &standing);
                continue;
            };
            if let Some(known) = self.recall(&parent) {
                pending.joined(&parent, &known);
                continue;
            }
            looked_at += 1;
            if pending.is_edge || looked_at > FOLLOWED {
                let fault = if pending.is_edge { Fault::Shallow } else { Fault::TooLong(FOLLOWED) };
                pending.standing = Standing::Refused { fault, key: None };
                continue;
            }
            let commit = place.checkout.signed_commit(&parent)?;
            let seal = self.seal_of(place, &commit)?;
            if let Some(kept) = self.kept(&parent, seal.as_ref()) {
                pending.joined(&parent, &kept);
                continue;
            }
            open.push(Pending::new(self.own(place, &commit)?, commit));
        }
    }

    /// The standing of a commit by its own signature, and by its changes against its first parent. A
    /// merge vouches for all that it brings to the line.
    fn own(&self, place: &Place<'_>, commit: &SignedCommit) -> Result<Standing, git::Error> {
        // A sealed tag vouches for the commit, whatever that says itself.
        for tag in place.tags_of(&commit.commit)? {
            let seals = tag.signed.trailer(SEAL).is_some();
            if let Some((signer, until)) = self.unlimited(&tag.signed).filter(|_| seals) {
                return Ok(Standing::Trusted {
                    signer,
                    tag: Some(tag.name.clone()),
                    seal: true,
                    until,
                });
            }
        }
        let seals = commit.signed.trailer(SEAL).is_some();
        if let Some((signer, until)) = self.unlimited(&commit.signed).filter(|_| seals) {
            return Ok(Standing::Trusted { signer, tag: None, seal: true, until });
        }
        let standing = self.signed(&commit.signed);
        let parent = commit.parents.first().filter(|_| !commit.is_edge);
        let dropped = place.checkout.dropped_paths(commit)?;
        let base = parent.map(String::as_str);
        let change = Change { base, to: &commit.commit, dropped: &dropped };
        self.within_paths(place, standing, change)
    }

    /// The signer of an object, where that is one who may sign for all paths.
    fn unlimited(&self, object: &SignedObject) -> Option<(Signer, Option<i64>)> {
        match self.signed(object) {
            Standing::Trusted { signer, until, .. } => {
                self.signers.of(&signer).is_none().then_some((signer, until))
            }
            Standing::Refused { .. } => None,
        }
    }

    /// The standing of a commit by its signature or by that of its tags, whatever it changes.
    fn vouched(&self, place: &Place<'_>, commit: &SignedCommit) -> Result<Standing, git::Error> {
        if self.mode != Mode::Tag {
            return Ok(self.signed(&commit.signed));
        }
        let mut refused = Standing::Refused { fault: Fault::NoTag, key: None };
        let mut limited = None;
        for tag in place.tags_of(&commit.commit)? {
            match self.signed(&tag.signed) {
                Standing::Trusted { signer, seal, until, .. } => {
                    let is_limited = self.signers.of(&signer).is_some();
                    let trusted =
                        Standing::Trusted { signer, tag: Some(tag.name.clone()), seal, until };
                    if !is_limited {
                        return Ok(trusted);
                    }
                    limited.get_or_insert(trusted);
                }
                standing => refused = standing,
            }
        }
        Ok(limited.unwrap_or(refused))
    }

    /// The standing that a signature alone gives.
    fn signed(&self, object: &SignedObject) -> Standing {
        let key = RefusedSignatures::key(&self.digest, object);
        let verdict = match self.refused.recall(&key) {
            Some(refused) => Ok(refused),
            None => self.verifier.verify(object).inspect(|it| self.refused.keep(key, it)),
        };
        match verdict {
            Ok(Verdict::Good { signer, until }) => {
                Standing::Trusted { signer, tag: None, seal: false, until }
            }
            Ok(Verdict::Bad { fault, key }) => Standing::Refused { fault, key },
            Err(error) => {
                let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
                let fault = Fault::Unknown(format!("{error}{hint}"));
                Standing::Refused { fault, key: None }
            }
        }
    }

    /// The same, unless the signer may not sign for a path that the change is about.
    fn within_paths(
        &self,
        place: &Place<'_>,
        standing: Standing,
        change: Change<'_>,
    ) -> Result<Standing, git::Error> {
        let Change { base, to, dropped } = change;
        let Standing::Trusted { signer, .. } = &standing else { return Ok(standing) };
        if self.signers.of(signer).is_none() {
            return Ok(standing);
        }
        let changed = place.checkout.changed_paths(base, to)?;
        let all = changed.iter().chain(dropped).map(String::as_str);
        let refused = self.signers.first_refused(signer, all);
        Ok(match refused {
            None => standing,
            Some(path) => {
                let (principal, path) = (signer.principal.clone(), path.to_owned());
                let key = Some(signer.key.clone());
                Standing::Refused { fault: Fault::NotAllowed { principal, path }, key }
            }
        })
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
    fn tags_of(&self, id: &str) -> Result<&[SignedTag], git::Error> {
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

/// The change that a signature vouches for.
#[derive(Clone, Copy)]
struct Change<'a> {
    /// The commit that it begins with; without one, all files are new.
    base: Option<&'a str>,
    /// The commit that it ends with.
    to: &'a str,
    /// The paths that merges between took back.
    dropped: &'a BTreeSet<String>,
}

/// A commit whose ancestors are looked at.
struct Pending {
    commit: String,
    standing: Standing,
    parents: Vec<String>,
    is_edge: bool,
}

impl Pending {
    fn new(standing: Standing, commit: SignedCommit) -> Self {
        let SignedCommit { commit, mut parents, is_edge, .. } = commit;
        // The first parent first.
        parents.reverse();
        Self { commit, standing, parents, is_edge }
    }

    /// Takes over what is known of a parent.
    fn joined(&mut self, parent: &str, standing: &Standing) {
        match (&mut self.standing, standing) {
            (Standing::Trusted { until, .. }, Standing::Trusted { until: of_parent, .. }) => {
                *until = until.iter().chain(of_parent).min().copied();
            }
            (Standing::Trusted { .. }, Standing::Refused { fault, .. }) => {
                let fault = match fault {
                    inner @ (Fault::Ancestor { .. } | Fault::Shallow | Fault::TooLong(_)) => {
                        inner.clone()
                    }
                    own => {
                        Fault::Ancestor { commit: parent.to_owned(), fault: Box::new(own.clone()) }
                    }
                };
                self.standing = Standing::Refused { fault, key: None };
            }
            (Standing::Refused { .. }, _) => {}
        }
    }
}
