//! Alertmanager and a mail server themselves, each of one release, built once.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use super::built;

/// The folder that holds them.
#[track_caller]
fn folder() -> PathBuf {
    static FOLDER: LazyLock<Result<PathBuf, String>> = LazyLock::new(|| built::folder("receivers"));
    let folder = FOLDER.as_ref();
    folder.unwrap_or_else(|reason| panic!("no programs to send to: {reason}")).clone()
}

/// A running program, which ends with the test.
pub struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The mail server with these flags, and its port.
#[track_caller]
pub fn mail_server(flags: &[&str]) -> (Running, u16) {
    let mut command = Command::new(folder().join("smtp"));
    command.args(flags).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let running = Running(child);
    (running, line.trim().parse().unwrap())
}

/// Alertmanager with these flags, and the port that it took.
#[track_caller]
pub fn alertmanager(flags: &[&str]) -> (Running, u16) {
    let mut command = Command::new(folder().join("alertmanager"));
    command.args(["--web.listen-address=127.0.0.1:0", "--cluster.listen-address="]).args(flags);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let running = Running(child);
    let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
        let address = line.split_once("Listening on")?.1.split_once("address=")?.1;
        address.split_whitespace().next()?.rsplit_once(':')?.1.trim_matches('"').parse().ok()
    });
    // Whoever closes the pipe ends the program.
    std::thread::spawn(move || lines.for_each(drop));
    (running, port.expect("it says where it listens"))
}
