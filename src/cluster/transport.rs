//! kube's client, put together as kube itself does it, but with credentials and TLS settings of
//! trueup's own: kube has no way to take them.

use http::Request;
use http::header::AUTHORIZATION;
use http_body_util::BodyExt as _;
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use kube::Client;
use kube::client::{Body, ClientBuilder, ConfigExt as _};
use kube::config::Config;
use rustls::ClientConfig;
use tower::{BoxError, ServiceBuilder};
use tower_http::decompression::DecompressionLayer;

use super::any_connection::{AnyConnector, any};
use super::authentication::of_client;
use super::authorization::Authorization;
use super::negotiate::Negotiated;
use super::proxy::{Proxy, ProxyConnector, ProxyProtocol};
use super::{authentication, tls};

/// The client that a configuration describes, through a proxy if need be.
///
/// # Errors
///
/// When the configuration can't be used; as text without what is secret.
pub(super) fn client(config: &Config, proxy: Option<Proxy>) -> Result<Client, String> {
    let tls = tls::settings(config)?;
    let mut tcp = HttpConnector::new();
    // It makes the connections of https too.
    tcp.enforce_http(false);
    // With HTTP/2 a small frame would wait for the acknowledgement of the one before.
    tcp.set_nodelay(true);
    let patience = config.connect_timeout;
    let Some(proxy) = proxy else { return over(any(tcp), config, tls) };
    // Once for the proxy, and once for TLS.
    let mut config = config.clone();
    config.connect_timeout = patience.map(|patience| patience * 2);
    match proxy.kind {
        ProxyProtocol::Http | ProxyProtocol::Socks5 => {
            over(any(ProxyConnector::new(tcp, proxy, patience)), &config, tls)
        }
        ProxyProtocol::Https => {
            // With the cluster's authorities, as in client-go.
            // CONNECT is sent with HTTP/1.1.
            let secured = with_tls(tcp, &config, tls.clone(), HttpVersions::Http1)?;
            over(any(ProxyConnector::new(secured, proxy, patience)), &config, tls)
        }
    }
}

/// The client of a configuration over such connections.
fn over(connector: AnyConnector, config: &Config, tls: ClientConfig) -> Result<Client, String> {
    let versions = HttpVersions::from_environment();
    let mut connector = TimeoutConnector::new(with_tls(connector, config, tls, versions)?);
    connector.set_connect_timeout(config.connect_timeout);
    connector.set_read_timeout(config.read_timeout);
    connector.set_write_timeout(config.write_timeout);
    connector.set_reset_reader_on_write(config.reset_reader_on_write);
    let unusable = |error| authentication::cause(&*of_client(error));
    let authorization = Authorization::of(&config.auth_info)?;
    let ready = move |request: Request<Body>| {
        let mut request =
            request.map(|body| body.map_err(of_client as fn(kube::Error) -> BoxError));
        if let Some(authorization) = &authorization {
            request.headers_mut().insert(AUTHORIZATION, authorization.header());
        }
        request
    };
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .layer(DecompressionLayer::new().gzip(!config.disable_compression))
        .layer(config.extra_headers_layer().map_err(unusable)?)
        .map_request(ready)
        .service(Negotiated::new(connector));
    Ok(ClientBuilder::new(service, config.default_namespace.clone()).build())
}

/// Connections that speak TLS where the server's URL asks for it.
fn with_tls<C>(
    connector: C,
    config: &Config,
    tls: ClientConfig,
    versions: HttpVersions,
) -> Result<HttpsConnector<C>, String> {
    let mut builder = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
    if let Some(name) = config.tls_server_name.clone() {
        let name = name.try_into().map_err(|error| format!("tls-server-name: {error}"))?;
        builder = builder.with_server_name_resolver(FixedServerNameResolver::new(name));
    }
    Ok(match versions {
        HttpVersions::All => builder.enable_all_versions().wrap_connector(connector),
        HttpVersions::Http1 => builder.enable_http1().wrap_connector(connector),
    })
}

/// The versions of HTTP that a connection offers the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HttpVersions {
    All,
    Http1,
}

impl HttpVersions {
    /// `DISABLE_HTTP2` is Kubernetes' own way to say that something between spoils HTTP/2
    /// (k8s.io/apimachinery, `pkg/util/net/http.go`).
    #[allow(clippy::disallowed_methods, reason = "a convention of all clients of Kubernetes")]
    fn from_environment() -> Self {
        match std::env::var_os("DISABLE_HTTP2").is_some_and(|value| !value.is_empty()) {
            true => Self::Http1,
            false => Self::All,
        }
    }
}
