//! The verdict about a commit or a tag, in words.

use serde::{Deserialize, Serialize};

use crate::core::source::snapshot::short;

/// The signer, as the machine's own files name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "signer"))]
pub struct Signer {
    /// The principal of an allowed_signers file, or the user id of an OpenPGP key.
    pub principal: String,
    /// The key's fingerprint.
    pub key: String,
}

/// The verdict of a signature alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is good, and by one of the signers.
    Good {
        /// The signer.
        signer: Signer,
        /// The time when that may change, in seconds of Unix time; `None` where it does not.
        until: Option<i64>,
    },
    /// It is not.
    Bad {
        /// Why.
        fault: Fault,
        /// The key's fingerprint, or its id where no more is known.
        key: Option<String>,
    },
}

impl Verdict {
    /// A fault of a signature whose key is not known.
    pub fn bad(fault: Fault) -> Self {
        Self::Bad { fault, key: None }
    }
}

/// Why a commit or tag is not trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It has no signature.
    Unsigned,
    /// It has several signatures.
    Several,
    /// The signature is of another text, or broken.
    BadSignature,
    /// The key is not one of those that count.
    UnknownKey,
    /// The certificate has no principal that its authority may vouch for, or is not valid then.
    Certificate,
    /// The key was no longer valid: when it was signed for SSH, and now for OpenPGP.
    Expired,
    /// The key was not valid yet.
    NotYetValid,
    /// The key was revoked.
    Revoked,
    /// The signature, or the key, is for something else than git.
    WrongNamespace,
    /// The signature is over a digest for which collisions can be made.
    WeakDigest(&'static str),
    /// The format is not verified.
    Unsupported(&'static str),
    /// The rule has no keys for this format.
    NoKeys(&'static str),
    /// The signer may not sign for a path that the commit changes.
    NotAllowed {
        /// The signer.
        principal: String,
        /// One of the paths.
        path: String,
    },
    /// No signed tag points at the commit.
    NoTag,
    /// An ancestor is not trusted, and every commit has to be.
    Ancestor {
        /// Its id.
        commit: String,
        /// Why.
        fault: Box<Fault>,
    },
    /// Uncommitted files, which can't be signed.
    WorkTree,
    /// The history is longer than it is followed.
    TooLong(usize),
    /// The history is not all here.
    Shallow,
    /// It is older than what is applied, and only an unsigned tag says that it is newer.
    Older,
    /// It could not be found out.
    Unknown(String),
}

impl Fault {
    /// Whether it is unknown how things are.
    pub fn is_unknown(&self) -> bool {
        match self {
            Self::Unknown(_) | Self::Shallow | Self::TooLong(_) => true,
            Self::Ancestor { fault, .. } => fault.is_unknown(),
            _ => false,
        }
    }

    /// One word for machines.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unsigned => "unsigned",
            Self::Several => "several-signatures",
            Self::BadSignature => "bad-signature",
            Self::UnknownKey => "unknown-key",
            Self::Certificate => "certificate",
            Self::Expired => "expired",
            Self::NotYetValid => "not-yet-valid",
            Self::Revoked => "revoked",
            Self::WrongNamespace => "wrong-namespace",
            Self::WeakDigest(_) => "weak-digest",
            Self::Unsupported(_) => "unsupported",
            Self::NoKeys(_) => "no-keys",
            Self::NotAllowed { .. } => "not-allowed",
            Self::NoTag => "no-tag",
            Self::Ancestor { .. } => "ancestor",
            Self::WorkTree => "work-tree",
            Self::TooLong(_) => "too-long",
            Self::Shallow => "shallow",
            Self::Older => "older",
            Self::Unknown(_) => "unknown",
        }
    }

    /// The cause, after "the commit is not trusted: ".
    pub fn message(&self) -> String {
        match self {
            Self::Unsigned => "it is not signed".into(),
            Self::Several => "it has several signatures".into(),
            Self::BadSignature => "the signature does not match its content".into(),
            Self::UnknownKey => "the signing key is not one of the allowed signers'".into(),
            Self::Certificate => "the signing certificate is not valid for any principal".into(),
            Self::Expired => "the signing key has expired".into(),
            Self::NotYetValid => "the signing key is not valid yet at the commit's time".into(),
            Self::Revoked => "the signing key is revoked".into(),
            Self::WrongNamespace => "the signature or its key is not meant for git".into(),
            Self::WeakDigest(name) => format!("the signature uses {name}, which can be forged"),
            Self::Unsupported(format) => format!("signatures as {format} are not supported"),
            Self::NoKeys(format) => {
                format!("it has an {format} signature, and the rule has no {format} keys")
            }
            Self::NotAllowed { principal, path } => format!("{principal} may not sign for {path}"),
            Self::NoTag => "no signed tag points at it".into(),
            Self::Ancestor { commit, fault } => {
                format!("its ancestor {} is not trusted: {}", short(commit), fault.message())
            }
            Self::WorkTree => "uncommitted files are not signed".into(),
            Self::TooLong(most) => format!("no trusted commit among its last {most} ancestors"),
            Self::Shallow => "the checkout is shallow, and ends before a trusted commit".into(),
            Self::Older => {
                "its tag need not be signed, and leads back behind what is applied".into()
            }
            Self::Unknown(why) => format!("its signature can't be verified: {why}"),
        }
    }

    /// The remedy.
    pub fn hint(&self) -> String {
        match self {
            Self::Unsigned | Self::Several | Self::BadSignature => {
                "have an allowed signer sign a commit on top of it: git commit -S".into()
            }
            Self::UnknownKey | Self::NoKeys(_) => {
                "if the key is to count, add it to the file that the machine's verify rule names"
                    .into()
            }
            Self::Certificate => {
                "sign with a certificate whose principal the cert-authority line names".into()
            }
            Self::Expired | Self::NotYetValid | Self::Revoked | Self::WrongNamespace => {
                "sign it with a key that is valid: git commit --amend -S, or a new commit on top"
                    .into()
            }
            Self::WeakDigest(_) => "let gpg sign with SHA-256: personal-digest-preferences SHA256".into(),
            Self::Unsupported(_) => "sign with an SSH or an OpenPGP key: git config gpg.format".into(),
            Self::NotAllowed { path, .. } => {
                format!("have it signed by who may sign for {path}, or add the path under signers")
            }
            Self::NoTag => "sign a tag of it: git tag -s NAME COMMIT".into(),
            Self::Ancestor { .. } => {
                "have an allowed signer look at the history and seal it with a signed commit whose message ends with trueup-seal: REASON".into()
            }
            Self::WorkTree => "commit and sign them, or say --unverified".into(),
            Self::TooLong(_) => "sign a newer commit".into(),
            Self::Shallow => "fetch more of the history: git fetch --unshallow".into(),
            Self::Older => "to go back, name the commit with --rev; mode: tag takes signed tags alone".into(),
            Self::Unknown(_) => "mend that and run it again".into(),
        }
    }
}

/// Whether a commit may be applied, once its signature, its paths and its ancestors were looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It may be.
    Trusted {
        /// The signer that vouches for it.
        signer: Signer,
        /// The signed tag that vouches for it; `None` where its own signature does.
        tag: Option<String>,
        /// Whether it vouches for its ancestors, too.
        seal: bool,
        /// The time when that may change, in seconds of Unix time; `None` where it does not.
        until: Option<i64>,
    },
    /// It may not be.
    Refused {
        /// Why.
        fault: Fault,
        /// The key of its signature, where there is one.
        key: Option<String>,
    },
}

impl Standing {
    /// Whether it may be applied.
    pub fn is_trusted(&self) -> bool {
        matches!(self, Self::Trusted { .. })
    }
}
