//! The requests to one remote over HTTP: who we are there, which headers it gets, where it may send
//! us on to, which proxy lies between, and how it refuses.

use std::io::{self, Read};
use std::time::Duration;

use base64::Engine;
use gix::bstr::{BStr, BString};
use gix::protocol::transport::client::AuthenticationRequired;
use gix::protocol::transport::client::blocking_io::http::options::FollowRedirects;
use gix::sec::identity::Account;
use reqwest::Url;
use reqwest::blocking::{Client, Response};
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::Warnings;
use super::netrc;
use super::proxy::Choices;
use super::remote_messages::RemoteMessages;
use super::settings::{self, HttpSettings};

/// How often a request may be sent on, as with curl.
const HOPS: usize = 50;
/// How much of an error's text is read.
const LONGEST: u64 = 4096;

/// A request of gix.
pub(super) struct HttpRequest {
    pub(super) url: String,
    /// The repository's part of the URL.
    pub(super) base: String,
    pub(super) headers: Vec<String>,
    /// The body of a POST, if it is one.
    pub(super) body: Option<Vec<u8>>,
}

/// The options of a session.
pub(super) struct HttpSessionOptions {
    pub(super) settings: HttpSettings,
    pub(super) proxies: Choices,
    /// The account that the remote's URL has, with its password.
    pub(super) given: Option<Account>,
    /// The user that the remote's URL has.
    pub(super) user: Option<String>,
    pub(super) patience: Duration,
    pub(super) warnings: Warnings,
}

/// A client, and what it learned.
pub(super) struct HttpSession {
    client: Client,
    plan: HttpSessionOptions,
    words: RemoteMessages,
    /// The server that the user named.
    origin: Url,
    /// Our account, and its server.
    identity: Option<(Url, Account)>,
    was_sent_on: bool,
}

impl HttpSession {
    /// With the server of `origin`.
    ///
    /// # Errors
    ///
    /// When a certificate, a key or a proxy is not usable.
    pub(super) fn new(
        plan: HttpSessionOptions,
        origin: &BStr,
        words: RemoteMessages,
    ) -> gix::Result<Self> {
        let origin = Url::parse(&origin.to_string()).map_err(gix::Error::from_error)?;
        // The watchdog gives up first; this ends the thread that is left behind.
        let patience = plan.patience.saturating_mul(2);
        let mut builder = Client::builder()
            .http1_title_case_headers()
            .timeout(patience)
            .connect_timeout(patience)
            // Where we come from is nothing that the next server must know: a path may hold a token.
            .referer(false)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy();
        let proxies = plan.proxies.clone();
        let choose = move |url: &Url| {
            let proxy = proxies.choose(url.scheme(), url.host_str().unwrap_or_default());
            proxy.map(|proxy| proxy.url.clone())
        };
        builder = builder.proxy(reqwest::Proxy::custom(choose));
        builder = plan.settings.apply(builder)?;
        let client = builder.build().map_err(gix::Error::from_error)?;
        for line in &plan.settings.headers {
            let value = line.split_once(':').map_or("", |(_, value)| value.trim());
            words.hide(value);
            // The token alone, without the word before it.
            words.hide(value.rsplit(' ').next().unwrap_or_default());
        }
        if let Some(Account { password, .. }) = &plan.given {
            words.hide(password);
        }
        Ok(Self { client, plan, words, origin, identity: None, was_sent_on: false })
    }

    pub(super) fn words(&self) -> &RemoteMessages {
        &self.words
    }

    /// From now on we are `account` at the server of `url`.
    pub(super) fn authenticate(&mut self, url: &BStr, account: Account) {
        if let Ok(url) = Url::parse(&url.to_string()) {
            self.words.hide(&account.password);
            self.words.hide(basic(&account).trim_start_matches("Basic "));
            self.identity = Some((url, account));
        }
    }

    /// Sends `request`, and where it is sent on, after it; sets `base` to where the repository is
    /// then.
    ///
    /// # Errors
    ///
    /// When there is no answer, or none that is the repository's.
    pub(super) fn send(
        &mut self,
        request: &HttpRequest,
        base: &mut Option<String>,
    ) -> io::Result<Response> {
        let tail = request.url.strip_prefix(&request.base).unwrap_or_default();
        let mut url = Url::parse(&request.url).map_err(io::Error::other)?;
        self.words.forget();
        let mut candidates = self.candidates(&url);
        for _ in 0..HOPS {
            let response = self.attempt(request, &url)?;
            let status = response.status();
            if status.is_redirection() && response.headers().contains_key(header::LOCATION) {
                let next = self.next(request, &url, &response)?;
                let beneath = next.as_str().strip_suffix(tail).map(str::to_owned);
                *base = Some(beneath.ok_or_else(|| {
                    let place = next.host_str().unwrap_or_default();
                    io::Error::other(format!(
                        "the server redirects to {place}, which is not a repository"
                    ))
                })?);
                if !is_same_server(&next, &url) {
                    candidates = self.candidates(&next);
                }
                url = next;
                continue;
            }
            if status == reqwest::StatusCode::UNAUTHORIZED {
                if let Some(account) = candidates.pop() {
                    self.authenticate(url.as_str().into(), account);
                    continue;
                }
                if self.is_given(&url) {
                    self.note(response);
                    let why = "the server refuses the credentials of the URL (HTTP status 401)";
                    return Err(io::Error::other(why));
                }
                let values = response.headers().get_all(header::WWW_AUTHENTICATE);
                let www_authenticate =
                    values.iter().map(|value| BString::from(value.as_bytes())).collect();
                self.note(response);
                let wanted = AuthenticationRequired { www_authenticate };
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, wanted));
            }
            if !status.is_success() {
                let by = self.between(&url).filter(|_| status.as_u16() == 407);
                let after = response.headers().get(header::RETRY_AFTER);
                if let Some(after) = after.and_then(|value| value.to_str().ok()) {
                    self.words.traffic().note_retry_after(after, jiff::Timestamp::now());
                }
                self.note(response);
                let from = by.map(|proxy| format!(" from {proxy}")).unwrap_or_default();
                return Err(io::Error::other(format!("HTTP status {status}{from}")));
            }
            self.was_sent_on |= base.is_some();
            return Ok(response);
        }
        Err(io::Error::other("the server redirects without end"))
    }

    /// Sends `request` to `url`.
    fn attempt(&self, request: &HttpRequest, url: &Url) -> io::Result<Response> {
        let mut headers = HeaderMap::new();
        request.headers.iter().for_each(|line| add(&mut headers, line));
        if is_same_server(url, &self.origin) {
            self.plan.settings.headers.iter().for_each(|line| add(&mut headers, line));
        }
        if let Some((server, account)) = &self.identity
            && is_same_server(server, url)
            && let Ok(mut value) = HeaderValue::from_str(&basic(account))
        {
            value.set_sensitive(true);
            if url.scheme() == "http" {
                let host = url.host_str().unwrap_or_default();
                self.plan.warnings.add(format!(
                    "the password for {host} is sent in clear text: use https where it can be"
                ));
            }
            headers.insert(header::AUTHORIZATION, value);
        }
        let builder = match &request.body {
            Some(body) => self.client.post(url.clone()).body(body.clone()),
            None => self.client.get(url.clone()),
        };
        builder.headers(headers).send().map_err(|error| {
            let timed_out = error.is_timeout();
            let error = error.without_url();
            let error = gix::Error::from_error(error);
            let kind = if timed_out { io::ErrorKind::TimedOut } else { io::ErrorKind::Other };
            match self.between(url) {
                None => io::Error::new(kind, error),
                Some(proxy) => io::Error::new(kind, ProxyFailure { proxy, error }),
            }
        })
    }

    /// Where an answer sends `request` on to.
    fn next(&self, request: &HttpRequest, url: &Url, response: &Response) -> io::Result<Url> {
        let may = match self.plan.settings.follow {
            FollowRedirects::All => true,
            // git's default: the first request, and what follows goes to where it led.
            FollowRedirects::Initial => request.body.is_none() && !self.was_sent_on,
            FollowRedirects::None => false,
        };
        let to = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
        let next = to.and_then(|to| url.join(to).ok());
        let Some(next) = next.filter(|_| may) else {
            let status = response.status();
            return Err(io::Error::other(format!(
                "the server redirects (HTTP status {status}), which http.followRedirects forbids"
            )));
        };
        let place = next.host_str().unwrap_or_default();
        let is_safe = next.scheme() == url.scheme() || next.scheme() == "https";
        if !is_safe {
            return Err(io::Error::other(format!(
                "the server redirects from https to {place} in clear text"
            )));
        }
        let has_headers = !self.plan.settings.headers.is_empty();
        if has_headers && !is_same_server(&next, &self.origin) {
            return Err(io::Error::other(format!(
                "the server redirects to {place}, which must not get http.extraHeader"
            )));
        }
        Ok(next)
    }

    /// The accounts that are tried at `url` before any helper is asked, the last one first.
    fn candidates(&self, url: &Url) -> Vec<Account> {
        let is_known = self.identity.as_ref().is_some_and(|(at, _)| is_same_server(at, url));
        if is_known {
            return Vec::new();
        }
        let is_origin = is_same_server(url, &self.origin);
        if let Some(given) = self.plan.given.clone().filter(|_| is_origin) {
            return vec![given];
        }
        let user = self.plan.user.as_deref().filter(|_| is_origin);
        let host = url.host_str().unwrap_or_default();
        let entry = netrc_text().and_then(|text| netrc::find(&text, host, user));
        entry
            .into_iter()
            .map(|netrc::NetrcEntry { login, password }| Account {
                username: login,
                password,
                oauth_refresh_token: None,
            })
            .collect()
    }

    /// Whether we are whom the remote's URL names, at `url`.
    fn is_given(&self, url: &Url) -> bool {
        let is_it = |(at, account): &(Url, Account)| {
            is_same_server(at, url) && self.plan.given.as_ref() == Some(account)
        };
        self.identity.as_ref().is_some_and(is_it)
    }

    /// The proxy on the way to `url`, as messages name it.
    fn between(&self, url: &Url) -> Option<String> {
        self.plan
            .proxies
            .choose(url.scheme(), url.host_str().unwrap_or_default())
            .map(super::proxy::HttpProxy::display)
    }

    /// Takes note of what the server says about an error, where it says it to people as git knows
    /// them: in plain text.
    fn note(&self, response: Response) {
        let kind = response.headers().get(header::CONTENT_TYPE);
        let is_text = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
        if is_text {
            let mut text = Vec::new();
            let _ = response.take(LONGEST).read_to_end(&mut text);
            self.words.note(&text);
        }
    }
}

/// A failure on the way through a proxy.
#[derive(Debug)]
struct ProxyFailure {
    proxy: String,
    error: gix::Error,
}

impl std::fmt::Display for ProxyFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cannot connect through {}", self.proxy)
    }
}

impl std::error::Error for ProxyFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

fn is_same_server(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host_str() == other.host_str()
        && one.port_or_known_default() == other.port_or_known_default()
}

fn basic(account: &Account) -> String {
    let text = format!("{}:{}", account.username, account.password);
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text))
}

/// Adds a line `name: value`; what is none, git and curl pass over as well.
fn add(headers: &mut HeaderMap, line: &str) {
    let Some((name, value)) = line.split_once(':') else { return };
    let name = HeaderName::from_bytes(name.trim().as_bytes());
    if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value.trim())) {
        headers.append(name, value);
    }
}

/// The user's `.netrc`, where curl looks for it.
fn netrc_text() -> Option<String> {
    if let Some(file) = settings::variable("NETRC").filter(|file| !file.is_empty()) {
        return std::fs::read_to_string(file).ok();
    }
    let dirs = directories::BaseDirs::new()?;
    let names: &[&str] = if cfg!(windows) { &[".netrc", "_netrc"] } else { &[".netrc"] };
    names.iter().find_map(|name| std::fs::read_to_string(dirs.home_dir().join(name)).ok())
}
