//! A socket of this machine by which one process asks another: a line there, and a line back, as soon as
//! there is an answer.
//!
//! Only the same user may connect. A client that says nothing, says too much, or does not read is left
//! alone after a while, or where there are too many. It holds no other one up.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::bounded_server::FewTasks;

/// The most bytes of a line that is asked.
const REQUEST: usize = 64 << 10;
/// The most bytes of an answer.
const ANSWER: usize = 4 << 20;
/// How long it may take to ask, or to read an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The time that each client has at least to say something.
const SHORTEST: Duration = Duration::from_millis(100);
/// How many wait for an answer at once.
const WAITING: usize = 256;
/// The longest path of a socket that all systems take.
const LONGEST_PATH: usize = 100;

/// An answer that takes a while.
pub type Answer = Pin<Box<dyn Future<Output = String> + Send>>;
/// Gives the answer to a line.
pub type Answers = Arc<dyn Fn(String) -> Answer + Send + Sync>;

/// A socket that is listened at. It goes when this is dropped.
#[derive(Debug)]
pub struct ControlSocket {
    path: PathBuf,
    task: tokio::task::AbortHandle,
}

/// The path of the socket of this process in `folder`, for the matter `name`.
fn own_path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}-{}", std::process::id()))
}

/// Listens from now on. Sockets of processes that are gone are taken away.
///
/// # Errors
///
/// When the folder can't be made or is not this user's alone, or no socket can be made in it.
pub fn listen(folder: &Path, name: &str, answers: Answers) -> io::Result<ControlSocket> {
    private_folder(folder)?;
    for path in paths(folder, name) {
        remove_stale(&path);
    }
    let path = own_path(folder, name);
    if path.as_os_str().len() > LONGEST_PATH {
        return Err(io::Error::other(format!("the path {} is too long", path.display())));
    }
    // A file of a process that had the same number.
    let is_socket =
        |path: &Path| fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    if is_socket(&path) {
        fs::remove_file(&path)?;
    }
    let listener = UnixListener::bind(&path)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    let task = tokio::spawn(serve(listener, answers)).abort_handle();
    Ok(ControlSocket { path, task })
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        self.task.abort();
        let _ = fs::remove_file(&self.path);
    }
}

/// Makes the folder, for this user alone.
fn private_folder(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    // Another user's folder can't be changed, which is an error.
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

/// The sockets of a matter.
fn paths(folder: &Path, name: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let is_of = |path: &PathBuf| {
        let file = path.file_name().and_then(|file| file.to_str()).unwrap_or_default();
        let pid = file.strip_prefix(name).and_then(|rest| rest.strip_prefix('-'));
        pid.is_some_and(|pid| pid.parse::<u32>().is_ok())
    };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(is_of).collect();
    paths.sort();
    paths
}

/// Takes a socket away that is listened at no longer.
fn remove_stale(path: &Path) {
    let refused = std::os::unix::net::UnixStream::connect(path);
    if refused.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused) {
        let _ = fs::remove_file(path);
    }
}

async fn serve(listener: UnixListener, answers: Answers) {
    let (mut heard, waiting) = (FewTasks::lasting(SHORTEST), Arc::new(Semaphore::new(WAITING)));
    loop {
        // Such as no more file descriptors: a moment later there may be one.
        let Ok((mut stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (answers, waiting) = (Arc::clone(&answers), Arc::clone(&waiting));
        let hearing = heard.spawn(PATIENCE, async move {
            if let Ok(line) = line(&mut stream, REQUEST).await {
                // Whoever has asked is in no one's way, and waits for as long as it takes.
                tokio::spawn(async move {
                    let Ok(_waits) = waiting.try_acquire() else { return };
                    answer(stream, answers(line)).await;
                });
            }
        });
        hearing.await;
    }
}

async fn answer(mut stream: UnixStream, answer: Answer) {
    let answer = tokio::select! {
        answer = answer => answer,
        () = hung_up(&mut stream) => return,
    };
    let answer = format!("{answer}\n");
    let _ = timeout(PATIENCE, stream.write_all(answer.as_bytes())).await;
}

/// Returns once the client has gone, or says more than it should.
async fn hung_up(stream: &mut UnixStream) {
    let _ = stream.read(&mut [0; 1]).await;
}

/// A line of at most so many bytes.
async fn line(stream: &mut UnixStream, most: usize) -> io::Result<String> {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        let length = stream.read(&mut part).await?;
        bytes.extend_from_slice(&part[..length]);
        if let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            bytes.truncate(end);
            return String::from_utf8(bytes).map_err(io::Error::other);
        }
        if length == 0 || bytes.len() > most {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// Asks all processes that listen for a matter in one of these folders, and waits for their answers.
pub async fn ask(folders: &[PathBuf], name: &str, request: &str) -> Vec<io::Result<String>> {
    let found = folders.iter().flat_map(|folder| paths(folder, name));
    let asked = found.map(|path| async move {
        let mut stream = match timeout(PATIENCE, UnixStream::connect(&path)).await {
            Ok(Ok(stream)) => stream,
            // Of a process that is gone.
            Ok(Err(error)) if is_stale(&error) => return None,
            Ok(Err(error)) => return Some(Err(error)),
            Err(_) => return Some(Err(io::ErrorKind::TimedOut.into())),
        };
        let talk = async {
            stream.write_all(format!("{request}\n").as_bytes()).await?;
            line(&mut stream, ANSWER).await
        };
        Some(talk.await)
    });
    futures::future::join_all(asked).await.into_iter().flatten().collect()
}

fn is_stale(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::bounded_server::AT_ONCE;

    fn echo() -> Answers {
        Arc::new(|line| Box::pin(async move { format!("heard {line}") }))
    }

    async fn asked(folder: &Path, request: &str) -> Vec<Option<String>> {
        let answers = ask(&[folder.to_owned()], "matter", request).await;
        answers.into_iter().map(Result::ok).collect()
    }

    #[tokio::test]
    async fn a_line_is_answered_and_only_this_user_may_ask() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("sockets");
        assert_eq!(asked(&folder, "a").await, []);
        let socket = listen(&folder, "matter", echo()).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&socket.path)), (0o700, 0o600));
        assert_eq!(asked(&folder, "a").await, [Some("heard a".to_owned())]);
        assert_eq!(ask(std::slice::from_ref(&folder), "other", "a").await.len(), 0);
        drop(socket);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "it is taken away");
    }

    #[tokio::test]
    async fn stale_sockets_are_replaced_and_other_files_stay() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        for path in [folder.join("matter-4000000"), own_path(folder, "matter")] {
            drop(std::os::unix::net::UnixListener::bind(path).unwrap());
        }
        fs::write(folder.join("matter-notes"), "").unwrap();
        assert_eq!(asked(folder, "a").await, [], "no process listens");
        let _socket = listen(folder, "matter", echo()).unwrap();
        assert_eq!(asked(folder, "a").await, [Some("heard a".to_owned())]);
        assert_eq!(fs::read_dir(folder).unwrap().count(), 2);
    }

    #[tokio::test]
    async fn hostile_clients_block_none() {
        let folder = tempfile::tempdir().unwrap();
        let socket = listen(folder.path(), "matter", echo()).unwrap();
        let mut silent = Vec::new();
        for _ in 0..3 * AT_ONCE {
            silent.push(UnixStream::connect(&socket.path).await.unwrap());
        }
        let mut endless = UnixStream::connect(&socket.path).await.unwrap();
        let _ = endless.write_all(&vec![b'x'; REQUEST + 8192]).await;
        let mut rest = Vec::new();
        let _ = endless.read_to_end(&mut rest).await;
        assert_eq!(rest, b"", "a line without an end has no answer");
        let asked = timeout(PATIENCE / 2, asked(folder.path(), "a")).await;
        assert_eq!(asked.expect("no silent one is waited for"), [Some("heard a".to_owned())]);
    }

    #[tokio::test]
    async fn many_that_ask_at_once_are_all_answered() {
        let folder = tempfile::tempdir().unwrap();
        let _socket = listen(folder.path(), "matter", echo()).unwrap();
        let all = (0..3 * AT_ONCE).map(|_| asked(folder.path(), "a"));
        let all = futures::future::join_all(all).await;
        assert!(all.iter().all(|answer| *answer == [Some("heard a".to_owned())]), "{all:?}");
    }

    #[tokio::test]
    async fn whoever_waits_for_an_answer_makes_no_room_for_others() {
        let folder = tempfile::tempdir().unwrap();
        let (ask, asks) = tokio::sync::oneshot::channel::<()>();
        let (ask, asks) = (std::sync::Mutex::new(Some(ask)), std::sync::Mutex::new(Some(asks)));
        let answers: Answers = Arc::new(move |line| match line.as_str() {
            "end" => {
                ask.lock().unwrap().take();
                Box::pin(async { "ended".to_owned() })
            }
            _ => {
                let asks = asks.lock().unwrap().take();
                Box::pin(async move {
                    let _ = asks.unwrap().await;
                    "waited".to_owned()
                })
            }
        });
        let socket = listen(folder.path(), "matter", answers).unwrap();
        let waits = asked(folder.path(), "wait");
        let rest = async {
            let mut silent = Vec::new();
            for _ in 0..3 * AT_ONCE {
                silent.push(UnixStream::connect(&socket.path).await.unwrap());
            }
            asked(folder.path(), "end").await
        };
        let both = futures::future::join(waits, rest).await;
        assert_eq!(both, ([Some("waited".to_owned())].into(), [Some("ended".to_owned())].into()));
    }

    #[tokio::test]
    async fn a_path_that_is_too_long_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("x".repeat(LONGEST_PATH));
        let error = listen(&folder, "matter", echo()).unwrap_err();
        assert!(error.to_string().ends_with("is too long"), "{error}");
    }
}
