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
}
