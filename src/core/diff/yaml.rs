//! An object as YAML for people: one value a line wherever that is possible, always in one order,
//! and without anything that could do something to a terminal or a CI runner.
//!
//! Its output is YAML that reads back as the same value. It reads nothing: manifests are read as
//! kubectl reads them, by [`crate::core::manifest`].

use std::fmt::Write as _;

use super::order::{FieldOrder, MapContext};
use crate::core::json::{Map, Value};
use crate::core::object::Object;
use crate::core::sanitize::{Commands, escaped, has_command, is_harmless};

/// The object as YAML; empty for an object without fields.
pub fn text(object: &Object) -> String {
    let mut writer = YamlWriter::default();
    writer.map(&object.0, &FieldOrder::default(), MapContext::Top, 0);
    writer.out
}

/// Writes one value behind another.
#[derive(Default)]
pub(super) struct YamlWriter {
    pub(super) out: String,
}

impl YamlWriter {
    /// Writes the entries of a map, that of a list's element from where the line stands.
    fn map(&mut self, entries: &Map, order: &FieldOrder, place: MapContext, indent: usize) {
        for (i, key) in order.keys(place, &[entries]).into_iter().enumerate() {
            let is_behind_dash = i == 0 && place == MapContext::Element;
            self.key(key, if is_behind_dash { 0 } else { indent });
            self.value(&entries[key], order.key(key), place.below(key), indent);
        }
    }

    /// Writes a map's key so far to the right, and its colon.
    pub(super) fn key(&mut self, key: &str, indent: usize) {
        pad(&mut self.out, indent);
        scalar(&mut self.out, key, None);
        self.out.push(':');
    }

    /// Writes the dash of a list's element.
    pub(super) fn dash(&mut self, indent: usize) {
        pad(&mut self.out, indent);
        self.out.push('-');
    }

    /// Writes a text that is JSON and not as it stands in the object, and says so.
    pub(super) fn laid_out(&mut self, text: &str, place: MapContext, indent: usize) {
        self.out.push(' ');
        let indent = text_indent(place, indent);
        match is_literal(text) {
            true => literal(&mut self.out, text, indent, " # JSON, laid out"),
            false => scalar(&mut self.out, text, Some(indent)),
        }
        self.out.push('\n');
    }

    /// Writes what comes after a key's colon or an element's dash.
    pub(super) fn value(
        &mut self,
        value: &Value,
        order: &FieldOrder,
        place: MapContext,
        indent: usize,
    ) {
        let out = &mut self.out;
        match value {
            Value::Object(entries) if entries.is_empty() => out.push_str(" {}\n"),
            Value::Array(items) if items.is_empty() => out.push_str(" []\n"),
            Value::Object(entries) if place == MapContext::Element => {
                out.push(' ');
                self.map(entries, order, place, indent);
            }
            Value::Object(entries) => {
                out.push('\n');
                self.map(entries, order, place, indent + 2);
            }
            Value::Array(items) => {
                // A list stands as far left as its key; in a list, further right than the dash.
                out.push('\n');
                for item in items {
                    self.dash(indent);
                    self.value(item, order.item(item), MapContext::Element, indent + 2);
                }
            }
            Value::String(text) => {
                out.push(' ');
                scalar(out, text, Some(text_indent(place, indent)));
                out.push('\n');
            }
            other => {
                let _ = writeln!(out, " {other}"); // a String takes every write
            }
        }
    }
}

/// How far to the right the lines of a text stand.
fn text_indent(place: MapContext, indent: usize) -> usize {
    if place == MapContext::Element { indent } else { indent + 2 }
}

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}

/// Writes a string; over several lines where it has several and `indent` says how far right.
fn scalar(out: &mut String, text: &str, indent: Option<usize>) {
    match indent {
        Some(indent) if is_literal(text) => literal(out, text, indent, ""),
        _ if is_plain(text) => out.push_str(text),
        _ => quoted(out, text, indent),
    }
}

/// Whether the text can stand line by line as it is.
fn is_literal(text: &str) -> bool {
    text.contains('\n')
        && text.chars().any(|c| !c.is_whitespace())
        && text.chars().all(|c| c == '\n' || c == '\t' || is_harmless(c))
        && !has_command(text)
}

fn literal(out: &mut String, text: &str, indent: usize, comment: &str) {
    out.push('|');
    if text.starts_with([' ', '\t', '\n']) {
        out.push('2'); // or the first line's spaces would be taken for the indentation
    }
    let body = match text.strip_suffix('\n') {
        Some(body) if body.ends_with('\n') => {
            out.push('+');
            body
        }
        Some(body) => body,
        None => {
            out.push('-');
            text
        }
    };
    out.push_str(comment);
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            pad(out, indent);
            out.push_str(line);
        }
    }
}

/// Between double quotes, with a line for each of the text's where `indent` allows.
fn quoted(out: &mut String, text: &str, indent: Option<usize>) {
    out.push('"');
    let mut commands = Commands::within_line();
    for (i, line) in text.split_inclusive('\n').enumerate() {
        if let Some(indent) = indent.filter(|_| i > 0) {
            commands = Commands::at_line_start();
            out.push_str("\\\n"); // a line break that is not part of the text
            pad(out, indent);
            if line.starts_with([' ', '\t']) {
                out.push('\\'); // or it would be taken for indentation
            }
        }
        for (j, c) in line.chars().enumerate() {
            match c {
                '"' | '\\' => out.extend(['\\', c]),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' if i > 0 && j == 0 && indent.is_some() => out.push('t'),
                '\t' => out.push_str("\\t"),
                c if is_harmless(c) && !commands.completes(c) => out.push(c),
                c => out.push_str(&escaped(c)),
            }
        }
    }
    out.push('"');
}

/// Whether the text is safe without quotes: every reader of YAML takes it for this very string.
fn is_plain(text: &str) -> bool {
    let Some(first) = text.chars().next() else { return false };
    let is_inner = |c: char| {
        c.is_ascii_alphanumeric()
            || "_-./:@+=, ()$;~^<>%*!?|&[]{}'\"#".contains(c)
            || (!c.is_ascii() && is_harmless(c) && !c.is_whitespace())
    };
    let starts = first.is_ascii_alphanumeric()
        || matches!(first, '/' | '_' | '.' | '$' | '(' | '<' | '^' | ';' | '+')
        || (first == '-' && text.len() > 1 && !text.starts_with("- ") && !text.starts_with("---"))
        || (!first.is_ascii() && is_harmless(first));
    starts
        && text.chars().all(is_inner)
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !has_command(text)
        && !means_something_else(text)
}

/// Whether some reader, of YAML 1.1 or 1.2, takes the unquoted text for a truth value, nothing, a
/// number, a time or a merge.
fn means_something_else(text: &str) -> bool {
    const WORDS: &[&str] =
        &["y", "n", "yes", "no", "on", "off", "true", "false", "null", "<<", "="];
    let lower = text.to_ascii_lowercase();
    let all_of = |extra: &str| lower.chars().all(|c| c.is_ascii_hexdigit() || extra.contains(c));
    let is_number_like = lower.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
        && (lower.contains(|c: char| c.is_ascii_digit()) && all_of("xo_:.+- tz")
            || lower.ends_with(".inf")
            || lower.ends_with(".nan"));
    WORDS.contains(&lower.as_str()) || is_number_like
}
