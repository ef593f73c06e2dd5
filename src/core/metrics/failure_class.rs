//! The classes of faults of rounds.

/// The class of a fault, coarse enough for a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailureClass {
    /// The API server refused or did not answer.
    Api,
    /// Objects could not be written.
    Apply,
    /// There is no way to the cluster.
    Connect,
    /// The checkout could not be read.
    Git,
    /// Objects did not get ready.
    Health,
    /// A fault of our own.
    Internal,
    /// The inventory is another one's, or can't be used.
    Inventory,
    /// Another run writes, or the lock was lost.
    Lock,
    /// The commit has documents that can't be used.
    Manifests,
    /// The remote could not be pulled from.
    Pull,
    /// The plan refuses objects.
    Refused,
    /// A commit failed and was taken back.
    Rollback,
    /// `trueup.yaml` can't be used.
    Settings,
    /// A commit is not trusted.
    Untrusted,
    /// The cluster is another one.
    WrongCluster,
}

impl FailureClass {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Api,
        Self::Apply,
        Self::Connect,
        Self::Git,
        Self::Health,
        Self::Internal,
        Self::Inventory,
        Self::Lock,
        Self::Manifests,
        Self::Pull,
        Self::Refused,
        Self::Rollback,
        Self::Settings,
        Self::Untrusted,
        Self::WrongCluster,
    ];

    /// Its label.
    pub fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Apply => "apply",
            Self::Connect => "connect",
            Self::Git => "git",
            Self::Health => "health",
            Self::Internal => "internal",
            Self::Inventory => "inventory",
            Self::Lock => "lock",
            Self::Manifests => "manifests",
            Self::Pull => "pull",
            Self::Refused => "refused",
            Self::Rollback => "rollback",
            Self::Settings => "settings",
            Self::Untrusted => "untrusted",
            Self::WrongCluster => "wrong-cluster",
        }
    }
}
