//! Since when git or a cluster is away, and what is new of that.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::observation::Reach;
use super::rules::Rules;

/// Something that is away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Outage {
    since: Timestamp,
    is_told: bool,
    /// Since when there are answers again that allow nothing.
    #[serde(default)]
    refused: Option<Timestamp>,
}

/// A step of an outage that makes a message.
pub(super) enum OutageNews {
    Lost(Timestamp, String),
    Back(Timestamp),
}

impl Outage {
    /// Notes whether something answers, and gives what is new in that.
    pub(super) fn note(
        outage: &mut Option<Self>,
        reach: &Reach,
        at: Timestamp,
        rules: &Rules,
    ) -> Option<OutageNews> {
        match reach {
            Reach::NotAsked => None,
            Reach::Refused if Self::lasts(outage.as_mut(), at, rules) => None,
            Reach::Reached | Reach::Refused => {
                let ended = outage.take()?;
                ended.is_told.then_some(OutageNews::Back(ended.since))
            }
            Reach::Lost(cause) => {
                let new = Self { since: at, is_told: false, refused: None };
                let Self { since, is_told, refused } = outage.get_or_insert(new);
                *refused = None;
                let is_news = !*is_told && passed(since, at) >= rules.grace;
                *is_told |= is_news;
                is_news.then(|| OutageNews::Lost(*since, cause.clone()))
            }
        }
    }

    /// Whether an answer that allows nothing is a part of an outage: one that comes after it, and does not
    /// last.
    fn lasts(outage: Option<&mut Self>, at: Timestamp, rules: &Rules) -> bool {
        let refused = outage.map(|outage| outage.refused.get_or_insert(at));
        refused.is_some_and(|refused| passed(refused, at) < rules.grace)
    }
}

/// The time since then. A clock may be set back.
fn passed(since: &mut Timestamp, at: Timestamp) -> Duration {
    *since = (*since).min(at);
    at.duration_since(*since).unsigned_abs()
}
