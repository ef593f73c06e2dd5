//! Which tree objects are sound: the one place that decides which names a folder may hold.
//!
//! git checks this when it writes its index and when a server checks what is pushed. Neither has
//! seen an object that a server without these checks handed out, so every reader asks here.

use std::fmt;

use gix::bstr::{BStr, ByteSlice};
use gix::objs::tree::{EntryKind, EntryMode, EntryRef};
use gix::validate::path::component;

/// Why a tree object is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeFault {
    /// A name without a character.
    Empty,
    /// `.` or `..`.
    Relative,
    /// A name that holds `/`, `\` or NUL.
    Separator,
    /// `.git`, in a spelling that some file system takes for it.
    GitFolder,
    /// A symbolic link called `.gitmodules`.
    LinkedModules,
    /// Two entries of one name.
    Twice,
    /// Entries that are not in git's order, so that lookups miss some.
    Order,
    /// Neither a file, a folder, a symbolic link nor a submodule.
    Mode(u16),
    /// Bytes that are not a tree object.
    Malformed,
    /// The entry says folder or file, and the object is something else.
    Kind,
}

impl fmt::Display for TreeFault {
    /// The fault, as the end of a sentence about the entry.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("has an empty name"),
            Self::Relative => f.write_str("has a name that leads to another folder"),
            Self::Separator => f.write_str("has a name with a path separator in it"),
            Self::GitFolder => f.write_str("has a name that stands for the git directory"),
            Self::LinkedModules => f.write_str("is a symbolic link, which .gitmodules must not be"),
            Self::Twice => f.write_str("is in its folder twice"),
            Self::Order => f.write_str("is not where git's order puts it"),
            Self::Mode(mode) => write!(f, "has the mode {mode:o}, which git does not know"),
            Self::Malformed => f.write_str("is a folder whose object is malformed"),
            Self::Kind => f.write_str("leads to an object of another kind than the entry says"),
        }
    }
}

/// Checks the entries of one tree object; the index of the one that is at fault comes with it.
pub(super) fn check(entries: &[EntryRef<'_>]) -> Result<(), (usize, TreeFault)> {
    for (at, entry) in entries.iter().enumerate() {
        check_name(entry.filename, entry.mode.kind()).map_err(|fault| (at, fault))?;
        if !is_known(entry.mode) {
            return Err((at, TreeFault::Mode(entry.mode.value())));
        }
    }
    for (at, pair) in entries.windows(2).enumerate() {
        match pair[0].cmp(&pair[1]) {
            std::cmp::Ordering::Less => {}
            std::cmp::Ordering::Equal => return Err((at + 1, TreeFault::Twice)),
            std::cmp::Ordering::Greater => return Err((at + 1, TreeFault::Order)),
        }
    }
    // A file and a folder of one name are not neighbours: `a`, `a.b`, `a/`.
    for (at, entry) in entries.iter().enumerate().filter(|(_, entry)| entry.mode.is_tree()) {
        let file = EntryRef { mode: EntryKind::Blob.into(), ..*entry };
        if entries.binary_search(&file).is_ok() {
            return Err((at, TreeFault::Twice));
        }
    }
    Ok(())
}

/// Whether an entry of a tree, or one part of a path, may have this name. On every system the rules
/// of all of them hold: what is applied from here may be checked out there.
pub(super) fn check_name(name: &BStr, kind: EntryKind) -> Result<(), TreeFault> {
    if name.find_byteset(b"/\\\0").is_some() {
        return Err(TreeFault::Separator);
    }
    let options =
        component::Options { protect_windows: false, protect_hfs: true, protect_ntfs: true };
    let mode = (kind == EntryKind::Link).then_some(component::Mode::Symlink);
    match gix::validate::path::component(name, mode, options) {
        Ok(_) => Ok(()),
        Err(component::Error::Empty) => Err(TreeFault::Empty),
        Err(component::Error::Relative) => Err(TreeFault::Relative),
        Err(component::Error::DotGitDir) => Err(TreeFault::GitFolder),
        Err(component::Error::SymlinkedGitModules) => Err(TreeFault::LinkedModules),
        Err(_) => Err(TreeFault::Separator),
    }
}

/// Whether every part of `path`, as an index has it, may be in a tree.
pub(super) fn check_path(path: &BStr) -> Result<(), TreeFault> {
    path.split_str("/").try_for_each(|part| check_name(part.as_bstr(), EntryKind::Blob))
}

/// Whether git knows the mode. Permissions of files differ in old repositories and mean nothing.
fn is_known(mode: EntryMode) -> bool {
    matches!(mode.value() & 0o170_000, 0o040_000 | 0o100_000 | 0o120_000 | 0o160_000)
}

/// `path` as a message may show it: what a terminal would obey is spelled out.
pub(super) fn inert(path: &BStr) -> String {
    let mut shown = String::with_capacity(path.len());
    for character in path.to_str_lossy().chars() {
        match is_plain(character) {
            true => shown.push(character),
            false => shown.extend(character.escape_unicode()),
        }
    }
    shown
}

/// Whether a character shows as itself and moves nothing around it.
fn is_plain(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn blob_name(name: &[u8]) -> Result<(), TreeFault> {
        check_name(name.as_bstr(), EntryKind::Blob)
    }

    #[test]
    fn names_that_git_refuses() {
        for (name, fault) in [
            ("", TreeFault::Empty),
            (".", TreeFault::Relative),
            ("..", TreeFault::Relative),
            ("a/b", TreeFault::Separator),
            ("/", TreeFault::Separator),
            ("a\\b", TreeFault::Separator),
            ("..\\a", TreeFault::Separator),
            ("a\0b", TreeFault::Separator),
            (".git", TreeFault::GitFolder),
            (".GIT", TreeFault::GitFolder),
            (".gIt", TreeFault::GitFolder),
            (".git ", TreeFault::GitFolder),
            (".git.", TreeFault::GitFolder),
            (".git . .", TreeFault::GitFolder),
            (".git::$INDEX_ALLOCATION", TreeFault::GitFolder),
            (".git:stream", TreeFault::GitFolder),
            ("git~1", TreeFault::GitFolder),
            ("GIT~1", TreeFault::GitFolder),
            ("git~1.", TreeFault::GitFolder),
            (".g\u{200c}it", TreeFault::GitFolder),
            ("\u{feff}.git", TreeFault::GitFolder),
            (".GI\u{206f}T", TreeFault::GitFolder),
        ] {
            assert_eq!(blob_name(name.as_bytes()), Err(fault), "{name:?}");
        }
    }

    #[test]
    fn names_that_only_look_like_them() {
        for name in [
            "...",
            "..a",
            ".gitignore",
            ".gitmodules",
            ".github",
            "git",
            "git~2",
            "agit~1",
            "x.git",
            "a b",
            "näme",
            "a\nb",
            ".trueupignore",
            "CON",
            "a:b",
        ] {
            assert_eq!(blob_name(name.as_bytes()), Ok(()), "{name:?}");
        }
        assert_eq!(blob_name(b"\xff\xfe"), Ok(()), "a name need not be UTF-8");
    }

    #[test]
    fn a_link_must_not_be_gitmodules() {
        let fault = Err(TreeFault::LinkedModules);
        assert_eq!(check_name(".gitmodules".into(), EntryKind::Link), fault);
        assert_eq!(check_name(".gitignore".into(), EntryKind::Link), Ok(()));
    }

    fn entry(name: &'static str, mode: &str) -> EntryRef<'static> {
        let mode = EntryMode::try_from(mode.as_bytes()).unwrap();
        let oid = gix::hash::oid::try_from_bytes(&[7; 20]).unwrap();
        EntryRef { mode, filename: name.into(), oid }
    }

    #[test]
    fn entries_that_git_would_not_write() {
        let file = |name| entry(name, "100644");
        let folder = |name| entry(name, "40000");
        for (entries, wanted) in [
            (vec![file("a"), file("b"), folder("c")], Ok(())),
            (vec![file("a.b"), folder("a")], Ok(())),
            (vec![file("a"), file("a")], Err((1, TreeFault::Twice))),
            (vec![file("a"), folder("a")], Err((1, TreeFault::Twice))),
            (vec![file("a"), file("a.b"), folder("a")], Err((2, TreeFault::Twice))),
            (vec![file("b"), file("a")], Err((1, TreeFault::Order))),
            (vec![folder("a"), file("a.b")], Err((1, TreeFault::Order))),
            (vec![entry("a", "100664"), entry("b", "100777")], Ok(())),
            (vec![entry("a", "20644")], Err((0, TreeFault::Mode(0o20644)))),
            (vec![entry("a", "10644")], Err((0, TreeFault::Mode(0o10644)))),
            (vec![entry("a", "0")], Err((0, TreeFault::Mode(0)))),
        ] {
            assert_eq!(check(&entries), wanted, "{entries:?}");
        }
    }

    #[test]
    fn terminal_control_characters_are_escaped() {
        assert_eq!(inert("a\x1b[2J\nb\u{202e}".into()), "a\\u{1b}[2J\\u{a}b\\u{202e}");
        assert_eq!(inert("näme/ü b".into()), "näme/ü b");
    }

    proptest! {
        /// Joined to a folder, no sound name leaves it.
        #[test]
        fn a_sound_name_is_one_normal_component(name in proptest::collection::vec(any::<u8>(), 0..12)) {
            if blob_name(&name).is_ok() && let Ok(text) = std::str::from_utf8(&name) {
                let parts: Vec<_> = std::path::Path::new(text).components().collect();
                prop_assert_eq!(parts.len(), 1);
                prop_assert!(matches!(parts[0], std::path::Component::Normal(part) if part == text));
            }
        }
    }
}
