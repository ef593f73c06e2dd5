//! Taking objects over from the tools that applied them before, so that a field that disappears
//! from git disappears from the cluster.
//!
//! Server-side apply removes a field when the last who declared it no longer does (KEP-555). What a
//! predecessor declared stays its own for ever, as it will not apply again. So its entries in
//! `managedFields` become part of ours before ours is applied, by the rules of client-go's
//! `csaupgrade`: fields are joined where they are named in one version of the kind, and entries in
//! another version go.
//!
//! Decides only. What goes from the object with it is [`release`](super::release)'s, and
//! [`crate::cluster`] writes it.

use super::FIELD_MANAGER;
use super::managers::{self, FieldsV1, Manager, node};
use crate::core::inventory::PART_OF;
use crate::core::json::{Value, json};
use crate::core::object::Object;

/// The manager to which the API server gives all fields that precede any record.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";

/// Managers that apply whole objects, on the client's side or on the server's, or create them.
/// Those that edit a field (`kubectl-edit`, `kubectl-scale`, `kubectl-rollout`) are not among them.
const TOOLS: [&str; 13] = [
    "kubectl",
    "kubectl-client-side-apply",
    "kubectl-last-applied",
    "kubectl-create",
    "kubectl-replace",
    "helm",
    "helm-controller",
    "kustomize-controller",
    "flux",
    "argocd-controller",
    "argocd-application-controller",
    "kapp",
    "kapp-controller",
];

/// Where `kubectl rollout restart` writes its stamp. Without it, the pods would restart again.
const STAMP: [&str; 5] =
    ["f:spec", "f:template", "f:metadata", "f:annotations", "f:kubectl.kubernetes.io/restartedAt"];

/// Where the record of client-side apply is.
const RECORD: [&str; 3] =
    ["f:metadata", "f:annotations", "f:kubectl.kubernetes.io/last-applied-configuration"];

/// Those from whom `live` is taken over where `send` is applied, in the server's order.
///
/// When it becomes a member, every tool that applied it. Of a member, kubectl's client-side apply,
/// and who owns what was there before anything was recorded; another tool that applies a member on
/// the server's side shares it with us.
pub fn predecessors<'a>(live: &'a Object, send: &Object) -> Vec<Manager<'a>> {
    let mut managers = managers::of(live).filter(is_applier).peekable();
    if managers.peek().is_none() {
        return Vec::new();
    }
    let is_member = live.label(PART_OF).is_some_and(|set| send.label(PART_OF) == Some(set))
        && super::has_our_entry(live);
    managers.filter(|manager| !is_member || is_client_side(manager)).collect()
}

/// `live` as it is once its predecessors have handed over what they own; `None` where there are
/// none.
pub fn hand_over(live: &Object, send: &Object) -> Option<Object> {
    let predecessors = predecessors(live, send);
    let ours = managers::of(live).find(Manager::is_ours);
    // Where we own nothing yet, the latest of theirs becomes ours, and they come latest first. One
    // in the declared version goes before: fields of another could not be joined with ours.
    let is_declared = |manager: &&Manager<'_>| manager.api_version == send.api_version();
    let first = predecessors.iter().find(is_declared).or(predecessors.first())?;
    let heir = ours.unwrap_or(*first);

    let mut fields = ours.map(|ours| ours.fields.clone()).unwrap_or_default();
    for theirs in predecessors.iter().filter(|theirs| theirs.api_version == heir.api_version) {
        join(&mut fields, &without_stamp(theirs.fields));
    }
    let mut entry = json!({
        "manager": FIELD_MANAGER,
        "operation": "Apply",
        "apiVersion": heir.api_version,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    });
    if let Some(time) = heir.time {
        entry["time"] = time.into();
    }
    let mut entries = vec![entry];
    for entry in managers::entries(live) {
        let Some(manager) = managers::read(entry) else {
            entries.push(entry.clone());
            continue;
        };
        let is_one = |other: &Manager<'_>| std::ptr::eq(other.fields, manager.fields);
        if predecessors.iter().any(is_one) {
            // The stamp stays with its owner: without an owner it would be removed with what is
            // around it.
            if node(manager.fields, &STAMP).is_some() {
                let mut entry = entry.clone();
                entry["fieldsV1"] = stamp();
                entries.push(entry);
            }
        } else if !manager.is_ours() {
            entries.push(entry.clone());
        }
    }
    let mut handed_over = live.clone();
    handed_over.metadata_mut().insert("managedFields".to_owned(), entries.into());
    Some(handed_over)
}

/// Whether a manager applied the object, and owns more than the stamp.
fn is_applier(manager: &Manager<'_>) -> bool {
    let is_tool = match manager.operation {
        "Apply" => TOOLS.contains(&manager.name),
        // kubectl itself writes under its bare name for many reasons.
        _ => {
            is_client_side(manager) || (manager.name != "kubectl" && TOOLS.contains(&manager.name))
        }
    };
    is_tool && manager.subresource.is_empty() && !without_stamp(manager.fields).is_empty()
}

/// Whether it is client-side apply, which writes down what it applied, or owns what was there before
/// anything was recorded.
fn is_client_side(manager: &Manager<'_>) -> bool {
    manager.operation == "Update"
        && (matches!(manager.name, "kubectl-client-side-apply" | BEFORE_FIRST_APPLY)
            || node(manager.fields, &RECORD).is_some())
}

fn without_stamp(fields: &FieldsV1) -> FieldsV1 {
    let mut fields = fields.clone();
    take(&mut fields, &STAMP);
    fields
}

/// Takes a path out; what leads to nothing else goes with it.
pub(super) fn take(fields: &mut FieldsV1, path: &[&str]) {
    let [key, rest @ ..] = path else { return };
    let is_done = match fields.get_mut(key) {
        Some(Value::Object(below)) if !rest.is_empty() && !below.is_empty() => {
            take(below, rest);
            below.is_empty()
        }
        _ => rest.is_empty(),
    };
    if is_done {
        fields.remove(key);
    }
}

/// The fields of an entry that has the stamp and nothing else.
fn stamp() -> Value {
    STAMP.iter().rfold(json!({}), |below, key| json!({ *key: below }))
}

/// Adds the fields of another entry. A node with nothing below it stands for itself, one with
/// something below it only if it says so with a dot.
pub(super) fn join(fields: &mut FieldsV1, others: &FieldsV1) {
    for (key, other) in others {
        let Value::Object(other) = other else { continue };
        let Some(Value::Object(below)) = fields.get_mut(key) else {
            fields.insert(key.clone(), other.clone().into());
            continue;
        };
        if below.is_empty() != other.is_empty() {
            below.insert(".".to_owned(), json!({}));
        }
        join(below, other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Object {
        Object::from(value.as_object().cloned().unwrap())
    }

    fn entry(manager: &str, operation: &str, fields: Value) -> Value {
        json!({ "manager": manager, "operation": operation, "apiVersion": "apps/v1",
            "fieldsType": "FieldsV1", "fieldsV1": fields })
    }

    fn live(label: &str, entries: Vec<Value>) -> Object {
        object(json!({ "apiVersion": "apps/v1", "metadata": {
            "labels": { PART_OF: label }, "managedFields": entries } }))
    }

    fn sent() -> Object {
        object(json!({ "apiVersion": "apps/v1", "metadata": { "labels": { PART_OF: "set" } } }))
    }

    fn handed_over(live: &Object) -> Value {
        hand_over(live, &sent()).map_or(Value::Null, |o| o.0["metadata"]["managedFields"].clone())
    }

    #[test]
    fn takeover_takes_applied_fields_and_leaves_edited_ones() {
        let live = live(
            "",
            vec![
                entry(
                    "kubectl-client-side-apply",
                    "Update",
                    json!({
                "f:metadata": { "f:labels": { ".": {}, "f:a": {} } }, "f:spec": { "f:x": {} } }),
                ),
                entry("kubectl-edit", "Update", json!({ "f:spec": { "f:y": {} } })),
                entry(
                    "kustomize-controller",
                    "Apply",
                    json!({
                "f:metadata": { "f:labels": {} }, "f:spec": { "f:z": {} } }),
                ),
            ],
        );
        assert_eq!(
            handed_over(&live),
            json!([
                entry(
                    "trueup",
                    "Apply",
                    json!({
                "f:metadata": { "f:labels": { ".": {}, "f:a": {} } },
                "f:spec": { "f:x": {}, "f:z": {} } })
                ),
                entry("kubectl-edit", "Update", json!({ "f:spec": { "f:y": {} } })),
            ])
        );
        let again = hand_over(&live, &sent()).unwrap();
        assert_eq!(handed_over(&again), Value::Null, "once is enough");
    }

    #[test]
    fn a_member_is_shared_with_others_but_not_with_client_side_apply() {
        let ours = entry("trueup", "Apply", json!({ "f:spec": { "f:a": { "f:b": {} } } }));
        let shared = entry("helm", "Apply", json!({ "f:spec": { "f:z": {} } }));
        let by_hand = entry(
            "someone",
            "Update",
            json!({
            "f:metadata": { "f:annotations": { RECORD[2]: {} } }, "f:spec": { "f:a": {} } }),
        );
        let entries = vec![by_hand, ours.clone(), shared.clone()];
        assert_eq!(handed_over(&live("set", vec![ours, shared.clone()])), Value::Null);
        assert_eq!(
            handed_over(&live("set", entries)),
            json!([
                entry(
                    "trueup",
                    "Apply",
                    json!({
                "f:metadata": { "f:annotations": { RECORD[2]: {} } },
                "f:spec": { "f:a": { ".": {}, "f:b": {} } } })
                ),
                shared,
            ])
        );
    }

    #[test]
    fn takeover_leaves_the_restart_annotation_to_its_owner() {
        let mut fields = stamp();
        assert_eq!(
            handed_over(&live("", vec![entry("helm", "Update", fields.clone())])),
            Value::Null
        );
        fields["f:spec"]["f:replicas"] = json!({});
        assert_eq!(
            handed_over(&live("", vec![entry("helm", "Update", fields)])),
            json!([
                entry("trueup", "Apply", json!({ "f:spec": { "f:replicas": {} } })),
                entry("helm", "Update", stamp()),
            ])
        );
    }

    #[test]
    fn fields_of_another_version_are_dropped_unless_they_are_all() {
        let mut old = entry("helm", "Update", json!({ "f:spec": { "f:old": {} } }));
        old["apiVersion"] = "apps/v1beta1".into();
        let new = entry("helm", "Update", json!({ "f:spec": { "f:new": {} } }));
        let ours = entry("trueup", "Apply", json!({ "f:spec": { "f:new": {} } }));
        assert_eq!(handed_over(&live("", vec![old.clone(), new])), json!([ours]));
        let mut ours = old.clone();
        (ours["manager"], ours["operation"]) = ("trueup".into(), "Apply".into());
        assert_eq!(handed_over(&live("", vec![old])), json!([ours]));
    }
}
