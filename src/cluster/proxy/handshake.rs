//! The handshake with a proxy: CONNECT (RFC 9110, 9.3.6) or SOCKS 5 (RFC 1928 and 1929). Errors
//! name the proxy and its answer, which hyper's own don't.

use std::io;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::address::{Login, OF_CLUSTER, Proxy, ProxyProtocol};

/// How many bytes a proxy's answer may have before the tunnel begins.
const LARGEST: usize = 16 << 10;

/// That a proxy does not lead to the server.
#[derive(Debug, thiserror::Error)]
#[error("{proxy} {why}")]
pub(in crate::cluster) struct ProxyError {
    /// As it is shown.
    proxy: String,
    /// Where the proxy is named.
    named_in: &'static str,
    why: HandshakeError,
}

/// A failure of a handshake.
#[derive(Debug, thiserror::Error)]
pub(super) enum HandshakeError {
    #[error("can't be reached: {0}")]
    Unreachable(String),
    #[error("breaks off: {0}")]
    Broken(#[from] io::Error),
    #[error("answers CONNECT with {code} {reason}")]
    Status { code: u16, reason: String },
    #[error("does not answer as an HTTP proxy does")]
    NoHttp,
    #[error("does not answer as a SOCKS 5 proxy does")]
    NoSocks,
    #[error("asks for a user and a password")]
    LoginMissing,
    #[error("rejects the user and password of its URL")]
    LoginRefused,
    #[error("does not lead to the server: {0}")]
    Socks(&'static str),
    #[error("does not answer")]
    Slow,
    #[error("does not accept names of more than 255 bytes")]
    TooLong,
}

impl ProxyError {
    pub(super) fn new(proxy: &Proxy, why: HandshakeError) -> Self {
        Self { proxy: proxy.to_string(), named_in: proxy.source, why }
    }

    /// Whether the proxy had its say, and would say the same again.
    pub(in crate::cluster) fn is_lasting(&self) -> bool {
        match self.why {
            HandshakeError::Status { code, .. } => !matches!(code, 408 | 429 | 500..),
            HandshakeError::NoHttp
            | HandshakeError::NoSocks
            | HandshakeError::LoginMissing
            | HandshakeError::LoginRefused
            | HandshakeError::TooLong => true,
            HandshakeError::Socks(said) => said == NOT_ALLOWED,
            HandshakeError::Unreachable(_) | HandshakeError::Broken(_) | HandshakeError::Slow => {
                false
            }
        }
    }

    /// The remedy.
    pub(in crate::cluster) fn hint(&self) -> String {
        match self.why {
            HandshakeError::Status { code: 407, .. }
            | HandshakeError::LoginMissing
            | HandshakeError::LoginRefused => {
                "give its URL the right user and password: http://USER:PASSWORD@HOST:PORT"
                    .to_owned()
            }
            _ if self.named_in == OF_CLUSTER => {
                "correct the cluster's proxy-url in the kubeconfig, or leave it out to reach the \
                 server without a proxy"
                    .to_owned()
            }
            _ => format!(
                "correct {}, or name the server in NO_PROXY to reach it without a proxy",
                self.named_in
            ),
        }
    }
}

/// Asks the proxy for a way to the server.
pub(super) async fn ask<S>(
    stream: &mut S,
    proxy: &Proxy,
    host: &str,
    port: u16,
) -> Result<(), HandshakeError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match proxy.kind {
        ProxyProtocol::Http | ProxyProtocol::Https => {
            connect(stream, proxy.login.as_ref(), host, port).await
        }
        ProxyProtocol::Socks5 => socks(stream, proxy.login.as_ref(), host, port).await,
    }
}

async fn connect<S>(
    stream: &mut S,
    login: Option<&Login>,
    host: &str,
    port: u16,
) -> Result<(), HandshakeError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
    if let Some(Login { name, password }) = login {
        let both = STANDARD.encode([name.as_slice(), b":", password.as_slice()].concat());
        request.push_str(&format!("Proxy-Authorization: Basic {both}\r\n"));
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    // Byte by byte: what comes behind the empty line is the server's.
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == LARGEST || (head.len() == 5 && head != b"HTTP/") {
            return Err(HandshakeError::NoHttp);
        }
        head.push(stream.read_u8().await?);
    }
    match status(&head).ok_or(HandshakeError::NoHttp)? {
        StatusLine { code: 200, .. } => Ok(()),
        StatusLine { code, reason } => Err(HandshakeError::Status { code, reason }),
    }
}

struct StatusLine {
    code: u16,
    reason: String,
}

/// The first line of an answer, as far as it may be shown.
fn status(head: &[u8]) -> Option<StatusLine> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    let line = String::from_utf8_lossy(line);
    let mut words = line.splitn(3, ' ');
    let _version = words.next()?;
    let code = words.next().filter(|code| code.len() == 3)?.parse().ok()?;
    let reason = words.next().unwrap_or_default().chars().filter(|c| !c.is_control());
    Some(StatusLine { code, reason: reason.take(100).collect() })
}

const VERSION: u8 = 5;
const NO_LOGIN: u8 = 0;
const PASSWORD: u8 = 2;
const NOT_ALLOWED: &str = "its rules do not allow it";

async fn socks<S>(
    stream: &mut S,
    login: Option<&Login>,
    host: &str,
    port: u16,
) -> Result<(), HandshakeError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let methods: &[u8] = match login {
        Some(_) => &[VERSION, 2, NO_LOGIN, PASSWORD],
        None => &[VERSION, 1, NO_LOGIN],
    };
    stream.write_all(methods).await?;
    stream.flush().await?;
    let mut answer = [0; 2];
    stream.read_exact(&mut answer).await?;
    match (answer, login) {
        ([VERSION, NO_LOGIN], _) => {}
        ([VERSION, PASSWORD], Some(Login { name, password })) => {
            let mut both = vec![1];
            for part in [name, password] {
                both.push(u8::try_from(part.len()).map_err(|_| HandshakeError::TooLong)?);
                both.extend_from_slice(part);
            }
            stream.write_all(&both).await?;
            stream.flush().await?;
            stream.read_exact(&mut answer).await?;
            if answer[1] != 0 {
                return Err(HandshakeError::LoginRefused);
            }
        }
        ([VERSION, _], _) => return Err(HandshakeError::LoginMissing),
        _ => return Err(HandshakeError::NoSocks),
    }
    let mut request = vec![VERSION, 1, 0];
    match host.trim_start_matches('[').trim_end_matches(']').parse() {
        Ok(IpAddr::V4(address)) => {
            request.push(1);
            request.extend_from_slice(&address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            request.push(4);
            request.extend_from_slice(&address.octets());
        }
        Err(_) => {
            request.extend([3, u8::try_from(host.len()).map_err(|_| HandshakeError::TooLong)?]);
            request.extend_from_slice(host.as_bytes());
        }
    }
    request.extend_from_slice(&port.to_be_bytes());
    stream.write_all(&request).await?;
    stream.flush().await?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await?;
    let [version, reply, _, kind] = answer;
    if version != VERSION {
        return Err(HandshakeError::NoSocks);
    }
    if reply != 0 {
        return Err(HandshakeError::Socks(reply_text(reply)));
    }
    // The address that the proxy uses itself, and its port.
    let rest = match kind {
        1 => 4,
        4 => 16,
        3 => usize::from(stream.read_u8().await?),
        _ => return Err(HandshakeError::NoSocks),
    };
    stream.read_exact(&mut vec![0; rest + 2]).await?;
    Ok(())
}

fn reply_text(reply: u8) -> &'static str {
    match reply {
        1 => "general failure",
        2 => NOT_ALLOWED,
        3 => "the network is unreachable",
        4 => "the host is unreachable",
        5 => "connection refused",
        6 => "the connection takes too long",
        _ => "it can't do that",
    }
}
