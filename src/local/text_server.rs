//! Answers GET requests with short texts: figures for Prometheus, and whether the process is well.
//!
//! As little HTTP as that takes. A request has a bound for its size, its time and its number at once, and
//! a connection is closed after its answer.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::bounded_server;

/// The most bytes of a request's head.
const HEAD: usize = 8 << 10;
/// How long a request may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code: 200, 404 or 503.
    pub code: u16,
    /// The text.
    pub text: String,
}

/// Gives the answer for a path.
pub type Answers = Arc<dyn Fn(&str) -> Answer + Send + Sync>;

/// Listens at `address` from now on.
///
/// # Errors
///
/// When another program listens there, or the address is not of this machine.
pub async fn listen(address: SocketAddr, answers: Answers) -> io::Result<SocketAddr> {
    bounded_server::listen(address, PATIENCE, move |stream| {
        let answers = Arc::clone(&answers);
        async move { answer(stream, &answers).await }
    })
    .await
}

async fn answer(mut stream: TcpStream, answers: &Answers) -> io::Result<()> {
    let mut head = Vec::new();
    let mut part = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let length = stream.read(&mut part).await?;
        if length == 0 || head.len() + length > HEAD {
            return Ok(());
        }
        head.extend_from_slice(&part[..length]);
    }
    let Some((path, has_text)) = asked(&head) else {
        let refusal = b"HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        stream.write_all(refusal).await?;
        return stream.shutdown().await;
    };
    let Answer { code, text } = answers(&path);
    let reason = match code {
        200 => "OK",
        404 => "Not Found",
        _ => "Service Unavailable",
    };
    let head = format!(
        "HTTP/1.1 {code} {reason}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        text.len()
    );
    stream.write_all(head.as_bytes()).await?;
    if has_text {
        stream.write_all(text.as_bytes()).await?;
    }
    stream.shutdown().await
}

/// The path of a request without its query, and whether it wants the text; `None` for other methods.
fn asked(head: &[u8]) -> Option<(String, bool)> {
    let head = String::from_utf8_lossy(head);
    let mut words = head.lines().next()?.split(' ');
    let has_text = match words.next()? {
        "GET" => true,
        "HEAD" => false,
        _ => return None,
    };
    let path = words.next()?.split('?').next()?.to_owned();
    Some((path, has_text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn paths_are_answered_and_other_methods_refused() {
        let answers: Answers = Arc::new(|path: &str| match path {
            "/metrics" => Answer { code: 200, text: "a 1\n".to_owned() },
            _ => Answer { code: 404, text: String::new() },
        });
        let address = listen("127.0.0.1:0".parse().unwrap(), answers).await.unwrap();
        assert!(address.ip().is_loopback());
        for (request, status, text) in [
            ("GET /metrics HTTP/1.1", "200 OK", "a 1\n"),
            ("GET /metrics?x=1 HTTP/1.1", "200 OK", "a 1\n"),
            ("HEAD /metrics HTTP/1.1", "200 OK", ""),
            ("GET /other HTTP/1.1", "404 Not Found", ""),
            ("POST /metrics HTTP/1.1", "405 Method Not Allowed", ""),
        ] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(format!("{request}\r\nHost: x\r\n\r\n").as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{request}: {answer}");
            assert!(answer.ends_with(&format!("\r\n\r\n{text}")), "{request}: {answer}");
        }
        let mut endless = TcpStream::connect(address).await.unwrap();
        let _ = endless.write_all(&[b'x'; HEAD + 2048]).await;
        let mut answer = Vec::new();
        let _ = endless.read_to_end(&mut answer).await;
        assert_eq!(answer, b"", "a head without an end has no answer");
    }
}
