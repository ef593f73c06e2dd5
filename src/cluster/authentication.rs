//! Why authentication or a connection fails, without what is secret, such as the passwords of URLs.

use std::error::Error;
use std::process::Output;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use kube::config::AuthInfo;
use tower::BoxError;

use crate::core::credentials::without_credentials;

/// How many lines of what a plugin says are shown, and how many characters of each.
const LINES: usize = 5;
const LINE: usize = 300;

/// The innermost cause of an error of kube's, which is what a person needs: the layers above only
/// repeat it.
pub(super) fn cause(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    without_credentials(&innermost.to_string())
}

/// The cause of an error of kube's client. The other errors of kube are of what trueup does itself, such
/// as reading a kubeconfig; to print one would link the parsers whose errors it holds.
pub(super) fn of_client(error: kube::Error) -> BoxError {
    match error {
        kube::Error::Service(error) => error,
        kube::Error::HyperError(error) => error.into(),
        kube::Error::HttpError(error) => error.into(),
        _ => "the request can't be sent".into(),
    }
}

/// An error, and what it comes from, outermost first.
pub(super) fn causes<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    let mut causes = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        causes.push(error);
        // An I/O error does not give what it wraps as its source.
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = match wrapped {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    causes
}

/// When the token of a user expires, where that says so.
pub(super) fn ends(user: &AuthInfo) -> Option<Timestamp> {
    // kube hands a token out in no other way.
    token_ends(serde_json::to_value(user).ok()?.get("token")?.as_str()?)
}

/// When a token expires, where it is a JWT that says so. Its signature is the server's to verify.
fn token_ends(token: &str) -> Option<Timestamp> {
    let mut parts = token.trim().split('.');
    let (Some(_), Some(claims), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
    let claims: crate::core::json::Value = serde_json::from_slice(&claims).ok()?;
    let seconds = claims.get("exp")?;
    // A NumericDate may have a fraction (RFC 7519).
    let seconds = seconds.as_i64().or_else(|| seconds.as_f64().map(|seconds| seconds as i64))?;
    Timestamp::from_second(seconds).ok()
}

/// How a program ended, and what it says about that itself.
pub(super) fn ended(out: &Output) -> String {
    let said = String::from_utf8_lossy(&out.stderr);
    let lines = said.lines().map(str::trim_end).filter(|line| !line.is_empty());
    let lines: Vec<String> = lines.map(|line| line.chars().take(LINE).collect()).collect();
    let last = lines[lines.len().saturating_sub(LINES)..].join("\n");
    let status = match out.status.code() {
        Some(code) => format!("ended with status {code}"),
        None => "was ended by a signal".to_owned(),
    };
    match last.is_empty() {
        true => status,
        false => without_credentials(&format!("{status}: {last}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_when_it_expires() {
        let token = |claims: &str| format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims));
        let ends = |token: &str| token_ends(token).map(Timestamp::as_second);
        for (claims, expected) in [
            (r#"{"exp":1700000000,"iss":"a"}"#, Some(1_700_000_000)),
            (r#"{"exp":1700000000.5}"#, Some(1_700_000_000)),
            (r#"{"exp":"1700000000"}"#, None),
            (r#"{"exp":1e300}"#, None),
            ("{}", None),
            ("[]", None),
            ("no JSON", None),
        ] {
            assert_eq!(ends(&token(claims)), expected, "{claims}");
        }
        for token in ["", "abc", "a.b", "a.b.c", "e30.!.c", "e30.e30.c.d"] {
            assert_eq!(ends(token), None, "{token}");
        }
    }
}
