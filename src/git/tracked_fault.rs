//! The reasons for which a tracked ref leads to no commit.

use crate::core::source::snapshot::short;

/// Why a tracked ref leads to no commit.
#[derive(Debug, thiserror::Error)]
pub enum TrackedFault {
    /// A branch and a tag have the name.
    #[error("`{name}` is both a branch and a tag")]
    Ambiguous {
        /// The name.
        name: String,
    },
    /// No branch and no tag has it.
    #[error("the checkout has no branch and no tag `{name}`")]
    Unknown {
        /// The name.
        name: String,
        /// Names that are like it.
        near: Vec<String>,
    },
    /// The commit is not here.
    #[error("the checkout has no commit {}", short(.commit))]
    NoCommit {
        /// Its full id.
        commit: String,
    },
    /// No tag is in the range.
    #[error(
        "no tag `{prefix}*` is a version in the range {range}{}",
        .newest.as_ref().map(|newest| format!("; the newest version is {newest}")).unwrap_or_default()
    )]
    NoTag {
        /// The beginning of the tags.
        prefix: String,
        /// The range.
        range: String,
        /// The tag with the newest version of all.
        newest: Option<String>,
    },
}

impl TrackedFault {
    /// Whether no pull mends it: a branch and a tag of one name, and a commit, which no pull asks for.
    pub fn is_for_a_person(&self) -> bool {
        matches!(self, Self::Ambiguous { .. } | Self::NoCommit { .. })
    }

    /// The remedy.
    pub(super) fn hint(&self) -> String {
        match self {
            Self::Ambiguous { name } => {
                format!("write refs/heads/{name} or refs/tags/{name} in trueup.yaml")
            }
            Self::Unknown { near, .. } if !near.is_empty() => {
                let near: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
                format!("did you mean {}?", near.join(" or "))
            }
            Self::Unknown { .. } | Self::NoTag { .. } => {
                "`trueup pull` fetches the refs that the targets of trueup.yaml track".to_owned()
            }
            Self::NoCommit { commit } => {
                format!("fetch a branch that has it, or the commit: git fetch origin {commit}")
            }
        }
    }
}
