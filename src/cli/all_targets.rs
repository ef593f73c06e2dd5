//! `trueup diff --all-targets`: every target of `trueup.yaml`, in one run over one connection.

use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use futures::StreamExt as _;

use super::claims::Claims;
use super::exit::{Exit, Failure};
use super::holding::warn_of_hold;
use super::present::all_targets::{AllTargets, TargetEnd, TargetFailure};
use super::present::trust::refusal;
use super::present::{OutputFormat, PlanView};
use super::session::{Session, warn_of_removed};
use super::several::{ClusterTargets, SaidOnce, SeveralOptions, SeveralTargets};
use super::target::TargetArgs;
use super::throwaway::ThrowawayArgs;
use super::ui::Ui;
use crate::app::trust::TrustError;
use crate::app::{self, Look, TargetLook, look_at_all};

/// How the answer is printed.
#[derive(Clone, Copy, Debug)]
pub(super) struct AllTargetsOptions {
    pub(super) output: OutputFormat,
    pub(super) no_pager: bool,
    pub(super) exit_zero: bool,
}

/// A target that was looked at.
pub(super) struct TargetLooked<'a> {
    pub(super) name: &'a str,
    pub(super) found: Result<TargetFound<'a>, Failure>,
}

/// The result of looking at a target.
pub(super) struct TargetFound<'a> {
    /// The way to its cluster.
    pub(super) session: &'a Session,
    pub(super) look: Look,
    /// How many requests were about it alone.
    pub(super) requests: usize,
}

/// The words about a target that can't be told.
pub(super) fn target_failure(name: &str, failure: &Failure) -> TargetFailure {
    TargetFailure {
        target: name.to_owned(),
        error: failure.error.to_string(),
        causes: failure.error.chain().skip(1).map(ToString::to_string).collect(),
        hints: failure.hints.clone(),
    }
}

/// Looks at all targets, `explains` the changes where that is wanted, and gives each to `found`, in their
/// order. A target that writes an object of an earlier one is a failure. Gives who writes what.
///
/// # Errors
///
/// When `found` fails, or the commit or the only cluster can't be read.
pub(super) async fn look_at_several(
    several: &mut SeveralTargets,
    explains: bool,
    ui: &mut Ui,
    mut found: impl FnMut(TargetLooked<'_>, &mut Ui) -> Result<(), Failure>,
) -> Result<Claims, Failure> {
    let is_one = several.clusters.len() == 1;
    let inputs: Vec<_> = several.clusters.iter().map(ClusterTargets::inputs).collect();
    let mut streams = Vec::new();
    for (input, cluster) in inputs.iter().zip(&mut several.clusters) {
        let Some((targets, checkout, server)) = input else {
            streams.push(None);
            continue;
        };
        let waiting = ui.waiting("reading git and the cluster");
        let looks = Box::pin(look_at_all(targets, checkout, server)).await;
        waiting.finish_and_clear();
        match looks {
            Ok(looks) => streams.push(Some(Box::pin(looks))),
            Err(error) if is_one => return Err(error.into()),
            Err(error) => {
                cluster.reached = Err(error.into());
                streams.push(None);
            }
        }
    }
    let (mut gone, mut claims) = (Vec::new(), Claims::default());
    let mut said = SaidOnce::default();
    for (place, name) in several.names.iter().enumerate() {
        let mut clusters = several.clusters.iter_mut().zip(&mut streams);
        let holder = clusters.find(|(cluster, _)| cluster.places.contains(&place));
        let Some((cluster, stream)) = holder else { continue };
        let (reached, stream) = match (&mut cluster.reached, stream) {
            (Ok(reached), Some(stream)) => (reached, stream),
            (reached, _) => {
                if let Err(failure) = reached {
                    found(TargetLooked { name, found: Err(failure.again()) }, ui)?;
                }
                continue;
            }
        };
        let Some(TargetLook { index, look, requests }) = stream.next().await else { continue };
        let session = &mut reached.session;
        session.named = reached.named[index].clone();
        ui.cell();
        session.warn_of_credentials(ui);
        // The failure to go back behind what is applied says it all.
        let is_failure = matches!(look, Err(app::Error::Trust(TrustError::Refused(_))));
        if let Some(refused) = session.refused().filter(|_| !is_failure) {
            said.warn(refusal(refused), ui);
        }
        let result = match look {
            Ok(Look::Survey(mut survey)) => {
                Session::warn(&survey, &session.named.shown_paths, ui);
                gone.extend(survey.found.removed.iter().cloned());
                match claims.claim(name, session.cluster.name(), &survey) {
                    Err(failure) => Err(failure),
                    Ok(()) => {
                        if explains {
                            session.explain(&mut survey).await;
                        }
                        Ok(Look::Survey(survey))
                    }
                }
            }
            Ok(Look::InSync(synced)) => {
                ui.uncommitted(&synced.uncommitted);
                gone.extend(synced.removed.iter().cloned());
                Ok(Look::InSync(synced))
            }
            Err(error) => {
                ui.problems(error.problems());
                Err(error.into())
            }
        };
        let result = result.map(|look| TargetFound { session, look, requests });
        found(TargetLooked { name, found: result }, ui)?;
    }
    gone.sort();
    gone.dedup();
    warn_of_removed(&gone, ui);
    Ok(claims)
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
    let options_of_all = SeveralOptions { args, throwaway, directory };
    let mut several = SeveralTargets::open(options_of_all, ui).await?;
    let mut all = AllTargets::new(options.output, ui.glyphs());
    let mut refused = 0;
    look_at_several(&mut several, true, ui, |looked, ui| {
        let TargetLooked { name, found } = looked;
        match found {
            Ok(TargetFound { session, look: Look::InSync(synced), requests }) => {
                let view = PlanView { requests, ..session.in_sync_view(&synced) };
                all.add(&view, TargetEnd::InSync)?;
            }
            Ok(TargetFound { session, look: Look::Survey(survey), requests }) => {
                warn_of_hold(session, &survey, ui);
                let same = survey.is_in_sync();
                let elapsed = survey.found.begun.elapsed();
                let view = PlanView { requests, elapsed, ..session.view(&survey) };
                all.add(&view, if same { TargetEnd::InSync } else { TargetEnd::Differs })?;
            }
            Err(failure) => {
                refused += usize::from(failure.exit() == Exit::NotAtCommit);
                all.fail(target_failure(name, &failure));
                let error = failure.error.context(format!("cannot tell target {name}"));
                ui.failure(&Failure { error, ..failure });
            }
        }
        Ok(())
    })
    .await?;
    let exit = match (all.failed() - refused, all.differing()) {
        (0, _) if options.exit_zero => Exit::AtCommit,
        (0, 0) if refused == 0 && !several.has_refused() => Exit::AtCommit,
        (0, _) => Exit::NotAtCommit,
        _ => Exit::CouldNot,
    };
    let answer = all.finish(several.requests(), begin.elapsed())?;
    match options.output {
        OutputFormat::Text if !options.no_pager => ui.page(|out, _| out.write_all(&answer))?,
        _ => ui.stdout().write_all(&answer)?,
    }
    Ok(exit)
}
