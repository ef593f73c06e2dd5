//! Patterns for names of targets, for signers and for paths: `*` is any text without a slash, `**` any
//! text, `?` one character.

/// Whether `pattern` matches all of `text`.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    // The row of a table: whether the pattern so far matches the first characters of the text.
    let mut row = vec![false; text.len() + 1];
    row[0] = true;
    let mut at = 0;
    while at < pattern.len() {
        let is_double = pattern[at..].starts_with(&['*', '*']);
        let mut next = vec![false; text.len() + 1];
        match pattern[at] {
            '*' => {
                next[0] = row[0];
                for end in 1..=text.len() {
                    let goes_on = next[end - 1] && (is_double || text[end - 1] != '/');
                    next[end] = row[end] || goes_on;
                }
            }
            one => {
                for end in 1..=text.len() {
                    let is_it = one == text[end - 1] || one == '?' && text[end - 1] != '/';
                    next[end] = row[end - 1] && is_it;
                }
            }
        }
        row = next;
        at += if is_double { 2 } else { 1 };
    }
    row[text.len()]
}

/// Whether a path is one that `pattern` stands for: a pattern without `*` and `?` is a file, or a folder
/// with everything in it.
pub fn covers(pattern: &str, path: &str) -> bool {
    let plain = pattern.trim_end_matches('/');
    let is_in =
        path.strip_prefix(plain).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    (!plain.is_empty() && !plain.contains(['*', '?']) && is_in) || matches(pattern, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_ends_at_a_slash_and_two_do_not() {
        for (pattern, text, expected) in [
            ("prod", "prod", true),
            ("prod", "prod2", false),
            ("shop-*", "shop-eu", true),
            ("shop-*", "shop-", true),
            ("shop-*", "my-shop-eu", false),
            ("*", "", true),
            ("*", "a/b", false),
            ("**", "a/b/c", true),
            ("infra/**", "infra/a/b.yaml", true),
            ("infra/**", "infra", false),
            ("infra/**", "infrared/a", false),
            ("**/secret.yaml", "a/b/secret.yaml", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("*@shop.example", "eve@shop.example", true),
            ("*@shop.example", "eve@shop.example.evil", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_plain_path_covers_what_is_below_it() {
        for (pattern, path, expected) in [
            ("infra", "infra", true),
            ("infra", "infra/a/b", true),
            ("infra/", "infra/a", true),
            ("infra", "infrared", false),
            ("", "a", false),
            ("/", "a", false),
            ("**", "a/b", true),
        ] {
            assert_eq!(covers(pattern, path), expected, "{pattern} {path}");
        }
    }

    /// The time is that of the pattern times the text, whatever they hold.
    #[test]
    fn many_stars_take_no_longer_than_others() {
        let pattern = "*a".repeat(1_000);
        assert!(!matches(&pattern, &"a".repeat(999)));
        assert!(matches(&pattern, &"a".repeat(1_000)));
    }
}
