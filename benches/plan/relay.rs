//! A relay in front of the API server that counts the bytes that come from there, as they are on the wire.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::Value;

use super::Outcome;

pub struct Relay {
    folder: tempfile::TempDir,
    bytes: Arc<AtomicUsize>,
}

impl Relay {
    /// A relay in front of the server of `KUBECONFIG`.
    pub fn start() -> Outcome<Self> {
        #[allow(clippy::disallowed_methods, reason = "a benchmark has no configuration")]
        let kubeconfig = fs::read(std::env::var("KUBECONFIG")?)?;
        let mut kubeconfig: Value = serde_yaml::from_slice(&kubeconfig)?;
        let server = &mut kubeconfig["clusters"][0]["cluster"]["server"];
        let behind = server.as_str().and_then(|url| url.strip_prefix("https://"));
        let behind = behind.ok_or("no server with TLS")?.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0")?;
        *server = format!("https://{}", listener.local_addr()?).into();
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("kubeconfig"), kubeconfig.to_string())?;
        let bytes = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&bytes);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(&behind) else { return };
                let (Ok(from), Ok(to)) = (client.try_clone(), server.try_clone()) else { return };
                let counted = Arc::clone(&counted);
                thread::spawn(move || pass(from, to, &AtomicUsize::new(0)));
                thread::spawn(move || pass(server, client, &counted));
            }
        });
        Ok(Self { folder, bytes })
    }

    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// How many bytes came since it was asked last.
    pub fn take(&self) -> usize {
        self.bytes.swap(0, Ordering::Relaxed)
    }
}

/// Passes bytes on until one side is gone.
fn pass(mut from: TcpStream, mut to: TcpStream, counted: &AtomicUsize) {
    let mut bytes = [0; 16_384];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
        counted.fetch_add(count, Ordering::Relaxed);
    }
    for stream in [from, to] {
        // The other side may have closed it.
        let _ = stream.shutdown(Shutdown::Both);
    }
}
