//! What can go wrong between trueup and a repository, and what to do about it.
//!
//! A [`PullError`](super::pull::PullError) is about bringing commits in; this is about reading.

use std::path::PathBuf;

use super::cause::Cause;
use crate::snapshot::{WhySkipped, short};

/// Why something could not be read from a checkout.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No repository here or above.
    #[error("{} is not in a git repository", .dir.display())]
    NotARepository {
        /// Where the search began.
        dir: PathBuf,
    },
    /// There is a repository, and it can't be opened.
    #[error("cannot open the repository of {}", .dir.display())]
    Open {
        /// Where the search began.
        dir: PathBuf,
        /// What git says.
        source: Cause,
    },
    /// A path argument that points out of the checkout.
    #[error("{} is outside the checkout {}", .path.display(), .root.display())]
    Outside {
        /// The argument.
        path: PathBuf,
        /// The checkout's root.
        root: PathBuf,
    },
    /// A path argument that no `String` can hold.
    #[error("{} is not UTF-8", .path.display())]
    NotUtf8 {
        /// The argument.
        path: PathBuf,
    },
    /// `HEAD` is on a branch that has no commit.
    #[error("branch `{branch}` has no commit yet")]
    Unborn {
        /// The branch's short name.
        branch: String,
    },
    /// Nothing has this name.
    #[error("there is no revision `{rev}`")]
    UnknownRevision {
        /// What the user wrote.
        rev: String,
        /// Branches and tags with names like it.
        near: Vec<String>,
        /// What git says.
        source: Cause,
    },
    /// The commit has no such path.
    #[error("there is no `{path}` in commit {}", short(.commit))]
    UnknownPath {
        /// Path from the root.
        path: String,
        /// The commit's full id.
        commit: String,
        /// Paths like it that exist.
        near: Vec<String>,
    },
    /// The path is a symbolic link or a submodule.
    #[error("`{path}` is a {kind} in commit {}", short(.commit))]
    NotFiles {
        /// Path from the root.
        path: String,
        /// `symbolic link` or `submodule`.
        kind: &'static str,
        /// The commit's full id.
        commit: String,
    },
    /// A file that settles what the others mean, and can't be one.
    #[error("`{path}` {why}")]
    Unread {
        /// Path from the root.
        path: String,
        /// Why it is not read.
        why: WhySkipped,
    },
    /// History ends before the first commit, so the repository's identity is unknown.
    #[error("the checkout is shallow: its first commit is not here")]
    Shallow,
    /// Something needs a work tree.
    #[error("{} is a bare repository: it has no work tree", .root.display())]
    Bare {
        /// The repository.
        root: PathBuf,
    },
    /// The repository could not be read.
    #[error("cannot read {what}")]
    Read {
        /// What was being read.
        what: String,
        /// What git says.
        source: Cause,
    },
}

impl Error {
    /// Makes a failed read of `what` into an error.
    pub(super) fn read<E: std::error::Error + 'static>(
        what: impl Into<String>,
    ) -> impl FnOnce(E) -> Self {
        let what = what.into();
        move |error| Self::Read { what, source: Cause::of(&error) }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotARepository { .. } => {
                "name the checkout with -C DIR, or make it: trueup pull -C DIR --url URL".into()
            }
            Self::Outside { root, .. } => {
                format!("paths are folders and files of the checkout {}", root.display())
            }
            Self::Unborn { .. } => {
                "bring commits in with `trueup pull`, or commit something".into()
            }
            Self::UnknownRevision { near, .. } if !near.is_empty() => {
                format!("did you mean {}?", listed(near))
            }
            Self::UnknownRevision { .. } => {
                "revisions are branches, tags and commit ids that are here; `trueup pull` fetches \
                 new ones"
                    .into()
            }
            Self::UnknownPath { near, .. } if !near.is_empty() => {
                format!("did you mean {}?", listed(near))
            }
            Self::UnknownPath { .. } => {
                "only what is committed counts; commit it, or use --worktree".into()
            }
            Self::NotFiles { .. } => "name the folder that the manifests are in".into(),
            Self::Unread { why, .. } => why.hint().into(),
            Self::Shallow => "fetch all of its history: git fetch --unshallow".into(),
            Self::Bare { .. } => "leave --worktree out: the commit's files are read".into(),
            Self::NotUtf8 { .. } | Self::Open { .. } | Self::Read { .. } => return None,
        })
    }
}

fn listed(names: &[String]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(" or ")
}
