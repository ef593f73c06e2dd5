//! Whose turn is when: a row for every way in which one object comes to wait for another. What holds
//! for every set of objects is in [`properties`].

mod properties;

use std::collections::BTreeSet;

use super::super::graph::{DependencyKind, Graph};
use super::super::queue::{ChangeEnd, Queue};
use super::*;
use crate::core::remedy::Remedy;

/// Reads a YAML stream as a commit of one file, `a.yaml`, whose namespace is `shop`.
fn commit(yaml: &str) -> Desired {
    let reading = crate::core::manifest::read("a.yaml", yaml.as_bytes());
    assert_eq!(reading.problems, []);
    let objects = reading.manifests.into_iter().map(|mut manifest| {
        let kind = manifest.object.kind().to_owned();
        let is_wide = ["Namespace", "Class", "Cluster", "APIService", "Configuration", "Custom"];
        if !is_wide.iter().any(|part| kind.contains(part)) {
            let metadata = manifest.object.metadata_mut();
            metadata.entry("namespace").or_insert_with(|| "shop".into());
        }
        (manifest.object.key(), manifest)
    });
    let mut desired = Desired { objects: objects.collect(), ..Desired::default() };
    desired.join(&inventory());
    desired
}

/// A document; `rest` is what it has beside its metadata.
fn document(api_version: &str, kind: &str, name: &str, rest: &str) -> String {
    format!(
        "---\napiVersion: {api_version}\nkind: {kind}\nmetadata:\n  name: {name}\n  labels: {{app: {name}}}\n{rest}\n"
    )
}

/// The plan where nothing of it is there yet.
fn first(desired: &Desired) -> Plan {
    let new = desired.objects.iter().map(|(key, manifest)| {
        let preview = Some(Preview::Merged(manifest.object.clone()));
        (key.clone(), Observation::Seen { live: None, preview })
    });
    let observed = Observed { objects: new.collect(), ..Observed::default() };
    plan(desired, &observed, &inventory(), &PlanContext::default())
}

/// The plan where nothing is desired and all of it is there.
fn last(desired: &Desired) -> Plan {
    let old = desired.objects.iter().map(|(key, manifest)| {
        let mut live = manifest.object.clone();
        let entry = json!([{ "manager": FIELD_MANAGER, "operation": "Apply", "fieldsV1": {} }]);
        live.metadata_mut().insert("managedFields".to_owned(), entry);
        (key.clone(), Observation::Seen { live: Some(live), preview: None })
    });
    let kinds = ["Namespace", "CustomResourceDefinition"].map(str::to_owned);
    let allowed = permitted(Permissions {
        allow_empty: true,
        allow_delete: kinds.into(),
        ..Permissions::default()
    });
    let observed = Observed { objects: old.collect(), ..Observed::default() };
    plan(&Desired::default(), &observed, &inventory(), &allowed)
}

/// Everything that a node waits for, gates seen through, with the strongest reason of the first
/// step.
fn before(graph: &Graph, node: usize) -> BTreeSet<(usize, DependencyKind)> {
    let mut found = BTreeSet::new();
    for need in graph.needs(node) {
        let (mut walk, mut seen) = (vec![need.on], BTreeSet::new());
        while let Some(at) = walk.pop() {
            if graph.is_object(at) {
                found.insert((at, need.why));
            } else if seen.insert(at) {
                walk.extend(graph.needs(at).map(|need| need.on));
            }
        }
    }
    found
}

/// Why `name` waits for `on`, in a half of a plan.
fn why(half: &OrderedChanges, name: &str, on: &str) -> Vec<DependencyKind> {
    let at = |name: &str| half.changes.iter().position(|c| c.key.name == name).unwrap();
    let on = at(on);
    before(&half.graph, at(name)).into_iter().filter(|(at, _)| *at == on).map(|(_, w)| w).collect()
}

const POD: &str = "spec: {template: {metadata: {labels: {app: pod}}, spec: {containers: [{name: a, envFrom: [{configMapRef: {name: one}}]}]}}}";

#[test]
fn referenced_objects_are_created_first() {
    let pods =
        |spec: &str| format!("spec: {{template: {{spec: {{containers: [{{name: a}}], {spec}}}}}}}");
    let hook = "webhooks: [{name: a, clientConfig: {service: {namespace: shop, name: one}}}]";
    let rows = [
        (("apps/v1", "Deployment", POD.to_owned()), ("v1", "ConfigMap")),
        (
            ("batch/v1", "Job", pods("volumes: [{name: v, secret: {secretName: one}}]")),
            ("v1", "Secret"),
        ),
        (("apps/v1", "DaemonSet", pods("serviceAccountName: one")), ("v1", "ServiceAccount")),
        (
            (
                "apps/v1",
                "Deployment",
                pods("volumes: [{name: v, persistentVolumeClaim: {claimName: one}}]"),
            ),
            ("v1", "PersistentVolumeClaim"),
        ),
        (
            ("apps/v1", "Deployment", pods("priorityClassName: one")),
            ("scheduling.k8s.io/v1", "PriorityClass"),
        ),
        (
            (
                "rbac.authorization.k8s.io/v1",
                "RoleBinding",
                "roleRef: {kind: Role, name: one}".to_owned(),
            ),
            ("rbac.authorization.k8s.io/v1", "Role"),
        ),
        (
            (
                "rbac.authorization.k8s.io/v1",
                "ClusterRoleBinding",
                "subjects: [{kind: ServiceAccount, name: one, namespace: shop}]".to_owned(),
            ),
            ("v1", "ServiceAccount"),
        ),
        (
            (
                "networking.k8s.io/v1",
                "Ingress",
                "spec: {defaultBackend: {service: {name: one}}}".to_owned(),
            ),
            ("v1", "Service"),
        ),
        (
            (
                "autoscaling/v2",
                "HorizontalPodAutoscaler",
                "spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: one}}"
                    .to_owned(),
            ),
            ("apps/v1", "Deployment"),
        ),
        (
            (
                "apiregistration.k8s.io/v1",
                "APIService",
                "spec: {group: g.example, service: {namespace: shop, name: one}}".to_owned(),
            ),
            ("v1", "Service"),
        ),
        (
            ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", hook.to_owned()),
            ("v1", "Service"),
        ),
        (
            ("apps/v1", "Deployment", pods("volumes: [{name: v, secret: {secretName: made}}]")),
            ("cert-manager.io/v1", "Certificate"),
        ),
    ];
    for ((version, kind, rest), (on_version, on)) in rows {
        let made = if on == "Certificate" { "spec: {secretName: made}" } else { "" };
        let text = document(version, kind, "a", &rest) + &document(on_version, on, "one", made);
        let desired = commit(&text);
        let (there, gone) = (first(&desired), last(&desired));
        assert!(
            why(&there.desired, "a", "one").contains(&DependencyKind::Reference),
            "{kind} → {on}"
        );
        assert!(
            why(&gone.undesired, "one", "a").contains(&DependencyKind::Reference),
            "{kind} → {on}, back"
        );
        let names: Vec<&str> = there.changes().map(|change| change.key.name.as_str()).collect();
        assert_eq!(names, ["one", "a"], "{kind} → {on}");
        let names: Vec<&str> = gone.changes().map(|change| change.key.name.as_str()).collect();
        assert_eq!(names, ["a", "one"], "{kind} → {on}, back");
    }
}

#[test]
fn disruption_budgets_and_webhooks_follow_their_pods() {
    let labels = "spec: {template: {metadata: {labels: {app: one}}, spec: {containers: []}}}";
    let text = document("apps/v1", "Deployment", "one", labels)
        + &document("v1", "Service", "service", "spec: {selector: {app: one}}")
        + &document(
            "policy/v1",
            "PodDisruptionBudget",
            "budget",
            "spec: {selector: {matchLabels: {app: one}}}",
        )
        + &document(
            "admissionregistration.k8s.io/v1",
            "MutatingWebhookConfiguration",
            "hook",
            "webhooks: [{clientConfig: {service: {namespace: shop, name: service}}}]",
        );
    let plan = first(&commit(&text));
    assert_eq!(why(&plan.desired, "budget", "one"), [DependencyKind::Reference]);
    assert!(why(&plan.desired, "hook", "one").contains(&DependencyKind::Server));
    assert_eq!(why(&plan.desired, "service", "one"), []);
}

#[test]
fn namespaces_and_definitions_are_created_first() {
    let definition = "spec: {group: a.example, scope: Namespaced, names: {kind: Thing, plural: things}, versions: [{name: v1, served: true}]}";
    let crd = "apiextensions.k8s.io/v1";
    let wave = "  annotations: {trueup.dev/wave: '-3'}\n";
    let text = document("a.example/v1", "Thing", "thing", wave)
        + &document(crd, "CustomResourceDefinition", "things", definition)
        + &document("v1", "Namespace", "shop", "")
        + &document("v1", "ConfigMap", "settings", "");
    let desired = commit(&text);
    let plan = first(&desired);
    let names: Vec<&str> = plan.changes().map(|change| change.key.name.as_str()).collect();
    assert_eq!(names, ["shop", "things", "thing", "settings"], "they are pulled into its wave");
    assert!(why(&plan.desired, "thing", "things").contains(&DependencyKind::Home));
    assert!(why(&plan.desired, "settings", "shop").contains(&DependencyKind::Place));
    let plan = last(&desired);
    assert!(why(&plan.undesired, "things", "thing").contains(&DependencyKind::Home));
    assert!(why(&plan.undesired, "shop", "settings").contains(&DependencyKind::Place));
}

#[test]
fn api_service_is_created_before_objects_of_its_version() {
    let service = |version: &str, service: &str| {
        let rest = format!("spec: {{group: a.example, version: {version}{service}}}");
        document("apiregistration.k8s.io/v1", "APIService", &format!("{version}.a.example"), &rest)
    };
    let at = ", service: {namespace: shop, name: server}";
    let pods = "spec: {template: {metadata: {labels: {app: server}}, spec: {containers: []}}}";
    let text = document("a.example/v1", "Thing", "thing", "")
        + &document("a.example/v2", "Thing", "other", "")
        + &(service("v1", at) + &service("v2", at) + &service("v3", ""))
        + &document("v1", "Service", "server", "spec: {selector: {app: server}}")
        + &document("apps/v1", "Deployment", "pods", pods);
    let desired = commit(&text);
    let plan = first(&desired);
    let names: Vec<&str> = plan.changes().map(|change| change.key.name.as_str()).collect();
    let in_turn =
        ["server", "pods", "v1.a.example", "thing", "v2.a.example", "other", "v3.a.example"];
    assert_eq!(names, in_turn);
    assert!(why(&plan.desired, "thing", "v1.a.example").contains(&DependencyKind::Home));
    assert!(!why(&plan.desired, "thing", "v2.a.example").contains(&DependencyKind::Home));
    assert!(why(&plan.desired, "v1.a.example", "pods").contains(&DependencyKind::Server));
    // A live object is seen in one version, and may need any of them.
    let plan = last(&desired);
    for service in ["v1.a.example", "v2.a.example"] {
        assert!(
            why(&plan.undesired, service, "thing").contains(&DependencyKind::Home),
            "{service}"
        );
    }
    assert!(!why(&plan.undesired, "v3.a.example", "thing").contains(&DependencyKind::Home));
}

#[test]
fn a_server_that_needs_what_it_serves_is_not_waited_for() {
    let on =
        "  annotations: {config.kubernetes.io/depends-on: a.example/namespaces/shop/Thing/thing}\n";
    let pods = "spec: {template: {metadata: {labels: {app: server}}, spec: {containers: []}}}";
    let rest = "spec: {group: a.example, version: v1, service: {namespace: shop, name: server}}";
    let text = document("a.example/v1", "Thing", "thing", "")
        + &document("apiregistration.k8s.io/v1", "APIService", "v1.a.example", rest)
        + &document("v1", "Service", "server", "spec: {selector: {app: server}}")
        + &document("apps/v1", "Deployment", "pods", &(on.to_owned() + pods));
    let plan = first(&commit(&text));
    let names: Vec<&str> = plan.changes().map(|change| change.key.name.as_str()).collect();
    assert_eq!(names, ["server", "v1.a.example", "thing", "pods"]);
    let warnings: Vec<&str> = plan.warnings.iter().map(|w| w.message.as_str()).collect();
    let (api, pods) = ("APIService v1.a.example", "Deployment shop/pods");
    let said =
        format!("{api} needs {pods}, which needs it, too, in a circle: {api} does not wait for it");
    assert_eq!(warnings, [said]);
}

#[test]
fn waves_and_dependencies_come_before_kinds() {
    let annotated = |text: &str| format!("  annotations: {{{text}}}");
    let on = "config.kubernetes.io/depends-on: /namespaces/shop/Pod/db";
    let text = document("v1", "ConfigMap", "late", &annotated("trueup.dev/wave: '1'"))
        + &document("v1", "Pod", "web", &annotated("argocd.argoproj.io/sync-wave: '-1'"))
        + &document("v1", "Secret", "after", &annotated(on))
        + &document("v1", "Pod", "db", "");
    let plan = first(&commit(&text));
    let names: Vec<&str> = plan.changes().map(|change| change.key.name.as_str()).collect();
    assert_eq!(names, ["web", "db", "after", "late"]);
    assert_eq!(why(&plan.desired, "after", "db"), [DependencyKind::Said]);
    for before in ["web", "db", "after"] {
        assert_eq!(why(&plan.desired, "late", before), [DependencyKind::Wave], "{before}");
    }
}

/// The reason of one object, and its causes as they are printed.
fn told(plan: &Plan, name: &str) -> Vec<String> {
    let change = plan.changes().find(|change| change.key.name == name).unwrap();
    assert_eq!(change.action(), Action::Refuse, "{name}");
    let causes = change.reason.as_ref().unwrap().causes.iter();
    causes.map(|c| format!("{}: {c}", c.place.as_ref().unwrap())).collect()
}

#[test]
fn invalid_wave_or_dependency_is_refused_with_its_position() {
    let wave = "  annotations:\n    trueup.dev/wave: first";
    let on = "  annotations:\n    config.kubernetes.io/depends-on: ";
    let text = document("v1", "Pod", "a", wave)
        + &document("v1", "Pod", "b", &format!("{on}Pod/a"))
        + &document("v1", "Pod", "c", &format!("{on}/namespaces/store/Pod/a"))
        + &document("v1", "Pod", "d", "");
    let plan = first(&commit(&text));
    assert_eq!(
        told(&plan, "a"),
        ["a.yaml:8:5: trueup.dev/wave: invalid wave \"first\": must be an integer"]
    );
    let named = "a.yaml:16:5: config.kubernetes.io/depends-on: \"Pod/a\" does not name an object";
    assert_eq!(told(&plan, "b"), [named]);
    let stranger = "a.yaml:24:5: config.kubernetes.io/depends-on: it depends on Pod store/a, which the commit does not declare";
    assert_eq!(told(&plan, "c"), [stranger]);
    let hint = plan.changes().find(|change| change.key.name == "c").unwrap();
    let hint = hint.reason.as_ref().unwrap().remedy.as_ref().and_then(Remedy::text).unwrap();
    assert_eq!(hint, "did you mean /namespaces/shop/Pod/a?");
    assert_eq!(plan.count(Action::Create), 1);
}

#[test]
fn declared_dependency_cycle_is_refused_and_printed() {
    let on = |name: &str| {
        format!("  annotations:\n    config.kubernetes.io/depends-on: /namespaces/shop/Pod/{name}")
    };
    let text = document("v1", "Pod", "a", &on("b"))
        + &document("v1", "Pod", "b", &on("a"))
        + &document("v1", "Pod", "c", &on("c"))
        + &document("v1", "Pod", "d", &on("a"))
        + &document("v1", "Pod", "e", "  annotations: {trueup.dev/wave: '1'}")
        + &document("v1", "Pod", "f", &on("e"));
    let plan = first(&commit(&text));
    let circle = [
        "a.yaml:8:5: dependency cycle: Pod shop/a → Pod shop/b → Pod shop/a",
        "a.yaml:8:5: Pod shop/a depends on Pod shop/b",
        "a.yaml:16:5: Pod shop/b depends on Pod shop/a",
    ];
    assert_eq!(
        (told(&plan, "a"), told(&plan, "b")),
        (circle.map(str::to_owned).into(), circle.map(str::to_owned).into())
    );
    let alone = "a.yaml:24:5: dependency cycle: Pod shop/c → Pod shop/c";
    assert_eq!(told(&plan, "c")[0], alone);
    let waves = [
        "a.yaml:39:17: dependency cycle: Pod shop/e → Pod shop/f → Pod shop/e",
        "a.yaml:39:17: Pod shop/e is in wave 1, Pod shop/f in wave 0",
        "a.yaml:47:5: Pod shop/f depends on Pod shop/e",
    ];
    assert_eq!(told(&plan, "f"), waves);
    assert_eq!(
        why(&plan.desired, "d", "a"),
        [DependencyKind::Said],
        "it is not tried, since a is refused"
    );
}

#[test]
fn reference_cycle_is_broken_and_reported() {
    let scales = |name: &str| {
        format!(
            "spec: {{scaleTargetRef: {{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, name: {name}}}}}"
        )
    };
    let text = document("autoscaling/v2", "HorizontalPodAutoscaler", "a", &scales("b"))
        + &document("autoscaling/v2", "HorizontalPodAutoscaler", "b", &scales("a"));
    let plan = first(&commit(&text));
    assert_eq!(plan.count(Action::Create), 2);
    let warnings: Vec<&str> = plan.warnings.iter().map(|w| w.message.as_str()).collect();
    let (a, b) = ("HorizontalPodAutoscaler shop/a", "HorizontalPodAutoscaler shop/b");
    let said = format!("{b} needs {a}, which needs it, too, in a circle: {b} does not wait for it");
    assert_eq!(warnings, [said]);
    assert_eq!(why(&plan.desired, "a", "b"), [DependencyKind::Reference]);
}

#[test]
fn a_namespace_and_a_definition_stay_as_long_as_anything_needs_them() {
    let definition = "spec: {group: a.example, scope: Namespaced, names: {kind: Thing, plural: things}, versions: [{name: v1, served: true}]}";
    let desired = commit(
        &(document("apiextensions.k8s.io/v1", "CustomResourceDefinition", "things", definition)
            + &document("v1", "Namespace", "shop", "")),
    );
    let stays = document("a.example/v1", "Thing", "thing", "");
    let kept = commit(&stays);
    let mut live = kept.objects.values().next().unwrap().object.clone();
    live.metadata_mut().insert("managedFields".to_owned(), json!([]));
    let mut all = Observed::default();
    for (key, manifest) in &desired.objects {
        let mut live = manifest.object.clone();
        let entry = json!([{ "manager": FIELD_MANAGER, "operation": "Apply", "fieldsV1": {} }]);
        live.metadata_mut().insert("managedFields".to_owned(), entry);
        all.objects.insert(key.clone(), Observation::Seen { live: Some(live), preview: None });
    }
    let seen = Observation::Seen { live: Some(live), preview: None };
    all.objects.insert(kept.objects.keys().next().unwrap().clone(), seen);
    let kinds = ["Namespace", "CustomResourceDefinition"].map(str::to_owned);
    let allowed = permitted(Permissions {
        allow_empty: true,
        allow_delete: kinds.into(),
        ..Permissions::default()
    });
    let plan = plan(&Desired::default(), &all, &inventory(), &allowed);
    let reasons: Vec<_> = plan
        .changes()
        .filter(|change| change.action() == Action::Refuse)
        .map(|change| (change.key.to_string(), change.reason.as_ref().unwrap().to_string()))
        .collect();
    let because = |name: &str, why: &str| (name.to_owned(), why.to_owned());
    assert_eq!(
        reasons,
        [
            because("CustomResourceDefinition things", "it defines Thing shop/thing, which stays"),
            because("Namespace shop", "it holds Thing shop/thing, which stays"),
        ]
    );
}
