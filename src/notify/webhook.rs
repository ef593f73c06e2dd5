//! JSON by POST, signed with HMAC-SHA256 where there is a key.

use aws_lc_rs::hmac;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde::Serialize;

use super::delivery::Delivery;
use super::error::DeliveryError;
use super::http::{secret_header, url};
use crate::core::notify::{Address, Commit, SecretSource};

/// The header with the signature of the body, as GitHub's.
const SIGNATURE: &str = "X-Trueup-Signature-256";
/// The header with the id of the message, which is the same where it comes twice.
const ID: &str = "X-Trueup-Delivery";
/// The header with the transition.
const EVENT: &str = "X-Trueup-Event";

/// Where to, and with which secrets.
pub(super) struct Options<'a> {
    pub(super) url: &'a Address,
    pub(super) secret: Option<&'a SecretSource>,
    pub(super) token: Option<&'a SecretSource>,
}

/// A message as JSON.
#[derive(Serialize)]
struct Document<'a> {
    version: u8,
    id: &'a str,
    target: &'a str,
    transition: &'static str,
    level: &'static str,
    title: &'a str,
    text: &'a str,
    details: &'a [String],
    objects: &'a [String],
    commit: Option<&'a Commit>,
    time: String,
    since: String,
}

/// The message as JSON, as a command gets it, too.
///
/// # Errors
///
/// When it can't be serialised.
pub(super) fn document(delivery: &Delivery<'_>) -> Result<Vec<u8>, DeliveryError> {
    let message = delivery.message;
    let document = Document {
        version: 1,
        id: &message.id,
        target: &message.target,
        transition: message.transition.name(),
        level: message.transition.level().name(),
        title: &message.title,
        text: &delivery.text,
        details: &message.details,
        objects: &message.objects,
        commit: message.commit.as_ref(),
        time: message.at.to_string(),
        since: message.since.to_string(),
    };
    serde_json::to_vec(&document).map_err(|error| DeliveryError::refusal(error.to_string()))
}

/// Sends it.
///
/// # Errors
///
/// When the server does not take it.
pub(super) fn send(delivery: &Delivery<'_>, options: Options<'_>) -> Result<(), DeliveryError> {
    let Options { url: address, secret, token } = options;
    let is_secret = matches!(address, Address::Secret(_)) || token.is_some();
    let url = url(&delivery.secrets.address(address)?, is_secret)?;
    let (http, body) = (delivery.http(&url)?, document(delivery)?);
    let mut request = http
        .post(url.clone())
        .header(CONTENT_TYPE, "application/json")
        .header(ID, &delivery.message.id)
        .header(EVENT, delivery.message.transition.name());
    if let Some(secret) = secret {
        request = request.header(SIGNATURE, signature(&delivery.secrets.read(secret)?, &body));
    }
    if let Some(token) = token {
        let token = delivery.secrets.read(token)?;
        request = request.header(AUTHORIZATION, secret_header(&format!("Bearer {token}"))?);
    }
    http.send(&url, request.body(body)).map(drop)
}

/// The signature of a body.
fn signature(secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, body);
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second test case of RFC 4231.
    #[test]
    fn signature_is_hmac_sha256() {
        assert_eq!(
            signature("Jefe", b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
