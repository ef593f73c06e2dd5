//! `trueup status --wait-for`: until one commit is healthy, wherever it is applied from.

use std::time::Instant;

use futures::stream::{FuturesUnordered, StreamExt as _};

use super::contexts::{ContextTargets, Question};
use super::{PATIENCE, StatusArgs, WAIT, merge};
use crate::app::status::{AwaitedTarget, StatusOptions, WaitForEnd, WaitForOptions, wait_for};
use crate::cli::exit::{Exit, Failure};
use crate::cli::present::status::waited::{self, WaitedTarget, WaitedView};
use crate::cli::ui::Ui;

/// Waits, and says how it ended.
///
/// # Errors
///
/// When there is no such commit here, a target can't be read, or there is no way to a cluster.
pub(super) async fn run(
    args: &StatusArgs,
    question: Question<'_>,
    rev: &str,
    ui: &mut Ui,
) -> Result<Exit, Failure> {
    let begin = Instant::now();
    let patience = args.timeout.unwrap_or(WAIT);
    let end = tokio::time::Instant::now() + patience;
    let commit = question.checkout.resolve(Some(rev))?.commit;
    let opened = open(&question, ui).await?;
    let waiting = ui.waiting("waiting for the commit");
    let mut waits: FuturesUnordered<_> = opened
        .iter()
        .enumerate()
        .map(|(place, context)| {
            let (question, commit) = (&question, &commit);
            async move {
                let at = |index: usize, commit: &str| question.at(context, index, commit);
                let status = StatusOptions {
                    targets: &context.targets,
                    checkout: question.checkout,
                    cluster: &context.cluster,
                    at: &at,
                    images: false,
                    are_all: false,
                    watches: &[],
                };
                (place, wait_for(WaitForOptions { status, commit, end }).await)
            }
        })
        .collect();
    let mut ended: Vec<Option<Vec<AwaitedTarget>>> = vec![None; opened.len()];
    while let Some((place, targets)) = waits.next().await {
        let is_in_vain = targets.iter().any(|target| target.end != WaitForEnd::Healthy);
        ended[place] = Some(targets);
        // One that failed decides, whatever becomes of the others.
        if is_in_vain {
            break;
        }
    }
    drop(waits);
    waiting.finish_and_clear();
    ui.cell();
    let mut targets = Vec::new();
    for (context, ended) in opened.iter().zip(ended) {
        let unknown = || {
            let still = |target: &crate::app::status::StatusTarget| AwaitedTarget {
                name: target.name.clone(),
                end: WaitForEnd::Waiting("waiting ended for another target".to_owned()),
            };
            context.targets.iter().map(still).collect()
        };
        let ended: Vec<AwaitedTarget> = ended.unwrap_or_else(unknown);
        targets.extend(ended.into_iter().map(|AwaitedTarget { name, end }| WaitedTarget {
            target: name,
            context: context.cluster.name().to_owned(),
            server: context.cluster.host().to_owned(),
            end,
        }));
    }
    let is_healthy = targets.iter().all(|target| target.end == WaitForEnd::Healthy);
    let view = WaitedView {
        commit: &commit,
        targets: &targets,
        requests: opened.iter().map(|context| context.cluster.requests()).sum(),
        elapsed: begin.elapsed(),
    };
    let glyphs = ui.glyphs();
    waited::write(ui.stdout(), &view, args.output, glyphs)?;
    Ok(if is_healthy || args.exit_zero { Exit::AtCommit } else { Exit::NotAtCommit })
}

/// The targets to wait for in each context. Where the contexts were listed, those that are shown there.
async fn open(question: &Question<'_>, ui: &mut Ui) -> Result<Vec<ContextTargets>, Failure> {
    let mut shown = None;
    if question.are_listed {
        let mut answers = super::contexts::look_at_all(question, PATIENCE, false).await;
        if let Some(failure) = answers.iter_mut().find_map(|answer| answer.failure.take()) {
            return Err(failure);
        }
        let rows = merge::merged(answers, &question.names, true);
        shown = Some(rows.into_iter().map(|row| (row.target, row.context)).collect::<Vec<_>>());
    }
    let mut opened = Vec::new();
    for context in &question.contexts {
        let mut one = question.open(context).await?;
        context.access.credentials.take_warnings().iter().for_each(|it| ui.warning(it));
        if let Some(fault) = one.faults.first() {
            let crate::core::status::SyncState::Unknown(why) = &fault.state else { continue };
            return Err(anyhow::anyhow!("cannot tell target {}: {why}", fault.target).into());
        }
        if let Some(shown) = &shown {
            let is_shown = |name: &str| {
                let here = one.cluster.name();
                shown.iter().any(|(target, context)| target == name && context == here)
            };
            let kept: Vec<bool> = one.targets.iter().map(|it| is_shown(&it.name)).collect();
            let mut places = kept.iter();
            one.targets.retain(|_| places.next().is_some_and(|it| *it));
            let mut places = kept.iter();
            one.named.retain(|_| places.next().is_some_and(|it| *it));
        }
        if !one.targets.is_empty() {
            opened.push(one);
        }
    }
    if opened.is_empty() {
        return Err(anyhow::anyhow!("no target belongs to any of these contexts").into());
    }
    Ok(opened)
}
