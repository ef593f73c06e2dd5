//! The parser's words about wrong syntax → ours, and what to do about it when that is known.

use libyaml_safer::Error;

use super::fault::{ManifestFault, Spot};
use super::spots::{Spots, boundary};

/// The fault where an assertion of the parser fails, behind a byte that it had come to.
pub(super) fn unreadable(spots: &Spots, byte: usize) -> ManifestFault {
    let byte = boundary(spots.text, byte);
    let message = "this is not YAML that can be read";
    // They are about tags.
    match spots.text[byte..].find('!') {
        Some(tag) => ManifestFault::new(spots.at_byte(byte + tag), message)
            .hint("a `!` begins a tag: put a space before it, or quotes around the text"),
        None => ManifestFault::new(spots.at_byte(byte), message),
    }
}

/// A parser error as a fault of the file.
pub(super) fn syntax(error: &Error, spots: &Spots) -> ManifestFault {
    let problem = error.problem();
    let begun = error.context_mark().map(|mark| (spots.at(mark), mark.index as usize));
    let Some(mark) = error.problem_mark() else {
        return control_character(spots);
    };
    let (spot, byte) = (spots.at(mark), mark.index as usize);
    let line = line_around(spots.text, byte);
    let since = begun.map(|(Spot { line, .. }, _)| line);
    match (problem, begun) {
        ("mapping values are not allowed in this context", _) => {
            ManifestFault::new(spot, "mapping values are not allowed here")
                .hint(second_colon(spots.text, byte))
        }
        ("could not find expected ':'", Some((spot, byte))) => {
            let line = line_around(spots.text, byte);
            let fault = ManifestFault::new(spot, "this line has no `key: value`");
            match missing_space(line) {
                Some(key) => fault.hint(format!("put a space after `{key}:`")),
                None => fault.hint("indent it further if it goes on with the text above"),
            }
        }
        ("found character that cannot start any token", _) => {
            match spots.text[boundary(spots.text, byte)..].chars().next() {
                Some('\t') => tab(spot),
                Some('%') if line.contains("{%") => {
                    template(ManifestFault::new(spot, "a value can't begin with `%`"))
                }
                Some(char) => {
                    ManifestFault::new(spot, format!("a value can't begin with `{char}`"))
                        .hint("write it in quotes")
                }
                None => ManifestFault::new(spot, problem),
            }
        }
        ("found unexpected end of stream", Some((spot, _))) => {
            ManifestFault::new(spot, "the quote that opens here is never closed")
                .hint("close it, and indent the lines of a text that has several")
        }
        ("found unexpected document indicator", Some((spot, _))) => ManifestFault::new(
            spot,
            "the quote that opens here is not closed before the next document",
        ),
        ("found unknown escape character", _) => {
            ManifestFault::new(spot, "this is not an escape that YAML knows")
                .hint("in single quotes a backslash is only a backslash")
        }
        ("did not find expected key", _) => {
            indentation(ManifestFault::new(spot, "a key is expected here"), line, since)
        }
        ("did not find expected '-' indicator", _) => {
            indentation(ManifestFault::new(spot, "another `- ` is expected here"), line, since)
        }
        ("did not find expected ',' or ']'", Some((spot, _))) => closed(spot, ']', line),
        ("did not find expected ',' or '}'", Some((spot, _))) => closed(spot, '}', line),
        ("did not find expected node content", _) if line.contains("{{") || line.contains("{%") => {
            template(ManifestFault::new(spot, "a value is expected here"))
        }
        ("did not find expected node content", _) => {
            ManifestFault::new(spot, "a value is expected here")
        }
        ("did not find expected <document start>", _) => {
            ManifestFault::new(spot, "the document has ended before this").hint(
                "Kubernetes reads no `%` directives; indent this if it belongs to the text above",
            )
        }
        (problem, _) if problem.contains("tab") => tab(spot),
        (problem, _) => ManifestFault::new(spot, problem),
    }
}

fn tab(spot: Spot) -> ManifestFault {
    ManifestFault::new(spot, "a tab can't indent in YAML").hint("indent with spaces")
}

fn template(fault: ManifestFault) -> ManifestFault {
    fault.hint("this looks like a template: render it first")
}

fn closed(spot: Spot, bracket: char, line: &str) -> ManifestFault {
    let fault =
        ManifestFault::new(spot, format!("no `{bracket}` closes the bracket that opens here"));
    if line.contains("{{") { template(fault) } else { fault.hint("or a comma is missing") }
}

fn indentation(fault: ManifestFault, line: &str, since: Option<u32>) -> ManifestFault {
    if line.trim_start_matches(' ').starts_with('\t') {
        return fault.hint("indent with spaces, not with a tab");
    }
    match since {
        Some(since) => fault.hint(format!(
            "check the indentation and the quotes: the text that begins in line {since} can't \
            continue like this"
        )),
        None => fault,
    }
}

/// The remedy for a second `: `.
fn second_colon(text: &str, byte: usize) -> String {
    let line = line_around(text, byte);
    let start = line.as_ptr() as usize - text.as_ptr() as usize;
    let before = &line[..byte.saturating_sub(start).min(line.len())];
    match before.split_once(": ") {
        Some((_, inner)) if !inner.contains([' ', '"', '\'', '[', '{']) => {
            format!("put `{inner}:` on its own line, or the whole value in quotes if it is text")
        }
        Some(_) => "put the value in quotes if it is text".to_owned(),
        None => "the line above has a value already: check the indentation".to_owned(),
    }
}

/// The key of `key:value`.
fn missing_space(line: &str) -> Option<&str> {
    let (key, value) = line.trim().trim_start_matches("- ").split_once(':')?;
    let is_key = !key.is_empty() && !key.contains([' ', '"', '\'']);
    (is_key && !value.is_empty() && !value.starts_with([' ', '/'])).then_some(key)
}

/// The parser says neither where nor which.
fn control_character(spots: &Spots) -> ManifestFault {
    let bad = spots.text.char_indices().find(|(_, char)| {
        !matches!(char, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}'
            | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
    });
    match bad {
        Some((byte, char)) => ManifestFault::new(
            spots.at_byte(byte),
            format!("the control character U+{:04X} is not allowed in YAML", u32::from(char)),
        )
        .hint("write it as an escape in double quotes"),
        None => ManifestFault::new(spots.at_byte(0), "this is not text"),
    }
}

fn line_around(text: &str, byte: usize) -> &str {
    let byte = boundary(text, byte);
    let start = text[..byte].rfind('\n').map_or(0, |at| at + 1);
    let end = text[byte..].find('\n').map_or(text.len(), |at| byte + at);
    &text[start..end]
}
