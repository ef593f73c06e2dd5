//! Objects that pods of a former template still use. They are deleted once the rollout is over, or
//! else in the next run. Kustomize and Helm give a ConfigMap another name with each change, and an
//! old pod that starts again without its own would not come up.

use std::collections::{BTreeMap, BTreeSet};

use super::ApplyRun;
use super::worker::endpoint;
use crate::app::WaitOptions;
use crate::app::wait::{is_exempt, wait_for_some};
use crate::core::health::rollout::has_former_pods;
use crate::core::kinds::references;
use crate::core::object::{Object, ObjectKey};
use crate::core::plan::{Action, Change, ChangePart, OrderedChanges, Reason, ReasonKind};

/// Which workloads may still use what is to be deleted, by what that is.
type Users<'a> = BTreeMap<&'a ObjectKey, Vec<&'a Change>>;

impl<'a> ApplyRun<'a> {
    /// The deletions of a part that have to be left for the next run, and why. Where the run waits,
    /// the rollouts that are under way are waited for first.
    pub(super) async fn still_used(
        &self,
        half: &'a OrderedChanges,
        part: ChangePart,
    ) -> BTreeMap<ObjectKey, Reason> {
        let deletions: Vec<&Change> =
            half.part(part).filter(|change| change.action() == Action::Delete).collect();
        let mut users = self.users(&deletions);
        if users.is_empty() {
            return BTreeMap::new();
        }
        if self.course.wait.is_some() {
            let over = self.ended_rollouts(&users).await;
            users.retain(|_, workloads| {
                workloads.retain(|workload| !over.contains(&workload.key));
                !workloads.is_empty()
            });
        }
        let left = users.into_iter().map(|(key, workloads)| {
            let names: BTreeSet<String> =
                workloads.iter().map(|it| format!("{} {}", it.key.kind, it.key.name)).collect();
            let workloads = names.into_iter().collect();
            (key.clone(), ReasonKind::StillUsed { workloads }.into())
        });
        left.collect()
    }

    /// The workloads that may still use each object: those whose template named it, and those with
    /// pods of a template that is no longer known. With an account go the rights that are bound to
    /// it.
    fn users(&self, deletions: &[&'a Change]) -> Users<'a> {
        let declared = self.survey.decided.plan.desired.changes.iter();
        let workloads: Vec<(&'a Change, &'a Object)> = declared
            .filter(|change| has_pods(&change.key) && !is_exempt(self.survey, change))
            .filter_map(|change| Some((change, change.live()?)))
            .filter(|(change, live)| change.is_work() || has_former_pods(live))
            .collect();
        if workloads.is_empty() {
            return Users::new();
        }
        let mut users = Users::new();
        for deletion in deletions.iter().filter(|it| is_used_by_pods(&it.key)) {
            let key = &deletion.key;
            let uses = |(change, live): &&(&'a Change, &'a Object)| {
                let names_it = || {
                    let mut named = references::of(&change.key, live).into_iter();
                    named.any(|used| used.object() == *key)
                };
                change.key.namespace == key.namespace && (has_former_pods(live) || names_it())
            };
            let found: Vec<&Change> = workloads.iter().filter(uses).map(|(it, _)| *it).collect();
            if !found.is_empty() {
                users.insert(key, found);
            }
        }
        self.add_rights(deletions, &mut users);
        users
    }

    /// Adds the bindings of accounts that are still used, and the roles of these bindings.
    fn add_rights(&self, deletions: &[&'a Change], users: &mut Users<'a>) {
        let is_binding = |key: &ObjectKey| key.kind.ends_with("Binding");
        let bindings = deletions
            .iter()
            .filter(|it| it.key.group == "rbac.authorization.k8s.io" && is_binding(&it.key));
        for binding in bindings {
            let Some(live) = binding.live() else { continue };
            let named: Vec<ObjectKey> = references::of(&binding.key, live)
                .iter()
                .map(references::Reference::object)
                .collect();
            let is_account = |key: &&ObjectKey| key.kind == "ServiceAccount";
            let accounts = named.iter().filter(is_account);
            let found: Vec<&Change> =
                accounts.filter_map(|key| users.get(key)).flatten().copied().collect();
            if found.is_empty() {
                continue;
            }
            let roles = deletions.iter().filter(|it| named.contains(&it.key));
            for kept in roles.chain([binding]).filter(|it| it.key.kind != "ServiceAccount") {
                users.entry(&kept.key).or_default().extend(&found);
            }
        }
    }

    /// Waits for workloads, and says which of them have no former pods any more.
    async fn ended_rollouts(&self, users: &Users<'a>) -> BTreeSet<ObjectKey> {
        let workloads: BTreeMap<&ObjectKey, &Change> =
            users.values().flatten().map(|change| (&change.key, *change)).collect();
        let keys: BTreeSet<ObjectKey> = workloads.keys().map(|key| (*key).clone()).collect();
        let Some(timeout) = self.course.wait else { return BTreeSet::new() };
        let (inventory, cancel) = (self.course.inventory, self.course.cancel);
        let waiting = WaitOptions { inventory, timeout, cancel, events: &mut |_| {} };
        let kinds = self.servers.kinds();
        let unready = wait_for_some(self.survey, self.cluster, &kinds, &keys, waiting).await;
        let mut over = BTreeSet::new();
        for (key, change) in workloads.into_iter().filter(|(key, _)| !unready.contains(*key)) {
            let Some(served) = endpoint(self.survey, change) else { continue };
            let now = self.cluster.get(&served, key.namespace.as_deref(), &key.name).await;
            if now.is_ok_and(|now| !now.as_ref().is_some_and(has_former_pods)) {
                over.insert(key.clone());
            }
        }
        over
    }
}

/// Whether an object has pods that are replaced when its template changes: a workload, or a custom
/// resource with a pod template.
fn has_pods(key: &ObjectKey) -> bool {
    let group = key.group.as_str();
    let is_custom = group.contains('.') && !group.ends_with(".k8s.io");
    group == "apps" || is_custom || (group, key.kind.as_str()) == ("", "ReplicationController")
}

/// Whether pods name such an object and can't start again without it.
fn is_used_by_pods(key: &ObjectKey) -> bool {
    let kinds = ["ConfigMap", "Secret", "ServiceAccount", "PersistentVolumeClaim"];
    key.group.is_empty() && kinds.contains(&key.kind.as_str())
}
