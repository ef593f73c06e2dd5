//! Access for others to the files that a pull wrote: gix makes packs that only their maker can
//! read, and knows nothing of `core.sharedRepository`. The modes are those that git gives (git's
//! `path.c`, `adjust_shared_perm`).

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

/// Places in the git directory that a pull writes to. Whatever else is there may hold credentials.
const WRITTEN: [&str; 6] = ["objects", "refs", "logs", "packed-refs", "HEAD", "index"];

/// The readers that `core.sharedRepository` lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SharedRepository {
    /// Those whom the umask lets in.
    Umask,
    /// These as well.
    More(u32),
    /// These alone.
    Exactly(u32),
}

impl SharedRepository {
    /// The meaning of the setting; an invalid value is git's to refuse.
    fn of(value: Option<&str>) -> Self {
        match value.unwrap_or_default() {
            "group" | "true" | "yes" | "on" | "1" => Self::More(0o660),
            "all" | "world" | "everybody" | "2" => Self::More(0o664),
            text => match u32::from_str_radix(text, 8) {
                Ok(mode) if text.len() > 1 && mode & 0o600 == 0o600 => Self::Exactly(mode & 0o666),
                _ => Self::Umask,
            },
        }
    }

    /// The mode that a file or folder of the mode `now` should have.
    fn mode(self, now: u32, is_folder: bool) -> u32 {
        let (mut more, is_exact) = match self {
            Self::Umask => return now,
            Self::More(mode) => (mode, false),
            Self::Exactly(mode) => (mode, true),
        };
        if now & 0o200 == 0 {
            more &= !0o222;
        }
        if now & 0o100 != 0 {
            more |= (more & 0o444) >> 2;
        }
        let mode = if is_exact { now & !0o777 | more } else { now | more };
        // Files that others make in there are the same group's.
        if is_folder { mode | 0o2000 } else { mode }
    }
}

/// Gives what a pull wrote to the repository the modes that git would have given it. What belongs to
/// others stays as it is.
pub(super) fn share(repo: &gix::Repository) {
    let config = repo.config_snapshot();
    let value = config.string("core.sharedRepository").map(|value| value.to_string());
    let shared = SharedRepository::of(value.as_deref().map(str::to_lowercase).as_deref());
    let packs = repo.objects.store_ref().path().join("pack");
    open_packs(&packs);
    if shared == SharedRepository::Umask {
        return;
    }
    for folder in [repo.common_dir(), repo.git_dir()] {
        for name in WRITTEN {
            walk(&folder.join(name), &|path, now, is_folder| {
                let mode = shared.mode(now, is_folder);
                if mode != now {
                    set(path, mode);
                }
            });
        }
    }
}

/// Lets those read packs whom the umask lets read any other file.
fn open_packs(packs: &Path) {
    let Some(readable) = readable(packs) else { return };
    walk(packs, &|path, now, is_folder| {
        if !is_folder && now == 0o600 && path.file_name().is_some_and(is_of_pack) {
            set(path, readable);
        }
    });
}

fn is_of_pack(name: &std::ffi::OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with("pack-"))
}

/// The mode of a file that is not written to again, with the umask of this process.
fn readable(folder: &Path) -> Option<u32> {
    let probe = folder.join(format!("tmp_trueup_{}", std::process::id()));
    let file = OpenOptions::new().write(true).create_new(true).open(&probe).ok()?;
    let mode = file.metadata().ok().map(|metadata| metadata.mode() & 0o444);
    // git's own gc takes one that stays.
    let _ = fs::remove_file(&probe);
    mode
}

/// Goes through a folder, itself included, and through no link.
fn walk(path: &Path, visit: &dyn Fn(&Path, u32, bool)) {
    let Ok(metadata) = fs::symlink_metadata(path) else { return };
    if !metadata.is_dir() && !metadata.is_file() {
        return;
    }
    visit(path, metadata.mode() & 0o7777, metadata.is_dir());
    if metadata.is_dir() {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        entries.for_each(|entry| walk(&entry.path(), visit));
    }
}

fn set(path: &Path, mode: u32) {
    // Of another user's there is nothing to change, and git does not either.
    let _ = fs::set_permissions(path, fs::Permissions::from_mode(mode));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_those_of_git() {
        for (value, file, pack, folder) in [
            (None, 0o640, 0o440, 0o750),
            (Some("umask"), 0o640, 0o440, 0o750),
            (Some("false"), 0o640, 0o440, 0o750),
            (Some("0"), 0o640, 0o440, 0o750),
            (Some("group"), 0o660, 0o440, 0o2770),
            (Some("1"), 0o660, 0o440, 0o2770),
            (Some("all"), 0o664, 0o444, 0o2775),
            (Some("0660"), 0o660, 0o440, 0o2770),
            (Some("0600"), 0o600, 0o400, 0o2700),
            (Some("0664"), 0o664, 0o444, 0o2775),
        ] {
            let shared = SharedRepository::of(value);
            let modes =
                (shared.mode(0o640, false), shared.mode(0o440, false), shared.mode(0o750, true));
            assert_eq!(modes, (file, pack, folder), "{value:?}");
        }
    }
}
