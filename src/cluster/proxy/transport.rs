//! kube's client over a connection that a proxy makes. kube's own support of proxies has no passwords
//! for SOCKS, and does not say what a proxy answered.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::Builder;
use hyper_util::client::legacy::connect::{Connection, HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo};
use kube::Client;
use kube::client::{Body, ClientBuilder, ConfigExt as _};
use kube::config::Config;
use tower::{BoxError, Service, ServiceBuilder};
use tower_http::decompression::DecompressionLayer;

use super::address::{Kind, Proxy};
use super::handshake::{self, ProxyError, Why};
use crate::cluster::authentication;

/// The client of a configuration, through a proxy.
///
/// # Errors
///
/// When the configuration can't be used.
pub(in crate::cluster) fn client(config: &Config, proxy: Proxy) -> Result<Client, kube::Error> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    let proxy = Arc::new(proxy);
    let patience = config.connect_timeout;
    match proxy.kind {
        Kind::Http | Kind::Socks5 => over(config, Through { inner: tcp, proxy, patience }),
        Kind::Https => {
            // With the cluster's authorities, as in client-go.
            let inner = config.rustls_https_connector_with_connector(tcp)?;
            over(config, Through { inner, proxy, patience })
        }
    }
}

/// The client of a configuration over connections of some kind; what kube's own builder does.
fn over<C>(config: &Config, connector: C) -> Result<Client, kube::Error>
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: Connection + hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static,
    C::Future: Send + 'static,
    C::Error: Into<BoxError> + Send + Sync + std::error::Error + 'static,
{
    let tls = config.rustls_https_connector_with_connector(connector)?;
    let mut connector = TimeoutConnector::new(tls);
    // Once for the proxy, and once for TLS.
    connector.set_connect_timeout(config.connect_timeout.map(|patience| patience * 2));
    connector.set_read_timeout(config.read_timeout);
    connector.set_write_timeout(config.write_timeout);
    connector.set_reset_reader_on_write(config.reset_reader_on_write);
    let client: hyper_util::client::legacy::Client<_, Body> =
        Builder::new(TokioExecutor::new()).build(connector);
    let gzip = DecompressionLayer::new().gzip(!config.disable_compression);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .layer(gzip)
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(client);
    Ok(ClientBuilder::new(service, config.default_namespace.clone()).build())
}

/// Connects through a proxy.
#[derive(Clone)]
struct Through<C> {
    inner: C,
    proxy: Arc<Proxy>,
    /// How long to wait for the proxy.
    patience: Option<Duration>,
}

impl<C> Service<Uri> for Through<C>
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
            asked.unwrap_or_else(|_| Err(ProxyError::new(&proxy, Why::Slow)))
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
    let no_address = || ProxyError::new(proxy, Why::Unreachable("no address".to_owned()));
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
    ProxyError::new(proxy, Why::Unreachable(authentication::cause(&*error)))
}
