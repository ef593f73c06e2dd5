//! Patterns as Go reads them (RE2), put in the words of the regex crate.
//!
//! Most are the same in both. `findings/cel-matches-is-not-re2.sh` shows where they are not: classes
//! that have operators, and letters that stand for more than ASCII.

use crate::core::pattern::{Pattern, PatternError};

/// The pattern of a text.
///
/// # Errors
///
/// When it takes too much memory, or is not a pattern that both know.
pub(super) fn pattern(text: &str, limit: usize) -> Result<Pattern, String> {
    let translated = translated(text).ok_or(PatternError::Unknown);
    let pattern = translated.and_then(|text| Pattern::new(&text, limit));
    pattern.map_err(|error| error.to_string())
}

/// Whether a pattern looks around or back, which neither Go nor the regex crate can do.
pub fn looks_around(text: &str) -> bool {
    let mut letters = text.char_indices();
    let mut is_class = false;
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => {
                let next = letters.next().map(|(_, next)| next);
                match next {
                    Some('1'..='9') if !is_class => return true,
                    // Up to `\E`, letters stand for themselves.
                    Some('Q') => return false,
                    _ => {}
                }
            }
            '[' if !is_class => {
                is_class = true;
                // A bracket at the start of a class is one of its letters.
                let rest = text[at + 1..].trim_start_matches('^');
                if rest.starts_with(']') {
                    letters.find(|(_, letter)| *letter == ']');
                }
            }
            // The end of a class such as `[:alpha:]` is not that of the class around.
            '[' if text[at..].starts_with("[:") => {
                letters.find(|(_, letter)| *letter == ']');
            }
            ']' => is_class = false,
            '(' if !is_class => {
                let around = ["?=", "?!", "?<=", "?<!"];
                if around.iter().any(|start| text[at + 1..].starts_with(start)) {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

/// The pattern in the words of the regex crate; `None` where it has none.
fn translated(text: &str) -> Option<String> {
    let mut made = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    let mut is_class = false;
    while let Some(letter) = letters.next() {
        match (letter, is_class) {
            ('\\', _) => {
                let next = letters.next()?;
                match (next, is_class) {
                    ('d', true) => made.push_str("0-9"),
                    ('d', false) => made.push_str("[0-9]"),
                    ('w', true) => made.push_str("0-9A-Za-z_"),
                    ('w', false) => made.push_str("[0-9A-Za-z_]"),
                    ('s', true) => made.push_str(r"\t\n\f\r "),
                    ('s', false) => made.push_str(r"[\t\n\f\r ]"),
                    ('D', false) => made.push_str("[^0-9]"),
                    ('W', false) => made.push_str("[^0-9A-Za-z_]"),
                    ('S', false) => made.push_str(r"[^\t\n\f\r ]"),
                    ('b', false) => made.push_str(r"(?-u:\b)"),
                    ('Q', false) => {
                        let mut quoted = String::new();
                        for letter in letters.by_ref() {
                            quoted.push(letter);
                            if quoted.ends_with("\\E") {
                                quoted.truncate(quoted.len() - 2);
                                break;
                            }
                        }
                        made.push_str(&regex::escape(&quoted));
                    }
                    ('D' | 'W' | 'S' | 'b' | 'B' | 'C' | 'Z' | 'Q' | 'E', _) => return None,
                    ('<' | '>', _) => made.push(next),
                    (other, _) => {
                        made.push('\\');
                        made.push(other);
                    }
                }
            }
            ('[', false) => {
                is_class = true;
                made.push('[');
                if letters.next_if_eq(&'^').is_some() {
                    made.push('^');
                }
                if letters.next_if_eq(&']').is_some() {
                    made.push_str("\\]");
                }
            }
            ('[', true) if letters.peek() == Some(&':') => {
                // A class of ASCII by its name, up to its end.
                made.push('[');
                loop {
                    let next = letters.next()?;
                    made.push(next);
                    if next == ']' {
                        break;
                    }
                }
            }
            (']', true) => {
                is_class = false;
                made.push(']');
            }
            ('[' | '&' | '~', true) => {
                made.push('\\');
                made.push(letter);
            }
            ('-', true) if letters.peek() == Some(&'-') => return None,
            ('{', false) => {
                let rest: String = letters.clone().take_while(|letter| *letter != '}').collect();
                let is_count = rest.chars().next().is_some_and(|letter| letter.is_ascii_digit())
                    && rest.chars().all(|letter| letter.is_ascii_digit() || letter == ',')
                    && rest.matches(',').count() < 2
                    && letters.clone().any(|letter| letter == '}');
                made.push_str(if is_count { "{" } else { "\\{" });
            }
            (other, _) => made.push(other),
        }
    }
    Some(made)
}

#[cfg(test)]
mod tests {
    use super as re2;

    /// Each row is what Go says.
    #[test]
    fn patterns_are_read_as_go_reads_them() {
        for (pattern, text, is_in) in [
            ("^[a&&b]$", "&", true),
            ("^[+~~]$", "~", true),
            (r"\<x", "x", false),
            (r"\<x", "<x", true),
            ("^[[]$", "[", true),
            (r"^\Qa.b\E$", "a.b", true),
            (r"^\Qa.b\E$", "axb", false),
            ("^{$", "{", true),
            (r"^\w$", "é", false),
            (r"^\d{2}$", "٣٣", false),
            (r"^\d{2}$", "33", true),
            (r"^[\d\s]+$", "3 3", true),
            ("^[[:alpha:]_]+$", "a_b", true),
            ("^[]a]$", "]", true),
            (r"\bfoo\b", "a foo b", true),
            ("^a{,2}$", "a{,2}", true),
        ] {
            let read = re2::pattern(pattern, 1 << 20).unwrap();
            assert_eq!(read.is_in(text), is_in, "{pattern} in {text}");
        }
        for pattern in ["(?=a)", "a(?!b)", "(?<=a)b", r"(a)\1", "[]](?!a)", "[[:alpha:](](?=a)"] {
            assert!(re2::looks_around(pattern), "{pattern}");
        }
        for pattern in ["(?:a)", "[(?=]", r"\(?=", "(?P<a>b)", "(?<a>b)", r"[\](?=]", r"\Q(?=\E"] {
            assert!(!re2::looks_around(pattern), "{pattern}");
        }
        for pattern in ["(", r"[\D]", r"a\C", "^[a-c--b]$"] {
            assert!(re2::pattern(pattern, 1 << 20).is_err(), "{pattern}");
        }
    }
}
