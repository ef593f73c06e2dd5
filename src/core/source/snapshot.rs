//! A [`Revision`] and the files it holds: what git hands to the rest of the house.
//!
//! Plain data. How it is read from a repository is [`crate::git`]'s business.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

/// The most bytes that a file may have. No manifest is this large: an object of more than 3 MiB
/// can't be stored in a cluster, and a file may hold many.
pub const LARGEST: u64 = 64 << 20;

/// The id of no commit.
const NO_COMMIT: &str = "0000000000000000000000000000000000000000";

/// A commit, and what named it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Revision {
    /// The commit's full id in hexadecimal.
    pub commit: String,
    /// The name that was given: a branch, a tag, `HEAD`, or any other revision.
    pub named: String,
    /// The first line of the commit's message.
    pub summary: String,
    /// The author of the change.
    pub author: String,
    /// When it was committed.
    pub time: Timestamp,
    /// Whether the files differ from the commit's, as they may when read from the work tree.
    pub dirty: bool,
    /// The branch or tag that led to it, where a target tracks one.
    #[serde(skip)]
    pub tracked: Option<String>,
}

impl Revision {
    /// The commit's id as people read it: seven digits.
    pub fn short(&self) -> &str {
        short(&self.commit)
    }

    /// The commit with the tracked ref that led to it: `v1.4.2 (abc1234)`.
    pub fn shown(&self) -> String {
        shown(self.short(), self.tracked.as_deref())
    }

    /// The revision of a work tree before the first commit of its branch: the id that git writes
    /// for no object.
    pub(crate) fn unborn(branch: String) -> Self {
        Self {
            commit: NO_COMMIT.to_owned(),
            named: branch,
            summary: String::new(),
            author: String::new(),
            time: Timestamp::UNIX_EPOCH,
            dirty: true,
            tracked: None,
        }
    }

    /// Whether there is no commit yet.
    pub(crate) fn is_unborn(&self) -> bool {
        self.commit == NO_COMMIT
    }
}

/// The author of something, in which commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "authorship"))]
pub struct Authorship {
    /// The commit's full id in hexadecimal.
    pub commit: String,
    /// The author of the change.
    pub author: String,
    /// When it was committed.
    pub time: Timestamp,
}

/// A shortened id with the tracked ref that led to it.
pub fn shown(short: &str, tracked: Option<&str>) -> String {
    match tracked {
        Some(name) => format!("{name} ({short})"),
        None => short.to_owned(),
    }
}

/// An id as people read it: seven digits.
pub fn short(commit: &str) -> &str {
    commit.get(..7).unwrap_or(commit)
}

/// Files of one revision, all read at once, so that nothing can change under the reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Where the files are from.
    pub revision: Revision,
    /// Content by path from the checkout's root, with `/` between the parts.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Requested paths that are not among the files.
    pub skipped: Vec<Skipped>,
    /// Links and submodules that were not asked for by their names and may be in place of folders:
    /// what is behind them is unknown.
    pub barred: Vec<Skipped>,
}

/// Where `reference`, written in `folder`, leads; `None` when that is outside the checkout.
pub fn resolve(folder: &str, reference: &str) -> Option<String> {
    if reference.starts_with(['/', '\\']) {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in reference.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// A path that was asked for and can't be one of the files.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    /// Path from the checkout's root; bytes that are not UTF-8 are replaced.
    pub path: String,
    /// Why it was skipped.
    pub why: WhySkipped,
}

/// Why a path is not among the files of a [`Snapshot`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WhySkipped {
    /// A symbolic link, which is never followed.
    Symlink,
    /// A submodule, whose files belong to another repository.
    Submodule,
    /// The path is not UTF-8, so nothing could name it.
    NotUtf8,
    /// The file is larger than [`LARGEST`].
    TooLarge {
        /// Its size.
        bytes: u64,
    },
    /// A folder above it in the work tree is a symbolic link.
    BehindSymlink,
    /// Neither a file nor a folder: a device, a pipe, a socket.
    Special,
}

impl fmt::Display for WhySkipped {
    /// The message about the path.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Symlink => f.write_str("is a symbolic link, which is never followed"),
            Self::Submodule => f.write_str("is a submodule, whose files are another repository's"),
            Self::NotUtf8 => f.write_str("has a path that is not UTF-8"),
            Self::TooLarge { bytes } => {
                write!(f, "has {} MiB; the limit is {} MiB", bytes >> 20, LARGEST >> 20)
            }
            Self::BehindSymlink => {
                f.write_str("is behind a symbolic link, which is never followed")
            }
            Self::Special => f.write_str("is a device, a pipe or a socket, which is never read"),
        }
    }
}

impl WhySkipped {
    /// The change that makes it a readable file.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Symlink => "commit a copy of its target",
            Self::Submodule => "put a copy of its files into the repository",
            Self::NotUtf8 => "give it another name",
            Self::TooLarge { .. } => "split it into several files",
            Self::BehindSymlink => "make the link above it a folder again",
            Self::Special => "put a file there",
        }
    }
}
