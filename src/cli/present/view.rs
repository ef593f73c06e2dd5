//! The target and the revision of a plan, in words.

use std::borrow::Cow;

use crate::app::trust::Judged;
use crate::core::mask::Masked;

/// The target of a plan, in words.
#[derive(Clone, Copy, Debug, Default)]
pub struct TargetView<'a> {
    /// The target's name.
    pub name: &'a str,
    /// The cluster, as a person knows it: the kubeconfig's context.
    pub cluster: &'a str,
    /// The host and port of its API server; empty where that is unknown.
    pub server: &'a str,
    /// Whether a person is shown the server, too, since the run is about several clusters.
    pub names_server: bool,
    /// The start of the cluster's own identity; empty where that is unknown.
    pub cluster_id: &'a str,
    /// The paths in the checkout.
    pub paths: &'a [String],
    /// The inventory's namespace and name.
    pub inventory: (&'a str, &'a str),
}

impl TargetView<'_> {
    /// The cluster in words: `prod`, or `prod at prod.example:6443`; empty where it is unknown.
    pub(super) fn cluster_words(&self) -> Cow<'_, str> {
        match self.names_server && !self.server.is_empty() {
            true => format!("{} at {}", self.cluster, self.server).into(),
            false => self.cluster.into(),
        }
    }
}

/// A revision, in words.
#[derive(Clone, Debug, Default)]
pub struct RevisionView<'a> {
    /// The commit's full id.
    pub commit: &'a str,
    /// The name that it was given by: a branch, a tag, `HEAD`.
    pub named: &'a str,
    /// The first line of the commit's message.
    pub summary: Masked<String>,
    /// Its author.
    pub author: &'a str,
    /// Files that are not committed take part.
    pub dirty: bool,
    /// The branch or tag that led to it, where the target tracks one.
    pub tracked: Option<&'a str>,
    /// How far it is trusted.
    pub trust: Option<&'a Judged>,
}

impl RevisionView<'_> {
    /// The first seven characters of the commit's id.
    pub fn short(&self) -> &str {
        self.commit.get(..7).unwrap_or(self.commit)
    }

    /// The same with the tracked ref that led to it.
    pub fn shown(&self) -> String {
        crate::core::source::snapshot::shown(self.short(), self.tracked)
    }
}
