//! `trueup check`: are these manifests sound? No cluster, no credentials.

use std::path::Path;
use std::time::Instant;

use clap::Args;

use super::exit::{Exit, Failure};
use super::headings::HOW;
use super::present::check::{self as present, CheckFormat, CheckView};
use super::target::FilesArgs;
use super::ui::Ui;
use crate::app::{Declared, Target, declare};
use crate::core::check::{Finding, Level, Set, check};
use crate::core::kinds::schemas::{Schemas, releases};
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
/// among them are warnings.
///
/// Exit status 0: no errors, 1: errors, 2: could not tell.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CheckArgs {
    #[command(flatten)]
    files: FilesArgs,

    /// Release whose schemas to use [default: the newest]
    #[arg(long, value_name = "VERSION", value_parser = release, help_heading = HOW, display_order = 3, hide_short_help = true)]
    kubernetes_version: Option<&'static str>,

    /// Ask a throwaway API server about every object as well
    ///
    /// It runs on this machine and is taken down afterwards.
    #[cfg(unix)]
    #[arg(long, help_heading = HOW, display_order = 2)]
    sandbox: bool,

    /// Exit 1 where there are only warnings, too
    #[arg(short = 'W', long, help_heading = HOW, display_order = 4)]
    warnings_as_errors: bool,

    /// How to print what is found
    #[arg(short, long, value_name = "FORMAT", default_value = "text", help_heading = HOW, display_order = 1)]
    output: CheckFormat,

    /// Exit 0 where there are errors, too
    #[arg(long, help_heading = HOW, display_order = 5)]
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
    let target = args.files.resolve(directory, &checkout)?;
    let waiting = ui.waiting("reading and rendering");
    let declared = declare(&target, &checkout).await;
    waiting.finish_and_clear();
    let declared = declared?;
    ui.cell();
    ui.uncommitted(&declared.uncommitted);

    let release = args.kubernetes_version.or_else(|| releases().next()).unwrap_or_default();
    let findings = findings(&args, &target, &declared, release, ui).await?;
    let view = CheckView {
        findings: &findings,
        objects: declared.manifests.len(),
        files: declared.files,
        release,
        commit: &declared.revision.commit,
        dirty: declared.revision.dirty,
        elapsed: begin.elapsed(),
    };
    let glyphs = ui.glyphs();
    present::write(ui.stdout(), &view, args.output, glyphs)?;
    let is_sound = view.count(Level::Error) == 0
        && (view.count(Level::Warning) == 0 || !args.warnings_as_errors);
    Ok(if is_sound || args.exit_zero { Exit::AtCommit } else { Exit::NotAtCommit })
}

/// All findings: those of the schemas, and those of an API server where one is asked.
#[cfg_attr(not(unix), allow(unused_variables, reason = "there are no sandboxes"))]
async fn findings(
    args: &CheckArgs,
    target: &Target,
    declared: &Declared,
    release: &str,
    ui: &mut Ui,
) -> Result<Vec<Finding>, Failure> {
    let schemas = Schemas::of(release);
    let schemas = schemas.ok_or_else(|| anyhow::anyhow!("no schemas of Kubernetes {release}"))?;
    let set = Set {
        manifests: &declared.manifests,
        problems: &declared.problems,
        warnings: &declared.warnings,
        unreferenced: &declared.unreferenced,
        namespace: &target.namespace,
        redact: &target.redact,
        inputs: &declared.inputs,
    };
    let found = check(set, schemas);
    #[cfg(unix)]
    if args.sandbox {
        let rehearsal = super::throwaway::rehearsal(set, ui).await?;
        return Ok(rehearsal.beside(found));
    }
    Ok(found)
}

/// Reads `1.36`, `v1.36` or `1.36.3`.
fn release(text: &str) -> Result<&'static str, String> {
    let mut parts = text.trim_start_matches('v').split('.');
    let wanted =
        format!("{}.{}", parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    releases().find(|release| *release == wanted).ok_or_else(|| {
        format!("trueup has the schemas of {}", releases().collect::<Vec<_>>().join(", "))
    })
}
