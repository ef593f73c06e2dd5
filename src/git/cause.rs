//! Why git failed, safe to show: error chains without the credentials that URLs carry.

use std::error::Error;
use std::fmt;

use gix::protocol::transport::client::{AuthenticationRequired, Error as TransportError};

use crate::core::credentials::quoted_without_credentials;

/// The chain of causes of a failure, as text in which no URL has credentials.
///
/// Errors of transports quote the URL that they failed at. They are turned into text here, at the
/// one place where they enter, so that no later printing can show a password.
#[derive(Debug)]
pub struct Cause {
    message: String,
    source: Option<Box<Cause>>,
}

impl Cause {
    /// The cause `error` with everything beneath it.
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        let mut messages: Vec<String> = Vec::new();
        let mut next = Some(error);
        while let Some(error) = next {
            let message = quoted_without_credentials(&error.to_string());
            // A wrapper may say what it wraps; once is enough.
            if messages.last().is_none_or(|last| !last.contains(&message)) {
                messages.push(message);
            }
            next = error.source();
        }
        let mut messages = messages.into_iter().rev();
        let deepest = Self { message: messages.next().unwrap_or_default(), source: None };
        messages.fold(deepest, |cause, message| Self { message, source: Some(Box::new(cause)) })
    }

    /// The same chain with `message` as what is deepest.
    pub fn beneath(mut self, message: &str) -> Self {
        let source = match self.source.take() {
            Some(source) => source.beneath(message),
            None => Self { message: quoted_without_credentials(message), source: None },
        };
        self.source = Some(Box::new(source));
        self
    }

    /// The cause of a failed transport, without the exchange that it failed in: that is chance, and
    /// one outage would have several names.
    pub fn of_transport(error: &gix::Error) -> Self {
        if let Some(none) = error.downcast_any_ref::<NoCredentials>() {
            return Self::of(none);
        }
        if error.downcast_any_ref::<AuthenticationRequired>().is_some() {
            return Self::of(&RefusedCredentials);
        }
        if let Some(TransportError::Io(io)) = error.downcast_any_ref() {
            return Self::of(io);
        }
        Self::of(error)
    }

    /// Whether this or anything beneath it says `text`.
    pub fn mentions(&self, text: &str) -> bool {
        self.message.contains(text)
            || self.source.as_ref().is_some_and(|source| source.mentions(text))
    }
}

/// A server asks who we are, and no one here knows.
#[derive(Debug, thiserror::Error)]
#[error("the server wants credentials, and git has none for it (HTTP status 401)")]
pub(super) struct NoCredentials;

/// A server does not take what git's helpers, or a person, answered.
#[derive(Debug, thiserror::Error)]
#[error("the server refuses the credentials that git has for it (HTTP status 401)")]
struct RefusedCredentials;

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl From<gix::Error> for Cause {
    fn from(error: gix::Error) -> Self {
        Self::of(&error)
    }
}

impl From<std::io::Error> for Cause {
    fn from(error: std::io::Error) -> Self {
        Self::of(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_says_each_thing_once() {
        let inner = std::io::Error::other("http://u:p@host refused");
        let cause = Cause::from(std::io::Error::other(inner));
        assert_eq!(cause.to_string(), "http://host refused");
        assert!(cause.source().is_none());
        assert!(cause.mentions("refused") && !cause.mentions("u:p"));
    }

    #[test]
    fn a_url_that_is_none_is_quoted_without_its_password() {
        for url in ["http://bob:GITpw/)wrong@host/x", "http://bob:GITpw wrong@host"] {
            let error = gix::url::parse(gix::bstr::BStr::new(url)).unwrap_err();
            let cause = Cause::from(error);
            assert!(cause.mentions("URL can not be parsed"), "{cause}");
            assert!(cause.mentions("http://host") && !cause.mentions("GITpw"), "{cause}");
            assert!(!cause.mentions("wrong"), "{cause}");
        }
    }
}
