//! The usual remedy for a failed fetch, by the transport and the words of its failure.

use crate::git::cause::Cause;

/// The remedy for `source`, a failed fetch from `url`.
///
/// Failures of transports come as text. Each sign is a whole phrase that only one transport says:
/// a bare number such as `407` also occurs in ports, paths and fingerprints.
pub(super) fn fetch_hint(url: &str, source: &Cause) -> String {
    let is_web = url.starts_with("http://") || url.starts_with("https://");
    let known = if is_web { web_hint(source) } else { program_hint(source) };
    match known {
        Some(hint) => hint.into(),
        None => format!("see what git itself says: git ls-remote {url}"),
    }
}

/// The remedy for a failure of a web server, or of a proxy in front of it.
fn web_hint(source: &Cause) -> Option<&'static str> {
    let says = |text: &str| source.mentions(text);
    Some(if says("cannot connect through the proxy") {
        "check the proxy where it is configured, or exclude the host with no_proxy"
    } else if says("HTTP status 407") || says("proxy authorization required") {
        "give the proxy's user and password in its URL, or its user there and the password by a \
         credential.helper"
    } else if says("certificates were loaded") {
        "install this machine's certificate authorities, such as the package ca-certificates, or name \
         a file with them by SSL_CERT_FILE"
    } else if says("UnknownIssuer") || says("certificate") {
        "name the server's certificate authority: git config http.sslCAInfo FILE"
    } else if says("HTTP status 401") || says("redentials") || says("Authentication") {
        "give git credentials for it: git config credential.helper, or an http.extraHeader"
    } else {
        return None;
    })
}

/// The remedy for a failure that ssh or upload-pack tells of.
fn program_hint(source: &Cause) -> Option<&'static str> {
    let says = |text: &str| source.mentions(text);
    Some(if says("HOST IDENTIFICATION HAS CHANGED") {
        "the server's host key has changed: if this is expected, remove the old one with \
         `ssh-keygen -R HOST`, then connect once with ssh"
    } else if says("Host key verification failed") {
        "accept the server's host key: connect once with ssh, or add it to ~/.ssh/known_hosts"
    } else if says("dubious ownership") {
        "allow a repository that another user owns: git config --global --add safe.directory PATH"
    } else if says("ermission denied") {
        "load the right key with ssh-add, or name it: git config core.sshCommand 'ssh -i KEY'"
    } else {
        return None;
    })
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn hint(url: &str, text: &str) -> String {
        fetch_hint(url, &Cause::of(&io::Error::other(text.to_owned())))
    }

    /// A sandbox's sshd once listened on port 40773, and its failure was taken for a proxy's.
    #[test]
    fn numbers_in_ports_and_fingerprints_are_no_status() {
        let changed = "REMOTE HOST IDENTIFICATION HAS CHANGED! SHA256:407x401 [127.0.0.1]:40773";
        assert!(hint("ssh://git@127.0.0.1:40773/x", changed).contains("ssh-keygen -R HOST"));
        let refused = "tcp connect error: 127.0.0.1:40140: connection refused";
        assert!(hint("https://127.0.0.1:40140/407.git", refused).contains("git ls-remote"));
    }

    #[test]
    fn statuses_are_told_from_each_other() {
        let url = "https://git.example/x";
        assert!(hint(url, "HTTP status 407 from http://p").contains("proxy's user"));
        assert!(hint(url, "proxy authorization required").contains("proxy's user"));
        assert!(
            hint(url, "No CA certificates were loaded from the system").contains("SSL_CERT_FILE")
        );
        assert!(hint(url, "invalid peer certificate: UnknownIssuer").contains("http.sslCAInfo"));
        assert!(hint(url, "refused (HTTP status 401)").contains("credential.helper, or"));
    }

    #[test]
    fn a_folder_named_like_a_scheme_is_no_web_server() {
        let hint = hint("http-tools/shop.git", "upload-pack: detected dubious ownership");
        assert!(hint.contains("safe.directory"), "{hint}");
    }
}
