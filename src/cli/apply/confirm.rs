//! Which plan is carried out: the one that was approved, or that a person says yes to.

use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use super::{ApplyArgs, NOTHING_WRITTEN};
use crate::app::{Look, Recording, Survey, check_not_held};
use crate::cli::exit::{Exit, Failure};
use crate::cli::present::{self, OutputFormat};
use crate::cli::recording::{in_sync, refused_as_a_whole};
use crate::cli::session::{Session, SessionOptions};
use crate::cli::ui::Ui;
use crate::core::approval::Approval;
use crate::core::report::Report;
use crate::local::plan_file;

/// The plan to carry out, once it is known to be wanted.
pub(super) struct ConfirmedApply {
    pub(super) session: Session,
    pub(super) survey: Survey,
    pub(super) approval: Option<Approval>,
    /// Whether a person said yes to the plan.
    pub(super) asked: bool,
}

/// The decision about a plan.
pub(super) enum Decision {
    /// It is carried out.
    Apply(Box<ConfirmedApply>),
    /// There is nothing to do, as the target is known to be in sync. It was said. With the exit status.
    InSync(Exit),
    /// It is not carried out: the answer was no, or an approved plan does not hold any more.
    Declined,
}

/// Looks, decides, and asks where a person can be asked.
pub(super) async fn ready(
    args: &ApplyArgs,
    directory: &Path,
    recording: Option<&Recording>,
    ui: &mut Ui,
) -> Result<Decision, Failure> {
    let ApplyArgs { target, throwaway, plan, yes, output, .. } = args;
    let stored = plan.as_deref().map(plan_file::read).transpose()?;
    let (approval, sha256) = stored.map(|it| (it.approval, it.sha256)).unzip();
    let approved = approval.as_ref().map(|approval| &approval.purpose);
    let mut session = Session::open(
        SessionOptions { target, throwaway, approved, is_one_of_several: false },
        directory,
        ui,
    )
    .await?;
    session.plan_sha256 = sha256;
    session.name_plan(*output, ui);
    // An approval and waiting are about the objects themselves.
    let is_about_objects =
        approval.is_some() || args.waits(&session.named.run_options, ui.has_progress());
    let look = match is_about_objects {
        true => session.survey(ui).await.map(Box::new).map(Look::Survey),
        false => session.look(ui).await,
    };
    if let Err(failure) = &look {
        Box::pin(refused_as_a_whole(recording, &session, failure, ui)).await;
    }
    let look = look?;
    let mut survey = match look {
        Look::Survey(survey) => *survey,
        Look::InSync(synced) => {
            session.remember_cluster(&synced);
            let told = Box::pin(in_sync(recording, &session, &session.named)).await;
            told.iter().for_each(|text| ui.warning(text));
            let (view, glyphs) = (session.in_sync_view(&synced), ui.glyphs());
            present::report(ui.stdout(), &view, &Report::in_sync(), *output, glyphs)?;
            return Ok(Decision::InSync(session.good_exit()));
        }
    };
    if let Err(held) = check_not_held(&survey, &session.named.target, args.passes()) {
        if survey.writes() || !survey.is_in_sync() {
            return Err(held.into());
        }
        let (view, glyphs) = (session.view(&survey), ui.glyphs());
        present::report(ui.stdout(), &view, &Report::in_sync(), *output, glyphs)?;
        return Ok(Decision::InSync(session.good_exit()));
    }
    let difference = approval.as_ref().map(|approval| approval.difference(survey.approval_input()));
    let glyphs = ui.glyphs();
    if let Some(difference) = difference.filter(|difference| !difference.is_none()) {
        session.explain(&mut survey).await;
        present::moved(ui.stdout(), &session.view(&survey), &difference, *output, glyphs)?;
        return Ok(Decision::Declined);
    }
    if survey.has_failed() && args.is_unattended() {
        let (view, commit) = (session.view(&survey), survey.found.revision.short());
        match output {
            OutputFormat::Text => writeln!(
                ui.stdout(),
                "{} is NOT at {commit}: it failed before, and --yes does not try it again; --rev {commit} does",
                session.named.name
            )?,
            _ => present::plan(ui.stdout(), &view, *output, glyphs)?,
        }
        return Ok(Decision::Declined);
    }
    let asked = survey.decided.plan.writes() && approval.is_none() && !yes && ui.can_ask();
    if asked {
        session.explain(&mut survey).await;
        present::plan(ui.stdout(), &session.view(&survey), OutputFormat::Text, glyphs)?;
        let since = Instant::now();
        if !ui.confirm(&present::question(&session.view(&survey))).await? {
            ui.note(NOTHING_WRITTEN);
            return Ok(Decision::Declined);
        }
        session.waited(since.elapsed());
    }
    Ok(Decision::Apply(Box::new(ConfirmedApply { session, survey, approval, asked })))
}
