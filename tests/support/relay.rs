//! A relay of bytes in front of an API server, which sees no more than connections: TLS goes through it.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fs, thread};

use serde_json::Value;

use super::sandbox::Plane;

/// The relay, for as long as the test process lives.
pub struct Relay {
    folder: tempfile::TempDir,
    connections: Arc<AtomicUsize>,
    is_cut: Arc<AtomicBool>,
    is_down: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Relay {
    /// A relay that passes everything on, until its cable is pulled.
    pub fn start(plane: &Plane) -> Self {
        Self::cutting(plane, Vec::new())
    }

    /// From now on nothing comes through, and no one is told; or everything does again.
    pub fn cut(&self, is_cut: bool) {
        self.is_cut.store(is_cut, Ordering::SeqCst);
    }

    /// From now on the server seems to be gone: connections break, and no new one is served; or all is well
    /// again.
    pub fn down(&self, is_down: bool) {
        let mut open = self.open.lock().unwrap();
        self.is_down.store(is_down, Ordering::SeqCst);
        for stream in open.drain(..) {
            // It may be gone already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// A relay that cuts each of the first connections after so many bytes of the server's.
    pub fn cutting(plane: &Plane, after: Vec<usize>) -> Self {
        let kubeconfig = fs::read_to_string(&plane.kubeconfig).unwrap();
        let mut kubeconfig: Value = serde_yaml::from_str(&kubeconfig).unwrap();
        let server = &mut kubeconfig["clusters"][0]["cluster"]["server"];
        let behind = server.as_str().unwrap().strip_prefix("https://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        *server = format!("https://{}", listener.local_addr().unwrap()).into();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("kubeconfig"), kubeconfig.to_string()).unwrap();

        let connections = Arc::new(AtomicUsize::new(0));
        let is_cut = Arc::new(AtomicBool::new(false));
        let (is_down, open) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let (counted, cable) = (Arc::clone(&connections), Arc::clone(&is_cut));
        let (down, opened): (_, Arc<Mutex<Vec<TcpStream>>>) =
            (Arc::clone(&is_down), Arc::clone(&open));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let mut opened = opened.lock().unwrap();
                // Nothing goes down while this is known.
                if down.load(Ordering::SeqCst) {
                    continue;
                }
                opened.push(client.try_clone().unwrap());
                drop(opened);
                let limit = after.get(counted.fetch_add(1, Ordering::Relaxed)).copied();
                let server = TcpStream::connect(&behind).unwrap();
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let [there, back] = [&cable, &cable].map(Arc::clone);
                thread::spawn(move || pass(from, to, usize::MAX, &there));
                thread::spawn(move || pass(server, client, limit.unwrap_or(usize::MAX), &back));
            }
        });
        Self { folder, connections, is_cut, is_down, open }
    }

    /// The way to the server through the relay.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

/// Passes bytes on until one side is gone, or so many are through. While the cable is pulled they wait, as
/// those do that are sent again later.
fn pass(mut from: TcpStream, mut to: TcpStream, limit: usize, is_cut: &AtomicBool) {
    let (mut bytes, mut left) = ([0; 4096], limit);
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        while is_cut.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(10));
        }
        if to.write_all(&bytes[..count.min(left)]).is_err() || count >= left {
            break;
        }
        left -= count;
    }
    for stream in [from, to] {
        // It may be gone already.
        let _ = stream.shutdown(Shutdown::Both);
    }
}
