//! `trueup check`: are these manifests sound? No cluster, no credentials.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use clap::Args;

use super::exit::{Exit, Failure};
use super::failed_target;
use super::headings::HOW;
use super::kept::findings::CheckAnswer;
use super::kept::{CacheArgs, KeptAnswers};
use super::kubernetes;
use super::merged::MergedAnswer;
use super::outside::{self, Rest};
use super::policies::Policies;
use super::present::check::{self as present, CheckFormat, CheckView};
use super::target::FilesArgs;
use super::target_choice::{TargetChoice, targets};
use super::ui::Ui;
use crate::app::{
    Beside, Declaration, Declared, FilesDigest, Outline, Target, declare_unless, defined_by_others,
};
use crate::core::check::{CheckRule, Finding, Level, Set, check_by};
use crate::core::kinds::schemas::{DEFAULT, Schemas};
use crate::core::object::GroupKind;
use crate::core::source::snapshot::Revision;
use crate::git::{Checkout, Uncommitted};
use crate::local::schema_folder;

/// The end of `trueup check --help`.
const EXAMPLES: &str = "\
Examples:
  trueup check                           every target of trueup.yaml, else the whole
                                         checkout, at HEAD
  trueup check --target prod             one target of several
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
/// Without PATH and --target, every target of trueup.yaml is checked with its own settings. A kind that
/// only another target defines is held against that definition. Manifests that belong to no target are
/// warnings.
///
/// Exit status 0: no errors, 1: errors, 2: could not tell, also of one target.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CheckArgs {
    #[command(flatten)]
    files: FilesArgs,

    #[command(flatten)]
    cache: CacheArgs,

    /// Release whose schemas to use, and that charts are rendered for [default: that of the sandbox]
    #[arg(long, value_name = "VERSION", value_parser = kubernetes::release, help_heading = HOW, display_order = 3, hide_short_help = true)]
    kubernetes_version: Option<&'static str>,

    /// Folder with schemas of custom resources; may be given more than once
    ///
    /// It holds JSON Schema as kubeconform and the CRDs-catalog name it, such as
    /// `cert-manager.io/issuer_v1.json`, or CustomResourceDefinitions in YAML. Definitions among the
    /// manifests come first.
    #[arg(long, value_name = "DIR", env = "TRUEUP_SCHEMAS", value_delimiter = ',', value_hint = clap::ValueHint::DirPath, help_heading = HOW, display_order = 3, hide_short_help = true)]
    schemas: Vec<PathBuf>,

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
pub async fn run(mut args: CheckArgs, directory: &Path, ui: &mut Ui) -> Result<Exit, Failure> {
    let begin = Instant::now();
    // One commit for all targets, and for the settings that name them.
    let checkout = Checkout::discover(directory)?.steady();
    let TargetChoice { mut targets, are_all } = targets(&args.files, directory, &checkout)?;
    let release = args.kubernetes_version.unwrap_or(DEFAULT);
    let policies = Policies::read(&args.policy, directory)?;
    args.schemas.iter_mut().for_each(|folder| *folder = directory.join(&*folder));
    let names: Vec<String> = targets.iter().filter_map(|it| it.declared.clone()).collect();
    let is_one = targets.len() == 1;
    let mut uncommitted = Uncommitted::default();
    let mut merged = MergedAnswer::default();
    let mut charts_for = None;
    let mut read_elsewhere = Vec::new();
    for target in &mut targets {
        let name = target.declared.clone();
        target.render.reuse = !args.cache.no_cache;
        target.render.kubernetes = kubernetes::of_release(args.kubernetes_version);
        let at = At { checkout: &checkout, release, policies: &policies };
        let TargetAnswer { answer, revision, uncommitted: found, read_elsewhere: read } =
            match (answer(&args, target, at, ui).await, &name) {
                (Ok(answer), _) => answer,
                (Err(failure), Some(name)) if !is_one => {
                    merged.fail(name, failed_target::finding(name, target, failure)?);
                    continue;
                }
                (Err(failure), _) => return Err(failure),
            };
        charts_for = charts_for.or(target.render.kubernetes.used().map(str::to_owned));
        uncommitted.join(found);
        read_elsewhere.extend(read);
        merged.add(name.as_deref(), answer, revision);
    }
    // What a target that can't be read would have read is not known.
    if are_all && merged.failed == 0 {
        let others = args.schemas.iter().chain(&args.policy).map(PathBuf::as_path);
        let rest = Rest {
            targets: &targets,
            read_elsewhere: &read_elsewhere,
            others: outside::in_checkout(others, directory, &checkout),
            reuse: !args.cache.no_cache,
        };
        let findings = rest.findings(&checkout).await?;
        findings.into_iter().for_each(|finding| merged.note(None, finding));
    }
    ui.uncommitted(&uncommitted);
    let (findings, found_in) = merged.take();
    let MergedAnswer { objects, files, mut revision, failed, .. } = merged;
    if revision.is_none() && !args.files.worktree {
        revision = Some(checkout.resolve(args.files.rev.as_deref())?);
    }
    let view = CheckView {
        findings: &findings,
        found_in: &found_in,
        targets: &names,
        objects,
        files,
        release,
        charts_for: charts_for.as_deref(),
        commit: revision.as_ref().map_or("", |revision| revision.commit.as_str()),
        dirty: revision.as_ref().is_some_and(|revision| revision.dirty),
        elapsed: begin.elapsed(),
    };
    let glyphs = ui.glyphs();
    present::write(ui.stdout(), &view, args.output, glyphs)?;
    if failed > 0 {
        return Ok(Exit::CouldNot);
    }
    let is_sound = view.count(Level::Error) == 0
        && (view.count(Level::Warning) == 0 || !args.warnings_as_errors);
    Ok(if is_sound || args.exit_zero { Exit::AtCommit } else { Exit::NotAtCommit })
}

/// Where manifests are from, and what they are held against.
#[derive(Clone, Copy)]
struct At<'a> {
    checkout: &'a Checkout,
    release: &'static str,
    policies: &'a Policies,
}

/// The answer about one target.
struct TargetAnswer {
    answer: CheckAnswer,
    revision: Revision,
    uncommitted: Uncommitted,
    /// The files and folders outside its paths that rendering reads.
    read_elsewhere: Vec<String>,
}

/// Reads a target and checks it, unless its files were checked before.
async fn answer(
    args: &CheckArgs,
    target: &Target,
    at: At<'_>,
    ui: &mut Ui,
) -> Result<TargetAnswer, Failure> {
    let At { checkout, release, policies: _ } = at;
    let kept = kept(args, target, release, checkout).map(Arc::new);
    let recall = {
        let kept = kept.clone();
        move |files: &FilesDigest| CheckAnswer::from_bytes(&kept?.recall(files)?)
    };
    let waiting = ui.waiting("reading and rendering");
    let declaration = declare_unless(target, checkout, Beside::Changes, recall).await;
    waiting.finish_and_clear();
    let declaration = declaration?;
    ui.cell();
    match declaration {
        Declaration::Known(answer, outline) => {
            let Outline { revision, uncommitted } = outline;
            // Only what is not rendered is known from before.
            Ok(TargetAnswer { answer, revision, uncommitted, read_elsewhere: Vec::new() })
        }
        Declaration::Read(declared, digest) => {
            let Found { findings, is_kept } = findings(args, target, &declared, at, ui).await?;
            let (objects, files) = (declared.manifests.len(), declared.files);
            let answer = CheckAnswer { findings, objects, files };
            if let (Some(kept), Some(digest), true) = (kept, digest, is_kept) {
                kept.keep(&digest, &answer.to_bytes());
            }
            let (revision, uncommitted) = (declared.revision.clone(), declared.uncommitted.clone());
            let read_elsewhere = declared.read_elsewhere.clone();
            // To give back every field of every object takes longer than to end with them.
            std::mem::forget(declared);
            Ok(TargetAnswer { answer, revision, uncommitted, read_elsewhere })
        }
    }
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
    // The content of policies and of folders of schemas is no part of the key.
    if args.cache.no_cache || !args.policy.is_empty() || !args.schemas.is_empty() {
        return None;
    }
    // The work that patterns may be is shared out to as many threads as there are processors.
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let is_alone = target.others.is_empty();
    let fields = (&target.ignore, &target.redact);
    let settings = (release, &target.namespace, fields, processors, is_alone);
    KeptAnswers::of("check", &settings, checkout)
}

/// The findings of a target, and whether they depend on its files alone.
struct Found {
    findings: Vec<Finding>,
    is_kept: bool,
}

/// All findings: those of the schemas, and those of an API server where one is asked.
#[cfg_attr(not(unix), allow(unused_variables, reason = "there are no sandboxes"))]
async fn findings(
    args: &CheckArgs,
    target: &Target,
    declared: &Declared,
    at: At<'_>,
    ui: &mut Ui,
) -> Result<Found, Failure> {
    let At { checkout, release, policies } = at;
    let schemas = || {
        let schemas = Schemas::of(release);
        schemas.ok_or_else(|| anyhow::anyhow!("no schemas of Kubernetes {release}"))
    };
    let problems = [&declared.problems[..], &policies.problems].concat();
    let set = Set {
        manifests: &declared.manifests,
        problems: &problems,
        warnings: &declared.warnings,
        unreferenced: &declared.unreferenced,
        others: &declared.others,
        namespace: &target.namespace,
        ignore: &target.ignore,
        redact: &target.redact,
        inputs: &declared.inputs,
    };
    let mut findings = check_by(set, schemas()?, &policies.manifests);
    let unknown = unknown_kinds(&findings);
    let has_unknown = !unknown.is_empty();
    let is_kept = !has_unknown || target.others.is_empty();
    let definitions = if is_kept {
        Vec::new()
    } else {
        defined_by_others(target, checkout, &declared.revision, unknown).await?
    };
    if !definitions.is_empty() || !args.schemas.is_empty() {
        let mut schemas = schemas()?;
        definitions.iter().for_each(|definition| schemas.define(definition));
        add_folders(&mut schemas, args, declared).map_err(anyhow::Error::new)?;
        if has_unknown {
            findings = check_by(set, schemas, &policies.manifests);
        }
    }
    #[cfg(unix)]
    if args.sandbox {
        let rehearsal = super::throwaway::rehearsal(set, ui).await?;
        findings = rehearsal.beside(findings);
    }
    Ok(Found { findings, is_kept })
}

/// The kinds that nothing has a schema for.
fn unknown_kinds(findings: &[Finding]) -> BTreeSet<GroupKind> {
    let unknown = findings.iter().filter(|finding| finding.rule == CheckRule::NoSchema);
    unknown.filter_map(|finding| Some(finding.object.as_ref()?.group_kind())).collect()
}

/// Adds the schemas of the folders for the kinds that neither the release nor the manifests define.
fn add_folders(
    schemas: &mut Schemas,
    args: &CheckArgs,
    declared: &Declared,
) -> Result<(), schema_folder::SchemaFileError> {
    if args.schemas.is_empty() {
        return Ok(());
    }
    let objects = || declared.manifests.iter().map(|manifest| &manifest.object);
    objects().for_each(|object| schemas.define(object));
    let kinds = objects().map(|object| (object.group_kind(), object.version().to_owned()));
    let kinds: BTreeSet<_> = kinds.filter(|(kind, _)| schemas.is_unknown(kind)).collect();
    let wanted: Vec<_> = kinds.into_iter().collect();
    args.schemas.iter().try_for_each(|folder| schema_folder::add(schemas, folder, &wanted))
}
