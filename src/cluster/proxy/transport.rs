//! Connections that a proxy makes. kube's own support of proxies has no passwords for SOCKS, and does not
//! say what a proxy answered.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use tower::{BoxError, Service};

use super::address::Proxy;
use super::handshake::{self, HandshakeError, ProxyError};
use crate::cluster::authentication;

/// Connects through a proxy.
#[derive(Clone)]
pub(in crate::cluster) struct ProxyConnector<C> {
    inner: C,
    proxy: Arc<Proxy>,
    /// How long to wait for the proxy.
    patience: Option<Duration>,
}

impl<C> ProxyConnector<C> {
    /// Connects through `proxy`, to which `inner` connects.
    pub(in crate::cluster) fn new(inner: C, proxy: Proxy, patience: Option<Duration>) -> Self {
        Self { inner, proxy: Arc::new(proxy), patience }
    }
}

impl<C> Service<Uri> for ProxyConnector<C>
where
    C: Service<Uri> + Clone + Send + 'static,
    C::Response: hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static,
    C::Future: Send + 'static,
    C::Error: Into<BoxError>,
{
    type Response = C::Response;
    type Error = ProxyError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ProxyError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ProxyError>> {
        self.inner.poll_ready(context).map_err(|error| unreachable(&self.proxy, error))
    }

    fn call(&mut self, server: Uri) -> Self::Future {
        let connecting = self.proxy.uri().map(|proxy| self.inner.call(proxy));
        let (proxy, patience) = (Arc::clone(&self.proxy), self.patience.unwrap_or(Duration::MAX));
        Box::pin(async move {
            let asked = tokio::time::timeout(patience, tunnel(connecting, &proxy, &server)).await;
            asked.unwrap_or_else(|_| Err(ProxyError::new(&proxy, HandshakeError::Slow)))
        })
    }
}

/// The connection to the server, once the proxy has made it.
async fn tunnel<F, S, E>(
    connecting: Option<F>,
    proxy: &Proxy,
    server: &Uri,
) -> Result<S, ProxyError>
where
    F: Future<Output = Result<S, E>>,
    S: hyper::rt::Read + hyper::rt::Write + Unpin,
    E: Into<BoxError>,
{
    let no_address =
        || ProxyError::new(proxy, HandshakeError::Unreachable("no address".to_owned()));
    let connection = connecting.ok_or_else(no_address)?.await;
    let connection = connection.map_err(|error| unreachable(proxy, error))?;
    let default = if server.scheme_str() == Some("http") { 80 } else { 443 };
    let port = server.port_u16().unwrap_or(default);
    let mut stream = TokioIo::new(connection);
    let asked = handshake::ask(&mut stream, proxy, server.host().unwrap_or_default(), port);
    asked.await.map_err(|why| ProxyError::new(proxy, why))?;
    Ok(stream.into_inner())
}

fn unreachable(proxy: &Proxy, error: impl Into<BoxError>) -> ProxyError {
    let error: BoxError = error.into();
    ProxyError::new(proxy, HandshakeError::Unreachable(authentication::cause(&*error)))
}
