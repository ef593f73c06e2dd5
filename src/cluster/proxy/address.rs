//! The address of a proxy: its parts, and how it is shown without its password.

use std::fmt;

use http::Uri;

use crate::core::credentials::url_without_credentials;

/// Where a kubeconfig names the proxy of a cluster.
pub(super) const OF_CLUSTER: &str = "proxy-url";

/// A proxy, and where it is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cluster) struct Proxy {
    pub(in crate::cluster) kind: ProxyProtocol,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) login: Option<Login>,
    /// `proxy-url`, or the variable of the environment.
    pub(super) source: &'static str,
}

/// The protocol of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cluster) enum ProxyProtocol {
    /// HTTP's CONNECT.
    Http,
    /// The same over TLS.
    Https,
    /// SOCKS 5; names are resolved by the proxy.
    Socks5,
}

/// A user and a password.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) name: Vec<u8>,
    pub(super) password: Vec<u8>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login")
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            ProxyProtocol::Http => "http",
            ProxyProtocol::Https => "https",
            ProxyProtocol::Socks5 => "socks5",
        };
        write!(f, "the proxy {scheme}://{}:{} ({})", self.host, self.port, self.source)
    }
}

impl Proxy {
    /// The one of a cluster's `proxy-url`.
    ///
    /// # Errors
    ///
    /// When it is not a URL of a proxy; as text without its password.
    pub(super) fn of_cluster(url: &str) -> Result<Self, String> {
        let shown = url_without_credentials(url);
        let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        match scheme.as_deref().and_then(ProxyProtocol::of) {
            Some(_) => Self::parse(url, OF_CLUSTER)
                .ok_or_else(|| format!("the cluster's proxy-url {shown:?} is not a URL")),
            None => Err(format!(
                "the cluster's proxy-url {shown:?} must begin with http://, https:// or socks5://"
            )),
        }
    }

    /// The one that a variable of the environment names, also without a scheme.
    pub(super) fn of_variable(name: &'static str, value: &str) -> Option<Self> {
        let scheme = value.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        match scheme.as_deref().and_then(ProxyProtocol::of) {
            Some(_) => Self::parse(value, name),
            None => Self::parse(&format!("http://{value}"), name),
        }
    }

    fn parse(url: &str, source: &'static str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let kind = ProxyProtocol::of(&scheme.to_ascii_lowercase())?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority),
        };
        let login = match user {
            Some(user) => {
                let (name, password) = user.split_once(':').unwrap_or((user, ""));
                Some(Login { name: decoded(name)?, password: decoded(password)? })
            }
            None => None,
        };
        // An address with colons stands in brackets.
        let after_host = place.rfind(']').map_or(0, |end| end + 1);
        let (host, port) = match place[after_host..].find(':') {
            Some(colon) => (&place[..after_host + colon], &place[after_host + colon + 1..]),
            None => (place, ""),
        };
        let port = match port {
            "" => kind.default_port(),
            port => port.parse().ok()?,
        };
        let proxy = Self { kind, host: host.to_owned(), port, login, source };
        (!host.is_empty() && proxy.uri().is_some()).then_some(proxy)
    }

    /// The address to connect to.
    pub(super) fn uri(&self) -> Option<Uri> {
        let scheme = if self.kind == ProxyProtocol::Https { "https" } else { "http" };
        format!("{scheme}://{}:{}/", self.host, self.port).parse().ok()
    }
}

impl ProxyProtocol {
    fn of(scheme: &str) -> Option<Self> {
        match scheme {
            "http" => Some(Self::Http),
            "https" => Some(Self::Https),
            "socks5" | "socks5h" => Some(Self::Socks5),
            _ => None,
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
            Self::Socks5 => 1080,
        }
    }
}

/// The text with its percent escapes decoded; `None` where digits are missing.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        bytes.push(match first {
            b'%' => {
                let digit = |at: usize| char::from(*after.get(at)?).to_digit(16);
                rest = after.get(2..)?;
                u8::try_from(digit(0)? * 16 + digit(1)?).ok()?
            }
            byte => *byte,
        });
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(url: &str) -> Option<String> {
        Proxy::of_variable("HTTPS_PROXY", url).map(|proxy| {
            let login = proxy.login.as_ref().map(|Login { name, password }| {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                format!("{}:{}@", text(name), text(password))
            });
            format!("{:?} {}{}:{}", proxy.kind, login.unwrap_or_default(), proxy.host, proxy.port)
        })
    }

    #[test]
    fn addresses_are_read_as_in_go() {
        for (url, expected) in [
            ("http://proxy:3128", Some("Http proxy:3128")),
            ("http://proxy", Some("Http proxy:80")),
            ("http://proxy:/", Some("Http proxy:80")),
            ("HTTP://proxy:3128/", Some("Http proxy:3128")),
            ("https://proxy", Some("Https proxy:443")),
            ("socks5://proxy", Some("Socks5 proxy:1080")),
            ("socks5h://10.0.0.1:1", Some("Socks5 10.0.0.1:1")),
            ("proxy:3128", Some("Http proxy:3128")),
            ("proxy", Some("Http proxy:80")),
            ("10.0.0.1:3128", Some("Http 10.0.0.1:3128")),
            ("[fd00::1]:3128", Some("Http [fd00::1]:3128")),
            ("bob:pa%40ss%3A@proxy:3128", Some("Http bob:pa@ss:@proxy:3128")),
            ("http://bob@proxy", Some("Http bob:@proxy:80")),
            ("socks5://bob:a:b@proxy", Some("Socks5 bob:a:b@proxy:1080")),
            ("http://", None),
            ("http://proxy:port", None),
            ("http://proxy:70000", None),
            ("http://a b", None),
            ("http://bob:%4@proxy", None),
            // Go takes it to be http://quic: and a path.
            ("quic://proxy:1", Some("Http quic:80")),
        ] {
            assert_eq!(shown(url).as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let proxy = Proxy::of_cluster("http://bob:hunter2@proxy:1").unwrap();
        assert_eq!(proxy.to_string(), "the proxy http://proxy:1 (proxy-url)");
        assert!(!format!("{proxy:?}").contains("hunter2"));
        for url in [
            "quic://bob:hunter2@proxy",
            "http://bob:hunter2@pro xy",
            "http://bob:PX/hunter2@127.0.0.1:1",
            "quic://bob:a hunter2@proxy",
            "bob:a/hunter2@proxy:1",
        ] {
            let error = Proxy::of_cluster(url).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_cluster_names_its_proxy_with_a_scheme() {
        for url in ["proxy:3128", "quic://proxy", "//proxy", "proxy"] {
            let error = Proxy::of_cluster(url).unwrap_err();
            assert!(error.contains("must begin with http://"), "{error}");
        }
    }
}
