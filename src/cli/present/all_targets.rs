//! The plans of several targets, one after another.

use std::io::{self, Write as _};
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::annotation::Annotation;
use super::markdown::MOST;
use super::markdown::escape::{length, words};
use super::{Glyphs, OutputFormat, PlanView, json, markdown, text};

/// The result of one target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetEnd {
    /// Nothing is to be done.
    InSync,
    /// Something is.
    Differs,
}

/// A target that can't be told.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "target_failure"))]
pub struct TargetFailure {
    /// The target's name.
    pub target: String,
    /// The error.
    pub error: String,
    /// Its causes, the nearest first.
    pub causes: Vec<String>,
    /// The remedies.
    pub hints: Vec<String>,
}

/// The answer of a run over all targets, as far as it goes.
pub struct AllTargets {
    output: OutputFormat,
    glyphs: Glyphs,
    /// The text of the targets so far.
    written: Vec<u8>,
    /// Whether the last of it is a block, which has a blank line around it.
    ends_with_block: bool,
    documents: Vec<Value>,
    /// The Markdown of each target.
    comments: Vec<String>,
    failures: Vec<TargetFailure>,
    in_sync: usize,
    differing: usize,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "all_targets"))]
pub(super) struct AllTargetsDocument<'a> {
    #[cfg_attr(test, schemars(extend("enum" = [1])))]
    version: u32,
    #[cfg_attr(test, schemars(with = "Vec<super::json::document::PlanDocument<'static>>"))]
    targets: &'a [Value],
    failures: &'a [TargetFailure],
    requests: usize,
    elapsed: f64,
}

impl AllTargets {
    /// Nothing yet.
    pub fn new(output: OutputFormat, glyphs: Glyphs) -> Self {
        Self {
            output,
            glyphs,
            written: Vec::new(),
            ends_with_block: false,
            documents: Vec::new(),
            comments: Vec::new(),
            failures: Vec::new(),
            in_sync: 0,
            differing: 0,
        }
    }

    /// Adds the plan of a target.
    ///
    /// # Errors
    ///
    /// When it can't be written as JSON.
    pub fn add(&mut self, view: &PlanView<'_>, end: TargetEnd) -> io::Result<()> {
        match end {
            TargetEnd::InSync => self.in_sync += 1,
            TargetEnd::Differs => self.differing += 1,
        }
        match self.output {
            OutputFormat::Json => self.documents.push(json::value(view)?),
            OutputFormat::Markdown => self.comments.push(markdown::plan(view)),
            // Objects that are kept for a reason are shown with it.
            OutputFormat::Text if end == TargetEnd::InSync && super::is_in_sync(view) => {
                self.separate(false)?;
                writeln!(self.written, "{}", text::header_line(view, self.glyphs))?;
            }
            format => {
                self.separate(format == OutputFormat::Text)?;
                super::plan(&mut self.written, view, format, self.glyphs)?;
            }
        }
        Ok(())
    }

    /// Puts a blank line around what has more than one.
    fn separate(&mut self, is_block: bool) -> io::Result<()> {
        if !self.written.is_empty() && (is_block || self.ends_with_block) {
            writeln!(self.written)?;
        }
        self.ends_with_block = is_block;
        Ok(())
    }

    /// Adds a target that can't be told.
    pub fn fail(&mut self, failure: TargetFailure) {
        self.failures.push(failure);
    }

    /// How many can't be told.
    pub fn failed(&self) -> usize {
        self.failures.len()
    }

    /// How many differ.
    pub fn differing(&self) -> usize {
        self.differing
    }

    /// The whole answer, with its last line.
    ///
    /// # Errors
    ///
    /// When it can't be written as JSON.
    pub fn finish(mut self, requests: usize, elapsed: Duration) -> io::Result<Vec<u8>> {
        match self.output {
            OutputFormat::Json => {
                let document = AllTargetsDocument {
                    version: 1,
                    targets: &self.documents,
                    failures: &self.failures,
                    requests,
                    elapsed: elapsed.as_secs_f64(),
                };
                writeln!(self.written, "{}", json::text(&document)?)?;
            }
            OutputFormat::Text => {
                self.separate(true)?;
                let mut parts = self.counts();
                parts.extend(text::cost(requests, elapsed));
                text::end(&mut self.written, &parts, self.glyphs)?;
            }
            OutputFormat::Markdown => self.written = self.comment().into_bytes(),
            OutputFormat::Github => {
                for TargetFailure { target, error, causes, .. } in &self.failures {
                    let title = format!("cannot tell target {target}");
                    let lines = std::iter::once(error).chain(causes).map(String::as_str);
                    let message = &lines.collect::<Vec<_>>().join("\n");
                    let error = Annotation { level: "error", at: None, title: &title, message };
                    error.write(&mut self.written)?;
                }
                let counts = self.counts().join(" · ");
                writeln!(self.written, "{counts}")?;
            }
            OutputFormat::Name => {}
        }
        Ok(self.written)
    }

    /// `3 targets` and `1 in sync, 1 differs, 1 unknown`.
    fn counts(&self) -> Vec<String> {
        let Self { in_sync, differing, failures, .. } = self;
        let all = in_sync + differing + failures.len();
        let counts = [
            (*in_sync, "in sync"),
            (*differing, if *differing == 1 { "differs" } else { "differ" }),
            (failures.len(), "unknown"),
        ];
        let counts = counts.into_iter().filter(|(count, _)| *count > 0);
        let counts: Vec<_> = counts.map(|(n, what)| format!("{n} {what}")).collect();
        vec![format!("{all} target{}", if all == 1 { "" } else { "s" }), counts.join(", ")]
    }

    /// One comment with as many targets as a forge takes: first the counts, then those that can't be
    /// told, then the others.
    fn comment(&self) -> String {
        let failed = self.failures.iter().map(|TargetFailure { target, error, causes, .. }| {
            let why = std::iter::once(error).chain(causes).map(|line| words(line));
            format!(
                "**{}** cannot be told: {}\n",
                words(target),
                why.collect::<Vec<_>>().join(": ")
            )
        });
        let parts: Vec<String> = failed.chain(self.comments.iter().cloned()).collect();
        let mut comment = format!("{}\n", self.counts().join(": "));
        for (number, part) in parts.iter().enumerate() {
            if length(&comment) + length(part) > MOST {
                let left = parts.len() - number;
                let plural = if left == 1 { "" } else { "s" };
                comment.push_str(&format!("\n… and {left} target{plural} more\n"));
                break;
            }
            comment.push('\n');
            comment.push_str(part);
        }
        comment
    }
}
