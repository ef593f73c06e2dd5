//! Findings as a SARIF 2.1.0 log, which code scanning reads.

use std::fmt::Write as _;

use super::{CheckView, level, text};
use crate::core::check::{CheckRule, Finding};
use crate::core::json::{Value, json};

/// The whole log.
pub(super) fn log(view: &CheckView<'_>) -> Value {
    let rules: Vec<Value> = CheckRule::ALL
        .iter()
        .map(|rule| json!({ "id": rule.name(), "shortDescription": { "text": rule.about() } }))
        .collect();
    let results: Vec<Value> = view.findings.iter().map(result).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "trueup",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn result(finding: &Finding) -> Value {
    let place = &finding.place;
    let index = CheckRule::ALL.iter().position(|rule| *rule == finding.rule);
    json!({
        "ruleId": finding.rule.name(),
        "ruleIndex": index,
        "level": level(finding),
        "message": { "text": plain(&text(finding)) },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri(&place.path) },
            "region": { "startLine": place.line.max(1), "startColumn": place.column.max(1) },
        } }],
    })
}

/// A text that nothing is made of: a viewer takes `[words](target)` for a link in a plain text too,
/// unless its brackets are escaped (SARIF 2.1.0, section 3.11.6). Others stay as they are, as not
/// every viewer takes the backslash away.
fn plain(text: &str) -> String {
    match text.contains("](") {
        true => text.replace('\\', r"\\").replace('[', r"\[").replace(']', r"\]"),
        false => text.to_owned(),
    }
}

/// A path as a relative URI.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(byte.into());
            }
            byte => {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_makes_no_link() {
        for (text, plain) in [
            ("spec.containers[0]: not a text", "spec.containers[0]: not a text"),
            (r"see [here](http://example.com) \o/", r"see \[here\](http://example.com) \\o/"),
            (r"\[a\](1)", r"\\\[a\\\](1)"),
        ] {
            assert_eq!(super::plain(text), plain);
        }
    }

    #[test]
    fn a_path_is_a_uri_whatever_it_holds() {
        assert_eq!(uri("envs/prod/web.yaml"), "envs/prod/web.yaml");
        assert_eq!(uri("a b\n:\u{202e}[x](y)"), "a%20b%0A%3A%E2%80%AE%5Bx%5D%28y%29");
    }
}
