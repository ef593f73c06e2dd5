//! What the server answers to a write is held against what the plan promised: what a dry run does not
//! foresee is told, and the cluster is not at the commit.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::support::between::Between;
use crate::support::eventually::eventually;
use crate::support::objects::{Definition, WEB, config};
use crate::support::repo::Repo;
use crate::support::sandbox;
use crate::support::watching::Watching;

/// What is said of a field that differs.
const WORD: &str = "not as planned";

/// A policy of admission that changes objects of one namespace as they come in, for as long as it
/// lives.
struct Policy {
    namespace: String,
}

impl Policy {
    /// One that acts where `when` holds, and not when somebody only asks.
    fn real(repo: &Repo<'_>, when: &str, patch: &str) -> Self {
        Self::start(repo.namespace(), &format!("!request.dryRun && ({when})"), patch)
    }

    /// One that acts where `when` holds, in CEL; what it does is a list of JSONPatch.
    fn start(name: &str, when: &str, patch: &str) -> Self {
        // Nobody says when a policy has come into force: a probe shows it.
        let probe = "object.kind == 'ConfigMap' && object.metadata.name == 'probe'";
        let mark = "[JSONPatch{op: 'add', path: '/data/seen', value: 'yes'}]";
        let policy = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicy",
            "metadata": { "name": name },
            "spec": {
                "matchConstraints": {
                    "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": name } },
                    "resourceRules": [{ "apiGroups": ["*"], "apiVersions": ["*"],
                        "operations": ["CREATE", "UPDATE"], "resources": ["*"] }] },
                "matchConditions": [{ "name": "when",
                    "expression": format!("({probe}) || ({when})") }],
                "failurePolicy": "Fail", "reinvocationPolicy": "Never",
                "mutations": [{ "patchType": "JSONPatch",
                    "jsonPatch": { "expression": format!("{probe} ? {mark} : {patch}") } }] },
        });
        let binding = json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "MutatingAdmissionPolicyBinding",
            "metadata": { "name": name }, "spec": { "policyName": name },
        });
        sandbox::bare().create(name, &format!("{policy}\n---\n{binding}\n"));
        let policy = Self { namespace: name.to_owned() };
        eventually("the policy is in force", || policy.is_in_force());
        policy
    }

    /// Whether it changes the probe, which is made for that.
    fn is_in_force(&self) -> bool {
        let kubectl = |args: &[&str]| {
            let namespace = ["-n", &self.namespace];
            sandbox::bare().kubectl(namespace.iter().chain(args)).exits(0).stdout
        };
        let delete = ["delete", "configmap", "probe", "--ignore-not-found"];
        kubectl(&delete);
        kubectl(&["create", "configmap", "probe", "--from-literal=a=b"]);
        let seen = kubectl(&["get", "configmap", "probe", "-o", "jsonpath={.data.seen}"]);
        kubectl(&delete);
        seen == "yes"
    }

    /// Ends it.
    fn stop(self) {
        for kind in ["mutatingadmissionpolicybinding", "mutatingadmissionpolicy"] {
            sandbox::bare().kubectl(["delete", kind, &self.namespace]).exits(0);
        }
        eventually("the policy is gone", || !self.is_in_force());
    }
}

fn live(repo: &Repo<'_>, kind: &str, name: &str) -> Value {
    let found = repo.kubectl(&["get", kind, name, "-o", "json"]).exits(0);
    serde_json::from_str(&found.stdout).unwrap()
}

/// That apply tells `lines` and is not at the commit, however often it runs; the lines say where.
#[track_caller]
fn differs(repo: &Repo<'_>, lines: &[&str]) {
    for _ in 0..2 {
        let applied = repo.run(&["apply"]).exits(1);
        for line in lines {
            assert!(applied.stdout.contains(line), "{line:?} in {applied}");
        }
        assert!(applied.stdout.contains(&format!("  {WORD}\n")), "{applied}");
        assert!(applied.stdout.contains(&format!("1 {WORD}")), "{applied}");
        assert!(applied.stdout.contains("is NOT at"), "{applied}");
        assert!(applied.stdout.contains("ignore:"), "what to do: {applied}");
    }
}

/// That apply makes it true, and that there is nothing to do then.
#[track_caller]
fn heals(repo: &Repo<'_>) {
    let applied = repo.run(&["apply"]).exits(0);
    assert!(!applied.stdout.contains(WORD), "{applied}");
    let writes = repo.writes();
    repo.run(&["apply"]).exits(0);
    assert_eq!(repo.writes(), writes, "nothing is left to do");
}

#[test]
fn value_mutated_by_admission_is_reported_in_each_run() {
    let repo = Repo::new("answered-value", sandbox::bare());
    repo.write("web.yaml", WEB).commit("First").run(&["apply"]).exits(0);
    let one = "[JSONPatch{op: 'replace', path: '/spec/replicas', value: 1}]";
    let policy = Policy::real(&repo, "object.metadata.name == 'web'", one);
    repo.write("web.yaml", WEB.replace("replicas: 2", "replicas: 3")).commit("Three");
    differs(&repo, &["    web.yaml:6:3: spec.replicas: declared 3, live 1\n"]);
    assert_eq!(live(&repo, "deployment", "web")["spec"]["replicas"], 1);
    policy.stop();
    heals(&repo);
    assert_eq!(live(&repo, "deployment", "web")["spec"]["replicas"], 3);
}

#[test]
fn field_removed_by_admission_is_reported_in_each_run() {
    let repo = Repo::new("answered-missing", sandbox::bare());
    let file = config("a", "1").replace("  name: a", "  name: a\n  annotations: {team: shop}");
    let take = "[JSONPatch{op: 'remove', path: '/metadata/annotations/team'}]";
    let policy = Policy::real(&repo, "object.metadata.name == 'a'", take);
    // A creation.
    repo.write("a.yaml", file).commit("First");
    differs(
        &repo,
        &["    a.yaml:5:17: metadata.annotations.team: declared shop, missing in the cluster\n"],
    );
    policy.stop();
    heals(&repo);
}

#[test]
fn removed_field_restored_by_admission_is_reported_in_each_run() {
    let repo = Repo::new("answered-staying", sandbox::bare());
    let file = config("a", "1").replace("  name: a", "  name: a\n  labels: {tier: web}");
    repo.write("a.yaml", file).commit("First").run(&["apply"]).exits(0);
    let put = "[JSONPatch{op: 'add', path: '/metadata/labels/tier', value: 'web'}]";
    let policy = Policy::real(&repo, "object.metadata.name == 'a'", put);
    repo.write("a.yaml", config("a", "2")).commit("No tier");
    differs(&repo, &["metadata.labels.tier: no longer declared, but still live: web\n"]);
    policy.stop();
    heals(&repo);
    assert_eq!(live(&repo, "configmap", "a")["metadata"]["labels"]["tier"], Value::Null);
}

#[test]
fn removed_list_element_restored_by_admission_is_reported() {
    let repo = Repo::new("answered-element", sandbox::bare());
    let two = WEB.replace("1.4.0\n", "1.4.0\n      - {name: old, image: registry.example/old:1}\n");
    repo.write("web.yaml", two).commit("First").run(&["apply"]).exits(0);
    let put = "[JSONPatch{op: 'add', path: '/spec/template/spec/containers/-', value: \
        Object.spec.template.spec.containers{name: 'old', image: 'registry.example/old:1'}}]";
    let when = "object.metadata.name == 'web' && object.spec.template.spec.containers.size() == 1";
    let policy = Policy::real(&repo, when, put);
    repo.write("web.yaml", WEB).commit("One");
    differs(
        &repo,
        &["spec.template.spec.containers[name=old]: no longer declared, but still live"],
    );
    policy.stop();
    heals(&repo);
    let web = live(&repo, "deployment", "web");
    let containers = web["spec"]["template"]["spec"]["containers"].as_array().unwrap().len();
    assert_eq!(containers, 1);
}

#[test]
fn replacement_is_compared_with_the_plan() {
    let repo = Repo::new("answered-replaced", sandbox::bare());
    let file = |value: &str| {
        format!("{}immutable: true\n", config("a", value))
            .replace("  name: a", "  name: a\n  annotations: {trueup.dev/replace: 'true'}")
    };
    repo.write("a.yaml", file("1")).commit("First").run(&["apply"]).exits(0);
    let other = "[JSONPatch{op: 'replace', path: '/data/key', value: 'other'}]";
    let policy = Policy::real(&repo, "object.metadata.name == 'a'", other);
    repo.write("a.yaml", file("2")).commit("Two");
    differs(&repo, &["    a.yaml:7:3: data.key: declared 2, live other\n"]);
    policy.stop();
    heals(&repo);
    assert_eq!(live(&repo, "configmap", "a")["data"]["key"], "2");
}

/// What others applied goes in two writes, and so does what is emptied.
#[test]
fn two_step_apply_is_compared_with_the_plan() {
    let repo = Repo::new("answered-taken", sandbox::bare());
    let file = repo.outside().join("old.yaml");
    std::fs::write(&file, config("a", "1") + "  old: x\n").unwrap();
    repo.kubectl(&["apply", "-f", file.to_str().unwrap()]).exits(0);
    let put = "[JSONPatch{op: 'add', path: '/data/old', value: 'x'}]";
    let policy = Policy::real(&repo, "object.metadata.name == 'a'", put);
    repo.write_config("a", "1").commit("Ours");
    differs(&repo, &["data.old: no longer declared, but still live: x\n"]);
    policy.stop();
    heals(&repo);
    assert_eq!(live(&repo, "configmap", "a")["data"], json!({ "key": "1" }));
}

#[test]
fn emptied_map_is_compared_with_the_plan() {
    let repo = Repo::new("answered-emptied", sandbox::bare());
    let node = "      nodeSelector: {disk: ssd}\n";
    let web =
        |selector: &str| WEB.replace("      containers", &format!("{selector}      containers"));
    repo.write("web.yaml", web(node)).commit("First").run(&["apply"]).exits(0);
    let put =
        "[JSONPatch{op: 'add', path: '/spec/template/spec/nodeSelector', value: {'disk': 'ssd'}}]";
    let policy = Policy::real(&repo, "object.metadata.name == 'web'", put);
    repo.write("web.yaml", web("      nodeSelector: {}\n")).commit("Anywhere");
    differs(&repo, &["spec.template.spec.nodeSelector"]);
    policy.stop();
    heals(&repo);
    let spec = live(&repo, "deployment", "web")["spec"]["template"]["spec"].take();
    assert!(spec.get("nodeSelector").is_none_or(|it| *it == json!({})), "{spec}");
}

/// What could not be asked about is held against what is declared, and the server is asked how it
/// writes it down only where the two are not the same.
#[test]
fn object_without_a_dry_run_is_compared_with_the_manifest() {
    let repo = Repo::new("answered-unasked", sandbox::bare());
    // It comes with its definition, and so after a plan that knows nothing of it.
    let spec =
        "{type: object, properties: {size: {type: integer}, depth: {type: integer, default: 7}}}";
    let definition = Definition::new("answered.example.com", "Shelf")
        .plural("shelves")
        .schema(&format!("{{type: object, properties: {{spec: {spec}}}}}"));
    let shelf = "apiVersion: answered.example.com/v1\nkind: Shelf\nmetadata: {name: shelf}\nspec:\n  size: 3\n";
    let smaller = "[JSONPatch{op: 'replace', path: '/spec/size', value: 1}]";
    let policy = Policy::real(&repo, "object.metadata.name == 'shelf'", smaller);
    repo.write("shelf.yaml", shelf).write("definition.yaml", definition.to_string());
    repo.commit("First");
    differs(&repo, &["    shelf.yaml:5:3: spec.size: declared 3, live 1\n"]);
    policy.stop();
    heals(&repo);
}

#[test]
fn policy_created_between_plan_and_write_is_reported() {
    let repo = Repo::new("answered-between", sandbox::bare());
    repo.write_config("a", "1").commit("First").run(&["apply"]).exits(0);
    repo.write_config("a", "2").commit("Two");
    let (namespace, is_there) = (repo.namespace().to_owned(), AtomicBool::new(false));
    let between = Between::start(sandbox::bare(), move |line| {
        if is_write(line, "/configmaps/a") && !is_there.swap(true, Ordering::SeqCst) {
            let other = "[JSONPatch{op: 'replace', path: '/data/key', value: 'other'}]";
            let when = "object.metadata.name == 'a' && !request.dryRun";
            Policy::start(&namespace, when, other);
        }
    });
    let applied = repo.trueup(&["apply"]).env("KUBECONFIG", between.kubeconfig()).run().exits(1);
    let line = "a.yaml:6:3: data.key: declared 2, live other\n";
    assert!(applied.stdout.contains(line), "{applied}");
    differs(&repo, &[line]);
    Policy { namespace: repo.namespace().to_owned() }.stop();
    heals(&repo);
}

/// Whether a request writes the object at the end of a path.
fn is_write(line: &str, path: &str) -> bool {
    line.starts_with("PATCH") && line.contains(path) && !line.contains("dryRun")
}

#[test]
fn watch_reports_a_deviation_once_and_its_end() {
    let repo = Repo::new("answered-watch", sandbox::bare());
    repo.write_config("a", "1").commit("First");
    let other = "[JSONPatch{op: 'replace', path: '/data/key', value: 'other'}]";
    let policy = Policy::real(&repo, "object.metadata.name == 'a'", other);
    let watching = Watching::start(&repo, &[]);
    let line = "! ConfigMap answered-watch/a: a.yaml:6:3: data.key: declared 1, live other";
    watching.says(line);
    let rounds = repo.rounds();
    eventually("three more rounds", || repo.rounds() > rounds + 3);
    assert_eq!(watching.times("data.key"), 1, "{:#?}", watching.said());
    assert_eq!(watching.times(" at "), watching.times("not at "), "{:#?}", watching.said());
    policy.stop();
    watching.says("recovered @");
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn deviation_is_in_json_and_blocks_pruning() {
    let repo = Repo::new("answered-forms", sandbox::bare());
    repo.write_config("a", "1").write_config("b", "1").commit("First");
    repo.run(&["apply"]).exits(0);
    let before = live(&repo, "configmap", &repo.parent());
    let other = "[JSONPatch{op: 'replace', path: '/data/key', value: 'other'}]";
    let policy = Policy::real(&repo, "object.metadata.name == 'a'", other);
    repo.write_config("a", "2").remove("b.yaml").commit("Two");

    let output = repo.run(&["apply", "--wait", "-o", "json"]).exits(1);
    let answer: Value = serde_json::from_str(&output.stdout).unwrap();
    let step = &answer["report"]["steps"][0];
    assert_eq!(step["outcome"], "differs", "{output}");
    assert_eq!(
        step["reason"],
        "applied, but data.key differs from the plan: declared 2, live other"
    );
    let place = json!({ "path": "a.yaml", "line": 6, "column": 3 });
    let cause = json!({ "field": "data.key", "message": "declared 2, live other", "place": place });
    assert_eq!(step["causes"], json!([cause]));
    assert_eq!(answer["report"]["at_commit"], false);
    assert_eq!(answer["report"]["health"], Value::Null, "nothing is known to be healthy");
    // What is no longer declared may still be needed.
    assert_eq!(answer["report"]["steps"][1]["outcome"], "skipped", "{output}");

    let github = repo.run(&["apply", "-o", "github"]).exits(1).stdout;
    assert!(
        github.contains("::error file=a.yaml,line=6,col=3,title=not as planned%3A"),
        "{github}"
    );
    let markdown = repo.run(&["apply", "-o", "markdown"]).exits(1).stdout;
    assert!(markdown.contains("**not as planned** |"), "{markdown}");
    let after = live(&repo, "configmap", &repo.parent());
    let revision = |parent: &Value| parent["metadata"]["annotations"].clone();
    assert_eq!(revision(&after)["trueup.dev/revision"], revision(&before)["trueup.dev/revision"]);
    policy.stop();
    heals(&repo);
}

#[test]
fn a_secrets_value_is_masked_in_it() {
    let repo = Repo::new("answered-secret", sandbox::bare());
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: key}\nstringData:\n  password: declared-canary\n";
    // bGl2ZS1jYW5hcnk= is live-canary.
    let other = "[JSONPatch{op: 'replace', path: '/data/password', value: 'bGl2ZS1jYW5hcnk='}]";
    let policy = Policy::real(&repo, "object.metadata.name == 'key'", other);
    repo.write("key.yaml", secret).commit("First");
    for form in ["text", "json", "markdown", "github"] {
        let output = repo.run(&["apply", "-o", form]).exits(1);
        assert!(output.stdout.contains("live ‹secret"), "{output}");
        let all = format!("{}{}", output.stdout, output.stderr);
        for canary in ["declared-canary", "live-canary", "bGl2ZS1jYW5hcnk", "ZGVjbGFyZWQtY2FuYXJ5"]
        {
            assert!(!all.contains(canary), "{canary} in {output}");
        }
    }
    policy.stop();
    heals(&repo);
}

#[test]
fn approved_plan_is_compared_with_the_answer() {
    let repo = Repo::new("answered-plan", sandbox::bare());
    repo.write_config("a", "1").commit("First").run(&["apply"]).exits(0);
    let other = "[JSONPatch{op: 'replace', path: '/data/key', value: 'other'}]";
    let policy = Policy::real(&repo, "object.metadata.name == 'a'", other);
    repo.write_config("a", "2").commit("Two");
    let file = repo.outside().join("plan.json");
    let file = file.to_str().unwrap();
    repo.run(&["diff", "--out", file]).exits(1);
    let applied = repo.run(&["apply", "--plan", file]).exits(1);
    assert!(applied.stdout.contains("data.key: declared 2, live other"), "{applied}");
    policy.stop();
    heals(&repo);
}

#[test]
fn dependents_of_a_deviating_object_are_not_tried() {
    let repo = Repo::new("answered-needed", sandbox::bare());
    let later = config("later", "1")
        .replace("  name: later", "  name: later\n  annotations: {trueup.dev/wave: '1'}");
    let other = "[JSONPatch{op: 'replace', path: '/data/key', value: 'other'}]";
    let policy = Policy::real(&repo, "object.metadata.name == 'a'", other);
    repo.write_config("a", "1").write("later.yaml", later).commit("First");
    let applied = repo.run(&["apply"]).exits(1);
    let why = "ConfigMap answered-needed/a of an earlier wave differs from the plan";
    assert!(applied.stdout.contains(why), "{applied}");
    policy.stop();
    heals(&repo);
}

/// What trueup asked of the objects of a namespace: the verb, the object, and whether for real.
fn asked(namespace: &str, since: usize) -> Vec<(String, String, bool)> {
    let requests = sandbox::bare().audit_log.requests_after(since);
    let ours = requests.iter().filter(|request| {
        let name = request.name();
        let is_object = !name.starts_with("trueup-") && !name.is_empty() && name != namespace;
        request.is_ours() && request.namespace() == namespace && is_object
    });
    let told = ours
        .map(|request| (request.verb.clone(), request.name().to_owned(), !request.is_dry_run()));
    told.collect()
}

/// The server's own answer is compared, and nothing more is asked for it: these are the numbers of
/// requests without the comparison.
#[test]
fn comparing_the_answer_costs_no_request() {
    let repo = Repo::new("answered-cost", sandbox::bare());
    // The core group is not asked for again where no other test has added a kind meanwhile: one less for
    // each plan, of which there may be two. The record of a round takes two, and the first asks who it is.
    for (value, requests, writes) in [("1", 16, 1), ("2", 19, 1), ("2", 16, 0)] {
        let since = sandbox::bare().audit_log.count();
        repo.write_config("a", value).commit(value);
        let applied = repo.run(&["apply", "-o", "json"]).exits(0);
        let answer: Value = serde_json::from_str(&applied.stdout).unwrap();
        let count = answer["requests"].as_u64().unwrap();
        assert!((requests - 2..=requests).contains(&count), "{value}: {count}");
        let mut asked = asked(repo.namespace(), since);
        let last = asked.split_off(asked.len() - writes);
        assert_eq!(last, vec![("patch".to_owned(), "a".to_owned(), true); writes], "{value}");
        assert!(asked.iter().all(|(_, _, is_real)| !is_real), "{asked:?}");
    }
}

/// Nobody can be asked about what goes to a namespace that is not there yet. What the server writes
/// down otherwise than it is declared, or fills in, is no reason to ask afterwards.
const NEW: &str = "apiVersion: v1
kind: Namespace
metadata: {name: answered-inner}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: answered-inner, creationTimestamp: null}
spec:
  selector: {matchLabels: {app: web}}
  strategy: {rollingUpdate: {maxSurge: 25%, maxUnavailable: 1}}
  template:
    metadata: {labels: {app: web}, creationTimestamp: null}
    spec:
      securityContext: {}
      nodeSelector: {}
      tolerations: [{key: a, operator: Exists}]
      containers:
      - name: web
        image: registry.example/web:1
        ports: [{containerPort: 80}, {containerPort: 80, protocol: UDP}]
        env:
        - {name: EMPTY, value: ''}
        - {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
        - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
        resources: {limits: {cpu: 1000m, memory: 0.5Gi}, requests: {cpu: 0.1, memory: 1e6}}
        livenessProbe: {httpGet: {port: 80, path: /}}
      volumes:
      - {name: tmp, emptyDir: {sizeLimit: 1024Mi}}
      - {name: key, secret: {secretName: key, defaultMode: 0440}}
---
apiVersion: v1
kind: Secret
metadata: {name: key, namespace: answered-inner}
stringData: {text: plain}
data:
  wrapped: |
    YWJj
    ZGVm
---
apiVersion: v1
kind: Service
metadata: {name: node, namespace: answered-inner}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 80, nodePort: 0}]}
---
apiVersion: v1
kind: Service
metadata: {name: balanced, namespace: answered-inner}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{name: a, port: 80, targetPort: web}]}
---
apiVersion: v1
kind: Service
metadata: {name: headless, namespace: answered-inner}
spec: {clusterIP: None, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: once, namespace: answered-inner}
spec:
  backoffLimit: 0
  template:
    spec: {restartPolicy: Never, containers: [{name: a, image: registry.example/a:1, resources: {}}]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: disk, namespace: answered-inner}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1024Mi}}}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: most, namespace: answered-inner}
spec: {hard: {requests.cpu: 2000m, pods: 10}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web, namespace: answered-inner}
spec: {minAvailable: 50%, selector: {matchLabels: {app: web}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: view, namespace: answered-inner}
roleRef: {kind: ClusterRole, name: view, apiGroup: rbac.authorization.k8s.io}
subjects: [{kind: ServiceAccount, name: default}, {kind: User, name: anna}]
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: answered-inner}
spec:
  maxReplicas: 5
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: texts, namespace: answered-inner, annotations: {}}
data: {cpu: 1000m, number: '1.0', none: ''}
";

#[test]
fn normalised_and_defaulted_values_are_as_planned() {
    let repo = Repo::new("answered-new", sandbox::bare());
    repo.write("all.yaml", NEW).commit("New");
    let since = sandbox::bare().audit_log.count();
    let applied = repo.run(&["apply"]).exits(0);
    assert!(!applied.stdout.contains(WORD), "{applied}");
    let dry: Vec<_> = asked("answered-inner", since).into_iter().filter(|it| !it.2).collect();
    // Only the server can say that a port which is declared as none may be any.
    assert_eq!(dry, [("patch".to_owned(), "node".to_owned(), false)]);
    repo.run(&["diff"]).exits(0);
    // What is there is changed, with the server's own word for all of it.
    let other = NEW.replace("web:1", "web:2").replace("1000m, memory", "1500m, memory");
    repo.write("all.yaml", other.replace("nodePort: 0", "nodePort: 0, name: web"));
    let applied = repo.commit("Other").run(&["apply"]).exits(0);
    assert!(!applied.stdout.contains(WORD), "{applied}");
    repo.run(&["diff"]).exits(0);
}

#[test]
fn injected_fields_are_as_planned() {
    let repo = Repo::new("answered-injected", sandbox::bare());
    let containers = "/spec/template/spec/containers/-";
    let inject = format!(
        "[JSONPatch{{op: 'add', path: '{containers}', value: \
            Object.spec.template.spec.containers{{name: 'side', image: 'side:1'}}}}, \
          JSONPatch{{op: 'add', path: '/spec/template/metadata/labels/injected', value: 'yes'}}, \
          JSONPatch{{op: 'add', path: '/metadata/labels/injected', value: 'yes'}}]"
    );
    let when = "object.metadata.name == 'web' && object.spec.template.spec.containers.size() == 1";
    let policy = Policy::real(&repo, when, &inject);
    repo.write("web.yaml", WEB).commit("First").run(&["apply"]).exits(0);
    let two = WEB.replace("web:1.4.0", "web:1.5.0");
    repo.write("web.yaml", two).commit("Two").run(&["apply"]).exits(0);
    let web = live(&repo, "deployment", "web");
    assert_eq!(web["metadata"]["labels"]["injected"], "yes");
    assert_eq!(web["spec"]["template"]["spec"]["containers"].as_array().unwrap().len(), 2);
    repo.run(&["diff"]).exits(0);
    policy.stop();
}

#[test]
fn ignored_field_may_be_changed_by_admission() {
    let repo = Repo::new("answered-ignored", sandbox::bare());
    let rules = "targets:\n  all:\n    paths: [web]\n    ignore: [{kind: Deployment, paths: [/spec/replicas]}]\n";
    let one = "[JSONPatch{op: 'replace', path: '/spec/replicas', value: 1}]";
    let policy = Policy::real(&repo, "object.metadata.name == 'web'", one);
    repo.write("trueup.yaml", rules).write("web/web.yaml", WEB).commit("First");
    repo.run(&["apply", "--yes"]).exits(0);
    repo.write("web/web.yaml", WEB.replace("1.4.0", "1.5.0")).commit("Two");
    repo.run(&["apply", "--yes"]).exits(0);
    policy.stop();
}

/// An autoscaler, or a person, who is there between the plan and the write.
#[test]
fn concurrent_write_of_another_manager_is_not_a_deviation() {
    let repo = Repo::new("answered-scaled", sandbox::bare());
    let free = WEB
        .replace("  replicas: 2\n", "")
        .replace("  name: web\nspec", "  name: web\n  annotations: {note: ours}\nspec");
    repo.write("web.yaml", &free).commit("First").run(&["apply"]).exits(0);
    for (replicas, message) in [("7", "Free"), ("8", "Declared")] {
        let image = WEB.replace("1.4.0", &format!("1.{replicas}.0"));
        let next = if message == "Free" { image.replace("  replicas: 2\n", "") } else { image };
        repo.write("web.yaml", next).commit(message);
        let (namespace, is_done) = (repo.namespace().to_owned(), AtomicBool::new(false));
        let between = Between::start(sandbox::bare(), move |line| {
            if is_write(line, "/deployments/web") && !is_done.swap(true, Ordering::SeqCst) {
                let kubectl = |args: &[&str]| {
                    let of = ["-n", &namespace];
                    sandbox::bare().kubectl(of.iter().chain(args)).exits(0);
                };
                kubectl(&["scale", "deployment", "web", "--replicas", replicas]);
                // What was to go is somebody else's now.
                kubectl(&["annotate", "deployment", "web", "--overwrite", "note=theirs"]);
            }
        });
        let applied = repo.trueup(&["apply"]).env("KUBECONFIG", between.kubeconfig()).run();
        let applied = applied.exits(0);
        assert!(!applied.stdout.contains(WORD), "{applied}");
        let web = live(&repo, "deployment", "web");
        let wanted = if message == "Free" { 7 } else { 2 };
        assert_eq!(web["spec"]["replicas"], wanted, "{message}");
        assert_eq!(web["metadata"]["annotations"]["note"], "theirs");
    }
}
