//! API servers whose answers have no end, or are larger than they look: through kube's own client,
//! with limits that are set low, and with those that hold everywhere.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;
use trueup::cluster::{Access, ApiError, Cluster, ResponseLimits};

use crate::support::between::kubeconfig;
use crate::support::objects::config;
use crate::support::repo::Repo;
use crate::support::sandbox;

/// An answer: its headers, and a piece of its body that comes so many times.
struct Answer {
    headers: String,
    piece: Vec<u8>,
    times: usize,
}

impl Answer {
    fn plain(piece: &[u8], times: usize) -> Self {
        Self { headers: String::new(), piece: piece.to_owned(), times }
    }

    /// So many spaces and something short, compressed to next to nothing.
    fn packed(spaces: usize) -> Self {
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        packer.write_all(&vec![b' '; spaces]).unwrap();
        packer.write_all(br#"{"items":[]}"#).unwrap();
        let headers = "Content-Encoding: gzip\r\n".to_owned();
        Self { headers, piece: packer.finish().unwrap(), times: 1 }
    }
}

/// A server that gives everybody the same answer.
struct Server {
    folder: tempfile::TempDir,
    sent: Arc<AtomicUsize>,
}

impl Server {
    fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let sent = Arc::new(AtomicUsize::new(0));
        let (answer, counted) = (Arc::new(answer), Arc::clone(&sent));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, sent) = (Arc::clone(&answer), Arc::clone(&counted));
                // Whoever hangs up in the middle is what is waited for.
                thread::spawn(move || drop(give(stream, &answer, &sent)));
            }
        });
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("kubeconfig"), kubeconfig(&url)).unwrap();
        Self { folder, sent }
    }

    fn kubeconfig(&self) -> std::path::PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// What discovery says of it.
    fn discovered(&self, limits: ResponseLimits) -> Result<(), ApiError> {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let access = Access {
            kubeconfig: Some(self.kubeconfig()),
            concurrency: 1,
            limits,
            ..Access::default()
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime
            .block_on(async { Cluster::connect(&access).await.unwrap().discover().await.map(drop) })
    }
}

fn give(mut stream: TcpStream, answer: &Answer, sent: &AtomicUsize) -> std::io::Result<()> {
    let mut heard = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    while heard.read_line(&mut line)? > 2 {
        line.clear();
    }
    let Answer { headers, piece, times } = answer;
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n{headers}\r\n"
    )?;
    for _ in 0..*times {
        stream.write_all(piece)?;
        sent.fetch_add(piece.len(), Ordering::Relaxed);
    }
    Ok(())
}

fn low() -> ResponseLimits {
    ResponseLimits { answer: 10_000, ..ResponseLimits::default() }
}

#[track_caller]
fn is_endless(answer: Result<(), ApiError>, limit: &str) {
    let error = answer.unwrap_err();
    assert!(matches!(error, ApiError::Endless { .. }), "{error}");
    assert!(error.to_string().ends_with(&format!(": it has more than {limit}")), "{error}");
}

#[test]
fn endless_answer_closes_the_connection() {
    // More than the buffers of the system hold.
    let server = Server::start(Answer::plain(&[b' '; 1 << 16], 1 << 10));
    is_endless(server.discovered(low()), "9 KiB");
    assert!(server.sent.load(Ordering::Relaxed) < 64 << 20);
}

#[test]
fn answer_limit_counts_decompressed_bytes() {
    assert_eq!(Server::start(Answer::packed(9_900)).discovered(low()), Ok(()));
    let server = Server::start(Answer::packed(10_000));
    is_endless(server.discovered(low()), "9 KiB");
    assert!(server.sent.load(Ordering::Relaxed) < 1000, "it came in a few bytes");
}

#[test]
fn the_limit_holds_for_every_verb_that_asks_a_server() {
    let server = Server::start(Answer::packed(33 << 20));
    let repo = Repo::new("endless-server", sandbox::bare());
    repo.write("a.yaml", config("a", "1")).commit("One");
    for verb in [&["diff"][..], &["apply", "--yes"], &["watch", "--once", "--no-pull"]] {
        let output = repo.trueup(verb).env("KUBECONFIG", server.kubeconfig()).run().exits(2);
        let said = ": it has more than 32 MiB";
        let is_said = output.stderr.contains(said) || output.stdout.contains(said);
        assert!(is_said, "{output}");
    }
}

/// A kubeconfig may come through a pipe, as a shell makes it of `<(…)`, and has an end.
#[test]
fn a_kubeconfig_comes_through_a_pipe_and_has_an_end() {
    let repo = Repo::new("endless-kubeconfig", sandbox::bare());
    repo.write("a.yaml", config("a", "1")).commit("One");
    let trueup = env!("CARGO_BIN_EXE_trueup");
    let script = format!("cat \"$KUBECONFIG\" | {trueup} diff --kubeconfig /dev/stdin");
    let diff = repo.trueup(&[]).shell(&script).run().exits(1);
    assert!(diff.stdout.contains("1 to create"), "{diff}");
    let endless = repo.run(&["diff", "--kubeconfig", "/dev/zero"]).exits(2);
    assert!(endless.stderr.contains("it has more than 16777216 bytes"), "{endless}");
}
