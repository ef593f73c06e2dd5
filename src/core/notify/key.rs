//! Keys of what was told. They are digests, so that a state has no text of an object's in it and stays
//! small.

use sha2::{Digest as _, Sha256};

/// The digest of these parts; other parts have another one, wherever one ends and the next begins.
pub fn key_digest(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    let bytes = digest.finalize();
    bytes.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_eq!(key_digest(&["a", "b"]), key_digest(&["a", "b"]));
        assert_eq!(key_digest(&["a"]).len(), 32);
        let others = [&["ab"][..], &["a", "b", ""], &["", "ab"], &["b", "a"]];
        for other in others {
            assert_ne!(key_digest(other), key_digest(&["a", "b"]), "{other:?}");
        }
    }
}
