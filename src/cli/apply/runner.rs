//! An apply under way: approves what other writers made of the plan, and shows what happens.

use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use super::{ApplyArgs, NOTHING_WRITTEN};
use crate::app::{Event, Runner, Survey, Target};
use crate::cli::exit::Failure;
use crate::cli::present::steps::Steps;
use crate::cli::present::{self, OutputFormat};
use crate::cli::session::Session;
use crate::cli::ui::Ui;
use crate::cli::waiting::WaitDisplay;
use crate::cli::{approved, locking};
use crate::cluster::Cluster;
use crate::core::approval::Approval;
use crate::core::source::snapshot::{Revision, short};

/// That the cluster can't be told from others by its uid.
pub(super) const BY_ADDRESS: &str = "no right to read Namespace kube-system: the target's cluster is remembered by its \
    address and certificate authority";

/// An apply under way.
pub(super) struct Applying<'a> {
    pub(super) args: &'a ApplyArgs,
    pub(super) session: &'a Session,
    pub(super) directory: &'a Path,
    pub(super) approval: Option<&'a Approval>,
    /// Whether a person said yes to the plan.
    pub(super) asked: bool,
    /// How long healthy objects are waited for.
    pub(super) wait: Duration,
    /// How long another run is waited for.
    pub(super) lock_timeout: Duration,
    /// Whose lock is waited for, as far as it was said.
    pub(super) awaited: Option<String>,
    /// The columns of the plan that is being carried out.
    pub(super) steps: Option<Steps>,
    /// The display while objects are waited for.
    pub(super) display: Option<WaitDisplay>,
    pub(super) ui: &'a mut Ui,
}

/// Why an apply ended before its plan was carried out.
pub(super) enum EndedEarly {
    /// The plan that others' writes led to was not approved.
    Declined,
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for EndedEarly {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Runner for Applying<'_> {
    type Error = EndedEarly;

    async fn survey(&mut self, before: &Survey, cluster: &Cluster) -> Result<Survey, EndedEarly> {
        Ok(self.session.survey_since(before, cluster, self.ui).await?)
    }

    /// Asks again where what was said yes to is not what there is to do now.
    async fn approve(&mut self, before: &Survey, now: &mut Survey) -> Result<(), EndedEarly> {
        let (session, ui) = (self.session, &mut *self.ui);
        let glyphs = ui.glyphs();
        if let Some(approval) = self.approval {
            let difference = approval.difference(now.approval_input());
            if !difference.is_none() {
                session.explain(now).await;
                let view = session.view(now);
                present::moved(ui.stdout(), &view, &difference, self.args.output, glyphs)?;
                return Err(EndedEarly::Declined);
            }
        }
        let is_same = || {
            let said = approved::approval(session, before).ok();
            said.is_some_and(|said| said.difference(now.approval_input()).is_none())
        };
        if !self.asked || !now.decided.plan.writes() || is_same() {
            return Ok(());
        }
        session.explain(now).await;
        ui.warning("the cluster changed meanwhile; updated plan:");
        present::plan(ui.stdout(), &session.view(now), OutputFormat::Text, glyphs)?;
        if ui.confirm(&present::question(&session.view(now))).await? {
            return Ok(());
        }
        ui.note(NOTHING_WRITTEN);
        Err(EndedEarly::Declined)
    }

    fn target_at(&self, commit: &str) -> Result<Target, EndedEarly> {
        Ok(self.session.at(&self.args.target, commit, self.directory)?)
    }

    fn rollback_failed(&mut self, _: &Revision, error: EndedEarly) -> Option<String> {
        if let EndedEarly::Failed(failure) = error {
            self.ui.failure(&failure);
        }
        None
    }

    fn hear(&mut self, survey: &Survey, event: &Event) {
        match event {
            Event::LockAwaited(holder) => {
                if self.awaited.as_ref() != Some(&holder.name) {
                    self.awaited = Some(holder.name.clone());
                    self.ui.note(&locking::waits_for(holder, self.lock_timeout));
                }
            }
            Event::LockForbidden(warning) | Event::NotRecorded(warning) => self.ui.warning(warning),
            Event::RememberedByAddress => self.ui.warning(BY_ADDRESS),
            Event::WaitBegan => self.display = Some(WaitDisplay::new(self.wait, self.ui)),
            Event::Waiting(proof) => {
                if let Some(display) = &mut self.display {
                    display.show(proof, self.ui);
                }
            }
            Event::WaitEnded => self.display.take().into_iter().for_each(WaitDisplay::finish),
            Event::Changed(_) | Event::RollbackBegan { .. } | Event::RollbackEnded(_) => {
                if self.args.output == OutputFormat::Text {
                    // Without a reader of stdout the work goes on.
                    let _ = self.write(survey, event);
                }
            }
        }
    }
}

impl Applying<'_> {
    /// Writes what belongs to the answer as it comes.
    fn write(&mut self, survey: &Survey, event: &Event) -> io::Result<()> {
        let glyphs = self.ui.glyphs();
        let view = || self.session.view(survey);
        let out = self.ui.stdout();
        match event {
            Event::Changed(step) => {
                let steps =
                    self.steps.get_or_insert_with(|| Steps::new(&survey.masked_plan(), glyphs));
                steps.write(out, step)
            }
            Event::RollbackBegan { to, failed } => {
                self.steps = None;
                present::unhealthy(out, &view(), failed, glyphs)?;
                writeln!(out, "\ngoing back to {}\n", short(to))
            }
            Event::RollbackEnded(report) => present::unhealthy(out, &view(), report, glyphs),
            _ => Ok(()),
        }
    }
}
