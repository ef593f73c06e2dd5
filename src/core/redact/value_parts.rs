//! Parts of a Secret's value that are values of their own: what a JSON or YAML text, an
//! environment or properties file, a connection string, a URL or a registry's credentials hold.
//!
//! A configuration file in a Secret says much that is not secret. Of a part whose name does not say
//! that it is one (`password`, `apiKey`, …), only what looks like one is taken: no words, numbers,
//! names of hosts, paths or durations.

use std::collections::BTreeSet;

use super::digits::Digits;
use super::views::ViewKind;
use crate::core::json::Value;
use crate::core::manifest;

/// Parts of parts are looked for this deep.
const DEPTH: usize = 4;
/// A text is taken for base64 of another one from this length on.
const SHORTEST_BASE64: usize = 8;
/// A file whose values are larger says nothing that is worth the time.
const LARGEST: usize = 1 << 20;
/// How many bytes are looked through for each byte of a value, in its parts and theirs.
const FOR_A_BYTE: usize = 32;
/// How many for each value, however short it is, and what each part costs besides its bytes.
const FOR_A_VALUE: usize = 16 << 10;
const FOR_A_PART: usize = 8;

/// Parts of the names of fields whose values are secret.
const SECRET_NAMES: &[&str] = &[
    "accesskey",
    "apikey",
    "authorization",
    "bearer",
    "connectionstring",
    "cookie",
    "credential",
    "dsn",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "pwd",
    "salt",
    "secret",
    "signature",
    "signingkey",
    "token",
];
/// And what they end with.
const SECRET_ENDS: &[&str] = &["auth", "key", "pass", "pin", "pw"];

/// Whether the name of a field says that its value is secret.
pub(super) fn is_secret_name(name: &str) -> bool {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = plain.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|known| plain.contains(known))
        || SECRET_ENDS.iter().any(|known| plain.ends_with(known))
        // DB_PASS_2
        || name.to_ascii_lowercase().split(|c: char| !c.is_ascii_alphabetic()).any(|it| it == "pass")
}

/// The parts of `value` that may be secret by themselves, in the order in which they stand there.
pub(super) fn parts(value: &str) -> Vec<String> {
    let mut found = FoundParts::of_length(value.len());
    found.of_text("", value, DEPTH);
    found.parts
}

/// Those of them whose names say that they are secret.
pub(super) fn named_parts(text: &str) -> Vec<String> {
    let mut found = FoundParts { only_named: true, ..FoundParts::of_length(text.len()) };
    found.of_text("", text, DEPTH);
    found.parts
}

/// The parts of the value of a field by this name that was read already, such as a file of values.
pub(super) fn parts_of(name: &str, value: &Value) -> Vec<String> {
    let mut found = FoundParts::of_length(length(value));
    found.of_value(name, value, DEPTH);
    found.parts
}

/// How long the texts of a value are together.
fn length(value: &Value) -> usize {
    match value {
        Value::Object(map) => map.values().map(|value| length(value) + 1).sum(),
        Value::Array(items) => items.iter().map(|item| length(item) + 1).sum(),
        Value::String(text) => text.len(),
        Value::Number(_) | Value::Bool(_) | Value::Null => 1,
    }
}

struct FoundParts {
    parts: Vec<String>,
    known: BTreeSet<String>,
    only_named: bool,
    /// How many bytes more may be looked through. A value that takes more was made for that, and
    /// parts that come later are none.
    left: usize,
}

impl FoundParts {
    /// For a value of this length.
    fn of_length(length: usize) -> Self {
        let left = FOR_A_BYTE.saturating_mul(length).saturating_add(FOR_A_VALUE);
        Self { parts: Vec::new(), known: BTreeSet::new(), only_named: false, left }
    }

    /// Whether so many bytes more may be looked through; then they are.
    fn takes(&mut self, bytes: usize) -> bool {
        let left = self.left.checked_sub(bytes);
        self.left = left.unwrap_or(0);
        left.is_some()
    }

    /// Adds a part by this name, and its own parts.
    fn part(&mut self, name: &str, text: &str, depth: usize) {
        let text = text.trim();
        if text.is_empty() || !self.takes(name.len() + text.len() + FOR_A_PART) {
            return;
        }
        // A file inside a file is known by its own parts, a key as a whole.
        let is_file = text.contains('\n') && !text.contains("-----BEGIN ");
        let looks_secret = !self.only_named && !is_file && !is_ordinary(text);
        let is_made = text.contains("{{"); // what a template says in its place is not known here
        if (is_secret_name(name) || looks_secret) && !is_made && self.known.insert(text.to_owned())
        {
            self.parts.push(text.to_owned());
        }
        self.of_text(name, text, depth);
    }

    /// Adds the parts of a text, the value of a field by this name.
    fn of_text(&mut self, name: &str, text: &str, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        let text = text.trim();
        let is_small = (4..=LARGEST).contains(&text.len());
        if !is_small || text.contains("-----BEGIN ") || !self.takes(text.len()) {
            return;
        }
        if let Some(value) = structured(text) {
            self.of_value(name, &value, depth);
            if text.starts_with(['{', '[']) {
                return;
            }
        }
        self.urls(text, depth);
        if text.contains(['=', ':', '<']) {
            text.lines().for_each(|line| self.line(line, depth));
        }
        self.elements(text, depth);
        self.words(text, depth);
        if let Some(inner) = decoded(text) {
            match inner.split_once(':') {
                // A registry's or a server's credentials.
                Some((user, password)) if !inner.contains(char::is_whitespace) => {
                    self.part("", user, depth);
                    self.part("password", password, depth);
                }
                _ => self.part(name, &inner, depth),
            }
        }
    }

    fn of_value(&mut self, name: &str, value: &Value, depth: usize) {
        match value {
            Value::Object(map) => {
                let said = map.get("name").and_then(Value::as_str);
                for (key, value) in map {
                    // `- {name: PASSWORD, value: …}`
                    let name = said.filter(|_| key == "value").unwrap_or(key);
                    self.of_value(name, value, depth);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.of_value(name, item, depth)),
            Value::String(text) => self.part(name, text, depth),
            Value::Number(number) => self.part(name, &number.to_string(), 0),
            Value::Bool(_) | Value::Null => {}
        }
    }

    /// `KEY=value`, `key: value`, `'key' => 'value'`, `key = "value";` and rows of such pairs.
    fn line(&mut self, line: &str, depth: usize) {
        let line = line.trim().trim_start_matches("export ").trim_start_matches("- ");
        if line.is_empty() || line.starts_with(['#', ';']) {
            return;
        }
        self.pair(line, depth);
        for row in [&[';'][..], &['&', '?'], &[' ', ',']] {
            if line.contains(row) {
                line.split(row).for_each(|pair| self.pair(pair, depth));
            }
        }
        // The rows of .pgpass, htpasswd and the like have no names.
        if !line.contains(char::is_whitespace)
            && !line.contains(['=', '/'])
            && let Some((_, last)) = line.rsplit_once(':')
        {
            self.part("", last, depth);
        }
    }

    fn pair(&mut self, pair: &str, depth: usize) {
        let Some(at) = pair.find(['=', ':']) else { return };
        let (name, value) = (pair[..at].trim(), &pair[at + 1..]);
        let value = value.trim_start_matches('>').trim().trim_end_matches([';', ',']).trim_end();
        let quotes = ['"', '\''];
        let (name, value) = (name.trim_matches(quotes), value.trim_matches(quotes));
        let is_name = |c: char| c.is_ascii_alphanumeric() || "_-. ".contains(c);
        if !name.is_empty() && name.len() <= 64 && name.chars().all(is_name) && !value.is_empty() {
            self.part(name, value, depth);
        }
    }

    /// `scheme://user:password@host`, plain or escaped.
    fn urls(&mut self, text: &str, depth: usize) {
        let is_end = |c: char| c.is_whitespace() || "\"'<>`".contains(c);
        let mut places = text.match_indices("://").map(|(at, _)| at).peekable();
        let mut known_end = 0;
        while let Some(at) = places.next() {
            let from = at + 3;
            // A password may have `://` in it, but of what stands inside of a URL each byte belongs
            // to one of them only.
            let end = if at < known_end {
                places.peek().map_or(known_end, |next| known_end.min(*next))
            } else {
                known_end = text[from..].find(is_end).map_or(text.len(), |end| from + end);
                known_end
            };
            let rest = text.get(from..end).unwrap_or_default();
            let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
            // A password with a slash in it that is not escaped; of a web page it is a path.
            let whole = if text[..at].ends_with("http") || text[..at].ends_with("https") {
                authority
            } else {
                rest
            };
            let at = authority.rfind('@').or_else(|| whole.rfind('@'));
            let Some((user, password)) = at.and_then(|at| rest[..at].split_once(':')) else {
                continue;
            };
            self.part("", user, depth.min(1));
            self.part("password", password, depth.min(1));
            if let Some(view) = ViewKind::Percent.undo(password.as_bytes()) {
                self.part("password", &String::from_utf8_lossy(&view.bytes), depth.min(1));
            }
        }
    }

    /// `<password>value</password>`.
    fn elements(&mut self, text: &str, depth: usize) {
        for (at, _) in text.match_indices("</") {
            // Neither the text nor the name goes beyond another element's sign.
            let start =
                text[..at].rfind(['<', '>']).filter(|start| text[*start..].starts_with('>'));
            let Some(start) = start else { continue };
            let end = text[at + 2..].find(['<', '>']).map_or(text.len(), |end| at + 2 + end);
            self.part(&text[at + 2..end], &text[start + 1..at], depth);
        }
    }

    /// `password value`, `Basic value` and `Bearer value`.
    fn words(&mut self, text: &str, depth: usize) {
        let mut words = text.split_whitespace().peekable();
        while let Some(word) = words.next() {
            let is_said = matches!(word, "Basic" | "Bearer" | "password" | "passwd" | "token");
            if let Some(value) = words.peek().filter(|_| is_said) {
                self.part("password", value, depth);
            }
        }
    }
}

/// `text` as a map or list of JSON or YAML.
fn structured(text: &str) -> Option<Value> {
    let value = if text.starts_with(['{', '[']) {
        serde_json::from_str(text).ok()
    } else if text.contains(": ") || text.contains(":\n") || text.starts_with("- ") {
        None
    } else {
        return None;
    };
    let value = value.or_else(|| Some(manifest::value("", text.as_bytes()).ok()??.0));
    value.filter(|value| value.is_object() || value.is_array())
}

/// The text that `text` is base64 of.
fn decoded(text: &str) -> Option<String> {
    let dense: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let digits = dense.trim_end_matches('=');
    let is_whole = Digits::Base64.runs(digits.as_bytes()).next() == Some(0..digits.len());
    if dense.len() < SHORTEST_BASE64 || !is_whole {
        return None;
    }
    // Not every word of eight letters is meant as base64.
    let is_text = |text: &String| text.chars().all(|c| !c.is_control() || c.is_whitespace());
    String::from_utf8(Digits::Base64.decode(digits.as_bytes())).ok().filter(is_text)
}

/// Whether a text is made of words, numbers, units and what joins them in sentences, host names,
/// paths, versions and durations.
fn is_ordinary(text: &str) -> bool {
    let joins = |c: char| c.is_ascii_whitespace() || "._/:-@,+=~*()[]{}<>\"'|&?%#;".contains(c);
    text.split(joins).all(is_ordinary_word)
}

fn is_ordinary_word(word: &str) -> bool {
    if !word.chars().all(char::is_alphanumeric) {
        return false;
    }
    let bytes = word.as_bytes();
    let changes = |is: fn(&u8) -> bool| bytes.windows(2).filter(|w| is(&w[0]) != is(&w[1])).count();
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    if digits == bytes.len() {
        return digits <= 5;
    }
    // v1, 30s, 256Mi, s3, amd64, ipv4; Title, UPPER, camelCase.
    let humps = changes(u8::is_ascii_uppercase);
    let joints = changes(u8::is_ascii_digit);
    let is_short = joints == 2 && bytes.len() <= 6; // k8s, x86v2
    (joints <= 1 || is_short) && digits <= 3 && bytes.len() <= 24 && humps <= 1 + bytes.len() / 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_texts_are_found() {
        for (text, expected) in [
            (
                r#"{"auths":{"r.io":{"username":"bot","password":"hunter","auth":"Ym90OmRvY2tlcnB3"}}}"#,
                &["Ym90OmRvY2tlcnB3", "dockerpw", "hunter"][..],
            ),
            (
                "a: {password: hunter, level: info}\nenv: [{name: API_KEY, value: abcde}]",
                &["hunter", "abcde"],
            ),
            (
                "LOG=debug\nexport DB_PASSWORD=\"two words\"\n# A_TOKEN=x\nX=9f3Kd02m",
                &["two words", "9f3Kd02m"],
            ),
            ("postgres://app:p%40ss@db:5432/app?sslmode=disable", &["p%40ss", "p@ss"]),
            ("redis://:word@redis:6379/0", &["word"]),
            ("Server=x;User Id=sa;Password=pwd-word;", &["pwd-word"]),
            ("host=db user=a password=dsnword dbname=b", &["dsnword"]),
            ("<s><user>a</user><password>mvnword</password></s>", &["mvnword"]),
            ("machine h login a password netrcword", &["netrcword"]),
            ("db:5432:a:b:pg-7f3k2", &["pg-7f3k2"]),
            ("'password' => 'phpword',", &["phpword"]),
            ("aHVudGVyMjJmb29iYXI9", &["hunter22foobar="]),
            ("Basic Ym90OmRvY2tlcnB3", &["Ym90OmRvY2tlcnB3", "dockerpw"]),
            ("https://registry.example.com:5000/x@sha256", &[]),
            ("plain words, nothing else", &[]),
            ("hunter2", &[]),
        ] {
            let found = parts(text);
            for part in expected {
                assert!(found.iter().any(|it| it == part), "{part} of {text}: {found:?}");
            }
            if expected.is_empty() {
                assert_eq!(found, [] as [&str; 0], "{text}");
            }
        }
    }

    #[test]
    fn a_value_made_of_beginnings_costs_no_more_than_its_length() {
        for (text, expected) in [
            (format!("{}p@h", "x://u:".repeat(200)), "p"),
            (format!("{}word-1x2@h", "amqp://u:".repeat(200)), "word-1x2"),
            (format!(">hunter2x9y8z{}password", "</".repeat(800)), "hunter2x9y8z"),
            (format!("{}<password>hunter2x9y8z</password>", "</a>".repeat(400)), "hunter2x9y8z"),
            (format!("a://u:p{}@h", "://".repeat(400)), &format!("p{}", "://".repeat(400))),
        ] {
            let mut found = FoundParts { left: usize::MAX, ..FoundParts::of_length(0) };
            found.of_text("", &text, DEPTH);
            let cost = usize::MAX - found.left;
            assert!(cost < 16 * text.len(), "{cost} for {}: {text}", text.len());
            assert!(found.parts.iter().any(|part| part == expected), "{text}");
        }
    }

    #[test]
    fn parts_end_where_the_budget_does() {
        let text = "A_TOKEN=one-word\nB_TOKEN=two-word";
        for (left, expected) in
            [(0, &[][..]), (60, &["one-word"]), (400, &["one-word", "two-word"])]
        {
            let mut found = FoundParts { left, ..FoundParts::of_length(0) };
            found.of_text("", text, DEPTH);
            assert_eq!(found.parts, expected, "{left}");
        }
    }

    #[test]
    fn ordinary_words_are_not_secret_parts() {
        for text in [
            "us-east-1",
            "debug",
            "30s",
            "256Mi",
            "/var/lib/data",
            "api.example.com:8443",
            "v1.2.3",
            "IfNotPresent",
            "prometheus-k8s.monitoring.svc",
            "application/json",
            "10.0.0.1",
            "node_exporter",
            "ops@example.com",
            "severity = critical",
        ] {
            assert!(is_ordinary(text), "{text}");
        }
        for text in [
            "9f3Kd02m",
            "hunter2x9",
            "sk_live_51H8x9yZ",
            "AKIAIOSFODNN7EXAMPLE",
            "p@ss!word",
            "wJalrXUtnFEMIK7MDENG",
            "4f1c2e9a-77b3-4d52-9a61-0c8e5f3b2d17",
            "918273",
        ] {
            assert!(!is_ordinary(text), "{text}");
        }
        assert!(is_secret_name("DB_PASS_2") && is_secret_name("apiKey") && !is_secret_name("user"));
    }
}
