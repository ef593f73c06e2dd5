//! The text that kustomize reads in place of a file that trueup looked into: the same values as
//! JSON.
//!
//! kustomize reads YAML with three parsers that differ in what a merge key, a key written twice or a
//! line of dashes means. Of JSON with every key once there is one reading, so what kustomize opens is
//! what was looked at.

use std::fmt::Write as _;

use serde::Serialize;

/// The value as one line of JSON that every YAML parser reads as itself.
pub(super) fn text(value: &impl Serialize) -> String {
    let mut text = String::new();
    // A value with text for keys can always be written.
    for char in serde_json::to_string(value).unwrap_or_default().chars() {
        match char {
            // YAML breaks lines at some of these, and forbids the others.
            '\u{7f}'..='\u{9f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                let _ = write!(text, "\\u{:04x}", u32::from(char));
            }
            char => text.push(char),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use crate::core::json::json;

    use super::*;
    use crate::core::manifest;

    #[test]
    fn generated_kustomization_round_trips() {
        let odd = "a\u{85}b\u{2028}c\u{7f}\u{feff}\u{1f600}é\n---\n\"\\ \t: # &a *b";
        let value = json!({"a": odd, odd: [1, 1.5, -3, true, null, {}, []], "<<": "x", "no": "no"});
        let text = text(&value);
        assert!(!text.contains(['\n', '\u{85}', '\u{2028}', '\u{7f}', '\u{feff}']), "{text}");
        let (back, _) = manifest::value("k", text.as_bytes()).unwrap().unwrap();
        assert_eq!(back, value);
    }
}
