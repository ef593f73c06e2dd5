//! Errors between trueup and a repository, and their remedies.
//!
//! A [`PullError`](super::pull::PullError) is about bringing commits in; this is about reading.

use std::fmt;
use std::path::PathBuf;

use super::cause::Cause;
use super::tracked_fault::TrackedFault;
use super::tree_fault::TreeFault;
use crate::core::source::snapshot::{WhySkipped, short};

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
        /// git's error.
        source: Cause,
    },
    /// The repository has a format that is not known.
    #[error("the repository of {} uses {what}, which trueup does not support", .dir.display())]
    Format {
        /// Where the search began.
        dir: PathBuf,
        /// The unknown format.
        what: String,
    },
    /// A configuration file of git can't be read.
    #[error("cannot read the configuration {}", .path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// git's error.
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
    #[error("unknown revision `{rev}`")]
    UnknownRevision {
        /// The given revision.
        rev: String,
        /// Branches and tags with names like it.
        near: Vec<String>,
        /// git's error.
        source: Cause,
    },
    /// Several commits where one is wanted.
    #[error("`{rev}` is a range of commits, and one commit is wanted")]
    Range {
        /// The given revision.
        rev: String,
    },
    /// The commit or the work tree has no such path.
    #[error("`{path}` does not exist in {}", commit_or_work_tree(.commit.as_deref()))]
    UnknownPath {
        /// Path from the root.
        path: String,
        /// The commit's full id; `None` for the work tree.
        commit: Option<String>,
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
    /// A tree object that git would refuse, written by an attacker or a broken tool.
    #[error("`{path}` in commit {} {fault}", short(.commit))]
    Unsound {
        /// Path from the root, with nothing in it that a terminal would obey.
        path: String,
        /// The commit's full id.
        commit: String,
        /// The fault.
        fault: TreeFault,
    },
    /// The index has a path that no tree may have.
    #[error("`{path}` in the index {fault}")]
    UnsoundIndex {
        /// Path from the root, with nothing in it that a terminal would obey.
        path: String,
        /// The fault.
        fault: TreeFault,
    },
    /// More than is read of any commit.
    #[error("commit {} has {excess}{}", short(.commit), at(.path))]
    TooMuch {
        /// Where the limit was reached.
        path: String,
        /// The commit's full id.
        commit: String,
        /// Which limit.
        excess: LimitExceeded,
    },
    /// The repository is another user's, and nothing says that it may be used.
    #[error("detected dubious ownership in repository at '{}'", .root.display())]
    DubiousOwnership {
        /// The work tree, or the git directory where there is none.
        root: PathBuf,
    },
    /// `safe.bareRepository` is `explicit`, and nothing named this one.
    #[error("cannot use bare repository '{}' (safe.bareRepository is 'explicit')", .root.display())]
    ImplicitBare {
        /// The repository.
        root: PathBuf,
    },
    /// History ends before the first commit, so the repository's identity is unknown.
    #[error("the checkout is shallow: its first commit is not here")]
    Shallow,
    /// A tracked ref leads to no commit.
    #[error(transparent)]
    Tracked(TrackedFault),
    /// Something needs a work tree.
    #[error("{} is a bare repository: it has no work tree", .root.display())]
    Bare {
        /// The repository.
        root: PathBuf,
    },
    /// An object that a partial clone left at its remote did not come.
    #[error("cannot fetch {objects} file(s) that this partial clone lacks from `{remote}`")]
    Promised {
        /// How many files are missing.
        objects: usize,
        /// The remote's name.
        remote: String,
        /// git's error.
        source: Cause,
    },
    /// A file's filter is a program that the checkout itself names.
    #[error(
        "`{path}` has the filter `{filter}` of the checkout's own configuration, from which trueup \
         runs no program"
    )]
    OwnFilter {
        /// Path from the root.
        path: String,
        /// The filter's name.
        filter: String,
    },
    /// The index could not be read.
    #[error("cannot read the index")]
    Index {
        /// git's error.
        source: Cause,
    },
    /// The repository could not be read.
    #[error("cannot read {what}")]
    Read {
        /// The object being read.
        what: String,
        /// git's error.
        source: Cause,
    },
}

/// The source of files, in words.
fn commit_or_work_tree(commit: Option<&str>) -> String {
    commit.map_or_else(|| "the work tree".to_owned(), |commit| format!("commit {}", short(commit)))
}

impl Error {
    /// Makes a failed read of `what` into an error.
    pub(super) fn read<E: std::error::Error + 'static>(
        what: impl Into<String>,
    ) -> impl FnOnce(E) -> Self {
        let what = what.into();
        move |error| Self::Read { what, source: Cause::of(&error) }
    }

    /// Makes a failed read of the index into an error.
    pub(super) fn index<E: std::error::Error + 'static>(error: E) -> Self {
        Self::Index { source: Cause::of(&error) }
    }

    /// The remedy.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotARepository { .. } => {
                "name the checkout with -C DIR, or make it: trueup pull -C DIR --url URL".into()
            }
            Self::Format { what, .. } if what.contains("reftable") => {
                "let git store them as files: git refs migrate --ref-format=files".into()
            }
            Self::Format { .. } => {
                "clone it to another folder, in a format that trueup supports: trueup \
                                    pull -C DIR --url URL"
                    .into()
            }
            Self::Config { .. } => "see what git says of it: git config --list".into(),
            Self::Outside { root, .. } => {
                format!("paths are folders and files of the checkout {}", root.display())
            }
            Self::Unborn { .. } => "fetch commits with `trueup pull`, or make one".into(),
            Self::UnknownRevision { near, .. } if !near.is_empty() => {
                format!("did you mean {}?", listed(near))
            }
            Self::UnknownRevision { .. } => {
                "revisions are branches, tags and commit ids that are here; `trueup pull` fetches \
                 new ones"
                    .into()
            }
            Self::Range { rev } => {
                let end = rev.rsplit("..").next().unwrap_or_default().trim_start_matches('.');
                let end = if end.is_empty() { "HEAD" } else { end };
                format!("name its last commit alone: {}; `trueup verify` reads ranges", quoted(end))
            }
            Self::UnknownPath { near, .. } if !near.is_empty() => {
                format!("did you mean {}?", listed(near))
            }
            Self::UnknownPath { commit: None, .. } => {
                "name a file or folder that is there; files that git ignores are not read".into()
            }
            Self::UnknownPath { .. } => {
                "only what is committed counts; commit it, or use --worktree".into()
            }
            Self::NotFiles { .. } => "name the folder that the manifests are in".into(),
            Self::Unread { why, .. } => why.hint().into(),
            Self::Unsound { .. } => {
                "git refuses such a tree too, as `git fsck` shows: read another \
                                     commit with --rev, and let the server check what is pushed \
                                     to it (receive.fsckObjects)"
                    .into()
            }
            Self::UnsoundIndex { .. } => "recreate the index: git reset".into(),
            Self::TooMuch { excess, .. } => excess.measure.hint().into(),
            Self::DubiousOwnership { root } => format!(
                "to add an exception for this directory, call: git config --global --add \
                 safe.directory {}",
                quoted(&root.to_string_lossy())
            ),
            Self::ImplicitBare { .. } => {
                "allow it: git config --global safe.bareRepository all".into()
            }
            Self::Promised { remote, .. } => format!(
                "bring all of it in where the remote can be reached: git fetch --refetch --no-filter {remote}"
            ),
            Self::OwnFilter { filter, .. } => format!(
                "define filter.{filter} in your own configuration (git config --global), as \
                 `git lfs install` does"
            ),
            Self::Index { .. } => {
                "recreate it from the commit: rm \"$(git rev-parse --git-path index)\" && git reset"
                    .into()
            }
            Self::Tracked(fault) => fault.hint(),
            Self::Shallow => "fetch all of its history: git fetch --unshallow".into(),
            Self::Bare { .. } => "leave --worktree out: the commit's files are read".into(),
            Self::NotUtf8 { .. } | Self::Open { .. } | Self::Read { .. } => return None,
        })
    }
}

/// A limit of [`RepositoryLimits`](super::RepositoryLimits) that was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitExceeded {
    /// The measure.
    pub measure: LimitKind,
    /// The most that is read.
    pub limit: u64,
}

/// A measure of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitKind {
    /// Files and folders.
    Entries,
    /// The bytes of all paths.
    PathBytes,
    /// The bytes of one path.
    Path,
    /// Folders within each other.
    Depth,
    /// The bytes of one tree object.
    TreeBytes,
    /// The bytes of a commit object.
    CommitBytes,
    /// The bytes of all files.
    Content,
}

impl fmt::Display for LimitExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limit = self.limit;
        match self.measure {
            LimitKind::Entries => write!(f, "more than {limit} files and folders"),
            LimitKind::PathBytes => write!(f, "paths of more than {limit} bytes in all"),
            LimitKind::Path => write!(f, "a path of more than {limit} bytes"),
            LimitKind::Depth => write!(f, "more than {limit} folders within each other"),
            LimitKind::TreeBytes => write!(f, "a folder whose listing has more than {limit} bytes"),
            LimitKind::CommitBytes => {
                write!(f, "a message, author and signature of more than {limit} bytes")
            }
            LimitKind::Content => write!(f, "files of more than {limit} bytes in all"),
        }
    }
}

impl LimitKind {
    fn hint(self) -> &'static str {
        match self {
            Self::Entries | Self::PathBytes | Self::Content => {
                "so many are not written by hand: name the folder that the manifests are in, or find \
                 out who pushed this commit"
            }
            Self::Path | Self::Depth | Self::TreeBytes | Self::CommitBytes => {
                "this is not written by hand: find out who pushed this commit, and read another \
                 with --rev"
            }
        }
    }
}

/// Where a limit was reached, as the end of a sentence.
fn at(path: &str) -> String {
    /// As much of a path as finds the place.
    const SHOWN: usize = 120;
    match path.char_indices().nth(SHOWN) {
        _ if path.is_empty() => String::new(),
        Some((end, _)) => format!(", reached at `{}…`", &path[..end]),
        None => format!(", reached at `{path}`"),
    }
}

/// `text` as a shell takes it for one word.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "+,-./:=@_^".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

fn listed(names: &[String]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(" or ")
}
