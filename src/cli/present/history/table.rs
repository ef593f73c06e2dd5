//! Tables: as aligned text, as Markdown, and as CSV that a spreadsheet does not take for formulas.

use unicode_width::UnicodeWidthStr as _;

use crate::cli::present::Glyphs;
use crate::cli::present::markdown::escape::words as escaped;

/// Rows below a header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) header: Vec<&'static str>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(header: &[&'static str]) -> Self {
        Self { header: header.to_vec(), rows: Vec::new() }
    }

    /// The lines of the table, without the columns that are empty in all rows. The last column is cut
    /// where the terminal ends.
    pub(super) fn text(&self, indent: usize, glyphs: Glyphs) -> Vec<String> {
        let header: Vec<String> = self.header.iter().map(|name| name.to_uppercase()).collect();
        let rows = self.rows.iter();
        let mut rows: Vec<Vec<String>> =
            rows.map(|row| row.iter().map(|it| glyphs.inert(it).into_owned()).collect()).collect();
        if let Some(columns) = glyphs.limit() {
            // A long name must not push the others beyond the end.
            let first = rows.iter_mut().filter_map(|row| row.first_mut());
            first.for_each(|name| *name = glyphs.cut(name, (columns / 3).max(16)));
        }
        let used: Vec<usize> = (0..header.len())
            .filter(|at| rows.iter().any(|row| row.get(*at).is_some_and(|it| !it.is_empty())))
            .collect();
        let widths: Vec<usize> = used
            .iter()
            .map(|at| {
                let cells = rows.iter().filter_map(|row| row.get(*at));
                cells.chain([&header[*at]]).map(|it| it.width()).max().unwrap_or_default()
            })
            .collect();
        let line = |row: &Vec<String>| {
            let mut line = " ".repeat(indent);
            for (at, width) in used.iter().zip(&widths) {
                let cell = row.get(*at).map(String::as_str).unwrap_or_default();
                line.push_str(cell);
                line.push_str(&" ".repeat(width - cell.width() + 2));
            }
            let line = line.trim_end();
            glyphs.limit().map_or_else(|| line.to_owned(), |columns| glyphs.cut(line, columns))
        };
        std::iter::once(&header).chain(&rows).map(line).collect()
    }

    /// The table in GitHub's Markdown.
    pub(super) fn markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let header = self.header.iter().map(|name| (*name).to_owned()).collect();
        let rule = self.header.iter().map(|_| "---".to_owned()).collect();
        let rows = self.rows.iter().map(|row| line(row.iter().map(|it| escaped(it)).collect()));
        [line(header), line(rule)].into_iter().chain(rows).collect()
    }

    /// The table as RFC 4180 has it, with line feeds. A cell that a spreadsheet would run as a formula
    /// begins with an apostrophe.
    pub(super) fn csv(&self) -> String {
        let header = self.header.iter().map(|name| (*name).to_owned()).collect();
        let line = |cells: &Vec<String>| {
            cells.iter().map(|it| cell(it)).collect::<Vec<_>>().join(",") + "\n"
        };
        std::iter::once(&header).chain(&self.rows).map(line).collect()
    }
}

/// A cell of CSV.
fn cell(text: &str) -> String {
    let text: String =
        text.chars().map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c }).collect();
    let is_formula = text.trim_start().starts_with(['=', '+', '-', '@']);
    let text = if is_formula { format!("'{text}") } else { text };
    match text.contains([',', '"', '\'']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_of_csv_is_a_formula_or_leaves_its_place() {
        for (text, expected) in [
            ("plain", "plain"),
            ("", ""),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("=1+1", "\"'=1+1\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("\t=1", "\"' =1\""),
            ("two\r\nlines", "two  lines"),
        ] {
            assert_eq!(cell(text), expected, "{text:?}");
        }
    }

    #[test]
    fn text_is_aligned_and_cut() {
        let mut table = Table::new(&["one", "empty", "two"]);
        table.rows.push(vec!["猫".into(), String::new(), "a long end of the line".into()]);
        table.rows.push(vec!["abcd".into(), String::new(), "b".into()]);
        let glyphs = Glyphs { utf8: true, width: Some(40) };
        let expected = ["ONE   TWO", "猫    a long end of the line", "abcd  b"];
        assert_eq!(table.text(0, glyphs), expected);
        let long = vec!["x".into(), String::new(), "long ".repeat(20)];
        table.rows.push(long);
        assert!(table.text(2, glyphs).iter().all(|line| line.width() <= 40));
    }
}
