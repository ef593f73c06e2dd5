//! git's configuration and environment for HTTP: `http.*`, `http.<url>.*`, `GIT_SSL_*`.

use std::path::{Path, PathBuf};

use gix::bstr::{BStr, ByteSlice};
use gix::protocol::transport::client::blocking_io::http::{self, options::FollowRedirects};
use gix::url::Scheme;

/// The trusted authorities, our identity, and the extra headers.
#[derive(Clone, Debug)]
pub(super) struct HttpSettings {
    pub(super) authority: Option<PathBuf>,
    pub(super) authorities: Option<PathBuf>,
    pub(super) verify: bool,
    pub(super) certificate: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
    /// Lines as they occur in a request.
    pub(super) headers: Vec<String>,
    pub(super) follow: FollowRedirects,
    pub(super) proxy: Option<String>,
}

impl HttpSettings {
    /// The settings for `url`; `options` are what gix makes of it.
    pub(super) fn of(repo: &gix::Repository, url: &gix::Url, options: &http::Options) -> Self {
        let scoped = Scoped::of(repo, url);
        let path = |name: &str, key: &str| {
            let path = variable(name).or_else(|| scoped.last(key));
            path.filter(|path| !path.is_empty()).map(home_expanded)
        };
        let verify = scoped.last("sslVerify").map(|value| !is_false(&value));
        Self {
            authority: path("GIT_SSL_CAINFO", "sslCAInfo"),
            authorities: path("GIT_SSL_CAPATH", "sslCAPath"),
            verify: verify.unwrap_or(true) && options.ssl_verify,
            certificate: path("GIT_SSL_CERT", "sslCert"),
            key: path("GIT_SSL_KEY", "sslKey"),
            headers: since_reset(scoped.all("extraHeader")),
            follow: options.follow_redirects,
            proxy: scoped.last("proxy"),
        }
    }

    /// Makes `builder` trust whom it should, and show who we are.
    ///
    /// # Errors
    ///
    /// When a file can't be read, or does not hold what it should.
    pub(super) fn apply(
        &self,
        mut builder: reqwest::blocking::ClientBuilder,
    ) -> gix::Result<reqwest::blocking::ClientBuilder> {
        let mut trusted = Vec::new();
        for file in self.authorities.iter().flat_map(|folder| files(folder)) {
            // A folder of certificates may hold other files.
            let pem = std::fs::read(&file).unwrap_or_default();
            trusted.extend(reqwest::Certificate::from_pem_bundle(&pem).unwrap_or_default());
        }
        if let Some(folder) = self.authorities.as_ref().filter(|_| trusted.is_empty()) {
            return Err(failed("http.sslCAPath", folder, &"no certificate is in it"));
        }
        builder = match &self.authority {
            Some(file) => {
                let pem = read("http.sslCAInfo", file)?;
                let bundle = reqwest::Certificate::from_pem_bundle(&pem);
                trusted.extend(bundle.map_err(|error| failed("http.sslCAInfo", file, &error))?);
                builder.tls_certs_only(trusted)
            }
            None => builder.tls_certs_merge(trusted),
        };
        if let Some(file) = &self.certificate {
            let mut pem = read("http.sslCert", file)?;
            if let Some(key) = &self.key {
                pem.push(b'\n');
                pem.extend(read("http.sslKey", key)?);
            }
            if pem.contains_str("BEGIN ENCRYPTED PRIVATE KEY")
                || pem.contains_str("Proc-Type: 4,ENCRYPTED")
            {
                let file = self.key.as_ref().unwrap_or(file);
                let why = "the key has a passphrase, which trueup cannot ask for: decrypt it with \
                           `openssl pkey`";
                return Err(failed("http.sslKey", file, &why));
            }
            let identity = reqwest::Identity::from_pem(&pem);
            builder =
                builder.identity(identity.map_err(|error| failed("http.sslCert", file, &error))?);
        }
        if !self.verify {
            builder = builder.tls_danger_accept_invalid_certs(true);
        }
        Ok(builder)
    }
}

fn read(key: &str, file: &Path) -> gix::Result<Vec<u8>> {
    std::fs::read(file).map_err(|error| failed(key, file, &error))
}

fn failed(key: &str, file: &Path, error: &dyn std::fmt::Display) -> gix::Error {
    let text = format!("{key} {}: {error}", file.display());
    gix::Error::from_error(std::io::Error::other(text))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect()
}

/// The variable `name` of the environment, where git reads it and gix does not.
pub(super) fn variable(name: &str) -> Option<String> {
    #[allow(clippy::disallowed_methods, reason = "a setting of git's, which gix leaves out")]
    std::env::var(name).ok()
}

/// The values after the last empty value, which takes back all before it.
fn since_reset(mut values: Vec<String>) -> Vec<String> {
    let reset = values.iter().rposition(String::is_empty);
    values.split_off(reset.map_or(0, |at| at + 1))
}

/// The `http.*` settings that count for one URL, in git's order.
struct Scoped {
    values: Vec<SettingValue>,
}

struct SettingValue {
    key: &'static str,
    weight: usize,
    text: String,
}

const KEYS: [&str; 8] = [
    "sslVerify",
    "sslCAInfo",
    "sslCAPath",
    "sslCert",
    "sslKey",
    "proxy",
    "extraHeader",
    "emptyAuth",
];

impl Scoped {
    fn of(repo: &gix::Repository, url: &gix::Url) -> Self {
        let snapshot = repo.config_snapshot();
        let mut values: Vec<SettingValue> = Vec::new();
        for section in snapshot.plumbing().sections_by_name("http").into_iter().flatten() {
            let weight = match section.header().subsection_name() {
                Some(scope) => covers(scope, url).map(|length| length + 1),
                // GIT_SSL_CAINFO and its like beat every file.
                None if section.meta().source == gix::config::Source::EnvOverride => {
                    Some(usize::MAX)
                }
                None => Some(0),
            };
            let trusted = section.meta().trust == gix::sec::Trust::Full;
            let Some(weight) = weight.filter(|_| trusted) else { continue };
            for key in KEYS {
                // The more specific value counts, though the general one comes after it.
                let beaten = values.iter().any(|value| value.key == key && value.weight > weight);
                if beaten {
                    continue;
                }
                let texts = section.values(key).into_iter().map(|text| text.to_string());
                values.extend(texts.map(|text| SettingValue { key, weight, text }));
            }
        }
        Self { values }
    }

    fn all(&self, key: &str) -> Vec<String> {
        let values = self.values.iter().filter(|value| value.key == key);
        values.map(|value| value.text.clone()).collect()
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
        && is_host(scope.host()?, url.host()?)
        && scope.port_or_default() == url.port_or_default()
        && matches!(url.scheme, Scheme::Http | Scheme::Https)
        && scope.user().is_none_or(|user| url.user() == Some(user));
    let weight = scope.host()?.len() + path.len();
    (same && (beneath.is_empty() || beneath.starts_with(b"/"))).then_some(weight)
}

/// Whether a pattern, in which `*` is any one label, is of this host.
fn is_host(pattern: &str, host: &str) -> bool {
    let labels = pattern.split('.').count() == host.split('.').count();
    let mut pairs = pattern.split('.').zip(host.split('.'));
    labels && pairs.all(|(pattern, label)| pattern == "*" || pattern.eq_ignore_ascii_case(label))
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
    fn an_empty_value_takes_back_all_before_it() {
        let reset = |values: &[&str]| since_reset(values.iter().map(|&text| text.into()).collect());
        assert_eq!(reset(&["A: 1", "", "B: 2", "C: 3"]), ["B: 2", "C: 3"]);
        assert_eq!(reset(&["A: 1", ""]), Vec::<String>::new());
        assert_eq!(reset(&["A: 1"]), ["A: 1"]);
    }

    #[test]
    fn a_scope_covers_what_is_beneath_it() {
        let url = gix::url::parse(BStr::new("https://git.example.com/team/shop.git")).unwrap();
        let weight = |scope: &str| covers(BStr::new(scope), &url);
        assert!(weight("https://git.example.com/team") > weight("https://git.example.com"));
        assert!(weight("https://*.example.com").is_some());
        for scope in ["https://*.com", "http://git.example.com", "https://git.example.com/te"] {
            assert_eq!(weight(scope), None, "{scope}");
        }
    }
}
