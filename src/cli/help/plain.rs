//! Sets a page for a terminal: plain text, wrapped, with its code and tables.

use unicode_width::UnicodeWidthStr as _;

use super::markdown::{Block, InlineSpan, spans};
use super::topics::TOPICS;

/// How far code is indented.
const INDENT: &str = "    ";
/// The gap between two columns.
const GAP: &str = "  ";

/// The page, with no line wider than `width` but those of code.
pub(super) fn page(blocks: &[Block], width: usize) -> String {
    let mut text = String::new();
    let mut is_list = false;
    for block in blocks {
        let goes_on = is_list && matches!(block, Block::Item(..));
        is_list = matches!(block, Block::Item(..));
        if !text.is_empty() && !goes_on {
            text.push('\n');
        }
        for line in lines(block, width) {
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
    text
}

fn lines(block: &Block, width: usize) -> Vec<String> {
    match block {
        Block::Headline(1, text) => vec![words(text).to_uppercase()],
        Block::Headline(_, text) => vec![words(text)],
        Block::Paragraph(text) => wrapped(&words(text), width),
        Block::Item(mark, text) => {
            let begin = format!("{GAP}{mark} ");
            let inside = wrapped(&words(text), width.saturating_sub(begin.len()));
            hanging(&begin, inside)
        }
        Block::Code(lines) => lines.iter().map(|line| format!("{INDENT}{line}")).collect(),
        Block::Table(rows) => table(rows, width),
    }
}

/// Puts `begin` before the first line, and as much space before the others.
fn hanging(begin: &str, lines: Vec<String>) -> Vec<String> {
    let space = " ".repeat(begin.width());
    let lines = lines.iter().enumerate();
    lines.map(|(at, line)| format!("{}{line}", if at == 0 { begin } else { &space })).collect()
}

/// A text without Markdown. A link to a topic becomes the command that shows it.
pub(super) fn words(text: &str) -> String {
    let pieces = spans(text).into_iter().map(|span| match span {
        InlineSpan::Text(text) => text,
        InlineSpan::Code(code) => format!("`{code}`"),
        InlineSpan::Link(text, to) => {
            let page = to.split('#').next().unwrap_or_default();
            let topic = page.strip_suffix(".md").filter(|name| is_topic(name));
            match topic {
                Some(topic) if text == topic => format!("`trueup help {topic}`"),
                Some(topic) => format!("{text} (`trueup help {topic}`)"),
                None if page.is_empty() => text,
                None if !page.contains("://") => format!("{text} (docs/{page})"),
                None => format!("{text} ({page})"),
            }
        }
    });
    pieces.collect()
}

fn is_topic(name: &str) -> bool {
    TOPICS.iter().any(|topic| topic.name == name)
}

/// A text in lines of at most `width` columns, or of one word that is wider.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A table in columns where these have room, else row by row.
pub(super) fn table(rows: &[Vec<String>], width: usize) -> Vec<String> {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| words(cell)).collect()).collect();
    let Some((head, body)) = rows.split_first() else { return Vec::new() };
    match columns(&rows, width) {
        Some(columns) => in_columns(head, body, &columns),
        None => in_records(head, body, width),
    }
}

/// How wide each column is; `None` where a word of one would not fit.
fn columns(rows: &[Vec<String>], width: usize) -> Option<Vec<usize>> {
    let count = rows.iter().map(Vec::len).max().unwrap_or_default();
    let most = |measure: &dyn Fn(&str) -> usize| -> Vec<usize> {
        let of = |at: usize| rows.iter().filter_map(move |row| row.get(at));
        (0..count).map(|at| of(at).map(|cell| measure(cell)).max().unwrap_or_default()).collect()
    };
    let wanted = most(&|cell| cell.width());
    let least = most(&|cell| cell.split_whitespace().map(|word| word.width()).max().unwrap_or(0));
    let room = width.checked_sub(GAP.len() * count.saturating_sub(1))?;
    let mut free = room.checked_sub(least.iter().sum())?;
    let mut columns = least;
    // The column that takes the most lines gets the next piece.
    while free > 0 {
        let lacks = |at: &usize| columns[*at] < wanted[*at];
        let lines = |at: &usize| wanted[*at] * 100 / columns[*at].max(1);
        let Some(at) = (0..count).filter(lacks).max_by_key(lines) else { break };
        columns[at] += 1;
        free -= 1;
    }
    // A column of a few letters can be read worse than a record.
    let is_readable = |at: usize| columns[at] == wanted[at] || columns[at] >= 16;
    (0..count).all(is_readable).then_some(columns)
}

fn in_columns(head: &[String], body: &[Vec<String>], columns: &[usize]) -> Vec<String> {
    let cells = |row: &[String]| -> Vec<Vec<String>> {
        let empty = String::new();
        let cells = columns.iter().enumerate();
        cells.map(|(at, width)| wrapped(row.get(at).unwrap_or(&empty), *width)).collect()
    };
    let set = |row: &[String]| -> Vec<String> {
        let cells = cells(row);
        let height = cells.iter().map(Vec::len).max().unwrap_or_default();
        let line = |number: usize| {
            let parts = cells.iter().zip(columns).map(|(lines, width)| {
                let part = lines.get(number).map(String::as_str).unwrap_or_default();
                format!("{part}{}", " ".repeat(width.saturating_sub(part.width())))
            });
            parts.collect::<Vec<_>>().join(GAP)
        };
        (0..height).map(line).collect()
    };
    let rule = columns.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>().join(GAP);
    let mut lines = set(head);
    lines.push(rule);
    let rows: Vec<Vec<String>> = body.iter().map(|row| set(row)).collect();
    let is_tall = rows.iter().any(|row| row.len() > 1);
    for (at, row) in rows.into_iter().enumerate() {
        if is_tall && at > 0 {
            lines.push(String::new());
        }
        lines.extend(row);
    }
    lines
}

/// Each row as its first cell, and the others below it with their column's name. A cell that is
/// empty, or a dash, is left out.
fn in_records(head: &[String], body: &[Vec<String>], width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for row in body {
        let says = |cell: &String| !["", "–"].contains(&cell.as_str());
        let mut cells = head.iter().zip(row).enumerate().filter(|(_, (_, cell))| says(cell));
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.extend(match cells.next() {
            Some((at, (name, cell))) if at > 0 => wrapped(&format!("{name}: {cell}"), width),
            Some((_, (_, cell))) => wrapped(cell, width),
            None => Vec::new(),
        });
        for (_, (name, cell)) in cells {
            let begin = if name.is_empty() { String::new() } else { format!("{name}: ") };
            let inside = wrapped(&format!("{begin}{cell}"), width.saturating_sub(INDENT.len() + 2));
            let inside = inside.iter().enumerate();
            lines.extend(inside.map(|(number, line)| match number {
                0 => format!("{INDENT}{line}"),
                _ => format!("{INDENT}  {line}"),
            }));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::markdown::parse;
    use super::*;

    #[test]
    fn every_topic_fits_80_columns() {
        for topic in TOPICS {
            let blocks = parse(topic.text);
            let texts = blocks.iter().filter(|block| !matches!(block, Block::Code(_)));
            for line in texts.flat_map(|block| lines(block, 80)) {
                assert!(line.width() <= 80, "{}: {line}", topic.name);
                assert!(!line.contains("]("), "{}: {line}", topic.name);
            }
        }
    }

    #[test]
    fn a_page_is_set_with_its_code_and_lists() {
        let text =
            page(&parse("# A page\n\nOne `two`\nthree.\n\n- a b\n- c\n\n```sh\nd\n```\n"), 10);
        assert_eq!(text, "A PAGE\n\nOne `two`\nthree.\n\n  - a b\n  - c\n\n    d\n");
    }

    #[test]
    fn links_lead_to_topics_files_and_addresses() {
        for (text, set) in [
            ("see [waiting](waiting.md)", "see `trueup help waiting`"),
            ("[rules](waiting.md#health-rules).", "rules (`trueup help waiting`)."),
            ("[below](#x)", "below"),
            ("[why](dependencies.md)", "why (docs/dependencies.md)"),
            ("[CEL](https://cel.dev)", "CEL (https://cel.dev)"),
        ] {
            assert_eq!(words(text), set);
        }
    }

    #[test]
    fn a_table_is_in_columns_where_they_have_room_and_in_records_elsewhere() {
        let rows = |text: &str| match parse(text).remove(0) {
            Block::Table(rows) => rows,
            other => panic!("{other:?}"),
        };
        let short = rows("| a | b |\n|---|---|\n| c | d e |\n");
        assert_eq!(table(&short, 20), ["a  b  ", "-  ---", "c  d e"]);
        let long = rows("| a | b |\n|---|---|\n| cccccccccccc | dddddddd e |\n| f | |\n");
        assert_eq!(table(&long, 16), ["cccccccccccc", "    b:", "      dddddddd e", "", "f"]);
    }
}
