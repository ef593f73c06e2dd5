//! Signatures that were refused, kept while the process runs. A round of watch looks at the same refused
//! commits as the one before, and each would cost a run of a program.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use crate::core::verification::{Fault, SignedObject, Verdict};

/// The most signatures that are kept; beyond that all are forgotten.
const MOST: usize = 20_000;

/// Refused signatures.
#[derive(Debug, Default)]
pub struct RefusedSignatures(Mutex<HashMap<[u8; 32], Verdict>>);

impl RefusedSignatures {
    /// The key of a signed object, by a rule with this digest.
    pub(super) fn key(rule: &[u8; 32], object: &SignedObject) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(rule);
        let parts = std::iter::once(&object.payload).chain(&object.signatures);
        for part in parts {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        digest.finalize().into()
    }

    /// The verdict about the object with this key, if it was refused before.
    pub(super) fn recall(&self, key: &[u8; 32]) -> Option<Verdict> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// Keeps a verdict that stays what it is.
    pub(super) fn keep(&self, key: [u8; 32], verdict: &Verdict) {
        let stays = match verdict {
            Verdict::Good { .. } => false,
            // A key that is not valid yet will be, and one that was not looked at may be good.
            Verdict::Bad { fault, .. } => {
                *fault != Fault::NotYetValid && !matches!(fault, Fault::Unknown(_))
            }
        };
        if !stays {
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(key, verdict.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stays_refused_is_kept() {
        let object = SignedObject {
            payload: b"text".to_vec(),
            signatures: vec![b"signature".to_vec()],
            time: None,
            message: String::new(),
        };
        let (refused, key) =
            (RefusedSignatures::default(), RefusedSignatures::key(&[1; 32], &object));
        for fault in [Fault::NotYetValid, Fault::Unknown("no program".to_owned())] {
            refused.keep(key, &Verdict::bad(fault));
            assert_eq!(refused.recall(&key), None);
        }
        let bad = Verdict::bad(Fault::UnknownKey);
        refused.keep(key, &bad);
        assert_eq!(refused.recall(&key), Some(bad));
        // By other rules, or in another text, it is another one.
        let split = SignedObject {
            payload: b"texts".to_vec(),
            signatures: vec![b"ignature".to_vec()],
            ..object.clone()
        };
        assert_eq!(refused.recall(&RefusedSignatures::key(&[2; 32], &object)), None);
        assert_eq!(refused.recall(&RefusedSignatures::key(&[1; 32], &split)), None);
    }
}
