//! Opens a file of the work tree and nothing else: no link is followed on the way from the root,
//! and a file that is not regular is not waited for.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::core::source::snapshot::WhySkipped;

/// The content at a path of the work tree.
#[derive(Debug)]
pub(super) enum PathContent {
    /// A regular file, and its size.
    File(File, u64),
    /// Nothing at all, or a file where a folder would have to be.
    Nothing,
    /// A folder.
    Folder,
    /// Something that is not read.
    Skipped(WhySkipped),
    /// A folder above is a symbolic link; the path of the link.
    Link(String),
}

/// Goes down from `root` to `path`, part by part; a part that leads anywhere else is not there.
///
/// # Errors
///
/// When the system does not let us look.
pub(super) fn open(root: &Path, path: &str) -> io::Result<PathContent> {
    match path.split('/').all(|part| !matches!(part, "" | "." | "..")) {
        true => go_down(root, path),
        false => Ok(PathContent::Nothing),
    }
}

/// The first part of `path` that is a link, itself included.
pub(super) fn link_above(root: &Path, path: &str) -> Option<String> {
    let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
    let mut parts = ends.map(|end| &path[..end]);
    let is_link = |part: &&str| root.join(part).symlink_metadata().is_ok_and(|at| at.is_symlink());
    parts.find(is_link).map(str::to_owned)
}

#[cfg(unix)]
fn go_down(root: &Path, path: &str) -> io::Result<PathContent> {
    use rustix::fs::{AtFlags, FileType, Mode, OFlags, openat, statat};
    use rustix::io::Errno;

    let follow_none = OFlags::CLOEXEC | OFlags::NOFOLLOW;
    // Going through a folder takes no right to list it.
    #[cfg(target_os = "linux")]
    let through = OFlags::PATH | OFlags::DIRECTORY | follow_none;
    #[cfg(not(target_os = "linux"))]
    let through = OFlags::RDONLY | OFlags::DIRECTORY | follow_none;

    let mut folder = std::os::fd::OwnedFd::from(File::open(root)?);
    let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
    let mut end = 0;
    for part in above.split('/').filter(|part| !part.is_empty()) {
        end += part.len();
        folder = match openat(&folder, part, through, Mode::empty()) {
            Ok(next) => next,
            Err(Errno::NOENT) => return Ok(PathContent::Nothing),
            Err(Errno::LOOP | Errno::NOTDIR) => {
                let is_link = statat(&folder, part, AtFlags::SYMLINK_NOFOLLOW)
                    .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink);
                return Ok(match is_link {
                    true => PathContent::Link(path[..end].to_owned()),
                    false => PathContent::Nothing,
                });
            }
            Err(error) => return Err(error.into()),
        };
        end += 1;
    }
    let stat = match statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => stat,
        Err(Errno::NOENT) => return Ok(PathContent::Nothing),
        Err(error) => return Err(error.into()),
    };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => {}
        FileType::Directory => return Ok(PathContent::Folder),
        FileType::Symlink => return Ok(PathContent::Skipped(WhySkipped::Symlink)),
        _ => return Ok(PathContent::Skipped(WhySkipped::Special)),
    }
    // It may have become something else by now: a pipe must not be waited for.
    let reading = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | follow_none;
    let file = match openat(&folder, name, reading, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT) => return Ok(PathContent::Nothing),
        Err(Errno::LOOP) => return Ok(PathContent::Skipped(WhySkipped::Symlink)),
        Err(error) => return Err(error.into()),
    };
    let metadata = file.metadata()?;
    Ok(match metadata.is_file() {
        true => PathContent::File(file, metadata.len()),
        false => PathContent::Skipped(WhySkipped::Special),
    })
}

#[cfg(not(unix))]
fn go_down(root: &Path, path: &str) -> io::Result<PathContent> {
    for (end, _) in path.match_indices('/').chain([(path.len(), "")]) {
        let metadata = match root.join(&path[..end]).symlink_metadata() {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(PathContent::Nothing);
            }
            Err(error) => return Err(error),
        };
        if metadata.is_symlink() && end < path.len() {
            return Ok(PathContent::Link(path[..end].to_owned()));
        }
        if metadata.is_symlink() {
            return Ok(PathContent::Skipped(WhySkipped::Symlink));
        }
        if metadata.is_dir() && end == path.len() {
            return Ok(PathContent::Folder);
        }
        if !metadata.is_dir() && !metadata.is_file() {
            return Ok(PathContent::Skipped(WhySkipped::Special));
        }
    }
    let file = File::open(root.join(path))?;
    let bytes = file.metadata()?.len();
    Ok(PathContent::File(file, bytes))
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read;
    use std::os::unix::fs::symlink;

    use super::*;

    fn found(root: &Path, path: &str) -> String {
        match open(root, path).unwrap() {
            PathContent::File(mut file, bytes) => {
                let mut text = String::new();
                file.read_to_string(&mut text).unwrap();
                assert_eq!(text.len() as u64, bytes);
                text
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn only_regular_files_are_opened_and_no_link_is_followed() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("x"), "outside").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(root.join("a/b/x"), "inside").unwrap();
        fs::write(root.join("top"), "top").unwrap();
        symlink(outside.path(), root.join("link")).unwrap();
        symlink(outside.path(), root.join("a/link")).unwrap();
        symlink(outside.path().join("x"), root.join("file-link")).unwrap();
        symlink("a", root.join("inner")).unwrap();
        let fifo = root.join("pipe");
        let mode = rustix::fs::Mode::RWXU;
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();

        for (path, wanted) in [
            ("a/b/x", "inside"),
            ("top", "top"),
            ("a", "Folder"),
            ("a/b", "Folder"),
            ("a/c/x", "Nothing"),
            ("top/x", "Nothing"),
            ("link/x", "Link(\"link\")"),
            ("a/link/x", "Link(\"a/link\")"),
            ("inner/b/x", "Link(\"inner\")"),
            ("file-link", "Skipped(Symlink)"),
            ("link", "Skipped(Symlink)"),
            ("pipe", "Skipped(Special)"),
            ("socket", "Skipped(Special)"),
            ("a/../top", "Nothing"),
            ("../x", "Nothing"),
            ("./top", "Nothing"),
            ("", "Nothing"),
        ] {
            assert_eq!(found(root, path), wanted, "{path}");
        }
    }
}
