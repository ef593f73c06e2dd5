//! URLs without the passwords in them, for everything that is shown.

/// `text` with the user and password taken out of every URL in it. A user alone stays where it is
/// an ssh login; with HTTP it may well be a token.
pub fn without_credentials(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        clean.push_str(before);
        let end = after
            .find(|c: char| c == '/' || c.is_whitespace() || matches!(c, '"' | '>'))
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

/// A text that is meant to be one URL, and may be none, without what stands before its last `@`: a
/// password in it may have any characters, also those that end the name of a server.
pub fn url_without_credentials(text: &str) -> String {
    let Some((before, host)) = text.rsplit_once('@') else { return text.to_owned() };
    let (scheme, login) = match before.split_once("://") {
        Some((scheme, login)) => (Some(scheme), login),
        None => (None, before),
    };
    let user = login.split(':').next().unwrap_or_default();
    // The login of ssh, as in `git@host:path`, is not a secret. A scheme holds no secret either,
    // but what stands before `://` may be something else.
    let is_ssh = scheme.is_none_or(|scheme| scheme.ends_with("ssh"));
    let is_plain =
        |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "+-._".contains(c));
    let user = if is_ssh && is_plain(user) && !user.is_empty() {
        format!("{user}@")
    } else {
        String::new()
    };
    match scheme {
        Some(scheme) if is_plain(scheme) => format!("{scheme}://{user}{host}"),
        Some(_) => host.to_owned(),
        None if login.contains([':', '/']) => host.to_owned(),
        None => format!("{user}{host}"),
    }
}

/// A text in which the values that are quoted behind `=`, as in `input="…"`, may be URLs and may be
/// none: without the credentials of both.
pub fn quoted_without_credentials(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("=\"") {
        let (before, after) = rest.split_at(at + 2);
        clean.push_str(before);
        let mut is_escaped = false;
        let end = after.find(|c: char| {
            let is_end = c == '"' && !is_escaped;
            is_escaped = c == '\\' && !is_escaped;
            is_end
        });
        let (value, after) = after.split_at(end.unwrap_or(after.len()));
        clean.push_str(&url_without_credentials(value));
        rest = after;
    }
    clean.push_str(rest);
    without_credentials(&clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_removed_from_a_malformed_url() {
        for (text, clean) in [
            ("http://u:PX/sec@127.0.0.1:1", "http://127.0.0.1:1"),
            ("https://u:SRV sec@host", "https://host"),
            ("http://bob:GITpw/)wrong@host/x", "http://host/x"),
            ("http://bob:a\"b'c>d?e#f@g@host", "http://host"),
            ("u:PX/sec@proxy:1", "proxy:1"),
            ("http:/u:pw@host", "host"),
            ("u:a://b@host", "host"),
            ("ssh://git:p w@host/x", "ssh://git@host/x"),
            ("git@host:path", "git@host:path"),
            ("https://host/x", "https://host/x"),
            ("", ""),
        ] {
            assert_eq!(url_without_credentials(text), clean, "{text}");
        }
    }

    #[test]
    fn credentials_leave_the_values_that_a_text_quotes() {
        for (text, clean) in [
            (r#"bad, input="http://b:p/w@h", key="a@b""#, r#"bad, input="http://h", key="a@b""#),
            (r#"bad, input="http://b:p\" w@h""#, r#"bad, input="http://h""#),
            (r#"bad, input="http://b:p w@h"#, r#"bad, input="http://h"#),
            (r#"http://b:p)w'x@h, input="origin""#, r#"http://h, input="origin""#),
        ] {
            assert_eq!(quoted_without_credentials(text), clean, "{text}");
        }
    }

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
}
