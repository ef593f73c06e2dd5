//! A command as a person writes it, split into words as a shell would: quotes and backslashes, and
//! nothing else that a shell does.

/// The words of `text`; `None` when a quote is not ended.
pub(super) fn split(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '"' => break,
                        '\\' => match chars.next()? {
                            c @ ('"' | '\\' | '$' | '`') => word.push(c),
                            c => word.extend(['\\', c]),
                        },
                        c => word.push(c),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(chars.next()?),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_a_shell() {
        for (text, words) in [
            ("", &[][..]),
            ("  diff  -u\t-N ", &["diff", "-u", "-N"]),
            (r#"diff -I"^  a: [0-9]+$""#, &["diff", "-I^  a: [0-9]+$"]),
            (r#"x '' "" 'a"b' "c'd""#, &["x", "", "", "a\"b", "c'd"]),
            (r#"/my\ tools/x "a\"b\n" --c='d e'"#, &["/my tools/x", "a\"b\\n", "--c=d e"]),
            ("a;b $C `d` *", &["a;b", "$C", "`d`", "*"]),
        ] {
            assert_eq!(split(text).unwrap(), words, "{text}");
        }
        for text in ["'a", "\"a", "a\\"] {
            assert_eq!(split(text), None, "{text}");
        }
    }
}
