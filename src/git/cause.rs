//! Why git failed, safe to show: error chains without the credentials that URLs carry.

use std::error::Error;
use std::fmt;

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
            let message = without_credentials(&error.to_string());
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

    /// Whether this or anything beneath it says `text`.
    pub fn says(&self, text: &str) -> bool {
        self.message.contains(text) || self.source.as_ref().is_some_and(|source| source.says(text))
    }
}

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

/// `text` with the user and password taken out of every URL in it. A user alone stays where it is
/// an ssh login; with HTTP it may well be a token.
pub fn without_credentials(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        clean.push_str(before);
        let end = after
            .find(|c: char| c == '/' || c.is_whitespace() || matches!(c, '"' | '\'' | '>' | ')'))
            .unwrap_or(after.len());
        // A password may itself hold an `@`, so the last one ends the credentials.
        let Some(host) = after[..end].rfind('@') else {
            rest = after;
            continue;
        };
        let user = after[..host].split(':').next().unwrap_or_default();
        if before.ends_with("ssh://") && !user.is_empty() {
            clean.push_str(user);
            clean.push('@');
        }
        rest = &after[host + 1..];
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_leave_every_url_of_a_text() {
        for (text, clean) in [
            ("GET https://bob:s3cret@host/x failed", "GET https://host/x failed"),
            ("https://token@host", "https://host"),
            ("\"http://a:p@ss@host:80/x@y\"", "\"http://host:80/x@y\""),
            ("ssh://git:pw@host/x and http://u:p@h", "ssh://git@host/x and http://h"),
            ("git@host:path, file:///a@b", "git@host:path, file:///a@b"),
            ("no url at all", "no url at all"),
        ] {
            assert_eq!(without_credentials(text), clean);
        }
    }

    #[test]
    fn a_cause_says_each_thing_once() {
        let inner = std::io::Error::other("http://u:p@host refused");
        let cause = Cause::from(std::io::Error::other(inner));
        assert_eq!(cause.to_string(), "http://host refused");
        assert!(cause.source().is_none());
        assert!(cause.says("refused") && !cause.says("u:p"));
    }
}
