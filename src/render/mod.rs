//! Files that are no manifests but make some → manifests: kustomizations, Helm charts and Jsonnet.
//!
//! What is rendered is decided by data alone, in [`sources`]: whatever would lead out of the
//! checkout or to the network is refused there, with its line. Then kustomize, helm or jsonnet runs
//! on a private copy of the files that it may read ([`workplace`]), without the user's environment
//! and within limits ([`program`]), and what it prints is kept ([`cache`]). A folder that can't be
//! rendered is a [`Problem`], and the rest goes on.

mod blame;
pub mod cache;
mod chart;
mod command;
mod imports;
mod jsonnet;
mod kustomization;
mod output;
pub mod program;
pub mod shelf;
pub mod sources;
pub mod workplace;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::num::NonZero;
use std::path::PathBuf;
use std::thread;

use crate::formats::Formats;
use crate::machine::Program;
use crate::manifest;
use crate::problem::{Place, Problem};
use crate::redact::Redactor;
use crate::snapshot::Snapshot;

use cache::{Cache, Key};
use command::Command;
pub use output::Rendered;
use program::{Call, Limits, RunError};
use sources::{Format, Source};
use workplace::Workplace;

/// How many lines of what a program says about a failure are shown, and how long each may be.
const LINES: usize = 8;
const LINE: usize = 600;

/// How things are rendered on this machine, and for this target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Programs that the machine's file names.
    pub programs: BTreeMap<Program, PathBuf>,
    /// Where to look for all others.
    pub search: OsString,
    /// The folder for private copies and for answers.
    pub cache: PathBuf,
    /// This very program, which sees to it that no other outlives it; `None` to do without.
    pub launcher: Option<PathBuf>,
    /// What a program may take.
    pub limits: Limits,
    /// The formats and their options.
    pub formats: Formats,
    /// The namespace of a chart's release that is given none.
    pub namespace: String,
}

/// Renders the sources; `files` has what they read.
pub fn render(setting: &Setting, sources: &[Source], files: &Snapshot) -> Rendered {
    if sources.is_empty() {
        return Rendered::default();
    }
    let cache = match Cache::open(&setting.cache) {
        Ok(cache) => cache,
        Err(error) => {
            let message =
                format!("there is no place to render in: {}: {error}", setting.cache.display());
            let problem = |source: &Source| source.problem(message.clone(), None);
            return Rendered {
                problems: sources.iter().map(problem).collect(),
                ..Rendered::default()
            };
        }
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let share = sources.len().div_ceil(threads).max(1);
    let one = |source| One { setting, cache: &cache, source, files }.render();
    let parts: Vec<Rendered> = thread::scope(|scope| {
        let workers: Vec<_> = sources
            .chunks(share)
            .map(|part| scope.spawn(move || part.iter().map(one).collect::<Vec<_>>()))
            .collect();
        let joined = workers.into_iter().map(|worker| match worker.join() {
            Ok(part) => part,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        joined.flatten().collect()
    });
    let mut all = Rendered::default();
    for part in parts {
        all.manifests.extend(part.manifests);
        all.problems.extend(part.problems);
        all.warnings.extend(part.warnings);
    }
    all
}

/// A source, and what it takes to render it.
struct One<'a> {
    setting: &'a Setting,
    cache: &'a Cache,
    source: &'a Source,
    files: &'a Snapshot,
}

impl One<'_> {
    fn render(self) -> Rendered {
        let problems = self.unreadable();
        if !problems.is_empty() {
            return Rendered { problems, ..Rendered::default() };
        }
        let own = self.files.files.get(&self.source.file).map_or(&[][..], Vec::as_slice);
        let command = match command::command(self.setting, self.source, own) {
            Ok(command) => command,
            Err(missing) => {
                let hint = Some(missing.hint.to_owned());
                let problem = self.source.problem(missing.message.to_owned(), hint);
                return Rendered { problems: vec![problem], ..Rendered::default() };
            }
        };
        match self.cache.get(self.key(&command), || self.run(&command)) {
            Ok(output) => output::read(self.source, &output, &|name| self.file(name)),
            Err(problem) => Rendered { problems: vec![*problem], ..Rendered::default() },
        }
    }

    /// What the program may read.
    fn read(&self) -> impl Iterator<Item = (&String, &Vec<u8>)> {
        self.files.files.iter().filter(|(path, _)| self.source.reads(path))
    }

    /// What the program would read, and must or can not.
    fn unreadable(&self) -> Vec<Problem> {
        let at = |path: &str, message: String, hint: &str| Problem {
            place: Place { path: path.to_owned(), line: 1, column: 1 },
            message: format!("{message}, so that {} can't be rendered", self.name()),
            excerpt: None,
            hint: Some(hint.to_owned()),
        };
        let skipped = self.files.skipped.iter().filter(|one| self.source.reads(&one.path));
        let skipped = skipped.map(|one| at(&one.path, one.why.to_string(), one.why.hint()));
        // Jsonnet would run it, and nobody looked into what it imports.
        let is_import =
            |path: &str| self.source.format == Format::Jsonnet && path.ends_with(".json");
        let wrong = self.read().filter(|(path, content)| {
            is_import(path) && serde_json::from_slice::<serde::de::IgnoredAny>(content).is_err()
        });
        let wrong = wrong.map(|(path, _)| {
            at(path, "is not JSON".to_owned(), "correct it, or let its name end in .libsonnet")
        });
        skipped.chain(wrong).collect()
    }

    /// What to call it.
    fn name(&self) -> &str {
        if self.source.path.is_empty() { "the checkout" } else { &self.source.path }
    }

    /// Everything that goes into the answer.
    fn key(&self, command: &Command) -> Key {
        let mut key = Key::default();
        key.add(env!("CARGO_PKG_VERSION").as_bytes());
        key.add(command.program.as_os_str().as_encoded_bytes());
        // Another version of the program is another file.
        if let Ok(metadata) = command.program.metadata() {
            key.add(&metadata.len().to_le_bytes());
            let modified = metadata.modified().ok();
            key.add(format!("{modified:?}").as_bytes());
        }
        for arg in &command.args {
            key.add(arg.as_bytes());
        }
        for (path, content) in self.read() {
            key.add(path.as_bytes());
            key.add(content);
        }
        key
    }

    fn run(&self, command: &Command) -> Result<Vec<u8>, Box<Problem>> {
        let place = Workplace::new(self.cache.folder(), self.read()).map_err(|error| {
            Box::new(
                self.source.problem(format!("its private copy can't be written: {error}"), None),
            )
        })?;
        let (tree, home) = (place.tree(), place.home());
        let call = Call {
            program: &command.program,
            args: command.os_args(),
            folder: &tree,
            home: &home,
            launcher: self.setting.launcher.as_deref(),
        };
        let program = command.program.file_stem().unwrap_or_default().to_string_lossy();
        call.run(self.setting.limits).map_err(|error| {
            let mut blamed = None;
            let (message, hint) = match error {
                RunError::Failed { said } => {
                    let said = self.words(&place.without_copy(&said));
                    blamed = blame::place(self.source.format, &said, &|name| self.file(name));
                    (format!("{program} says: {said}"), None)
                }
                RunError::Start { source, program } => {
                    (format!("{} can't be run: {source}", program.display()), None)
                }
                stopped @ (RunError::TooLong(_) | RunError::TooMuch(_)) => (
                    format!("{program} was no help: {stopped}"),
                    Some("see whether it comes to an end by hand".to_owned()),
                ),
            };
            let mut problem = self.source.problem(message, hint);
            problem.place = blamed.unwrap_or(problem.place);
            Box::new(problem)
        })
    }

    /// What a program says, as short as can be and without the Secrets of its files.
    fn words(&self, said: &str) -> String {
        let said = said.replace('\t', "  ");
        // Warnings come before what ended it, and are not about that.
        let is_noise = |line: &str| {
            let line = line.trim_start();
            line.is_empty()
                || line.starts_with("# Warning: ")
                || line.starts_with("Use --debug flag")
        };
        let plain = |line| {
            ["Error: ", "RUNTIME ERROR: ", "runtime error: "].iter().fold(line, without_start)
        };
        let lines = said.lines().map(str::trim_end).filter(|line| !is_noise(line)).map(plain);
        let cut = |line: &str| match line.char_indices().nth(LINE) {
            Some((end, _)) => format!("{}…", &line[..end]),
            None => line.to_owned(),
        };
        let said = lines.take(LINES).map(cut).collect::<Vec<_>>().join("\n");
        let is_manifest =
            |path: &str| [".yaml", ".yml", ".json"].iter().any(|end| path.ends_with(end));
        let objects: Vec<_> = self
            .read()
            .filter(|(path, _)| is_manifest(path))
            .flat_map(|(path, content)| manifest::read(path, content).manifests)
            .map(|manifest| manifest.object)
            .collect();
        Redactor::new(&objects).text(&said)
    }

    /// Which file it is that the program calls `name`.
    fn file(&self, name: &str) -> Option<String> {
        match self.source.format {
            Format::Helm => chart::file(&self.files.files, &self.source.path, name),
            Format::Kustomize | Format::Jsonnet => {
                let path = name.trim_start_matches("./");
                self.files.files.contains_key(path).then(|| path.to_owned())
            }
        }
    }
}

fn without_start<'a>(line: &'a str, start: &&str) -> &'a str {
    line.strip_prefix(start).unwrap_or(line)
}
