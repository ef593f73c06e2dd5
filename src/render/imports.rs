//! What a Jsonnet program imports, and whether it may. Nothing is read or run here.
//!
//! Jsonnet lets nobody compute the path of an import, so that the imports that stand in the text
//! are all there are: what they lead to is all that a program can read.

use std::collections::BTreeSet;

use super::shelf::{Shelf, folder_of, resolve};
use crate::problem::{Place, Problem};

/// Everything that running a program reads.
#[derive(Clone, Debug, Default)]
pub struct Imports {
    /// The program and what it imports, directly or not.
    pub files: BTreeSet<String>,
    /// Imports that are refused.
    pub problems: Vec<Problem>,
}

/// Everything that running the program at `path` reads, with imports looked for beside the file
/// that has them and then in the folders of `library`.
pub fn imports(shelf: &Shelf, path: &str, library: &[String]) -> Imports {
    let mut imports = Imports::default();
    let mut run = BTreeSet::new();
    let mut ahead = vec![path.to_owned()];
    while let Some(path) = ahead.pop() {
        imports.files.insert(path.clone());
        if !is_code(&path) || !run.insert(path.clone()) {
            continue;
        }
        let text = String::from_utf8_lossy(shelf.content(&path).unwrap_or_default());
        for import in scan(&text) {
            match look_up(shelf, &path, &import, library) {
                Ok(found) if import.as_text || is_code(&found) || found.ends_with(".json") => {
                    // As text it is not run, and JSON imports nothing.
                    if import.as_text && is_code(&found) {
                        imports.files.insert(found);
                    } else {
                        ahead.push(found);
                    }
                }
                Ok(_) => imports.problems.push(import.problem(
                    &path,
                    "is neither Jsonnet nor JSON by its name",
                    "let its name end in .jsonnet, .libsonnet or .json, or use importstr",
                )),
                Err(problem) => imports.problems.push(problem),
            }
        }
    }
    imports
}

fn is_code(path: &str) -> bool {
    path.ends_with(".jsonnet") || path.ends_with(".libsonnet")
}

fn look_up(
    shelf: &Shelf,
    path: &str,
    import: &Import,
    library: &[String],
) -> Result<String, Problem> {
    // In the order in which the program itself looks: what leads out must not even be tried.
    for folder in std::iter::once(folder_of(path)).chain(library.iter().map(String::as_str)) {
        let Some(found) = resolve(folder, &import.target) else {
            return Err(import.problem(
                path,
                "leads out of the checkout",
                "put what is imported into the repository",
            ));
        };
        if shelf.has_file(&found) {
            return Ok(found);
        }
    }
    Err(import.problem(
        path,
        "is neither beside this file nor in a library folder",
        "commit it, or name its folder in trueup.yaml under render: jsonnet: library:",
    ))
}

/// An import as it stands in the text.
#[derive(Debug, PartialEq, Eq)]
struct Import {
    target: String,
    line: usize,
    column: usize,
    as_text: bool,
}

impl Import {
    fn problem(&self, path: &str, what: &str, hint: &str) -> Problem {
        Problem {
            place: Place { path: path.to_owned(), line: self.line, column: self.column },
            message: format!("{} {what}", self.target),
            excerpt: None,
            hint: Some(hint.to_owned()),
        }
    }
}

/// Every import in a text. A text that is no Jsonnet may give anything; it will not run either.
fn scan(text: &str) -> Vec<Import> {
    let mut found = Vec::new();
    let mut rest = text;
    // The word before, when only blanks and comments are between it and what comes.
    let mut word = "";
    while let Some(first) = rest.chars().next() {
        let start = rest;
        if first.is_whitespace() {
            rest = &rest[first.len_utf8()..];
        } else if first == '#' || rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if rest.starts_with("/*") {
            rest = rest[2..].find("*/").map_or("", |end| &rest[2 + end + 2..]);
        } else if first.is_ascii_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            (word, rest) = rest.split_at(end.unwrap_or(rest.len()));
        } else if let Some((value, length)) = string(rest) {
            if let "import" | "importstr" | "importbin" = word {
                let before = &text[..text.len() - start.len()];
                found.push(Import {
                    target: value,
                    line: before.matches('\n').count() + 1,
                    column: before.chars().rev().take_while(|c| *c != '\n').count() + 1,
                    as_text: word != "import",
                });
            }
            (word, rest) = ("", &rest[length..]);
        } else {
            (word, rest) = ("", &rest[first.len_utf8()..]);
        }
    }
    found
}

/// The string that the text begins with, and how many bytes it takes there.
fn string(text: &str) -> Option<(String, usize)> {
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

/// How many bytes a block of text takes: up to a line of which `|||` is the first thing and which
/// is not as far right as the block's first line.
fn block(text: &str) -> usize {
    let Some(begin) = text.find('\n').map(|at| at + 1) else { return text.len() };
    let indent_of = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let lines = text[begin..].split_inclusive('\n');
    let indent = lines.clone().find(|line| !line.trim().is_empty()).map_or(0, indent_of);
    let mut at = begin;
    for line in lines {
        if indent_of(line) < indent && line.trim_start_matches([' ', '\t']).starts_with("|||") {
            return at + indent_of(line) + 3;
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
        assert_eq!((first.line, first.column, first.as_text), (2, 30, false));
    }

    #[test]
    fn what_only_looks_like_an_import_is_none() {
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
    fn an_import_stays_in_the_checkout() {
        let files = [
            (
                "apps/web.jsonnet",
                "[import 'k.libsonnet', import '../../x', import '/etc/passwd', import 'no', importstr 'web.txt', import 'web.txt']",
            ),
            ("lib/k.libsonnet", "import 'data.json'"),
            ("lib/data.json", "import 'ignored'"),
            ("apps/web.txt", ""),
        ];
        let paths = files.map(|(path, _)| path.to_owned()).into();
        let shelf =
            Shelf::new(paths, files.map(|(path, text)| (path.to_owned(), text.into())).into());
        let Imports { files, problems } = imports(&shelf, "apps/web.jsonnet", &["lib".to_owned()]);
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        assert_eq!(files, ["apps/web.jsonnet", "apps/web.txt", "lib/data.json", "lib/k.libsonnet"]);
        let said: Vec<String> =
            problems.iter().map(|p| format!("{}: {}", p.place, p.message)).collect();
        assert_eq!(
            said,
            [
                "apps/web.jsonnet:1:31: ../../x leads out of the checkout",
                "apps/web.jsonnet:1:49: /etc/passwd leads out of the checkout",
                "apps/web.jsonnet:1:71: no is neither beside this file nor in a library folder",
                "apps/web.jsonnet:1:105: web.txt is neither Jsonnet nor JSON by its name",
            ]
        );
    }
}
