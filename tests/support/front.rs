//! A server of TLS in front of another one, as a load balancer is.

use std::io::{self, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::between::Heard;

/// A server whose TLS ends here: what is asked of it goes to another one, without TLS.
pub struct Front {
    pub url: String,
    connections: Arc<AtomicUsize>,
}

impl Front {
    /// Begins to serve. Without a server behind it every request is left without an answer.
    pub fn start(tls: Arc<ServerConfig>, behind: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::Relaxed);
                let (tls, behind) = (Arc::clone(&tls), behind.clone());
                // A handshake that fails is what most of the tests want.
                thread::spawn(move || serve(stream, tls, behind.as_deref()));
            }
        });
        Self { url, connections }
    }

    /// How many connections were made to it.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

fn serve(stream: TcpStream, tls: Arc<ServerConfig>, behind: Option<&str>) -> io::Result<()> {
    let connection = ServerConnection::new(tls).map_err(io::Error::other)?;
    let mut stream = BufReader::new(StreamOwned::new(connection, stream));
    let heard = match Heard::read(&mut stream) {
        Ok(heard) => heard,
        Err(error) => {
            // The alert is on its way: a connection that is closed at once may lose it.
            let _ = io::copy(&mut stream.get_mut().sock, &mut io::sink());
            return Err(error);
        }
    };
    let (Some(heard), Some(behind)) = (heard, behind) else { return Ok(()) };
    io::copy(&mut heard.forward(behind)?, stream.get_mut())?;
    stream.get_mut().conn.send_close_notify();
    stream.get_mut().flush()
}
