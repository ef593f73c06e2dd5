//! `trueup diff`: what apply would change.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::all_targets::{self, AllTargetsOptions};
use super::approved;
use super::exit::{Exit, Failure};
use super::external::Program;
use super::headings::{HOW, WHAT};
use super::holding::warn_of_hold;
use super::present::{self, OutputFormat, PlanView};
use super::session::{Session, SessionOptions};
use super::target::{FilesArgs, TargetArgs};
use super::throwaway::ThrowawayArgs;
use super::ui::Ui;
use crate::app::{Look, beside_git};
use crate::local::plan_file;

/// The end of `trueup diff --help`.
const EXAMPLES: &str = "\
Examples:
  trueup diff                            the only target of trueup.yaml, at HEAD
  trueup diff --target prod              one target of several
  trueup diff --all-targets              each of them
  trueup diff envs/prod --rev v1.4       a folder as it was at a tag
  trueup diff --worktree                 what is not committed yet, too
  trueup diff --sandbox                  against an empty API server of its own
  trueup diff --out plan.json            to be approved, then apply --plan it
  trueup diff --plan plan.json           what is in such a file
  trueup diff -o markdown                for a comment on a pull request
  trueup diff -o github                  annotations in a GitHub workflow";

/// Show what apply would change
///
/// Nothing is written. What would come of a change is asked of the API server, so defaults,
/// conversions and admission are part of the answer.
///
/// As text, the differences are shown by the program that KUBECTL_EXTERNAL_DIFF names, if any: it
/// gets two folders and ends with 0 or 1, as diff does.
///
/// On a terminal the text goes through the pager that TRUEUP_PAGER or PAGER names, or else less.
///
/// Exit status 0: no differences, 1: differences, 2: could not tell.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DiffArgs {
    /// Show the plan file that `trueup diff --out FILE` made
    ///
    /// It holds the plan's scope and permissions, the action for each object, and its SHA-256. It
    /// holds no value of any object, so no differences are shown. Neither the cluster nor git is
    /// asked.
    #[arg(
        long,
        value_name = "FILE",
        help_heading = WHAT,
        display_order = 4,
        hide_short_help = true,
        conflicts_with_all = [
            "paths", "rev", "worktree", "name", "moved", "allow_delete", "replace", "max_prune",
            "allow_empty", "adopt", "on_conflict", "strict", "verify", "all_fields", "out",
        ]
    )]
    #[cfg_attr(unix, arg(conflicts_with = "sandbox"))]
    plan: Option<PathBuf>,

    /// Show every target of trueup.yaml
    ///
    /// Over one connection: what they have in common is asked for once. One that can't be told does
    /// not keep the others from being shown, and makes the exit status 2.
    #[arg(
        long,
        help_heading = WHAT,
        display_order = 2,
        conflicts_with_all = ["paths", "target", "name", "moved", "plan", "out", "all_fields"]
    )]
    all_targets: bool,

    /// Show what others set beside what git declares, too
    ///
    /// Which field, to what, who and when. Such a field is no difference, and apply leaves it. Status and what the API server fills in
    /// are left out. As text and JSON.
    #[arg(long, help_heading = WHAT, display_order = 9)]
    all_fields: bool,

    /// Write the plan too, for `trueup apply --plan FILE`
    ///
    /// The file names the commit, the cluster and the objects, with digests of the fields that the
    /// plan depends on. It holds no value of any object.
    #[arg(long, value_name = "FILE", conflicts_with = "worktree", help_heading = HOW, display_order = 1)]
    #[cfg_attr(unix, arg(conflicts_with = "sandbox"))]
    out: Option<PathBuf>,

    #[command(flatten)]
    target: TargetArgs,

    #[command(flatten)]
    throwaway: ThrowawayArgs,

    /// How to print the answer
    #[arg(short, long, value_name = "FORMAT", default_value = "text", help_heading = HOW, display_order = 2)]
    output: OutputFormat,

    /// Do not give the text to a pager, on a terminal either
    #[arg(long, help_heading = HOW, display_order = 10, hide_short_help = true)]
    no_pager: bool,

    /// Exit 0 where there are differences, too
    #[arg(long, help_heading = HOW, display_order = 4)]
    exit_zero: bool,
}

/// Shows what apply would change; writes nothing.
///
/// # Errors
///
/// When it can't be found out whether the cluster is at the commit.
pub async fn run(args: DiffArgs, directory: &Path, ui: &mut Ui) -> Result<Exit, Failure> {
    let DiffArgs {
        all_targets,
        target,
        throwaway,
        plan,
        all_fields,
        out,
        output,
        no_pager,
        exit_zero,
    } = args;
    if all_targets {
        let options = AllTargetsOptions { output, no_pager, exit_zero };
        return Box::pin(all_targets::diff(&target, &throwaway, options, directory, ui)).await;
    }
    if let Some(path) = plan {
        let stored = plan_file::read(&path)?;
        let FilesArgs { target, namespace, .. } = &target.files;
        stored.approval.purpose.agrees(target.as_deref(), namespace.as_deref())?;
        let glyphs = ui.glyphs();
        present::plan_file::write(ui.stdout(), &stored, output, glyphs)?;
        if output == OutputFormat::Text {
            ui.note(&present::plan_file_line(&stored.sha256));
        }
        let is_empty = stored.approval.changes.is_empty();
        return Ok(if is_empty || exit_zero { Exit::AtCommit } else { Exit::NotAtCommit });
    }
    if all_fields && !matches!(output, OutputFormat::Text | OutputFormat::Json) {
        return Err(anyhow::anyhow!("--all-fields goes with -o text and -o json alone").into());
    }
    let external = match output {
        OutputFormat::Text => Program::from_environment()?,
        _ => None,
    };
    let wanted = SessionOptions {
        target: &target,
        throwaway: &throwaway,
        approved: None,
        is_one_of_several: false,
    };
    let mut session = Session::open(wanted, directory, ui).await?;
    session.named.target.whole = all_fields;
    // A plan file, a diff program and the fields of others are about the objects themselves.
    let is_about_objects = out.is_some() || external.is_some() || all_fields;
    let look = match is_about_objects {
        true => Look::Survey(Box::new(session.survey(ui).await?)),
        false => session.look(ui).await?,
    };
    let mut survey = match look {
        Look::Survey(survey) => survey,
        Look::InSync(synced) => {
            show(&session.in_sync_view(&synced), output, no_pager, ui)?;
            return Ok(if exit_zero { Exit::AtCommit } else { session.good_exit() });
        }
    };
    warn_of_hold(&session, &survey, ui);
    if let Some(path) = &out {
        let sha256 = plan_file::write(path, &approved::approval(&session, &survey)?)?;
        session.plan_sha256 = Some(sha256);
    }
    session.explain(&mut survey).await;
    if all_fields {
        survey.explained.undeclared = Some(beside_git(&survey));
    }
    let glyphs = ui.glyphs();
    let view = session.view(&survey);
    match external {
        Some(program) => {
            if program.show(&view).await?.is_none() {
                return Ok(Exit::Interrupted);
            }
            present::beside(ui.stderr(), &view, glyphs)?;
        }
        None => show(&view, output, no_pager, ui)?,
    }
    session.name_plan(output, ui);
    let same = survey.is_in_sync();
    // The process ends here; to give back thousands of objects one by one takes a while.
    std::mem::forget(survey);
    Ok(match same {
        _ if exit_zero => Exit::AtCommit,
        true => session.good_exit(),
        false => Exit::NotAtCommit,
    })
}

/// Prints a view, text through the pager where there is one.
fn show(view: &PlanView<'_>, format: OutputFormat, no_pager: bool, ui: &mut Ui) -> io::Result<()> {
    match format {
        OutputFormat::Text if !no_pager => {
            ui.page(|mut out, glyphs| present::plan(&mut out, view, format, glyphs))
        }
        _ => {
            let glyphs = ui.glyphs();
            present::plan(ui.stdout(), view, format, glyphs)
        }
    }
}
