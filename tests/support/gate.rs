//! A gate of bytes in front of a server: a test shuts it, slows it, or cuts what goes through.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A gate, for as long as the test process lives.
pub struct Gate {
    port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// The host and port behind it; `None` where nobody answers.
    behind: Option<String>,
    /// How long each piece of an answer takes.
    delay: Duration,
    /// Both ends of what is open.
    open: Vec<[TcpStream; 2]>,
}

impl Gate {
    /// An open one.
    pub fn to(behind: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let behind = Some(behind.to_owned());
        let state = Arc::new(Mutex::new(State { behind, ..State::default() }));
        let here = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let behind = here.lock().unwrap().behind.clone();
                let Some(server) = behind.and_then(|it| TcpStream::connect(it).ok()) else {
                    continue;
                };
                let _ = client.set_nodelay(true).and_then(|()| server.set_nodelay(true));
                let ends = || [&client, &server].map(|end| end.try_clone().unwrap());
                let ([from, to], kept) = (ends(), ends());
                {
                    let open = &mut here.lock().unwrap().open;
                    open.retain(|[client, _]| client.peer_addr().is_ok());
                    open.push(kept);
                }
                thread::spawn(move || pass(from, to, Duration::default));
                let here = Arc::clone(&here);
                thread::spawn(move || pass(server, client, || here.lock().unwrap().delay));
            }
        });
        Self { port, state }
    }

    /// Where it is.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Leads new connections here, or nowhere, and cuts those that there are.
    pub fn lead(&self, behind: Option<&str>) {
        self.state.lock().unwrap().behind = behind.map(str::to_owned);
        self.cut();
    }

    /// Has each piece of an answer take so long.
    pub fn slow(&self, delay: Duration) {
        self.state.lock().unwrap().delay = delay;
    }

    /// Breaks what is open.
    pub fn cut(&self) {
        for end in std::mem::take(&mut self.state.lock().unwrap().open).into_iter().flatten() {
            // It may be gone already.
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}

/// Passes bytes on until one side is gone.
fn pass(mut from: TcpStream, mut to: TcpStream, delay: impl Fn() -> Duration) {
    let mut bytes = [0; 16_384];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        thread::sleep(delay());
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    for end in [from, to] {
        let _ = end.shutdown(Shutdown::Both);
    }
}
