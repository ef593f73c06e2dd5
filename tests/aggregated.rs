//! Kinds of a server behind the API server, whose APIService comes with the same commit: a second
//! control plane is that server.

use std::process::Stdio;

use serde_json::Value;

use crate::support::aggregated::{Server, behind, front};
use crate::support::audit_log::Request;
use crate::support::command::{Cmd, Output};
use crate::support::eventually::eventually;
use crate::support::faults::{Fault, Faulty};
use crate::support::objects::{Definition, OPEN, WEB};
use crate::support::repo::Repo;

#[track_caller]
fn has(output: &Output, parts: &[&str]) {
    for part in parts {
        assert!(output.stdout.contains(part), "no {part:?} in\n{output}");
    }
}

/// A repository with a server, its APIService and an object of its kind `Item`.
struct Shelf {
    repo: Repo<'static>,
    server: Server,
    group: String,
}

impl Shelf {
    fn new(name: &str, answers: bool) -> Self {
        let (repo, server) = (Repo::new(name, front()), Server::start(answers));
        let group = format!("{name}.example");
        let definition = Definition::new(&group, "Item").schema(OPEN).to_string();
        behind().create_namespace(name);
        behind().create(name, &definition);
        let crd = format!("items.{group}");
        let wait = ["wait", "--for=condition=established", "crd", &crd];
        behind().kubectl(wait).exits(0);
        let (service, api_service) = server.manifests(name, &group);
        repo.write("service.yaml", service).write("api.yaml", api_service);
        let shelf = Self { repo, server, group };
        shelf.write_item("one", 1);
        shelf
    }

    /// Writes an Item with a number.
    fn write_item(&self, name: &str, number: u8) {
        let (group, namespace) = (&self.group, self.repo.namespace());
        let item = format!(
            "apiVersion: {group}/v1\nkind: Item\nmetadata:\n  name: {name}\n  namespace: {namespace}\nnumber: {number}\n"
        );
        self.repo.write(&format!("{name}.yaml"), item);
    }

    /// A field of the items that the server itself has.
    fn items(&self, field: &str) -> String {
        let path = format!("jsonpath={{.items[*].{field}}}");
        let kind = format!("items.{}", self.group);
        behind().kubectl(["get", &kind, "-n", self.repo.namespace(), "-o", &path]).exits(0).stdout
    }

    /// How many writes on its objects the two have had.
    fn writes(&self) -> usize {
        let is_write =
            |request: &Request| request.namespace() == self.repo.namespace() && request.is_write();
        self.repo.writes() + behind().audit_log.count_of(is_write)
    }

    /// What the APIService says of the server.
    fn condition(&self, field: &str) -> String {
        let path = format!("jsonpath={{.status.conditions[?(@.type=='Available')].{field}}}");
        let name = format!("v1.{}", self.group);
        self.repo.kubectl(&["get", "apiservice", &name, "-o", &path]).stdout
    }
}

#[test]
fn api_service_and_its_objects_in_one_commit() {
    let shelf = Shelf::new("aggregated-birth", true);
    let Shelf { repo, group, .. } = &shelf;
    repo.commit("All at once");
    let until = format!("as declared, until the server of its APIService v1.{group} answers");
    has(&repo.run(&["diff"]).exits(1), &[&until, "3 to create"]);
    let json = repo.run(&["diff", "-o", "json"]).exits(1).stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    let item = &json["changes"][2];
    assert_eq!((&item["object"]["kind"], &item["confidence"]), (&"Item".into(), &"local".into()));
    // Such a plan can be approved like any other.
    let plan = repo.outside().join("plan.json");
    repo.run(&["diff", "--out", plan.to_str().unwrap()]).exits(1);
    let applied = repo.run(&["apply", "--plan", plan.to_str().unwrap()]).exits(0);
    has(&applied, &["Item        aggregated-birth/one         created"]);
    assert_eq!(shelf.items("number"), "1");

    let before = shelf.writes();
    has(&repo.run(&["apply"]).exits(0), &["nothing to do"]);
    assert_eq!(shelf.writes(), before);

    let kind = format!("items.{group}");
    let patch = ["patch", &kind, "one", "--type=merge", "-p", "{\"number\": 7}"];
    behind().kubectl(["-n", repo.namespace()].into_iter().chain(patch)).exits(0);
    has(&repo.run(&["diff"]).exits(1), &["- number: 7", "+ number: 1"]);
    repo.run(&["apply"]).exits(0);
    assert_eq!(shelf.items("number"), "1");

    shelf.write_item("two", 2);
    let waited = repo.commit("One more").run(&["apply", "--wait", "--timeout", "3m"]).exits(0);
    has(&waited, &["4 objects, 1 changed, 4 ready"]);
    repo.remove("api.yaml").commit("Without its server");
    let serves = format!("it serves Item {}/one, which the commit declares", repo.namespace());
    has(&repo.run(&["apply"]).exits(1), &[&serves]);

    for file in ["service", "one", "two"] {
        repo.remove(&format!("{file}.yaml"));
    }
    repo.write_config("stays", "1").commit("All away");
    let gone = repo.run(&["apply"]).exits(0);
    let at = |what: &str| gone.stdout.find(what).unwrap_or_else(|| panic!("no {what}\n{gone}"));
    assert!(at("aggregated-birth/one ") < at("v1.aggregated-birth.example"), "{gone}");
    assert!(at("v1.aggregated-birth.example") < at("aggregated-birth/server"), "{gone}");
    assert_eq!(shelf.items("number"), "");
}

#[test]
fn unavailable_api_service_fails_its_objects_until_the_next_run() {
    let shelf = Shelf::new("aggregated-silent", false);
    let Shelf { repo, group, .. } = &shelf;
    repo.write_config("other", "1").commit("All at once");
    let (apply, item) = (["apply", "--timeout", "2s"], "Item        aggregated-silent/one ");
    let says =
        "it was not available in time: FailedDiscoveryCheck: failing or missing response from";
    let needs = format!("needs APIService v1.{group}, which");
    has(
        &repo.run(&apply).exits(1),
        &[
            &format!("! APIService  v1.{group}  failed\n    {says}"),
            &format!("? {item}        not tried\n    {needs} failed"),
            "✓ ConfigMap   aggregated-silent/other       created",
        ],
    );
    // It may be there, for all that anybody can tell.
    let silence = format!("APIService v1.{group} says FailedDiscoveryCheck: failing or missing");
    let diff = repo.run(&["diff"]).exits(1);
    has(&diff, &["1 to create", &format!("it may be there already, but can't be read: {silence}")]);
    let unlisted = format!(
        "warning: Item.{group} can't be listed, so nothing is pruned: the server behind this API group does not answer: {silence}"
    );
    assert!(diff.stderr.starts_with(&unlisted), "{diff}");
    has(&repo.run(&apply).exits(1), &[&format!("{needs} is not ready: {says}"), "0 done"]);

    // A signal is heard while it is waited for.
    let mut apply = repo.trueup(&["apply"]).into_inner();
    let apply = apply.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lease = ["get", "lease", &repo.parent(), "-o", "jsonpath={.spec.holderIdentity}"];
    let id = apply.id();
    eventually("it has begun", || repo.kubectl(&lease).stdout.contains(&format!("{id}")));
    Cmd::new("kill").args(["-INT", &id.to_string()]).run().exits(0);
    assert_eq!(apply.wait_with_output().unwrap().status.code(), Some(130));

    shelf.server.answers(true);
    has(&repo.run(&["apply"]).exits(0), &["4 objects, 1 changed"]);
    assert_eq!(shelf.items("number"), "1");
    let before = shelf.writes();
    let again = repo.run(&["apply"]).exits(0);
    has(&again, &["4 objects, nothing to do"]);
    assert_eq!((shelf.writes(), again.stderr.as_str()), (before, ""));
}

#[test]
fn kinds_of_a_new_api_service_come_from_its_discovery() {
    let shelf = Shelf::new("aggregated-kind", true);
    let Shelf { repo, group, .. } = &shelf;
    let item = |kind: &str, name: &str| {
        format!("apiVersion: {group}/v1\nkind: {kind}\nmetadata:\n  name: {name}\nnumber: 2\n")
    };
    repo.write("thing.yaml", item("Thing", "thing")).write("nowhere.yaml", item("Item", "nowhere"));
    let theirs = item("Item", "theirs");
    behind().create("aggregated-kind", &theirs);
    repo.write("theirs.yaml", theirs.replace("\nnumber", "\n  namespace: aggregated-kind\nnumber"));
    repo.commit("All at once");
    let no_thing =
        format!("the server behind APIService v1.{group} has no kind Thing in {group}/v1");
    has(
        &repo.run(&["apply"]).exits(1),
        &[
            "nowhere.yaml:3:1: metadata.namespace: objects of kind Item live in a namespace\n    \
             do this: set metadata.namespace, or run again: the server now says that the kind is \
             namespaced\n",
            &format!("thing.yaml:2:1: kind: {no_thing}\n    do this: it has Item\n"),
            "! Item        aggregated-kind/theirs      failed\n    it already exists, and trueup \
            does not manage it\n    \
             do this: run again: its server answers now, so the difference can be shown\n",
            "✓ Item        aggregated-kind/one         created",
        ],
    );
    has(
        &repo.run(&["diff"]).exits(1),
        &["Item aggregated-kind/theirs · update", "joins the inventory"],
    );
    let again = repo.run(&["apply"]).exits(1);
    has(
        &again,
        &["✓ Item  aggregated-kind/nowhere  created", &format!("thing.yaml:1:1: {no_thing}")],
    );
    repo.remove("thing.yaml").commit("No such thing");
    has(&repo.run(&["apply"]).exits(0), &["5 objects, nothing to do"]);

    // Without the APIService nobody is led to the server, which still has what it has. It goes while
    // the run waits for the lock, so that only its second look can tell.
    let named =
        item("Item", "nowhere").replace("\nnumber", "\n  namespace: aggregated-kind\nnumber");
    repo.write("nowhere.yaml", named);
    repo.remove("theirs.yaml").remove("one.yaml").commit("Less");
    let lock = format!(
        "apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {{name: {}}}\nspec: {{holderIdentity: other, leaseDurationSeconds: 300}}\n",
        repo.parent()
    );
    let lock_file = repo.outside().join("lease.yaml");
    std::fs::write(&lock_file, lock).unwrap();
    let lock_file = lock_file.to_str().unwrap();
    repo.kubectl(&["replace", "--force", "-f", lock_file]).exits(0);
    let said = repo.outside().join("said");
    let told = || std::fs::read_to_string(&said).unwrap();
    let mut second = repo.trueup(&["apply"]).into_inner();
    second.stdout(Stdio::piped()).stderr(std::fs::File::create(&said).unwrap());
    let second = second.spawn().unwrap();
    eventually("it waits for the lock", || told().contains("waits up to "));
    assert!(!told().contains("can't be listed"), "{}", told());
    let name = format!("v1.{group}");
    repo.kubectl(&["delete", "apiservice", &name]).exits(0);
    let is_listed = || repo.kubectl(&["get", "--raw", "/apis"]).exits(0).stdout.contains(group);
    eventually("discovery notices", || !is_listed());
    repo.kubectl(&["delete", "-f", lock_file]).exits(0);
    let second = second.wait_with_output().unwrap();
    let stdout = String::from_utf8_lossy(&second.stdout).into_owned();
    let again =
        Output { stdout, stderr: told(), status: second.status.code(), ..Output::default() }
            .exits(1);
    let told = format!(
        "Item.{group} can't be listed, so nothing is pruned: its APIService {name} is not there yet"
    );
    assert!(again.stderr.contains(&told), "{again}");
    has(&again, &[&format!("✓ APIService  {name}  created"), "1 kind not listed"]);
    has(&repo.run(&["apply"]).exits(0), &["✓ Item  aggregated-kind/one     deleted"]);
    assert_eq!(shelf.items("metadata.name"), "nowhere");
    repo.kubectl(&["delete", "apiservice", &name]).exits(0);
    let again = repo.run(&["apply"]).exits(0);
    has(&again, &["3 objects, 2 changed"]);
}

#[test]
fn killed_run_with_an_api_service_is_finished_by_the_next_one() {
    let shelf = Shelf::new("aggregated-killed", false);
    let Shelf { repo, .. } = &shelf;
    repo.commit("All at once");
    let run = Faulty::start(front()).run(repo.trueup(&["apply"]), |seen| {
        let is_it = seen.is_write() && seen.path.contains("/apiservices/");
        is_it.then_some(Fault::KillAfter)
    });
    assert_eq!((run.struck, run.output.status), (1, None), "{}", run.output);
    // Whose process is gone would be waited for as long as its lock is good.
    repo.kubectl(&["delete", "lease", &repo.parent()]).exits(0);
    let mut apply = repo.trueup(&["apply"]).into_inner();
    let apply = apply.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    shelf.server.answers(true);
    let finished = apply.wait_with_output().unwrap();
    let said = String::from_utf8(finished.stdout).unwrap();
    assert!(finished.status.success() && said.contains("3 objects, 1 changed"), "{said}");
    assert_eq!(shelf.items("number"), "1");
    has(&repo.run(&["apply"]).exits(0), &["nothing to do"]);
}

#[test]
fn objects_of_an_unavailable_api_service_are_unknown() {
    let shelf = Shelf::new("aggregated-gone", true);
    let Shelf { repo, group, .. } = &shelf;
    shelf.write_item("two", 2);
    repo.commit("First");
    repo.run(&["apply"]).exits(0);
    shelf.server.answers(false);
    repo.remove("two.yaml").commit("One less");
    // Nobody has noticed yet but who asks.
    let apply = ["apply", "--timeout", "2s"];
    has(&repo.run(&apply).exits(1), &["Item  aggregated-gone/one  ", "1 kind not listed"]);
    eventually("the API server has noticed", || shelf.condition("status") == "False");
    let says = format!("APIService v1.{group} says FailedDiscoveryCheck");
    let failed = repo.run(&apply).exits(1);
    has(&failed, &["? Item  aggregated-gone/one  not tried\n    needs APIService"]);
    assert!(failed.stderr.contains(&says), "{failed}");

    // Of a commit that does not bring the APIService.
    let other = Repo::new("aggregated-gone-other", front());
    let item = format!("apiVersion: {group}/v1\nkind: Item\nmetadata: {{name: a}}\n");
    other.write("item.yaml", item).write_config("stays", "1").commit("An item");
    let unknown = format!(
        "item.yaml:1:1: unknown whether the cluster has Item in {group}/v1: the server behind this API group does not answer: {says}"
    );
    has(&other.run(&["diff"]).exits(1), &[&unknown]);

    for file in ["one", "api", "service"] {
        repo.remove(&format!("{file}.yaml"));
    }
    repo.write_config("stays", "1").commit("All away");
    let kept = repo.run(&["apply"]).exits(1);
    let why = format!("keep\n    not pruned: Item.{group} could not be listed");
    has(
        &kept,
        &[&format!("APIService v1.{group} · {why}"), "1 kind not listed, 2 not pruned, 1 done"],
    );
    shelf.server.answers(true);
    eventually("it is back", || shelf.condition("status") == "True");
    assert_eq!(shelf.items("number"), "1 2");
    has(&repo.run(&["apply"]).exits(0), &["5 objects, 4 changed"]);
    assert_eq!(shelf.items("number"), "");
}

#[test]
fn another_version_of_what_a_server_has_comes_with_its_api_service() {
    let shelf = Shelf::new("aggregated-next", true);
    let Shelf { repo, group, .. } = &shelf;
    repo.commit("The first version");
    repo.run(&["apply"]).exits(0);
    let next = r#"[{"op": "copy", "from": "/spec/versions/0", "path": "/spec/versions/1"},
        {"op": "replace", "path": "/spec/versions/1/name", "value": "v2"},
        {"op": "replace", "path": "/spec/versions/1/storage", "value": false}]"#;
    let patch = ["patch", "crd", &format!("items.{group}"), "--type=json", "-p", next];
    behind().kubectl(patch).exits(0);
    let (_, first) = shelf.server.manifests(repo.namespace(), group);
    let second = first.replace("v1.", "v2.").replace("version: v1", "version: v2");
    let item = format!("apiVersion: {group}/v2\nkind: Item\nmetadata: {{name: one}}\nnumber: 3\n");
    repo.write("next.yaml", second).write("one.yaml", item).commit("The second version");
    // What is there in the first is seen, and that it lives in a namespace.
    has(&repo.run(&["diff"]).exits(1), &["Item aggregated-next/one · update", "- number: 1"]);
    has(&repo.run(&["apply"]).exits(0), &["Item        aggregated-next/one         updated"]);
    assert_eq!(shelf.items("number"), "3");
    has(&repo.run(&["apply"]).exits(0), &["nothing to do"]);
}

#[test]
fn api_service_waits_for_its_ready_pods() {
    let shelf = Shelf::new("aggregated-wait", true);
    let Shelf { repo, group, .. } = &shelf;
    repo.write("web.yaml", WEB).commit("All at once");
    let apply = ["apply", "--wait", "--timeout", "1s"];
    let needs =
        "not tried\n    needs Deployment aggregated-wait/web, which is not ready: 0 of 2 updated";
    for _ in 0..2 {
        let (service, item) =
            (format!("? APIService  v1.{group}  "), "? Item        aggregated-wait/one         ");
        has(&repo.run(&apply).exits(1), &[&(service + needs), &(item.to_owned() + needs)]);
        assert_eq!(shelf.condition("status"), "");
    }
    let ready = r#"{"status": {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2, "conditions": [{"type": "Available", "status": "True"}, {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}]}}"#;
    let patch = ["patch", "deployment", "web", "--subresource=status", "--type=merge", "-p", ready];
    repo.kubectl(&patch).exits(0);
    let apply = ["apply", "--wait", "--timeout", "3m"];
    has(&repo.run(&apply).exits(0), &["4 objects, 2 changed, 4 ready"]);

    for file in ["one", "api", "service", "web"] {
        repo.remove(&format!("{file}.yaml"));
    }
    // What is deleted is not waited for to be ready, whoever comes after it.
    let gone = repo.write_config("stays", "1").commit("All away").run(&apply).exits(0);
    has(&gone, &["5 objects, 5 changed, 1 ready"]);
    let at = |what: &str| gone.stdout.find(what).unwrap_or_else(|| panic!("no {what}\n{gone}"));
    assert!(at("✓ APIService") < at("✓ Deployment"), "{gone}");
}
