//! Pushes that a forge tells by a webhook: whether the secret proves them, and which repository and ref
//! they name.
//!
//! A push is not trusted beyond that. It says when to look at the remote, and never what to apply.
//!
//! GitHub, Gitea, Gogs and Bitbucket Server sign the body with HMAC-SHA256; GitLab sends the secret
//! itself. Secrets are compared in constant time.

mod body;
mod repository;

use std::collections::BTreeMap;

use aws_lc_rs::{constant_time, hmac};

pub use self::repository::RepositoryId;

/// The most bytes of a body; a push that is larger is refused.
pub const LARGEST: usize = 1 << 20;
/// The fewest bytes of a secret.
pub const SHORTEST_SECRET: usize = 16;

/// The secret that a forge shares.
pub struct WebhookSecret(Vec<u8>);

impl WebhookSecret {
    /// The secret of a file or a variable, without the line's end; `None` where it is too short.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim_end_matches(['\r', '\n']);
        (text.len() >= SHORTEST_SECRET).then(|| Self(text.as_bytes().to_vec()))
    }

    /// Whether a signature in hexadecimal digits is that of a body.
    fn signs(&self, body: &[u8], signature: &str) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        bytes(signature).is_some_and(|tag| hmac::verify(&key, body, &tag).is_ok())
    }

    /// Whether a token is the secret. Digests are compared, so that the time does not tell the length.
    fn is(&self, token: &str) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"token");
        let [one, other] = [token.as_bytes(), &self.0].map(|text| hmac::sign(&key, text));
        constant_time::verify_slices_are_equal(one.as_ref(), other.as_ref()).is_ok()
    }
}

/// The headers of a request, by their names in lower case.
pub type Headers = BTreeMap<String, String>;

/// The content of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// A push.
    Push(Push),
    /// Anything else that a forge tells, such as that the webhook was set up.
    Other,
}

/// A push.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Push {
    /// The repository by all of its addresses.
    pub repositories: Vec<RepositoryId>,
    /// The refs that moved, such as `refs/heads/main`.
    pub refs: Vec<String>,
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No header says which forge it is.
    #[error("not a webhook of a known forge")]
    UnknownForge,
    /// The secret does not prove it.
    #[error("the signature or token is wrong")]
    Unproven,
    /// The body can't be read.
    #[error("the body is not that of a push")]
    Garbled,
}

/// A forge, as far as its webhooks differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Forge {
    GitHub,
    Gitea,
    Gogs,
    GitLab,
    Bitbucket,
}

impl Forge {
    /// The forge, and the kind of event. Gitea sends GitHub's and Gogs' headers as well.
    fn of(headers: &Headers) -> Option<(Self, &str)> {
        let of = |forge, name: &str| Some((forge, headers.get(name)?.as_str()));
        of(Self::Gitea, "x-gitea-event")
            .or_else(|| of(Self::Gogs, "x-gogs-event"))
            .or_else(|| of(Self::GitLab, "x-gitlab-event"))
            .or_else(|| of(Self::GitHub, "x-github-event"))
            .or_else(|| of(Self::Bitbucket, "x-event-key"))
    }

    fn is_proven(self, headers: &Headers, body: &[u8], secret: &WebhookSecret) -> bool {
        let header = |name: &str| headers.get(name).map(String::as_str);
        let prefixed = |name: &str| header(name).and_then(|it| it.strip_prefix("sha256="));
        let signature = match self {
            Self::GitLab => return header("x-gitlab-token").is_some_and(|it| secret.is(it)),
            Self::GitHub => prefixed("x-hub-signature-256"),
            Self::Gitea => header("x-gitea-signature"),
            Self::Gogs => header("x-gogs-signature"),
            Self::Bitbucket => prefixed("x-hub-signature"),
        };
        signature.is_some_and(|signature| secret.signs(body, signature))
    }

    fn is_push(self, event: &str) -> bool {
        match self {
            Self::GitHub | Self::Gitea | Self::Gogs => matches!(event, "push" | "create"),
            Self::GitLab => matches!(event, "Push Hook" | "Tag Push Hook"),
            Self::Bitbucket => event == "repo:refs_changed",
        }
    }
}

/// Reads a request that the secret proves. Nothing of the body is read before.
///
/// # Errors
///
/// When it is not proven, or not that of a forge.
pub fn read(headers: &Headers, bytes: &[u8], secret: &WebhookSecret) -> Result<Told, Refusal> {
    let (forge, event) = Forge::of(headers).ok_or(Refusal::UnknownForge)?;
    if !forge.is_proven(headers, bytes, secret) {
        return Err(Refusal::Unproven);
    }
    if !forge.is_push(event) {
        return Ok(Told::Other);
    }
    let push = match forge {
        Forge::Bitbucket => body::of_bitbucket(bytes),
        Forge::GitLab => body::of_gitlab(bytes),
        Forge::GitHub | Forge::Gitea | Forge::Gogs => body::of_github(bytes),
    };
    push.map(Told::Push).ok_or(Refusal::Garbled)
}

/// The bytes of hexadecimal digits.
fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = hex
        .bytes()
        .map(|digit| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits.filter(|digits| digits.len() == 64)?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests;
