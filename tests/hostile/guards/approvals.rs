//! A deletion is approved on the live object, by a person. What git says of it is an error.

use std::sync::Mutex;

use super::words;
use crate::support::between::Between;
use crate::support::repo::Repo;
use crate::support::sandbox;

const APPROVED: &str = "argocd.argoproj.io/deletion-approved";

const CLAIM: &str = "apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: data
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Mi}}
";

/// A definition with an object that somebody else made of its kind.
const DEFINITION: &str = "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: ledgers.guards.example.com
spec:
  group: guards.example.com
  names: {kind: Ledger, plural: ledgers}
  scope: Namespaced
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
";

const NAMESPACE: &str = "apiVersion: v1
kind: Namespace
metadata:
  name: guards-approved-space
";

const FILES: [(&str, &str); 3] =
    [("claim.yaml", CLAIM), ("crd.yaml", DEFINITION), ("namespace.yaml", NAMESPACE)];

fn approved(yaml: &str, time: &str) -> String {
    let annotation = format!("metadata:\n  annotations:\n    {APPROVED}: \"{time}\"\n");
    yaml.replacen("metadata:\n", &annotation, 1)
}

#[test]
fn an_approval_in_git_is_an_error_in_every_verb_and_approves_nothing() {
    let repo = Repo::new("guards-approved", sandbox::bare());
    for (path, yaml) in FILES {
        repo.write(path, yaml);
    }
    repo.write_config("stays", "1").commit("All").run(&["apply"]).exits(0);
    let ledger = "apiVersion: guards.example.com/v1\nkind: Ledger\nmetadata: {name: theirs}\n";
    let file = repo.outside().join("ledger.yaml");
    std::fs::write(&file, ledger).unwrap();
    repo.kubectl(&["create", "-f", file.to_str().unwrap()]).exits(0);

    for (path, yaml) in FILES {
        repo.write(path, approved(yaml, "2999-01-01T00:00:00Z"));
    }
    repo.commit("Approved by the commit itself");
    let verbs: [&[&str]; 3] = [&["check"], &["diff"], &["apply"]];
    for args in verbs {
        let output = repo.run(args).exits(1);
        let said = words(&output.stdout);
        for (path, _) in FILES {
            // What is refused is shown with the place that its reason names.
            assert!(said.contains(&format!("{path}:5:5")), "{path} {output}");
        }
        assert!(said.contains(&format!("{APPROVED}: a manifest can't approve")), "{output}");
        assert!(said.contains("kubectl annotate"), "{output}");
    }
    for (path, _) in FILES {
        repo.remove(path);
    }
    repo.commit("Gone");
    let apply = repo.run(&["apply"]).exits(1);
    let said = words(&apply.stdout);
    for why in [
        "data may be deleted with it",
        "1 object of its kind would be deleted",
        "everything in it would",
    ] {
        assert!(said.contains(why), "{why}\n{apply}");
    }
    let left = ["get", "ledgers,persistentvolumeclaims", "-o", "name"];
    assert_eq!(repo.kubectl(&left).exits(0).stdout.lines().count(), 2);
    repo.kubectl(&["get", "namespace", "guards-approved-space"]).exits(0);
}

/// An earlier version of trueup may have applied the annotation, and other tools apply manifests, too.
#[test]
fn approval_needs_a_person_and_a_past_time() {
    let repo = Repo::new("guards-person", sandbox::bare());
    repo.write("claim.yaml", CLAIM).write_config("stays", "1").commit("Two");
    repo.run(&["apply"]).exits(0);
    repo.remove("claim.yaml").commit("One");
    let now = jiff::Timestamp::now().strftime("%FT%TZ").to_string();
    let annotate = |time: &str, manager: &str| {
        let annotation = format!("{APPROVED}={time}");
        let manager = format!("--field-manager={manager}");
        let claim = "persistentvolumeclaim/data";
        // Whoever writes the value owns it.
        repo.kubectl(&["annotate", claim, &format!("{APPROVED}-")]).exits(0);
        repo.kubectl(&["annotate", claim, &annotation, &manager]).exits(0);
    };
    for (time, manager, why) in [
        (now.as_str(), "trueup", "trueup set it"),
        (&now, "argocd-controller", "argocd-controller set it"),
        (&now, "kustomize-controller", "kustomize-controller set it"),
        ("2999-01-01T00:00:00Z", "kubectl-annotate", "is in the future"),
        ("2001-01-01T00:00:00Z", "kubectl-annotate", "is before it was last applied"),
        ("yes", "kubectl-annotate", "is not an RFC 3339 time"),
    ] {
        annotate(time, manager);
        let apply = repo.run(&["apply"]).exits(1);
        let said = words(&apply.stdout);
        assert!(said.contains("data may be deleted with it"), "{time} {manager}\n{apply}");
        assert!(said.contains(why), "{why}\n{apply}");
        assert_eq!(repo.members("persistentvolumeclaim").len(), 1);
    }
    annotate(&now, "kubectl-annotate");
    // Its finalizer stays, as there is no controller here.
    let apply = repo.run(&["apply"]).exits(0);
    let said = words(&apply.stdout);
    assert!(said.contains("PersistentVolumeClaim guards-person/data being deleted"), "{apply}");
}

/// Between the look and the deletion.
#[test]
fn prune_false_set_before_the_deletion_is_respected() {
    let repo = Repo::new("guards-meanwhile", sandbox::bare());
    repo.write_config("a", "1").write_config("b", "1").commit("Two");
    repo.run(&["apply"]).exits(0);
    repo.remove("a.yaml").commit("One");
    let annotate = ["annotate", "configmap", "a", "trueup.dev/prune=false"];
    let annotate = Mutex::new(Some(repo.kubectl_command(&annotate)));
    let between = Between::start(sandbox::bare(), move |request| {
        if request.starts_with("DELETE ")
            && let Some(annotate) = annotate.lock().unwrap().take()
        {
            annotate.run().exits(0);
        }
    });
    let apply = repo.trueup(&["apply"]).env("KUBECONFIG", between.kubeconfig()).run().exits(1);
    assert!(
        words(&apply.stdout).contains("changed or recreated since the plan was made"),
        "{apply}"
    );
    assert_eq!(repo.members("configmap"), ["configmap/a", "configmap/b"]);
    repo.run(&["apply"]).exits(0);
    assert!(repo.config_map("a").is_some());
    assert_eq!(repo.members("configmap"), ["configmap/b"]);
}

/// A controller deletes the claims of a StatefulSet that says so, and what is in them.
#[test]
fn stateful_set_that_deletes_its_claims_needs_allow_delete() {
    let repo = Repo::new("guards-claims", sandbox::bare());
    let set = "apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: db
spec:
  serviceName: db
  persistentVolumeClaimRetentionPolicy: {whenDeleted: Delete, whenScaled: Retain}
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: main, image: registry.example/db:1}]}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
";
    repo.write("set.yaml", set).write_config("stays", "1").commit("Two");
    repo.run(&["apply"]).exits(0);
    repo.remove("set.yaml").commit("One");
    let refused = repo.run(&["apply"]).exits(1);
    let said = words(&refused.stdout);
    assert!(
        said.contains("its volume claims would be deleted with it, and their data"),
        "{refused}"
    );
    assert!(said.contains("use --allow-delete PersistentVolumeClaim"), "{refused}");
    assert_eq!(repo.members("statefulset"), ["statefulset.apps/db"]);
    repo.run(&["apply", "--allow-delete", "PersistentVolumeClaim"]).exits(0);
    assert_eq!(repo.members("statefulset"), [""; 0]);
}
