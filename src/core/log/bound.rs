//! Cuts a text that is too long for a line, and says how much of it is missing.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar as _;

/// A text of at most `most` characters. A longer one is cut, and ends with `gap` and the number of
/// the characters that are left out. No cut goes through a character with its combining marks, nor
/// through an escape such as `\u202e`.
pub fn bounded<'a>(text: &'a str, most: usize, gap: &str) -> Cow<'a, str> {
    // Most texts are short, and bytes are counted at once.
    if text.len() <= most || text.chars().count() <= most {
        return Cow::Borrowed(text);
    }
    let all = text.chars().count();
    let room = most.saturating_sub(note(gap, all).chars().count());
    let (mut kept, mut end) = (0, 0);
    while let Some(length) = unit(&text[end..]) {
        let unit = &text[end..end + length];
        let longer = kept + unit.chars().count();
        if longer > room {
            break;
        }
        (kept, end) = (longer, end + length);
    }
    Cow::Owned(format!("{}{}", &text[..end], note(gap, all - kept)))
}

/// The end of a text that was cut.
fn note(gap: &str, left_out: usize) -> String {
    let plural = if left_out == 1 { "" } else { "s" };
    format!("{gap} ({left_out} more character{plural})")
}

/// The bytes of the first part of a text that is never cut: an escape, or a character with all that
/// stands on it.
fn unit(text: &str) -> Option<usize> {
    let mut characters = text.char_indices().peekable();
    let (_, first) = characters.next()?;
    if first == '\\' {
        return Some(escape(text));
    }
    // Bounded, since a text may be nothing but marks.
    let marks = characters.take_while(|(_, c)| c.width() == Some(0)).take(16);
    Some(marks.last().map_or(first.len_utf8(), |(at, c)| at + c.len_utf8()))
}

/// The bytes of what a backslash begins: `\n`, `\x1b`, `\u202e` or `\U000e0001`.
fn escape(text: &str) -> usize {
    let Some(kind) = text[1..].chars().next() else { return text.len() };
    let digits = match kind {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => 0,
    };
    let rest = text[1 + kind.len_utf8()..].bytes();
    let digits = rest.take(digits).take_while(u8::is_ascii_hexdigit).count();
    1 + kind.len_utf8() + digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_texts_stay_and_long_ones_say_what_is_missing() {
        let long = "x".repeat(100);
        for (text, expected) in [
            ("", ""),
            ("short", "short"),
            (&"é".repeat(40), &*"é".repeat(40)),
            (&long, "xxxxxxxxxxxxxxxxx… (83 more characters)"),
            (&"é".repeat(41), "éééééééééééééééééé… (23 more characters)"),
        ] {
            let cut = bounded(text, 40, "…");
            assert_eq!(cut, expected);
            assert!(cut.chars().count() <= 40, "{cut}");
        }
        let huge = "y".repeat(374_952);
        let cut = bounded(&huge, 2000, "...");
        assert!(cut.ends_with("y... (372980 more characters)"), "{}", &cut[1900..]);
        assert_eq!(cut.chars().count(), 2000);
    }

    #[test]
    fn no_cut_goes_through_an_escape_or_a_character() {
        let family = "e\u{301}\u{302}";
        for unit in ["\\n", "\\x1b", "\\u202e", "\\U000e0001", "\\\"", "\\é", family, "猫"] {
            let text = unit.repeat(60);
            for most in 28..60 {
                let cut = bounded(&text, most, "…");
                let (kept, _) = cut.split_once('…').unwrap();
                assert_eq!(kept.len() % unit.len(), 0, "{unit} of {most}: {cut}");
                assert!(cut.chars().count() <= most, "{cut}");
            }
        }
    }

    #[test]
    fn odd_ends_are_no_trouble() {
        let marks = "\u{301}".repeat(100);
        for text in [&marks, &"\\".repeat(101), &format!("{}\\u20", "x".repeat(90))] {
            for most in [0, 1, 30, 60] {
                let cut = bounded(text, most, "…");
                assert!(cut.contains("more character"), "{cut}");
            }
        }
    }
}
