//! The plan's table: one row a rule.

mod guards;
mod modes;
mod turns;

use std::sync::Arc;

use super::*;
use crate::core::inventory::PART_OF;
use crate::core::json::json;
use crate::core::managed_fields;
use crate::core::managed_fields::FIELD_MANAGER;
use crate::core::manifest::{Manifest, Origin};
use crate::core::object::GroupKind;
use crate::core::observed::{Prerequisite, Preview, Unlisted};
use crate::core::policy::{Permissions, Policy};
use crate::core::problem::{Location, Problem, Refusal};

fn inventory() -> Inventory {
    Inventory { name: "trueup-shop".to_owned(), namespace: "default".to_owned() }
}

fn object(kind: &str, name: &str) -> Object {
    let api_version = match kind {
        "Deployment" => "apps/v1",
        "CustomResourceDefinition" => "apiextensions.k8s.io/v1",
        _ => "v1",
    };
    let mut metadata = json!({ "name": name });
    if !matches!(kind, "Namespace" | "CustomResourceDefinition") {
        metadata["namespace"] = "shop".into();
    }
    let object = json!({ "apiVersion": api_version, "kind": kind, "metadata": metadata });
    Object::from(object.as_object().unwrap().clone())
}

fn member(mut object: Object) -> Object {
    object.set_label(PART_OF, &inventory().id());
    object
}

/// The object as the cluster has it after trueup applied it.
fn ours(kind: &str, name: &str) -> Object {
    let mut live = member(object(kind, name));
    let entry = json!([{ "manager": FIELD_MANAGER, "operation": "Apply", "fieldsV1": {} }]);
    live.metadata_mut().insert("managedFields".to_owned(), entry);
    live
}

fn declared(objects: &[Object]) -> Desired {
    let manifest = |object: &Object| Manifest {
        object: object.clone(),
        origin: Origin { path: "a.yaml".to_owned(), line: 1, column: 1, document: 1 },
        ..Manifest::default()
    };
    let objects = objects.iter().map(|object| (object.key(), manifest(object))).collect();
    let mut desired = Desired { objects, ..Desired::default() };
    desired.join(&inventory());
    desired
}

fn seen(pairs: &[(&Object, Option<&Object>, Option<Preview>)]) -> Observed {
    let objects = pairs.iter().map(|(object, live, preview)| {
        let live = live.cloned();
        (object.key(), Observation::Seen { live, preview: preview.clone() })
    });
    Observed { objects: objects.collect(), ..Observed::default() }
}

fn plan(
    desired: &Desired,
    observed: &Observed,
    inventory: &Inventory,
    allowed: &PlanContext,
) -> Plan {
    super::plan(desired, observed.clone(), inventory, allowed)
}

/// A run that the operator allows something.
fn permitted(operator: Permissions) -> PlanContext {
    PlanContext { policy: Policy { operator, ..Policy::default() }, ..PlanContext::default() }
}

fn actions(desired: &Desired, observed: &Observed, allowed: &PlanContext) -> Vec<(String, Action)> {
    plan(desired, observed, &inventory(), allowed)
        .changes()
        .map(|change| (change.key.to_string(), change.action()))
        .collect()
}

fn reason(desired: &Desired, observed: &Observed, key: &ObjectKey) -> String {
    let plan = plan(desired, observed, &inventory(), &PlanContext::default());
    let change = plan.changes().find(|change| change.key == *key).unwrap();
    change.reason.as_ref().unwrap().to_string()
}

#[test]
fn action_follows_from_the_observation() {
    let (new, same, changed, refused) = (
        object("ConfigMap", "new"),
        object("ConfigMap", "same"),
        object("ConfigMap", "changed"),
        object("ConfigMap", "refused"),
    );
    let gone = ours("ConfigMap", "gone");
    let refusal =
        Refusal { message: "no".to_owned(), hint: None, causes: Vec::new(), may_pass: false };
    let desired = declared(&[new.clone(), same.clone(), changed.clone()]);
    let observed = seen(&[
        (&new, None, Some(Preview::Merged(new.clone()))),
        (&same, Some(&ours("ConfigMap", "same")), Some(Preview::Same)),
        (&changed, Some(&ours("ConfigMap", "changed")), Some(Preview::Merged(changed.clone()))),
        (&gone, Some(&gone), None),
    ]);
    assert_eq!(
        actions(&desired, &observed, &PlanContext::default()),
        [
            ("ConfigMap shop/changed".to_owned(), Action::Update),
            ("ConfigMap shop/new".to_owned(), Action::Create),
            ("ConfigMap shop/same".to_owned(), Action::Keep),
            ("ConfigMap shop/gone".to_owned(), Action::Delete),
        ]
    );
    let desired = declared(std::slice::from_ref(&refused));
    let observed = seen(&[(&refused, None, Some(Preview::Refused(refusal)))]);
    assert_eq!(
        actions(&desired, &observed, &PlanContext::default()),
        [("ConfigMap shop/refused".to_owned(), Action::Refuse)]
    );
}

#[test]
fn object_in_a_new_namespace_is_created_in_full() {
    let web = object("Deployment", "web");
    let deferred = Preview::Deferred(Prerequisite::Namespace("shop".to_owned()));
    let plan = plan(
        &declared(std::slice::from_ref(&web)),
        &seen(&[(&web, None, Some(deferred))]),
        &inventory(),
        &PlanContext::default(),
    );
    let change = plan.changes().next().unwrap();
    assert_eq!(change.action(), Action::Create);
    assert_eq!(change.becomes(), Some(&member(web)));
}

#[test]
fn nothing_is_pruned_while_anything_is_unknown() {
    let gone = ours("ConfigMap", "gone");
    let here = object("ConfigMap", "here");
    let (here_live, key) = (ours("ConfigMap", "here"), gone.key());
    let looked = [(&here, Some(&here_live), Some(Preview::Same)), (&gone, Some(&gone), None)];

    let mut broken = declared(std::slice::from_ref(&here));
    broken.problems.push(Problem {
        place: Location { path: "b.yaml".to_owned(), line: 1, column: 1 },
        message: "no".to_owned(),
        excerpt: None,
        hint: None,
    });
    assert_eq!(reason(&broken, &seen(&looked), &key), "not pruned: 1 problem in the manifests");

    let desired = declared(std::slice::from_ref(&here));
    let mut unlisted = seen(&looked);
    let kind = GroupKind::new("", "Secret");
    unlisted.unlisted.push(Unlisted { kind, reason: "forbidden".to_owned(), is_forbidden: true });
    assert_eq!(reason(&desired, &unlisted, &key), "not pruned: Secret could not be listed");

    let mut unknown = seen(&looked);
    unknown.objects.insert(here.key(), Observation::Unknown("timeout".to_owned()));
    assert_eq!(reason(&desired, &unknown, &key), "not pruned: 1 object is refused");
}

#[test]
fn an_empty_commit_deletes_nothing_unless_allowed() {
    let gone = ours("ConfigMap", "gone");
    let observed = seen(&[(&gone, Some(&gone), None)]);
    let allowed = |empty| permitted(Permissions { allow_empty: empty, ..Permissions::default() });
    let (refused, deleted) = (Action::Refuse, Action::Delete);
    let of = |empty| actions(&Desired::default(), &observed, &allowed(empty))[0].1;
    assert_eq!((of(false), of(true)), (refused, deleted));
}

#[test]
fn only_what_trueup_itself_put_there_is_deleted() {
    let mut copied = ours("ConfigMap", "copied");
    copied.metadata_mut().remove("managedFields");
    let mut leaving = ours("ConfigMap", "leaving");
    leaving.metadata_mut().insert("deletionTimestamp".to_owned(), "2026-01-01T00:00:00Z".into());
    leaving.metadata_mut().insert("finalizers".to_owned(), json!(["example.com/wait"]));
    let here = object("ConfigMap", "here");
    let here_live = ours("ConfigMap", "here");
    let observed = seen(&[
        (&copied, Some(&copied), None),
        (&leaving, Some(&leaving), None),
        (&here, Some(&here_live), Some(Preview::Same)),
    ]);
    let desired = declared(std::slice::from_ref(&here));
    let told = |object: &Object| reason(&desired, &observed, &object.key());
    assert_eq!(told(&copied), "it carries the inventory's label, but trueup never applied it");
    assert_eq!(
        told(&leaving),
        "it is already being deleted and waits for the finalizer example.com/wait"
    );
}

#[test]
fn kinds_that_hold_data_need_allow_delete() {
    let here = object("ConfigMap", "here");
    let here_live = ours("ConfigMap", "here");
    let desired = declared(std::slice::from_ref(&here));
    for (kind, with_instances) in [
        ("Namespace", 0),
        ("PersistentVolumeClaim", 0),
        ("PersistentVolume", 0),
        ("CustomResourceDefinition", 1),
    ] {
        let gone = ours(kind, "gone");
        let observed =
            seen(&[(&here, Some(&here_live), Some(Preview::Same)), (&gone, Some(&gone), None)]);
        let action = |allowed: &PlanContext| {
            let plan = plan(&desired, &observed, &inventory(), allowed);
            plan.changes().find(|change| change.key == gone.key()).unwrap().action()
        };
        let mut allowed = PlanContext::default();
        if with_instances > 0 {
            assert_eq!(action(&allowed), Action::Delete, "{kind} without instances");
            allowed.instances.insert(gone.key(), with_instances);
        }
        assert_eq!(action(&allowed), Action::Refuse, "{kind}");
        allowed.policy.operator.allow_delete.insert(kind.to_owned());
        assert_eq!(action(&allowed), Action::Delete, "{kind}, allowed");
    }
}

#[test]
fn a_member_of_another_set_is_not_taken() {
    let web = object("Deployment", "web");
    let mut live = ours("Deployment", "web");
    live.set_label(PART_OF, "applyset-other-v1");
    let observed = seen(&[(&web, Some(&live), Some(Preview::Merged(web.clone())))]);
    let desired = declared(std::slice::from_ref(&web));
    assert_eq!(
        reason(&desired, &observed, &web.key()),
        "it is a member of another ApplySet, applyset-other-v1"
    );
}

mod properties {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// The states of one object: declared or not, and seen in one of these ways.
    #[derive(Clone, Copy, Debug)]
    enum ObservedCase {
        Absent,
        Same,
        Changed,
        Refused,
        Unknown,
        Deferred,
        NotOurs,
    }

    fn seen_ways() -> impl Strategy<Value = ObservedCase> {
        use ObservedCase::{Absent, Changed, Deferred, NotOurs, Refused, Same, Unknown};
        prop::sample::select(vec![Absent, Same, Changed, Refused, Unknown, Deferred, NotOurs])
    }

    fn kinds() -> impl Strategy<Value = &'static str> {
        let kinds = ["Namespace", "ConfigMap", "Deployment", "CustomResourceDefinition", "Secret"];
        prop::sample::select(kinds.to_vec())
    }

    /// Objects by kind and number, each declared or not and seen somehow.
    fn worlds() -> impl Strategy<Value = Vec<(&'static str, u8, bool, ObservedCase)>> {
        prop::collection::vec((kinds(), 0..20_u8, any::<bool>(), seen_ways()), 0..30)
    }

    fn build(world: &[(&'static str, u8, bool, ObservedCase)]) -> (Desired, Observed) {
        let (mut wanted, mut observed) = (Vec::new(), Observed::default());
        let mut known = BTreeSet::new();
        for (kind, number, is_declared, seen) in world {
            let name = format!("o{number}");
            let (object, live) = (object(kind, &name), ours(kind, &name));
            if !known.insert(object.key()) {
                continue;
            }
            let refusal = Refusal {
                message: "no".to_owned(),
                hint: None,
                causes: Vec::new(),
                may_pass: false,
            };
            let unborn = Prerequisite::Namespace("shop".to_owned());
            let mut foreign = live.clone();
            foreign.metadata_mut().remove("managedFields");
            let preview = |preview| is_declared.then_some(preview);
            let observation = match seen {
                ObservedCase::Unknown => Observation::Unknown("timeout".to_owned()),
                ObservedCase::Absent => Observation::Seen {
                    live: None,
                    preview: preview(Preview::Merged(live.clone())),
                },
                ObservedCase::Deferred => {
                    Observation::Seen { live: None, preview: preview(Preview::Deferred(unborn)) }
                }
                ObservedCase::Same => {
                    Observation::Seen { live: Some(live), preview: preview(Preview::Same) }
                }
                ObservedCase::Changed => Observation::Seen {
                    live: Some(live.clone()),
                    preview: preview(Preview::Merged(live)),
                },
                ObservedCase::Refused => Observation::Seen {
                    live: Some(live),
                    preview: preview(Preview::Refused(refusal)),
                },
                ObservedCase::NotOurs => {
                    Observation::Seen { live: Some(foreign), preview: preview(Preview::Same) }
                }
            };
            observed.objects.insert(object.key(), observation);
            if *is_declared {
                wanted.push(object);
            }
        }
        (declared(&wanted), observed)
    }

    proptest! {
        #[test]
        fn every_object_of_desired_and_inventory_has_exactly_one_action(world in worlds()) {
            let (desired, observed) = build(&world);
            let plan = plan(&desired, &observed, &inventory(), &PlanContext::default());
            let mut planned: Vec<&ObjectKey> = plan.changes().map(|change| &change.key).collect();
            planned.sort();
            let is_there = |observation: &Observation| {
                !matches!(observation, Observation::Seen { live: None, .. })
            };
            let live = observed.objects.iter().filter(|(_, o)| is_there(o)).map(|(key, _)| key);
            let expected: BTreeSet<&ObjectKey> = desired.objects.keys().chain(live).collect();
            prop_assert_eq!(planned, expected.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn only_undesired_objects_of_ours_are_deleted_and_only_when_all_is_known(world in worlds()) {
            let (desired, observed) = build(&world);
            let allowed = permitted(Permissions { allow_empty: true, ..Permissions::default() });
            let plan = plan(&desired, &observed, &inventory(), &allowed);
            let refused = plan.changes().any(|change| {
                change.action() == Action::Refuse && change.origin.is_some()
            });
            for change in plan.changes().filter(|change| change.action() == Action::Delete) {
                let live = change.live().unwrap();
                prop_assert!(managed_fields::is_ours(live, &inventory().id()));
                prop_assert!(!desired.objects.contains_key(&change.key));
                prop_assert!(!refused, "something is refused, and {} is deleted", change.key);
                prop_assert!(change.key.kind != "Namespace", "it was not allowed");
            }
        }

        #[test]
        fn deletions_come_after_everything_else_and_order_in_makes_no_difference(world in worlds()) {
            let (desired, observed) = build(&world);
            let allowed = permitted(Permissions { allow_empty: true, ..Permissions::default() });
            let plan = |desired, observed| plan(desired, observed, &inventory(), &allowed);
            let first = plan(&desired, &observed);
            let actions: Vec<Action> = first.changes().map(|change| change.action()).collect();
            let deletions = actions.iter().skip_while(|action| **action != Action::Delete);
            prop_assert!(deletions.into_iter().all(|a| matches!(a, Action::Delete | Action::Keep | Action::Refuse)));

            // The same world backwards, each object as it was first.
            let mut known = BTreeSet::new();
            let told: Vec<_> = world.iter().filter(|o| known.insert((o.0, o.1))).copied().collect();
            let backwards: Vec<_> = told.into_iter().rev().collect();
            let (desired, observed) = build(&backwards);
            prop_assert_eq!(plan(&desired, &observed), first);
        }
    }
}

/// There may be thousands of new objects: what is declared of one, sent and expected is kept once,
/// and so is the server's answer.
#[test]
fn new_object_is_kept_once() {
    let (new, asked) = (object("ConfigMap", "new"), object("ConfigMap", "asked"));
    let desired = declared(&[new.clone(), asked.clone()]);
    let lack = Preview::Deferred(Prerequisite::Namespace("shop".to_owned()));
    let answer = ours("ConfigMap", "asked");
    let merged = Preview::Merged(answer.clone());
    let observed = seen(&[(&new, None, Some(lack)), (&asked, None, Some(merged))]);
    let plan = plan(&desired, &observed, &inventory(), &PlanContext::default());
    assert_eq!(plan.count(Action::Create), 2);
    for change in plan.changes() {
        let declared = &desired.objects[&change.key].object;
        let Effect::Create(Write { send, becomes, .. }) = &change.effect else { panic!() };
        let expected = if change.key == new.key() { declared } else { &answer };
        assert!(Arc::ptr_eq(&send.0, &declared.0), "{}", change.key);
        assert!(Arc::ptr_eq(&becomes.0, &expected.0), "{}", change.key);
    }
}
