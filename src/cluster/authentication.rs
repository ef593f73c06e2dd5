//! Why authentication or a connection fails, without what is secret: kube's own words quote the whole
//! command line of a program with its output, lines of a kubeconfig, and URLs with their passwords.

use std::error::Error;
use std::process::Output;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use kube::client::AuthError;
use kube::config::AuthInfo;

use crate::core::credentials::without_credentials;

/// How many lines of what a plugin says are shown, and how many characters of each.
const LINES: usize = 5;
const LINE: usize = 300;

/// The innermost cause of an error of kube's, which is what a person needs: the layers above only
/// repeat it.
pub(super) fn cause(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    loop {
        if let Some(words) = of_plugin(innermost) {
            return words;
        }
        match innermost.source() {
            Some(source) => innermost = source,
            None => return without_credentials(&innermost.to_string()),
        }
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

/// The words for an error of logging in by a program, where kube's would tell too much.
fn of_plugin(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(kube::Error::Auth(error)) = error.downcast_ref::<kube::Error>() {
        return of_plugin(error);
    }
    let name = "the program of the user's auth-provider";
    Some(match error.downcast_ref::<AuthError>()? {
        AuthError::AuthExecRun { out, .. } => format!("{name} {}", ended(out)),
        AuthError::AuthExecStart(error) => format!("{name} can't be run: {error}"),
        AuthError::ParseTokenKey(_) => format!("{name} did not print JSON"),
        _ => return None,
    })
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
