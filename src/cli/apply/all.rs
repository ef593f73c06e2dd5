//! `trueup apply --all-targets`: every target of `trueup.yaml`, each once those are healthy that it
//! comes after, and independent ones side by side.

use std::io::Write as _;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use futures::stream::{FuturesUnordered, StreamExt as _};

use super::one_of_all::{FirstLook, Losses, OneDone, OneOfAll, SharedRun, losses};
use super::{ApplyArgs, NOTHING_WRITTEN};
use crate::app::Look;
use crate::cli::all_targets::{TargetFound, TargetLooked, look_at_several, target_failure};
use crate::cli::claims::{Claims, is_declared_twice};
use crate::cli::exit::{Exit, Failure};
use crate::cli::locking;
use crate::cli::present::all_applied::{self, AppliedEnd, AppliedTarget, RunCost};
use crate::cli::present::all_targets::{AllTargets, TargetEnd};
use crate::cli::present::{self, OutputFormat, PlanView};
use crate::cli::recording::recording;
use crate::cli::several::{ReachedTargets, SeveralOptions, SeveralTargets};
use crate::cli::ui::Ui;
use crate::core::schedule::Schedule;
use crate::local::cancel::Interrupt;

/// How many targets are applied side by side. Most of the time each waits for the cluster.
const AT_ONCE: usize = 8;

/// The targets, as far as they were looked at.
struct LookedAt {
    several: SeveralTargets,
    looks: Vec<Option<FirstLook>>,
    shown: Vec<Losses>,
    /// The plans as text, where a person may be asked.
    text: Option<Vec<u8>>,
    /// The part of the question that says what there is to do; empty where there is nothing.
    question: String,
    /// Which target writes which object.
    claims: Claims,
}

/// Makes the cluster true to all targets of the commit.
///
/// # Errors
///
/// When the targets or their only cluster can't be read. One target that fails is no error of the
/// run.
pub(super) async fn run(
    args: &ApplyArgs,
    directory: &Path,
    interrupt: &Interrupt,
    ui: &mut Ui,
) -> Result<Exit, Failure> {
    let begin = Instant::now();
    let is_asked = !args.yes && ui.can_ask();
    let looked = tokio::select! {
        looked = look(args, directory, is_asked, ui) => looked?,
        () = interrupt.requested() => return Ok(Exit::Interrupted),
    };
    let is_not = if args.exit_zero { Exit::AtCommit } else { Exit::NotAtCommit };
    let asked = is_asked && !looked.question.is_empty();
    if asked {
        ui.stdout().write_all(&looked.text.clone().unwrap_or_default())?;
        let yes = tokio::select! {
            yes = ui.confirm(&looked.question) => yes?,
            () = interrupt.requested() => return Ok(Exit::Interrupted),
        };
        if !yes {
            ui.note(NOTHING_WRITTEN);
            return Ok(is_not);
        }
    }
    let who = locking::who();
    let recording = recording("apply", &who).filter(|_| !args.throwaway.is_wanted());
    let recording = recording.as_ref();
    let LookedAt { several, looks, shown, claims, .. } = looked;
    let (claims, ui) = (Mutex::new(claims), Mutex::new(ui));
    let has_said = AtomicBool::new(asked);
    let run =
        SharedRun { args, directory, interrupt, who: &who, recording, ui, asked, claims, has_said };
    let answers = carry_out(&run, &several, looks, shown).await;
    let has_said = run.has_said.into_inner();
    let ui = run.ui.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let cost = RunCost { requests: several.requests(), elapsed: begin.elapsed() };
    let glyphs = ui.glyphs();
    if args.output == OutputFormat::Text && has_said {
        writeln!(ui.stdout())?;
    }
    all_applied::write(ui.stdout(), &answers, cost, args.output, glyphs)?;
    let has = |end: AppliedEnd| answers.iter().any(|answer| answer.end == end);
    Ok(match answers.iter().all(|answer| answer.end == AppliedEnd::AtCommit) {
        true if several.has_refused() => is_not,
        true => Exit::AtCommit,
        false if interrupt.is_requested() => Exit::Interrupted,
        false if has(AppliedEnd::Failed) => Exit::CouldNot,
        false => is_not,
    })
}

/// Looks at all targets.
async fn look(
    args: &ApplyArgs,
    directory: &Path,
    is_asked: bool,
    ui: &mut Ui,
) -> Result<LookedAt, Failure> {
    let options = SeveralOptions { args: &args.target, throwaway: &args.throwaway, directory };
    let mut several = SeveralTargets::open(options, ui).await?;
    let (mut looks, mut shown) = (Vec::new(), Vec::new());
    let mut plans = AllTargets::new(OutputFormat::Text, ui.glyphs());
    let (mut todo, mut later) = (Vec::new(), Vec::new());
    let after = several.after();
    let claims = look_at_several(&mut several, is_asked, ui, |looked, _| {
        let TargetLooked { name, found } = looked;
        let mut seen = Losses::new();
        let look = match found {
            Ok(TargetFound { session, look: Look::InSync(synced), requests }) => {
                let view = PlanView { requests, ..session.in_sync_view(&synced) };
                plans.add(&view, TargetEnd::InSync)?;
                FirstLook::InSync(synced)
            }
            Ok(TargetFound { session, look: Look::Survey(survey), requests }) => {
                let same = survey.is_in_sync();
                let view = PlanView { requests, ..session.view(&survey) };
                plans.add(&view, if same { TargetEnd::InSync } else { TargetEnd::Differs })?;
                if survey.decided.plan.writes() {
                    todo.push(present::part_of_question(&view));
                }
                seen = losses(&survey);
                FirstLook::Survey(survey)
            }
            Err(failure) => {
                // One that comes after others may lack only what they bring.
                if !after[looks.len()].is_empty() && !is_declared_twice(&failure) {
                    later.push(name.to_owned());
                }
                plans.fail(target_failure(name, &failure));
                FirstLook::Failed(failure)
            }
        };
        looks.push(Some(look));
        shown.push(seen);
        Ok(())
    })
    .await?;
    let mut question = String::new();
    if !todo.is_empty() || !later.is_empty() {
        let later = later.iter().map(|name| format!("{name} after them, as it is then"));
        let todo: Vec<String> = todo.into_iter().chain(later).collect();
        question = format!("Apply {}?", todo.join("; "));
    }
    let text = is_asked.then(|| plans.finish(several.requests(), std::time::Duration::ZERO));
    Ok(LookedAt { several, looks, shown, text: text.transpose()?, question, claims })
}

/// Applies the targets, each in its turn, and gives the answers in their order.
async fn carry_out(
    run: &SharedRun<'_, '_>,
    several: &SeveralTargets,
    mut looks: Vec<Option<FirstLook>>,
    mut shown: Vec<Losses>,
) -> Vec<AppliedTarget> {
    let names = &several.names;
    let mut schedule = Schedule::new(several.after());
    let is_open: Vec<bool> =
        looks.iter().map(|look| !matches!(look, Some(FirstLook::InSync(_)))).collect();
    let mut answers: Vec<Option<AppliedTarget>> = names.iter().map(|_| None).collect();
    let mut wrote = vec![false; names.len()];
    let mut running = FuturesUnordered::new();
    loop {
        while running.len() < AT_ONCE
            && !run.interrupt.is_requested()
            && let Some(at) = schedule.begin()
        {
            let is_gate = (0..names.len()).any(|it| is_open[it] && schedule.is_before(at, it));
            let is_stale = (0..names.len()).any(|it| wrote[it] && schedule.is_before(it, at));
            let first = looks[at].take();
            let reached = several.reached(at);
            let shown = std::mem::take(&mut shown[at]);
            running.push(async move {
                let done = match (reached, first) {
                    (Some((ReachedTargets { session, named, .. }, index)), Some(first)) => {
                        let named = &named[index];
                        let one = OneOfAll { run, session, named, is_gate, is_stale, shown };
                        Box::pin(one.apply(first)).await
                    }
                    (_, first) => unreached(run, &names[at], first),
                };
                (at, done)
            });
        }
        let Some((at, OneDone { answer, wrote: has_written })) = running.next().await else {
            break;
        };
        schedule.end(at, answer.end == AppliedEnd::AtCommit);
        wrote[at] = has_written;
        answers[at] = Some(answer);
    }
    let rest = answers.into_iter().enumerate().map(|(at, answer)| {
        answer.unwrap_or_else(|| match schedule.held_back_by(at) {
            Some(by) => AppliedTarget::held_back(&names[at], &names[by]),
            None => AppliedTarget::not_begun(&names[at]),
        })
    });
    rest.collect()
}

/// A target whose cluster can't be reached.
fn unreached(run: &SharedRun<'_, '_>, name: &str, first: Option<FirstLook>) -> OneDone {
    let failure = match first {
        Some(FirstLook::Failed(failure)) => failure,
        _ => anyhow::anyhow!("its cluster can't be reached").into(),
    };
    let is_refused = failure.exit() == Exit::NotAtCommit;
    let answer = AppliedTarget::failed(target_failure(name, &failure));
    let answer = if is_refused { answer.refused() } else { answer };
    let error = failure.error.context(format!("cannot apply target {name}"));
    run.ui().failure(&Failure { error, ..failure });
    OneDone { answer, wrote: false }
}
