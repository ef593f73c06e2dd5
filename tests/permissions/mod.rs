//! `trueup rbac`, on a real API server: an account with exactly the printed rights runs everything, and
//! the loss of any one of them is noticed.

mod reading;
mod replicas;

use http::Method;
use serde_json::{Value, json};

use crate::support::command::Output;
use crate::support::eventually::eventually;
use crate::support::kubelet::Kubelet;
use crate::support::objects::{Definition, OPEN, WEB, config};
use crate::support::repo::Repo;
use crate::support::sandbox;
use crate::support::watching::Watching;

const API: &str = "/apis/rbac.authorization.k8s.io/v1";
const MERGE: &str = "application/merge-patch+json";

/// One verb on one resource of a printed role.
#[derive(Clone, Debug)]
struct Right {
    /// The role's place in the list.
    role: usize,
    group: String,
    resource: String,
    verb: String,
    names: Vec<Value>,
}

/// A repository whose account has the rights that were printed for its commit.
struct Granted {
    repo: Repo<'static>,
    /// Roles and bindings.
    items: Vec<Value>,
}

fn kind(item: &Value) -> &str {
    item["kind"].as_str().unwrap()
}

fn path(item: &Value) -> String {
    let plural = format!("{}s", kind(item).to_lowercase());
    match item["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("{API}/namespaces/{namespace}/{plural}"),
        None => format!("{API}/{plural}"),
    }
}

impl Granted {
    /// Prints the rights of the target `prod` and grants them to an account.
    fn new(repo: Repo<'static>, options: &[&str]) -> Self {
        let account = format!("{}/robot", repo.namespace());
        let args = ["rbac", "prod", "--service-account", &account, "-o", "json"];
        let printed = repo.run(&[&args, options].concat()).exits(0);
        assert_eq!(printed.stderr, "", "{printed}");
        let list: Value = serde_json::from_str(&printed.stdout).unwrap();
        let items = list["items"].as_array().unwrap().clone();
        let api = repo.plane().api();
        items.iter().for_each(|item| drop(api.create(&path(item), item).unwrap()));
        repo.kubectl(&["create", "serviceaccount", "robot"]).exits(0);
        let token = repo.kubectl(&["create", "token", "robot"]).exits(0).stdout;
        let kubeconfig = std::fs::read_to_string(&repo.plane().kubeconfig).unwrap();
        let mut kubeconfig: serde_yaml::Value = serde_yaml::from_str(&kubeconfig).unwrap();
        let user: serde_yaml::Value =
            serde_yaml::from_str(&format!("{{token: {}}}", token.trim())).unwrap();
        kubeconfig["users"][0]["user"] = user;
        let kubeconfig = serde_yaml::to_string(&kubeconfig).unwrap();
        std::fs::write(repo.outside().join("robot"), kubeconfig).unwrap();
        Self { repo, items }
    }

    /// Runs trueup as the account.
    #[track_caller]
    fn run(&self, args: &[&str]) -> Output {
        let kubeconfig = self.repo.outside().join("robot");
        let args = [args, &["--target", "prod"]].concat();
        self.repo.trueup(&args).env("KUBECONFIG", kubeconfig).run()
    }

    /// Runs it without a word about rights.
    #[track_caller]
    fn good(&self, args: &[&str], status: i32) -> Output {
        let output = self.run(args).exits(status);
        let text = output.to_string();
        for wrong in ["warning", "forbidden", "can't be"] {
            assert!(!text.contains(wrong), "{wrong}: {output}");
        }
        output
    }

    /// Every right, one by one.
    fn rights(&self) -> Vec<Right> {
        let mut rights = Vec::new();
        for (role, item) in self.items.iter().enumerate() {
            for rule in item["rules"].as_array().into_iter().flatten() {
                let texts = |key: &str| -> Vec<String> {
                    let texts = rule[key].as_array().unwrap().iter();
                    texts.map(|text| text.as_str().unwrap().to_owned()).collect()
                };
                let names = rule["resourceNames"].as_array().cloned().unwrap_or_default();
                for resource in texts("resources") {
                    rights.extend(texts("verbs").into_iter().map(|verb| Right {
                        role,
                        group: texts("apiGroups")[0].clone(),
                        resource: resource.clone(),
                        verb,
                        names: names.clone(),
                    }));
                }
            }
        }
        rights
    }

    /// Writes a role, without one of its rights, and waits until that counts.
    fn grant(&self, right: &Right, is_granted: bool) {
        let item = &self.items[right.role];
        let all = self.rights();
        let is_it = |it: &&Right| {
            (&it.verb, &it.resource, &it.names) == (&right.verb, &right.resource, &right.names)
        };
        let left = all.iter().filter(|it| it.role == right.role);
        let left = left.filter(|it| is_granted || !is_it(it));
        let rules: Vec<Value> = left
            .map(|it| {
                json!({ "apiGroups": [it.group], "resources": [it.resource], "verbs": [it.verb],
                    "resourceNames": it.names })
            })
            .collect();
        let path = format!("{}/{}", path(item), item["metadata"]["name"].as_str().unwrap());
        let api = self.repo.plane().api();
        api.send(Method::PATCH, &path, MERGE, Some(&json!({ "rules": rules }))).unwrap();
        eventually(&format!("{right:?} counts"), || self.is_allowed(right) == is_granted);
    }

    fn is_allowed(&self, right: &Right) -> bool {
        let namespace = self.repo.namespace();
        let (resource, part) = right.resource.split_once('/').unwrap_or((&right.resource, ""));
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {
                "user": format!("system:serviceaccount:{namespace}:robot"),
                "groups": ["system:authenticated"],
                "resourceAttributes": {
                    "group": right.group,
                    "resource": resource,
                    "subresource": part,
                    "verb": right.verb,
                    "name": right.names.first().unwrap_or(&json!("")),
                    "namespace": self.items[right.role]["metadata"]["namespace"],
                },
            },
        });
        let api = self.repo.plane().api();
        let path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
        api.create(path, &review).unwrap()["status"]["allowed"] == true
    }

    /// What a command says while a right is missing.
    #[track_caller]
    fn without(&self, right: &Right, args: &[&str]) -> String {
        self.grant(right, false);
        let output = self.run(args).to_string();
        self.grant(right, true);
        output
    }

    /// Takes each of some rights away, and asserts that a command names it.
    fn each_is_missed(&self, rights: &[Right], args: impl Fn(&Right) -> Vec<&'static str>) {
        for right in rights {
            let said = self.without(right, &args(right));
            assert!(said.contains(&missing(right)), "nothing misses {right:?}\n{said}");
        }
    }
}

/// The API server's words.
fn missing(right: &Right) -> String {
    format!("cannot {} resource {:?}", right.verb, right.resource)
}

fn claim(name: &str, class: &str) -> String {
    format!(
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: {name}}}\nspec: {{storageClassName: {class}, accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Gi}}}}}}\n"
    )
}

/// A file and its kind's name in URLs.
const FILES: [(&str, &str); 6] = [
    ("spring.yaml", "coupons"),
    ("coupons.yaml", "customresourcedefinitions"),
    ("web.yaml", "deployments"),
    ("a.yaml", "configmaps"),
    ("job.yaml", "pods"),
    ("slow.yaml", "persistentvolumeclaims"),
];

fn file(resource: &str) -> &'static str {
    FILES.iter().find(|(_, plural)| *plural == resource).map(|(file, _)| *file).unwrap()
}

#[test]
fn an_account_with_the_printed_rights_runs_everything_and_misses_each_of_them() {
    let plane = sandbox::bare();
    let _kubelet = Kubelet::start(plane, "permissions-node", Some(vec!["no route".to_owned()]));
    let class = "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: permissions-late}\nprovisioner: none\nvolumeBindingMode: WaitForFirstConsumer\n";
    plane.create("default", class);
    let repo = Repo::new("permissions", plane);
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: job}\nspec:\n  nodeName: permissions-node\n  containers: [{name: main, image: registry.example/job:1}]\n";
    let coupons = Definition::new("permissions.example", "Coupon").version("v1", true, OPEN);
    repo.write("trueup.yaml", "targets: {prod: {paths: [.]}}\n")
        .write("coupons.yaml", coupons.to_string())
        .write("web.yaml", WEB)
        .write("a.yaml", config("a", "1"))
        .write("job.yaml", pod)
        .write("disk.yaml", claim("disk", "permissions-late"))
        .write("slow.yaml", claim("slow", "none"))
        .commit("All but the coupon");
    let coupon = "apiVersion: permissions.example/v1\nkind: Coupon\nmetadata: {name: spring}\nstatus: {conditions: [{type: Ready, status: 'False'}]}\n";
    repo.write("spring.yaml", coupon).commit("The coupon");
    let granted = Granted::new(repo, &[]);
    let mut rights = granted.rights();
    let mut take = |is_it: &dyn Fn(&Right) -> bool| -> Vec<Right> {
        let (taken, left) = std::mem::take(&mut rights).into_iter().partition(|it| is_it(it));
        rights = left;
        taken
    };
    let is_of_coupons = |right: &Right| right.resource == "coupons";
    let is_declared = |right: &Right| FILES.iter().any(|(_, plural)| *plural == right.resource);
    let is_prune = |right: &Right| {
        let name = granted.items[right.role]["metadata"]["name"].as_str().unwrap();
        name.ends_with("-prune")
    };

    // Nothing is there. What the definition brings can't be asked for before it is.
    let made = take(&|it| is_declared(it) && !is_of_coupons(it) && it.verb == "create");
    assert_eq!(made.len(), 5, "{made:?}");
    granted.good(&["diff"], 1);
    granted.each_is_missed(&made, |_| vec!["diff"]);
    granted.good(&["apply", "--no-wait", "--rev", "HEAD~1"], 0);
    let made = take(&|it| is_of_coupons(it) && it.verb == "create");
    granted.each_is_missed(&made, |_| vec!["diff"]);
    granted.good(&["apply", "--no-wait"], 0);
    granted.good(&["diff"], 0);

    // An object that is there and not of the inventory is asked for by its name.
    let read = take(&|it| is_declared(it) && it.verb == "get");
    assert_eq!(read.len(), FILES.len(), "{read:?}");
    for right in read {
        let name = match file(&right.resource).trim_end_matches(".yaml") {
            "coupons" => "coupons.permissions.example",
            name => name,
        };
        let label = ["label", &right.resource, name, "applyset.kubernetes.io/part-of-"];
        granted.repo.kubectl(&label).exits(0);
        granted.each_is_missed(&[right], |_| vec!["diff"]);
        granted.good(&["apply", "--no-wait"], 0);
    }
    let in_sync = granted.good(&["watch", "--once", "--no-pull", "--no-wait"], 0);
    assert_eq!(in_sync.stdout, "", "{in_sync}");

    let listed = take(&|it| is_declared(it) && it.verb == "list" && !is_prune(it));
    assert_eq!(listed.len(), FILES.len(), "{listed:?}");
    // The role that deletes may list the coupons of every namespace.
    let everywhere = |it: &Right| is_prune(it) && it.verb == "list";
    let everywhere = granted.rights().into_iter().find(everywhere).unwrap();
    granted.grant(&everywhere, false);
    granted.each_is_missed(&listed, |_| vec!["diff"]);
    granted.grant(&everywhere, true);
    let identity = take(&|it| it.resource == "namespaces");
    let [identity] = &identity[..] else { panic!("{identity:?}") };
    assert!(granted.good(&["diff"], 0).stdout.contains("(cluster "));
    let said = granted.without(identity, &["diff"]);
    assert!(!said.contains("(cluster "), "nothing misses {identity:?}\n{said}");

    // What differs is asked for by dry run.
    for right in take(&|it| is_declared(it) && it.verb == "patch") {
        let name = file(&right.resource);
        let before = std::fs::read_to_string(granted.repo.path().join(name)).unwrap();
        let labelled =
            before.replacen("metadata:\n  name: ", "metadata:\n  labels: {v: '2'}\n  name: ", 1);
        let labelled =
            labelled.replacen("metadata: {name: ", "metadata: {labels: {v: '2'}, name: ", 1);
        assert_ne!(labelled, before, "{name}");
        granted.repo.write(name, labelled);
        let said = granted.without(&right, &["diff", "--worktree"]);
        granted.repo.write(name, before);
        assert!(said.contains(&missing(&right)), "nothing misses {right:?}\n{said}");
    }

    // Nothing gets ready, and the evidence is looked for.
    let status = r#"{"status":{"conditions":[{"type":"Ready","status":"False"}],"containerStatuses":[{"name":"main","image":"a","imageID":"","ready":false,"restartCount":3,"state":{"waiting":{"reason":"CrashLoopBackOff"}},"lastState":{"terminated":{"exitCode":2,"reason":"Error"}}}]}}"#;
    let patch = ["patch", "pod", "job", "--subresource=status", "--type=merge", "-p", status];
    granted.repo.kubectl(&patch).exits(0);
    let wait = ["apply", "--wait", "--timeout", "1s"];
    let waited = granted.good(&wait, 1);
    assert!(waited.stdout.contains("log: no route"), "{waited}");
    let evidence = ["replicasets", "pods/log", "events", "storageclasses"];
    let is_evidence = |it: &Right| it.verb != "create" && evidence.contains(&it.resource.as_str());
    let waited_for = ["deployments", "pods", "persistentvolumeclaims", "coupons"];
    let is_awaited = |it: &Right| it.verb == "watch" && waited_for.contains(&it.resource.as_str());
    let awaited = take(&|it| is_awaited(it) || is_evidence(it));
    assert_eq!(awaited.len(), 4 + evidence.len(), "{awaited:?}");
    granted.each_is_missed(&awaited, |_| wait.to_vec());

    // An object that is touched wakes a watch.
    let woken = take(&|it| it.verb == "watch");
    assert_eq!(woken.len(), FILES.len() - waited_for.len(), "{woken:?}");
    for right in &woken {
        granted.grant(right, false);
        let kubeconfig = granted.repo.outside().join("robot");
        let args = ["watch", "--no-pull", "--no-wait", "--interval", "0.2", "--target", "prod"];
        let watch = granted.repo.trueup(&args).env("KUBECONFIG", kubeconfig);
        let watching = Watching::running(&granted.repo, watch);
        watching.says("so each round asks the cluster");
        let said = watching.said().concat();
        assert!(said.contains(&missing(right)), "nothing misses {right:?}\n{said}");
        assert_eq!(watching.stop(), Some(0));
        granted.grant(right, true);
    }

    // A round that writes needs its lock, and leaves an event.
    let of_round = take(&|it| it.resource == "leases" || it.resource == "events");
    assert_eq!(of_round.len(), 3 + 1, "{of_round:?}");
    for (number, right) in of_round.iter().enumerate() {
        if right.resource == "leases" && right.verb == "create" {
            granted.repo.kubectl(&["delete", "lease", "--all"]).exits(0);
        }
        granted.repo.write("a.yaml", config("a", &number.to_string())).commit("Another value");
        granted.each_is_missed(std::slice::from_ref(right), |_| vec!["apply", "--no-wait"]);
        // With all rights a round that writes leaves the lock's Lease again.
        granted.repo.write("a.yaml", config("a", &format!("all {number}"))).commit("All rights");
        granted.good(&["apply", "--no-wait"], 0);
    }

    // A kind after the other goes. Nothing deletes a pod or a claim for good on this server.
    let deletions = take(&is_prune);
    assert_eq!(deletions.len(), FILES.len() + 1, "{deletions:?}");
    assert!(rights.is_empty(), "no case for {rights:?}");
    let prune = ["apply", "--no-wait", "--allow-delete", "PersistentVolumeClaim"];
    for (name, resource) in FILES {
        granted.repo.remove(name).commit("Without it");
        let of_definition = |it: &&Right| name == "coupons.yaml" && it.verb == "list";
        let is_its = |it: &&Right| it.resource == resource && it.verb == "delete";
        let rights = deletions.iter().filter(|it| is_its(it) || of_definition(it));
        let rights: Vec<Right> = rights.cloned().collect();
        assert!(!rights.is_empty(), "{name}");
        granted.each_is_missed(&rights, |_| prune.to_vec());
        if ["pods", "persistentvolumeclaims"].contains(&resource) {
            granted.repo.git(&["revert", "--no-edit", "HEAD"]);
        } else {
            granted.good(&prune, 0);
        }
    }
}

#[test]
fn a_kind_that_nothing_knows_is_named_with_its_place() {
    let repo = Repo::new("permissions-kind", sandbox::bare());
    let issuer = "# who\n---\napiVersion: unheard.example/v1\nkind: Issuer\nmetadata: {name: a}\n";
    repo.write("a.yaml", issuer).commit("An issuer");
    let output = repo.run(&["rbac"]).exits(2);
    let why = "a.yaml:3:1: unknown what kind Issuer in unheard.example/v1 is called in a role";
    assert!(output.stderr.contains(why), "{output}");
    let offline = repo.trueup(&["rbac"]).env("KUBECONFIG", "/nowhere").run().exits(2);
    assert!(offline.stderr.contains(why), "{offline}");
    // The cluster knows it.
    let issuers = Definition::new("unheard.example", "Issuer").version("v1", true, OPEN);
    repo.plane().create("default", &issuers.to_string());
    eventually("it is served", || repo.run(&["rbac"]).stdout.contains("resources: [\"issuers\"]"));
}

#[test]
fn roles_of_the_commit_and_its_namespaces_are_pointed_out() {
    let repo = Repo::new("permissions-roles", sandbox::bare());
    let role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: web, namespace: other}\nrules: []\n";
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: other}\n";
    repo.write("role.yaml", role).write("other.yaml", namespace).commit("A role");
    let printed = repo.run(&["rbac"]).exits(0).stdout;
    assert!(printed.contains("#   role.yaml:1:1 Role other/web"), "{printed}");
    assert!(printed.contains("kubectl create namespace other"), "{printed}");
}
