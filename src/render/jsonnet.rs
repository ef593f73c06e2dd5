//! The imports that stand in a Jsonnet text. What they lead to is [`super::imports`]'s.

/// How far behind its word an import's path may end, in bytes.
const NEAR: usize = 8 << 10;

/// An import as it stands in the text.
#[derive(Debug, PartialEq, Eq)]
pub struct Import {
    /// The path that it names.
    pub target: String,
    /// The byte of the text at which that path begins.
    pub at: usize,
    /// Whether it is not run.
    pub as_text: bool,
}

impl Import {
    /// Line and column of its path in the text that it was found in, from 1.
    pub fn spot(&self, text: &str) -> (usize, usize) {
        let before = &text[..self.at];
        let line = before.matches('\n').count() + 1;
        (line, before.chars().rev().take_while(|c| *c != '\n').count() + 1)
    }
}

/// Every import in a text. A text that is not Jsonnet may give anything; it will not run either.
pub fn scan(text: &str) -> Vec<Import> {
    let mut found = Vec::new();
    let mut rest = text;
    // The word before, when only blanks and comments are between it and what comes.
    let mut word = "";
    while let Some(first) = rest.chars().next() {
        let start = rest;
        if let Some(behind) = behind_blank(rest) {
            rest = behind;
        } else if first.is_ascii_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            (word, rest) = rest.split_at(end.unwrap_or(rest.len()));
        } else if let Some((value, length)) = string(rest) {
            if let "import" | "importstr" | "importbin" = word {
                let at = text.len() - start.len();
                found.push(Import { target: value, at, as_text: word != "import" });
            }
            (word, rest) = ("", &rest[length..]);
        } else {
            (word, rest) = ("", &rest[first.len_utf8()..]);
        }
    }
    found
}

/// Whatever could be an import to another reader of the text, also within a string or a comment:
/// the word and a string behind it.
pub fn looks_like_imports(text: &str) -> Vec<Import> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for (at, _) in text.match_indices("import") {
        // A number may end right before it.
        if text[..at].ends_with(|c: char| is_word(c) && !c.is_ascii_digit()) {
            continue;
        }
        let end = text[at..].find(|c| !is_word(c)).map_or(text.len(), |end| at + end);
        let as_text = match &text[at..end] {
            "import" => false,
            "importstr" | "importbin" => true,
            _ => continue,
        };
        // No path is longer, and a hostile text is not to be read again for each word of it.
        let near = (end..=text.len().min(end + NEAR)).rev().find(|&at| text.is_char_boundary(at));
        let near = &text[..near.unwrap_or(end)];
        let mut rest = &near[end..];
        while let Some(behind) = behind_blank(rest) {
            rest = behind;
        }
        if let Some((target, _)) = string(rest) {
            found.push(Import { target, at: near.len() - rest.len(), as_text });
        }
    }
    found
}

/// The text behind the blanks or comment that it begins with.
pub(super) fn behind_blank(text: &str) -> Option<&str> {
    let first = text.chars().next()?;
    if first.is_whitespace() {
        Some(&text[first.len_utf8()..])
    } else if first == '#' || text.starts_with("//") {
        Some(text.find('\n').map_or("", |end| &text[end..]))
    } else {
        let inner = text.strip_prefix("/*")?;
        Some(inner.find("*/").map_or("", |end| &inner[end + 2..]))
    }
}

/// The string that the text begins with, and how many bytes it takes there.
pub(super) fn string(text: &str) -> Option<(String, usize)> {
    if text.starts_with("|||") {
        return Some((String::new(), block(text)));
    }
    let (verbatim, quoted) = match text.strip_prefix('@') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let quote = quoted.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut value = String::new();
    let mut chars = quoted.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == quote && verbatim && chars.peek().is_some_and(|(_, next)| *next == quote) => {
                value.push(quote);
                chars.next();
            }
            c if c == quote => return Some((value, usize::from(verbatim) + at + 1)),
            '\\' if !verbatim => {
                let escaped = chars.next().map_or('\\', |(_, c)| c);
                if escaped == 'u' {
                    let code: String = chars.by_ref().take(4).map(|(_, c)| c).collect();
                    let code = u32::from_str_radix(&code, 16).ok().and_then(char::from_u32);
                    value.push(code.unwrap_or(char::REPLACEMENT_CHARACTER));
                } else {
                    value.push(escaped);
                }
            }
            c => value.push(c),
        }
    }
    Some((value, text.len()))
}

/// How many bytes a block of text takes. Its first line that is not empty says with which blanks
/// every other one begins, too; the first one that does not has to have `|||`, and ends it.
fn block(text: &str) -> usize {
    let Some(begin) = text.find('\n').map(|at| at + 1) else { return text.len() };
    let blanks = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let mut indent = None;
    let mut at = begin;
    for line in text[begin..].split_inclusive('\n') {
        let is_within = match indent {
            _ if line == "\n" || line == "\r\n" => true,
            None => {
                indent = Some(&line[..blanks(line)]);
                true
            }
            Some(indent) => line.starts_with(indent),
        };
        if !is_within {
            let end = at + blanks(line);
            return if text[end..].starts_with("|||") { end + 3 } else { end };
        }
        at += line.len();
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(text: &str) -> Vec<String> {
        scan(text).into_iter().map(|import| import.target).collect()
    }

    #[test]
    fn every_way_of_writing_an_import_is_seen() {
        let text = r#"
            local a = import 'a.libsonnet';
            local b = import/* why not */"b.libsonnet";
            local c = importstr # a remark
              @'c''s.txt';
            { d: (import "\u002e./d.json"), e: importbin 'e\'f' }
        "#;
        assert_eq!(targets(text), ["a.libsonnet", "b.libsonnet", "c's.txt", "../d.json", "e'f"]);
        let first = &scan(text)[0];
        assert_eq!((first.spot(text), first.as_text), ((2, 30), false));
    }

    #[test]
    fn import_in_comment_or_string_is_not_an_import() {
        let text = "
            // import 'a'
            # import 'b'
            /* import 'c' */
            { import_: 'd', x: 'import \"e\"', y: @'import \\', z: |||
                import 'f'
                  ||| 'g'
              ||| + \"h\", importer: reimport 'i' }
        ";
        assert_eq!(targets(text), [""; 0]);
        assert_eq!(targets("||| \n  text\n||| + import 'a'"), ["a"]);
    }

    #[test]
    fn a_block_of_text_ends_where_jsonnet_ends_it() {
        for text in [
            "local x = |||\n\tit's\n  |||; import 'a'",
            "local x = |||\n \n  it's\n ||| '\n|||; import 'a'",
            "local x = |||-\n\n  it's\n\n   more\n|||; import 'a'",
            "local x = |||\r\n  it's\r\n\r\n  it's\r\n|||; import 'a'",
        ] {
            assert_eq!(targets(text), ["a"], "{text:?}");
        }
    }

    #[test]
    fn possible_imports_are_found_in_comments_and_strings() {
        let text = "// import 'a'\n'importstr \"b\"' + 1import/**/@'c' + reimport 'd' + import_ 'e' + import e";
        let found: Vec<_> =
            looks_like_imports(text).into_iter().map(|import| import.target).collect();
        assert_eq!(found, ["a", "b", "c"]);
    }
}
