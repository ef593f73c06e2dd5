//! Puts new tokens into the kubeconfig that the old ones came from, so that the next run and
//! kubectl have them too. As in client-go, kubectl's lock is held meanwhile (k8s.io/client-go,
//! `tools/clientcmd/loader.go`). The file is replaced in one step where it can be, and else written
//! in place, as kubectl writes it: a file that is mounted by itself can't be replaced.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::refresh::IssuedTokens;
use super::{UserEntry, edit};
use crate::cluster::kubeconfig::LARGEST;
use crate::local::bounded_read;

/// How often a lock that another program holds is tried, and how long to wait in between.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// Writes the tokens into the file; a warning where that can't be done. A run that is interrupted
/// meanwhile ends after it, since nothing is awaited here: the old refresh token may be of no use any
/// more, and kubectl's lock is not to be left behind.
pub(super) fn write_tokens(origin: Option<&UserEntry>, tokens: &IssuedTokens) -> Option<String> {
    let UserEntry { file, user } = origin?;
    let why = write(file, user, tokens).err()?;
    // The old one may have been good for once.
    let then = match tokens.refresh_token {
        Some(_) => "; kubectl may have to log in again",
        None => "",
    };
    Some(format!("the refreshed token was not written back to {}: {why}{then}", file.display()))
}

/// The text of a kubeconfig.
///
/// # Errors
///
/// When there is none that could be written, too.
pub(super) fn text(path: &Path) -> Result<String, String> {
    let words = |error: io::Error| error.to_string();
    let metadata = fs::metadata(path).map_err(words)?;
    if let Some(kind) = odd_kind(&metadata) {
        return Err(format!("it is {kind}"));
    }
    let bytes = bounded_read::read_regular(path, LARGEST).map_err(words)?;
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}

fn write(path: &Path, user: &str, tokens: &IssuedTokens) -> Result<(), String> {
    let words = |error: io::Error| error.to_string();
    let _lock = Lock::take(path).map_err(words)?;
    let old = text(path)?;
    let file = fs::canonicalize(path).map_err(words)?;
    let metadata = fs::metadata(&file).map_err(words)?;
    if metadata.permissions().readonly() {
        return Err("it is read-only".to_owned());
    }
    // Neither a new file in its folder nor a mode that root overrides shows what may be written.
    OpenOptions::new().write(true).open(&file).map_err(words)?;
    let new = edit::edited(&old, user, tokens)?;
    if !has_other_names(&metadata) {
        match replace(&file, &metadata, &new) {
            Err(error) if is_for_the_folder(&error) => {}
            done => return done.map_err(words),
        }
    }
    overwrite(&file, &new).map_err(|error| {
        // As much of it as the disk takes.
        let _ = overwrite(&file, &old);
        words(error)
    })
}

/// The type of a file that is not a regular one.
fn odd_kind(metadata: &Metadata) -> Option<&'static str> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if metadata.file_type().is_fifo() {
            return Some("a pipe");
        }
    }
    (!metadata.is_file()).then_some("not a regular file")
}

/// Whether a file has hard links, which a new file would not have.
#[cfg(unix)]
fn has_other_names(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    metadata.nlink() > 1
}

#[cfg(not(unix))]
fn has_other_names(_: &Metadata) -> bool {
    false
}

/// Whether a file can't be replaced, while it may well be written: its folder takes no new one, it is
/// mounted by itself, or a new one can't have its owner.
fn is_for_the_folder(error: &io::Error) -> bool {
    use io::ErrorKind::{CrossesDevices, PermissionDenied, ReadOnlyFilesystem, ResourceBusy};
    matches!(error.kind(), CrossesDevices | PermissionDenied | ReadOnlyFilesystem | ResourceBusy)
}

/// Replaces a file in one step, with the mode, the owner and the group that it had.
fn replace(file: &Path, metadata: &Metadata, text: &str) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("/"));
    let mut new = tempfile::Builder::new().prefix(".kubeconfig-").tempfile_in(folder)?;
    new.write_all(text.as_bytes())?;
    same_owner(new.as_file(), metadata)?;
    new.as_file().set_permissions(metadata.permissions())?;
    new.as_file().sync_all()?;
    new.persist(file)?;
    Ok(())
}

/// Writes another text into a file. It is cut last, so that a disk that is full takes nothing away.
fn overwrite(file: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(file)?;
    file.write_all(text.as_bytes())?;
    file.set_len(text.len().try_into().map_err(io::Error::other)?)?;
    file.sync_all()
}

#[cfg(unix)]
fn same_owner(new: &File, metadata: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let (now, uid, gid) = (new.metadata()?, metadata.uid(), metadata.gid());
    let uid = (now.uid() != uid).then_some(uid);
    let gid = (now.gid() != gid).then_some(gid);
    match uid.is_none() && gid.is_none() {
        true => Ok(()),
        false => fchown(new, uid, gid),
    }
}

#[cfg(not(unix))]
fn same_owner(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

/// Whether another program writes the file just now.
pub(super) fn is_being_written(file: &Path) -> bool {
    Lock::path(file).exists()
}

/// The lock by which kubectl and others that write a kubeconfig keep apart: a file beside it.
struct Lock(PathBuf);

impl Lock {
    fn path(file: &Path) -> PathBuf {
        let mut lock = file.as_os_str().to_owned();
        lock.push(".lock");
        lock.into()
    }

    /// Takes it; `None` where there can't be one, as in a folder that takes no new file.
    fn take(file: &Path) -> io::Result<Option<Self>> {
        let lock = Self::path(file);
        let mut tries = 0;
        loop {
            match OpenOptions::new().write(true).create_new(true).open(&lock) {
                Ok(_) => return Ok(Some(Self(lock))),
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Ok(None),
                Err(error) if tries == TRIES => {
                    let held = format!("{} is there: {error}", lock.display());
                    return Err(io::Error::new(error.kind(), held));
                }
                Err(_) => {
                    tries += 1;
                    thread::sleep(PAUSE);
                }
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    use super::*;

    const TEXT: &str =
        "users: [{name: me, user: {auth-provider: {config: {id-token: a.b.c}}}}] # mine\n";

    fn tokens() -> IssuedTokens {
        IssuedTokens { id_token: "d.e.f".to_owned(), refresh_token: None }
    }

    fn kubeconfig(folder: &Path, mode: u32) -> io::Result<PathBuf> {
        let path = folder.join("config");
        fs::write(&path, TEXT)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
        Ok(path)
    }

    #[test]
    fn a_file_is_replaced_with_its_mode_and_a_link_to_it_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = kubeconfig(folder.path(), 0o640).unwrap();
        let link = folder.path().join("link");
        symlink("config", &link).unwrap();
        let before = fs::metadata(&path).unwrap();
        write(&link, "me", &tokens()).unwrap();
        let after = fs::metadata(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), TEXT.replace("a.b.c", "d.e.f"));
        assert_eq!((after.mode(), after.gid()), (before.mode(), before.gid()));
        assert_ne!(after.ino(), before.ino(), "in one step");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let mut names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["config", "link"], "nothing is left");
    }

    #[test]
    fn a_file_with_other_names_is_written_in_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = kubeconfig(folder.path(), 0o600).unwrap();
        let other = folder.path().join("other");
        fs::hard_link(&path, &other).unwrap();
        for id_token in ["d.e.f", "d.e.f.longer", "g"] {
            let new = IssuedTokens { id_token: id_token.to_owned(), refresh_token: None };
            write(&path, "me", &new).unwrap();
            for path in [&path, &other] {
                assert_eq!(fs::read_to_string(path).unwrap(), TEXT.replace("a.b.c", id_token));
            }
        }
        assert_eq!(fs::metadata(&path).unwrap().nlink(), 2);
    }

    /// Root may write into every folder, so there it is replaced.
    #[test]
    fn a_file_in_a_folder_that_takes_no_new_one_is_written_in_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = kubeconfig(folder.path(), 0o600).unwrap();
        let mode = |mode| fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode));
        mode(0o500).unwrap();
        let written = write(&path, "me", &tokens());
        mode(0o700).unwrap();
        assert_eq!(written, Ok(()));
        assert_eq!(fs::read_to_string(&path).unwrap(), TEXT.replace("a.b.c", "d.e.f"));
    }

    #[test]
    fn folder_errors_lead_to_writing_in_place() {
        use rustix::io::Errno;
        for (error, expected) in [
            (Errno::BUSY, true),
            (Errno::XDEV, true),
            (Errno::ACCESS, true),
            (Errno::PERM, true),
            (Errno::ROFS, true),
            (Errno::NOSPC, false),
            (Errno::IO, false),
        ] {
            assert_eq!(is_for_the_folder(&error.into()), expected, "{error}");
        }
    }

    #[test]
    fn another_users_file_stays_theirs() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = kubeconfig(folder.path(), 0o600).unwrap();
        std::os::unix::fs::chown(&path, Some(1234), Some(5678)).unwrap();
        write(&path, "me", &tokens()).unwrap();
        let after = fs::metadata(&path).unwrap();
        assert_eq!((after.uid(), after.gid(), after.mode() & 0o777), (1234, 5678, 0o600));
        assert_eq!(fs::read_to_string(&path).unwrap(), TEXT.replace("a.b.c", "d.e.f"));
    }

    #[test]
    fn write_back_warning_states_the_consequence() {
        let file = PathBuf::from("/nowhere/config");
        let origin = UserEntry { file, user: "me".to_owned() };
        let warning = |refresh: Option<&str>| {
            let refresh_token = refresh.map(str::to_owned);
            write_tokens(Some(&origin), &IssuedTokens { refresh_token, ..tokens() }).unwrap()
        };
        let same = "the refreshed token was not written back to /nowhere/config: No such file or \
                    directory (os error 2)";
        assert_eq!(warning(None), same);
        assert_eq!(warning(Some("x")), format!("{same}; kubectl may have to log in again"));
    }

    #[test]
    fn read_only_and_special_files_are_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = kubeconfig(folder.path(), 0o400).unwrap();
        let refused = |path: &Path| write(path, "me", &tokens()).unwrap_err();
        assert_eq!(refused(&path), "it is read-only");
        assert!(refused(folder.path()).contains("not a regular file"));
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        assert_eq!(refused(&pipe), "it is a pipe");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let lock = folder.path().join("config.lock");
        fs::write(&lock, "").unwrap();
        assert!(refused(&path).contains("config.lock is there"));
        assert!(lock.exists(), "the other's");
        fs::remove_file(&lock).unwrap();
        assert_eq!(
            write(&path, "other", &tokens()).unwrap_err(),
            "it has no user \"other\" any more"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), TEXT);
        assert!(!lock.exists());
    }
}
