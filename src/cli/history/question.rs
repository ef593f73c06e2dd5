//! The question that the arguments ask, and its answer from the rounds.

use jiff::{Timestamp, Zoned};

use super::HistoryArgs;
use super::named_object::NamedObject;
use crate::cli::exit::Failure;
use crate::cli::present::history::Answer;
use crate::core::history::when::{self, DayEdge};
use crate::core::history::{
    ImageSpan, KnownRun, RunFilter, RunRecord, Window, deployments, image_spans, object_changes,
    ran_at, silent,
};

/// The days of `--stats` where no window is given.
const WINDOW: &str = "30d";
/// The rounds that `-p` shows where no number is given.
const PATCHES: usize = 10;

/// The times of a question.
pub(super) struct AskedTimes {
    filter: RunFilter,
    at: Option<Timestamp>,
    window: Window,
}

impl AskedTimes {
    pub(super) fn of(args: &HistoryArgs, now: &Zoned) -> Result<Self, Failure> {
        let time = |text: &Option<String>, edge| -> Result<Option<Timestamp>, Failure> {
            let Some(text) = text else { return Ok(None) };
            match when::time(text, now, edge) {
                Some(time) => Ok(Some(time)),
                None => {
                    let error = anyhow::anyhow!("invalid time {text:?}");
                    Err(Failure { error, hints: vec![format!("write {}", when::FORMS)] })
                }
            }
        };
        let since = time(&args.since, DayEdge::Begin)?;
        let until = time(&args.until, DayEdge::End)?;
        let at = time(&args.at, DayEdge::Begin)?;
        let usual = when::time(WINDOW, now, DayEdge::Begin).unwrap_or(now.timestamp());
        let window =
            Window { from: since.unwrap_or(usual), until: until.unwrap_or(now.timestamp()) };
        if window.from > window.until && (since.is_some() || until.is_some()) && args.stats {
            return Err(anyhow::anyhow!("--since is after --until").into());
        }
        Ok(Self { filter: RunFilter { since, until, failed: args.failed }, at, window })
    }
}

/// The answer, and the rounds that are shown one by one.
pub(super) fn answer<'a>(
    args: &'a HistoryArgs,
    asked: &AskedTimes,
    runs: &'a [KnownRun],
) -> (Answer<'a>, Vec<&'a KnownRun>) {
    let AskedTimes { filter, at, window } = asked;
    let most = args.max_count.or(args.patch.then_some(PATCHES)).unwrap_or(usize::MAX);
    let answer = match (at, &args.image, &args.object) {
        (Some(time), ..) => Answer::At { time: *time, ran: ran_at(runs, *time) },
        (_, Some(name), _) => {
            let mut spans = image_spans(runs, name);
            spans.retain(|span| is_within(span, filter));
            spans.truncate(most);
            let silent = silent(runs, |record| record.more_images > 0);
            Answer::Images { name, spans, silent }
        }
        (_, _, Some(NamedObject { name, pattern })) => {
            let mut changes = object_changes(runs, pattern);
            changes.retain(|change| filter.takes(change.run));
            changes.truncate(most);
            let is_silent = |record: &RunRecord| {
                record.more_objects > 0 && record.objects.iter().all(|it| !pattern.is(&it.key))
            };
            Answer::Object { name, changes, silent: silent(runs, is_silent) }
        }
        _ if args.stats => {
            Answer::Stats { window: *window, deployments: deployments(runs, *window) }
        }
        _ => {
            let shown: Vec<&KnownRun> =
                runs.iter().filter(|run| filter.takes(run)).take(most).collect();
            return (Answer::Runs(shown.clone()), shown);
        }
    };
    (answer, Vec::new())
}

/// Whether a version was there within the times that are asked about.
fn is_within(span: &ImageSpan<'_>, filter: &RunFilter) -> bool {
    let is_after = span.until.is_none_or(|(until, _)| filter.since.is_none_or(|it| until >= it));
    let is_before = span.from.is_none_or(|(from, _)| filter.until.is_none_or(|it| from < it));
    is_after && is_before
}
