//! How far the commit of a plan is trusted, as JSON and as text.

use serde::Serialize;

use crate::app::trust::{Judged, JudgedBy, Refusal};
use crate::core::verification::{Fault, Signer, Standing};

/// How far the commit of a plan is trusted.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "trust"))]
pub(super) struct TrustDocument<'a> {
    /// Whether the rules trust it.
    trusted: bool,
    /// Why not, in one word.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// Why not, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// The signer that vouches for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    signer: Option<&'a Signer>,
    /// The signed tag that vouches for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<&'a str>,
    /// The commit that it stands in for.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<RefusedDocument<'a>>,
}

/// A commit that is not trusted.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "refused"))]
pub(super) struct RefusedDocument<'a> {
    /// Its full id.
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<&'a str>,
    /// Its author.
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<&'a str>,
    /// The key of its signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    /// Why, in one word.
    reason: &'static str,
    /// Why, in a sentence.
    message: String,
    /// The remedy.
    hint: String,
}

impl<'a> TrustDocument<'a> {
    /// That of a commit; none where there is no rule.
    pub(super) fn of(judged: &'a Judged) -> Option<Self> {
        let refused = judged.refused.as_ref().map(RefusedDocument::of);
        match &judged.by {
            JudgedBy::NoRule => None,
            JudgedBy::Trusted(standing) => Some(Self { refused, ..Self::standing(standing) }),
            JudgedBy::Waived(fault) => Some(Self { refused, ..Self::fault(fault) }),
        }
    }

    fn standing(standing: &'a Standing) -> Self {
        match standing {
            Standing::Trusted { signer, tag, .. } => {
                let (signer, tag) = (Some(signer), tag.as_deref());
                Self { trusted: true, reason: None, message: None, signer, tag, refused: None }
            }
            Standing::Refused { fault, .. } => Self::fault(fault),
        }
    }

    fn fault(fault: &Fault) -> Self {
        let (reason, message) = (Some(fault.word()), Some(fault.message()));
        Self { trusted: false, reason, message, signer: None, tag: None, refused: None }
    }
}

impl<'a> RefusedDocument<'a> {
    /// That of a refusal.
    pub(super) fn of(refusal: &'a Refusal) -> Self {
        let revision = refusal.revision.as_ref();
        Self {
            commit: revision.map(|revision| revision.commit.as_str()),
            author: revision.map(|revision| revision.author.as_str()),
            key: refusal.key.as_deref(),
            reason: refusal.fault.word(),
            message: refusal.fault.message(),
            hint: refusal.hint(),
        }
    }
}

/// A refusal with its remedy in one line.
pub fn refusal(refusal: &Refusal) -> String {
    format!("{refusal} ({})", refusal.hint())
}
