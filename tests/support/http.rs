//! A real `git http-backend` behind a small HTTP server, with or without TLS and a password.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine;

use super::tls;

/// Serves the repositories of one folder for as long as the tests run.
pub struct GitServer {
    port: u16,
    authority: Option<String>,
    requests: Arc<AtomicUsize>,
    bytes: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<Seen>>>,
    refusal: Refusal,
}

/// The refusal of this moment.
type Refusal = Arc<Mutex<Option<Refused>>>;

/// What a server refuses, and how.
#[derive(Clone)]
struct Refused {
    /// Whether the first request of a fetch is answered.
    only_posts: bool,
    /// The status and the headers of the answer.
    answer: String,
}

/// A request, as far as tests ask for it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    /// In lower case.
    pub headers: Vec<(String, String)>,
}

impl Seen {
    /// The value of a header, whose name is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Which requests are sent on, and where to: what the target begins with, and what comes instead.
pub type Redirect = (String, String);

/// How to serve.
#[derive(Clone, Default)]
struct Manner {
    root: PathBuf,
    password: Option<String>,
    tls: Option<Arc<rustls::ServerConfig>>,
    requests: Arc<AtomicUsize>,
    bytes: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<Seen>>>,
    refusal: Refusal,
    redirect: Option<Redirect>,
    /// Whether only what is posted is sent on.
    only_posts: bool,
}

impl GitServer {
    /// Plain HTTP, open to everybody.
    pub fn http(root: &Path) -> Self {
        Self::start(Manner { root: root.to_owned(), ..Manner::default() }, None)
    }

    /// Plain HTTP, open to who has `user:password`.
    pub fn http_with_password(root: &Path, password: &str) -> Self {
        let password = Some(password.to_owned());
        Self::start(Manner { root: root.to_owned(), password, ..Manner::default() }, None)
    }

    /// HTTPS with a certificate of an authority that nobody knows. With `user:password`, only who
    /// has them is let in.
    pub fn https(root: &Path, password: Option<&str>) -> Self {
        let (tls, ca_pem) = tls::localhost();
        let manner = Manner {
            root: root.to_owned(),
            password: password.map(str::to_owned),
            tls: Some(tls),
            ..Manner::default()
        };
        Self::start(manner, Some(ca_pem))
    }

    /// HTTPS for who shows a certificate of its authority; with one, and its key, as PEM.
    pub fn https_with_client_certificate(root: &Path) -> (Self, tls::Client) {
        let (tls, ca_pem, client) = tls::localhost_with_client();
        let manner = Manner { root: root.to_owned(), tls: Some(tls), ..Manner::default() };
        (Self::start(manner, Some(ca_pem)), client)
    }

    /// HTTPS that sends on what begins with one path, before it asks for any password.
    pub fn https_redirecting(root: &Path, password: Option<&str>, redirect: Redirect) -> Self {
        let (tls, ca_pem) = tls::localhost();
        let manner = Manner {
            root: root.to_owned(),
            password: password.map(str::to_owned),
            tls: Some(tls),
            redirect: Some(redirect),
            ..Manner::default()
        };
        Self::start(manner, Some(ca_pem))
    }

    /// Plain HTTP that answers the first request and sends on what is posted then.
    pub fn http_redirecting_posts(root: &Path, redirect: Redirect) -> Self {
        let redirect = Some(redirect);
        let manner =
            Manner { root: root.to_owned(), redirect, only_posts: true, ..Manner::default() };
        Self::start(manner, None)
    }

    fn start(manner: Manner, authority: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (requests, seen) = (manner.requests.clone(), manner.seen.clone());
        let (bytes, refusal) = (manner.bytes.clone(), manner.refusal.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let manner = manner.clone();
                // Whoever hangs up in the middle is no concern of the server's.
                thread::spawn(move || manner.serve(stream));
            }
        });
        Self { port, authority, requests, bytes, seen, refusal }
    }

    /// The URL of a repository in the folder.
    pub fn url(&self, name: &str) -> String {
        let scheme = if self.authority.is_some() { "https" } else { "http" };
        format!("{scheme}://localhost:{}/{name}", self.port)
    }

    /// The certificate of the authority, as PEM.
    pub fn authority(&self) -> &str {
        self.authority.as_deref().unwrap()
    }

    /// Refuses every request from now on, with this status and header, as in
    /// `503 Service Unavailable\r\nRetry-After: 5`.
    pub fn refuse(&self, answer: &str) {
        *self.refusal.lock().unwrap() =
            Some(Refused { only_posts: false, answer: answer.to_owned() });
    }

    /// Refuses what is posted from now on, as a server that fails in the middle of a fetch.
    pub fn refuse_posts(&self, answer: &str) {
        *self.refusal.lock().unwrap() =
            Some(Refused { only_posts: true, answer: answer.to_owned() });
    }

    /// Serves again.
    pub fn recover(&self) {
        *self.refusal.lock().unwrap() = None;
    }

    /// Every request so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// How many bytes of bodies went in both directions so far.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// How many requests came so far.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

impl Manner {
    fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        match &self.tls {
            None => self.answer(stream),
            Some(config) => {
                let connection = rustls::ServerConnection::new(config.clone()).unwrap();
                self.answer(rustls::StreamOwned::new(connection, stream))
            }
        }
    }

    /// Answers one request after the other.
    fn answer(&self, stream: impl Read + Write) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        while let Some(request) = Request::read(&mut stream)? {
            self.requests.fetch_add(1, Ordering::Relaxed);
            let (method, headers) = (request.method.clone(), request.headers.clone());
            self.seen.lock().unwrap().push(Seen { method, headers });
            let refusal = self.refusal.lock().unwrap().clone();
            if let Some(Refused { only_posts, answer }) = refusal
                && (!only_posts || request.method == "POST")
            {
                let head = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n");
                stream.get_mut().write_all(head.as_bytes())?;
                stream.get_mut().flush()?;
                continue;
            }
            if let Some((from, to)) = &self.redirect
                && let Some(rest) = request.target.strip_prefix(from.as_str())
                && (!self.only_posts || request.method == "POST")
            {
                let head = format!(
                    "HTTP/1.1 302 Found\r\nLocation: {to}{rest}\r\nContent-Length: 0\r\n\r\n"
                );
                stream.get_mut().write_all(head.as_bytes())?;
                stream.get_mut().flush()?;
                continue;
            }
            let wanted = self.password.as_ref().map(|password| {
                format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(password))
            });
            let response = match wanted {
                Some(wanted) if request.header("authorization") != Some(&wanted) => {
                    b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"git\"\r\n\
                      Content-Length: 0\r\n\r\n"
                        .to_vec()
                }
                _ => self.backend(&request)?,
            };
            stream.get_mut().write_all(&response)?;
            stream.get_mut().flush()?;
        }
        Ok(())
    }

    /// Runs the CGI program that comes with git.
    fn backend(&self, request: &Request) -> std::io::Result<Vec<u8>> {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let mut child = Command::new("git")
            .arg("http-backend")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_PROJECT_ROOT", &self.root)
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("REQUEST_METHOD", &request.method)
            .env("PATH_INFO", path)
            .env("QUERY_STRING", query)
            .env("CONTENT_TYPE", request.header("content-type").unwrap_or_default())
            .env("HTTP_CONTENT_ENCODING", request.header("content-encoding").unwrap_or_default())
            .env("GIT_PROTOCOL", request.header("git-protocol").unwrap_or_default())
            .env("CONTENT_LENGTH", request.body.len().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut input = child.stdin.take().unwrap();
        let body = request.body.clone();
        let writer = thread::spawn(move || input.write_all(&body));
        let output = child.wait_with_output()?.stdout;
        let _ = writer.join().unwrap();
        let end = output.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(output.len());
        let mut status = "200 OK".to_owned();
        let mut headers = String::new();
        for line in String::from_utf8_lossy(&output[..end]).lines() {
            match line.strip_prefix("Status: ") {
                Some(code) => code.clone_into(&mut status),
                None => headers.push_str(&format!("{line}\r\n")),
            }
        }
        let content = output.get(end + 4..).unwrap_or_default();
        self.bytes.fetch_add(request.body.len() + content.len(), Ordering::Relaxed);
        let length = content.len();
        let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n");
        Ok([head.as_bytes(), content].concat())
    }
}

struct Request {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    fn read(stream: &mut impl BufRead) -> std::io::Result<Option<Self>> {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let mut words = line.split_whitespace().map(str::to_owned);
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        // A proxy may pass on the whole URL.
        let target = match target.strip_prefix("http://").and_then(|rest| rest.find('/')) {
            Some(at) => target["http://".len() + at..].to_owned(),
            None => target,
        };
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line)?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.push((name.to_lowercase(), value.trim().to_owned()));
        }
        let mut request = Self { method, target, headers, body: Vec::new() };
        if request.header("transfer-encoding") == Some("chunked") {
            loop {
                let mut size = String::new();
                stream.read_line(&mut size)?;
                let size = u64::from_str_radix(size.trim(), 16).unwrap();
                stream.take(size).read_to_end(&mut request.body)?;
                stream.read_line(&mut String::new())?;
                if size == 0 {
                    break;
                }
            }
        } else if let Some(length) = request.header("content-length") {
            let length = length.parse().unwrap();
            stream.take(length).read_to_end(&mut request.body)?;
        }
        Ok(Some(request))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}
