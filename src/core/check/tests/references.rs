//! Names that lead nowhere, and selectors.

use super::findings;

#[test]
fn a_selector_matches_by_the_labels_that_controllers_do_not_set() {
    let service = |selector: &str| {
        findings(&format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: a}}\nspec: {{selector: {{{selector}}}, ports: [{{port: 80}}]}}\n---\napiVersion: v1\nkind: Pod\nmetadata: {{name: db, labels: {{app: db}}}}\nspec: {{containers: [{{name: db, image: db}}]}}\n"
        ))
    };
    for label in [
        "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index",
        "batch.kubernetes.io/job-name",
        "job-name",
        "batch.kubernetes.io/job-completion-index",
        "controller-uid",
        "batch.kubernetes.io/controller-uid",
        "pod-template-hash",
        "controller-revision-hash",
    ] {
        assert_eq!(service(&format!("{label}: \"0\"")), Vec::<String>::new(), "{label}");
        let both = |app: &str| service(&format!("{label}: \"0\", app: {app}"));
        assert_eq!(both("db"), Vec::<String>::new(), "{label}");
        let expected = "4:18 warning no pod template of this set has the labels app=web";
        assert_eq!(both("web"), [expected], "{label}");
    }
    let expected = "4:18 warning no pod template of this set has the labels example.com/index=0";
    assert_eq!(service("example.com/index: \"0\""), [expected]);
}

#[test]
fn a_selector_may_be_on_labels_that_an_operator_sets() {
    let service = |label: &str, group: &str| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: a}}\nspec: {{selector: {{{label}: db}}, ports: [{{port: 80}}]}}\n---\napiVersion: {group}/v1\nkind: Cluster\nmetadata: {{name: db}}\n"
        )
    };
    let unselected = |label: &str, group: &str| {
        findings(&service(label, group)).iter().any(|finding| finding.contains("no pod template"))
    };
    for (label, group) in [
        ("cnpg.io/cluster", "postgresql.cnpg.io"),
        ("crunchydata.com/cluster", "crunchydata.com"),
        ("role.crunchydata.com/cluster", "crunchydata.com"),
        ("common.k8s.elastic.co/type", "elasticsearch.k8s.elastic.co"),
    ] {
        assert!(!unselected(label, group), "{label} {group}");
    }
    for (label, group) in [
        ("cluster", "postgresql.cnpg.io"),
        ("io/cluster", "postgresql.cnpg.io"),
        ("npg.io/cluster", "postgresql.cnpg.io"),
        ("other.io/cluster", "postgresql.cnpg.io"),
        ("sibling.cnpg.io/cluster", "postgresql.cnpg.io"),
        ("k8s.io/cluster", "gateway.networking.k8s.io"),
        ("app.kubernetes.io/name", "autoscaling.kubernetes.io"),
    ] {
        assert!(unselected(label, group), "{label} {group}");
    }
}

#[test]
fn a_selector_may_match_a_custom_resource() {
    let unselected = |rest: &str| {
        let yaml = format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: a}}\nspec: {{selector: {{app: web}}, ports: [{{port: 80}}]}}\n---\napiVersion: {rest}\n"
        );
        findings(&yaml).iter().any(|finding| finding.contains("no pod template"))
    };
    let template = "spec: {template: {metadata: {labels: {app: web}}, spec: {containers: []}}}";
    for (rest, is_unselected) in [
        // Its definition is not here, so neither is its namespace.
        (format!("argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {{name: a}}\n{template}"), false),
        (
            format!(
                "argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {{name: a, namespace: b}}\n{template}"
            ),
            true,
        ),
        // Operators copy the labels of their resources.
        (
            "example.com/v1\nkind: Db\nmetadata: {name: a, labels: {app: web, b: c}}".to_owned(),
            false,
        ),
        ("example.com/v1\nkind: Db\nmetadata: {name: a, labels: {app: db}}".to_owned(), true),
        ("v1\nkind: ConfigMap\nmetadata: {name: a, labels: {app: web}}".to_owned(), true),
    ] {
        assert_eq!(unselected(&rest), is_unselected, "{rest}");
    }
}

#[test]
fn every_kind_of_secret_that_is_named_is_missed() {
    let text = "\
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  serviceAccount: robot
  containers: [{name: a, image: a}]
  volumes:
  - {name: a, csi: {driver: a.example.com, nodePublishSecretRef: {name: one}}}
  - {name: b, cephfs: {monitors: [a], secretRef: {name: two}}}
  - {name: c, azureFile: {shareName: a, secretName: three}}
  - {name: d, secret: {secretName: four, optional: true}}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: a}
spec:
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteOnce]
  storageClassName: fast
  claimRef: {namespace: shop, name: nothing}
  csi: {driver: a.example.com, volumeHandle: a, nodeStageSecretRef: {namespace: kept, name: five}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: a}
spec: {tls: [{hosts: [a.example.com], secretName: six}, {hosts: [b.example.com]}], defaultBackend: {resource: {kind: Bucket, name: b}}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: builder}
secrets: [{name: seven}, {name: builder-token-x7k2p}]
imagePullSecrets: [{name: eight}]
";
    let missing = |line: &str, name: &str| format!("{line} warning {name} is not in this set");
    let expected = [
        missing("5:19", "ServiceAccount shop/robot"),
        missing("8:73", "Secret shop/one"),
        missing("9:57", "Secret shop/two"),
        missing("10:53", "Secret shop/three"),
        missing("21:93", "Secret kept/five"),
        missing("26:51", "Secret shop/six"),
        missing("31:18", "Secret shop/seven"),
        missing("32:27", "Secret shop/eight"),
    ];
    let found = findings(text);
    assert_eq!(found, expected);
}

#[test]
fn a_certificate_that_an_ingress_asks_for_is_not_missed() {
    let ingress = |name: &str, annotations: &str| {
        format!(
            "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: {name}, annotations: {{{annotations}}}}}\nspec: {{tls: [{{secretName: web-tls}}], defaultBackend: {{resource: {{kind: Bucket, name: b}}}}}}\n"
        )
    };
    let asks = ingress("a", "cert-manager.io/cluster-issuer: main");
    assert_eq!(findings(&(asks + &ingress("b", ""))), Vec::<String>::new());
    let expected = "5:27 warning Secret shop/web-tls is not in this set";
    assert_eq!(findings(&ingress("a", "example.com/a: b")), [expected]);
    let made = "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: a, namespace: shop}\nspec: {secretName: web-tls}\n";
    let found = findings(&(made.to_owned() + &ingress("a", "")));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("no schema for cert-manager.io/v1/Certificate"), "{found:?}");
}

#[test]
fn claims_and_classes_are_known_and_not_missed() {
    let text = "\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      priorityClassName: system-cluster-critical
      serviceAccountName: default
      containers: [{name: db, image: db}]
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {storageClassName: fast, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
";
    assert_eq!(findings(text), ["5:16 warning Service shop/db is not in this set"]);
    let service =
        "---\napiVersion: v1\nkind: Service\nmetadata: {name: db}\nspec: {clusterIP: None}\n";
    assert_eq!(findings(&format!("{text}{service}")), Vec::<String>::new());
    let reader = |claim: &str| {
        let pod = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: reader}\nspec:\n  containers: [{name: a, \
            image: a}]\n  volumes:\n  - {name: tmp, ephemeral: {volumeClaimTemplate: {spec: {accessModes: \
            [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}}}\n";
        let mount = format!("  - {{name: data, persistentVolumeClaim: {{claimName: {claim}}}}}\n");
        findings(&format!("{text}{service}{pod}{mount}"))
    };
    // Claims that controllers make of templates are not missing.
    for claim in ["data-db-0", "data-db-12", "reader-tmp"] {
        assert_eq!(reader(claim), Vec::<String>::new(), "{claim}");
    }
    for claim in ["data", "data-db", "data-db-x", "data-web-0"] {
        let missing = format!("PersistentVolumeClaim shop/{claim} is not in this set");
        let [found] = &reader(claim)[..] else { panic!("{claim}") };
        assert!(found.ends_with(&missing), "{found}");
    }
}

#[test]
fn a_binding_names_a_policy() {
    for kind in ["ValidatingAdmissionPolicy", "MutatingAdmissionPolicy"] {
        let actions = if kind.starts_with('V') { ", validationActions: [Deny]" } else { "" };
        let text = format!(
            "apiVersion: admissionregistration.k8s.io/v1\nkind: {kind}Binding\nmetadata: {{name: a}}\n\
             spec: {{policyName: few{actions}}}\n"
        );
        assert_eq!(findings(&text), [format!("4:20 warning {kind} few is not in this set")]);
    }
}
