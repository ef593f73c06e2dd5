//! Why a message was not delivered.

use std::error::Error as _;
use std::time::Duration;

use crate::local::secrets::SecretError;

/// The longest pause that a server is granted.
const LONGEST: Duration = Duration::from_secs(3600);

/// Why a message was not delivered. It holds no address, no token and no word of the server's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct DeliveryError {
    text: String,
    /// How long the sink asked to be left alone.
    pub retry_after: Option<Duration>,
    /// Whether the sink refuses this message, so that sending it again is of no use.
    pub is_refusal: bool,
    /// Whether a server says that there is no such thing.
    pub(super) is_not_found: bool,
    /// Whether a server says that the sink may not do this.
    is_forbidden: bool,
}

impl DeliveryError {
    /// A failure that may pass.
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            retry_after: None,
            is_refusal: false,
            is_not_found: false,
            is_forbidden: false,
        }
    }

    /// A refusal of this message.
    pub(super) fn refusal(text: impl Into<String>) -> Self {
        Self { is_refusal: true, ..Self::new(text) }
    }

    /// The answer of an HTTP server.
    pub(super) fn status(host: &str, status: u16, retry_after: Option<&str>) -> Self {
        let is_refusal = matches!(status, 400 | 413 | 415 | 422);
        let retry_after = retry_after.and_then(pause).map(|pause| pause.min(LONGEST));
        let text = format!("{host} answers with HTTP status {status}");
        let (is_not_found, is_forbidden) = (status == 404, status == 403);
        Self { text, retry_after, is_refusal, is_not_found, is_forbidden }
    }

    /// The same as a refusal of the message, where the sink may not do what it is for.
    pub(super) fn or_refusal(self) -> Self {
        Self { is_refusal: self.is_refusal || self.is_forbidden, ..self }
    }
}

impl From<SecretError> for DeliveryError {
    fn from(error: SecretError) -> Self {
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        Self::new(format!("{error}{cause}"))
    }
}

/// Reads a `Retry-After`: seconds, or the time at which to try again.
fn pause(value: &str) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let at = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
    Duration::try_from(at.duration_since(jiff::Timestamp::now())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_says_how_long_it_wants_to_be_left_alone() {
        let asked = |value| DeliveryError::status("h", 429, Some(value)).retry_after;
        assert_eq!(asked("30"), Some(Duration::from_secs(30)));
        assert_eq!(asked("0.5"), Some(Duration::from_millis(500)));
        assert_eq!(asked("999999"), Some(LONGEST));
        assert_eq!(asked("Fri, 01 Jan 2100 00:00:00 GMT"), Some(LONGEST));
        for wrong in ["-1", "soon", "Fri, 01 Jan 2010 00:00:00 GMT", "NaN"] {
            assert_eq!(asked(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_what_is_wrong_with_the_message_is_a_refusal() {
        let refused = |status| DeliveryError::status("h", status, None).is_refusal;
        assert!([400, 413, 422].into_iter().all(refused));
        assert!(![301, 401, 403, 404, 408, 409, 429, 500, 503].into_iter().any(refused));
    }
}
