//! Advice for a person. Advice that names a flag, a setting or another part of the command line is
//! a value here, whose words are made by the command line itself.

use serde::Serialize;

/// A remedy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "remedy", content = "of", rename_all = "kebab-case")]
pub enum Remedy {
    /// Something that is done outside of the command line, in words.
    Text(String),
    /// Any of these, the more usual one first.
    Ways(Vec<Remedy>),
    /// Either of these, which exclude each other.
    Either(Vec<Remedy>),
    /// One for each thing that is wrong.
    Each(Vec<Remedy>),
    /// Allow that all is deleted.
    AllowEmpty,
    /// Allow that objects of this kind are deleted, where that is meant.
    AllowDelete {
        /// The kind.
        kind: String,
    },
    /// Allow it, or approve it on the live object.
    ConfirmDelete {
        /// The object's kind.
        kind: String,
    },
    /// Approve a deletion on the live object or allow it, and not in the manifest.
    ApproveElsewhere {
        /// The object's kind.
        kind: String,
    },
    /// Allow that so many objects are deleted.
    MaxPrune {
        /// How many they are.
        count: usize,
    },
    /// Take the object over, or leave it out.
    Adopt,
    /// Take the objects into the inventory, or choose another one.
    AdoptMembers,
    /// Choose another inventory.
    OtherInventory,
    /// Have it deleted and recreated.
    Replace {
        /// The object's kind.
        kind: String,
    },
    /// Wait until it has ended, or have it stopped.
    WaitOrReplace {
        /// The object's kind.
        kind: String,
    },
    /// Take the field from others, or leave it to them.
    ForceOrYield,
    /// Take what protects the object from others, or do not declare it.
    ForceProtection,
    /// Remove what is in the way, or have it removed.
    RemoveOrForce {
        /// Which field is set by whom, in words.
        set: String,
    },
    /// Name a kubeconfig.
    NameKubeconfig,
    /// Correct the name of the kubeconfig.
    CorrectKubeconfig,
    /// Choose one of the contexts that there are.
    ChooseContext {
        /// Their names.
        known: Vec<String>,
    },
    /// Choose the cluster of this name.
    ChooseCluster {
        /// Its name.
        name: String,
    },
    /// Choose the cluster of the machine's rule, or correct the rule.
    RightContext {
        /// Where the rule stands.
        rule: String,
    },
    /// Choose the cluster that the target belongs to, or say that it moves to this one.
    NewCluster {
        /// The target.
        target: String,
    },
    /// See that the cluster is up and the right one.
    CheckCluster,
    /// See what keeps the server from answering in time.
    CheckTimeout,
    /// Ask for a right, or act as another user.
    AskForRight,
    /// Leave webhooks out, or use a cluster of their own.
    SandboxWebhooks,
    /// Create the namespace, or choose one that exists.
    CreateNamespace {
        /// Its name.
        name: String,
    },
    /// Choose the target that the inventory is of, or say that this one takes its place.
    ChooseTarget {
        /// The target.
        target: String,
    },
    /// Say that these paths take the place of those, or keep them apart.
    MovedPaths(Box<MovedPaths>),
    /// Restore the inventory's record, or choose another one.
    RestoreRecord {
        /// The ConfigMap's namespace and name.
        parent: String,
    },
    /// Wait for the lock, or longer.
    WaitForLock,
    /// Correct the manifests, or do without them.
    DoWithoutStrict,
    /// Fetch the commit, or try it again.
    RetryCommit {
        /// The start of its id.
        commit: String,
    },
    /// End the suspension, or apply in spite of it.
    Resume {
        /// The target.
        target: String,
    },
    /// Release the commit, or apply and release it.
    Release {
        /// The target.
        target: String,
    },
    /// Apply in spite of the target's mode.
    Enforce,
    /// Wait for a window, or apply outside of it.
    OutsideWindows,
    /// Apply it for the first time.
    ApplyFirst,
    /// Go to the right checkout.
    ChooseCheckout,
    /// Leave out what contradicts the plan.
    LeaveOut {
        /// The name of the flag and the variable, without what they begin with.
        what: String,
    },
}

/// Paths that may take the place of others in an inventory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MovedPaths {
    /// The paths that the inventory was of.
    pub was: String,
    /// The paths of this target.
    pub now: String,
}

impl Remedy {
    /// Its words, where it is outside of the command line.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Any of these; `None` where there is none.
    pub fn ways(ways: impl IntoIterator<Item = Self>) -> Option<Self> {
        Self::of(ways, Self::Ways)
    }

    /// Either of these; `None` where there is none.
    pub fn either(ways: impl IntoIterator<Item = Self>) -> Option<Self> {
        Self::of(ways, Self::Either)
    }

    fn of(ways: impl IntoIterator<Item = Self>, all: fn(Vec<Self>) -> Self) -> Option<Self> {
        let mut ways: Vec<Self> = ways.into_iter().collect();
        match ways.len() {
            0 | 1 => ways.pop(),
            _ => Some(all(ways)),
        }
    }

    /// The texts in it that trueup did not word itself.
    pub(in crate::core) fn texts_mut(&mut self) -> Vec<&mut String> {
        match self {
            Self::Text(text) => vec![text],
            Self::Ways(all) | Self::Either(all) | Self::Each(all) => {
                all.iter_mut().flat_map(Self::texts_mut).collect()
            }
            Self::AllowDelete { kind }
            | Self::ConfirmDelete { kind }
            | Self::ApproveElsewhere { kind }
            | Self::Replace { kind }
            | Self::WaitOrReplace { kind } => vec![kind],
            Self::RemoveOrForce { set: text }
            | Self::ChooseCluster { name: text }
            | Self::CreateNamespace { name: text }
            | Self::ChooseTarget { target: text }
            | Self::Resume { target: text }
            | Self::Release { target: text }
            | Self::RestoreRecord { parent: text }
            | Self::RightContext { rule: text }
            | Self::NewCluster { target: text }
            | Self::RetryCommit { commit: text }
            | Self::LeaveOut { what: text } => vec![text],
            Self::ChooseContext { known } => known.iter_mut().collect(),
            Self::MovedPaths(paths) => {
                let MovedPaths { was, now } = &mut **paths;
                vec![was, now]
            }
            Self::AllowEmpty
            | Self::MaxPrune { count: _ }
            | Self::Adopt
            | Self::AdoptMembers
            | Self::OtherInventory
            | Self::ForceOrYield
            | Self::ForceProtection
            | Self::NameKubeconfig
            | Self::CorrectKubeconfig
            | Self::CheckCluster
            | Self::CheckTimeout
            | Self::AskForRight
            | Self::SandboxWebhooks
            | Self::WaitForLock
            | Self::DoWithoutStrict
            | Self::ApplyFirst
            | Self::Enforce
            | Self::OutsideWindows
            | Self::ChooseCheckout => Vec::new(),
        }
    }
}

impl From<String> for Remedy {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Remedy {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
