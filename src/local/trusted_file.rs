//! Files that say whom this machine trusts. Another user must not be able to change them, and neither
//! must whoever writes to the checkout.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// The most bytes that such a file has.
const LARGEST: u64 = 16 << 20;

/// Why a file can't say whom to trust.
#[derive(Debug, thiserror::Error)]
pub enum TrustedFileError {
    /// It can't be read.
    #[error("cannot read {}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Others may change it.
    #[error("{}: {why}", .path.display())]
    Unsafe {
        /// The file or a folder above it.
        path: PathBuf,
        /// The users that may.
        why: &'static str,
    },
    /// It is in the checkout that it judges.
    #[error("{} is in the checkout, which must not choose whom to trust", .path.display())]
    InCheckout {
        /// The file.
        path: PathBuf,
    },
}

impl TrustedFileError {
    /// The remedy.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Read { .. } => Some("correct its path, or make it readable".into()),
            Self::Unsafe { path, .. } => {
                Some(format!("let root or this user alone write it: chmod go-w {}", path.display()))
            }
            Self::InCheckout { .. } => Some("put a copy outside of the checkout".into()),
        }
    }
}

/// Reads a file that only root and this user may change, and that is not in any of these folders.
///
/// # Errors
///
/// When it can't be read, others may change it, or it is in one of the folders.
pub fn read(path: &Path, checkout: &[PathBuf]) -> Result<Vec<u8>, TrustedFileError> {
    let failed = |source| TrustedFileError::Read { path: path.to_owned(), source };
    let real = path.canonicalize().map_err(failed)?;
    let is_inside = |file: &Path| checkout.iter().any(|folder| file.starts_with(folder));
    if is_inside(&real) || is_inside(path) {
        return Err(TrustedFileError::InCheckout { path: path.to_owned() });
    }
    // Both ways to it: whoever may change a link chooses the file, too.
    for folder in path.ancestors().skip(1).chain(real.ancestors().skip(1)) {
        let metadata = fs::metadata(folder).map_err(failed)?;
        check(folder, &metadata)?;
    }
    let file = open(&real).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(failed(io::Error::other("it is not a regular file")));
    }
    check(path, &metadata)?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    match bytes.len() as u64 > LARGEST {
        true => Err(failed(io::ErrorKind::FileTooLarge.into())),
        false => Ok(bytes),
    }
}

#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use rustix::fs::OFlags;
    // No link any more, and a pipe must not be waited for.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut options = File::options();
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags.bits() as i32);
    options.read(true).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Whether only root and this user may change a file, or what a folder holds.
#[cfg(unix)]
fn check(path: &Path, metadata: &fs::Metadata) -> Result<(), TrustedFileError> {
    use std::os::unix::fs::MetadataExt as _;

    let owner = metadata.uid();
    let is_own = owner == 0 || owner == rustix::process::geteuid().as_raw();
    // In a folder with the sticky bit, others can't replace what is not theirs.
    let is_sticky = metadata.is_dir() && metadata.mode() & 0o1000 != 0;
    let why = match metadata.mode() & 0o022 {
        _ if !is_own => "another user owns it",
        0 => return Ok(()),
        _ if is_sticky => return Ok(()),
        mode if mode & 0o002 != 0 => "every user may change it",
        _ => "its group may change it",
    };
    Err(TrustedFileError::Unsafe { path: path.to_owned(), why })
}

#[cfg(not(unix))]
fn check(_: &Path, _: &fs::Metadata) -> Result<(), TrustedFileError> {
    Ok(())
}

/// Files of tests are for this user alone, whatever the umask of the person is who runs them.
#[cfg(all(test, unix))]
pub(super) fn usual_umask() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn allow(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is there");
    }

    #[test]
    fn only_files_that_others_cannot_change_are_trusted() {
        usual_umask();
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("trueup");
        fs::create_dir(&inner).unwrap();
        let file = inner.join("signers");
        fs::write(&file, "a@x").unwrap();
        allow(&inner, 0o755);
        let said = |mode: u32| {
            allow(&file, mode);
            read(&file, &[]).map_err(|error| error.to_string())
        };
        assert_eq!(said(0o644).unwrap(), b"a@x");
        assert_eq!(said(0o600).unwrap(), b"a@x");
        assert!(said(0o646).unwrap_err().ends_with("signers: every user may change it"));
        assert!(said(0o664).unwrap_err().ends_with("signers: its group may change it"));
        allow(&inner, 0o775);
        assert!(said(0o644).unwrap_err().ends_with("trueup: its group may change it"));
        let link = folder.path().join("link");
        symlink(&file, &link).unwrap();
        let error = read(&link, &[]).unwrap_err();
        assert!(error.to_string().ends_with("trueup: its group may change it"), "{error}");
        assert!(error.hint().is_some());
        allow(&inner, 0o755);
        assert_eq!(read(&link, &[]).unwrap(), b"a@x");
        // Only root can give a file away.
        if std::os::unix::fs::chown(&file, Some(1), None).is_ok() {
            assert!(said(0o644).unwrap_err().ends_with("signers: another user owns it"));
        }
    }

    #[test]
    fn a_file_of_the_checkout_is_not_trusted() {
        usual_umask();
        let folder = tempfile::tempdir().unwrap();
        let checkout = folder.path().canonicalize().unwrap().join("shop");
        fs::create_dir(&checkout).unwrap();
        let file = checkout.join("signers");
        fs::write(&file, "a@x").unwrap();
        let link = folder.path().join("link");
        symlink(&file, &link).unwrap();
        for path in [&file, &link] {
            let error = read(path, std::slice::from_ref(&checkout)).unwrap_err();
            assert!(matches!(error, TrustedFileError::InCheckout { .. }), "{error}");
        }
        assert!(read(&file, &[]).is_ok());
    }

    #[test]
    fn pipes_and_missing_files_are_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let missing = read(&folder.path().join("missing"), &[]).unwrap_err();
        assert!(matches!(missing, TrustedFileError::Read { .. }), "{missing}");
        assert!(read(folder.path(), &[]).is_err());
        assert!(read(Path::new("/dev/zero"), &[]).is_err());
    }
}
