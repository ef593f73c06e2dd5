//! `.netrc`: the account for a host, as curl looks for it on behalf of git.

/// The account that the text of a `.netrc` has for `host`, of `login` alone where one is asked for.
/// The first entry that fits counts; `default` fits every host.
pub(super) fn find(text: &str, host: &str, login: Option<&str>) -> Option<NetrcEntry> {
    let mut entry: Option<NetrcEntry> = None;
    let fits = |entry: &NetrcEntry| {
        !entry.password.is_empty() && login.is_none_or(|login| login == entry.login)
    };
    let mut tokens = NetrcTokens { rest: text, is_new_line: true };
    while let Some(token) = tokens.next() {
        let starts = matches!(token.as_str(), "machine" | "default");
        if starts && let Some(found) = entry.take_if(|entry| fits(entry)) {
            return Some(found);
        }
        match token.as_str() {
            "machine" => {
                let is_it = tokens.next().is_some_and(|name| name.eq_ignore_ascii_case(host));
                entry = is_it.then(NetrcEntry::default);
            }
            "default" => entry = Some(NetrcEntry::default()),
            "macdef" => tokens.skip_macro(),
            "login" => set(&mut entry, &mut tokens, |entry| &mut entry.login),
            "password" => set(&mut entry, &mut tokens, |entry| &mut entry.password),
            "account" => drop(tokens.next()),
            _ => {}
        }
    }
    entry.filter(fits)
}

/// A login and its password.
#[derive(Default, PartialEq, Eq)]
pub(super) struct NetrcEntry {
    pub(super) login: String,
    pub(super) password: String,
}

fn set(
    entry: &mut Option<NetrcEntry>,
    tokens: &mut NetrcTokens<'_>,
    field: fn(&mut NetrcEntry) -> &mut String,
) {
    let value = tokens.next();
    if let (Some(entry), Some(value)) = (entry, value) {
        *field(entry) = value;
    }
}

/// Words, of which some are quoted. A line that begins with `#` is a comment.
struct NetrcTokens<'a> {
    rest: &'a str,
    is_new_line: bool,
}

impl NetrcTokens<'_> {
    fn next(&mut self) -> Option<String> {
        loop {
            let rest = self.rest.trim_start();
            let skipped = &self.rest[..self.rest.len() - rest.len()];
            let is_new_line = std::mem::take(&mut self.is_new_line) || skipped.contains('\n');
            self.rest = rest;
            match self.rest.chars().next()? {
                '#' if is_new_line => {
                    self.rest = self.rest.split_once('\n').map_or("", |(_, rest)| rest);
                    self.is_new_line = true;
                }
                '"' => return Some(self.quoted()),
                _ => break,
            }
        }
        let end = self.rest.find(char::is_whitespace).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(word.to_owned())
    }

    fn quoted(&mut self) -> String {
        let mut word = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return word;
                }
                '\\' => word.extend(chars.next().map(|(_, escaped)| match escaped {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    other => other,
                })),
                other => word.push(other),
            }
        }
        self.rest = "";
        word
    }

    /// A macro ends with an empty line.
    fn skip_macro(&mut self) {
        let end = self.rest.find("\n\n").map_or(self.rest.len(), |end| end + 2);
        self.rest = &self.rest[end..];
        self.is_new_line = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_entry_that_fits_counts() {
        let text = "# mine\nmachine other login a password 1\n\
                    machine Host.example login bob password \"s3 \\\"cret\"\n\
                    macdef init\n machine host.example login x password y\n\n\
                    machine host.example\n\tlogin alice\n\taccount z\n\tpassword #2\n\
                    default login anyone password 3\n";
        let find = |host, login| {
            let entry = super::find(text, host, login);
            entry
                .map(|NetrcEntry { login, password }| format!("{login}:{password}"))
                .unwrap_or_default()
        };
        assert_eq!(find("host.example", None), "bob:s3 \"cret");
        assert_eq!(find("host.example", Some("anyone")), "anyone:3");
        assert_eq!(find("host.example", Some("carol")), "");
        assert_eq!(find("else", None), "anyone:3");
        assert_eq!(super::find("machine h login a", "h", None).map(|e| e.login), None);
    }
}
