//! One of several targets that are applied side by side: each line that it says begins with its name.

use std::collections::BTreeSet;
use std::io::{self, BufRead as _, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use unicode_width::UnicodeWidthStr as _;

use super::runner::BY_ADDRESS;
use super::{ApplyArgs, ApplyPlace, was_interrupted};
use crate::app::{
    self, Event, Look, NoCommitPoller, Recording, RoundEnd, RoundOptions, Runner, Survey,
    SyncedTarget, Target, look, round, survey,
};
use crate::cli::all_targets::target_failure;
use crate::cli::claims::{Claims, is_declared_twice};
use crate::cli::exit::{Exit, Failure};
use crate::cli::locking;
use crate::cli::present::all_applied::AppliedTarget;
use crate::cli::present::steps::Steps;
use crate::cli::present::{self, Glyphs, OutputFormat, PlanView};
use crate::cli::recording::in_sync;
use crate::cli::session::Session;
use crate::cli::target::NamedTarget;
use crate::cli::ui::Ui;
use crate::cluster::Cluster;
use crate::core::lease::{Candidate, LeaseWatch};
use crate::core::mask::Masked;
use crate::core::object::ObjectKey;
use crate::core::plan::Action;
use crate::core::report::Report;
use crate::core::source::snapshot::{Revision, short};
use crate::local::cancel::{Cancellation, Interrupt};

/// How long it may take until kinds are served that were defined a moment ago.
const SERVED: Duration = Duration::from_secs(10);

/// Everything that the targets of a run share.
pub(super) struct SharedRun<'a, 'u> {
    pub(super) args: &'a ApplyArgs,
    pub(super) directory: &'a Path,
    pub(super) interrupt: &'a Interrupt,
    pub(super) who: &'a Candidate,
    /// How the rounds are recorded.
    pub(super) recording: Option<&'a Recording>,
    pub(super) ui: Mutex<&'u mut Ui>,
    /// Whether a person said yes to the plans.
    pub(super) asked: bool,
    /// Which target writes which object.
    pub(super) claims: Mutex<Claims>,
    /// Whether any target has said anything.
    pub(super) has_said: AtomicBool,
}

impl<'u> SharedRun<'_, 'u> {
    pub(super) fn ui(&self) -> MutexGuard<'_, &'u mut Ui> {
        self.ui.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first look at a target.
pub(super) enum FirstLook {
    InSync(Box<SyncedTarget>),
    Survey(Box<Survey>),
    Failed(Failure),
}

/// Deletions, and what else loses an object as it was.
pub(super) type Losses = BTreeSet<(ObjectKey, &'static str)>;

/// The losses of a plan. After a question, only those that were shown are carried out.
pub(super) fn losses(survey: &Survey) -> Losses {
    let loses =
        |action: Action| matches!(action, Action::Delete | Action::Replace | Action::Abandon);
    let changes = survey.decided.plan.changes().filter(|change| loses(change.action()));
    changes.map(|change| (change.key.clone(), change.action().name())).collect()
}

/// One of the targets.
pub(super) struct OneOfAll<'a, 'u> {
    pub(super) run: &'a SharedRun<'a, 'u>,
    pub(super) session: &'a Session,
    pub(super) named: &'a NamedTarget,
    /// Whether others that are not in sync come after it, so that it has to be healthy first.
    pub(super) is_gate: bool,
    /// Whether one that it comes after wrote something since it was looked at.
    pub(super) is_stale: bool,
    /// The losses that a person saw.
    pub(super) shown: Losses,
}

/// The answer about a target, and whether it wrote anything.
pub(super) struct OneDone {
    pub(super) answer: AppliedTarget,
    pub(super) wrote: bool,
}

impl OneOfAll<'_, '_> {
    /// Looks again where that is due, and carries the plan out.
    pub(super) async fn apply(self, first: FirstLook) -> OneDone {
        let begin = Instant::now();
        let cluster = self.session.cluster.counting();
        let answer = Box::pin(self.answer(first, &cluster, begin)).await;
        answer.unwrap_or_else(|failure| {
            let name = &self.named.name;
            if was_interrupted(&failure) {
                return OneDone { answer: AppliedTarget::not_begun(name), wrote: false };
            }
            let is_refused = failure.exit() == Exit::NotAtCommit;
            let answer = AppliedTarget::failed(target_failure(name, &failure));
            let answer = if is_refused { answer.refused() } else { answer };
            let error = failure.error.context(format!("cannot apply target {name}"));
            self.run.ui().failure(&Failure { error, ..failure });
            OneDone { answer, wrote: true }
        })
    }

    async fn answer(
        &self,
        first: FirstLook,
        cluster: &Cluster,
        begin: Instant,
    ) -> Result<OneDone, Failure> {
        let (args, interrupt) = (self.run.args, self.run.interrupt);
        let looked = tokio::select! {
            looked = self.look(first, cluster) => looked?,
            () = interrupt.requested() => return Err(app::Error::Stopped.into()),
        };
        let found = match looked {
            Look::Survey(survey) => *survey,
            Look::InSync(synced) => {
                self.session.remember_cluster_of(self.named, &synced);
                let told = Box::pin(in_sync(self.run.recording, self.session, self.named)).await;
                told.iter().for_each(|text| self.run.ui().warning(text));
                let view = self.session.in_sync_view_of(self.named, &synced);
                return self.done(view, &Report::in_sync(), cluster, begin);
            }
        };
        self.claim(&found)?;
        let name = &self.named.name;
        if found.has_failed() && args.is_unattended() {
            let why = format!(
                "{} failed before, and --yes does not try it again",
                found.found.revision.short()
            );
            return Ok(OneDone { answer: AppliedTarget::declined(name, &why), wrote: false });
        }
        if let Some(hold) = app::hold_of(&found, &self.named.target, args.passes()) {
            if found.writes() || !found.is_in_sync() {
                let why = hold.words();
                return Ok(OneDone { answer: AppliedTarget::declined(name, &why), wrote: false });
            }
            let view = self.session.view_of(self.named, &found);
            return self.done(view, &Report::in_sync(), cluster, begin);
        }
        if let Some(why) = self.why_not(&found) {
            return Ok(OneDone { answer: AppliedTarget::declined(name, &why), wrote: false });
        }
        let cancel = Cancellation::with(interrupt);
        let mut watched = LeaseWatch::default();
        let (named, checkout) = (self.named, &self.session.checkout);
        let place = ApplyPlace { named, checkout, cluster, recording: self.run.recording };
        let is_watched = self.run.ui().has_progress();
        let mut options = args.options(place, self.run.who, &cancel, &mut watched, is_watched);
        if self.is_gate && !args.throwaway.is_wanted() {
            options.wait = options.wait.or(Some(args.timeout(&self.named.run_options)));
        }
        let mut applying = ApplyingOne {
            one: self,
            wait: options.wait.unwrap_or_default(),
            lock_timeout: options.lock_timeout.unwrap_or_default(),
            awaited: None,
            steps: None,
            is_waiting: false,
        };
        let ended = run_round(options, found, &mut applying).await;
        let RoundEnd { survey, report } = match ended {
            Ok(end) => end,
            Err(NotCarriedOut::Declined(why)) => {
                return Ok(OneDone { answer: AppliedTarget::declined(name, &why), wrote: false });
            }
            Err(NotCarriedOut::Failed(failure)) => return Err(failure),
        };
        if self.is_gate && report.done() > 0 {
            let served = app::served_definitions(&survey, cluster, SERVED);
            tokio::select! {
                () = served => {}
                () = interrupt.requested() => {}
            }
        }
        let masked = survey.masked_report(&report);
        let view = self.session.view_of(self.named, &survey);
        if args.output == OutputFormat::Text && report.rollback.is_none() {
            let glyphs = self.glyphs();
            self.say(|out| present::unhealthy(out, &view, &masked, glyphs))?;
        }
        self.done(view, &masked, cluster, begin)
    }

    fn done(
        &self,
        view: PlanView<'_>,
        report: &Masked<Report>,
        cluster: &Cluster,
        begin: Instant,
    ) -> Result<OneDone, Failure> {
        let view = PlanView { requests: cluster.counted(), elapsed: begin.elapsed(), ..view };
        let answer = AppliedTarget::applied(&view, report, self.run.args.output)?;
        Ok(OneDone { answer, wrote: !report.steps.is_empty() })
    }

    /// The state of the target by now.
    async fn look(&self, first: FirstLook, cluster: &Cluster) -> Result<Look, Failure> {
        let (target, checkout) = (&self.named.target, &self.session.checkout);
        let is_watched = self.run.ui().has_progress();
        let waits = self.is_gate || self.run.args.waits(&self.named.run_options, is_watched);
        let is_open = match first {
            FirstLook::Failed(failure) if !self.is_stale || is_declared_twice(&failure) => {
                return Err(failure);
            }
            FirstLook::Survey(survey) if !self.is_stale => return Ok(Look::Survey(survey)),
            FirstLook::InSync(synced) if !self.is_stale && !waits => {
                return Ok(Look::InSync(synced));
            }
            first => !matches!(first, FirstLook::InSync(_)),
        };
        let looked = match waits || is_open {
            true => survey(target, checkout, cluster, None).await.map(Box::new).map(Look::Survey),
            false => look(target, checkout, cluster, None).await,
        };
        let looked = looked.inspect_err(|error| self.run.ui().problems(error.problems()))?;
        if let Look::Survey(survey) = &looked {
            Session::warn(survey, &self.named.shown_paths, &mut self.run.ui());
        }
        Ok(looked)
    }

    /// Notes the objects that a plan writes.
    fn claim(&self, survey: &Survey) -> Result<(), Failure> {
        let mut claims = self.run.claims.lock().unwrap_or_else(PoisonError::into_inner);
        claims.claim(&self.named.name, self.session.cluster.name(), survey)
    }

    /// Why a plan is not carried out that is another one than the person said yes to.
    fn why_not(&self, survey: &Survey) -> Option<String> {
        let new = losses(survey).difference(&self.shown).count();
        (self.run.asked && new > 0).then(|| {
            let plural = if new == 1 { "" } else { "s" };
            format!("it would now delete or replace {new} object{plural} that were not shown; run it again")
        })
    }

    /// Writes lines of the answer, each after the target's name.
    fn say(&self, write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> io::Result<()> {
        let mut said = Vec::new();
        write(&mut said)?;
        let mut ui = self.run.ui();
        let name = ui.glyphs().inert(&self.named.name).into_owned();
        for line in said.lines() {
            let line = line?;
            let has_said = self.run.has_said.swap(true, Ordering::Relaxed);
            match line.is_empty() {
                // The first lines of an answer have none above them to be apart from.
                true if !has_said => self.run.has_said.store(false, Ordering::Relaxed),
                true => writeln!(ui.stdout())?,
                false => writeln!(ui.stdout(), "{name}  {line}")?,
            }
        }
        Ok(())
    }

    /// The abilities of the terminal, behind the target's name.
    fn glyphs(&self) -> Glyphs {
        let glyphs = self.run.ui().glyphs();
        glyphs.beside(self.named.name.width() + 2)
    }

    fn note(&self, text: &str) {
        self.run.ui().note(&format!("{}: {text}", self.named.name));
    }
}

async fn run_round(
    options: RoundOptions<'_>,
    found: Survey,
    applying: &mut ApplyingOne<'_, '_, '_>,
) -> Result<RoundEnd, NotCarriedOut> {
    Box::pin(round(options, found, applying, &mut NoCommitPoller)).await
}

/// Why a plan was not carried out.
enum NotCarriedOut {
    /// It is not the one that a person said yes to.
    Declined(String),
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for NotCarriedOut {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// A target under way.
struct ApplyingOne<'o, 'a, 'u> {
    one: &'o OneOfAll<'a, 'u>,
    wait: Duration,
    lock_timeout: Duration,
    /// The holder of the lock that is waited for, as far as it was said.
    awaited: Option<String>,
    /// The columns of the plan that is being carried out.
    steps: Option<Steps>,
    /// Whether it was said that it waits for health.
    is_waiting: bool,
}

impl Runner for ApplyingOne<'_, '_, '_> {
    type Error = NotCarriedOut;

    async fn survey(&mut self, _: &Survey, cluster: &Cluster) -> Result<Survey, NotCarriedOut> {
        let OneOfAll { named, session, .. } = self.one;
        Ok(survey(&named.target, &session.checkout, cluster, None).await?)
    }

    async fn approve(&mut self, _: &Survey, now: &mut Survey) -> Result<(), NotCarriedOut> {
        self.one.claim(now)?;
        self.one.why_not(now).map_or(Ok(()), |why| Err(NotCarriedOut::Declined(why)))
    }

    fn target_at(&self, commit: &str) -> Result<Target, NotCarriedOut> {
        let OneOfAll { run, session, named, .. } = self.one;
        Ok(session.named_at(named, &run.args.target, commit, run.directory)?)
    }

    fn rollback_failed(&mut self, _: &Revision, error: NotCarriedOut) -> Option<String> {
        match error {
            NotCarriedOut::Failed(failure) => {
                self.one.run.ui().failure(&failure);
                None
            }
            NotCarriedOut::Declined(why) => Some(why),
        }
    }

    fn hear(&mut self, survey: &Survey, event: &Event) {
        let one = self.one;
        let is_text = one.run.args.output == OutputFormat::Text;
        let glyphs = one.glyphs();
        // Without a reader of stdout the work goes on.
        let _ = match event {
            Event::LockAwaited(holder) => {
                if self.awaited.as_ref() != Some(&holder.name) {
                    self.awaited = Some(holder.name.clone());
                    one.note(&locking::waits_for(holder, self.lock_timeout));
                }
                Ok(())
            }
            Event::LockForbidden(warning) | Event::NotRecorded(warning) => {
                one.run.ui().warning(warning);
                Ok(())
            }
            Event::RememberedByAddress => {
                one.run.ui().warning(BY_ADDRESS);
                Ok(())
            }
            Event::Waiting(proof) if !std::mem::replace(&mut self.is_waiting, true) => {
                one.note(&present::waiting::beginning(proof, self.wait));
                Ok(())
            }
            Event::Changed(step) if is_text => {
                let steps =
                    self.steps.get_or_insert_with(|| Steps::new(&survey.masked_plan(), glyphs));
                one.say(|out| steps.write(out, step))
            }
            Event::RollbackBegan { to, failed } if is_text => {
                self.steps = None;
                let view = one.session.view_of(one.named, survey);
                one.say(|out| {
                    present::unhealthy(out, &view, failed, glyphs)?;
                    writeln!(out, "going back to {}", short(to))
                })
            }
            Event::RollbackEnded(report) if is_text => {
                let view = one.session.view_of(one.named, survey);
                one.say(|out| present::unhealthy(out, &view, report, glyphs))
            }
            _ => Ok(()),
        };
    }
}
