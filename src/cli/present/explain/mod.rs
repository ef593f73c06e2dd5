//! The page of a kind or a field: as text in 80 columns, and as JSON.

pub(super) mod document;

use std::io::{self, Write};

use clap::ValueEnum;
use unicode_width::UnicodeWidthStr as _;

use super::Glyphs;
use super::ink::Ink;
use super::json::text as json_text;
use super::wrap::wrapped;
use crate::core::json::Value;
use crate::core::kinds::manual::{FieldPage, Page};

/// No line is wider, as in the pages of `trueup help`. A word that is wider alone, such as a link, stays
/// whole, so that it can be followed.
const WIDTH: usize = 80;

/// Types stand below each other where no name of a field is wider.
const NAMES: usize = 30;

/// Summaries stand below each other where no type is wider. Most types are plain ones, and padding all to
/// the longest would leave no room for what the fields are.
const TYPES: usize = 10;

/// A summary needs this much room.
const SUMMARY: usize = 16;

/// How a page is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExplainFormat {
    /// For people
    Text,
    /// One JSON document
    Json,
}

/// Writes a page as one JSON document.
///
/// # Errors
///
/// When `out` does not take it.
pub fn json(out: &mut impl Write, page: &Page<'_>, release: &str) -> io::Result<()> {
    writeln!(out, "{}", json_text(&document::of(page, release))?)
}

/// Writes a page for people.
///
/// # Errors
///
/// When `out` does not take it.
pub fn text(
    out: &mut impl Write,
    page: &Page<'_>,
    recursive: bool,
    glyphs: Glyphs,
) -> io::Result<()> {
    let mut text = Text { out, width: WIDTH.min(glyphs.columns()), glyphs };
    let known = page.known;
    text.fact("KIND", &known.kind)?;
    let others = match page.others.as_slice() {
        [] => String::new(),
        others => format!(" (also {})", others.join(", ")),
    };
    text.fact("VERSION", &format!("{}{others}", known.api_version()))?;
    if let Some(file) = &known.file {
        text.fact("FROM", file)?;
    }
    if let Some(notice) = &page.notice {
        let hint = notice.hint.as_ref().map(|hint| format!(": {hint}"));
        text.fact("NOTE", &format!("{}{}", notice.message, hint.unwrap_or_default()))?;
    }
    if !page.path.is_empty() {
        let required = if page.field.required { " -required-" } else { "" };
        text.fact("FIELD", &format!("{} <{}>{required}", page.path, page.field.type_word))?;
    }
    for (name, value) in facts(&page.field) {
        text.fact(name, &value)?;
    }
    text.rules(&page.field)?;
    if !page.field.description.is_empty() {
        text.heading("DESCRIPTION")?;
        for (i, paragraph) in page.field.description.iter().enumerate() {
            if i > 0 {
                writeln!(text.out)?;
            }
            text.lines(paragraph, 2)?;
        }
    }
    if !page.field.fields.is_empty() {
        text.heading("FIELDS")?;
        text.fields(&page.field.fields, 1, recursive)?;
    }
    if page.is_cut {
        writeln!(text.out, "  {} more fields are left out", glyphs.gap())?;
    }
    text.out.flush()
}

/// The facts about a field besides its description.
fn facts(field: &FieldPage<'_>) -> Vec<(&'static str, String)> {
    let values: Vec<String> = field.values.iter().map(plain).collect();
    let limits: Vec<String> =
        field.limits.iter().map(|(name, value)| format!("{name} {value}")).collect();
    let merge = match (field.list_type, field.map_type) {
        (Some("map"), _) => format!("by {}", field.keys.join(", ")),
        (Some("set"), _) => "as a set".to_owned(),
        (Some("atomic"), _) | (None, Some("atomic")) => "replaced as a whole".to_owned(),
        _ => String::new(),
    };
    let facts = [
        ("ENUM", values.join(", ")),
        ("DEFAULT", field.default.map(plain).unwrap_or_default()),
        ("FORMAT", field.format.unwrap_or_default().to_owned()),
        ("PATTERN", field.pattern.unwrap_or_default().to_owned()),
        ("LIMITS", limits.join(", ")),
        ("MERGED", merge),
    ];
    facts.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

/// A value as YAML would have it, roughly: a text stands without quotes.
fn plain(value: &Value) -> String {
    match value.as_str() {
        Some(text) if !text.is_empty() => text.to_owned(),
        _ => value.to_string(),
    }
}

struct Text<'a, W> {
    out: &'a mut W,
    width: usize,
    glyphs: Glyphs,
}

impl<W: Write> Text<'_, W> {
    /// A line such as `KIND:     Deployment`.
    fn fact(&mut self, name: &str, value: &str) -> io::Result<()> {
        const HANG: usize = 10;
        let (bold, value) = (Ink::BOLD, self.glyphs.inert(value));
        let lines = wrapped(&value, Some(self.width), HANG, HANG).join("\n");
        let gap = " ".repeat(HANG.saturating_sub(name.len() + 1));
        writeln!(self.out, "{bold}{name}:{bold:#}{gap}{lines}")
    }

    fn heading(&mut self, name: &str) -> io::Result<()> {
        let bold = Ink::BOLD;
        writeln!(self.out, "\n{bold}{name}:{bold:#}")
    }

    fn rules(&mut self, field: &FieldPage<'_>) -> io::Result<()> {
        if field.rules.is_empty() {
            return Ok(());
        }
        self.heading("RULES")?;
        for rule in &field.rules {
            self.lines(rule.rule, 2)?;
            if let Some(message) = rule.message {
                self.lines(message, 6)?;
            }
        }
        Ok(())
    }

    /// A text of several lines, indented.
    fn lines(&mut self, text: &str, indent: usize) -> io::Result<()> {
        for line in text.lines() {
            let line = line.replace('\t', "  ");
            let lines = wrapped(&self.glyphs.inert(&line), Some(self.width), indent, indent);
            let line = format!("{}{}", " ".repeat(indent), lines.join("\n"));
            writeln!(self.out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    fn fields(
        &mut self,
        fields: &[FieldPage<'_>],
        depth: usize,
        recursive: bool,
    ) -> io::Result<()> {
        let names = fields.iter().map(|field| field.name.width()).filter(|width| *width <= NAMES);
        let widest = names.max().unwrap_or(0);
        let types = fields.iter().map(|field| kind(field).width());
        let types = types.filter(|width| *width <= TYPES).max().unwrap_or(0);
        for field in fields {
            let name = self.glyphs.inert(field.name).into_owned();
            let kind = self.glyphs.inert(&kind(field)).into_owned();
            let (cyan, dim) = (Ink::CYAN, Ink::DIM);
            let indent = " ".repeat(depth * 2);
            write!(self.out, "{indent}{name}")?;
            let gap = if recursive { 1 } else { widest.saturating_sub(name.width()) + 1 };
            write!(self.out, "{:gap$}{cyan}{kind}{cyan:#}", "")?;
            let used = indent.len() + name.width() + gap + kind.width();
            let gap = if recursive { 1 } else { types.saturating_sub(kind.width()) + 1 };
            let mut text = if recursive { String::new() } else { summary(field) };
            if text.is_empty() {
                text = short_facts(field);
            }
            let text = self.glyphs.inert(&text).into_owned();
            let text = self.cut(&text, self.width.saturating_sub(used + gap));
            match text.is_empty() {
                true => writeln!(self.out)?,
                false => writeln!(self.out, "{:gap$}{dim}{text}{dim:#}", "")?,
            }
            self.fields(&field.fields, depth + 1, recursive)?;
        }
        Ok(())
    }

    /// As much of a text as there is room for, by words.
    fn cut(&self, text: &str, room: usize) -> String {
        if text.width() <= room {
            return text.to_owned();
        }
        let gap = self.glyphs.gap();
        if room < SUMMARY {
            return String::new();
        }
        let mut cut = String::new();
        for word in text.split(' ') {
            if cut.width() + word.width() + 1 + gap.width() > room {
                break;
            }
            if !cut.is_empty() {
                cut.push(' ');
            }
            cut.push_str(word);
        }
        let cut = cut.trim_end_matches([',', ';', ':']);
        if cut.is_empty() { String::new() } else { format!("{cut}{gap}") }
    }
}

fn kind(field: &FieldPage<'_>) -> String {
    let required = if field.required { " -required-" } else { "" };
    format!("<{}>{required}", field.type_word)
}

/// The values and the default of a field.
fn short_facts(field: &FieldPage<'_>) -> String {
    let facts = facts(field).into_iter().filter(|(name, _)| matches!(*name, "ENUM" | "DEFAULT"));
    let facts = facts.map(|(name, value)| format!("{}: {value}", name.to_lowercase()));
    facts.collect::<Vec<_>>().join("; ")
}

/// The first sentence of a description.
fn summary(field: &FieldPage<'_>) -> String {
    let first = field.description.first().copied().unwrap_or_default();
    let line = first.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    let line = line.replace('\t', " ");
    match line.split_once(". ") {
        Some((sentence, _)) => sentence.to_owned(),
        None => line.trim_end_matches('.').to_owned(),
    }
}
