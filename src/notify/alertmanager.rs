//! Alerts of Alertmanager: one fires while a state lasts and is resolved when it ends.

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};

use super::delivery::Delivery;
use super::error::DeliveryError;
use super::http::{below, secret_header, url};
use crate::core::json::json;
use crate::core::notify::{Address, AlertState, SecretSource};

/// How long an alert fires without another word. A message comes once, where Prometheus repeats its
/// alerts, so Alertmanager must not take silence for the end.
const FIRES: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Sends an alert.
///
/// # Errors
///
/// When Alertmanager does not take it.
pub(super) fn send(
    delivery: &Delivery<'_>,
    address: &Address,
    token: Option<&SecretSource>,
) -> Result<(), DeliveryError> {
    let message = delivery.message;
    let Some(alert) = message.alert() else { return Ok(()) };
    let is_secret = matches!(address, Address::Secret(_)) || token.is_some();
    let server = url(&delivery.secrets.address(address)?, is_secret)?;
    let ends = match alert.state {
        AlertState::Firing => message.at.checked_add(FIRES).unwrap_or(Timestamp::MAX),
        AlertState::Resolved => message.at,
    };
    let (commit, text) = (message.commit.as_ref(), delivery.text.as_str());
    let body = json!([{
        "labels": { "alertname": alert.name, "target": message.target, "source": "trueup" },
        "annotations": {
            "summary": message.title,
            "description": text,
            "commit": commit.map(|commit| commit.id.clone()).unwrap_or_default(),
            "transition": message.transition.name(),
        },
        "startsAt": message.since.to_string(),
        "endsAt": ends.to_string(),
    }]);
    let url = below(&server, &["api", "v2", "alerts"])?;
    let http = delivery.http(&url)?;
    let mut request = http.post(url.clone()).header(CONTENT_TYPE, "application/json");
    if let Some(token) = token {
        let token = delivery.secrets.read(token)?;
        request = request.header(AUTHORIZATION, secret_header(&format!("Bearer {token}"))?);
    }
    http.send(&url, request.body(body.to_string())).map(drop)
}
