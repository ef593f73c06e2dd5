//! A server of further kinds behind an API server: a second control plane, whose definitions are
//! the kinds, and somebody at its door who speaks TLS and lets the first one in.

use std::io::{self, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread;

use super::between::{Heard, door};
use super::sandbox::Plane;
use super::tls;

/// The control plane in front, which is no other test's: a server that does not answer shows in
/// what everybody is told.
#[track_caller]
pub fn front() -> &'static Plane {
    static PLANE: LazyLock<Result<Plane, String>> = LazyLock::new(|| Plane::start(&[]));
    PLANE.as_ref().unwrap_or_else(|reason| panic!("no sandbox: {reason}"))
}

/// The one behind it.
#[track_caller]
pub fn behind() -> &'static Plane {
    static PLANE: LazyLock<Result<Plane, String>> = LazyLock::new(|| Plane::start(&[]));
    PLANE.as_ref().unwrap_or_else(|reason| panic!("no sandbox: {reason}"))
}

/// The way to the server, for as long as it lives.
pub struct Server {
    door: Child,
    port: u16,
    answers: Arc<AtomicBool>,
}

impl Server {
    /// A server that answers, or does not do so yet.
    pub fn start(answers: bool) -> Self {
        let (door, server) = door(behind(), &behind().kubeconfig);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let answers = Arc::new(AtomicBool::new(answers));
        let ((tls, _), is_open) = (tls::localhost(), Arc::clone(&answers));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if is_open.load(Ordering::Relaxed) {
                    let (tls, server) = (Arc::clone(&tls), server.clone());
                    // Whoever hangs up in the middle is no concern of ours.
                    thread::spawn(move || pass(stream, tls, &server));
                }
            }
        });
        Self { door, port, answers }
    }

    /// From now on it answers, or no longer.
    pub fn answers(&self, yes: bool) {
        self.answers.store(yes, Ordering::Relaxed);
    }

    /// A Service that leads to it, and an APIService for the first version of a group.
    pub fn manifests(&self, namespace: &str, group: &str) -> (String, String) {
        let service = format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: server, namespace: {namespace}}}\n\
             spec: {{type: ExternalName, externalName: localhost, selector: {{app: web}}}}\n"
        );
        let api_service = format!(
            "apiVersion: apiregistration.k8s.io/v1\nkind: APIService\nmetadata: {{name: v1.{group}}}\nspec:\n  \
             group: {group}\n  version: v1\n  groupPriorityMinimum: 1000\n  versionPriority: 10\n  \
             insecureSkipTLSVerify: true\n  service: {{namespace: {namespace}, name: server, port: {}}}\n",
            self.port
        );
        (service, api_service)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.door.kill();
        let _ = self.door.wait();
    }
}

/// Passes one request on, and its answer back.
fn pass(stream: TcpStream, tls: Arc<rustls::ServerConfig>, server: &str) -> io::Result<()> {
    let connection = rustls::ServerConnection::new(tls).unwrap();
    let mut stream = BufReader::new(rustls::StreamOwned::new(connection, stream));
    let Some(heard) = Heard::read(&mut stream)? else { return Ok(()) };
    io::copy(&mut heard.forward(server)?, stream.get_mut())?;
    stream.get_mut().conn.send_close_notify();
    stream.get_mut().flush()
}
