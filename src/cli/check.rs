//! `trueup check`: are these manifests sound? No cluster, no credentials.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use clap::Args;

use super::exit::{Exit, Failure};
use super::headings::HOW;
use super::kept::findings::CheckAnswer;
use super::kept::{CacheArgs, KeptAnswers};
use super::kubernetes;
use super::policies::Policies;
use super::present::check::{self as present, CheckFormat, CheckView};
use super::target::FilesArgs;
use super::ui::Ui;
use crate::app::{Beside, Declaration, Declared, FilesDigest, Target, declare_unless};
use crate::core::check::{Finding, Level, Set, check_by};
use crate::core::kinds::schemas::Schemas;
use crate::git::Checkout;

/// The end of `trueup check --help`.
const EXAMPLES: &str = "\
Examples:
  trueup check                           the whole checkout, at HEAD
  trueup check envs/prod --worktree      what is not committed yet, too
  trueup check -o github                 annotations in a GitHub workflow
  trueup check -o sarif > trueup.sarif   for code scanning
  trueup check --sandbox                 ask an API server of its own as well";

/// Check manifests without a cluster
///
/// Manifests are read; kustomizations, Helm charts and Jsonnet programs are rendered. Every object
/// is held against the schema of its kind: those of a Kubernetes release, which come with trueup,
/// and those of the CustomResourceDefinitions among the manifests. Names of things that are nowhere
/// among them are warnings. Rules in CEL of definitions and of ValidatingAdmissionPolicies among
/// the manifests are evaluated.
///
/// Exit status 0: no errors, 1: errors, 2: could not tell.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CheckArgs {
    #[command(flatten)]
    files: FilesArgs,

    #[command(flatten)]
    cache: CacheArgs,

    /// Release whose schemas to use, and that charts are rendered for [default: the newest]
    #[arg(long, value_name = "VERSION", value_parser = kubernetes::release, help_heading = HOW, display_order = 3, hide_short_help = true)]
    kubernetes_version: Option<&'static str>,

    /// Ask a throwaway API server about every object as well
    ///
    /// It runs on this machine and is taken down afterwards.
    #[cfg(unix)]
    #[arg(long, help_heading = HOW, display_order = 2)]
    sandbox: bool,

    /// Evaluate the admission policies of this file or folder as well
    ///
    /// It holds ValidatingAdmissionPolicies, their bindings and parameters as YAML or JSON. A policy
    /// without a binding does nothing, as on a server. Can be given several times.
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::AnyPath, help_heading = HOW, display_order = 4, hide_short_help = true)]
    policy: Vec<PathBuf>,

    /// Exit 1 where there are only warnings, too
    #[arg(short = 'W', long, help_heading = HOW, display_order = 5)]
    warnings_as_errors: bool,

    /// How to print what is found
    #[arg(short, long, value_name = "FORMAT", default_value = "text", help_heading = HOW, display_order = 1)]
    output: CheckFormat,

    /// Exit 0 where there are errors, too
    #[arg(long, help_heading = HOW, display_order = 6)]
    exit_zero: bool,
}

/// Checks the manifests and says what is wrong with them.
///
/// # Errors
///
/// When they can't be read from git.
pub async fn run(args: CheckArgs, directory: &Path, ui: &mut Ui) -> Result<Exit, Failure> {
    let begin = Instant::now();
    let checkout = Checkout::discover(directory)?;
    let mut target = args.files.resolve(directory, &checkout)?;
    target.render.reuse = !args.cache.no_cache;
    target.render.kubernetes = kubernetes::of_release(args.kubernetes_version);
    let release = args.kubernetes_version.unwrap_or_else(kubernetes::newest);
    let policies = Policies::read(&args.policy, directory)?;
    let kept = kept(&args, &target, release, &checkout).map(Arc::new);
    let recall = {
        let kept = kept.clone();
        move |files: &FilesDigest| CheckAnswer::from_bytes(&kept?.recall(files)?)
    };
    let waiting = ui.waiting("reading and rendering");
    let declaration = declare_unless(&target, &checkout, Beside::Changes, recall).await;
    waiting.finish_and_clear();
    let declaration = declaration?;
    ui.cell();
    let (answer, revision) = match declaration {
        Declaration::Known(answer, outline) => {
            ui.uncommitted(&outline.uncommitted);
            (answer, outline.revision)
        }
        Declaration::Read(declared, digest) => {
            ui.uncommitted(&declared.uncommitted);
            let findings = findings(&args, &target, &declared, &policies, ui).await?;
            let (objects, files) = (declared.manifests.len(), declared.files);
            let answer = CheckAnswer { findings, objects, files };
            if let (Some(kept), Some(digest)) = (kept, digest) {
                kept.keep(&digest, &answer.to_bytes());
            }
            let revision = declared.revision.clone();
            // To give back every field of every object takes longer than to end with them.
            std::mem::forget(declared);
            (answer, revision)
        }
    };
    let view = CheckView {
        findings: &answer.findings,
        objects: answer.objects,
        files: answer.files,
        release,
        charts_for: target.render.kubernetes.used(),
        commit: &revision.commit,
        dirty: revision.dirty,
        elapsed: begin.elapsed(),
    };
    let glyphs = ui.glyphs();
    present::write(ui.stdout(), &view, args.output, glyphs)?;
    let is_sound = view.count(Level::Error) == 0
        && (view.count(Level::Warning) == 0 || !args.warnings_as_errors);
    Ok(if is_sound || args.exit_zero { Exit::AtCommit } else { Exit::NotAtCommit })
}

/// Where answers of earlier runs are, if they count. An API server may answer otherwise each time.
fn kept(
    args: &CheckArgs,
    target: &Target,
    release: &str,
    checkout: &Checkout,
) -> Option<KeptAnswers> {
    #[cfg(unix)]
    if args.sandbox {
        return None;
    }
    // Files of policies are not part of the key.
    if args.cache.no_cache || !args.policy.is_empty() {
        return None;
    }
    // The work that patterns may be is shared out to as many threads as there are processors.
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let settings = (release, &target.namespace, &target.redact, processors);
    KeptAnswers::of("check", &settings, checkout)
}

/// All findings: those of the schemas, and those of an API server where one is asked.
#[cfg_attr(not(unix), allow(unused_variables, reason = "there are no sandboxes"))]
async fn findings(
    args: &CheckArgs,
    target: &Target,
    declared: &Declared,
    policies: &Policies,
    ui: &mut Ui,
) -> Result<Vec<Finding>, Failure> {
    let release = args.kubernetes_version.unwrap_or_else(kubernetes::newest);
    let schemas = Schemas::of(release);
    let schemas = schemas.ok_or_else(|| anyhow::anyhow!("no schemas of Kubernetes {release}"))?;
    let problems = [&declared.problems[..], &policies.problems].concat();
    let set = Set {
        manifests: &declared.manifests,
        problems: &problems,
        warnings: &declared.warnings,
        unreferenced: &declared.unreferenced,
        others: &declared.others,
        namespace: &target.namespace,
        redact: &target.redact,
        inputs: &declared.inputs,
    };
    let found = check_by(set, schemas, &policies.manifests);
    #[cfg(unix)]
    if args.sandbox {
        let rehearsal = super::throwaway::rehearsal(set, ui).await?;
        return Ok(rehearsal.beside(found));
    }
    Ok(found)
}
