//! Files that are UTF-16 in the work tree (`working-tree-encoding` of gitattributes). What gix encodes
//! with has UTF-8 in place of UTF-16, as the web wants it, so that its files are encoded here.

use std::fs;
use std::path::Path;

use gix::bstr::{BStr, ByteSlice};
use gix::index::entry::{Flags, Mode};
use gix::worktree::stack::state::attributes::Source;

use super::PullError;
use super::paths::system_path;
use crate::git::Error;

/// The attribute's name.
const ATTRIBUTE: &str = "working-tree-encoding";

/// How a file is written; git's `utf8.c`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Utf16 {
    is_big_endian: bool,
    /// Whether a byte order mark comes first.
    has_mark: bool,
}

impl Utf16 {
    /// The encoding of this name, if it is one that gix takes and does not write.
    fn of(name: &BStr) -> Option<Self> {
        let (is_big_endian, has_mark) = match name.to_str().ok()?.to_ascii_uppercase().as_str() {
            "UTF-16" | "UTF16" => (false, true),
            "UTF-16LE" => (false, false),
            "UTF-16BE" => (true, false),
            _ => return None,
        };
        Some(Self { is_big_endian, has_mark })
    }

    fn encode(self, text: &str) -> Vec<u8> {
        let mark = self.has_mark.then_some('\u{feff}');
        let units = mark.into_iter().chain(text.chars()).flat_map(|char| {
            let mut pair = [0; 2];
            char.encode_utf16(&mut pair).to_vec()
        });
        let bytes = |unit: u16| match self.is_big_endian {
            true => unit.to_be_bytes(),
            false => unit.to_le_bytes(),
        };
        units.flat_map(bytes).collect()
    }
}

/// Encodes those files of `index` in `folder` that gix left as UTF-8. An entry that has no file there
/// says so with its flags.
///
/// # Errors
///
/// When a file can't be read or written.
pub(super) fn correct(
    repo: &gix::Repository,
    index: &gix::index::State,
    folder: &Path,
) -> Result<(), PullError> {
    let reading = || "the attributes";
    let mut stack =
        repo.attributes_only(index, Source::IdMapping).map_err(Error::read(reading()))?;
    let mut found = stack.selected_attribute_matches([ATTRIBUTE]);
    for entry in index.entries() {
        if entry.flags.contains(Flags::SKIP_WORKTREE)
            || !matches!(entry.mode, Mode::FILE | Mode::FILE_EXECUTABLE)
        {
            continue;
        }
        let path = entry.path(index);
        let at = stack.at_entry(path, Some(entry.mode)).map_err(Error::read(reading()))?;
        if !at.matching_attributes(&mut found) {
            continue;
        }
        let assigned = found.iter_selected().next().map(|it| it.assignment.state);
        let Some(gix::attrs::StateRef::Value(name)) = assigned else { continue };
        let Some(encoding) = Utf16::of(name.as_bstr()) else { continue };
        let file = folder.join(system_path(path)?);
        let failed = || PullError::write(format!("`{path}`"));
        let text = fs::read(&file).map_err(failed())?;
        // gix took it for UTF-8, or would have said that it is none.
        if let Ok(text) = text.to_str() {
            fs::write(&file, encoding.encode(text)).map_err(failed())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_encoded_as_git_encodes_it() {
        for (name, expected) in [
            ("UTF-16", Some(&b"\xff\xfea\x00\x3d\xd8\x00\xde"[..])),
            ("utf-16le", Some(b"a\x00\x3d\xd8\x00\xde")),
            ("UTF-16BE", Some(b"\x00a\xd8\x3d\xde\x00")),
            ("UTF-16LE-BOM", None),
            ("ISO-8859-1", None),
        ] {
            let encoded = Utf16::of(name.into()).map(|encoding| encoding.encode("a\u{1f600}"));
            assert_eq!(encoded.as_deref(), expected, "{name}");
        }
    }
}
