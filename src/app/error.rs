//! Why a target could not be surveyed or carried out.

use std::collections::BTreeSet;

use super::trust::TrustError;
use super::{DeclaredPath, Target};
use crate::cluster::ApiError;
use crate::config;
use crate::core::inventory::ParentError;
use crate::core::lease::Holder;
use crate::core::modes::{Hold, HoldCause};
use crate::core::problem::Problem;
use crate::core::redact::MaskedProblem;
use crate::core::remedy::{MovedPaths, Remedy};
use crate::core::right_cluster::WrongCluster;
use crate::core::source::snapshot::short;
use crate::git;
use crate::local::schema_folder::SchemaFileError;

/// Why a target could not be surveyed or carried out. Nothing was deleted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Git could not be read.
    #[error(transparent)]
    Git(#[from] git::Error),
    /// The commit or the work tree lacks a path that `trueup.yaml` declares.
    #[error("{}:{}:{}: {}'s path {path} is not in {}", config::FILE, .at.line, .at.column, .at.target, .commit.as_deref().map_or("the work tree", short))]
    NoDeclaredPath {
        /// Where it is declared.
        at: DeclaredPath,
        /// The path from the root.
        path: String,
        /// The commit's full id; `None` for the work tree.
        commit: Option<String>,
        /// Paths like it that exist.
        near: Vec<String>,
    },
    /// No commit may be applied.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The API server does not answer, or refuses what nothing can be done without.
    #[error("cannot {attempt}")]
    Api {
        /// The failed attempt, after "cannot".
        attempt: &'static str,
        /// Its error.
        source: ApiError,
    },
    /// The inventory's parent is not ours.
    #[error(transparent)]
    Parent(#[from] ParentError),
    /// The inventory's namespace is not there, and not in the commit either.
    #[error("namespace {0}, where the inventory is kept, does not exist")]
    NoNamespace(String),
    /// The inventory belongs to another repository.
    #[error("the inventory {name} belongs to another repository, whose first commit is {other}")]
    OtherRepository {
        /// The inventory's name.
        name: String,
        /// Id of that repository's first commit.
        other: String,
        /// Whether the checkout is shallow, so that this may be the same one all the same.
        shallow: bool,
    },
    /// The inventory belongs to other paths of this repository.
    #[error("the inventory {name} was made from {was}, not from {now}{}", of_target(.target.as_deref()))]
    OtherPaths {
        /// The inventory's name.
        name: String,
        /// The recorded paths.
        was: String,
        /// The target's paths.
        now: String,
        /// The target of `trueup.yaml` that it was made for, where it is another one.
        target: Option<String>,
    },
    /// A flag or `trueup.yaml` names a kind that there is not.
    #[error("{by} {name}: unknown kind")]
    UnknownKind {
        /// The flag, or the key with its place.
        by: String,
        /// The given name.
        name: String,
        /// Kinds with such a name.
        near: Vec<String>,
    },
    /// Another run is writing.
    #[error("the inventory {inventory} is locked by {by}")]
    Locked {
        /// The inventory's name.
        inventory: String,
        /// The holder of the lock.
        by: Holder,
    },
    /// The lock was lost while it was needed.
    #[error("lost the lock to {0}")]
    Lost(String),
    /// A newer commit came while another run was writing.
    #[error("gave up waiting for the lock: {} has arrived", short(.0))]
    Superseded(String),
    /// The target is held, so that nothing is written.
    #[error("{target} is {}; nothing was written", .hold.words())]
    Held {
        /// The target's name.
        target: String,
        /// Why, and until when.
        hold: Box<Hold>,
    },
    /// The target has no inventory yet, which could hold it.
    #[error("{target} was not applied to this cluster yet, so that there is no inventory to mark")]
    NoInventory {
        /// The target's name.
        target: String,
    },
    /// The commit that was to be taken back is not the one that is there any more.
    #[error("{} was applied meanwhile", .0.as_deref().map_or("another commit", short))]
    Overtaken(Option<String>),
    /// A signal came before anything was written.
    #[error("interrupted")]
    Stopped,
    /// Not one object could be read.
    #[error("none of the manifests can be used")]
    Unusable {
        /// The problem of each.
        problems: Vec<MaskedProblem>,
    },
    /// Something is wrong in the commit, and nothing may be.
    #[error("the commit is refused as a whole: not all of its manifests can be used")]
    Strict {
        /// The problem of each.
        problems: Vec<MaskedProblem>,
    },
    /// A file with a schema can't be read or written.
    #[error(transparent)]
    Schemas(#[from] SchemaFileError),
    /// An ignore file can't be read.
    #[error("{}: {}", .0.place, .0.message)]
    Ignore(Problem),
    /// The cluster is not the target's.
    #[error(transparent)]
    WrongCluster(#[from] Box<WrongCluster>),
    /// A task of our own ended without an answer.
    #[error("reading the manifests was cut short")]
    Task(#[from] tokio::task::JoinError),
}

impl Error {
    /// The same, with the place in `trueup.yaml` where it is about a path of `target` that stands
    /// there.
    pub(super) fn of_a_declared_path(self, target: &Target) -> Self {
        match self {
            Self::Git(git::Error::UnknownPath { path, commit, mut near }) => {
                match target.paths_at.get(&path) {
                    Some(at) => {
                        // The path of another target is not what was meant.
                        let others = target.others.values().flat_map(|other| &other.paths);
                        let taken: BTreeSet<&String> = others.chain(&target.paths).collect();
                        near.retain(|near| !taken.contains(near));
                        Self::NoDeclaredPath { at: at.clone(), path, commit, near }
                    }
                    None => git::Error::UnknownPath { path, commit, near }.into(),
                }
            }
            other => other,
        }
    }

    /// The problems of the manifests, where they are the error.
    pub fn problems(&self) -> &[MaskedProblem] {
        match self {
            Self::Unusable { problems } | Self::Strict { problems } => problems,
            _ => &[],
        }
    }

    /// The remedy.
    pub fn hint(&self) -> Option<Remedy> {
        match self {
            Self::Git(error) => error.hint().map(Remedy::Text),
            Self::NoDeclaredPath { near, commit, at, .. } => {
                Some(hint_of_declared_path(near, commit.is_some(), &at.target).into())
            }
            Self::Trust(error) => error.hint().map(Remedy::Text),
            Self::Api { source, .. } => source.hint(),
            Self::Parent(error) => Some(error.hint()),
            Self::NoNamespace(name) => Some(Remedy::CreateNamespace { name: name.clone() }),
            Self::OtherRepository { shallow: true, .. } => Some(
                "this checkout is shallow, so its repository is unknown: fetch its whole history (git fetch --unshallow; fetch-depth: 0 in a CI checkout)".into(),
            ),
            Self::OtherRepository { .. } => Some(Remedy::OtherInventory),
            Self::OtherPaths { target: Some(target), .. } => {
                Some(Remedy::ChooseTarget { target: target.clone() })
            }
            Self::OtherPaths { was, now, .. } => {
                let paths = MovedPaths { was: was.clone(), now: now.clone() };
                Some(Remedy::MovedPaths(Box::new(paths)))
            }
            Self::UnknownKind { near, .. } if near.is_empty() => {
                Some("see the KIND column of kubectl api-resources".into())
            }
            Self::UnknownKind { near, .. } => {
                Some(format!("did you mean {}?", near.join(" or ")).into())
            }
            Self::Locked { .. } => Some(Remedy::WaitForLock),
            Self::Held { target, hold } => Some(remedy_of(target, hold)),
            Self::NoInventory { .. } => Some(Remedy::ApplyFirst),
            Self::Lost(_) => Some("run it again once the other run has ended".into()),
            Self::Ignore(problem) => problem.hint.clone().map(Remedy::Text),
            Self::Strict { .. } => Some(Remedy::DoWithoutStrict),
            Self::WrongCluster(wrong) => Some(wrong.hint()),
            Self::Unusable { .. }
            | Self::Stopped
            | Self::Schemas(_)
            | Self::Superseded(_)
            | Self::Overtaken(_)
            | Self::Task(_) => None,
        }
    }
}

/// The remedy for a target that is held.
fn remedy_of(target: &str, hold: &Hold) -> Remedy {
    let target = target.to_owned();
    match &hold.cause {
        HoldCause::Suspended(_) | HoldCause::Unreadable(_) => Remedy::Resume { target },
        HoldCause::Detect => Remedy::Enforce,
        HoldCause::Closed { .. } => Remedy::OutsideWindows,
        HoldCause::Unreleased { commit: None, .. } => Remedy::Enforce,
        HoldCause::Unreleased { .. } => Remedy::Release { target },
    }
}

/// The remedy for a path that is not there. A commit may have lost the folder for good.
fn hint_of_declared_path(near: &[String], is_commit: bool, target: &str) -> String {
    let file = config::FILE;
    let hint = match (near, is_commit) {
        ([near], _) => format!("did you mean {near}? correct it in {file}"),
        ([_, ..], _) => format!("did you mean {}? correct it in {file}", near.join(" or ")),
        ([], true) => {
            format!("correct it in {file}; if it is not committed yet, commit it or use --worktree")
        }
        ([], false) => format!("correct it in {file}; files that git ignores are not read"),
    };
    if !is_commit {
        return hint;
    }
    format!(
        "{hint}; if the folder was removed for good, remove target {target} from {file}, then take it \
        down: trueup apply --removed {target}"
    )
}

/// The owning target, where it is another one of `trueup.yaml`.
fn of_target(target: Option<&str>) -> String {
    target.map(|target| format!(": it belongs to target {target}")).unwrap_or_default()
}
