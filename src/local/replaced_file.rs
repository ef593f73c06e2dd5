//! Writes a file whole or not at all, for other programs that may read it at any time.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use super::own_file::is_own;

/// The beginning of the name of a file that is to take another's place. It does not end as the other one:
/// node_exporter reads all that ends with `.prom`.
const AT_WORK: &str = ".trueup-replacing-";
/// The age at which such a file was left behind: to write one takes moments.
const LEFT_BEHIND: Duration = Duration::from_secs(300);

/// Replaces a file as a whole; every user of the machine may read it, as far as the umask lets them. Whoever
/// reads it meanwhile sees the old content or the new one. A link is replaced, and not the file it leads
/// to. A place that holds no file, such as `/dev/stdout`, is left alone.
///
/// # Errors
///
/// When it can't be written; the old file stays.
pub fn replace_file(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Ok(found) = fs::symlink_metadata(path)
        && !found.is_file()
        && !found.is_symlink()
    {
        return Err(io::Error::other("it is there and not a file"));
    }
    let mut builder = replacement();
    #[cfg(unix)]
    let readable: fs::Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    #[cfg(unix)]
    builder.permissions(readable);
    let mut file = builder.tempfile_in(folder_of(path))?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// How a file is made that is to take another's place. By default it is for this user alone.
pub(super) fn replacement() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(AT_WORK);
    builder
}

/// Removes what processes of this user left beside a file, because they were killed while they replaced it or
/// another one.
pub fn remove_left_behind(path: &Path) {
    remove_left_behind_in(folder_of(path));
}

/// The same for all files of a folder.
pub(super) fn remove_left_behind_in(folder: &Path) {
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        if !entry.file_name().to_string_lossy().starts_with(AT_WORK) {
            continue;
        }
        // Of a link, this is about the link.
        let Ok(metadata) = entry.metadata() else { continue };
        let age = metadata.modified().ok().and_then(|modified| modified.elapsed().ok());
        let is_left = age.is_some_and(|age| age > LEFT_BEHIND);
        if is_left && metadata.is_file() && is_own(&metadata) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn only_what_was_left_behind_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, age: u64| {
            let path = folder.path().join(name);
            fs::write(&path, "half").unwrap();
            let file = fs::File::options().append(true).open(&path).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
            path
        };
        let left = ["x1y2z3", "a"].map(|end| write(&format!("{AT_WORK}{end}"), 1000));
        let mut kept = vec![write(&format!("{AT_WORK}young1"), 1), write(".trueup-backup", 1000)];
        kept.push(write("trueup.prom", 1000));
        #[cfg(unix)]
        {
            use std::os::unix::fs::{chown, symlink};
            let link = folder.path().join(format!("{AT_WORK}linked"));
            symlink(&kept[2], &link).unwrap();
            kept.push(link);
            // Only root can give a file away.
            let other = write(&format!("{AT_WORK}other1"), 1000);
            if chown(&other, Some(1), None).is_ok() {
                kept.push(other);
            }
        }
        remove_left_behind(&kept[2]);
        assert!(left.iter().all(|path| !path.exists()));
        assert!(kept.iter().all(|path| path.exists()), "{kept:?}");
    }

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("status.json");
        for content in ["one", "two"] {
            replace_file(&path, content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(replace_file(&folder.path().join("none/x"), b"").is_err());
        assert!(replace_file(folder.path(), b"").is_err());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o444 & !0o022, 0o444, "{mode:o}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn link_is_replaced_and_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let [path, other] = ["page.html", "other"].map(|name| folder.path().join(name));
        fs::write(&other, "kept").unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        replace_file(&path, b"page").unwrap();
        assert_eq!(fs::read_to_string(&other).unwrap(), "kept");
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
    }
}
