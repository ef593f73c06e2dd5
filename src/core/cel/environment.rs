//! The names that the API server's environment has for new expressions: what is not in it, no
//! server compiles.
//!
//! The source is k8s.io/apiserver `pkg/cel/environment/base.go` of Kubernetes 1.34 to 1.37, with
//! `pkg/cel/library` and the versions of cel-go's extensions that it takes. A name of any release
//! counts as known: new expressions are compiled by the release before, and older clusters differ.

use super::node::Function;
use super::{library, re2};

/// The functions that expressions may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    /// All that trueup has.
    Every,
    /// Those that some API server has.
    Server,
}

/// Why an expression can't be read.
#[derive(Clone, Debug)]
pub struct ReadFault {
    /// The words.
    pub why: String,
    /// Whether every API server refuses it too.
    pub is_sure: bool,
}

impl ReadFault {
    /// A fault that the server finds as well.
    pub(super) fn sure(why: impl Into<String>) -> Self {
        Self { why: why.into(), is_sure: true }
    }
}

impl From<String> for ReadFault {
    fn from(why: String) -> Self {
        Self { why, is_sure: false }
    }
}

/// Extensions of cel-go that no environment of the server takes.
const ABSENT: [&str; 3] = ["base64.", "cel.", "math."];

/// Functions of the server that trueup does not have, of all environments.
const SERVERS_OWN: [&str; 30] = [
    "allowed",
    "check",
    "containsDigest",
    "digest",
    "error",
    "errored",
    "escapeKey",
    "fieldSelector",
    "find",
    "getHours",
    "group",
    "identifier",
    "image",
    "includes",
    "isImage",
    "labelSelector",
    "name",
    "namespace",
    "optFlatMap",
    "optMap",
    "path",
    "reason",
    "registry",
    "repository",
    "resource",
    "serviceAccount",
    "sortBy",
    "subresource",
    "tag",
    "unwrapOpt",
];

/// First parts of the names of types and of functions that are not always there.
const SPACES: [&str; 6] = ["google", "jsonpatch", "kubernetes", "net", "optional_type", "optional"];

impl Library {
    /// Whether a function that trueup has is refused.
    pub(super) fn lacks(self, name: &str) -> bool {
        self == Self::Server && ABSENT.iter().any(|space| name.starts_with(space))
    }

    /// The fault about a function that can't be called so.
    pub(super) fn unknown(self, name: &str) -> ReadFault {
        let why = format!("unknown function or wrong arguments: `{name}`");
        let is_known = SERVERS_OWN.contains(&name)
            || name.starts_with("optional.")
            || name.starts_with("jsonpatch.")
            || Function::is_name(name)
            || library::has(name);
        ReadFault { why, is_sure: !is_known || self.lacks(name) }
    }

    /// Whether a name that no variable has may be known to the server.
    pub(super) fn may_have(name: &str) -> bool {
        SPACES.contains(&name)
    }
}

/// The fault of a pattern that is written out.
pub(super) fn pattern_fault(pattern: &str, why: String) -> ReadFault {
    ReadFault { why, is_sure: re2::looks_around(pattern) }
}
