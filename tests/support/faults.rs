//! Somebody between trueup and the API server who makes things go wrong, at whichever request a
//! test says. What is to come of it is the test's.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use regex::{Captures, Regex};

use super::between::{Heard, door, kubeconfig};
use super::command::{Cmd, Output};
use super::sandbox::Plane;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The server answers with this status and has done nothing.
    Status(u16),
    /// The connection breaks before the server has the request.
    ResetBefore,
    /// The connection breaks after the server has acted.
    ResetAfter,
    /// The server acts, and its answer comes late.
    Delay,
    /// The server acts, and half its answer comes.
    Truncated,
    /// Something that is no API server answers, and all is well with it.
    Garbled,
    /// A list as it was once.
    Stale,
    /// The server's clock is so many seconds off.
    Skewed(i64),
    /// None: it is what the test does to the cluster meanwhile that matters.
    Meddled,
    /// trueup is killed before the server has the request.
    KillBefore,
    /// trueup is killed after the server has acted.
    KillAfter,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    /// Its path, without a query.
    pub path: String,
    pub query: String,
}

impl Seen {
    fn of(line: &str) -> Self {
        let mut words = line.split(' ').map(str::to_owned);
        let (method, target) = (words.next().unwrap(), words.next().unwrap_or_default());
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        Self { method, path: path.to_owned(), query: query.to_owned() }
    }

    /// Whether it changes anything but the inventory's lock and the record of the round.
    pub fn is_write(&self) -> bool {
        let is_lock = self.path.contains("/leases");
        let is_dry_run = self.query.contains("dryRun=All");
        self.method != "GET" && !is_dry_run && !is_lock && !self.is_of_record()
    }

    /// Whether it is about the record of a round: the history, an Event, or who ran it.
    pub fn is_of_record(&self) -> bool {
        let is_made = self.method == "POST"
            && ["/configmaps", "/events", "/selfsubjectreviews"]
                .iter()
                .any(|end| self.path.ends_with(end));
        is_made || self.path.ends_with(".history")
    }

    /// Whether it lists the members of an inventory.
    pub fn is_list(&self) -> bool {
        self.method == "GET"
            && self.query.contains("labelSelector=")
            && !self.query.contains("watch=")
    }
}

/// Says of each request what is to go wrong with it.
type Script = Box<dyn FnMut(&Seen) -> Option<Fault> + Send>;

/// What came of one command.
pub struct Run {
    pub output: Output,
    /// Every request, in the order in which they came.
    pub seen: Vec<Seen>,
    /// How many of them went wrong.
    pub struck: usize,
}

/// Somebody in between, for as long as it lives.
pub struct Faulty {
    door: Child,
    url: String,
    folder: tempfile::TempDir,
    line: Arc<Line>,
}

/// The line between the two.
struct Line {
    server: String,
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Default)]
struct State {
    script: Option<Script>,
    seen: Vec<Seen>,
    struck: usize,
    /// How many connections are open.
    open: usize,
    /// The command that is running.
    victim: Option<Arc<Mutex<Child>>>,
    /// It was killed: what it had on its way is lost.
    is_dead: bool,
    /// Lists as they were once.
    old: BTreeMap<String, Vec<u8>>,
    keeps_lists: bool,
}

/// What a connection says that wants to know when those before it have been taken.
const QUIET: &str = "QUIET";

impl Faulty {
    pub fn start(plane: &Plane) -> Self {
        Self::on_the_way_to(&plane.kubeconfig, plane)
    }

    /// One on the way to a server of a plane that has several.
    pub fn on_the_way_to(server: &Path, plane: &Plane) -> Self {
        let (door, server) = door(plane, server);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = listener.local_addr().unwrap().to_string();
        let line = Arc::new(Line { server, state: Mutex::default(), moved: Condvar::new() });
        let here = Arc::clone(&line);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                here.state.lock().unwrap().open += 1;
                let here = Arc::clone(&here);
                thread::spawn(move || {
                    // Whoever hangs up in the middle is no concern of ours.
                    let _ = here.pass(stream);
                    here.state.lock().unwrap().open -= 1;
                    here.moved.notify_all();
                });
            }
        });
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("kubeconfig"), kubeconfig(&format!("http://{url}"))).unwrap();
        Self { door, url, folder, line }
    }

    /// The way to the server.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// Keeps the lists that come from now on, or no longer, as [`Fault::Stale`]'s answers.
    pub fn keep_lists(&self, keep: bool) {
        self.line.state.lock().unwrap().keeps_lists = keep;
    }

    /// Where it listens: a host and a port, without TLS.
    pub fn address(&self) -> &str {
        &self.url
    }

    /// Says what is to go wrong from now on, for a command that is not run to its end.
    pub fn disturb(&self, script: impl FnMut(&Seen) -> Option<Fault> + Send + 'static) {
        let mut state = self.line.state.lock().unwrap();
        state.script = Some(Box::new(script));
        state.seen.clear();
    }

    /// Runs a command, and returns when it has ended and all that it sent has come to its end too.
    pub fn run(
        &self,
        cmd: Cmd,
        script: impl FnMut(&Seen) -> Option<Fault> + Send + 'static,
    ) -> Run {
        {
            let mut state = self.line.state.lock().unwrap();
            state.script = Some(Box::new(script));
            state.is_dead = false;
        }
        let mut command = cmd.env("KUBECONFIG", self.kubeconfig()).into_inner();
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let victim = Arc::new(Mutex::new(child));
        self.line.state.lock().unwrap().victim = Some(Arc::clone(&victim));
        self.line.moved.notify_all();
        let stderr = thread::spawn(move || read(stderr));
        let (stdout, stderr) = (read(stdout), stderr.join().unwrap());
        let status = victim.lock().unwrap().wait().unwrap().code();
        self.quiet();
        let mut state = self.line.state.lock().unwrap();
        (state.script, state.victim) = (None, None);
        let (seen, struck) = (std::mem::take(&mut state.seen), std::mem::take(&mut state.struck));
        Run { output: Output { stdout, stderr, status, ..Output::default() }, seen, struck }
    }

    /// Waits until nothing is on its way any more.
    fn quiet(&self) {
        // Connections are taken in the order in which they were made.
        let mut last = TcpStream::connect(&self.url).unwrap();
        write!(last, "{QUIET}\r\n\r\n").unwrap();
        io::copy(&mut last, &mut io::sink()).unwrap();
        let state = self.line.state.lock().unwrap();
        drop(self.line.moved.wait_while(state, |state| state.open > 0).unwrap());
    }
}

impl Drop for Faulty {
    fn drop(&mut self) {
        let _ = self.door.kill();
        let _ = self.door.wait();
    }
}

impl Line {
    /// Passes one request on, and its answer back, or does not.
    fn pass(&self, stream: TcpStream) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        let Some(heard) = Heard::read(&mut stream)? else { return Ok(()) };
        if heard.line() == QUIET {
            return Ok(());
        }
        let seen = Seen::of(heard.line());
        let Some(fault) = self.take(&seen) else { return Ok(()) };
        let old = || self.state.lock().unwrap().old.get(&seen.path).cloned();
        match fault {
            Some(Fault::KillBefore) => return self.kill(),
            Some(Fault::ResetBefore) => return reset(stream.get_ref()),
            Some(Fault::Status(code)) => return stream.get_mut().write_all(&refusal(code)),
            Some(Fault::Garbled) => return stream.get_mut().write_all(GARBLED.as_bytes()),
            Some(Fault::Stale) if let Some(old) = old() => return stream.get_mut().write_all(&old),
            _ => {}
        }
        let mut upstream = heard.forward(&self.server)?;
        if seen.query.contains("watch=") && fault.is_none() {
            return watch(upstream, stream.get_ref());
        }
        let mut answer = Vec::new();
        let is_cut = matches!(fault, Some(Fault::KillAfter | Fault::ResetAfter));
        if seen.query.contains("watch=") && is_cut {
            // The server has acted once its answer begins; the end is minutes away.
            upstream.read_exact(&mut [0])?;
        } else {
            upstream.read_to_end(&mut answer)?;
        }
        match fault {
            Some(Fault::KillAfter) => return self.kill(),
            Some(Fault::ResetAfter) => return reset(stream.get_ref()),
            Some(Fault::Delay) => thread::sleep(Duration::from_secs(1)),
            Some(Fault::Truncated) => answer.truncate(half(&answer)),
            Some(Fault::Skewed(seconds)) => answer = skewed(&answer, seconds),
            _ => {}
        }
        {
            let mut state = self.state.lock().unwrap();
            if state.keeps_lists && seen.is_list() {
                state.old.insert(seen.path, answer.clone());
            }
        }
        stream.get_mut().write_all(&answer)
    }

    /// Notes a request and asks what is to go wrong with it; `None` where nobody waits for it.
    fn take(&self, seen: &Seen) -> Option<Option<Fault>> {
        let mut state = self.state.lock().unwrap();
        if state.is_dead {
            return None;
        }
        state.seen.push(seen.clone());
        let fault = state.script.as_mut().and_then(|script| script(seen));
        state.struck += usize::from(fault.is_some());
        state.is_dead = matches!(fault, Some(Fault::KillBefore | Fault::KillAfter));
        Some(fault)
    }

    fn kill(&self) -> io::Result<()> {
        let state = self.state.lock().unwrap();
        let state = self.moved.wait_while(state, |state| state.victim.is_none()).unwrap();
        let victim = Arc::clone(state.victim.as_ref().unwrap());
        drop(state);
        victim.lock().unwrap().kill()
    }
}

/// Passes on an answer that has no end, until one of the two is gone. Who is killed leaves a server
/// that says nothing for minutes.
fn watch(mut server: TcpStream, mut client: &TcpStream) -> io::Result<()> {
    server.set_read_timeout(Some(Duration::from_millis(50)))?;
    client.set_read_timeout(Some(Duration::from_millis(1)))?;
    let mut part = [0; 4096];
    let is_late = |error: &io::Error| {
        matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
    };
    loop {
        match server.read(&mut part) {
            Ok(0) => return Ok(()),
            Ok(length) => client.write_all(&part[..length])?,
            Err(error) if !is_late(&error) => return Err(error),
            // Nothing more comes from a client than its end.
            Err(_) => match client.peek(&mut [0]) {
                Err(error) if is_late(&error) => {}
                _ => return Ok(()),
            },
        }
    }
}

/// Breaks a connection instead of closing it.
fn reset(stream: &TcpStream) -> io::Result<()> {
    socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO))
}

/// The middle of an answer's body, or of its head where it has none.
fn half(answer: &[u8]) -> usize {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |at| at + 4);
    if end == answer.len() { end / 2 } else { (end + answer.len()) / 2 }
}

/// An answer of a server whose clock is off: whatever time it has set itself is another.
fn skewed(answer: &[u8], seconds: i64) -> Vec<u8> {
    let set = r#"("(?:creationTimestamp|time|lastTransitionTime)": ?")([^"]+)""#;
    let set = Regex::new(set).unwrap();
    let text = String::from_utf8_lossy(answer);
    let shift = |found: &Captures<'_>| {
        let time: Timestamp = found[2].parse().unwrap();
        format!("{}{}\"", &found[1], time + SignedDuration::from_secs(seconds))
    };
    let text = set.replace_all(&text, shift);
    let date = Regex::new("(?m)^Date: .*\r$").unwrap();
    let now = Timestamp::now() + SignedDuration::from_secs(seconds);
    let now = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    date.replace(&text, format!("Date: {now}\r").as_str()).into_owned().into_bytes()
}

/// An answer with a status of the server's.
fn refusal(code: u16) -> Vec<u8> {
    let body = format!(
        r#"{{"kind":"Status","apiVersion":"v1","status":"Failure","code":{code},"reason":"Passing","message":"the one with {code}"}}"#
    );
    let after = if code == 429 { "Retry-After: 1\r\n" } else { "" };
    format!(
        "HTTP/1.1 {code} Passing\r\n{after}Content-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// What a hotel's network says of everything.
const GARBLED: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 20\r\n\
                       Connection: close\r\n\r\n<html>Welcome</html>";

fn read(mut from: impl Read) -> String {
    let mut text = Vec::new();
    from.read_to_end(&mut text).unwrap();
    String::from_utf8_lossy(&text).into_owned()
}
