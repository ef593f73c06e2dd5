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
use super::kubernetes::{self, NamedVersion};
use super::merged::MergedAnswer;
use super::other_targets::{self, There, is_about_missing};
use super::outside::{self, Rest};
use super::policies::{ParamKind, Policies, param_kinds};
use super::present::check::{self as present, CheckFormat, CheckView};
use super::schema_folders;
use super::target::FilesArgs;
use super::target_choice::{TargetChoice, targets};
use super::ui::Ui;
use crate::app::{
    Beside, Declaration, Declared, FilesDigest, Outline, Target, declare_unless, defined_by_others,
};
use crate::core::check::{Finding, Level, Set, check_by, there};
use crate::core::kinds::schemas::Schemas;
use crate::core::object::ObjectKey;
use crate::core::problem::Problem;
use crate::core::source::snapshot::Revision;
use crate::git::{Checkout, Uncommitted};

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
/// only another target defines is held against that definition, and an object that only another one
/// declares is not missing. Manifests that belong to no target are warnings.
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
    #[arg(long, value_name = "VERSION", value_parser = kubernetes::version, help_heading = HOW, display_order = 3, hide_short_help = true)]
    kubernetes_version: Option<NamedVersion>,

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
    let release = kubernetes::release_of(args.kubernetes_version.as_ref());
    let policies = Policies::read(&args.policy, directory)?;
    args.schemas.iter_mut().for_each(|folder| *folder = directory.join(&*folder));
    let aside = outside::aside(&args.schemas, &args.policy, directory, &checkout);
    let names: Vec<String> = targets.iter().filter_map(|it| it.declared.clone()).collect();
    let declared = targets.iter().filter(|it| it.declared.is_some());
    let paths: Vec<Vec<String>> = declared.map(|it| it.paths.clone()).collect();
    let is_one = targets.len() == 1;
    let mut uncommitted = Uncommitted::default();
    let mut merged = MergedAnswer::default();
    let mut charts_for = None;
    let mut answers = Vec::new();
    let mut read_elsewhere = Vec::new();
    let mut param_kinds = BTreeSet::new();
    for target in &mut targets {
        let name = target.declared.clone();
        target.render.reuse = !args.cache.no_cache;
        target.render.kubernetes = kubernetes::of_release(args.kubernetes_version.as_ref());
        target.aside.clone_from(&aside);
        let at = At { checkout: &checkout, release, policies: &policies };
        let TargetAnswer {
            answer,
            revision,
            uncommitted: found,
            read_elsewhere: read,
            param_kinds: wanted,
        } = match (answer(&args, target, at, ui).await, &name) {
            (Ok(answer), _) => answer,
            (Err(failure), Some(name)) if !is_one => {
                merged.fail(name, failed_target::finding(name, target, failure)?);
                read_elsewhere.extend(outside::read_by_parts(target, &checkout).await);
                continue;
            }
            (Err(failure), _) => return Err(failure),
        };
        charts_for = charts_for.or(target.render.kubernetes.used().map(str::to_owned));
        uncommitted.join(found);
        read_elsewhere.extend(read);
        param_kinds.extend(wanted);
        answers.push((name, answer, revision));
    }
    // A target that can't be read may have the policy.
    if merged.failed == 0 {
        policies.refuse_unusable(&param_kinds)?;
    }
    other_targets::settle(answers.iter_mut().map(|(_, answer, _)| answer));
    if let ([target], [(_, answer, _)]) = (&targets[..], &mut answers[..]) {
        let at = At { checkout: &checkout, release, policies: &policies };
        let others = target.others.keys().cloned().collect::<Vec<_>>();
        leave_to_others(&args, &others, answer, directory, at).await;
    }
    for (name, answer, revision) in answers {
        merged.add(name.as_deref(), answer, revision);
    }
    if are_all {
        let (targets, reuse) = (&targets, !args.cache.no_cache);
        let rest = Rest { targets, read_elsewhere: &read_elsewhere, aside: &aside, reuse };
        rest.add_to(&mut merged, &checkout).await?;
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
        paths: &paths,
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
    /// The kinds of parameters that its policies want.
    param_kinds: Vec<ParamKind>,
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
            let (read_elsewhere, param_kinds) = (Vec::new(), Vec::new());
            Ok(TargetAnswer { answer, revision, uncommitted, read_elsewhere, param_kinds })
        }
        Declaration::Read(declared, digest) => {
            let Found { findings, is_kept } = findings(args, target, &declared, at, ui).await?;
            let (objects, files) = (declared.manifests.len(), declared.files);
            let there = there_with(target, &declared, release);
            let answer = CheckAnswer { findings, objects, files, there };
            if let (Some(kept), Some(digest), true) = (kept, digest, is_kept) {
                kept.keep(&digest, &answer.to_bytes());
            }
            let (revision, uncommitted) = (declared.revision.clone(), declared.uncommitted.clone());
            let read_elsewhere = declared.read_elsewhere.clone();
            let param_kinds = param_kinds(&declared.manifests).collect();
            // To give back every field of every object takes longer than to end with them.
            std::mem::forget(declared);
            Ok(TargetAnswer { answer, revision, uncommitted, read_elsewhere, param_kinds })
        }
    }
}

/// The objects that there are with a target, where others may name them.
fn there_with(target: &Target, declared: &Declared, release: &str) -> Vec<ObjectKey> {
    match Schemas::of(release) {
        Some(schemas) if !target.others.is_empty() => there(set(target, declared, &[]), schemas),
        _ => Vec::new(),
    }
}

/// Takes out of the answer about one target what other targets have. Those that can't be read are
/// passed over: a check of them says so.
async fn leave_to_others(
    args: &CheckArgs,
    others: &[String],
    answer: &mut CheckAnswer,
    directory: &Path,
    at: At<'_>,
) {
    let At { checkout, release, policies: _ } = at;
    for name in others {
        if !answer.findings.iter().any(is_about_missing) {
            return;
        }
        let target = Some(name.clone());
        let files = FilesArgs { target, paths: Vec::new(), ..args.files.clone() };
        let Ok(mut target) = files.resolve(directory, checkout) else { continue };
        target.render.reuse = !args.cache.no_cache;
        target.render.kubernetes = kubernetes::of_release(args.kubernetes_version.as_ref());
        let kept = kept(args, &target, release, checkout);
        let recall = move |files: &FilesDigest| CheckAnswer::from_bytes(&kept?.recall(files)?);
        let declaration = declare_unless(&target, checkout, Beside::Nothing, recall).await;
        let there: There = match declaration {
            Ok(Declaration::Known(answer, _)) => answer.there.into_iter().collect(),
            Ok(Declaration::Read(declared, _)) => {
                there_with(&target, &declared, release).into_iter().collect()
            }
            Err(_) => continue,
        };
        answer.findings.retain(|finding| !other_targets::has(&there, finding));
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

/// The objects of a target.
fn set<'a>(target: &'a Target, declared: &'a Declared, problems: &'a [Problem]) -> Set<'a> {
    Set {
        manifests: &declared.manifests,
        problems,
        warnings: &declared.warnings,
        unreferenced: &declared.unreferenced,
        others: &declared.others,
        namespace: &target.namespace,
        ignore: &target.ignore,
        redact: &target.redact,
        inputs: &declared.inputs,
    }
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
    let set = set(target, declared, &problems);
    let mut findings = check_by(set, schemas()?, &policies.manifests);
    let unknown = schema_folders::unknown_kinds(&findings);
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
        schema_folders::add(&mut schemas, &args.schemas, declared).map_err(anyhow::Error::new)?;
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
