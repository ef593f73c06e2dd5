//! Plans as text, as JSON and as names: everything that a person or a script reads of them.
//!
//! Renders what it is given and decides nothing. What a change changes is [`crate::delta`]'s, what
//! may be shown is [`crate::redact`]'s; streams, width and colour are [`super::ui`]'s. Reports of
//! what was carried out get a view of their own beside [`PlanView`].

mod excerpt;
pub mod glyphs;
pub mod json;
pub mod text;

use std::time::Duration;

pub use glyphs::Glyphs;

use crate::object::ObjectKey;
use crate::plan::{Action, Change, Plan};
use crate::problem::Problem;
use crate::redact::Redactor;

/// Everything that is told about a plan.
#[derive(Clone, Copy, Debug)]
pub struct PlanView<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What could not be read or can't be wanted.
    pub problems: &'a [Problem],
    /// Knows every Secret that the plan or a message can hold; see [`Redactor::of_plan`].
    pub redactor: &'a Redactor,
    /// What the plan is for.
    pub target: TargetView<'a>,
    /// The commit that it makes true.
    pub revision: RevisionView<'a>,
    /// How many requests were made.
    pub requests: usize,
    /// How long it took.
    pub elapsed: Duration,
}

/// What a plan is for, in words.
#[derive(Clone, Copy, Debug, Default)]
pub struct TargetView<'a> {
    /// The target's name.
    pub name: &'a str,
    /// The cluster, as a person knows it: its host.
    pub cluster: &'a str,
    /// The start of the cluster's own identity; empty where that is unknown.
    pub cluster_id: &'a str,
    /// The paths in the checkout.
    pub paths: &'a [String],
    /// The inventory's namespace and name.
    pub inventory: (&'a str, &'a str),
}

/// A revision, in words.
#[derive(Clone, Copy, Debug, Default)]
pub struct RevisionView<'a> {
    /// The commit's full id.
    pub commit: &'a str,
    /// What named it: a branch, a tag, `HEAD`.
    pub named: &'a str,
    /// The first line of the commit's message.
    pub summary: &'a str,
    /// Who wrote it.
    pub author: &'a str,
    /// Files that are not committed take part.
    pub dirty: bool,
}

impl RevisionView<'_> {
    /// The first seven characters of the commit's id.
    pub fn short(&self) -> &str {
        self.commit.get(..7).unwrap_or(self.commit)
    }
}

/// The changes that are shown one by one: all but objects that simply stay as they are.
fn shown(plan: &Plan) -> impl Iterator<Item = &Change> {
    plan.changes().filter(|change| change.action != Action::Keep || change.reason.is_some())
}

/// What `-o name` prints: one line for every object that is not kept, in the order of carrying out.
///
/// The first word is the action, the rest are arguments that kubectl takes:
///
/// ```text
/// create namespace/shop
/// update deployment.apps/web -n shop
/// ```
///
/// so that `trueup diff -o name | sed -n 's/^update //p' | xargs -L1 kubectl get` works.
pub fn names(plan: &Plan) -> String {
    let mut lines = String::new();
    for change in plan.changes().filter(|change| change.action != Action::Keep) {
        let ObjectKey { group, kind, namespace, name } = &change.key;
        let mut kind = kind.to_lowercase();
        if !group.is_empty() {
            kind = format!("{kind}.{group}");
        }
        let namespace = namespace.as_ref().map(|n| format!(" -n {n}")).unwrap_or_default();
        let line = format!("{} {kind}/{name}{namespace}", change.action.name());
        lines.push_str(&Glyphs { utf8: true }.inert(&line));
        lines.push('\n');
    }
    lines
}

#[cfg(test)]
mod tests;
