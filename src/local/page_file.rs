//! A file that others may read while it is replaced: whoever opens it finds the old text or the new one.

use std::io::Write as _;
use std::path::Path;
use std::{fs, io};

/// Replaces a file as a whole. A link is replaced, and not what it leads to. What is there and no file, such
/// as `/dev/stdout`, is left alone.
///
/// # Errors
///
/// When it can't be written; the old file stays.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Ok(found) = fs::symlink_metadata(path)
        && !found.is_file()
        && !found.is_symlink()
    {
        return Err(io::Error::other("it is there and not a file"));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut builder = tempfile::Builder::new();
    builder.prefix(".trueup-");
    // Pages are for others to read; the umask takes its share.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.html");
        for text in ["old and long", "new"] {
            write(&path, text).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(write(folder.path(), "x").is_err());
        assert!(write(&folder.path().join("none/page.html"), "x").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_followed_and_others_may_read() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().unwrap();
        let [path, other, plain] = ["page.html", "other", "plain"].map(|it| folder.path().join(it));
        fs::write(&other, "kept").unwrap();
        symlink(&other, &path).unwrap();
        write(&path, "page").unwrap();
        assert_eq!(fs::read_to_string(&other).unwrap(), "kept");
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
        // As of any file that is made here.
        fs::write(&plain, "").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&path), mode(&plain));
    }
}
