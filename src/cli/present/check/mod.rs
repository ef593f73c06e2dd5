//! The findings of a check: as text, as JSON, as GitHub's annotations, as SARIF.

pub(super) mod document;
mod sarif;

use std::io::{self, Write};
use std::time::Duration;

use super::annotation::Annotation;
use super::ink::Ink;
use super::json::text as json;
use super::{Glyphs, charts_for};
use crate::cli::remedy;
use crate::core::check::{Finding, Level};
use clap::ValueEnum;

/// How findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// For people: a line for each
    Text,
    /// One JSON document
    Json,
    /// Annotations of a GitHub workflow
    Github,
    /// A SARIF 2.1.0 log, for code scanning
    Sarif,
}

/// Everything that is shown of a check.
#[derive(Clone, Copy, Debug)]
pub struct CheckView<'a> {
    /// The findings, in order.
    pub findings: &'a [Finding],
    /// How many objects were checked.
    pub objects: usize,
    /// In how many files.
    pub files: usize,
    /// The release whose schemas they were held against.
    pub release: &'a str,
    /// The version that charts were rendered for; `None` where there was none.
    pub charts_for: Option<&'a str>,
    /// The commit's id.
    pub commit: &'a str,
    /// Whether files that are not committed took part.
    pub dirty: bool,
    /// How long it took.
    pub elapsed: Duration,
}

impl CheckView<'_> {
    /// How many findings are this bad.
    pub fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }

    /// `1 error, 2 warnings · 40 objects in 12 files · Kubernetes 1.36 schemas · 0.02 s`
    pub fn summary(&self, glyphs: Glyphs) -> String {
        let count = |count: usize, one: &str| match count {
            1 => format!("1 {one}"),
            count => format!("{count} {one}s"),
        };
        let (errors, warnings) = (self.count(Level::Error), self.count(Level::Warning));
        let mut parts = vec![
            format!("{}, {}", count(errors, "error"), count(warnings, "warning")),
            format!("{} in {}", count(self.objects, "object"), count(self.files, "file")),
            format!("Kubernetes {} schemas", self.release),
        ];
        parts.extend(self.charts_for.map(charts_for));
        parts.push(format!("{:.2} s", self.elapsed.as_secs_f64()));
        parts.join(glyphs.dot())
    }
}

/// Writes what was found.
///
/// # Errors
///
/// When `out` does not take it.
pub fn write(
    out: &mut impl Write,
    view: &CheckView<'_>,
    format: CheckFormat,
    glyphs: Glyphs,
) -> io::Result<()> {
    match format {
        CheckFormat::Text => {
            view.findings.iter().try_for_each(|finding| line(out, finding, glyphs))?;
            writeln!(out, "{}", view.summary(glyphs))
        }
        CheckFormat::Json => writeln!(out, "{}", json(&document::of(view))?),
        CheckFormat::Github => {
            view.findings.iter().try_for_each(|finding| annotation(out, finding))?;
            writeln!(out, "{}", view.summary(glyphs))
        }
        CheckFormat::Sarif => writeln!(out, "{}", json(&sarif::log(view))?),
    }
}

/// The message, and what to do about it.
fn text(finding: &Finding) -> String {
    let message = finding.message.split_whitespace().collect::<Vec<_>>().join(" ");
    match &finding.hint {
        Some(hint) => format!("{message}; {}", remedy::words(hint)),
        None => message,
    }
}

fn line(out: &mut impl Write, finding: &Finding, glyphs: Glyphs) -> io::Result<()> {
    let (color, word) = match finding.level {
        Level::Error => (Ink::RED, "error"),
        Level::Warning => (Ink::YELLOW, "warning"),
    };
    let style = color.bold();
    let place = finding.place.to_string();
    let (place, text) = (glyphs.inert(&place), text(finding));
    writeln!(out, "{place}  {style}{word:7}{style:#}  {}", glyphs.inert(&text))
}

/// The level's name for a machine.
fn level(finding: &Finding) -> &'static str {
    match finding.level {
        Level::Error => "error",
        Level::Warning => "warning",
    }
}

fn annotation(out: &mut impl Write, finding: &Finding) -> io::Result<()> {
    Annotation {
        level: level(finding),
        at: Some((&finding.place).into()),
        title: "",
        message: &text(finding),
    }
    .write(out)
}
