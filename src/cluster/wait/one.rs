//! Waits for what becomes of one object: one GET, and then a watch of its name, so that the time
//! that it takes costs no requests.

use std::pin::pin;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::News;
use super::stream::{Selector, WatchEnd};
use crate::cluster::{ApiError, Cluster, RetryPolicy};
use crate::core::kinds::catalog::Served;
use crate::core::object::Object;

/// The pause before another GET where the object can't be watched, or the watch was lost; it
/// doubles.
const PAUSE: Duration = Duration::from_millis(100);
/// The longest of these pauses.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How many events of the watch are kept until they are looked at.
const NEWS: usize = 8;

/// One object, as it is asked for.
#[derive(Clone, Copy, Debug)]
pub(in crate::cluster) struct OneObject<'a> {
    /// Where it is served.
    pub(in crate::cluster) served: &'a Served,
    /// Its namespace; `None` where its kind has none.
    pub(in crate::cluster) namespace: Option<&'a str>,
    /// Its name.
    pub(in crate::cluster) name: &'a str,
}

impl Cluster {
    /// Waits until `look` finds something in the object, which is `None` where it does not exist;
    /// `None` when that does not happen in time. It looks at least once.
    ///
    /// # Errors
    ///
    /// When the API server does not answer.
    pub(in crate::cluster) async fn until<T>(
        &self,
        one: OneObject<'_>,
        patience: &RetryPolicy,
        mut look: impl FnMut(Option<&Object>) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        let OneObject { served, namespace, name } = one;
        let mut pause = PAUSE;
        loop {
            let now = self.get(served, namespace, name).await?;
            if let Some(found) = look(now.as_ref()) {
                return Ok(Some(found));
            }
            if !patience.allows(PAUSE) {
                return Ok(None);
            }
            let version = now.as_ref().and_then(Object::resource_version).unwrap_or_default();
            let (tell, mut hear) = mpsc::channel(NEWS);
            let selector = Selector::Name(name);
            let mut watch =
                pin!(self.watch(served, namespace, selector, version.to_owned(), &tell));
            let end = Instant::from_std(patience.until);
            let watched = loop {
                tokio::select! {
                    biased;
                    Some(news) = hear.recv() => {
                        let found = match &news {
                            News::Seen(object) => look(Some(object)),
                            News::Gone(_) => look(None),
                            _ => None,
                        };
                        if found.is_some() {
                            return Ok(found);
                        }
                    }
                    watched = &mut watch => break watched,
                    _ = timeout_at(end, patience.cancel.cancelled()) => return Ok(None),
                }
            };
            match watched {
                WatchEnd::At(_) | WatchEnd::Behind => pause = PAUSE,
                WatchEnd::Forbidden(_) | WatchEnd::Lost(_) => {
                    let left = end.saturating_duration_since(Instant::now());
                    patience.rest(pause.min(left)).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }
}
