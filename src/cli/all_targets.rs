//! `trueup diff --all-targets`: every target of `trueup.yaml`, in one run over one connection.

use std::io::Write as _;
use std::path::Path;
use std::pin::pin;
use std::time::Instant;

use futures::StreamExt as _;

use super::exit::{Exit, Failure};
use super::present::all_targets::{AllTargets, TargetEnd, TargetFailure};
use super::present::{OutputFormat, PlanView};
use super::session::{Session, SessionOptions};
use super::target::{FilesArgs, NamedTarget, TargetArgs};
use super::throwaway::ThrowawayArgs;
use super::ui::Ui;
use crate::app::{Look, Target, TargetLook, look_at_all};
use crate::config::FILE;
use crate::core::source::snapshot::short;
use crate::git::Checkout;

/// How the answer is printed.
#[derive(Clone, Copy, Debug)]
pub(super) struct AllTargetsOptions {
    pub(super) output: OutputFormat,
    pub(super) no_pager: bool,
    pub(super) exit_zero: bool,
}

/// Why there are no targets: without a file, or with one that lists none.
fn none(files: &FilesArgs, checkout: &Checkout) -> Result<Failure, Failure> {
    let error = match files.has_config(checkout)? {
        true => anyhow::anyhow!("{FILE} declares no targets"),
        false if files.worktree => anyhow::anyhow!("the work tree has no {FILE}"),
        false => {
            let revision = checkout.resolve(files.rev.as_deref())?;
            anyhow::anyhow!("commit {} has no {FILE}", short(&revision.commit))
        }
    };
    let hints = vec!["leave --all-targets out: the whole checkout is the target then".into()];
    Ok(Failure { error, hints })
}

/// Shows what apply would change, target by target; writes nothing.
///
/// # Errors
///
/// When the commit, its settings or the cluster can't be read. One target that can't be told is none:
/// the others are.
pub(super) async fn diff(
    args: &TargetArgs,
    throwaway: &ThrowawayArgs,
    options: AllTargetsOptions,
    directory: &Path,
    ui: &mut Ui,
) -> Result<Exit, Failure> {
    let begin = Instant::now();
    let mut args = args.clone();
    // The checkout names the targets, so that all rules count.
    args.files.is_named_by_checkout = true;
    let checkout = Checkout::discover(directory)?;
    let (_, judged) = args.judge(&checkout)?;
    let files = match judged.refused {
        Some(_) => FilesArgs { rev: Some(judged.revision.commit), ..args.files.clone() },
        None => args.files.clone(),
    };
    let config = files.config(&checkout)?;
    let names: Vec<String> = config.targets.into_keys().collect();
    args.files.target = names.first().cloned();
    if names.is_empty() {
        return Err(none(&files, &checkout)?);
    }
    let wanted = SessionOptions { target: &args, throwaway, approved: None };
    let mut session = Session::open(wanted, directory, ui).await?;
    let named = names.iter().map(|name| {
        args.files.target = Some(name.clone());
        args.resolve(directory, &session.checkout, &session.cluster)
    });
    let named: Vec<NamedTarget> = named.collect::<Result<_, _>>()?;
    let targets: Vec<Target> = named.iter().map(|named| named.target.clone()).collect();

    let (checkout, cluster) = (session.checkout.clone(), session.cluster.clone());
    let waiting = ui.waiting("reading git and the cluster");
    let looks = look_at_all(&targets, &checkout, &cluster).await;
    waiting.finish_and_clear();
    let mut looks = pin!(looks?);
    let mut all = AllTargets::new(options.output, ui.glyphs());
    while let Some(TargetLook { index, look, requests }) = looks.next().await {
        session.named = named[index].clone();
        ui.cell();
        session.warn_of_credentials(ui);
        match look {
            Ok(Look::InSync(synced)) => {
                ui.uncommitted(&synced.uncommitted);
                let view = PlanView { requests, ..session.in_sync_view(&synced) };
                all.add(&view, TargetEnd::InSync)?;
            }
            Ok(Look::Survey(mut survey)) => {
                Session::warn(&survey, &session.named.shown_paths, ui);
                session.explain(&mut survey).await;
                let same = survey.is_in_sync();
                let elapsed = survey.found.begun.elapsed();
                let view = PlanView { requests, elapsed, ..session.view(&survey) };
                all.add(&view, if same { TargetEnd::InSync } else { TargetEnd::Differs })?;
            }
            Err(error) => {
                ui.problems(error.problems());
                let failure = Failure::from(error);
                all.fail(TargetFailure {
                    target: names[index].clone(),
                    error: failure.error.to_string(),
                    causes: failure.error.chain().skip(1).map(ToString::to_string).collect(),
                    hints: failure.hints.clone(),
                });
                let error = failure.error.context(format!("cannot tell target {}", names[index]));
                ui.failure(&Failure { error, ..failure });
            }
        }
    }
    let exit = match (all.failed(), all.differing()) {
        (0, _) if options.exit_zero => Exit::AtCommit,
        (0, 0) => session.good_exit(),
        (0, _) => Exit::NotAtCommit,
        _ => Exit::CouldNot,
    };
    let answer = all.finish(session.cluster.requests(), begin.elapsed())?;
    match options.output {
        OutputFormat::Text if !options.no_pager => ui.page(|out, _| out.write_all(&answer))?,
        _ => ui.stdout().write_all(&answer)?,
    }
    Ok(exit)
}
