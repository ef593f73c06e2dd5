//! Which proxy a request goes through, as git and curl choose it: `remote.<name>.proxy`,
//! `http.<url>.proxy`, `http.proxy`, and then the variables of the environment.

use std::io;
use std::net::IpAddr;

use gix::bstr::BStr;

/// A proxy, and who chose it.
#[derive(Clone, Debug)]
pub(super) struct HttpProxy {
    /// With a scheme, and with the password where one is known.
    pub(super) url: String,
    /// The setting or the variable.
    pub(super) from: String,
}

impl HttpProxy {
    /// Takes the password of `account` with it.
    pub(super) fn set_account(&mut self, account: &gix::sec::identity::Account) {
        if let Ok(mut url) = gix::url::parse(BStr::new(&self.url)) {
            url.set_user(Some(account.username.clone()));
            url.set_password(Some(account.password.clone()));
            self.url = url.to_bstring().to_string();
        }
    }

    /// As a message may name it.
    pub(super) fn display(&self) -> String {
        let url = crate::git::url_without_credentials(&self.url);
        format!("the proxy {url} (from {})", self.from)
    }
}

/// The settings about proxies, the strongest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Choices {
    /// Settings of git: they count for every scheme.
    pub(super) configured: Option<HttpProxy>,
    /// `https_proxy` and its like.
    pub(super) https: Option<HttpProxy>,
    /// `http_proxy`.
    pub(super) http: Option<HttpProxy>,
    /// `all_proxy`.
    pub(super) all: Option<HttpProxy>,
    /// `no_proxy`: the hosts that are reached without one.
    pub(super) except: Option<String>,
}

impl Choices {
    /// The settings for the remote called `remote`, where `http` is `http.proxy` for its URL.
    ///
    /// # Errors
    ///
    /// When a URL is none that a proxy can have.
    pub(super) fn of(
        repo: &gix::Repository,
        remote: Option<&BStr>,
        http: Option<String>,
    ) -> io::Result<Self> {
        let snapshot = repo.config_snapshot();
        let setting = |key: &str| snapshot.string(key).map(|value| value.to_string());
        let key = remote.map(|remote| format!("remote.{remote}.proxy"));
        let of_remote = key.and_then(|key| setting(&key).map(|url| proxy_from(url, &key)));
        Ok(Self {
            configured: of_remote
                .or_else(|| http.map(|url| proxy_from(url, "http.proxy")))
                .transpose()?,
            https: setting("gitoxide.https.proxy")
                .map(|url| proxy_from(url, "https_proxy"))
                .transpose()?,
            http: setting("gitoxide.http.proxy")
                .map(|url| proxy_from(url, "http_proxy"))
                .transpose()?,
            all: setting("gitoxide.http.allProxy")
                .map(|url| proxy_from(url, "all_proxy"))
                .transpose()?,
            except: setting("gitoxide.http.noProxy"),
        })
    }

    /// The proxy for URLs of `scheme` at `host`. An empty setting is the wish for none.
    pub(super) fn choose(&self, scheme: &str, host: &str) -> Option<&HttpProxy> {
        if self.except.as_deref().is_some_and(|except| covers(except, host)) {
            return None;
        }
        let by_scheme = if scheme == "https" { &self.https } else { &self.http };
        let chosen = self.configured.as_ref().or(by_scheme.as_ref()).or(self.all.as_ref());
        chosen.filter(|proxy| !proxy.url.is_empty())
    }

    /// The same, to be completed.
    pub(super) fn choose_mut(&mut self, scheme: &str, host: &str) -> Option<&mut HttpProxy> {
        self.choose(scheme, host)?;
        let by_scheme = if scheme == "https" { &mut self.https } else { &mut self.http };
        let chosen = self.configured.as_mut().or(by_scheme.as_mut()).or(self.all.as_mut());
        chosen.filter(|proxy| !proxy.url.is_empty())
    }
}

/// Whether the list `except` names `host`: it, a domain that it is in, or a network.
fn covers(except: &str, host: &str) -> bool {
    let host = host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
    let address = host.parse::<IpAddr>().ok();
    except.split([',', ' ', '\t']).filter(|entry| !entry.is_empty()).any(|entry| {
        let entry = entry.trim_matches(['[', ']']).to_ascii_lowercase();
        let name = entry.trim_start_matches('.').trim_end_matches('.');
        match address {
            _ if entry == "*" => true,
            Some(address) => is_in(address, &entry),
            None => host
                .strip_suffix(name)
                .is_some_and(|rest| !name.is_empty() && (rest.is_empty() || rest.ends_with('.'))),
        }
    })
}

/// Whether `address` is the one of `network`, or in it, as in `10.0.0.0/8`.
fn is_in(address: IpAddr, network: &str) -> bool {
    let (base, bits) = network.split_once('/').unwrap_or((network, "128"));
    let (Ok(base), Ok(bits)) = (base.parse::<IpAddr>(), bits.parse::<u32>()) else { return false };
    let (number, of, width) = match (address, base) {
        (IpAddr::V4(address), IpAddr::V4(base)) => {
            (u128::from(u32::from(address)) << 96, u128::from(u32::from(base)) << 96, 32)
        }
        (IpAddr::V6(address), IpAddr::V6(base)) => (u128::from(address), u128::from(base), 128),
        _ => return false,
    };
    let mask = u128::MAX.checked_shl(128 - bits.min(width)).unwrap_or(0);
    (number ^ of) & mask == 0
}

fn proxy_from(text: String, from: &str) -> io::Result<HttpProxy> {
    let from = from.to_owned();
    if text.is_empty() {
        return Ok(HttpProxy { url: text, from });
    }
    let url = match text.contains("://") {
        true => text,
        false => format!("http://{text}"),
    };
    // git's word for the fourth version.
    let url = match url.strip_prefix("socks://") {
        Some(rest) => format!("socks4://{rest}"),
        None => url,
    };
    let proxy = HttpProxy { url, from };
    let scheme = proxy.url.split("://").next().unwrap_or_default();
    match matches!(scheme, "http" | "https" | "socks4" | "socks4a" | "socks5" | "socks5h") {
        true => Ok(proxy),
        false => {
            Err(io::Error::other(format!("{} is of no kind that trueup knows", proxy.display())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choices(texts: [Option<&str>; 4]) -> Choices {
        let [configured, https, http, all] =
            texts.map(|text| text.map(|text| proxy_from(text.to_owned(), "x").unwrap()));
        Choices { configured, https, http, all, except: None }
    }

    #[test]
    fn each_scheme_has_its_own() {
        for (texts, https, http) in [
            ([None, Some("s:1"), Some("h:1"), Some("a:1")], "http://s:1", "http://h:1"),
            ([None, None, Some("h:1"), None], "", "http://h:1"),
            ([None, None, Some("h:1"), Some("socks5h://a")], "socks5h://a", "http://h:1"),
            ([Some("c:1"), Some("s:1"), Some("h:1"), None], "http://c:1", "http://c:1"),
            ([Some(""), Some("s:1"), Some("h:1"), Some("a:1")], "", ""),
            ([None, Some(""), None, Some("a:1")], "", "http://a:1"),
            ([None, None, Some("socks://h"), None], "", "socks4://h"),
        ] {
            let choices = choices(texts);
            let url =
                |scheme| choices.choose(scheme, "host").map_or("", |proxy| proxy.url.as_str());
            assert_eq!((url("https"), url("http")), (https, http), "{texts:?}");
        }
    }

    #[test]
    fn hosts_are_left_out_by_name_domain_and_network() {
        for (except, host, is_covered) in [
            ("example.com", "example.com", true),
            ("example.com", "git.Example.com", true),
            (".example.com", "git.example.com", true),
            ("example.com", "notexample.com", false),
            ("a, localhost b", "localhost", true),
            ("*", "anything", true),
            ("", "anything", false),
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.0.0.0/8", "11.1.2.3", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.4", false),
            ("0.0.0.0/0", "10.1.2.3", true),
            ("fd00::/8", "[fd12::1]", true),
            ("::1", "[::1]", true),
            ("10.0.0.0/8", "::1", false),
        ] {
            assert_eq!(covers(except, host), is_covered, "{except} {host}");
        }
    }

    #[test]
    fn a_proxy_is_named_without_its_password() {
        let proxy = proxy_from("http://u:s3cret@proxy:3128".to_owned(), "https_proxy").unwrap();
        assert_eq!(proxy.display(), "the proxy http://proxy:3128 (from https_proxy)");
        for url in ["gopher://u:s3cret@proxy", "gopher://u:1/s3cret@proxy", "gopher://u:1 s3cret@p"]
        {
            let error = proxy_from(url.to_owned(), "http.proxy").unwrap_err();
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
    }
}
