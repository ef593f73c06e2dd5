//! Reads the part of Markdown that the pages of `docs/` use: headlines, paragraphs, lists, code and
//! tables. What a page must not contain is held by a test over the pages, not here.

/// A part of a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// A headline and its level, from 1.
    Headline(usize, String),
    /// A text without line breaks.
    Paragraph(String),
    /// An element of a list: its mark, `-` or `1.`, and its text.
    Item(String, String),
    /// Lines as they are.
    Code(Vec<String>),
    /// The rows of a table, its head first.
    Table(Vec<Vec<String>>),
}

/// The parts of a page.
pub(super) fn parse(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_open = false; // whether the next line can go on with the last block
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim().is_empty() {
            is_open = false;
        } else if line.starts_with("```") {
            let code = lines.by_ref().take_while(|line| !line.starts_with("```"));
            blocks.push(Block::Code(code.map(str::to_owned).collect()));
            is_open = false;
        } else if let Some(headline) = headline(line) {
            blocks.push(headline);
            is_open = false;
        } else if line.starts_with('|') {
            let row = row(line);
            match blocks.last_mut().filter(|_| is_open) {
                Some(Block::Table(rows)) => rows.extend(row),
                _ => blocks.push(Block::Table(row.into_iter().collect())),
            }
            is_open = true;
        } else if let Some(item) = item(line) {
            blocks.push(item);
            is_open = true;
        } else {
            match blocks.last_mut().filter(|_| is_open) {
                Some(Block::Paragraph(text) | Block::Item(_, text)) => {
                    text.push(' ');
                    text.push_str(line.trim());
                }
                _ => blocks.push(Block::Paragraph(line.trim().to_owned())),
            }
            is_open = true;
        }
    }
    blocks
}

fn headline(line: &str) -> Option<Block> {
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    let text = text.strip_prefix(' ').filter(|_| level > 0)?;
    Some(Block::Headline(level, text.trim().to_owned()))
}

fn item(line: &str) -> Option<Block> {
    let (mark, text) = line.split_once(' ')?;
    let is_number = mark.strip_suffix('.').is_some_and(|number| number.parse::<u8>().is_ok());
    let is_mark = mark == "-" || is_number;
    is_mark.then(|| Block::Item(mark.to_owned(), text.trim().to_owned()))
}

/// The cells of a row; `None` of the line below a table's head.
fn row(line: &str) -> Option<Vec<String>> {
    if line.chars().all(|c| "|-: ".contains(c)) {
        return None;
    }
    let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
    let mut cells = vec![String::new()];
    let mut is_code = false;
    for c in inner.chars() {
        is_code ^= c == '`';
        match cells.last_mut() {
            Some(cell) if c != '|' || is_code => cell.push(c),
            _ => cells.push(String::new()),
        }
    }
    Some(cells.iter().map(|cell| cell.trim().to_owned()).collect())
}

/// A piece of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum InlineSpan {
    /// Words.
    Text(String),
    /// Text between backticks.
    Code(String),
    /// A link: its text and where it leads.
    Link(String, String),
}

/// The pieces of a text. Emphasis is dropped.
pub(super) fn spans(text: &str) -> Vec<InlineSpan> {
    let mut spans = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['`', '[']) {
        let (before, from) = rest.split_at(at);
        let (span, length) = match code(from).or_else(|| link(from)) {
            Some(InlineMatch { span, length }) => (span, length),
            None => (InlineSpan::Text(from[..1].to_owned()), 1),
        };
        spans.push(InlineSpan::Text(before.replace("**", "")));
        spans.push(span);
        rest = &from[length..];
    }
    spans.push(InlineSpan::Text(rest.replace("**", "")));
    spans.retain(|span| *span != InlineSpan::Text(String::new()));
    spans
}

/// A piece at the beginning of a text, and how many bytes it takes there.
struct InlineMatch {
    span: InlineSpan,
    length: usize,
}

fn code(from: &str) -> Option<InlineMatch> {
    let (code, _) = from.strip_prefix('`')?.split_once('`')?;
    Some(InlineMatch { span: InlineSpan::Code(code.to_owned()), length: code.len() + 2 })
}

fn link(from: &str) -> Option<InlineMatch> {
    let (text, after) = from.strip_prefix('[')?.split_once("](")?;
    let (to, _) = after.split_once(')')?;
    if text.contains('[') {
        return None;
    }
    let length = text.len() + to.len() + 4;
    Some(InlineMatch { span: InlineSpan::Link(text.to_owned(), to.to_owned()), length })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(words: &[&str]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_page_is_read_block_by_block() {
        let page = "# A\n\nb\nc\n\n- d\n  e\n- f\n1. g\n\n| h | i |\n|---|---|\n| `|` | |\n\n```sh\n\n# j\n```\n";
        assert_eq!(
            parse(page),
            [
                Block::Headline(1, "A".to_owned()),
                Block::Paragraph("b c".to_owned()),
                Block::Item("-".to_owned(), "d e".to_owned()),
                Block::Item("-".to_owned(), "f".to_owned()),
                Block::Item("1.".to_owned(), "g".to_owned()),
                Block::Table(vec![texts(&["h", "i"]), texts(&["`|`", ""])]),
                Block::Code(texts(&["", "# j"])),
            ]
        );
    }

    #[test]
    fn a_text_is_read_piece_by_piece() {
        assert_eq!(
            spans("**a** `[b](c)` and [d](e.md), [f"),
            [
                InlineSpan::Text("a ".to_owned()),
                InlineSpan::Code("[b](c)".to_owned()),
                InlineSpan::Text(" and ".to_owned()),
                InlineSpan::Link("d".to_owned(), "e.md".to_owned()),
                InlineSpan::Text(", ".to_owned()),
                InlineSpan::Text("[".to_owned()),
                InlineSpan::Text("f".to_owned()),
            ]
        );
    }
}
