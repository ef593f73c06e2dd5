//! A remote's URL: what may be stored of it, and whether two of them mean the same repository.

use std::path::Path;

use gix::bstr::{BStr, ByteSlice};
use gix::url::Scheme;

use super::PullError;
use super::credentials::Credentials;
use crate::git::{Cause, url_without_credentials, without_credentials};

/// A URL that holds no secret, and the credentials that it came with.
#[derive(Clone, Debug)]
pub(super) struct RemoteUrl {
    pub(super) url: gix::Url,
    pub(super) credentials: Option<Credentials>,
}

impl RemoteUrl {
    /// Reads `text`. A file's path may be relative to the current directory.
    pub(super) fn parse(text: &str) -> Result<Self, PullError> {
        let bad = |source| PullError::BadUrl { url: url_without_credentials(text), source };
        let mut url = gix::url::parse(BStr::new(text)).map_err(|error| bad(Cause::from(error)))?;
        let here = std::env::current_dir().map_err(|error| bad(Cause::from(error)))?;
        url.canonicalize(&here).map_err(|error| bad(Cause::from(error)))?;
        refuse_options(&url)?;
        let password = url.set_password(None);
        let mut credentials = None;
        if matches!(url.scheme, Scheme::Http | Scheme::Https)
            && let Some(user) = url.set_user(None)
        {
            credentials = Some(Credentials { user, password, url: url.clone() });
        }
        Ok(Self { url, credentials })
    }

    /// Whether `other`, as a configuration has it in the checkout at `root`, is this repository.
    pub(super) fn is_same_as(&self, other: &BStr, root: &Path) -> bool {
        let Ok(mut other) = gix::url::parse(other) else { return false };
        if other.canonicalize(root).is_err() {
            return false;
        }
        let web = matches!(other.scheme, Scheme::Http | Scheme::Https);
        self.url.scheme == other.scheme
            && self.url.host() == other.host()
            && self.url.port_or_default() == other.port_or_default()
            && (web || self.url.user() == other.user())
            && plain(&self.url) == plain(&other)
    }

    /// The URL as messages and configurations may have it.
    pub(super) fn text(&self) -> String {
        display(&self.url)
    }
}

/// Refuses a URL of which a part would be an option to the ssh or the git that is run for it.
///
/// # Errors
///
/// [`PullError::BadUrl`].
pub(super) fn refuse_options(url: &gix::Url) -> Result<(), PullError> {
    let is_option = |part: Option<&[u8]>| part.is_some_and(|part| part.starts_with(b"-"));
    let parts =
        [url.user().map(str::as_bytes), url.host().map(str::as_bytes), Some(url.path.as_slice())];
    match parts.into_iter().any(is_option) {
        false => Ok(()),
        true => {
            let why = "a part of it begins with `-`, as an option of a program does";
            let source = Cause::from(std::io::Error::other(why));
            Err(PullError::BadUrl { url: display(url), source })
        }
    }
}

/// `url` as a person reads it, without credentials.
pub(super) fn display(url: &gix::Url) -> String {
    let mut url = url.clone();
    let _ = url.set_password(None);
    if matches!(url.scheme, Scheme::Http | Scheme::Https) {
        let _ = url.set_user(None);
    }
    without_credentials(&url.to_bstring().to_string())
}

/// The path without what may be left out of it.
fn plain(url: &gix::Url) -> &[u8] {
    let path = url.path.trim_end_with(|c| c == '/');
    let path = path.strip_suffix(b".git").unwrap_or(path);
    path.trim_end_with(|c| c == '/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_not_part_of_a_url() {
        let url = RemoteUrl::parse("https://bob:s3cret@host/shop.git").unwrap();
        assert_eq!(url.text(), "https://host/shop.git");
        let Credentials { user, password, .. } = url.credentials.unwrap();
        assert_eq!((user.as_str(), password.as_deref()), ("bob", Some("s3cret")));
        let url = RemoteUrl::parse("https://bob@host/shop.git").unwrap();
        assert_eq!(url.credentials.unwrap().password, None, "git's helpers know it");
    }

    #[test]
    fn a_password_is_not_shown() {
        for text in ["http://bob:GITpw/)wrong@host/x", "http://bob:GITpw wrong@host/x"] {
            let error = RemoteUrl::parse(text).unwrap_err();
            let PullError::BadUrl { url, source } = &error else { panic!("{error}") };
            assert_eq!(url, "http://host/x");
            assert!(!source.mentions("GITpw") && !source.mentions("wrong"), "{source}");
        }
        for text in ["http://bob:a)b'c@host/x", "http://bob:a%2Fb%20c@host/x", "http://host/x"] {
            assert_eq!(display(&gix::url::parse(BStr::new(text)).unwrap()), "http://host/x");
        }
    }

    #[test]
    fn url_starting_with_a_dash_is_refused() {
        for url in [
            "ssh://-oProxyCommand=x/shop",
            "ssh://user@-oProxyCommand=x/shop",
            "ssh://-l@host/shop",
            "-oProxyCommand=x:shop",
            "host:-shop",
            "user@-host:shop",
        ] {
            assert!(RemoteUrl::parse(url).is_err(), "{url}");
        }
        for url in ["ssh://git@a-b/-shop", "git@host:a/-b", "https://host/-shop"] {
            assert!(RemoteUrl::parse(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn one_repository_has_many_spellings() {
        let root = Path::new("/srv/checkout");
        let url = |text| RemoteUrl::parse(text).unwrap();
        for (one, other) in [
            ("https://host/shop.git", "https://bob@HOST:443/shop"),
            ("/srv/shop.git", "../shop"),
            ("file:///srv/shop/", "/srv/shop/.git"),
            ("ssh://git@host/shop", "ssh://git@host:22/shop.git"),
        ] {
            assert!(url(one).is_same_as(other.into(), root), "{one} is {other}");
        }
        for (one, other) in [
            ("https://host/shop", "https://host/shop2"),
            ("https://host/shop", "http://host/shop"),
            ("ssh://git@host/shop", "ssh://bob@host/shop"),
            ("https://host/shop", "https://host:8443/shop"),
        ] {
            assert!(!url(one).is_same_as(other.into(), root), "{one} is not {other}");
        }
    }
}
