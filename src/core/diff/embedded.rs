//! JSON within a text, such as a file in a ConfigMap: laid out over lines, so that two of them can
//! be compared line by line. Nothing but the white space between its parts becomes different.

use serde::de::IgnoredAny;

/// Longer texts stay as they are.
const MOST: usize = 1 << 20;

/// Two texts laid out.
pub(super) struct LaidOut {
    pub(super) before: String,
    pub(super) after: String,
}

/// Lays out two texts that differ and are JSON both. `None` where they are not, and where they are
/// compared as they stand: texts that have lines, by them, and where only the white space differs,
/// that is the difference.
pub(super) fn laid_out_pair(before: &str, after: &str) -> Option<LaidOut> {
    if before.trim().contains('\n') && after.trim().contains('\n') {
        return None;
    }
    let (before, after) = (laid_out(before)?, laid_out(after)?);
    (before != after).then_some(LaidOut { before, after })
}

/// A JSON object or list with a line for each of its parts; `None` of anything else.
fn laid_out(text: &str) -> Option<String> {
    let text = text.trim();
    let is_json = text.starts_with(['{', '['])
        && text.len() <= MOST
        && serde_json::from_str::<IgnoredAny>(text).is_ok();
    if !is_json {
        return None;
    }
    let mut out = String::with_capacity(2 * text.len());
    let (mut depth, mut is_within, mut is_escaped, mut is_empty) = (0, false, false, false);
    for c in text.chars() {
        if is_within {
            out.push(c);
            is_within = c != '"' || is_escaped;
            is_escaped = c == '\\' && !is_escaped;
            continue;
        }
        if c.is_ascii_whitespace() {
            continue;
        }
        let closes = matches!(c, '}' | ']');
        if closes {
            depth -= 1;
        }
        if (is_empty && !closes) || (closes && !is_empty) {
            line(&mut out, depth);
        }
        is_empty = matches!(c, '{' | '[');
        out.push(c);
        match c {
            '"' => is_within = true,
            '{' | '[' => depth += 1,
            ',' => line(&mut out, depth),
            ':' => out.push(' '),
            _ => {}
        }
    }
    out.push('\n');
    Some(out)
}

fn line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use crate::core::json::Value;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn json_gets_a_line_for_each_part_and_keeps_every_letter() {
        let text = r#" {"b":1.0,"a" : [1,{},[ ],"x,\"{\\"],"c":{"d":null}}"#;
        let expected = "{\n  \"b\": 1.0,\n  \"a\": [\n    1,\n    {},\n    [],\n    \"x,\\\"{\\\\\"\n  ],\n  \"c\": {\n    \"d\": null\n  }\n}\n";
        assert_eq!(laid_out(text).as_deref(), Some(expected));
        for text in ["", "x", "1", "\"{}\"", "{", "{a: 1}", "[1] x"] {
            assert_eq!(laid_out(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn formatted_json_parses_to_the_same_value(
            values in prop::collection::vec(("[ -~\n]{0,8}", any::<i64>()), 0..6),
        ) {
            let value = Value::from_iter(values.iter().map(|(key, n)| {
                (key.clone(), Value::from(vec![Value::from(key.as_str()), (*n).into()]))
            }));
            let out = laid_out(&value.to_string()).unwrap();
            prop_assert_eq!(serde_json::from_str::<Value>(&out).unwrap(), value.clone());
            let plain = serde_json::to_string_pretty(&value).unwrap();
            prop_assert_eq!(out.trim_end(), plain);
        }
    }
}
