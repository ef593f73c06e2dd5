//! Cached dry-run results of this cluster, and proofs of being in sync, kept between runs.

use sha2::{Digest as _, Sha256};

use super::Cluster;
use crate::core::dry_run_cache::DryRunCache;
use crate::core::in_sync::SyncProof;
use crate::core::inventory::Inventory;

impl Cluster {
    /// The cached results of the inventory's objects.
    pub(super) fn recall(&self, inventory: &Inventory) -> DryRunCache {
        let kept = self.connection.memory.recall(&self.memory_name(&["verdicts", &inventory.id()]));
        kept.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// Keeps what the server said of the inventory's objects.
    pub(super) fn remember(&self, inventory: &Inventory, verdicts: &DryRunCache) {
        let name = self.memory_name(&["verdicts", &inventory.id()]);
        self.connection.memory.keep(&name, &serde_json::to_vec(verdicts).unwrap_or_default());
    }

    /// The proof that an inventory was in sync.
    pub fn sync_proof(&self, inventory: &Inventory) -> Option<SyncProof> {
        let kept = self.connection.memory.recall(&self.memory_name(&["in-sync", &inventory.id()]));
        kept.and_then(|bytes| serde_json::from_slice(&bytes).ok())
    }

    /// Keeps the proof that an inventory was in sync.
    pub fn keep_sync_proof(&self, inventory: &Inventory, proof: &SyncProof) {
        let name = self.memory_name(&["in-sync", &inventory.id()]);
        self.connection.memory.keep(&name, &serde_json::to_vec(proof).unwrap_or_default());
    }

    /// The name under which something of this cluster is kept, by this version of trueup.
    pub(super) fn memory_name(&self, what: &[&str]) -> String {
        let mut digest = Sha256::new();
        for part in [env!("CARGO_PKG_VERSION"), &self.connection.url].iter().chain(what) {
            digest.update(part.len().to_le_bytes());
            digest.update(part);
        }
        let digest: String =
            digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        format!("{}-{digest}.json", what.first().copied().unwrap_or_default())
    }
}
