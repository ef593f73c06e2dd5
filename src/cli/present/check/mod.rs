//! The findings of a check: as text, as JSON, as GitHub's annotations, as SARIF.

pub(super) mod document;
mod sarif;

use std::io::{self, Write};
use std::time::Duration;

use super::annotation::Annotation;
use super::ink::Ink;
use super::json::text as json;
use super::repeats::{Repeated, folded};
use super::wrap::wrapped;
use super::{Glyphs, charts_for};
use crate::cli::remedy;
use crate::config;
use crate::core::check::{Finding, Level};
use crate::core::source::other_files::listed;
use crate::core::source::selection::IGNORE_FILE;
use clap::ValueEnum;
use unicode_width::UnicodeWidthStr as _;

/// The columns of a level's name.
const WORD: usize = 7;
/// The columns that further lines of a finding begin with.
const HANG: usize = 2;

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
    /// The paths of each of these, from the checkout's root.
    pub paths: &'a [Vec<String>],
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

    /// The targets with a finding, in words, where its place leaves that open: several have the file, or
    /// another one than it belongs to reads it.
    fn whose(&self, finding: &Finding, found_in: &[String]) -> Option<String> {
        let path = &finding.place.path;
        // Such a finding is about a target, and names it.
        let is_about_target = *path == config::FILE || path.ends_with(IGNORE_FILE);
        if found_in.is_empty() || found_in.len() == self.targets.len() || is_about_target {
            return None;
        }
        let has_file = |paths: &Vec<String>| paths.iter().any(|folder| is_within(path, folder));
        let mut homes = self.targets.iter().zip(self.paths);
        let mut homes = homes.by_ref().filter(|(_, paths)| has_file(paths)).map(|(name, _)| name);
        if homes.next() == found_in.first() && homes.next().is_none() && found_in.len() == 1 {
            return None;
        }
        let word = if found_in.len() == 1 { "target" } else { "targets" };
        Some(format!("{word} {}", listed(found_in.to_vec())))
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
            let told = view.findings.iter().zip(view.found_in).map(|(finding, found_in)| {
                ToldFinding { finding, whose: view.whose(finding, found_in) }
            });
            let told: Vec<ToldFinding<'_>> = told.collect();
            let folded = folded(&told, |it| (kind(it.finding), &it.whose));
            folded.iter().try_for_each(|finding| lines(out, finding, glyphs))?;
            let summary = wrapped(&view.summary(glyphs), glyphs.limit(), 0, 2);
            writeln!(out, "{}", summary.join("\n"))
        }
        CheckFormat::Json => writeln!(out, "{}", json(&document::of(view))?),
        CheckFormat::Github => {
            view.findings.iter().try_for_each(|finding| annotation(out, finding))?;
            writeln!(out, "{}", view.summary(glyphs))
        }
        CheckFormat::Sarif => writeln!(out, "{}", json(&sarif::log(view))?),
    }
}

/// A finding for people.
struct ToldFinding<'a> {
    finding: &'a Finding,
    /// The targets that have it, where that is not plain.
    whose: Option<String>,
}

/// Whether a path is a folder or below it; the empty folder is everything.
fn is_within(path: &str, folder: &str) -> bool {
    let rest = path.strip_prefix(folder.trim_end_matches('/'));
    folder.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The message, and what to do about it.
fn text(finding: &Finding) -> String {
    text_of(finding, None)
}

/// The same with whose it is.
fn text_of(finding: &Finding, whose: Option<&str>) -> String {
    let mut message = finding.message.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some(whose) = whose {
        message.push_str(&format!(" ({whose})"));
    }
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

fn lines(
    out: &mut impl Write,
    told: &Repeated<'_, ToldFinding<'_>>,
    glyphs: Glyphs,
) -> io::Result<()> {
    line(out, told.first, glyphs)?;
    match told.more(|it| whereabouts(it.finding), glyphs.gap()) {
        Some(more) => {
            let more = wrapped(&glyphs.inert(&more), glyphs.limit(), HANG, 2 * HANG);
            writeln!(out, "{:HANG$}{}", "", more.join("\n"))
        }
        None => Ok(()),
    }
}

/// The place stays whole, for programs that look for it in a line; what is said of it is broken where a
/// terminal has no room.
fn line(out: &mut impl Write, told: &ToldFinding<'_>, glyphs: Glyphs) -> io::Result<()> {
    let ToldFinding { finding, whose } = told;
    let (color, word) = match finding.level {
        Level::Error => (Ink::RED, "error"),
        Level::Warning => (Ink::YELLOW, "warning"),
    };
    let style = color.bold();
    let place = finding.place.to_string();
    let (place, text) = (glyphs.inert(&place), text_of(finding, whose.as_deref()));
    let used = place.width() + 2 + WORD + 2;
    let text = wrapped(&glyphs.inert(&text), glyphs.limit(), used, HANG).join("\n");
    writeln!(out, "{place}  {style}{word:WORD$}{style:#}  {text}")
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

    /// The text of one finding, of files of these targets, which one of them or more have.
    fn told(glyphs: Glyphs, finding: Finding, found_in: &[&str]) -> String {
        let names = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        let view = CheckView {
            findings: &[finding],
            found_in: &[names(found_in)],
            targets: &names(&["blue", "green", "red"]),
            paths: &[names(&["envs", "a/"]), names(&["envs/green"]), names(&["b", "c"])],
            objects: 2,
            files: 1,
            release: "1.36",
            charts_for: None,
            commit: "",
            dirty: false,
            elapsed: Duration::ZERO,
        };
        let mut out = Vec::new();
        write(&mut out, &view, CheckFormat::Text, glyphs).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn target_is_named_where_the_file_does_not_say_which() {
        let plain = Glyphs { utf8: true, width: None };
        for (path, found_in, whose) in [
            ("envs/web.yaml", &["blue"][..], None),
            ("envs/green/web.yaml", &["green"], Some("target green")),
            ("envs/green/web.yaml", &["blue", "green"], Some("targets blue, green")),
            ("envs/green/web.yaml", &["blue", "green", "red"], None),
            ("base/web.yaml", &["blue", "red"], Some("targets blue, red")),
            ("a/web.yaml", &["red"], Some("target red")),
            ("a/web.yaml", &["blue"], None),
            ("other.yaml", &[], None),
            ("trueup.yaml", &["red"], None),
        ] {
            let text = told(plain, finding(path, None, "no schema"), found_in);
            let whose = whose.map(|it| format!(" ({it})")).unwrap_or_default();
            let first = text.lines().next().unwrap();
            assert!(
                first.ends_with(&format!("  no schema{whose}")),
                "{path} {found_in:?}: {first}"
            );
        }
    }

    #[test]
    fn findings_are_broken_to_the_width_of_a_terminal() {
        let message = "no schema for example.com/v1/Widget: not validated";
        let with_hint = || Finding {
            hint: Some("add its definition or name a folder with --schemas".into()),
            ..finding("a/long/path/of/a/file.yaml", None, message)
        };
        let narrow = told(Glyphs { utf8: true, width: Some(60) }, with_hint(), &["blue"]);
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert!(narrow.lines().count() > 2, "{narrow}");
        for line in narrow.lines() {
            assert!(anstream::adapter::strip_str(line).to_string().width() <= 60, "{line:?}");
        }
        assert!(narrow.starts_with("a/long/path/of/a/file.yaml:1:1  "), "{narrow}");
        let wide = told(Glyphs { utf8: true, width: None }, with_hint(), &["blue"]);
        assert_eq!((wide.lines().count(), words(&wide)), (2, words(&narrow)));
        // Without room, what is said still begins beside its place.
        let long = finding(&"a".repeat(90), None, message);
        let narrow = told(Glyphs { utf8: true, width: Some(80) }, long, &["blue"]);
        let place = format!("{}:1:1  ", "a".repeat(90));
        assert!(narrow.starts_with(&place), "{narrow}");
    }
}
