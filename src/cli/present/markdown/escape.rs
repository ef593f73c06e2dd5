//! Foreign text in Markdown: shown as it is, whatever it holds.
//!
//! A name, a path or a message may hold what Markdown, HTML or the forge gives a meaning to. A
//! reference such as `&#42;` never has one, so everything that could is written as one.

/// The ASCII characters that may mean something to Markdown, HTML or a forge.
const SPECIAL: &str = "&<>|`*_~[]\\@#!:$^\"'";

/// Text as code, on one line.
pub(super) fn code(text: &str) -> String {
    let text: String = text.chars().map(referenced).collect();
    format!("<code>{text}</code>")
}

/// The characters that a forge takes for the beginning of a reference where a word follows: to
/// people and issues (`@`, `#`), and on GitLab to merge requests, labels, milestones, snippets and
/// epics as well.
const REFERRING: &str = "@#!~%$&";

/// Text among words, on one line. A forge looks for names, issues and hosts in what comes out,
/// references resolved; it does not look past a comment.
pub(in crate::cli::present) fn words(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut before = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '.' if before.ends_with("www") => written.push_str("&#46;"), // or it begins a link
            c => written.push_str(&referenced(c)),
        }
        let is_followed =
            chars.peek().is_some_and(|next| next.is_alphanumeric() || "\"'".contains(*next));
        let refers = match c {
            '@' | '#' => true,
            '-' => before.ends_with("gh") && is_followed, // GH-1 is an issue
            c => REFERRING.contains(c) && is_followed,
        };
        if refers {
            written.push_str("<!-- -->");
        }
        before.extend(c.to_lowercase());
    }
    written
}

/// A character that means nothing but itself.
fn referenced(c: char) -> String {
    match c {
        '\n' | '\r' | '\t' => " ".to_owned(),
        c if SPECIAL.contains(c) => format!("&#{};", u32::from(c)),
        c => c.to_string(),
    }
}

/// Lines as a block of code, in a fence that none of them can end.
pub(super) fn fenced(language: &str, lines: &[String]) -> String {
    let runs = lines.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len);
    let fence = "`".repeat(runs.max().map_or(3, |longest| 3.max(longest + 1)));
    let mut block = format!("{fence}{language}\n");
    for line in lines {
        block.push_str(line);
        block.push('\n');
    }
    block.push_str(&fence);
    block.push('\n');
    block
}

/// How long a text is for a forge: GitHub counts characters; counted are the units of UTF-16, of
/// which there are never fewer.
pub(in crate::cli::present) fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_in_a_text_is_escaped() {
        let hostile = "</code></details>|`*a*_b_ @team #1 <img src=x> [x](y)\n# head";
        for written in [code(hostile), words(hostile)] {
            let inner = written.replace("<code>", "").replace("</code>", "");
            let inner = inner.replace("<!-- -->", "");
            assert!(!inner.contains(['<', '>', '|', '`', '*', '_', '[', ']', '\n']), "{written}");
            assert!(!inner.contains("@team") || written.contains("@<!-- -->team"), "{written}");
        }
    }

    #[test]
    fn mentions_and_references_are_escaped() {
        for (text, written) in [
            ("@team, #1", "&#64;<!-- -->team, &#35;<!-- -->1"),
            ("GH-1 gh-x a-b", "GH-<!-- -->1 gh-<!-- -->x a-b"),
            (
                "!1 ~bug %1.0 $3 &4",
                "&#33;<!-- -->1 &#126;<!-- -->bug %<!-- -->1.0 &#36;<!-- -->3 &#38;<!-- -->4",
            ),
            ("www.example.com awww. x.y", "www&#46;example.com awww&#46; x.y"),
            ("~ 100 % & more!", "&#126; 100 % &#38; more&#33;"),
        ] {
            assert_eq!(words(text), written);
        }
    }

    #[test]
    fn a_fence_is_longer_than_any_run_in_it() {
        let lines = ["+ ```".to_owned(), "+ a ````` b".to_owned()];
        assert_eq!(fenced("diff", &lines), "``````diff\n+ ```\n+ a ````` b\n``````\n");
        assert_eq!(fenced("diff", &[]), "```diff\n```\n");
    }

    #[test]
    fn length_is_never_less_than_characters() {
        assert_eq!((length("aé"), length("😀")), (2, 2));
    }
}
