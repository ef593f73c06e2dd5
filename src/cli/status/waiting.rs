//! `trueup status --wait-for`: until one commit is healthy, wherever it is applied from.

use std::time::Instant;

use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::time::timeout_at;

use super::contexts::{ContextAnswer, ContextQuestion, Question, is_passing, look_at_all};
use super::{StatusArgs, WAIT, merge};
use crate::app::status::{
    AwaitedTarget, FIRST_LOOK, StatusOptions, StatusRow, WaitForEnd, WaitForOptions, pause,
    wait_for,
};
use crate::cli::exit::{Exit, Failure};
use crate::cli::present::status::waited::{self, WaitedTarget, WaitedView};
use crate::cli::ui::Ui;
use crate::core::status::SyncState;

/// The wait for a commit in one context.
struct ContextWait<'a> {
    question: &'a Question<'a>,
    context: &'a ContextQuestion,
    /// Where the contexts were listed.
    listed: Option<ListedContext>,
    commit: &'a str,
    end: tokio::time::Instant,
}

/// A context of several that were listed.
enum ListedContext {
    /// The targets that are shown there.
    Shows(Vec<String>),
    /// It was not reached yet: why.
    Unreached(String),
}

/// The end of waiting in one context.
struct ContextEnd {
    targets: Vec<WaitedTarget>,
    requests: usize,
    warnings: Vec<String>,
}

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
    let end = tokio::time::Instant::now() + args.timeout.unwrap_or(WAIT);
    let commit = question.checkout.resolve(Some(rev))?.commit;
    let waiting = ui.waiting("waiting for the commit");
    let listed = Box::pin(listed(&question)).await?;
    let mut waits: FuturesUnordered<_> = question
        .contexts
        .iter()
        .zip(listed)
        .enumerate()
        .map(|(place, (context, listed))| {
            let wait = ContextWait { question: &question, context, listed, commit: &commit, end };
            async move { (place, Box::pin(wait.run()).await) }
        })
        .collect();
    let mut ended: Vec<Option<ContextEnd>> = question.contexts.iter().map(|_| None).collect();
    while let Some((place, end)) = waits.next().await {
        let end = end?;
        let is_in_vain = end.targets.iter().any(|target| target.end.is_failure());
        ended[place] = Some(end);
        // One that failed decides, whatever becomes of the others. One that was waited for to the end leaves
        // them their first look.
        if is_in_vain {
            break;
        }
    }
    drop(waits);
    waiting.finish_and_clear();
    ui.cell();
    let (mut targets, mut requests) = (Vec::new(), 0);
    for (context, ended) in question.contexts.iter().zip(ended) {
        let still = || unended(&question, context, "waiting ended for another target");
        let ended = ended.unwrap_or_else(still);
        ended.warnings.iter().for_each(|warning| ui.warning(warning));
        targets.extend(ended.targets);
        requests += ended.requests;
    }
    if targets.is_empty() {
        return Err(anyhow::anyhow!("no target belongs to any of these contexts").into());
    }
    let is_time_up = tokio::time::Instant::now() >= end;
    let elapsed = begin.elapsed();
    let view = WaitedView { commit: &commit, targets: &targets, is_time_up, requests, elapsed };
    let glyphs = ui.glyphs();
    waited::write(ui.stdout(), &view, args.output, glyphs)?;
    let is_healthy = targets.iter().all(|target| target.end == WaitForEnd::Healthy);
    let is_unknown = targets.iter().any(|it| matches!(it.end, WaitForEnd::Unknown(_)));
    Ok(match is_healthy || args.exit_zero {
        _ if is_unknown => Exit::CouldNot,
        true => Exit::AtCommit,
        false => Exit::NotAtCommit,
    })
}

/// The targets of a context of which nothing more is known.
fn unended(question: &Question<'_>, context: &ContextQuestion, why: &str) -> ContextEnd {
    let name = |name: &Option<String>| name.clone().unwrap_or_else(|| question.folder_name());
    let targets = context.targets.iter().map(|target| WaitedTarget {
        target: name(target),
        context: context.access.context.clone().unwrap_or_default(),
        server: String::new(),
        end: WaitForEnd::Waiting(why.to_owned()),
    });
    ContextEnd { targets: targets.collect(), requests: 0, warnings: Vec::new() }
}

/// The state of each context before the wait, where they were listed.
async fn listed(question: &Question<'_>) -> Result<Vec<Option<ListedContext>>, Failure> {
    if !question.are_listed {
        return Ok(question.contexts.iter().map(|_| None).collect());
    }
    let mut answers = look_at_all(question, FIRST_LOOK, false).await;
    let mut unreached: Vec<Option<String>> = Vec::new();
    for answer in &mut answers {
        unreached.push(match answer.failure.take() {
            Some(failure) if is_passing(&failure) => Some(format!("{:#}", failure.error)),
            Some(failure) => return Err(failure),
            None => None,
        });
    }
    let rows = merge::merged(answers, &question.names, true);
    let contexts = question.contexts.iter().zip(unreached).map(|(context, unreached)| {
        Some(match unreached {
            Some(why) => ListedContext::Unreached(why),
            None => {
                let here = context.access.context.as_deref().unwrap_or_default();
                let shown = rows.iter().filter(|row| row.context == here);
                ListedContext::Shows(shown.map(|row| row.target.clone()).collect())
            }
        })
    });
    Ok(contexts.collect())
}

impl ContextWait<'_> {
    /// Waits until the context is reached, and then for its targets.
    async fn run(self) -> Result<ContextEnd, Failure> {
        let Self { question, context, listed, commit, end } = self;
        let shown = match listed {
            None => None,
            Some(ListedContext::Shows(shown)) => Some(shown),
            Some(ListedContext::Unreached(why)) => match reached(question, context, end).await? {
                Some(shown) => Some(shown),
                None => return Ok(unended(question, context, &why)),
            },
        };
        let mut one = question.open(context).await?;
        let warnings = context.access.credentials.take_warnings();
        if let Some(fault) = one.faults.first() {
            let SyncState::Unknown(why) = &fault.state else { return Ok(ContextEnd::nothing()) };
            return Err(anyhow::anyhow!("cannot tell target {}: {why}", fault.target).into());
        }
        if let Some(shown) = &shown {
            let kept: Vec<bool> =
                one.targets.iter().map(|target| shown.contains(&target.name)).collect();
            let mut places = kept.iter();
            one.targets.retain(|_| places.next().is_some_and(|it| *it));
            let mut places = kept.iter();
            one.named.retain(|_| places.next().is_some_and(|it| *it));
        }
        if one.targets.is_empty() {
            return Ok(ContextEnd { warnings, ..ContextEnd::nothing() });
        }
        let at = |index: usize, commit: &str| question.at(&one, index, commit);
        let status = StatusOptions {
            targets: &one.targets,
            checkout: question.checkout,
            cluster: &one.cluster,
            at: &at,
            images: false,
            are_all: false,
            watches: &[],
        };
        let ended = wait_for(WaitForOptions { status, commit, end }).await;
        let targets = ended.into_iter().map(|AwaitedTarget { name, end }| WaitedTarget {
            target: name,
            context: one.cluster.name().to_owned(),
            server: one.cluster.host().to_owned(),
            end,
        });
        Ok(ContextEnd { targets: targets.collect(), requests: one.cluster.requests(), warnings })
    }
}

impl ContextEnd {
    fn nothing() -> Self {
        Self { targets: Vec::new(), requests: 0, warnings: Vec::new() }
    }
}

/// The targets that run in a context, once it is reached; `None` where it is not until the end.
async fn reached(
    question: &Question<'_>,
    context: &ContextQuestion,
    end: tokio::time::Instant,
) -> Result<Option<Vec<String>>, Failure> {
    while pause(end).await {
        let Ok(answer) = timeout_at(end, question.look(context, false)).await else { break };
        let ContextAnswer { rows, failure, .. } = answer;
        match failure {
            Some(failure) if is_passing(&failure) => continue,
            Some(failure) => return Err(failure),
            None => {}
        }
        let is_there = rows.into_iter().filter_map(|row| match row {
            StatusRow::Here(row) if row.state != SyncState::NotApplied => Some(row.target),
            _ => None,
        });
        return Ok(Some(is_there.collect()));
    }
    Ok(None)
}
