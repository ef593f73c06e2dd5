//! Puts new tokens into the kubeconfig that the old ones came from, as client-go does, so that the next
//! run and kubectl have them too. The file is replaced in one step, and while kubectl's lock is held
//! (k8s.io/client-go, `tools/clientcmd/loader.go`). Only a plain file of one's own is.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::refresh::Tokens;
use super::{Origin, edit};
use crate::cluster::kubeconfig::LARGEST;
use crate::local::bounded;

/// How often a lock that another program holds is tried, and how long to wait in between.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// Writes the tokens into the file; a warning where that can't be done. A run that is interrupted
/// meanwhile ends after it, since nothing is awaited here: the old refresh token may be of no use any
/// more, and kubectl's lock is not to be left behind.
pub(super) fn tell(origin: Option<&Origin>, tokens: &Tokens) -> Option<String> {
    let Origin { file, user } = origin?;
    let why = write(file, user, tokens).err()?;
    Some(format!("the refreshed token was not written back to {}: {why}", file.display()))
}

fn write(path: &Path, user: &str, tokens: &Tokens) -> Result<(), String> {
    let words = |error: io::Error| error.to_string();
    let file = fs::canonicalize(path).map_err(words)?;
    let _lock = Lock::take(path).map_err(words)?;
    let metadata = fs::metadata(&file).map_err(words)?;
    if !metadata.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    if metadata.permissions().readonly() {
        return Err("it is read-only".to_owned());
    }
    if !is_ours(&metadata) {
        return Err("it is another user's".to_owned());
    }
    let bytes = bounded::read_regular(&file, LARGEST).map_err(words)?;
    let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let text = edit::edited(&text, user, tokens)?;
    replace(&file, &metadata, &text).map_err(words)
}

#[cfg(unix)]
fn is_ours(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    metadata.uid() == rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
fn is_ours(_: &Metadata) -> bool {
    true
}

/// Replaces a file in one step, with the mode and the group that it had.
fn replace(file: &Path, metadata: &Metadata, text: &str) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("/"));
    let mut new = tempfile::Builder::new().prefix(".kubeconfig-").tempfile_in(folder)?;
    new.write_all(text.as_bytes())?;
    same_group(new.as_file(), metadata)?;
    new.as_file().set_permissions(metadata.permissions())?;
    new.as_file().sync_all()?;
    new.persist(file)?;
    Ok(())
}

#[cfg(unix)]
fn same_group(new: &File, metadata: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    match new.metadata()?.gid() == metadata.gid() {
        true => Ok(()),
        false => fchown(new, None, Some(metadata.gid())),
    }
}

#[cfg(not(unix))]
fn same_group(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

/// The lock by which kubectl and others that write a kubeconfig keep apart: a file beside it.
struct Lock(PathBuf);

impl Lock {
    fn take(file: &Path) -> io::Result<Self> {
        let mut lock = file.as_os_str().to_owned();
        lock.push(".lock");
        let lock = PathBuf::from(lock);
        let mut tries = 0;
        loop {
            match OpenOptions::new().write(true).create_new(true).open(&lock) {
                Ok(_) => return Ok(Self(lock)),
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
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

    fn tokens() -> Tokens {
        Tokens { id_token: "d.e.f".to_owned(), refresh_token: None }
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
    fn what_is_not_to_be_written_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = kubeconfig(folder.path(), 0o400).unwrap();
        let refused = |path: &Path| write(path, "me", &tokens()).unwrap_err();
        assert_eq!(refused(&path), "it is read-only");
        assert!(refused(folder.path()).contains("not a regular file"));
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
