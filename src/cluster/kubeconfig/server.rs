//! The address of a server, as client-go reads it (k8s.io/client-go, `rest/url_utils.go`): without a
//! scheme it is plain HTTP, and what is behind the path counts for nothing.

use http::Uri;

use crate::core::credentials::url_without_credentials;

/// The address.
///
/// # Errors
///
/// When it is none; as text without its password.
pub(super) fn uri(server: &str) -> Result<Uri, String> {
    let failed = |why: &str| {
        let shown: String = url_without_credentials(server).chars().take(200).collect();
        format!("the cluster's server {shown:?} {why}")
    };
    let (scheme, rest) = match server.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => (scheme.to_ascii_lowercase(), rest),
        _ => ("http".to_owned(), server),
    };
    let has_scheme = rest.len() < server.len();
    if !matches!(scheme.as_str(), "http" | "https") {
        return Err(failed("must begin with https:// or http://"));
    }
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    if !has_scheme && !matches!(path, "" | "/") {
        return Err(failed("has a path, and so must begin with https:// or http://"));
    }
    // The port of the scheme.
    let authority = authority.strip_suffix(':').unwrap_or(authority);
    let uri = format!("{scheme}://{authority}{path}").parse::<Uri>();
    let uri = uri.map_err(|_| failed("is not a URL"))?;
    let after_host = authority.rfind(['@', ']']).map_or(authority, |at| &authority[at + 1..]);
    if after_host.contains(':') && uri.port_u16().is_none() {
        return Err(failed("has a port that is not a number"));
    }
    match uri.host().is_some_and(|host| !host.is_empty()) {
        true => Ok(uri),
        false => Err(failed("has no host")),
    }
}

/// Whether the text may stand before `://`.
fn is_scheme(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_client_go_reads_them() {
        for (server, expected) in [
            ("https://10.0.0.1:6443", Ok("https://10.0.0.1:6443/")),
            ("https://10.0.0.1:6443/", Ok("https://10.0.0.1:6443/")),
            ("HTTPS://api.example.com", Ok("https://api.example.com/")),
            ("https://api.example.com:", Ok("https://api.example.com/")),
            (
                "https://api.example.com/k8s/clusters/c",
                Ok("https://api.example.com/k8s/clusters/c"),
            ),
            ("https://api.example.com/k8s?a=b#c", Ok("https://api.example.com/k8s")),
            ("https://api.example.com?a=b", Ok("https://api.example.com/")),
            ("https://[fd00::1]:6443", Ok("https://[fd00::1]:6443/")),
            ("http://localhost:8080", Ok("http://localhost:8080/")),
            ("10.0.0.1:6443", Ok("http://10.0.0.1:6443/")),
            ("localhost:6443", Ok("http://localhost:6443/")),
            ("api.example.com", Ok("http://api.example.com/")),
            ("api.example.com/", Ok("http://api.example.com/")),
            ("api.example.com/prefix", Err("has a path")),
            ("ftp://api.example.com", Err("must begin with")),
            ("https://", Err("is not a URL")),
            ("https:///path", Err("is not a URL")),
            ("https://a b", Err("is not a URL")),
            (" https://api.example.com", Err("has a path")),
            ("https://api.example.com:port", Err("has a port")),
            ("https://api.example.com\n", Err("is not a URL")),
            ("", Err("is not a URL")),
        ] {
            match (uri(server), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found.to_string(), expected),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
                (found, _) => panic!("{server:?}: {found:?}"),
            }
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        for server in [
            "https://bob:hunter2@[::",
            "https://bob:hunter2 secret@host",
            "https://bob:hunter2/secret@host",
            "https://bob:a\"hunter2'secret@host:port",
            "ftp://bob:a/hunter2@host",
            "bob:a/hunter2@host",
        ] {
            let error = uri(server).unwrap_err();
            assert!(!error.contains("hunter2") && !error.contains("secret"), "{error}");
        }
    }
}
