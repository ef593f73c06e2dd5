//! The requests of a run, row by row: a request that is added to [`crate::cluster`] is added here.
//!
//! A read that may be refused without a loss has no row: a list across the cluster that is made again by
//! namespace, and the question whether a namespace is there. A repeated GET stands in for the watch of a
//! Lease or of a deletion. CustomResourceDefinitions and APIServices that the commit does not declare have
//! no row either. Discovery, the version and the SelfSubjectReview need no role: Kubernetes' own
//! `system:discovery` and `system:basic-user` give them.

use super::Part;

/// The objects that a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// Namespace kube-system, whose uid is that of the cluster.
    Cluster,
    /// The inventory's parent, a ConfigMap.
    Record,
    /// The parents beside it.
    Records,
    /// The inventory's history, a ConfigMap.
    History,
    /// Events about rounds, beside the inventory.
    RoundEvents,
    /// The lock.
    Lease,
    /// The declared objects.
    Declared,
    /// Their kinds, in every namespace that the record names: members may be in each.
    Kinds,
    /// The kinds that are waited for, where their objects are.
    Awaited,
    /// Pods of workloads.
    Pods,
    /// Pods of what has a template of one.
    Templates,
    /// ReplicaSets of Deployments.
    ReplicaSets,
    /// Logs of pods.
    Logs,
    /// Events about what is waited for.
    Events,
    /// StorageClasses, where a claim is waited for.
    StorageClasses,
    /// All objects of the kinds that the commit defines.
    Instances,
}

/// Whether a row's rights can be limited to objects by name. Not so for create, list and watch: their
/// requests have no name that RBAC could compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    Known,
    Any,
}

impl Names {
    pub(super) fn are_known(self) -> bool {
        self == Self::Known
    }
}

/// A row of the table.
pub(super) struct Row {
    pub(super) part: Part,
    pub(super) about: About,
    pub(super) verbs: &'static [&'static str],
    pub(super) names: Names,
    pub(super) why: &'static str,
}

const fn row(
    part: Part,
    about: About,
    verbs: &'static [&'static str],
    names: Names,
    why: &'static str,
) -> Row {
    Row { part, about, verbs, names, why }
}

/// The table.
pub(super) const ROWS: &[Row] = &[
    // `Cluster::uid`
    row(Part::Read, About::Cluster, &["get"], Names::Known, "the uid of the cluster"),
    // `Cluster::parent`
    row(Part::Read, About::Record, &["get"], Names::Known, "the inventory's record"),
    // `Cluster::all_parents`: objects that move, and targets that are gone; `parents_read` and
    // `summaries` of status and history, where the list across the cluster is forbidden
    row(Part::Read, About::Records, &["list"], Names::Any, "records and histories of targets"),
    // `Cluster::history`, `metadata_of`
    row(Part::Read, About::History, &["get"], Names::Known, "the history"),
    // `Cluster::get`: a declared object that is not of the inventory
    row(Part::Read, About::Declared, &["get"], Names::Known, "the objects of the commit"),
    // `Cluster::members`, `unrecorded`
    row(Part::Read, About::Kinds, &["list"], Names::Any, "the objects of the inventory"),
    // `Cluster::pods`, of status
    row(Part::Read, About::Templates, &["list"], Names::Any, "pods and images for status"),
    // `Cluster::late_binding`
    row(Part::Read, About::StorageClasses, &["list"], Names::Any, "when a claim is bound"),
    // `Cluster::touches`: without it, watch asks in each round
    row(Part::Write, About::Records, &["watch"], Names::Any, "waking when the record is touched"),
    row(Part::Write, About::Kinds, &["watch"], Names::Any, "waking when an object is touched"),
    // `Cluster::put_lease`: POST and PUT
    row(Part::Write, About::Lease, &["create"], Names::Any, "the lock"),
    row(Part::Write, About::Lease, &["get", "update"], Names::Known, "the lock"),
    // `Cluster::record`: server-side apply creates, too
    row(Part::Write, About::Record, &["create"], Names::Any, "the inventory's record"),
    row(Part::Write, About::Record, &["patch"], Names::Known, "the inventory's record"),
    // `Cluster::append_history`
    row(Part::Write, About::History, &["create"], Names::Any, "the history"),
    row(Part::Write, About::History, &["patch"], Names::Known, "the history"),
    // `Cluster::announce`: one for each round that did something
    row(Part::Write, About::RoundEvents, &["create"], Names::Any, "an event of each round"),
    // `Cluster::patch`, `could_be_made`: a dry run needs the rights of the request
    row(Part::Write, About::Declared, &["create"], Names::Any, "dry runs and writes"),
    row(Part::Write, About::Declared, &["patch"], Names::Known, "dry runs and writes"),
    // `Cluster::follow`
    row(Part::Write, About::Awaited, &["watch"], Names::Any, "waiting until objects are ready"),
    // `Cluster::family`, `log`, `events`
    row(Part::Write, About::Pods, &["list"], Names::Any, "why an object is not ready"),
    row(Part::Write, About::ReplicaSets, &["list"], Names::Any, "why an object is not ready"),
    row(Part::Write, About::Logs, &["get"], Names::Any, "why an object is not ready"),
    row(Part::Write, About::Events, &["list"], Names::Any, "why an object is not ready"),
    // `Cluster::delete`: prune, and replace where it is allowed
    row(Part::Prune, About::Declared, &["delete"], Names::Known, "deletions"),
    // `Cluster::remove_parent`
    row(Part::Prune, About::Record, &["delete"], Names::Known, "apply --removed"),
    // `Cluster::remove_history`
    row(Part::Prune, About::History, &["delete"], Names::Known, "apply --removed"),
    // `Cluster::instances`: how many objects go with a definition
    row(Part::Prune, About::Instances, &["list"], Names::Any, "what goes with a definition"),
];
