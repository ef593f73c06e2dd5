//! An identity provider's error answers (RFC 6749, section 5.2): how much of them is shown, and the
//! advice. An answer may quote what was sent, in any form, so little of it is shown.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use http::StatusCode;

use super::oauth::{TokenResponse, basic, escaped};
use super::{Provider, USE_KUBELOGIN, harmless};
use crate::cluster::credential::NoCredential;
use crate::core::credentials::without_credentials;

/// The remedy for a transient fault.
pub(super) const LATER: &str = "try again later: the identity provider can't answer just now";

/// How many characters a code of OAuth has at most.
const LONGEST_CODE: usize = 40;
/// How many characters a word has at most.
const LONGEST_WORD: usize = 20;
/// From how many characters on a piece of a secret is taken for one, and not for a word.
const SHORTEST_PIECE: usize = 6;

/// An answer without tokens.
pub(super) struct TokenRefusal {
    pub(super) status: StatusCode,
    pub(super) answer: TokenResponse,
}

/// Whether a status says that another request may be answered.
pub(super) fn is_passing(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
}

impl TokenRefusal {
    /// Whether the refresh token is what is refused.
    pub(super) fn is_grant(&self) -> bool {
        self.code() == Some("invalid_grant")
    }

    /// The code of OAuth, where there is one.
    fn code(&self) -> Option<&str> {
        let is_code = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-".contains(c);
        let code = self.answer.error.as_deref()?;
        let is_one = !code.is_empty() && code.len() <= LONGEST_CODE && code.chars().all(is_code);
        is_one.then_some(code)
    }

    /// The error of it.
    pub(super) fn error(&self, provider: &Provider, refresh_token: &str) -> NoCredential {
        let TokenResponse {
            access_token,
            id_token,
            refresh_token: new,
            error: _,
            error_description,
        } = &self.answer;
        let secrets = Secrets::of(
            [
                Some(refresh_token),
                provider.refresh_token.as_deref(),
                provider.id_token.as_deref(),
                provider.client_secret.as_deref(),
                access_token.as_deref(),
                id_token.as_deref(),
                new.as_deref(),
            ],
            &basic(&provider.client_id, provider.client_secret.as_deref().unwrap_or_default()),
        );
        let said = match self.code() {
            Some(code) => secrets.masked_code(code),
            None => format!("HTTP status {}", self.status),
        };
        let more = error_description.as_deref().map(|more| secrets.masked(more));
        let shown = match more.filter(|more| !more.is_empty()) {
            Some(more) => format!("{said}: {more}"),
            None => said,
        };
        let message =
            format!("{} does not refresh the id-token: {}", provider.shown(), harmless(&shown));
        NoCredential { message, hint: self.hint().map(str::to_owned) }
    }

    fn hint(&self) -> Option<&'static str> {
        match self.code() {
            Some("invalid_client" | "unauthorized_client") => {
                Some("correct client-id and client-secret of the kubeconfig's auth-provider")
            }
            Some("invalid_grant") => Some(USE_KUBELOGIN),
            Some("temporarily_unavailable" | "server_error") => Some(LATER),
            _ if is_passing(self.status) => Some(LATER),
            Some(_) => Some(USE_KUBELOGIN),
            None => match self.status {
                StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED => Some(USE_KUBELOGIN),
                _ => None,
            },
        }
    }
}

/// Texts to hide.
struct Secrets {
    /// As they are, and as a form has them.
    whole: Vec<String>,
    /// In every spelling, in small letters: no piece of one is shown.
    spellings: Vec<String>,
}

impl Secrets {
    fn of(secrets: [Option<&str>; 7], basic: &str) -> Self {
        let secrets = secrets.into_iter().flatten().filter(|secret| !secret.is_empty());
        let (mut whole, mut spellings) = (Vec::new(), vec![basic.to_lowercase()]);
        for secret in secrets {
            let forms = [secret.to_owned(), escaped(secret)];
            spellings.extend(forms.iter().map(|form| form.to_lowercase()));
            let encoded = [
                STANDARD.encode(secret),
                STANDARD_NO_PAD.encode(secret),
                URL_SAFE_NO_PAD.encode(secret),
            ];
            spellings.extend(encoded.map(|form| form.to_lowercase()));
            whole.extend(forms);
        }
        // A secret that contains another one goes first.
        whole.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self { whole, spellings }
    }

    /// A text without them, and without the words that may be another form of them.
    fn masked(&self, text: &str) -> String {
        let mut text = without_credentials(text);
        for secret in &self.whole {
            text = text.replace(secret, "***");
        }
        let words = text.split_whitespace();
        let words = words.map(|word| if self.is_harmless(word) { word } else { "***" });
        words.collect::<Vec<_>>().join(" ")
    }

    /// A code, which is longer than a word.
    fn masked_code(&self, code: &str) -> String {
        let is_within = |secret: &String| secret.len() >= SHORTEST_PIECE && code.contains(secret);
        match self.has_piece(code) || self.whole.iter().any(is_within) {
            true => "***".to_owned(),
            false => code.to_owned(),
        }
    }

    fn is_harmless(&self, word: &str) -> bool {
        let letters: Vec<char> = word.chars().collect();
        let is_letter = |at: Option<usize>| {
            at.and_then(|at| letters.get(at)).is_some_and(|c| c.is_alphanumeric())
        };
        let is_escape = |(at, c): (usize, &char)| {
            "=%&\\/+".contains(*c) && (is_letter(at.checked_sub(1)) || is_letter(Some(at + 1)))
        };
        letters.len() <= LONGEST_WORD
            && !letters.iter().enumerate().any(is_escape)
            && !self.has_piece(word)
    }

    /// Whether a part of the text is a piece of a secret.
    fn has_piece(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let parts = text.split(|c: char| !c.is_alphanumeric() && !"-_.~".contains(c));
        let trimmed = parts.map(|part| part.trim_matches(['-', '_', '.', '~']));
        trimmed
            .filter(|part| part.chars().count() >= SHORTEST_PIECE)
            .any(|part| self.spellings.iter().any(|secret| secret.contains(part)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::provider;
    use super::*;

    const REFRESH: &str = "Refre5h/Canary+one==two";
    const SECRET: &str = "s3cretCanary\"quoted\\\u{e9}";
    const ID: &str = "eyJhbGciCanary.eyJpc3MiCanary.c2lnCanary";
    const NEW: &str = "n3wCanary-token_x";

    fn told(status: u16, answer: &str) -> NoCredential {
        let provider =
            provider(&[("client-secret", SECRET), ("id-token", ID), ("refresh-token", REFRESH)]);
        let status = StatusCode::from_u16(status).unwrap();
        let answer = serde_json::from_str(answer).unwrap_or_default();
        TokenRefusal { status, answer }.error(&provider.unwrap(), REFRESH)
    }

    fn said(answer: crate::core::json::Value) -> String {
        let said = told(400, &answer.to_string()).message;
        let (_, said) = said.split_once("does not refresh the id-token: ").unwrap();
        said.to_owned()
    }

    #[test]
    fn no_encoding_of_a_secret_is_shown() {
        let mut forms = Vec::new();
        for secret in [REFRESH, SECRET, ID, NEW] {
            let escaped = escaped(secret);
            let json = serde_json::to_string(secret).unwrap();
            let spelled = secret.chars().map(|c| format!("\\u{:04x}", u32::from(c)));
            let percent = secret.bytes().map(|byte| format!("%{byte:02x}"));
            forms.extend([
                secret.to_owned(),
                escaped.to_lowercase(),
                json,
                spelled.collect(),
                percent.collect(),
                STANDARD.encode(secret),
                URL_SAFE_NO_PAD.encode(secret),
                format!("token={escaped}&x=y"),
                format!("({secret})"),
                format!("\"{secret}\","),
                secret.chars().take(10).collect(),
                secret.chars().skip(1).take(8).collect(),
                format!("<{}>", secret.chars().take(7).collect::<String>()),
                secret.to_uppercase(),
                escaped,
            ]);
        }
        let header = basic("cli", SECRET);
        forms.extend([format!("Basic {header}"), header.clone(), header[..15].to_owned()]);
        for form in forms {
            let answer = crate::core::json::json!({
                "error": "invalid_grant", "id_token": NEW,
                "error_description": format!("token {form} is gone"),
            });
            let said = said(answer);
            let masked = said.strip_prefix("invalid_grant: token ").unwrap();
            let masked = masked.strip_suffix(" is gone").unwrap().replace("Basic", "");
            let is_masked = masked.chars().all(|c| "* (),\"<>.".contains(c));
            assert!(is_masked, "{form} is shown as {masked}");
        }
    }

    #[test]
    fn a_code_is_shown_where_it_is_one() {
        for (code, expected) in [
            ("invalid_grant", "invalid_grant"),
            ("interaction_required", "interaction_required"),
            ("", "HTTP status 400 Bad Request"),
            ("Token abc is gone", "HTTP status 400 Bad Request"),
            ("a=b", "HTTP status 400 Bad Request"),
            ("a23456789012345678901234567890123456789012", "HTTP status 400 Bad Request"),
            ("n3wcanary-token_x", "***"),
        ] {
            let answer = crate::core::json::json!({ "error": code, "refresh_token": NEW });
            assert_eq!(said(answer), expected, "{code}");
        }
        let answer = crate::core::json::json!({
            "error": "invalid_grant",
            "error_description": "AADSTS700082: The token expired and/or was\nrevoked (at 10:00).",
        });
        let expected = "invalid_grant: AADSTS700082: The token expired *** was revoked (at 10:00).";
        assert_eq!(said(answer), expected);
    }

    #[test]
    fn transient_oidc_refusal_hints_at_a_retry() {
        for (status, code, part) in [
            (400, "invalid_grant", "log in again"),
            (500, "invalid_grant", "log in again"),
            (401, "invalid_client", "client-secret"),
            (503, "temporarily_unavailable", "try again later"),
            (400, "server_error", "try again later"),
            (503, "", "try again later"),
            (500, "oops", "try again later"),
            (429, "slow_down", "try again later"),
            (400, "", "log in again"),
        ] {
            let hint = told(status, &format!(r#"{{"error":"{code}"}}"#)).hint.unwrap();
            assert!(hint.contains(part), "{status} {code}: {hint}");
            assert_eq!(hint.contains("log in again"), part == "log in again");
        }
        assert_eq!(
            told(502, "<html>").message.split("id-token: ").last(),
            Some("HTTP status 502 Bad Gateway")
        );
        assert_eq!(told(404, "<html>").hint, None);
    }
}
