//! The spellings in which one value can stand in a text: plain, quoted by JSON, Go, YAML or Rust,
//! in a URL, and in base64, also in the middle of a longer base64 text.
//!
//! Which values are searched for at all is the parent module's.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

/// Shorter spellings are not searched for.
pub(super) const SHORTEST: usize = 4;
/// A line of a longer value is searched for by itself from this length on, if it has no space in
/// it: a key's or certificate's body, not a line of a configuration file.
const LONG_LINE: usize = 20;
/// The part of a base64 text that does not depend on what stands around the value is searched for
/// from this length on.
const LONG_CORE: usize = 8;

/// Every spelling of `value`; some may be equal.
pub(super) fn forms(value: &[u8]) -> Vec<String> {
    let mut forms = Vec::new();
    if let Ok(text) = std::str::from_utf8(value) {
        spell(text, &mut forms);
        let trimmed = text.trim();
        if trimmed.len() < text.len() {
            spell(trimmed, &mut forms);
            base64(trimmed.as_bytes(), &mut forms);
        }
        let lines = text.lines().map(str::trim).filter(|line| {
            line.len() >= LONG_LINE
                && !line.contains(char::is_whitespace)
                && !line.starts_with("--")
        });
        for line in lines {
            spell(line, &mut forms);
        }
    } else {
        forms.push(go_quoted(value, false));
    }
    base64(value, &mut forms);
    forms
}

fn spell(text: &str, forms: &mut Vec<String>) {
    let json = json_quoted(text);
    let html = json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
    forms.extend([
        text.to_owned(),
        json_quoted(&json),
        json_quoted(&html),
        json,
        html,
        go_quoted(text.as_bytes(), false),
        go_quoted(text.as_bytes(), true),
        rust_quoted(text),
        text.replace('\'', "''"), // YAML's single quotes
        percent_encoded(text),
    ]);
}

/// `text` between JSON's quotes.
fn json_quoted(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// `text` between the quotes of Rust's `{:?}`.
fn rust_quoted(text: &str) -> String {
    let quoted = format!("{text:?}");
    quoted[1..quoted.len() - 1].to_owned()
}

/// Whether Go prints the character as it is; Rust does so with the same ones inside a string,
/// accents that join the character before them among them.
fn is_printable(c: char) -> bool {
    ['a', c].iter().collect::<String>().escape_debug().count() == 2
}

/// `value` between the quotes of Go's `%q`, or of `%+q` when `ascii`.
fn go_quoted(value: &[u8], ascii: bool) -> String {
    let mut quoted = String::new();
    for chunk in value.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\u{7}' => quoted.push_str("\\a"),
                '\u{8}' => quoted.push_str("\\b"),
                '\u{c}' => quoted.push_str("\\f"),
                '\n' => quoted.push_str("\\n"),
                '\r' => quoted.push_str("\\r"),
                '\t' => quoted.push_str("\\t"),
                '\u{b}' => quoted.push_str("\\v"),
                '"' | '\\' => quoted.extend(['\\', c]),
                ' '..='~' => quoted.push(c),
                '\0'..='\u{7f}' => quoted.push_str(&format!("\\x{:02x}", u32::from(c))),
                _ if !ascii && is_printable(c) => quoted.push(c),
                '\u{80}'..='\u{ffff}' => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
                _ => quoted.push_str(&format!("\\U{:08x}", u32::from(c))),
            }
        }
        for byte in chunk.invalid() {
            quoted.push_str(&format!("\\x{byte:02x}"));
        }
    }
    quoted
}

/// `text` as it stands in a URL, where a connection string has its password.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// `value` in base64, by itself and as part of a longer value at each of the three places that it
/// can have in a group.
fn base64(value: &[u8], forms: &mut Vec<String>) {
    forms.extend([
        STANDARD.encode(value),
        STANDARD_NO_PAD.encode(value),
        URL_SAFE.encode(value),
        URL_SAFE_NO_PAD.encode(value),
    ]);
    for (before, skip) in [(0, 0), (1, 2), (2, 3)] {
        let mut shifted = vec![0; before];
        shifted.extend_from_slice(value);
        let end = shifted.len() * 8 / 6; // the last digit that no later byte has a part in
        for encoded in [STANDARD_NO_PAD.encode(&shifted), URL_SAFE_NO_PAD.encode(&shifted)] {
            if let Some(core) = encoded.get(skip..end).filter(|core| core.len() >= LONG_CORE) {
                forms.push(core.to_owned());
            }
        }
    }
}
