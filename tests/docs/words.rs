//! The words of the program itself, its comments and string literals: those of `docs/style.md`. Its
//! comments open with a noun or a verb, and their sentences are as short as those of the pages.

use std::path::Path;

use super::{LONGEST, avoided, sentences};
use crate::rings::sources;

/// Words that open a clause without a head: "What is sent" for "The request body".
const HEADLESS: [&str; 3] = ["What", "Who", "Whom"];

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

#[test]
fn comments_open_with_a_head() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut seen, mut faults) = (0, Vec::new());
    for path in sources(&root.join("src")) {
        let file = path.strip_prefix(root).unwrap().display().to_string();
        for (line, comment) in comments(&std::fs::read_to_string(&path).unwrap()) {
            let paragraphs = comment.split("\n\n");
            seen += paragraphs.clone().count();
            let headless = paragraphs.filter(|paragraph| is_headless(paragraph));
            faults.extend(headless.map(|paragraph| format!("{file}:{line}: {paragraph}")));
        }
    }
    assert!(seen > 7000, "only {seen} paragraphs are seen");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn sentences_of_comments_and_messages_are_short() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut seen, mut faults) = (0, Vec::new());
    for path in sources(&root.join("src")) {
        let text = std::fs::read_to_string(&path).unwrap();
        let literals = prose(&text).into_iter().filter(|(_, part)| !part.starts_with("//"));
        let literals = literals.map(|(line, part)| (line, unescaped(part)));
        for (line, part) in comments(&text).into_iter().chain(literals) {
            for sentence in sentences(&part) {
                seen += 1;
                if sentence.split_whitespace().count() > LONGEST {
                    faults.push(format!("{}:{line}: {sentence}", path.display()));
                }
            }
        }
    }
    assert!(seen > 20_000, "only {seen} sentences are seen");
    assert!(faults.is_empty(), "over {LONGEST} words:\n{}", faults.join("\n"));
}

/// Whether a paragraph opens with one of [`HEADLESS`].
fn is_headless(paragraph: &str) -> bool {
    paragraph
        .split(|c: char| !c.is_alphanumeric())
        .next()
        .is_some_and(|word| HEADLESS.contains(&word))
}

/// The comments of a Rust file that have lines of their own, each with its first line's number and
/// without its slashes. Lines that follow each other are one comment.
fn comments(text: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut before = None;
    for (line, text) in (1..).zip(text.lines()) {
        let text = text.trim_start();
        let kind = ["///", "//!", "//"].into_iter().find(|kind| text.starts_with(kind));
        if let Some(kind) = kind {
            let text = text[kind.len()..].trim();
            match found.last_mut().filter(|_| before == Some(kind)) {
                Some((_, comment)) => comment.extend(["\n", text]),
                None => found.push((line, text.to_owned())),
            }
        }
        before = kind;
    }
    found
}

/// The prose of a string literal: its line breaks as such, and no lines in columns, which are those
/// of examples, nor the list of HTML's names for characters.
fn unescaped(literal: &str) -> String {
    let mut text = literal.trim_matches('"').replace("\\n", "\n");
    while let Some((before, after)) = text.split_once("\\\n") {
        text = format!("{before}{}", after.trim_start());
    }
    let is_prose = |line: &&str| !line.trim().contains("  ") && !line.starts_with("nbsp ");
    text.lines().filter(is_prose).collect::<Vec<_>>().join("\n")
}

#[test]
fn comments_are_found_with_their_first_line() {
    let text =
        "//! One\n//!\n//! Two\nlet a = 1; // no\n\n    // Three\n    // four\n    /// Five\n";
    let expected = [(1, "One\n\nTwo"), (6, "Three\nfour"), (8, "Five")];
    assert_eq!(comments(text), expected.map(|(line, text)| (line, text.to_owned())));
    assert_eq!(["Whatever", "What is sent.", "Who: x"].map(is_headless), [false, true, true]);
    assert_eq!(unescaped("\"a\\nb \\\n   c\\nd  e\""), "a\nb c");
}

/// The comments and string literals of a Rust file, each with the line that it begins on.
pub fn prose(text: &str) -> Vec<(usize, &str)> {
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
