//! The spelling of OAuth on the wire: the token response, the client's authentication and the form
//! (RFC 6749, sections 2.3.1 and 5, and appendix B).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// The answer to a request for tokens, or why there are none.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct TokenResponse {
    pub(super) access_token: Option<String>,
    pub(super) id_token: Option<String>,
    pub(super) refresh_token: Option<String>,
    pub(super) error: Option<String>,
    pub(super) error_description: Option<String>,
}

/// A client's name and its secret as a header has them.
pub(super) fn basic(client_id: &str, secret: &str) -> String {
    STANDARD.encode(format!("{}:{}", escaped(client_id), escaped(secret)))
}

/// The text as it stands in a form (application/x-www-form-urlencoded).
pub(super) fn escaped(text: &str) -> String {
    let mut form = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => form.push('+'),
            b'-' | b'_' | b'.' | b'~' => form.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => form.push(char::from(byte)),
            byte => form.push_str(&format!("%{byte:02X}")),
        }
    }
    form
}
