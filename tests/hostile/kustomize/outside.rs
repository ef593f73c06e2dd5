//! A service of this machine that nothing should ask.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Listens on loopback, and counts who comes.
pub struct Listener {
    port: u16,
    seen: Arc<AtomicUsize>,
}

impl Listener {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                count.fetch_add(1, Ordering::SeqCst);
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(
                    b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                );
            }
        });
        Self { port, seen }
    }

    /// The address of something that it might have.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/x.yaml", self.port)
    }

    /// How many came since it was asked last.
    pub fn visits(&self) -> usize {
        self.seen.swap(0, Ordering::SeqCst)
    }
}
