//! The findings of a check: as text, as JSON, as GitHub's annotations, as SARIF.

pub(super) mod document;
mod sarif;

use std::io::{self, Write};
use std::time::Duration;

use super::annotation::Annotation;
use super::ink::Ink;
use super::json::text as json;
use super::repeats::{Repeated, folded};
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
    /// The targets of `trueup.yaml` that have each finding.
    pub found_in: &'a [Vec<String>],
    /// The targets of `trueup.yaml` that were checked.
    pub targets: &'a [String],
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
        let targets = (self.targets.len() > 1).then(|| count(self.targets.len(), "target"));
        let parts = [
            Some(format!("{}, {}", count(errors, "error"), count(warnings, "warning"))),
            targets,
            Some(format!("{} in {}", count(self.objects, "object"), count(self.files, "file"))),
            Some(format!("Kubernetes {} schemas", self.release)),
            self.charts_for.map(charts_for),
            Some(format!("{:.2} s", self.elapsed.as_secs_f64())),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(glyphs.dot())
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
            let folded = folded(view.findings, kind);
            folded.iter().try_for_each(|finding| lines(out, finding, glyphs))?;
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

/// The common part of the findings that are folded to one. The message about a rendered object
/// names the object first, as its place can't.
fn kind(finding: &Finding) -> (&'static str, &'static str, &str, Option<String>) {
    let message = match unplaced(finding) {
        Some((_, message)) => message,
        None => &finding.message,
    };
    (level(finding), finding.rule.name(), message, finding.hint.as_ref().map(remedy::words))
}

/// The object that the message names in place of its line, and the rest of the message.
fn unplaced(finding: &Finding) -> Option<(String, &str)> {
    let object = finding.object.as_ref()?.to_string();
    let rest = finding.message.strip_prefix(&object)?.strip_prefix(": ")?;
    Some((object, rest))
}

/// Where a finding is: its place, or the object where several have the same place.
fn whereabouts(finding: &Finding) -> String {
    unplaced(finding).map_or_else(|| finding.place.to_string(), |(object, _)| object)
}

fn lines(out: &mut impl Write, finding: &Repeated<'_, Finding>, glyphs: Glyphs) -> io::Result<()> {
    line(out, finding.first, glyphs)?;
    match finding.more(whereabouts, glyphs.gap()) {
        Some(more) => writeln!(out, "  {}", glyphs.inert(&more)),
        None => Ok(()),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::check::CheckRule;
    use crate::core::object::ObjectKey;
    use crate::core::problem::Location;

    fn finding(path: &str, object: Option<&str>, message: &str) -> Finding {
        let key = object.map(|name| ObjectKey {
            group: String::new(),
            kind: "Widget".to_owned(),
            namespace: None,
            name: name.to_owned(),
        });
        let message = match &key {
            Some(key) => format!("{key}: {message}"),
            None => message.to_owned(),
        };
        Finding {
            level: Level::Warning,
            rule: CheckRule::NoSchema,
            place: Location { path: path.to_owned(), line: 1, column: 1 },
            object: key,
            field: None,
            message,
            hint: None,
            missing: None,
        }
    }

    #[test]
    fn rendered_objects_are_folded_too_and_named_by_their_keys() {
        let findings = [
            finding("k.yaml", Some("a"), "no schema"),
            finding("k.yaml", Some("b"), "no schema"),
            finding("k.yaml", Some("c"), "no schema"),
            finding("k.yaml", Some("c"), "other"),
            finding("plain.yaml", None, "no schema"),
        ];
        let folded: Vec<(&str, Option<String>)> = folded(&findings, kind)
            .iter()
            .map(|it| (it.first.message.as_str(), it.more(whereabouts, "…")))
            .collect();
        let more = "and 3 more: Widget b, Widget c, plain.yaml:1:1".to_owned();
        assert_eq!(folded, [("Widget a: no schema", Some(more)), ("Widget c: other", None)]);
    }
}
