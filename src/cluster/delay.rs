//! Reports a delay once it takes a while: which fault is waited out, and until when at most. Who
//! receives the reports is the caller's; whether a request is sent again is
//! [`retry_policy`](super::patience)'s.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use http::StatusCode;

use super::retry_class::ABOUT_TO_ANSWER;
use super::{ApiError, Cluster};

/// A pause that is over before this much time was lost to a fault is not worth a word.
const WORTH_TELLING: Duration = Duration::from_millis(3500);
/// The cause of a delay where a request is sent and no answer comes.
const SILENT: &str = "the API server has not answered yet";
/// How long after a wait for it the same cause is reported again.
const FORGOTTEN: Duration = Duration::from_secs(60);

/// A cause of a delay. It holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delay {
    /// The cause, as a clause.
    pub cause: String,
    /// How it goes on.
    pub next: DelayEnd,
}

/// How a delay goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DelayEnd {
    /// It is tried again and again, and given up after this time at most.
    GivesUp(Duration),
    /// It is tried again a few times, the next time after this.
    Again(Duration),
}

/// A receiver of delays.
#[derive(Clone)]
pub struct Listener(Arc<dyn Fn(&Delay) + Send + Sync>);

impl Listener {
    /// One who does this.
    pub fn new(hear: impl Fn(&Delay) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hear))
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener")
    }
}

/// Which delays were reported.
#[derive(Debug, Default)]
pub(super) struct Delays {
    listener: Option<Listener>,
    /// Until when each cause is waited for, as far as is known.
    told: BTreeMap<String, Instant>,
}

impl Delays {
    /// Whether a cause is news at the time `now`, if it is waited for until `until`.
    fn is_news(&mut self, cause: &str, now: Instant, until: Instant) -> bool {
        let known = self.told.insert(cause.to_owned(), until);
        known.is_none_or(|known| now.saturating_duration_since(known) > FORGOTTEN)
    }
}

impl Cluster {
    /// Reports to `listener` from now on what takes a while.
    pub fn on_delay(&self, listener: Listener) {
        self.connection.delays.lock().unwrap_or_else(PoisonError::into_inner).listener =
            Some(listener);
    }

    /// Waits for what comes of a request, for so long at most; reports it once that takes a while.
    /// `None` where nothing came in time.
    pub(super) async fn in_time<T>(
        &self,
        answer: impl Future<Output = T>,
        limit: Option<Duration>,
    ) -> Option<T> {
        let mut answer = std::pin::pin!(answer);
        let short = limit.unwrap_or(Duration::MAX).min(WORTH_TELLING);
        if let Ok(answer) = tokio::time::timeout(short, &mut answer).await {
            return Some(answer);
        }
        let Some(limit) = limit else { return Some(answer.await) };
        let left = limit.saturating_sub(short);
        if !left.is_zero() {
            let next = DelayEnd::GivesUp(left);
            self.hear(Delay { cause: SILENT.to_owned(), next }, Instant::now() + left);
        }
        tokio::time::timeout(left, answer).await.ok()
    }

    /// Reports that a pause is about to be made for an error, where a request that first failed at
    /// `since` has taken long enough for that.
    pub(super) fn report(&self, error: &ApiError, since: Instant, pause: Duration, next: DelayEnd) {
        let now = Instant::now();
        if now.saturating_duration_since(since) + pause < WORTH_TELLING {
            return;
        }
        self.hear(Delay { cause: cause(error), next }, now + pause);
    }

    /// Reports a delay that is waited for until then, unless that was reported before.
    fn hear(&self, delay: Delay, until: Instant) {
        let mut delays = self.connection.delays.lock().unwrap_or_else(PoisonError::into_inner);
        let listener = delays.listener.clone();
        let now = Instant::now();
        if let Some(Listener(hear)) = listener.filter(|_| delays.is_news(&delay.cause, now, until))
        {
            drop(delays);
            hear(&delay);
        }
    }
}

/// The cause of a delay, as a clause. Of the server's own words only known ones are shown.
fn cause(error: &ApiError) -> String {
    match error {
        ApiError::Unreachable { cause, .. } => {
            // The number in "Connection refused (os error 111)" does not help.
            let cause = cause.split(" (os error").next().unwrap_or(cause);
            let mut letters = cause.chars();
            let first = letters.next().map(|c| c.to_ascii_lowercase());
            let cause: String = first.into_iter().chain(letters).collect();
            format!("the API server does not answer ({cause})")
        }
        ApiError::Status { code, message, .. } => {
            let known = ABOUT_TO_ANSWER.iter().find(|known| message.contains(**known));
            let status = StatusCode::from_u16(*code).ok();
            let status = status.and_then(|status| status.canonical_reason()).unwrap_or("no reason");
            let why = known.map_or_else(|| status.to_lowercase(), |known| (*known).to_owned());
            match (message.split_once("failed calling webhook \""), code) {
                (Some((_, rest)), _) => {
                    let name = rest.split('"').next().unwrap_or_default();
                    format!("the webhook {name} does not answer ({why})")
                }
                (None, 429) => format!("the API server is busy ({why})"),
                (None, _) if message.contains("etcdserver: ") => {
                    "the API server's store does not answer (etcd)".to_owned()
                }
                (None, _) if known.is_some() => {
                    format!("the API server does not answer ({why})")
                }
                (None, _) => format!("the API server can't answer ({code} {why})"),
            }
        }
        ApiError::Tls { fault, .. } => {
            format!("there is no TLS connection with the API server ({fault})")
        }
        ApiError::Silent { .. } => SILENT.to_owned(),
        ApiError::Redirected { .. } => "the API server redirects to another one".to_owned(),
        ApiError::TooOld { .. } => "the API server is too old".to_owned(),
        ApiError::Proxy { .. } => "a proxy does not lead to the API server".to_owned(),
        ApiError::NoCredential { .. } => "there is no credential".to_owned(),
        ApiError::Barred { .. } => "this process may not write".to_owned(),
        ApiError::Garbled { .. } | ApiError::Endless { .. } => {
            "the server that answers is not an API server".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: u16, message: &str) -> ApiError {
        let (reason, causes) = (String::new(), Vec::new());
        ApiError::Status { code, reason, message: message.to_owned(), causes }
    }

    #[test]
    fn delay_causes_use_fixed_texts_without_secrets() {
        let webhook = "Internal error occurred: failed calling webhook \"guard.example\": failed to call webhook: Post \"https://a:1/x?token=hunter2\": dial tcp 10.0.0.1:443: connect: connection refused";
        let unreachable = ApiError::Unreachable {
            url: "https://shop".to_owned(),
            cause: "Connection refused (os error 111)".to_owned(),
        };
        let rows = [
            (unreachable, "the API server does not answer (connection refused)"),
            (status(429, "hunter2"), "the API server is busy (too many requests)"),
            (status(503, "hunter2"), "the API server can't answer (503 service unavailable)"),
            (
                status(500, webhook),
                "the webhook guard.example does not answer (connection refused)",
            ),
            (status(500, "etcdserver: hunter2"), "the API server's store does not answer (etcd)"),
            (
                status(
                    500,
                    "500 Internal Server Error: dial tcp 10.0.0.1:6443: connect: connection refused",
                ),
                "the API server does not answer (connection refused)",
            ),
        ];
        for (error, expected) in rows {
            assert_eq!(cause(&error), expected);
        }
    }

    #[test]
    fn delay_cause_is_reported_once_and_again_after_it_ended() {
        let (mut delays, begin) = (Delays::default(), Instant::now());
        let after = |seconds| begin + Duration::from_secs(seconds);
        assert!(delays.is_news("away", after(0), after(10)));
        assert!(!delays.is_news("away", after(0), after(9)));
        assert!(delays.is_news("busy", after(1), after(2)));
        assert!(!delays.is_news("away", after(60), after(70)));
        assert!(delays.is_news("away", after(131), after(132)));
    }
}
