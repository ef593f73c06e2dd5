//! One connection first: the server chooses HTTP/2 or HTTP/1.1 on it (ALPN), and with HTTP/2 all
//! requests share it. hyper's own client does not know the answer when the first requests come at
//! once, and opens a connection for each of them.

use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::{Request, Response, Uri};
use http_body_util::combinators::MapErr;
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::Connection;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kube::client::Body;
use tower::{BoxError, Service, ServiceExt as _};

/// A request's body on its way out.
pub(super) type RequestBody = MapErr<Body, fn(kube::Error) -> BoxError>;

/// How much of one answer the server may send before it is read. A page of a large list comes
/// without a pause; client-go's value.
const STREAM_WINDOW: u32 = 4 << 20;
/// The same of all answers together.
const CONNECTION_WINDOW: u32 = 16 << 20;
/// The largest frame: a list in frames of 16 KiB, which is the default, has many.
const FRAME: u32 = 1 << 20;
/// After such a silence the server is asked for a sign of life, and how long it may take: client-go's
/// values (`HTTP2_READ_IDLE_TIMEOUT_SECONDS`, `HTTP2_PING_TIMEOUT_SECONDS`).
const PING_AFTER: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(15);

/// The version of HTTP on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Http1,
    Http2,
}

impl Protocol {
    /// As ALPN chose; a plain connection speaks HTTP/1.1.
    fn of(connection: &impl Connection) -> Self {
        match connection.connected().is_negotiated_h2() {
            true => Self::Http2,
            false => Self::Http1,
        }
    }
}

/// The requests of a client, over connections of whichever protocol the server chooses.
pub(super) struct Negotiated<C: Service<Uri>>(Arc<Shared<C>>);

impl<C: Service<Uri>> Clone for Negotiated<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

struct Shared<C: Service<Uri>> {
    connector: C,
    /// The connection on which the protocol was negotiated, for the client of that protocol.
    opened: Opened<C::Response>,
    state: tokio::sync::Mutex<State>,
    /// How many attempts to connect have failed.
    failures: AtomicUsize,
    http1: legacy::Client<Handover<C>, RequestBody>,
    http2: legacy::Client<Handover<C>, RequestBody>,
}

type Opened<T> = Arc<Mutex<Option<T>>>;

/// The result of negotiating.
#[derive(Default)]
struct State {
    protocol: Option<Protocol>,
    failure: Option<SharedFailure>,
}

impl<C> Negotiated<C>
where
    C: Service<Uri, Error = BoxError> + Clone + Send + Sync + 'static,
    C::Response: Connection + hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static,
    C::Future: Send + 'static,
{
    pub(super) fn new(connector: C) -> Self {
        let opened = Opened::default();
        let over = |protocol| Handover {
            connector: connector.clone(),
            opened: Arc::clone(&opened),
            protocol,
        };
        let http1 = legacy::Builder::new(TokioExecutor::new()).build(over(Protocol::Http1));
        let http2 = legacy::Builder::new(TokioExecutor::new())
            .http2_only(true)
            .timer(TokioTimer::new())
            .http2_initial_stream_window_size(STREAM_WINDOW)
            .http2_initial_connection_window_size(CONNECTION_WINDOW)
            .http2_max_frame_size(FRAME)
            .http2_keep_alive_interval(PING_AFTER)
            .http2_keep_alive_timeout(PING_TIMEOUT)
            .build(over(Protocol::Http2));
        let (state, failures) = (tokio::sync::Mutex::default(), AtomicUsize::new(0));
        Self(Arc::new(Shared { connector, opened, state, failures, http1, http2 }))
    }
}

impl<C> Shared<C>
where
    C: Service<Uri, Error = BoxError> + Clone + Send + Sync + 'static,
    C::Response: Connection + hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static,
    C::Future: Send + 'static,
{
    async fn send(&self, request: Request<RequestBody>) -> Result<Response<Incoming>, BoxError> {
        let client = match self.protocol(request.uri()).await? {
            Protocol::Http1 => &self.http1,
            Protocol::Http2 => &self.http2,
        };
        let answer = client.request(request).await;
        if answer.as_ref().is_err_and(is_of_other_protocol) {
            self.state.lock().await.protocol = None;
        }
        Ok(answer?)
    }

    /// The protocol of the server, once a connection was opened. Those who ask meanwhile wait for it,
    /// and where it fails it has failed for all of them.
    async fn protocol(&self, uri: &Uri) -> Result<Protocol, BoxError> {
        let before = self.failures.load(Ordering::Acquire);
        let mut state = self.state.lock().await;
        if let Some(protocol) = state.protocol {
            return Ok(protocol);
        }
        if let Some(failure) = state.failure.clone()
            && self.failures.load(Ordering::Acquire) != before
        {
            return Err(failure.into());
        }
        match self.connector.clone().oneshot(uri.clone()).await {
            Ok(connection) => {
                let protocol = Protocol::of(&connection);
                *self.opened.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
                *state = State { protocol: Some(protocol), failure: None };
                Ok(protocol)
            }
            Err(error) => {
                let failure = SharedFailure(error.into());
                state.failure = Some(failure.clone());
                let _ = self.failures.fetch_add(1, Ordering::Release);
                Err(failure.into())
            }
        }
    }
}

impl<C> Service<Request<RequestBody>> for Negotiated<C>
where
    C: Service<Uri, Error = BoxError> + Clone + Send + Sync + 'static,
    C::Response: Connection + hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static,
    C::Future: Send + 'static,
{
    type Response = Response<Incoming>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        let shared = Arc::clone(&self.0);
        Box::pin(async move { shared.send(request).await })
    }
}

/// Gives the client of a protocol the connection that was opened first, and then others.
struct Handover<C: Service<Uri>> {
    connector: C,
    opened: Opened<C::Response>,
    protocol: Protocol,
}

impl<C: Service<Uri> + Clone> Clone for Handover<C> {
    fn clone(&self) -> Self {
        let Self { connector, opened, protocol } = self;
        Self { connector: connector.clone(), opened: Arc::clone(opened), protocol: *protocol }
    }
}

impl<C> Service<Uri> for Handover<C>
where
    C: Service<Uri, Error = BoxError> + Clone + Send + 'static,
    C::Response: Connection + Send + 'static,
    C::Future: Send + 'static,
{
    type Response = C::Response;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (connector, wanted) = (self.connector.clone(), self.protocol);
        Box::pin(async move {
            let connection = match opened {
                Some(connection) => connection,
                None => connector.oneshot(uri).await?,
            };
            match Protocol::of(&connection) == wanted {
                true => Ok(connection),
                false => Err(OtherProtocol.into()),
            }
        })
    }
}

/// The failure of an attempt to connect that several requests waited for.
#[derive(Clone, Debug)]
struct SharedFailure(Arc<dyn Error + Send + Sync>);

impl fmt::Display for SharedFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot connect")
    }
}

impl Error for SharedFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

/// The server chose another protocol than on the connection before.
#[derive(Debug, thiserror::Error)]
#[error("the server changed between HTTP/1.1 and HTTP/2")]
struct OtherProtocol;

fn is_of_other_protocol(error: &legacy::Error) -> bool {
    let mut next = error.source();
    while let Some(error) = next {
        if error.is::<OtherProtocol>() {
            return true;
        }
        next = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use http_body_util::BodyExt as _;
    use hyper_util::client::legacy::connect::Connected;
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;
    use crate::cluster::authentication::of_client;

    /// A connection on which the server chose a protocol.
    struct Opening {
        io: TokioIo<DuplexStream>,
        protocol: Protocol,
    }

    impl Connection for Opening {
        fn connected(&self) -> Connected {
            match self.protocol {
                Protocol::Http1 => Connected::new(),
                Protocol::Http2 => Connected::new().negotiated_h2(),
            }
        }
    }

    impl hyper::rt::Read for Opening {
        fn poll_read(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
            buffer: hyper::rt::ReadBufCursor<'_>,
        ) -> Poll<std::io::Result<()>> {
            Pin::new(&mut self.io).poll_read(context, buffer)
        }
    }

    impl hyper::rt::Write for Opening {
        fn poll_write(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<std::io::Result<usize>> {
            Pin::new(&mut self.io).poll_write(context, bytes)
        }

        fn poll_flush(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<std::io::Result<()>> {
            Pin::new(&mut self.io).poll_flush(context)
        }

        fn poll_shutdown(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<std::io::Result<()>> {
            Pin::new(&mut self.io).poll_shutdown(context)
        }
    }

    /// A server that chooses these protocols, one on each connection, and answers with HTTP/1.1; a
    /// connection with HTTP/2 is closed at once.
    fn server(protocols: &'static [Protocol]) -> (impl Fn() -> Opening + Clone, Arc<AtomicUsize>) {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let open = move || {
            let protocol = protocols[counted.fetch_add(1, Ordering::Relaxed)];
            let (ours, mut theirs) = duplex(1024);
            if protocol == Protocol::Http1 {
                drop(tokio::spawn(async move {
                    let _ = theirs.read(&mut [0; 1024]).await;
                    let answer =
                        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
                    theirs.write_all(answer).await
                }));
            }
            Opening { io: TokioIo::new(ours), protocol }
        };
        (open, count)
    }

    fn request() -> Request<RequestBody> {
        let body = Body::empty().map_err(of_client as fn(kube::Error) -> BoxError);
        Request::get("https://server.example/api").body(body).unwrap()
    }

    #[tokio::test]
    async fn requests_at_once_wait_for_one_connection_that_fails_for_all() {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let connector = tower::service_fn(move |_: Uri| {
            let number = counted.fetch_add(1, Ordering::Relaxed);
            async move {
                tokio::task::yield_now().await;
                Err::<Opening, BoxError>(format!("attempt {number}").into())
            }
        });
        let client = Negotiated::new(connector);
        let send = || client.clone().oneshot(request());
        let answers = futures::future::join_all((0..5).map(|_| send())).await;
        for answer in answers {
            let error = answer.unwrap_err();
            assert_eq!(error.source().unwrap().to_string(), "attempt 0");
        }
        assert_eq!(count.load(Ordering::Relaxed), 1);
        let later = send().await.unwrap_err();
        assert_eq!(later.source().unwrap().to_string(), "attempt 1", "it is tried again");
    }

    #[tokio::test]
    async fn server_that_changes_its_protocol_is_asked_again() {
        let (open, count) = server(&[
            Protocol::Http2,
            Protocol::Http1, // where HTTP/2 was expected
            Protocol::Http1,
        ]);
        let connector = tower::service_fn(move |_: Uri| {
            let opened = open();
            async move { Ok::<_, BoxError>(opened) }
        });
        let client = Negotiated::new(connector);
        let send = || client.clone().oneshot(request());
        let _ = send().await.expect_err("the connection is closed");
        let other = send().await.expect_err("it is no HTTP/2");
        let legacy = other.downcast_ref::<legacy::Error>().unwrap();
        assert!(is_of_other_protocol(legacy), "{other:?}");
        assert_eq!(send().await.unwrap().status(), 200);
        assert_eq!(count.load(Ordering::Relaxed), 3);
    }
}
