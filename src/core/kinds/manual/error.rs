//! Why there is no page.

use crate::core::kinds::lifecycle::Notice;

/// Why something can't be explained.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManualError {
    /// No kind has this name.
    #[error("unknown kind {name:?}")]
    Unknown {
        /// The name.
        name: String,
        /// Names that are like it.
        near: Vec<String>,
    },
    /// Kinds of several groups have this name.
    #[error("{name:?} is the name of several kinds: {}", choices.join(", "))]
    Ambiguous {
        /// The name.
        name: String,
        /// Each as `apiVersion/Kind`.
        choices: Vec<String>,
    },
    /// The release does not serve it.
    #[error("{}", .0.message)]
    Unserved(Notice),
    /// The kind is not there in this version.
    #[error("no {kind} in {api_version}")]
    OtherVersions {
        /// The kind.
        kind: String,
        /// The version that was asked for.
        api_version: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// Its definition says nothing of its fields.
    #[error("the definition of {0} has no schema")]
    Unspecified(String),
    /// There is no such field.
    #[error("{of} has no field {name:?}")]
    NoField {
        /// The kind, or the field above.
        of: String,
        /// The field.
        name: String,
        /// Fields that are like it.
        near: Vec<String>,
    },
    /// A value without fields.
    #[error("{of} has no fields: it is <{type_word}>")]
    NoFields {
        /// The field.
        of: String,
        /// Its type.
        type_word: String,
    },
}

impl ManualError {
    /// The remedy.
    pub fn hint(&self) -> Option<String> {
        let or = |names: &[String]| {
            (!names.is_empty()).then(|| format!("did you mean {}?", names.join(" or ")))
        };
        match self {
            Self::Unknown { name, .. } if name.is_empty() => {
                Some("name a kind, as in trueup explain deployment".to_owned())
            }
            Self::Unknown { near, .. } | Self::NoField { near, .. } => or(near),
            Self::Ambiguous { choices, .. } => choices
                .first()
                .map(|first| format!("name one of them, as in trueup explain {first}")),
            Self::Unserved(notice) => notice.hint.clone(),
            Self::OtherVersions { known, .. } => Some(format!("there is {}", known.join(", "))),
            Self::Unspecified(_) | Self::NoFields { .. } => None,
        }
    }
}
