//! Limits on what a commit can do alone: another inventory's record, members of a record that is
//! gone, and a person's annotations on a live object.

use super::*;
use crate::core::observed::Unrecorded;
use crate::core::policy::OnConflict;
use crate::core::policy::precedence::SettingLayers;

fn with_label(mut object: Object, name: &str, value: &str) -> Object {
    object.set_label(name, value);
    object
}

#[test]
fn records_and_locks_are_never_pruned_whatever_is_allowed() {
    let id = "applyset.kubernetes.io/id";
    let lease = |name: &str| {
        let mut lease = ours("ConfigMap", name);
        lease.fields_mut().insert("apiVersion".to_owned(), "coordination.k8s.io/v1".into());
        lease.fields_mut().insert("kind".to_owned(), "Lease".into());
        lease
    };
    let allowed = permitted(Permissions {
        allow_empty: true,
        allow_delete: ["ConfigMap", "Secret", "Lease"].map(str::to_owned).into(),
        ..Permissions::default()
    });
    for (live, expected) in [
        (ours("ConfigMap", "a"), Action::Delete),
        (ours("ConfigMap", "trueup-a"), Action::Keep),
        (with_label(ours("Secret", "a"), id, "x"), Action::Keep),
        (lease("a"), Action::Delete),
        (lease("trueup-a"), Action::Keep),
    ] {
        let observed = seen(&[(&live, Some(&live), None)]);
        assert_eq!(actions(&Desired::default(), &observed, &allowed)[0].1, expected, "{live:?}");
        assert_eq!(may_go(&live.key(), &live, &allowed), expected == Action::Delete);
    }
}

#[test]
fn nothing_is_applied_to_a_record_whatever_the_manifest_looks_like() {
    let declared_one = object("Secret", "a");
    let live = with_label(declared_one.clone(), "applyset.kubernetes.io/id", "x");
    let desired = declared(std::slice::from_ref(&declared_one));
    let merged = Preview::Merged(declared_one.clone());
    let observed = seen(&[(&declared_one, Some(&live), Some(merged))]);
    let allowed = permitted(Permissions { adopt: true, ..Permissions::default() });
    assert_eq!(actions(&desired, &observed, &allowed)[0].1, Action::Refuse);
    let why = reason(&desired, &observed, &declared_one.key());
    assert_eq!(why, "it is the record of an ApplySet, which nothing is applied to");
}

#[test]
fn members_of_a_lost_inventory_need_adopt() {
    let (here, left) = (ours("ConfigMap", "here"), ours("ConfigMap", "left"));
    let wanted = object("ConfigMap", "here");
    let desired = declared(std::slice::from_ref(&wanted));
    let mut observed = seen(&[(&wanted, Some(&here), Some(Preview::Same))]);
    observed.unrecorded = Unrecorded {
        objects: [&here, &left].map(|live| (live.key(), live.clone())).into(),
        is_gone: true,
        ..Unrecorded::default()
    };
    let refused = [("ConfigMap shop/here".to_owned(), Action::Refuse)];
    assert_eq!(actions(&desired, &observed, &PlanContext::default()), refused);
    let taken_in = [
        ("ConfigMap shop/here".to_owned(), Action::Keep),
        ("ConfigMap shop/left".to_owned(), Action::Delete),
    ];
    let allowed = permitted(Permissions { adopt: true, ..Permissions::default() });
    assert_eq!(actions(&desired, &observed, &allowed), taken_in);
}

#[test]
fn prune_annotation_of_another_manager_is_removed_with_force_only() {
    let force = Some(OnConflict::Force);
    let (operator, git) = (
        SettingLayers { operator: force, repository: None },
        SettingLayers { operator: None, repository: force },
    );
    let annotated = |mut object: Object, name: &str, value: &str| {
        object.metadata_mut().insert("annotations".to_owned(), json!({ name: value }));
        object
    };
    for (name, live, declared_value, said, expected) in [
        ("trueup.dev/prune", "false", "true", SettingLayers::default(), Action::Refuse),
        ("trueup.dev/prune", "false", "true", git, Action::Refuse),
        ("trueup.dev/prune", "false", "true", operator, Action::Update),
        ("helm.sh/resource-policy", "keep", "delete", git, Action::Refuse),
        // Stricter, or no matter of its deletion.
        ("trueup.dev/prune", "true", "false", git, Action::Update),
        ("example.com/note", "a", "b", git, Action::Update),
    ] {
        let mut before = annotated(ours("ConfigMap", "a"), name, live);
        let fields = json!({ "f:metadata": { "f:annotations": { format!("f:{name}"): {} } } });
        let entries = before.metadata_mut().get_mut("managedFields").unwrap();
        entries.as_array_mut().unwrap().push(json!({ "manager": "kubectl-annotate",
            "operation": "Update", "fieldsV1": fields }));
        let wanted = annotated(object("ConfigMap", "a"), name, declared_value);
        let desired = Desired { on_conflict: said, ..declared(std::slice::from_ref(&wanted)) };
        let merged = Preview::Merged(member(wanted.clone()));
        let observed = seen(&[(&wanted, Some(&before), Some(merged))]);
        let found = actions(&desired, &observed, &PlanContext::default());
        assert_eq!(found[0].1, expected, "{name}: {live} → {declared_value} {said:?}");
    }
}
