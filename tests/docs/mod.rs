//! The pages of the documentation: how long, in which words, that their links lead somewhere, and
//! that their tables are those of the code. [`crate::readme`] runs their blocks.

mod annotations;
mod links;
mod output;
mod schema;
mod settings;
pub mod words;

use std::path::Path;

use crate::readme::{pages, read};

/// The pages of `docs/` that are for developers, and so are not topics of `trueup help`.
const FOR_DEVELOPERS: [&str; 6] =
    ["architecture", "benchmarks", "comparison", "dependencies", "reliability", "style"];

/// What pages, comments and messages say in other words: see `docs/style.md`.
const WORDS: [&str; 4] = ["anew", "nobody", "somebody", "is told"];

/// The longest sentence, in words.
const LONGEST: usize = 30;

#[test]
fn the_readme_is_short() {
    let lines = read("README.md").lines().count();
    assert!(lines <= 200, "README.md has {lines} lines; move some to a page of docs/");
}

#[test]
fn every_page_is_linked_from_the_readme() {
    let readme = read("README.md");
    for page in pages().iter().filter(|page| page.starts_with("docs/")) {
        let is_style = page == "docs/style.md"; // CONTRIBUTING.md leads there
        assert!(is_style || readme.contains(&format!("({page})")), "README.md lacks {page}");
    }
    assert!(read("CONTRIBUTING.md").contains("(docs/style.md)"));
}

#[test]
fn every_page_is_a_topic_or_for_developers() {
    let list = crate::support::command::Cmd::trueup().args(["help"]).run().exits(0);
    let topics = list.stdout.split_once("\nTopics:\n").unwrap().1;
    let topics: Vec<&str> = topics
        .lines()
        .map_while(|line| line.strip_prefix("  ")?.split_whitespace().next())
        .collect();
    let pages = pages();
    let names = pages.iter().filter_map(|page| page.strip_prefix("docs/")?.strip_suffix(".md"));
    let mut expected: Vec<&str> = names.filter(|name| !FOR_DEVELOPERS.contains(name)).collect();
    let mut found = topics.clone();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

/// A page says where a rule is kept; a file that was moved must not leave its old name there.
#[test]
fn every_file_that_a_page_names_exists() {
    const FOLDERS: [&str; 5] = ["src/", "tests/", "fixtures/", "benches/", "completions/"];
    let mut named = 0;
    for page in pages() {
        let text = read(&page);
        let code = text.split('`').skip(1).step_by(2);
        let is_path = |it: &&str| FOLDERS.iter().any(|folder| it.starts_with(folder));
        let is_plain = |it: &&str| !it.contains([' ', '*', '\n']);
        for path in code.filter(is_path).filter(is_plain) {
            let exists = Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists();
            assert!(exists, "{page} names {path}, which does not exist");
            named += 1;
        }
    }
    assert!(named > 20, "only {named} files are named");
}

#[test]
fn the_prose_is_plain() {
    for page in pages().iter().filter(|page| *page != "docs/style.md") {
        let text = read(page);
        for (number, line) in text.lines().enumerate() {
            let found = avoided(line);
            assert_eq!(found, None, "{page}:{}", number + 1);
        }
        for sentence in sentences(&text) {
            let count = sentence.split_whitespace().count();
            assert!(count <= LONGEST, "{page}: {count} words: {sentence}");
        }
    }
}

/// The first of [`WORDS`] that a text has.
pub fn avoided(text: &str) -> Option<&'static str> {
    let text = text.replace("\\n", " ").to_lowercase();
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let words = words.collect::<Vec<_>>().join(" ");
    WORDS.into_iter().find(|it| format!(" {words} ").contains(&format!(" {it} ")))
}

/// The sentences of paragraphs and lists, or their parts before a colon or a semicolon.
fn sentences(page: &str) -> Vec<String> {
    let mut sentences = vec![String::new()];
    let mut is_code = false;
    for line in page.lines() {
        let is_fence = line.starts_with("```");
        is_code ^= is_fence;
        let item = line.strip_prefix("- ");
        let is_prose = !is_code && !is_fence && !line.starts_with(['|', '#']);
        if !is_prose || line.trim().is_empty() || item.is_some() {
            sentences.push(String::new());
        }
        for word in item.unwrap_or(line).split_whitespace().filter(|_| is_prose) {
            let sentence = sentences.last_mut().unwrap();
            sentence.push_str(word);
            sentence.push(' ');
            if word.ends_with(['.', ':', ';', '?', '!']) {
                sentences.push(String::new());
            }
        }
    }
    sentences
}

#[test]
fn sentences_end_at_stops_and_blocks() {
    let page = "a b.\nc\n\n- d; e\n- f\n\n| g |\n\n```sh\nh\n```\n";
    let found = sentences(page).into_iter().filter(|sentence| !sentence.is_empty());
    assert_eq!(found.collect::<Vec<_>>(), ["a b. ", "c ", "d; ", "e ", "f "]);
}

/// The cells of each row of a page's tables, heads and the lines below them left out.
pub fn rows(page: &str) -> Vec<Vec<String>> {
    let lines: Vec<&str> = page.lines().collect();
    let is_rule = |line: &str| line.starts_with("|--");
    let is_row = |at: &usize| {
        let next = lines.get(at + 1).copied().unwrap_or_default();
        lines[*at].starts_with('|') && !is_rule(lines[*at]) && !is_rule(next)
    };
    let cells = |at: usize| {
        let inner = lines[at].trim().trim_start_matches('|').trim_end_matches('|');
        inner.split(" | ").map(|cell| cell.trim().to_owned()).collect()
    };
    (0..lines.len()).filter(is_row).map(cells).collect()
}

/// What stands between backticks.
pub fn code_spans(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}
