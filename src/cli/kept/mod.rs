//! Answers of check and render that are kept on this machine: equal files, options and settings give
//! an equal answer, so nothing is read, validated or masked a second time.
//!
//! An answer is kept as it is printed, with Secrets masked, and sealed with a key that is made of
//! the files: see [`crate::local::sealed_cache`].

pub mod findings;

use std::fmt::Debug;
use std::time::UNIX_EPOCH;

use clap::Args;

use super::cache::cache_folder;
use super::headings::HOW;
use crate::app::FilesDigest;
use crate::git::Checkout;
use crate::local::sealed_cache::{AnswerKey, CacheBounds, Seal, SealedCache};

/// How much is kept. The answer to `render` is about as long as the manifests are.
const KEPT: CacheBounds = CacheBounds { answers: 100, bytes: 128 << 20 };

/// Whether answers of earlier runs count.
#[derive(Clone, Copy, Debug, Args)]
pub struct CacheArgs {
    /// Read, render and check everything again, and keep nothing of it for the next run
    #[arg(long, help_heading = HOW, display_order = 9, hide_short_help = true)]
    pub no_cache: bool,
}

/// The place of one verb's answers, with all that they depend on besides the files.
pub struct KeptAnswers {
    cache: SealedCache,
    inputs: AnswerKey,
}

impl KeptAnswers {
    /// Those of `verb` with these settings; `None` where nothing can be kept. Nothing is kept in
    /// the checkout, where it would be a change.
    pub fn of(verb: &str, settings: &dyn Debug, checkout: &Checkout) -> Option<Self> {
        let folder = cache_folder("answers").filter(|folder| folder.is_absolute())?;
        if checkout.repo_path(checkout.root(), &folder).is_ok() {
            return None;
        }
        let cache = SealedCache::open(&folder, KEPT).ok()?;
        let mut inputs = build()?;
        inputs.add(verb.as_bytes());
        inputs.add(format!("{settings:?}").as_bytes());
        Some(Self { cache, inputs })
    }

    /// The answer that was kept for these files.
    pub fn recall(&self, files: &FilesDigest) -> Option<Vec<u8>> {
        self.cache.recall(&self.seal(files))
    }

    /// Keeps the answer for these files. It does not matter if that can't be done.
    pub fn keep(&self, files: &FilesDigest, answer: &[u8]) {
        self.cache.keep(&self.seal(files), answer);
    }

    fn seal(&self, files: &FilesDigest) -> Seal {
        let mut key = self.inputs.clone();
        key.add(files.as_ref());
        key.seal()
    }
}

/// The identity of this build, since another one may give another answer.
fn build() -> Option<AnswerKey> {
    let program = std::env::current_exe().ok()?.metadata().ok()?;
    let modified = program.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    let mut key = AnswerKey::default();
    key.add(env!("CARGO_PKG_VERSION").as_bytes());
    key.add(&program.len().to_le_bytes());
    key.add(&modified.as_nanos().to_le_bytes());
    Some(key)
}
