//! How much of a repository is read, so that no repository can make a run endless.

/// The most that is read of a repository. Every limit is far above what manifests need; a commit
/// that exceeds one was most likely made to, and is an error as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryLimits {
    /// Files and folders under the paths of one snapshot.
    pub entries: u64,
    /// Files and folders of a commit that is checked out, or compared with the work tree.
    pub checkout_entries: u64,
    /// The bytes of all these paths together.
    pub path_bytes: u64,
    /// Folders within each other.
    pub depth: usize,
    /// The bytes of one path.
    pub path: usize,
    /// The bytes of one folder's listing, a tree object.
    pub tree: u64,
    /// The bytes of one commit or tag object: its message, author and signature.
    pub commit: u64,
    /// The bytes of all files of one snapshot.
    pub content: u64,
    /// The bytes that decoding any one object may allocate, its delta chain included.
    pub object: u64,
    /// The objects that are read to find the author of a line.
    pub history: u64,
    /// The bytes that are read to find the author of a line.
    pub history_bytes: u64,
    /// The bytes of the pack that one fetch may bring.
    pub pack: u64,
    /// The bytes of a remote's list of refs.
    pub refs: u64,
}

impl Default for RepositoryLimits {
    fn default() -> Self {
        Self {
            entries: 1_000_000,
            checkout_entries: 4_000_000,
            path_bytes: 512 << 20,
            depth: 200,
            path: 4096,
            tree: 32 << 20,
            commit: 4 << 20,
            content: 1 << 30,
            object: 256 << 20,
            history: 500_000,
            history_bytes: 512 << 20,
            pack: 8 << 30,
            refs: 64 << 20,
        }
    }
}

impl RepositoryLimits {
    /// The same where objects are only brought in and checked out, as large files may be.
    pub(super) fn for_pull(&self) -> Self {
        Self { object: self.object.saturating_mul(4), ..self.clone() }
    }

    /// The limits as overrides for gix. Replacements (git's `refs/replace`) do not count: they would put
    /// other files below a commit, whose id and signature stay as they are.
    pub(super) fn overrides(&self) -> [String; 2] {
        let limit = format!("gitoxide.objects.allocLimit={}", self.object);
        [limit, "core.useReplaceRefs=false".to_owned()]
    }
}
