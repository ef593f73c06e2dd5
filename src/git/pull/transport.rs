//! How to talk to a remote: what git's configuration says that gix leaves out, and patience.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gix::bstr::{BStr, ByteSlice};
use gix::credentials::{helper, protocol};
use gix::protocol::transport::client::blocking_io::{Transport, http};
use gix::remote::Connection;
use gix::sec::identity::Account;
use gix::url::Scheme;

use super::metered::Metered;

type GixResult<T> = Result<T, gix::Error>;

/// What every connection of one pull is given.
#[derive(Clone)]
pub(super) struct Manner {
    /// How long to wait for a connection, or for the next byte.
    pub(super) patience: Duration,
    /// The credentials that came with `--url`, and where they belong.
    pub(super) credentials: Option<Credentials>,
    /// The most bytes that a list of refs may have.
    pub(super) refs: u64,
}

/// An account at one server.
#[derive(Clone, Debug)]
pub(super) struct Credentials {
    pub(super) account: Account,
    /// The URL that they came with, without them.
    pub(super) url: gix::Url,
}

impl Credentials {
    /// Whether they were given for the server of `url`: its scheme, host and port. Whoever answers
    /// there may send us on to any other.
    fn are_for(&self, url: &BStr) -> bool {
        gix::url::parse(url).is_ok_and(|url| {
            self.url.scheme == url.scheme
                && self.url.host() == url.host()
                && self.url.port_or_default() == url.port_or_default()
        })
    }
}

/// The ssh to run where the user chose none: one that asks nobody and does not wait for ever.
///
/// Returned as configuration overrides.
pub(super) fn ssh_defaults(repo: &gix::Repository, patience: Duration) -> Vec<String> {
    let Ok(chosen) = repo.ssh_connect_options() else { return Vec::new() };
    if chosen.command.is_some() || chosen.kind.is_some() {
        return Vec::new();
    }
    let seconds = patience.as_secs().clamp(1, 30);
    vec![
        format!(
            "core.sshCommand=ssh -o BatchMode=yes -o ConnectTimeout={seconds} \
             -o ServerAliveInterval=15"
        ),
        "ssh.variant=ssh".to_owned(),
    ]
}

/// Prepares `connection`, of the remote called `remote`, before its first use.
pub(super) fn prepare(
    connection: &mut Connection<'_, '_, '_, Box<dyn Transport + Send>>,
    remote: Option<&BStr>,
    manner: &Manner,
) -> GixResult<()> {
    let repo = connection.remote().repo();
    let url = connection.transport_mut().to_url().into_owned();
    if let Some(mut options) = http_options(repo, url.as_ref(), remote)? {
        let client = Client::of(repo, url.as_ref(), &options, manner.patience);
        options.extra_headers.extend(client.headers.clone());
        options.backend = Some(Arc::new(Mutex::new(http::reqwest::Options {
            configure_client: Some(Box::new(move |builder| client.configure(builder))),
            configure_request: None,
        })));
        connection.set_transport_options(Box::new(options));
        let (url, version) =
            connection.remote().sanitized_url_and_version(gix::remote::Direction::Fetch)?;
        *connection.transport_mut() =
            Box::new(http::Transport::new_http(Metered::new(manner.refs), url, version, false));
    }
    if let Some(credentials) = manner.credentials.clone() {
        // Any other server is what the user configured for it, as without `--url`.
        let mut configured = connection.configured_credentials_for_current_url();
        let mut is_configured = false;
        connection.set_credentials(move |action| match &action {
            helper::Action::Get(context) => {
                let url = context.url.clone().or_else(|| context.to_url());
                is_configured = !url.is_some_and(|url| credentials.are_for(url.as_ref()));
                match (is_configured, action) {
                    (false, helper::Action::Get(context)) => Ok(Some(protocol::Outcome {
                        identity: credentials.account.clone(),
                        next: context.into(),
                    })),
                    (_, action) => configured(action),
                }
            }
            helper::Action::Store(_) | helper::Action::Erase(_) if is_configured => {
                configured(action)
            }
            // They are the command line's, and no helper's to keep or forget.
            helper::Action::Store(_) | helper::Action::Erase(_) => Ok(None),
        });
    }
    Ok(())
}

/// What gix makes of git's configuration for `url`, if it is of the web.
fn http_options(
    repo: &gix::Repository,
    url: &BStr,
    remote: Option<&BStr>,
) -> GixResult<Option<http::Options>> {
    let options = repo.transport_options(url, remote)?;
    Ok(options.and_then(|any| any.downcast::<http::Options>().ok()).map(|options| *options))
}

/// The settings that the HTTP client does not read from gix by itself.
#[derive(Clone)]
struct Client {
    patience: Duration,
    authority: Option<PathBuf>,
    verify: bool,
    proxy: Option<String>,
    no_proxy: Option<String>,
    headers: Vec<String>,
}

impl Client {
    fn of(repo: &gix::Repository, url: &BStr, options: &http::Options, patience: Duration) -> Self {
        let scoped = Scoped::of(repo, url);
        let verify = scoped.last("sslVerify").map(|value| !is_false(&value));
        Self {
            patience,
            authority: scoped
                .last("sslCAInfo")
                .map(home_expanded)
                .or_else(|| options.ssl_ca_info.clone()),
            verify: verify.unwrap_or(options.ssl_verify),
            proxy: scoped.last("proxy").or_else(|| options.proxy.clone()),
            no_proxy: options.no_proxy.clone(),
            headers: scoped.all("extraHeader"),
        }
    }

    fn configure(
        &self,
        builder: reqwest::blocking::ClientBuilder,
    ) -> GixResult<reqwest::blocking::ClientBuilder> {
        // Where we come from is nothing that the next server must know: a path may hold a token.
        let mut builder =
            builder.timeout(self.patience).connect_timeout(self.patience).referer(false);
        if let Some(file) = &self.authority {
            let failed = |error: &dyn std::fmt::Display| {
                let text = format!("http.sslCAInfo {}: {error}", file.display());
                gix::Error::from_error(std::io::Error::other(text))
            };
            let pem = std::fs::read(file).map_err(|error| failed(&error))?;
            let certificates =
                reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| failed(&error))?;
            builder = builder.tls_certs_only(certificates);
        }
        if !self.verify {
            builder = builder.tls_danger_accept_invalid_certs(true);
        }
        match self.proxy.as_deref() {
            None => {}
            Some("") => builder = builder.no_proxy(),
            Some(proxy) => {
                let except = self.no_proxy.as_deref().and_then(reqwest::NoProxy::from_string);
                let proxy = reqwest::Proxy::all(proxy).map_err(gix::Error::from_error)?;
                builder = builder.proxy(proxy.no_proxy(except));
            }
        }
        Ok(builder)
    }
}

/// The `http.<url>.*` settings of those sections whose URL is a part of the remote's, the least
/// specific first, and last what the environment says.
struct Scoped {
    sections: Vec<(usize, Vec<(String, String)>)>,
}

const SCOPED_KEYS: [&str; 4] = ["sslVerify", "sslCAInfo", "proxy", "extraHeader"];

impl Scoped {
    fn of(repo: &gix::Repository, url: &BStr) -> Self {
        let snapshot = repo.config_snapshot();
        let Ok(url) = gix::url::parse(url) else { return Self { sections: Vec::new() } };
        let mut sections = Vec::new();
        for section in snapshot.plumbing().sections_by_name("http").into_iter().flatten() {
            let weight = match section.header().subsection_name() {
                Some(scope) => covers(scope, &url),
                // GIT_SSL_CAINFO and its like beat every file.
                None => (section.meta().source == gix::config::Source::EnvOverride)
                    .then_some(usize::MAX),
            };
            let trusted = section.meta().trust == gix::sec::Trust::Full;
            let Some(weight) = weight.filter(|_| trusted) else { continue };
            let mut values = Vec::new();
            for key in SCOPED_KEYS {
                for value in section.values(key) {
                    values.push((key.to_owned(), value.to_string()));
                }
            }
            sections.push((weight, values));
        }
        sections.sort_by_key(|(weight, _)| *weight);
        Self { sections }
    }

    fn all(&self, key: &str) -> Vec<String> {
        let values = self.sections.iter().flat_map(|(_, values)| values);
        values.filter(|(name, _)| name == key).map(|(_, value)| value.clone()).collect()
    }

    fn last(&self, key: &str) -> Option<String> {
        self.all(key).pop()
    }
}

/// How specific the URL `scope` is, if `url` is at or beneath it.
fn covers(scope: &BStr, url: &gix::Url) -> Option<usize> {
    let scope = gix::url::parse(scope).ok()?;
    let path = scope.path.trim_end_with(|c| c == '/');
    let beneath = url.path.strip_prefix(path)?;
    let same = scope.scheme == url.scheme
        && scope.host() == url.host()
        && scope.port_or_default() == url.port_or_default()
        && matches!(url.scheme, Scheme::Http | Scheme::Https);
    (same && (beneath.is_empty() || beneath.starts_with(b"/"))).then_some(path.len())
}

fn is_false(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "false" | "no" | "off" | "0" | "")
}

/// The path `~/ca.pem` as the system needs it.
fn home_expanded(path: String) -> PathBuf {
    match (path.strip_prefix("~/"), directories::BaseDirs::new()) {
        (Some(rest), Some(home)) => home.home_dir().join(rest),
        _ => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_for_the_server_that_they_were_given_for() {
        let url = gix::url::parse(BStr::new("https://host:8443/shop.git")).unwrap();
        let account =
            Account { username: "u".into(), password: "p".into(), oauth_refresh_token: None };
        let credentials = Credentials { account, url };
        for (url, are_for) in [
            ("https://host:8443/shop.git", true),
            ("https://host:8443/other", true),
            ("https://HOST:8443/shop.git", true),
            ("http://host:8443/shop.git", false),
            ("https://host/shop.git", false),
            ("https://host:443/shop.git", false),
            ("https://other:8443/shop.git", false),
            ("https://sub.host:8443/shop.git", false),
            ("https://host:8443@other/shop.git", false),
            ("https://other/?@host:8443/shop.git", false),
            ("nonsense", false),
        ] {
            assert_eq!(credentials.are_for(BStr::new(url)), are_for, "{url}");
        }
    }
}
