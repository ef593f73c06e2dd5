//! Calls of functions of Jsonnet's library on which the implementations differ, as they stand in the
//! text. Nothing is run here.

use super::jsonnet::{behind_blank, string};

/// The functions that are looked for.
const FUNCTIONS: [&str; 3] = ["base64", "base64Decode", "parseYaml"];

/// A call of `std.…`, or the function's name alone.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LibraryCall {
    /// The function.
    pub(super) function: &'static str,
    /// The byte of the text at which `std` begins.
    pub(super) at: usize,
    /// Its first argument.
    pub(super) argument: CallArgument,
}

/// The argument of a call, as far as the text alone says it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum CallArgument {
    /// This text.
    Text(String),
    /// The content of a file, by the path that the text has for it.
    File(String),
    /// Anything else.
    Computed,
}

/// The calls in a text, in order.
pub(super) fn calls(text: &str) -> Vec<LibraryCall> {
    let mut found = Vec::new();
    let mut rest = text;
    // The last two tokens, where they are `std` and `.`.
    let (mut std, mut dot) = (None, false);
    while let Some(first) = rest.chars().next() {
        let at = text.len() - rest.len();
        if let Some(behind) = behind_blank(rest) {
            rest = behind;
        } else if first.is_ascii_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let (word, behind) = rest.split_at(end.unwrap_or(rest.len()));
            rest = behind;
            if let (Some(at), true) = (std, dot)
                && let Some(function) = FUNCTIONS.into_iter().find(|name| *name == word)
            {
                found.push(LibraryCall { function, at, argument: argument(rest) });
            }
            (std, dot) = ((word == "std").then_some(at), false);
        } else {
            dot = first == '.' && std.is_some();
            std = std.filter(|_| dot);
            let length = string(rest).map_or(first.len_utf8(), |(_, length)| length);
            rest = &rest[length..];
        }
    }
    found
}

/// The argument that the text behind a function's name begins with.
fn argument(text: &str) -> CallArgument {
    let Some(inner) = without_blanks(text).strip_prefix('(') else { return CallArgument::Computed };
    let inner = without_blanks(inner);
    let import = inner.strip_prefix("importstr").filter(|rest| behind_blank(rest).is_some());
    let literal = without_blanks(import.unwrap_or(inner));
    // A block of text is not read here.
    let value = string(literal).filter(|_| !literal.starts_with("|||"));
    let Some((value, length)) = value else { return CallArgument::Computed };
    if !without_blanks(&literal[length..]).starts_with([')', ',']) {
        return CallArgument::Computed;
    }
    match import {
        Some(_) => CallArgument::File(value),
        None => CallArgument::Text(value),
    }
}

fn without_blanks(mut text: &str) -> &str {
    while let Some(behind) = behind_blank(text) {
        text = behind;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_found_with_what_the_text_says_of_their_argument() {
        let text = "local f = std.base64; // std.base64('no')\n\
            { a: std . base64( 'é' ), b: std.parseYaml(importstr /* x */ 'a.yaml'),\n\
            c: 'std.base64(1)', d: std.base64(x + 'é'), e: astd.base64('a'), f: std.md5('a'),\n\
            g: std.base64('a' + x), h: std.base64Decode(@'b'), i: std.base64(||| \n  é\n|||) }";
        let found: Vec<_> = calls(text).into_iter().map(|it| (it.function, it.argument)).collect();
        let text = |text: &str| CallArgument::Text(text.to_owned());
        assert_eq!(
            found,
            [
                ("base64", CallArgument::Computed),
                ("base64", text("é")),
                ("parseYaml", CallArgument::File("a.yaml".to_owned())),
                ("base64", CallArgument::Computed),
                ("base64", CallArgument::Computed),
                ("base64Decode", text("b")),
                ("base64", CallArgument::Computed),
            ]
        );
    }
}
