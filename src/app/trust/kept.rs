//! Trusted commits, kept from run to run. Only what is trusted is kept, and no longer than it stays so;
//! who can open an answer is as of [`sealed_cache`](crate::local::sealed_cache).

use serde::{Deserialize, Serialize};

use crate::core::verification::{Signer, Standing};
pub(super) use crate::local::sealed_cache::Seal;
use crate::local::sealed_cache::{AnswerKey, CacheBounds, SealedCache};

/// How much is kept.
pub const BOUNDS: CacheBounds = CacheBounds { answers: 2_000, bytes: 8 << 20 };
/// The version of what is kept.
const VERSION: &[u8] = b"trusted commit 1";

/// A trusted commit.
#[derive(Serialize, Deserialize)]
struct Kept {
    signer: Signer,
    tag: Option<String>,
    seal: bool,
    until: Option<i64>,
}

/// The seal of the answer about a commit with this content and these tags.
pub(super) fn seal<'a>(
    rule: &[u8; 32],
    commit: &[u8],
    tags: impl Iterator<Item = &'a [u8]>,
) -> Seal {
    let mut key = AnswerKey::default();
    [VERSION, rule, commit].into_iter().for_each(|part| key.add(part));
    tags.for_each(|tag| key.add(tag));
    key.seal()
}

/// The kept answer, if it still holds.
pub(super) fn recall(cache: &SealedCache, seal: &Seal, now: i64) -> Option<Standing> {
    let Kept { signer, tag, seal, until } = serde_json::from_slice(&cache.recall(seal)?).ok()?;
    let holds = until.is_none_or(|until| now < until);
    holds.then_some(Standing::Trusted { signer, tag, seal, until })
}

/// Keeps the answer about a trusted commit.
pub(super) fn keep(cache: &SealedCache, seal: &Seal, standing: &Standing) {
    let Standing::Trusted { signer, tag, seal: is_seal, until } = standing else { return };
    let (signer, tag) = (signer.clone(), tag.clone());
    let kept = Kept { signer, tag, seal: *is_seal, until: *until };
    if let Ok(bytes) = serde_json::to_vec(&kept) {
        cache.keep(seal, &bytes);
    }
}
