//! Small proxies: HTTP's CONNECT and SOCKS 5, each open or with a password, and one that refuses. They
//! take every name to be this machine.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What a proxy asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Door {
    Open,
    /// The user bob, and the password that the cases give.
    Locked,
    Shut,
}

const USER: &str = "bob";
const PASSWORD: &str = "hunter2";

/// Starts a proxy for CONNECT; its address.
pub fn http(door: Door) -> String {
    serve(move |stream| connect(stream, door))
}

/// Starts a SOCKS proxy; its address.
pub fn socks(door: Door) -> String {
    serve(move |stream| socks_5(stream, door))
}

fn serve(answer: impl Fn(TcpStream) -> io::Result<()> + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let answer = answer.clone();
            // A client that goes away is no matter.
            thread::spawn(move || answer(stream).ok());
        }
    });
    address
}

fn connect(mut stream: TcpStream, door: Door) -> io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
        if !b"CONNECT ".starts_with(&head[..head.len().min(8)]) {
            return stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let login = format!("Basic {}", STANDARD.encode(format!("{USER}:{PASSWORD}")));
    let refusal = match door {
        Door::Shut => Some("403 Forbidden"),
        Door::Locked if !head.contains(&login) => Some("407 Proxy Authentication Required"),
        _ => None,
    };
    if let Some(status) = refusal {
        return write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
    }
    let port = head.split([' ', ':']).nth(2).and_then(|port| port.parse().ok()).unwrap_or(0);
    let server = TcpStream::connect(("127.0.0.1", port))?;
    stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    join(stream, server)
}

fn socks_5(mut stream: TcpStream, door: Door) -> io::Result<()> {
    let [version, count] = read(&mut stream)?;
    if version != 5 {
        return Ok(());
    }
    let methods = bytes(&mut stream, count)?;
    if door == Door::Locked {
        if !methods.contains(&2) {
            return stream.write_all(&[5, 255]);
        }
        stream.write_all(&[5, 2])?;
        let [_, length] = read(&mut stream)?;
        let user = bytes(&mut stream, length)?;
        let [length] = read(&mut stream)?;
        let password = bytes(&mut stream, length)?;
        if user != USER.as_bytes() || password != PASSWORD.as_bytes() {
            return stream.write_all(&[1, 1]);
        }
        stream.write_all(&[1, 0])?;
    } else {
        stream.write_all(&[5, 0])?;
    }
    let [_, _, _, kind] = read(&mut stream)?;
    let length = match kind {
        1 => 4,
        4 => 16,
        _ => read::<1>(&mut stream)?[0],
    };
    bytes(&mut stream, length)?;
    let port = u16::from_be_bytes(read(&mut stream)?);
    let server = TcpStream::connect(("127.0.0.1", port))?;
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
    join(stream, server)
}

fn read<const N: usize>(stream: &mut TcpStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn bytes(stream: &mut TcpStream, length: u8) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length.into()];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Hands on what either side says.
fn join(client: TcpStream, server: TcpStream) -> io::Result<()> {
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(std::net::Shutdown::Write);
    });
    let (mut from, mut to) = (server, client);
    let _ = io::copy(&mut from, &mut to);
    to.shutdown(std::net::Shutdown::Write)
}
