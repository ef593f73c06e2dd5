//! The words of the program itself, its comments and string literals: those of `docs/style.md`.

use std::path::Path;

use super::avoided;
use crate::rings::sources;

#[test]
fn comments_and_messages_are_plain() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut seen = 0;
    for path in sources(&src) {
        let text = std::fs::read_to_string(&path).unwrap();
        for (line, part) in prose(&text) {
            seen += 1;
            assert_eq!(avoided(part), None, "{}:{line}: {part}", path.display());
        }
    }
    assert!(seen > 10_000, "only {seen} comments and literals are seen");
}

/// The comments and string literals of a Rust file, each with the line that it begins on.
fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let (mut at, mut line) = (0, 1);
    while let Some(next) = text[at..].chars().next() {
        let rest = &text[at..];
        let length = match next {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '"' => string_length(rest),
            'r' => raw_length(rest).unwrap_or(0),
            _ => 0,
        };
        if length > 0 {
            found.push((line, &rest[..length]));
        }
        let passed = match (length, next) {
            (0, '\'') => char_length(rest),
            (0, next) => next.len_utf8(),
            (length, _) => length,
        };
        line += rest[..passed].matches('\n').count();
        at += passed;
    }
    found
}

/// How long the string literal is that `rest` begins with.
fn string_length(rest: &str) -> usize {
    let mut is_escaped = false;
    let end = rest[1..].find(|c: char| {
        let is_end = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_end
    });
    end.map_or(rest.len(), |end| end + 2)
}

/// How long the raw string literal is that `rest` begins with; `None` where there is none.
fn raw_length(rest: &str) -> Option<usize> {
    let hashes = rest[1..].len() - rest[1..].trim_start_matches('#').len();
    let inner = rest[1 + hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(2 + hashes + inner.find(&end)? + end.len())
}

/// How long the character literal is that `rest` begins with; 1 where it is a lifetime.
fn char_length(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => rest[3..].find('\'').map_or(1, |end| end + 4),
        Some(_) => match chars.next() {
            Some((end, '\'')) => end + 1,
            _ => 1,
        },
        None => 1,
    }
}

#[test]
fn comments_and_string_literals_are_found() {
    let text = "// one\nlet a: &'a str = \"t\\\"wo\"; let b = '\"';\nlet c = ('\\'', r#\"th\"ree\"#);\n/// four";
    let expected = [(1, "// one"), (2, "\"t\\\"wo\""), (3, "r#\"th\"ree\"#"), (4, "/// four")];
    assert_eq!(prose(text), expected);
}
