//! Why a pull could not be done, or was refused, and what to do about it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::core::source::snapshot::short;
use crate::git::{Cause, Error};

use super::fetch_hint::fetch_hint;

/// Why a pull did not bring the branch to its upstream.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// Something about the checkout itself.
    #[error(transparent)]
    Checkout(#[from] Error),
    /// Local work is where the update would write.
    #[error("the update would overwrite local work: {}", listed(.0))]
    Dirty(Vec<Obstacle>),
    /// Both sides have commits that the other has not.
    #[error(
        "`{branch}` and `{upstream}` have diverged: {ahead} only here, {behind} only there",
        ahead = commits(*.ahead), behind = commits(*.behind)
    )]
    Diverged {
        /// The branch's short name.
        branch: String,
        /// The upstream branch.
        upstream: String,
        /// Commits that only the branch has.
        ahead: usize,
        /// Commits that only the upstream has.
        behind: usize,
    },
    /// The upstream moved to a commit that is not after the branch's, where the branch has no commit of
    /// its own.
    #[error(
        "`{upstream}` was force-pushed from {} to {}: it lacks {} that `{branch}` has from it",
        short(from), short(to), commits(*.lost)
    )]
    ForcePushed {
        /// The branch's short name.
        branch: String,
        /// The upstream branch.
        upstream: String,
        /// The full id of the commit that the upstream was at, and the branch is.
        from: String,
        /// The full id of the commit that it is at now.
        to: String,
        /// Commits that it lacks now.
        lost: usize,
    },
    /// A merge is not finished.
    #[error("`{path}` has an unfinished merge")]
    Unmerged {
        /// The first such path.
        path: String,
    },
    /// An operation of git's is not concluded.
    #[error("a {operation} is in progress")]
    Unfinished {
        /// The command that began it.
        operation: &'static str,
    },
    /// A file or `HEAD` changed while it was being updated.
    #[error("{what} changed during the pull")]
    Moved {
        /// The change.
        what: String,
    },
    /// The checkout is of another repository.
    #[error("{} is a checkout of {has}, not of {wanted}", .directory.display())]
    OtherRemote {
        /// The checkout.
        directory: PathBuf,
        /// The URL it is of, without credentials.
        has: String,
        /// The URL that was asked for, without credentials.
        wanted: String,
    },
    /// Another branch is checked out.
    #[error("branch `{has}` is checked out, not `{wanted}`")]
    OtherBranch {
        /// The branch that is checked out.
        has: String,
        /// The one that was asked for.
        wanted: String,
        /// The remote, where its refspecs leave the branch out and there is none of here.
        unfetched: Option<String>,
    },
    /// There is something that is not a checkout where one should be made.
    #[error("{} is neither empty nor a checkout", .directory.display())]
    NotEmpty {
        /// The folder.
        directory: PathBuf,
    },
    /// `HEAD` is not on a branch.
    #[error("no branch is checked out: HEAD is detached at {}", crate::core::source::snapshot::short(.commit))]
    Detached {
        /// The commit's full id.
        commit: String,
    },
    /// Nothing to fetch from.
    #[error("branch `{branch}` has no remote to pull from")]
    NoRemote {
        /// The branch's short name.
        branch: String,
        /// The remote that is configured for it or would be the default.
        remote: String,
    },
    /// The URL makes no sense.
    #[error("`{url}` is not a URL that git knows")]
    BadUrl {
        /// The URL, without credentials.
        url: String,
        /// git's error.
        source: Cause,
    },
    /// The remote has no commit at all.
    #[error("{url} has no commits yet")]
    EmptyRemote {
        /// The remote's URL, without credentials.
        url: String,
    },
    /// The remote has no such branch, or not any more.
    #[error("{url} has no branch `{branch}`")]
    BranchGone {
        /// The branch on the remote.
        branch: String,
        /// The remote's URL, without credentials.
        url: String,
        /// Branches that it has.
        others: Vec<String>,
    },
    /// The remote's `HEAD` names a branch that is not there.
    #[error("HEAD of {url} names a branch that does not exist")]
    NoHead {
        /// The remote's URL, without credentials.
        url: String,
        /// Branches that it has.
        others: Vec<String>,
    },
    /// The requested ref is a tag, or another ref that no commit is added to.
    #[error("`{name}` of {url} is a tag, not a branch")]
    NotABranch {
        /// The tag.
        name: String,
        /// The remote's URL, without credentials.
        url: String,
    },
    /// The network failed, or the remote refused.
    #[error("cannot fetch from {url}")]
    Fetch {
        /// The remote's URL, without credentials.
        url: String,
        /// git's error.
        source: Cause,
    },
    /// The remote was silent for too long.
    #[error("{url} did not answer within {} s", .after.as_secs_f32())]
    TimedOut {
        /// The remote's URL, without credentials.
        url: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// The remote sends without end.
    #[error("{url} sends more than {bytes} bytes")]
    TooLarge {
        /// The remote's URL, without credentials.
        url: String,
        /// The most that is taken.
        bytes: u64,
    },
    /// Another program works with the index.
    #[error("{} exists: another git process uses the checkout", .lock.display())]
    IndexLocked {
        /// The lock.
        lock: PathBuf,
    },
    /// Another pull takes too long.
    #[error("another pull of {} is still running", .directory.display())]
    Busy {
        /// The checkout.
        directory: PathBuf,
    },
    /// It runs in a hook that may yet refuse what was pushed.
    #[error("a pre-receive hook can't update branches")]
    Quarantined,
    /// The pull failed a while ago, and the same is reported to whoever asks since.
    #[error(transparent)]
    Again(Arc<PullError>),
    /// The user wanted it to stop.
    #[error("interrupted")]
    Interrupted,
    /// The disk or the object database refused.
    #[error("cannot write {what}")]
    Write {
        /// The file being written.
        what: String,
        /// The system's error.
        source: Cause,
    },
}

/// A path with local work that the update would overwrite.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "obstacle"))]
pub struct Obstacle {
    /// Path from the root.
    pub path: String,
    /// The obstacle.
    pub why: WhyObstacle,
}

/// The local work at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "local_work"))]
#[serde(rename_all = "lowercase")]
pub enum WhyObstacle {
    /// Changed, and not staged.
    Modified,
    /// Changed in the index.
    Staged,
    /// Not known to git, ignored or not.
    Untracked,
}

impl PullError {
    /// Makes a failed write of `what` into an error.
    pub(super) fn write<E: std::error::Error + 'static>(
        what: impl Into<String>,
    ) -> impl FnOnce(E) -> Self {
        let what = what.into();
        move |error| Self::Write { what, source: Cause::of(&error) }
    }

    /// Whether everything worked and the pull was refused, to save local work.
    pub fn is_refusal(&self) -> bool {
        if let Self::Again(error) = self {
            return error.is_refusal();
        }
        matches!(
            self,
            Self::Dirty(_)
                | Self::Diverged { .. }
                | Self::ForcePushed { .. }
                | Self::Unmerged { .. }
                | Self::Unfinished { .. }
                | Self::Moved { .. }
        )
    }

    /// Whether the remote failed, or did not answer.
    pub fn is_of_remote(&self) -> bool {
        match self {
            Self::Again(error) => error.is_of_remote(),
            _ => matches!(self, Self::Fetch { .. } | Self::TimedOut { .. } | Self::TooLarge { .. }),
        }
    }

    /// The remedy.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Again(error) => return error.hint(),
            Self::Checkout(error) => return error.hint(),
            Self::Dirty(obstacles) => {
                match obstacles.iter().all(|obstacle| obstacle.why == WhyObstacle::Untracked) {
                    true => "move or delete what is in the way, then pull again".into(),
                    false => {
                        "commit it, or set it aside with `git stash -u`, then pull again".into()
                    }
                }
            }
            Self::Diverged { upstream, .. } => format!(
                "keep the commits of here with `git rebase {upstream}`, or drop them with \
                 `git reset --hard {upstream}`"
            ),
            Self::ForcePushed { branch, .. } => format!(
                "`{branch}` stays where it is; if the remote is right, follow it with `trueup pull --allow-rewind`"
            ),
            Self::Unmerged { .. } => "finish it with `git commit`, or undo it with `git merge \
                                      --abort`"
                .into(),
            Self::Unfinished { operation } => format!(
                "conclude it with `git {operation} --continue`, or undo it with `git {operation} --abort`"
            ),
            Self::Moved { .. } => "pull again".into(),
            Self::OtherRemote { .. } => {
                "name another folder with -C DIR, or change the checkout's remote with \
                 `git remote set-url`"
                    .into()
            }
            Self::OtherBranch { wanted, unfetched: None, .. } => {
                format!("switch with `git switch {wanted}`")
            }
            Self::OtherBranch { wanted, unfetched: Some(remote), .. } => format!(
                "it has not been fetched yet: `git remote set-branches --add {remote} {wanted} && \
                git \
                 fetch {remote} {wanted} && git switch {wanted}`"
            ),
            Self::NotEmpty { .. } => "name a folder that is empty or does not exist yet".into(),
            Self::Detached { .. } => "check a branch out with `git switch BRANCH`".into(),
            Self::NoRemote { branch, remote } => format!(
                "add one with `git remote add {remote} URL`, or choose with `git branch \
                 --set-upstream-to=REMOTE/BRANCH {branch}`"
            ),
            Self::EmptyRemote { .. } => "push a commit to it first".into(),
            Self::NotABranch { .. } => {
                "only branches can be pulled: clone one with --branch BRANCH; to apply a tag, run \
                `git fetch origin tag TAG` and use --rev TAG"
                    .into()
            }
            Self::NoHead { others, .. } => {
                format!("choose one with --branch: it has {}", quoted(others))
            }
            Self::BranchGone { others, .. } if !others.is_empty() => format!(
                "it has {}; choose with --branch when cloning, or with `git switch`",
                quoted(others)
            ),
            Self::Fetch { url, source } => return Some(fetch_hint(url, source)),
            Self::TimedOut { .. } => "try again, or wait longer with --pull-timeout TIME".into(),
            Self::TooLarge { .. } => {
                "if it is that large, clone it with git, or give the manifests a repository of \
                 their own"
                    .into()
            }
            Self::IndexLocked { lock } => format!(
                "let it finish; if no git is running here, remove {} and pull again",
                lock.display()
            ),
            Self::Busy { .. } => "let it finish, or wait longer with --pull-timeout TIME".into(),
            Self::Quarantined => "pull from a post-receive hook, or outside of one".into(),
            Self::BadUrl { .. }
            | Self::BranchGone { .. }
            | Self::Interrupted
            | Self::Write { .. } => return None,
        })
    }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn commits(count: usize) -> String {
    format!("{count} commit{}", if count == 1 { "" } else { "s" })
}

const NAMED: usize = 12;

fn listed(obstacles: &[Obstacle]) -> String {
    let mut names: Vec<String> = obstacles
        .iter()
        .take(NAMED)
        .map(|Obstacle { path, why }| match why {
            WhyObstacle::Modified => format!("`{path}` (changed)"),
            WhyObstacle::Staged => format!("`{path}` (staged)"),
            WhyObstacle::Untracked => format!("`{path}` (untracked)"),
        })
        .collect();
    if obstacles.len() > NAMED {
        names.push(format!("and {} more", obstacles.len() - NAMED));
    }
    names.join(", ")
}
