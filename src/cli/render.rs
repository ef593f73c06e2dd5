//! `trueup render`: the objects as git says them, without a cluster.

use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::exit::{Exit, Failure};
use super::headings::HOW;
use super::kept::{CacheArgs, KeptAnswers};
use super::kubernetes::{self, NamedVersion};
use super::present::{self, objects};
use super::target::FilesArgs;
use super::ui::Ui;
use crate::app::{Beside, Declaration, FilesDigest, Target, declare_unless};
use crate::core::manifest::Manifest;
use crate::core::object::Object;
use crate::core::parallel::in_parallel;
use crate::core::redact::Redactor;
use crate::git::Checkout;
use crate::render::Setting;
use crate::render::cell::guards::Guards;

/// The end of `trueup render --help`.
const EXAMPLES: &str = "\
Examples:
  trueup render envs/prod                what a folder declares
  trueup render --rev v1.4 -o json       at a tag, as one List
  trueup render --show-secrets | kubectl apply -f -";

/// Print the objects as git says them
///
/// Manifests are read; kustomizations, Helm charts and Jsonnet programs are rendered. No cluster is
/// asked: what git leaves out stays left out. Values of Secrets are masked.
///
/// Exit status 0: all is there, 1: something could not be read or rendered, 2: could not run.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct RenderArgs {
    #[command(flatten)]
    files: FilesArgs,

    #[command(flatten)]
    cache: CacheArgs,

    /// How to print the objects
    #[arg(short, long, value_name = "FORMAT", default_value = "yaml", help_heading = HOW, display_order = 1)]
    output: RenderFormat,

    /// Release that charts are rendered for, where trueup.yaml names none [default: that of the sandbox]
    #[arg(long, value_name = "VERSION", value_parser = kubernetes::version, help_heading = HOW, display_order = 4, hide_short_help = true)]
    kubernetes_version: Option<NamedVersion>,

    /// Say what confines the programs that render
    #[arg(short, long, help_heading = HOW, display_order = 3)]
    verbose: bool,

    /// Print the values of Secrets as they are
    #[arg(long, help_heading = HOW, display_order = 2)]
    show_secrets: bool,
}

/// How objects are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RenderFormat {
    /// A document for each object, below a comment that says where it is from
    Yaml,
    /// One List
    Json,
}

/// Prints the objects, without a cluster.
///
/// # Errors
///
/// When git can't be read.
pub async fn run(args: RenderArgs, directory: &Path, ui: &mut Ui) -> Result<Exit, Failure> {
    let checkout = Checkout::discover(directory)?;
    let mut target = args.files.resolve(directory, &checkout)?;
    target.render.reuse = !args.cache.no_cache;
    target.render.kubernetes = kubernetes::of_release(args.kubernetes_version.as_ref());
    let kept = kept(&args, &target, &checkout).map(Arc::new);
    let recall = {
        let kept = kept.clone();
        move |files: &FilesDigest| kept?.recall(files)
    };
    let waiting = ui.waiting("reading and rendering");
    let declaration = declare_unless(&target, &checkout, Beside::Nothing, recall).await;
    waiting.finish_and_clear();
    match args.verbose {
        true => verbose(&target.render, ui),
        false => ui.cell(),
    }
    let (declared, digest) = match declaration? {
        Declaration::Known(text, _) => {
            ui.stdout().write_all(&text)?;
            ui.stdout().flush()?;
            return Ok(Exit::AtCommit);
        }
        Declaration::Read(declared, digest) => (declared, digest),
    };
    let redactor = match args.show_secrets {
        true => Redactor::default(),
        false => Redactor::with_rules(
            declared.manifests.iter().map(|manifest| &manifest.object),
            &target.redact,
            &declared.inputs,
        ),
    };
    let masks = (!args.show_secrets).then_some(&redactor);
    let text = text(&declared.manifests, args.output, masks)?;
    let is_whole = declared.problems.is_empty();
    // An answer with problems is not kept: the next run may find them solved.
    if let (Some(kept), Some(digest), true) = (kept, digest, is_whole && declared.others.is_empty())
    {
        kept.keep(&digest, text.as_bytes());
    }
    ui.stdout().write_all(text.as_bytes())?;
    ui.stdout().flush()?;
    let problems: Vec<_> =
        declared.problems.iter().map(|problem| redactor.problem(problem)).collect();
    ui.problems(&problems);
    let others: Vec<_> = declared.others.iter().map(|other| redactor.problem(other)).collect();
    ui.warnings(&others);
    // To give back every field of every object takes longer than to end with them.
    std::mem::forget(declared);
    Ok(if is_whole { Exit::AtCommit } else { Exit::NotAtCommit })
}

/// The objects as they are printed.
fn text(
    manifests: &[Manifest],
    format: RenderFormat,
    masks: Option<&Redactor>,
) -> io::Result<String> {
    let shown = |manifest: &Manifest| match masks {
        Some(redactor) => redactor.object(&manifest.object),
        None => manifest.object.clone(),
    };
    // Searches share a budget: in one order, so that an answer is always the same.
    let objects: Option<Vec<Object>> =
        masks.is_some_and(Redactor::searches).then(|| manifests.iter().map(shown).collect());
    match (format, objects) {
        (RenderFormat::Yaml, None) => {
            let document = |manifest: &Manifest| objects::yaml(&manifest.origin, &shown(manifest));
            Ok(in_parallel(manifests, || (), |(), manifest| document(manifest)).concat())
        }
        (RenderFormat::Yaml, Some(objects)) => {
            let all: Vec<_> = manifests.iter().zip(&objects).collect();
            let document =
                |(manifest, object): &(&Manifest, &Object)| objects::yaml(&manifest.origin, object);
            Ok(in_parallel(&all, || (), |(), one| document(one)).concat())
        }
        (RenderFormat::Json, objects) => objects::json(
            objects.unwrap_or_else(|| in_parallel(manifests, || (), |(), it| shown(it))),
        ),
    }
}

/// Where answers of earlier runs are, if they count. Values of Secrets are kept nowhere.
fn kept(args: &RenderArgs, target: &Target, checkout: &Checkout) -> Option<KeptAnswers> {
    let is_kept = !args.show_secrets && !args.cache.no_cache;
    is_kept.then(|| KeptAnswers::of("render", &(args.output, &target.redact), checkout))?
}

/// Says which guards of the renderers' cell there are, and which Kubernetes charts were shown.
fn verbose(setting: &Setting, ui: &mut Ui) {
    let guards = Guards::of_this_machine(setting.launcher.as_ref());
    for line in guards.lines(&setting.limits) {
        // A closed stderr has no reader.
        let _ = writeln!(ui.stderr(), "cell: {line}");
    }
    if let Some(version) = setting.kubernetes.used() {
        let _ = writeln!(ui.stderr(), "{}", present::charts_for(version));
    }
}
