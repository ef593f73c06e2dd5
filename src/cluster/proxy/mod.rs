//! Which proxy leads to the API server, as client-go finds it: the cluster's `proxy-url`, or else what
//! the environment says, by the rules of Go's `golang.org/x/net/http/httpproxy`.

mod address;
mod handshake;
mod no_proxy;
mod transport;

use std::error::Error;

use http::Uri;

pub(super) use address::{Proxy, ProxyProtocol};
pub(super) use transport::ProxyConnector;

use self::handshake::ProxyError;

/// A proxy's lasting refusal, where that is why there is no connection.
pub(super) fn refusal<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a ProxyError> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<ProxyError>() {
            return error.is_lasting().then_some(error);
        }
        next = error.source();
    }
    None
}

/// The proxy variables of the environment.
#[derive(Default)]
pub(super) struct ProxyEnvironment {
    /// The proxy for servers that speak TLS.
    https: Option<Variable>,
    /// The proxy for the others.
    http: Option<Variable>,
    /// The servers that are reached without one.
    no_proxy: String,
    /// Whether a web server runs this program: then its client may have set `HTTP_PROXY`.
    is_cgi: bool,
}

/// A variable of the environment.
struct Variable {
    name: &'static str,
    value: String,
}

impl ProxyEnvironment {
    /// Reads the environment.
    pub(super) fn read() -> Self {
        Self {
            https: variable(["HTTPS_PROXY", "https_proxy"]),
            http: variable(["HTTP_PROXY", "http_proxy"]),
            no_proxy: variable(["NO_PROXY", "no_proxy"]).map_or_else(String::new, |it| it.value),
            is_cgi: variable(["REQUEST_METHOD", "REQUEST_METHOD"]).is_some(),
        }
    }
}

/// The first of the variables that is not empty.
#[allow(clippy::disallowed_methods, reason = "a convention of all HTTP clients")]
fn variable(names: [&'static str; 2]) -> Option<Variable> {
    let value = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    names.into_iter().find_map(|name| value(name).map(|value| Variable { name, value }))
}

/// The proxy that leads to the server. The cluster's own one is used whatever the environment says.
///
/// # Errors
///
/// When the one that applies can't be used; as text without its password.
pub(super) fn choose(
    of_cluster: Option<&str>,
    server: &Uri,
    environment: &ProxyEnvironment,
) -> Result<Option<Proxy>, String> {
    if let Some(url) = of_cluster.filter(|url| !url.is_empty()) {
        return Proxy::of_cluster(url).map(Some);
    }
    let is_tls = server.scheme_str() == Some("https");
    let variable = if is_tls { &environment.https } else { &environment.http };
    // One that is not an address counts as not set.
    let proxy = variable.as_ref().and_then(|it| Proxy::of_variable(it.name, &it.value));
    let Some(proxy) = proxy else { return Ok(None) };
    if !is_tls && environment.is_cgi {
        let name = variable.as_ref().map_or("HTTP_PROXY", |it| it.name);
        return Err(format!(
            "{name} is not used where REQUEST_METHOD is set, as a web server does for what it runs"
        ));
    }
    let port = server.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
    let is_direct =
        no_proxy::matches(&environment.no_proxy, server.host().unwrap_or_default(), port);
    Ok((!is_direct).then_some(proxy))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(of_cluster: Option<&str>, server: &str, environment: &ProxyEnvironment) -> String {
        match choose(of_cluster, &server.parse().unwrap(), environment) {
            Ok(Some(proxy)) => proxy.to_string(),
            Ok(None) => "direct".to_owned(),
            Err(error) => error,
        }
    }

    fn environment(https: &str, http: &str, no_proxy: &str) -> ProxyEnvironment {
        let variable = |name, value: &str| {
            (!value.is_empty()).then(|| Variable { name, value: value.to_owned() })
        };
        ProxyEnvironment {
            https: variable("HTTPS_PROXY", https),
            http: variable("http_proxy", http),
            no_proxy: no_proxy.to_owned(),
            is_cgi: false,
        }
    }

    #[test]
    fn the_environment_applies_by_scheme_and_host() {
        let both = environment("proxy:3128", "http://other", "");
        let https = "the proxy http://proxy:3128 (HTTPS_PROXY)";
        for (server, expected) in [
            ("https://api.example.com", https),
            ("https://10.0.0.1:6443/prefix", https),
            ("http://api.example.com", "the proxy http://other:80 (http_proxy)"),
            ("https://localhost:6443", "direct"),
            ("https://LOCALHOST:6443", https),
            ("https://localhost.example.com", https),
            ("https://127.0.0.1:6443", "direct"),
            ("https://127.9.9.9", "direct"),
            ("https://[::1]:6443", "direct"),
            ("https://[::ffff:127.0.0.1]:6443", "direct"),
            ("https://[fd00::1]:6443", https),
        ] {
            assert_eq!(chosen(None, server, &both), expected, "{server}");
        }
        let https_alone = environment("proxy:3128", "", "");
        assert_eq!(chosen(None, "http://api.example.com", &https_alone), "direct");
        let http_alone = environment("", "proxy:3128", "");
        assert_eq!(chosen(None, "https://api.example.com", &http_alone), "direct");
        assert_eq!(chosen(None, "https://api.example.com", &ProxyEnvironment::default()), "direct");
    }

    #[test]
    fn the_clusters_own_proxy_applies_always() {
        let all = environment("proxy:3128", "", "*");
        let own = Some("http://own:1");
        for server in ["https://api.example.com", "https://127.0.0.1:6443", "https://localhost"] {
            assert_eq!(chosen(own, server, &all), "the proxy http://own:1 (proxy-url)");
            assert_eq!(chosen(Some(""), server, &all), "direct");
        }
    }

    #[test]
    fn http_proxy_is_ignored_in_a_cgi_environment() {
        let cgi = ProxyEnvironment { is_cgi: true, ..environment("one:1", "two:2", "") };
        let refused = chosen(None, "http://api.example.com", &cgi);
        assert!(refused.starts_with("http_proxy is not used where REQUEST_METHOD"), "{refused}");
        assert_eq!(chosen(None, "http://127.0.0.1", &environment("", "two:2", "")), "direct");
        let https = "the proxy http://one:1 (HTTPS_PROXY)";
        assert_eq!(chosen(None, "https://api.example.com", &cgi), https);
    }
}
