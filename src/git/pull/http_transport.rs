//! HTTP for gix, by our own [`Http`]. So the server's words in an error are read, credentials and
//! headers stay with the server that they are for, and a list of refs ends. That list is kept in
//! memory, so a server could fill all of it. The pack goes to the disk, and the watchdog counts it.

use std::any::Any;
use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gix::bstr::BStr;
use gix::protocol::transport::Service;
use gix::protocol::transport::client::blocking_io::http::{
    self, GetResponse, Http, PostBodyDataKind, PostResponse,
};
use gix::protocol::transport::client::blocking_io::{RequestWriter, SetServiceResponse, Transport};
use gix::protocol::transport::client::{Error, MessageKind, TransportWithoutIO, WriteMode};
use gix::sec::identity::Account;
use reqwest::blocking::Response;

use super::remote_messages::{MessageTap, RemoteMessages};
use super::session::{HttpRequest, HttpSession};

/// A transport over HTTP, which keeps the account to itself: gix sends none over plain HTTP.
pub(super) struct Web {
    inner: http::Transport<Backend>,
    session: SharedSession,
}

type SharedSession = Arc<Mutex<HttpSession>>;

impl Web {
    /// To `url`, without user and password; lists of refs have at most `refs` bytes.
    pub(super) fn new(
        session: HttpSession,
        url: gix::Url,
        version: gix::protocol::transport::Protocol,
        refs: u64,
    ) -> Self {
        let words = session.words().clone();
        let session = Arc::new(Mutex::new(session));
        let backend = Backend { session: session.clone(), words, refs, base: None };
        Self { inner: http::Transport::new_http(backend, url, version, false), session }
    }
}

impl TransportWithoutIO for Web {
    fn set_identity(&mut self, identity: Account) -> Result<(), Error> {
        let url = self.inner.to_url().into_owned();
        lock(&self.session).authenticate(url.as_ref(), identity);
        Ok(())
    }

    fn to_url(&self) -> Cow<'_, BStr> {
        self.inner.to_url()
    }

    fn connection_persists_across_multiple_requests(&self) -> bool {
        self.inner.connection_persists_across_multiple_requests()
    }

    fn configure(&mut self, _config: &dyn Any) -> gix::Result {
        Ok(())
    }
}

impl Transport for Web {
    fn handshake<'a>(
        &mut self,
        service: Service,
        extra_parameters: &'a [(&'a str, Option<&'a str>)],
    ) -> Result<SetServiceResponse<'_>, Error> {
        self.inner.handshake(service, extra_parameters)
    }

    fn request(
        &mut self,
        write_mode: WriteMode,
        on_into_read: MessageKind,
        trace: bool,
    ) -> Result<RequestWriter<'_>, Error> {
        self.inner.request(write_mode, on_into_read, trace)
    }
}

/// The HTTP backend of gix's transport.
struct Backend {
    session: SharedSession,
    words: RemoteMessages,
    refs: u64,
    /// Where the server sent us on to.
    base: Option<String>,
}

impl Backend {
    fn request(
        &self,
        url: &str,
        base: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> HttpRequest {
        let headers = headers.into_iter().map(|line| line.as_ref().to_owned()).collect();
        HttpRequest { url: url.to_owned(), base: base.to_owned(), headers, body: None }
    }
}

impl Http for Backend {
    type Headers = Headers;
    type ResponseBody = Body;
    type PostBody = PostedBody;

    fn get(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> gix::Result<GetResponse<Headers, Body>> {
        let mut exchange =
            Exchange::new(self.session.clone(), self.request(url, base_url, headers));
        let sent = exchange.send();
        // A server that wants a password may have sent us on before.
        self.base = exchange.base.take().or(self.base.take());
        let (headers, exchange) = (Headers::after(sent), Arc::new(Mutex::new(exchange)));
        let left = Some(self.refs);
        Ok(GetResponse { headers, body: Body::of(exchange, left, self.words.clone()) })
    }

    fn post(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        _kind: PostBodyDataKind,
    ) -> gix::Result<PostResponse<Headers, Body, PostedBody>> {
        let mut request = self.request(url, base_url, headers);
        request.body = Some(Vec::new());
        let exchange = Arc::new(Mutex::new(Exchange::new(self.session.clone(), request)));
        Ok(PostResponse {
            post_body: PostedBody(exchange.clone()),
            headers: Headers::of(exchange.clone()),
            body: Body::of(exchange, Some(self.refs), self.words.clone()),
        })
    }

    fn configure(&mut self, _config: &dyn Any) -> gix::Result {
        Ok(())
    }

    fn redirected_base_url(&self) -> Option<String> {
        self.base.clone()
    }
}

/// A request, and then what came of it.
struct Exchange {
    session: SharedSession,
    request: HttpRequest,
    response: Option<Response>,
    base: Option<String>,
}

impl Exchange {
    fn new(session: SharedSession, request: HttpRequest) -> Self {
        Self { session, request, response: None, base: None }
    }

    /// Sends the request, and gives the headers of the answer, a line each.
    fn send(&mut self) -> io::Result<Vec<u8>> {
        let answer = lock(&self.session).send(&self.request, &mut self.base)?;
        let mut lines = Vec::new();
        for (name, value) in answer.headers() {
            lines.extend_from_slice(name.as_str().as_bytes());
            lines.push(b':');
            lines.extend_from_slice(value.as_bytes());
            lines.push(b'\n');
        }
        self.response = Some(answer);
        Ok(lines)
    }

    /// Whether it asks for a list of refs: four digits, and this.
    fn is_for_refs(&self) -> bool {
        let body = self.request.body.as_deref();
        body.is_none_or(|body| {
            body.get(4..).is_some_and(|body| body.starts_with(b"command=ls-refs"))
        })
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The body of a POST: it is small, and sent once the answer is asked for.
struct PostedBody(Arc<Mutex<Exchange>>);

impl Write for PostedBody {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        lock(&self.0).request.body.get_or_insert_default().extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The headers of an answer. Reading them sends what was posted.
struct Headers {
    exchange: Option<Arc<Mutex<Exchange>>>,
    failure: Option<io::Error>,
    lines: io::Cursor<Vec<u8>>,
}

impl Headers {
    fn of(exchange: Arc<Mutex<Exchange>>) -> Self {
        Self { exchange: Some(exchange), failure: None, lines: io::Cursor::default() }
    }

    fn after(sent: io::Result<Vec<u8>>) -> Self {
        let (lines, failure) = match sent {
            Ok(lines) => (lines, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        Self { exchange: None, failure, lines: io::Cursor::new(lines) }
    }
}

impl BufRead for Headers {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if let Some(exchange) = self.exchange.take() {
            *self = Self::after(lock(&exchange).send());
        }
        match self.failure.take() {
            Some(error) => Err(error),
            None => self.lines.fill_buf(),
        }
    }

    fn consume(&mut self, bytes: usize) {
        self.lines.consume(bytes);
    }
}

/// Reads what is buffered, as far as it fits.
fn read_buffered(from: &mut impl BufRead, buffer: &mut [u8]) -> io::Result<usize> {
    let bytes = from.fill_buf()?.read(buffer)?;
    from.consume(bytes);
    Ok(bytes)
}

impl Read for Headers {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        read_buffered(self, buffer)
    }
}

/// The received body; as a list of refs it has an end.
struct Body {
    exchange: Arc<Mutex<Exchange>>,
    inner: Option<Limited<BufReader<Response>>>,
    refs: Option<u64>,
    words: RemoteMessages,
}

impl Body {
    fn of(exchange: Arc<Mutex<Exchange>>, refs: Option<u64>, words: RemoteMessages) -> Self {
        Self { exchange, inner: None, refs, words }
    }
}

impl BufRead for Body {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.inner.is_none() {
            let mut exchange = lock(&self.exchange);
            let left = self.refs.filter(|_| exchange.is_for_refs());
            let tap = MessageTap::new(self.words.clone());
            self.inner = exchange.response.take().map(|response| Limited {
                inner: BufReader::new(response),
                left,
                tap,
                seen: 0,
            });
        }
        self.inner.as_mut().map_or(Ok(&[]), BufRead::fill_buf)
    }

    fn consume(&mut self, bytes: usize) {
        if let Some(inner) = &mut self.inner {
            inner.consume(bytes);
        }
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        read_buffered(self, buffer)
    }
}

/// So many bytes, where there is a limit, and what they say to people.
struct Limited<R> {
    inner: R,
    left: Option<u64>,
    tap: MessageTap,
    /// How many of the buffered bytes the tap has seen.
    seen: usize,
}

impl<R: BufRead> BufRead for Limited<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let data = self.inner.fill_buf()?;
        self.tap.see(data.get(self.seen..).unwrap_or_default());
        self.seen = data.len();
        if self.left == Some(0) && !data.is_empty() {
            return Err(io::Error::other("the remote's list of refs is longer than is read"));
        }
        let left = self.left.and_then(|left| usize::try_from(left).ok()).unwrap_or(usize::MAX);
        Ok(&data[..data.len().min(left)])
    }

    fn consume(&mut self, bytes: usize) {
        self.left = self.left.map(|left| left.saturating_sub(bytes as u64));
        self.seen = self.seen.saturating_sub(bytes);
        self.inner.consume(bytes);
    }
}

impl<R: BufRead> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        read_buffered(self, buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_refs_ends_and_a_pack_does_not() {
        let read = |length: usize, left: Option<u64>| {
            let tap = MessageTap::new(RemoteMessages::default());
            let data = vec![7; length];
            Limited { inner: &data[..], left, tap, seen: 0 }.read_to_end(&mut Vec::new())
        };
        assert_eq!(read(1000, Some(1000)).unwrap(), 1000);
        assert!(read(1001, Some(1000)).is_err());
        assert_eq!(read(1001, None).unwrap(), 1001);
    }
}
