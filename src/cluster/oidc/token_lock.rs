//! One run at a time refreshes the tokens of a kubeconfig: many identity providers take a refresh token
//! once. Runs of trueup keep apart by a lock on the file itself, which the system takes back from a run
//! that ends, however it ends. kubectl's own lock, a file beside the kubeconfig, is no good for that:
//! kubectl takes it for the moment of writing alone, fails at once where it is there, and fails for ever
//! where a run that was killed has left it behind.

use std::fs::File;
use std::time::Duration;

use tokio::time::Instant;

use super::exchange::PATIENCE;
use super::{UserEntry, edit, write_back};

/// How long to wait between two looks.
const PAUSE: Duration = Duration::from_millis(50);
/// How long kubectl's lock is waited for before the identity provider is asked.
const WRITERS: Duration = Duration::from_secs(10);

/// The lock of this run on the file that the tokens come from; without one where there can't be one.
pub(super) struct TokenLock {
    _file: Option<File>,
}

impl TokenLock {
    /// Waits until no other run refreshes the tokens, but no longer than a refresh takes, and until
    /// no other program writes the file.
    pub(super) async fn take(origin: Option<&UserEntry>) -> Self {
        let Some(UserEntry { file, .. }) = origin else { return Self { _file: None } };
        let end = Instant::now() + PATIENCE;
        let locked = loop {
            match locked(file) {
                Err(TokenLockBusy) if Instant::now() < end => tokio::time::sleep(PAUSE).await,
                Err(TokenLockBusy) => break None,
                Ok(file) => break file,
            }
        };
        let end = Instant::now() + WRITERS;
        while write_back::is_being_written(file) && Instant::now() < end {
            tokio::time::sleep(PAUSE).await;
        }
        Self { _file: locked }
    }
}

/// The tokens that the file has now: the id-token and the refresh-token.
pub(super) fn present(origin: Option<&UserEntry>) -> [Option<String>; 2] {
    let found = origin.and_then(|UserEntry { file, user }| {
        let text = write_back::text(file).ok()?;
        edit::present(&text, user)
    });
    found.unwrap_or_default()
}

/// That another run has the lock.
struct TokenLockBusy;

/// The file with a lock on it; `None` where it can't have one.
#[cfg(unix)]
fn locked(path: &std::path::Path) -> Result<Option<File>, TokenLockBusy> {
    use std::fs::TryLockError;
    use std::os::unix::fs::MetadataExt as _;

    // Opening a pipe would wait for its writer.
    if !std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        return Ok(None);
    }
    let Ok(file) = File::open(path) else { return Ok(None) };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(TokenLockBusy),
        Err(TryLockError::Error(_)) => return Ok(None),
    }
    let number = |metadata: std::io::Result<std::fs::Metadata>| {
        metadata.ok().map(|metadata| (metadata.dev(), metadata.ino()))
    };
    // One that was replaced meanwhile keeps no other run away.
    match number(file.metadata()) == number(std::fs::metadata(path)) {
        true => Ok(Some(file)),
        false => Err(TokenLockBusy),
    }
}

/// Elsewhere a lock would keep others from reading the file.
#[cfg(not(unix))]
fn locked(_: &std::path::Path) -> Result<Option<File>, TokenLockBusy> {
    Ok(None)
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn one_run_at_a_time_has_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        fs::write(&path, "a").unwrap();
        let first = locked(&path).ok().flatten().unwrap();
        assert!(locked(&path).is_err());
        fs::write(folder.path().join("new"), "b").unwrap();
        fs::rename(folder.path().join("new"), &path).unwrap();
        assert!(locked(&path).ok().flatten().is_some(), "the new file has a lock of its own");
        drop(first);
        assert!(matches!(locked(&folder.path().join("gone")), Ok(None)));
        assert!(matches!(locked(folder.path()), Ok(None)));
    }
}
