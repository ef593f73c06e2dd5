//! The API server with somebody in between, who can do something at the very moment when a request
//! comes: `kubectl proxy` behind a socket of the test's own.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use super::command::Cmd;
use super::sandbox::Plane;

/// What is done when a request comes, before the server has it; it may answer in the server's place.
type Meddle = Arc<dyn Fn(&Heard) -> Option<String> + Send + Sync>;

/// A request that came by.
pub struct Recorded {
    /// Its method, path and query.
    pub line: String,
    /// The form of the answer that it asks for.
    pub accept: Option<String>,
    pub body: Vec<u8>,
}

/// Somebody in between, for as long as it lives.
pub struct Between {
    proxy: Child,
    folder: tempfile::TempDir,
}

impl Between {
    pub fn start(plane: &Plane, meddle: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self::answering(plane, move |line| {
            meddle(line);
            None
        })
    }

    /// Somebody who answers some requests in the server's place, with all that goes over the wire.
    pub fn answering(
        plane: &Plane,
        meddle: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self::hearing(plane, move |heard| meddle(heard.line()))
    }

    /// Keeps the first line and the body of each request.
    pub fn recording(plane: &Plane) -> (Self, Arc<Mutex<Vec<Recorded>>>) {
        let all = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&all);
        let between = Self::hearing(plane, move |heard| {
            let (line, body) = (heard.line().to_owned(), heard.body.clone());
            let accept = heard.header("accept");
            kept.lock().unwrap().push(Recorded { line, accept, body });
            None
        });
        (between, all)
    }

    fn hearing(
        plane: &Plane,
        meddle: impl Fn(&Heard) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        let (proxy, server) = door(plane, &plane.kubeconfig);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let meddle: Meddle = Arc::new(meddle);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (server, meddle) = (server.clone(), Arc::clone(&meddle));
                // Whoever hangs up in the middle is no concern of ours.
                thread::spawn(move || pass(stream, &server, &meddle));
            }
        });

        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("kubeconfig"), kubeconfig(&url)).unwrap();
        Self { proxy, folder }
    }

    /// The way to the server that leads past whoever is in between.
    pub fn kubeconfig(&self) -> PathBuf {
        Path::new(self.folder.path()).join("kubeconfig")
    }
}

impl Drop for Between {
    fn drop(&mut self) {
        let _ = self.proxy.kill();
        let _ = self.proxy.wait();
    }
}

/// A way into the server that asks for no credentials, and where it is.
pub(super) fn door(plane: &Plane, kubeconfig: &Path) -> (Child, String) {
    let mut proxy = Cmd::new(&plane.kubectl)
        .env("KUBECONFIG", kubeconfig)
        .args(["proxy", "--port=0"])
        .into_inner()
        .stdout(Stdio::piped())
        // It complains of every server that is gone, and of whoever hangs up.
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = String::new();
    BufReader::new(proxy.stdout.take().unwrap()).read_line(&mut said).unwrap();
    let server = said.trim().rsplit(' ').next().unwrap().to_owned();
    (proxy, server)
}

/// A kubeconfig that leads to `url`.
pub fn kubeconfig(url: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: between\n\
         clusters: [{{name: between, cluster: {{server: '{url}'}}}}]\n\
         users: [{{name: anybody, user: {{}}}}]\n\
         contexts: [{{name: between, context: {{cluster: between, user: anybody}}}}]\n"
    )
}

/// A way into the server that asks for no credentials, for as long as it lives.
pub struct Door {
    proxy: Child,
    /// Where it is: a host and a port, without TLS.
    pub server: String,
}

impl Door {
    pub fn open(plane: &Plane) -> Self {
        let (proxy, server) = door(plane, &plane.kubeconfig);
        Self { proxy, server }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        let _ = self.proxy.kill();
        let _ = self.proxy.wait();
    }
}

/// A request as it came, without its wish to keep the connection.
pub(super) struct Heard {
    head: Vec<String>,
    body: Vec<u8>,
}

impl Heard {
    /// Reads one; `None` where whoever connected had nothing to say.
    pub(super) fn read(stream: &mut impl BufRead) -> io::Result<Option<Self>> {
        let (mut head, mut length) = (Vec::new(), 0);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line)? == 0 {
                return Ok(None);
            }
            if line.trim().is_empty() {
                break;
            }
            match line.to_lowercase().split_once(':') {
                Some(("content-length", value)) => length = value.trim().parse().unwrap(),
                Some(("connection", _)) => continue,
                _ => {}
            }
            head.push(line);
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        Ok(Some(Self { head, body }))
    }

    /// Its first line.
    pub(super) fn line(&self) -> &str {
        self.head[0].trim()
    }

    /// What a header says; its name in lower case.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        self.head.iter().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            (key.to_lowercase() == name).then(|| value.trim().to_owned())
        })
    }

    pub(super) fn body(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// Sends it to the server, whose answer is to be read.
    pub(super) fn forward(&self, server: &str) -> io::Result<TcpStream> {
        let mut upstream = TcpStream::connect(server)?;
        write!(upstream, "{}Connection: close\r\n\r\n", self.head.concat())?;
        upstream.write_all(&self.body)?;
        Ok(upstream)
    }
}

/// Passes one request on, and its answer back.
fn pass(stream: TcpStream, server: &str, meddle: &Meddle) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let Some(heard) = Heard::read(&mut stream)? else { return Ok(()) };
    if let Some(answer) = meddle(&heard) {
        return stream.get_mut().write_all(answer.as_bytes());
    }
    io::copy(&mut heard.forward(server)?, stream.get_mut())?;
    Ok(())
}
