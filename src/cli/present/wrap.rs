//! Messages and hints in lines that a terminal has room for. What is not on a terminal keeps
//! its lines, so that it can be searched.

use unicode_width::UnicodeWidthStr as _;

/// One line as several that fit into `columns`, broken between words. The first one stands behind
/// `first` columns of something else, the others begin with `next` spaces. A word that is wider
/// than that, and the spaces at the begin and between words, stay as they are.
pub(super) fn wrapped(
    line: &str,
    columns: Option<usize>,
    first: usize,
    next: usize,
) -> Vec<String> {
    let Some(columns) = columns else { return vec![line.to_owned()] };
    let words = line.trim_start();
    let lead = " ".repeat(line.len() - words.len());
    let (mut lines, mut current) = (Vec::new(), lead.clone());
    let (mut used, mut has_word) = (first + lead.len(), false);
    for word in words.split(' ') {
        let gap = usize::from(has_word);
        if has_word && used + gap + word.width() > columns {
            lines.push(std::mem::replace(&mut current, format!("{}{lead}", " ".repeat(next))));
            (used, has_word) = (next + lead.len(), false);
        }
        if has_word {
            current.push(' ');
            used += 1;
        }
        current.push_str(word);
        used += word.width();
        has_word = true;
    }
    lines.push(current);
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_hang() {
        let text = "do this: one two three";
        assert_eq!(wrapped(text, None, 0, 0), [text]);
        assert_eq!(wrapped(text, Some(80), 4, 4), [text]);
        assert_eq!(wrapped(text, Some(16), 4, 4), ["do this: one", "    two three"]);
        assert_eq!(wrapped("  a b", Some(4), 0, 1), ["  a", "   b"]);
        assert_eq!(wrapped("x unbreakable y", Some(5), 0, 0), ["x", "unbreakable", "y"]);
        assert_eq!(wrapped("猫 猫 猫", Some(5), 0, 0), ["猫 猫", "猫"]);
        assert_eq!(wrapped("", Some(5), 0, 0), [""]);
    }

    proptest! {
        #[test]
        fn wrapping_keeps_all_text_within_the_width(text in "[a-z ]{0,60}", columns in 8..40_usize) {
            let lines = wrapped(&text, Some(columns), 2, 2);
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            prop_assert_eq!(words(&lines.join(" ")), words(&text));
            for (i, line) in lines.iter().enumerate() {
                let width = line.width() + if i == 0 { 2 } else { 0 };
                prop_assert!(width <= columns || words(line).len() <= 1, "{:?}", line);
            }
        }
    }
}
