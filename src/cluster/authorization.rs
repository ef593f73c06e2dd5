//! The `Authorization` header: of a name and password, of a token, or of a token's file, which is read
//! again from time to time, as a pod's has to be.
//!
//! kube has a layer for it, which also runs exec plugins and auth-providers. [`super::exec_plugin`] and
//! [`super::oidc`] do that here. Without kube's layer, its parsers of YAML and JSONPath are left out of
//! the binary.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use jiff::{SignedDuration, Timestamp};
use kube::config::AuthInfo;
use secrecy::ExposeSecret as _;

use crate::local::bounded_read;

/// How long a token that was read from a file is shown before the file is read again.
const READ_AGAIN: SignedDuration = SignedDuration::from_secs(50);
/// How many bytes the file may have.
const LARGEST: u64 = 1 << 20;

/// The credential that a user shows with every request.
#[derive(Clone)]
pub(super) enum Authorization {
    /// The same each time.
    Fixed(HeaderValue),
    /// The token that the file has.
    File(Arc<TokenFile>),
}

/// A token's file, with what it had last.
pub(super) struct TokenFile {
    path: PathBuf,
    last: Mutex<(HeaderValue, Timestamp)>,
}

impl Authorization {
    /// That of a user; `None` where the user shows a certificate or nothing.
    ///
    /// # Errors
    ///
    /// When the token can't be read, or is no header; as text without what is secret.
    pub(super) fn of(user: &AuthInfo) -> Result<Option<Self>, String> {
        if let (Some(name), Some(password)) = (&user.username, &user.password) {
            let both = STANDARD.encode(format!("{name}:{}", password.expose_secret()));
            return Ok(Some(Self::Fixed(header(&format!("Basic {both}"))?)));
        }
        if let Some(token) = &user.token {
            return Ok(Some(Self::Fixed(bearer(token.expose_secret())?)));
        }
        let Some(path) = user.token_file.as_ref().map(PathBuf::from) else { return Ok(None) };
        let file = TokenFile::read(path, Timestamp::now())?;
        Ok(Some(Self::File(Arc::new(file))))
    }

    /// The header to show now.
    pub(super) fn header(&self) -> HeaderValue {
        match self {
            Self::Fixed(header) => header.clone(),
            Self::File(file) => file.header(Timestamp::now()),
        }
    }
}

impl TokenFile {
    fn read(path: PathBuf, now: Timestamp) -> Result<Self, String> {
        let token = bounded_read::read(&path, LARGEST)
            .map_err(|error| format!("cannot read the token {}: {error}", path.display()))?;
        let last = Mutex::new((bearer(&String::from_utf8_lossy(&token))?, now));
        Ok(Self { path, last })
    }

    /// The header, of the file as it is if that was not read lately. Where it can't be read, the last
    /// token counts: some files are there only when a program starts.
    fn header(&self, now: Timestamp) -> HeaderValue {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock may also be set back.
        if now.duration_since(last.1).abs() >= READ_AGAIN {
            let read = bounded_read::read(&self.path, LARGEST).ok();
            let read = read.map(|token| String::from_utf8_lossy(&token).into_owned());
            let read = read.filter(|token| !token.trim().is_empty());
            let token = read.and_then(|token| bearer(&token).ok());
            *last = (token.unwrap_or_else(|| last.0.clone()), now);
        }
        last.0.clone()
    }
}

fn bearer(token: &str) -> Result<HeaderValue, String> {
    header(&format!("Bearer {}", token.trim()))
}

/// A header that no log shows.
fn header(text: &str) -> Result<HeaderValue, String> {
    let header = HeaderValue::try_from(text);
    let mut header = header.map_err(|_| "the user's credential cannot be sent in a header")?;
    header.set_sensitive(true);
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(user: &AuthInfo) -> Option<String> {
        let header = Authorization::of(user).unwrap()?.header();
        assert!(header.is_sensitive());
        Some(header.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_password_counts_before_a_token_and_a_token_before_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "of-file\n").unwrap();
        let path = Some(file.path().to_str().unwrap().to_owned());
        let of_file = AuthInfo { token_file: path, ..AuthInfo::default() };
        assert_eq!(shown(&of_file).as_deref(), Some("Bearer of-file"));
        let of_token = AuthInfo { token: Some("t".to_owned().into()), ..of_file };
        assert_eq!(shown(&of_token).as_deref(), Some("Bearer t"));
        let named = AuthInfo { username: Some("me".into()), ..of_token };
        assert_eq!(shown(&named).as_deref(), Some("Bearer t"), "no password");
        let of_password = AuthInfo { password: Some("p:w".to_owned().into()), ..named };
        assert_eq!(shown(&of_password).as_deref(), Some("Basic bWU6cDp3"));
        assert_eq!(shown(&AuthInfo::default()), None);
    }

    #[test]
    fn what_is_no_header_is_an_error_without_the_secret() {
        let user =
            |token: &str| AuthInfo { token: Some(token.to_owned().into()), ..AuthInfo::default() };
        let error = Authorization::of(&user("can\nary")).err().unwrap();
        assert_eq!(error, "the user's credential cannot be sent in a header");
        let gone = AuthInfo { token_file: Some("/nowhere/token".into()), ..AuthInfo::default() };
        let error = Authorization::of(&gone).err().unwrap();
        assert!(error.starts_with("cannot read the token /nowhere/token: "), "{error}");
    }

    #[test]
    fn file_is_read_again_after_a_while_and_its_last_token_outlives_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let write = |text: &str| std::fs::write(&path, text).unwrap();
        write("one");
        let begin = Timestamp::now();
        let file = TokenFile::read(path.clone(), begin).unwrap();
        let after = |seconds| file.header(begin + SignedDuration::from_secs(seconds));
        write("two");
        assert_eq!(after(49), "Bearer one");
        assert_eq!(after(50), "Bearer two");
        for unusable in ["", " \n", "th\nree"] {
            write(unusable);
            assert_eq!(after(100), "Bearer two", "{unusable:?}");
            write("two");
            assert_eq!(after(0), "Bearer two");
        }
        std::fs::remove_file(&path).unwrap();
        assert_eq!(after(200), "Bearer two");
        write("three");
        assert_eq!(after(249), "Bearer two", "it was looked for a moment ago");
        assert_eq!(after(0), "Bearer three", "the clock was set back");
    }
}
