//! Takes in the POST requests of webhooks: as little HTTP as that takes.
//!
//! Anyone may send them. A request has a bound for its head, its body, its time and its number at once, and
//! a connection is closed after its answer. What a request means is not decided here.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::bounded_server;

/// The most bytes of a request's head.
const HEAD: usize = 16 << 10;
/// How long a request may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The headers of a request, by their names in lower case.
type Headers = BTreeMap<String, String>;

/// Takes a request, and gives the status code: 202, 400, 401 or 503.
pub type Takes = Arc<dyn Fn(&Headers, &[u8]) -> u16 + Send + Sync>;

/// Listens at `address` from now on, for bodies of at most so many bytes.
///
/// # Errors
///
/// When another program listens there, or the address is not of this machine.
pub async fn listen(address: SocketAddr, most: usize, takes: Takes) -> io::Result<SocketAddr> {
    bounded_server::listen(address, PATIENCE, move |stream| {
        let takes = Arc::clone(&takes);
        async move { answer(stream, most, &takes).await }
    })
    .await
}

/// Reads a request and answers it.
async fn answer(mut stream: TcpStream, most: usize, takes: &Takes) -> io::Result<()> {
    let code = match request(&mut stream, most).await? {
        Ok((headers, body)) => takes(&headers, &body),
        Err(code) => code,
    };
    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::BAD_REQUEST);
    let text = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await
}

/// Reads a request whole, or the status code that refuses it.
async fn request(
    stream: &mut TcpStream,
    most: usize,
) -> io::Result<Result<(Headers, Vec<u8>), u16>> {
    let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|end| end == b"\r\n\r\n") {
            break end;
        }
        if bytes.len() > HEAD {
            return Ok(Err(431));
        }
        let length = stream.read(&mut part).await?;
        if length == 0 {
            return Ok(Err(400));
        }
        bytes.extend_from_slice(&part[..length]);
    };
    let (headers, length) = match head(&bytes[..end]) {
        Ok(head) => head,
        Err(code) => return Ok(Err(code)),
    };
    if length > most {
        return Ok(Err(413));
    }
    let mut body = bytes.split_off(end + 4);
    if headers.get("expect").is_some_and(|it| it.eq_ignore_ascii_case("100-continue")) {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    while body.len() < length {
        let read = stream.read(&mut part).await?;
        if read == 0 {
            return Ok(Err(400));
        }
        body.extend_from_slice(&part[..read]);
    }
    body.truncate(length);
    Ok(Ok((headers, body)))
}

/// The headers, and the length of the body.
fn head(bytes: &[u8]) -> Result<(Headers, usize), u16> {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.split("\r\n");
    if lines.next().and_then(|line| line.split(' ').next()) != Some("POST") {
        return Err(405);
    }
    let mut headers = Headers::new();
    for line in lines {
        let (name, value) = line.split_once(':').ok_or(400_u16)?;
        let (name, value) = (name.to_lowercase(), value.trim().to_owned());
        // Two lengths could be read as either. Of any other name the first counts.
        if headers.contains_key(&name) && name == "content-length" {
            return Err(400);
        }
        headers.entry(name).or_insert(value);
    }
    if headers.contains_key("transfer-encoding") {
        return Err(411);
    }
    let length = headers.get("content-length").ok_or(411_u16)?;
    let length = length.parse().map_err(|_| 400_u16)?;
    Ok((headers, length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::bounded_server::AT_ONCE;

    #[tokio::test]
    async fn only_whole_requests_within_their_bounds_are_taken() {
        let takes: Takes = Arc::new(|headers, body| match headers.get("x-event") {
            Some(event) if event == "push" && body == b"hello" => 202,
            _ => 401,
        });
        let address = listen("127.0.0.1:0".parse().unwrap(), 10, takes).await.unwrap();
        let event = "X-Event: push\r\n";
        let long = "x".repeat(HEAD + 8192);
        for (request, status) in [
            (format!("POST / HTTP/1.1\r\n{event}Content-Length: 5\r\n\r\nhello"), "202 "),
            (
                "POST /x HTTP/1.1\r\nx-EVENT:push\r\nContent-Length: 5\r\n\r\nhello".to_owned(),
                "202 ",
            ),
            (format!("POST / HTTP/1.1\r\n{event}Content-Length: 5\r\n\r\nhello and more"), "202 "),
            ("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello".to_owned(), "401 "),
            (format!("POST / HTTP/1.1\r\n{event}{event}Content-Length: 5\r\n\r\nhello"), "202 "),
            (
                "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n".to_owned(),
                "400 ",
            ),
            (format!("GET / HTTP/1.1\r\n{event}\r\n"), "405 "),
            (format!("POST / HTTP/1.1\r\n{event}\r\n"), "411 "),
            (format!("POST / HTTP/1.1\r\n{event}Transfer-Encoding: chunked\r\n\r\n"), "411 "),
            (format!("POST / HTTP/1.1\r\n{event}Content-Length: 11\r\n\r\n"), "413 "),
            (format!("POST / HTTP/1.1\r\n{event}Content-Length: -1\r\n\r\n"), "400 "),
            (format!("POST / HTTP/1.1\r\n{event}nothing\r\n\r\n"), "400 "),
            (format!("POST / HTTP/1.1\r\nX: {long}"), "431 "),
        ] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let _ = stream.write_all(request.as_bytes()).await;
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            let answer = String::from_utf8_lossy(&answer);
            // A connection that is closed before all was read may lose the answer.
            let is_lost = answer.is_empty() && status == "431 ";
            let is_it = answer.starts_with(&format!("HTTP/1.1 {status}"));
            assert!(is_lost || is_it, "{request:.60}: {answer}");
        }
        let mut cut = TcpStream::connect(address).await.unwrap();
        let head = format!("POST / HTTP/1.1\r\n{event}Content-Length: 5\r\n\r\nhe");
        cut.write_all(head.as_bytes()).await.unwrap();
        cut.shutdown().await.unwrap();
        let mut answer = String::new();
        cut.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }

    #[tokio::test]
    async fn silent_clients_block_none() {
        let takes: Takes = Arc::new(|_, _| 202);
        let address = listen("127.0.0.1:0".parse().unwrap(), 10, takes).await.unwrap();
        let mut silent = Vec::new();
        for _ in 0..3 * AT_ONCE {
            silent.push(TcpStream::connect(address).await.unwrap());
        }
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
    }
}
