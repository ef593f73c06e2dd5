//! Files that are not manifests but make some → manifests: kustomizations, Helm charts and Jsonnet.
//!
//! Data alone decides what is rendered, in [`sources`]: whatever would lead out of the checkout or
//! to the network is refused there, with its line. Then kustomize, helm or jsonnet runs on a
//! private copy of the files that it may read ([`private_copy`]), in a cell that keeps it from all
//! else ([`cell`]). It runs without the user's environment and within limits ([`program`]), and its
//! output is kept ([kept](crate::local::sealed_cache)). A folder that can't be rendered is a [`Problem`], and the rest goes
//! on.

mod blame;
pub mod cell;
mod chart;
pub mod chart_files;
mod chart_nulls;
mod command;
mod differences;
pub mod file_index;
mod flux;
mod imports;
mod jsonnet;
mod jsonnet_calls;
mod jsonnet_differences;
pub mod kubernetes;
mod kustomization;
pub mod limits;
mod origins;
mod output;
mod patches;
pub mod private_copy;
pub mod program;
mod program_errors;
pub mod reads;
pub mod sources;
pub mod unreferenced;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ffi::OsString;
use std::num::NonZero;
use std::path::PathBuf;
use std::thread;

use crate::core::problem::{Location, Problem};
use crate::core::source::formats::Formats;
use crate::core::source::programs::{GuardMode, RenderProgram};
use crate::core::source::snapshot::Snapshot;
use crate::local::sealed_cache::{AnswerKey, CacheBounds, SealedCache};

use cell::CellOptions;
use cell::failure::ResourceLimit;
use cell::guards::Guards;
use command::Command;
use kubernetes::KubernetesVersion;
use limits::ProgramLimits;
pub use output::Rendered;
use private_copy::PrivateCopy;
use program::{ProgramCall, RunError};
use program_errors::ProgramInput;
use sources::{RenderSource, SourceFormat};

/// How much is kept of what programs print.
const KEPT: CacheBounds = CacheBounds { answers: 200, bytes: u64::MAX };

/// How things are rendered on this machine, and for this target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Programs that the machine's file names.
    pub programs: BTreeMap<RenderProgram, PathBuf>,
    /// Where to look for all others.
    pub search: OsString,
    /// The folder for private copies and for answers.
    pub cache: PathBuf,
    /// Whether answers of earlier runs count, and are kept.
    pub reuse: bool,
    /// This very program, which makes the cell of another one and sees to it that it does not outlive us; else
    /// why it can't be found. Nothing is run then.
    pub launcher: Result<PathBuf, String>,
    /// The limits of a program.
    pub limits: ProgramLimits,
    /// Whether a program may run where a guard of its cell can't be had.
    pub cell: GuardMode,
    /// Other paths that programs may read.
    pub readable: Vec<PathBuf>,
    /// The formats and their options.
    pub formats: Formats,
    /// The namespace of a chart's release that is given none.
    pub namespace: String,
    /// The Kubernetes version of a chart that is given none.
    pub kubernetes: KubernetesVersion,
}

/// Renders the sources; `files` has what they read.
pub fn render(setting: &Setting, sources: &[RenderSource], files: &Snapshot) -> Rendered {
    if sources.is_empty() {
        return Rendered::default();
    }
    let guards = Guards::of_this_machine(setting.launcher.as_ref());
    if let (GuardMode::Require, Some(missing)) = (setting.cell, guards.missing()) {
        let message =
            format!("can't be rendered, since the machine's file requires a cell: {missing}");
        let hint = "use a machine that has it (Linux 5.13 or newer with Landlock and seccomp), or \
            set render: {cell: best-effort} in trueup's config.yaml";
        let problem =
            |source: &RenderSource| source.problem(message.clone(), Some(hint.to_owned()));
        return Rendered { problems: sources.iter().map(problem).collect(), ..Rendered::default() };
    }
    let cache = match SealedCache::open(&setting.cache, KEPT) {
        Ok(cache) => cache,
        Err(error) => {
            let message =
                format!("there is no place to render in: {}: {error}", setting.cache.display());
            let problem = |source: &RenderSource| source.problem(message.clone(), None);
            return Rendered {
                problems: sources.iter().map(problem).collect(),
                ..Rendered::default()
            };
        }
    };
    setting.kubernetes.prepare(setting.formats.helm.as_ref(), sources);
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let share = sources.len().div_ceil(threads).max(1);
    let one = |source| RenderJob { setting, guards, cache: &cache, source, files }.render();
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
        all.inputs.extend(part.inputs);
    }
    all
}

/// A source, and what it takes to render it.
struct RenderJob<'a> {
    setting: &'a Setting,
    guards: &'a Guards,
    cache: &'a SealedCache,
    source: &'a RenderSource,
    files: &'a Snapshot,
}

impl<'a> RenderJob<'a> {
    fn render(self) -> Rendered {
        let problems = self.unreadable();
        if !problems.is_empty() {
            return Rendered { problems, ..Rendered::default() };
        }
        let command = match command::command(self.setting, self.source, self.files) {
            Ok(command) => command,
            Err(problem) => {
                return Rendered { problems: vec![*problem], ..Rendered::default() };
            }
        };
        let annotated = self.annotated(&command);
        if let Some(rendered) = annotated.as_deref().and_then(|output| self.in_one_build(output)) {
            return rendered;
        }
        let output = match self.setting.reuse {
            true => self.cache.get(self.key(&command), || self.run(&command)),
            false => self.run(&command),
        };
        match output {
            Ok(output) => {
                let mut rendered = output::read(self.source, &output, &|name| self.file(name));
                if self.source.format == SourceFormat::Kustomize {
                    let annotated = annotated.as_deref().unwrap_or(&output);
                    origins::add(self.source, &mut rendered.manifests, annotated, &self.texts());
                }
                let (files, formats) = (&self.files.files, &self.setting.formats);
                let made = &rendered.manifests;
                rendered.warnings.extend(differences::warnings(self.source, formats, files, made));
                self.with_inputs(rendered)
            }
            Err(problem) => Rendered { problems: vec![*problem], ..Rendered::default() },
        }
    }

    /// The output of a build in which kustomize notes the origin of each object; `None` where the
    /// kustomization asks for that itself, or nothing came of it, as of a kustomize before 4.3.
    fn annotated(&self, command: &Command) -> Option<Vec<u8>> {
        if self.source.format != SourceFormat::Kustomize {
            return None;
        }
        let asking = kustomization::with_origins(self.source.given.get(&self.source.file)?)?;
        let mut source = self.source.clone();
        source.given.insert(self.source.file.clone(), asking);
        let job = RenderJob { source: &source, ..*self };
        let run = || Ok::<_, Infallible>(job.run(command).unwrap_or_default());
        let output = match self.setting.reuse {
            true => self.cache.get(job.key(command), run),
            false => run(),
        };
        output.ok().filter(|output| !output.is_empty())
    }

    /// The objects of a build with origins, without the notes; `None` where it takes another build
    /// to know what they are.
    fn in_one_build(&self, annotated: &[u8]) -> Option<Rendered> {
        let mut rendered = output::read(self.source, annotated, &|name| self.file(name));
        // The lines that these name are those of the other build.
        let is_clean = rendered.problems.is_empty() && rendered.warnings.is_empty();
        let has_others = || self.read().any(|(_, text)| origins::names_annotations(text));
        let texts = self.texts();
        if !is_clean
            || has_others()
            || !origins::take_out(self.source, &mut rendered.manifests, &texts)
        {
            return None;
        }
        origins::add(self.source, &mut rendered.manifests, annotated, &texts);
        Some(self.with_inputs(rendered))
    }

    /// With the inputs of the program that are in Secrets.
    fn with_inputs(&self, mut rendered: Rendered) -> Rendered {
        let objects = rendered.manifests.iter().map(|manifest| &manifest.object);
        if objects.clone().any(|object| object.kind() == "Secret") {
            rendered.inputs = self.program_input().inputs().in_secrets(objects);
        }
        rendered
    }

    /// The content of the files that it reads, as they are written.
    fn texts(&self) -> impl Fn(&str) -> Option<&'a [u8]> + 'a {
        let (files, source) = (self.files, self.source);
        move |path| files.files.get(path).filter(|_| source.reads(path)).map(Vec::as_slice)
    }

    /// The files that the program may read.
    fn read(&self) -> impl Iterator<Item = (&String, &Vec<u8>)> {
        let files = self.files.files.iter().filter(|(path, _)| self.source.reads(path));
        files.map(|(path, content)| (path, self.source.given.get(path).unwrap_or(content)))
    }

    /// The files that the program would read, and must not or can't.
    fn unreadable(&self) -> Vec<Problem> {
        let at = |path: &str, message: String, hint: &str| Problem {
            place: Location { path: path.to_owned(), line: 1, column: 1 },
            message: format!("{message}, so that {} can't be rendered", self.name()),
            excerpt: None,
            hint: Some(hint.to_owned()),
        };
        let skipped = self.files.skipped.iter().filter(|one| self.source.reads(&one.path));
        let skipped = skipped.map(|one| at(&one.path, one.why.to_string(), one.why.hint()));
        // Jsonnet would run it, and its imports were not checked.
        let is_import =
            |path: &str| self.source.format == SourceFormat::Jsonnet && path.ends_with(".json");
        let wrong = self.read().filter(|(path, content)| {
            is_import(path) && serde_json::from_slice::<serde::de::IgnoredAny>(content).is_err()
        });
        let wrong = wrong.map(|(path, _)| {
            at(path, "is not JSON".to_owned(), "correct it, or rename it to end in .libsonnet")
        });
        skipped.chain(wrong).collect()
    }

    /// Its name.
    fn name(&self) -> &str {
        if self.source.path.is_empty() { "the checkout" } else { &self.source.path }
    }

    /// Everything that goes into the answer.
    fn key(&self, command: &Command) -> AnswerKey {
        let mut key = AnswerKey::default();
        key.add(b"rendered");
        key.add(env!("CARGO_PKG_VERSION").as_bytes());
        key.add(command.program.as_os_str().as_encoded_bytes());
        // Another version of the program is another file.
        if let Ok(metadata) = command.program.metadata() {
            key.add(&metadata.len().to_le_bytes());
            let modified = metadata.modified().ok();
            key.add(format!("{modified:?}").as_bytes());
        }
        // How long each list is goes before it, so that none runs into the next.
        key.add(&command.args.len().to_le_bytes());
        for arg in &command.args {
            key.add(arg.as_bytes());
        }
        key.add(&command.given.len().to_le_bytes());
        for command::GivenFile { name, content } in &command.given {
            key.add(name.as_bytes());
            key.add(content.as_bytes());
        }
        // A program that may read more may print more.
        key.add(self.guards.held().collect::<Vec<_>>().join(" ").as_bytes());
        key.add(&self.setting.readable.len().to_le_bytes());
        for path in &self.setting.readable {
            key.add(path.as_os_str().as_encoded_bytes());
        }
        for (path, content) in self.read() {
            key.add(path.as_bytes());
            key.add(content);
        }
        key
    }

    fn run(&self, command: &Command) -> Result<Vec<u8>, Box<Problem>> {
        let place = PrivateCopy::new(self.cache.folder(), self.read());
        let place = place.and_then(|place| {
            for command::GivenFile { name, content } in &command.given {
                place.give(name, content.as_bytes())?;
            }
            Ok(place)
        });
        let place = place.map_err(|error| {
            let message = format!("its private copy can't be written: {error}");
            Box::new(self.source.problem(message, None))
        })?;
        let (tree, home) = (place.tree(), place.home());
        let call = ProgramCall {
            program: &command.program,
            args: command.os_args(),
            folder: &tree,
            home: &home,
            launcher: self.setting.launcher.as_ref(),
            cell: CellOptions {
                read: &[tree.clone(), place.given_files()],
                write: &home,
                readable: &self.setting.readable,
                strict: self.setting.cell == GuardMode::Require,
            },
        };
        let run = call.run(self.setting.limits);
        run.map_err(|error| Box::new(self.failed(command, &place, error)))
    }

    /// Why there is nothing to show.
    fn failed(&self, command: &Command, place: &PrivateCopy, error: RunError) -> Problem {
        let program = command.program.file_stem().unwrap_or_default().to_string_lossy();
        let mut blamed = None;
        let (message, hint) = match error {
            RunError::Failed { said, wall } => {
                let by_wall = wall.and_then(|wall| wall.message(&self.setting.limits));
                let message = match by_wall {
                    Some(message) => format!("{program} {message}"),
                    None => {
                        let said = self.program_input().display(&place.without_copy(&said));
                        blamed = blame::place(self.source.format, &said, &|name| self.file(name));
                        format!("{program} says: {said}")
                    }
                };
                (message, wall.map(ResourceLimit::hint))
            }
            RunError::Start { source, program } => {
                (format!("{} can't be run: {source}", program.display()), None)
            }
            RunError::Cell { why } => (
                format!("{} can't be run in a cell: {why}", command.program.display()),
                Some(
                    "if it is a wrapper that needs other files, name them under render: readable: \
                     in trueup's config.yaml"
                        .to_owned(),
                ),
            ),
            stopped @ (RunError::TooLong(_) | RunError::TooMuch(_)) => (
                format!("{program} failed: {stopped}"),
                Some("run it by hand to see whether it ends".to_owned()),
            ),
        };
        let mut problem = self.source.problem(message, hint);
        problem.place = blamed.unwrap_or(problem.place);
        problem
    }

    /// The input of the program.
    fn program_input(&self) -> ProgramInput<'_> {
        ProgramInput {
            format: self.source.format,
            formats: &self.setting.formats,
            files: self.read().map(|(path, content)| (path.as_str(), content.as_slice())).collect(),
        }
    }

    /// Which file it is that the program calls `name`.
    fn file(&self, name: &str) -> Option<String> {
        match self.source.format {
            SourceFormat::Helm => chart::file(&self.files.files, &self.source.path, name),
            SourceFormat::Kustomize | SourceFormat::Jsonnet => {
                let path = name.trim_start_matches("./");
                self.files.files.contains_key(path).then(|| path.to_owned())
            }
        }
    }
}
