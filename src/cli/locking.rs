//! `--lock-timeout` and `--on-failure`: who we are to others, for how long we wait for them, and what
//! becomes of a commit that fails.

use std::io::Write as _;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};

use super::exit::Failure;
use super::present::steps::Steps;
use super::present::{self, Format};
use super::session::Session;
use super::ui::Ui;
use crate::cancel::Cancellation;
use crate::conduct::{self, Conduct, duration_or_none};
use crate::lease::{Holder, Watched, Who};
use crate::precedence::Said;
use crate::reconcile::{
    self, Lock, Patience, Return, Survey, Target, go_back, is_failure, take, way_back,
};
use crate::report::{Report, Rollback};

/// How to get along with others who write to the same inventory, and with a commit that fails.
#[derive(Debug, Args)]
pub struct LockArgs {
    /// How long to wait for another run on the same inventory: 90s, 5m; a plain number counts
    /// seconds; 0 not to wait
    ///
    /// [default: 1m; 0 in the rounds of a watch, which then come later]
    #[arg(long, value_name = "TIME", value_parser = duration_or_none)]
    pub lock_timeout: Option<Duration>,

    /// What to do where something could not be changed, or does not get healthy [default: stop]
    #[arg(long, value_name = "WHAT")]
    pub on_failure: Option<OnFailure>,
}

/// What becomes of a commit that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnFailure {
    /// Leave everything as it is
    Stop,
    /// Apply the last commit that was healthy, all of it
    Rollback,
}

/// How long to wait for a lock if nobody says; longer than one lasts that nobody renews.
pub const LOCK_TIMEOUT: Duration = Duration::from_secs(60);

impl LockArgs {
    /// Whether a commit that fails is taken back: the flag counts first, then what is said
    /// elsewhere.
    pub fn rolls_back(&self, said: &Conduct) -> bool {
        let flag = self.on_failure.map(|on_failure| match on_failure {
            OnFailure::Stop => conduct::OnFailure::Stop,
            OnFailure::Rollback => conduct::OnFailure::Rollback,
        });
        let said = Said { operator: flag, repository: said.on_failure };
        said.counts() == Some(conduct::OnFailure::Rollback)
    }

    /// For how long another run is waited for, `usually` where nobody says.
    pub fn patience(&self, said: &Conduct, usually: Duration) -> Duration {
        let said = Said { operator: self.lock_timeout, repository: said.lock_timeout };
        said.counts().unwrap_or(usually)
    }
}

/// This process, as others are told of it.
pub fn who() -> Who {
    use std::hash::{BuildHasher as _, RandomState};
    let pid = std::process::id();
    let mark = format!("{:016x}", RandomState::new().hash_one(pid));
    Who { user: user(), host: host(), pid, mark }
}

#[allow(clippy::disallowed_methods, reason = "who runs this is the system's to say")]
fn user() -> String {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let user = set("USER").or_else(|| set("LOGNAME")).or_else(|| set("USERNAME"));
    user.unwrap_or_else(nameless)
}

/// Whoever runs this without a name in the environment, as under a bare cron.
fn nameless() -> String {
    #[cfg(unix)]
    return format!("uid-{}", rustix::process::getuid().as_raw());
    #[cfg(not(unix))]
    "somebody".to_owned()
}

#[cfg(unix)]
fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
#[allow(clippy::disallowed_methods, reason = "where this runs is the system's to say")]
fn host() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_else(|_| "localhost".to_owned())
}

/// Takes the lock that carrying out `survey` needs, and says for whom it waits.
///
/// # Errors
///
/// When somebody has it for too long, a signal comes, or the API server does not answer.
pub async fn lock<'a>(
    (session, survey): (&'a Session, &Survey),
    who: &'a Who,
    ((patience, begin), (passing, cancel)): ((Duration, Instant), (Duration, &Cancellation)),
    ui: &mut Ui,
) -> Result<Lock<'a>, reconcile::Error> {
    let mut told: Option<String> = None;
    let limits = Patience {
        timeout: patience.saturating_sub(begin.elapsed()),
        watched: &mut Watched::default(),
        passing,
        cancel,
        events: &mut |holder| {
            if told.as_ref() != Some(&holder.name) {
                told = Some(holder.name.clone());
                ui.note(&waits_for(holder, patience));
            }
        },
    };
    let about = (&session.named.target.inventory, who);
    let lock = take(survey, &session.cluster, about, limits).await?;
    if let Some(warning) = &lock.warning {
        ui.warning(warning);
    }
    Ok(lock)
}

/// `waits up to 1m for user@host (pid 123), who applies 4f2c1a9 since 40s`
fn waits_for(holder: &Holder, timeout: Duration) -> String {
    let since = match holder.held.as_secs() {
        0 => String::new(),
        _ => format!(" since {}", present::waiting::span(holder.held)),
    };
    format!("waits up to {} for {holder}{since}", present::waiting::span(timeout))
}

/// Goes back to the last healthy commit where this one failed, and adds what came of it to the
/// report.
///
/// # Errors
///
/// When stdout does not take what there is to say.
pub async fn roll_back(
    (session, survey, report): (&Session, &Survey, &mut Report),
    how: Return<'_>,
    (format, target): (Format, impl FnOnce(&str) -> Result<Target, Failure>),
    ui: &mut Ui,
) -> Result<(), Failure> {
    if !is_failure(survey, report) {
        return Ok(());
    }
    let revision = match way_back(survey, &session.checkout) {
        Ok(revision) => revision,
        Err(why) => {
            report.rollback = Some(why.into());
            return Ok(());
        }
    };
    let failed =
        |words: String| Rollback { to: Some(revision.commit.clone()), words, report: None };
    let glyphs = ui.glyphs();
    if format == Format::Text {
        present::unhealthy(ui.stdout(), (&session.view(survey), report), glyphs)?;
        writeln!(ui.stdout(), "\ngoing back to {}\n", revision.short())?;
    }
    let back = match target(&revision.commit) {
        Ok(target) => {
            let waiting = ui.waiting("going back to the last healthy commit");
            let reach = (&session.checkout, &session.cluster);
            let back = go_back(survey, &target, reach, how).await;
            waiting.finish_and_clear();
            back.map_err(Failure::from)
        }
        Err(failure) => Err(failure),
    };
    match back {
        Ok(back) => {
            if format == Format::Text {
                let steps = Steps::new(&back.survey.plan, back.survey.redactor(), glyphs);
                for step in &back.report.steps {
                    steps.write(ui.stdout(), step)?;
                }
                present::unhealthy(
                    ui.stdout(),
                    (&session.view(&back.survey), &back.report),
                    glyphs,
                )?;
            }
            report.rollback = Some(back.told());
        }
        Err(failure) => {
            let to = revision.short();
            ui.failure(&failure);
            report.rollback = Some(failed(format!("going back to {to} was not possible")));
        }
    }
    Ok(())
}
