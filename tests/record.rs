//! The record of how rounds end: in the cluster, on this machine, and as an Event.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::LazyLock;

use http::Method;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use trueup::cluster::{Access, Append, Cluster};
use trueup::core::history::{
    BYTES, COUNT, Cause, RunOutcome, RunRecord, Summary, history_name, record_id,
};
use trueup::core::inventory::Inventory;
use trueup::local::history_log::HistoryLog;
use trueup::local::open_records::OpenRecords;
use trueup::local::state_store::StateStore;

use crate::support::command::{Cmd, Output};
use crate::support::eventually::eventually;
use crate::support::objects::WEB;
use crate::support::repo::Repo;
use crate::support::sandbox::{self, Plane};
use crate::support::watching::Watching;

/// A repository whose runs have folders of their own for state and cache.
struct Recorded {
    repo: Repo<'static>,
}

impl Recorded {
    fn new(name: &str, plane: &'static Plane) -> Self {
        Self { repo: Repo::new(name, plane) }
    }

    fn trueup(&self, args: &[&str]) -> Cmd {
        let folder = |name: &str| self.repo.outside().join(name);
        let cmd = self.repo.trueup(args).env("XDG_STATE_HOME", folder("state"));
        cmd.env("XDG_CACHE_HOME", folder("cache")).env("USER", "ann")
    }

    #[track_caller]
    fn run(&self, args: &[&str]) -> Output {
        self.trueup(args).run()
    }

    fn log_folder(&self) -> PathBuf {
        self.repo.outside().join("state/trueup/history")
    }

    fn log(&self) -> Vec<RunRecord> {
        let log = HistoryLog::new(self.log_folder());
        assert_eq!(log.verify().unwrap().faults, []);
        log.records().unwrap()
    }

    fn inventory(&self) -> Inventory {
        Inventory { name: self.repo.parent(), namespace: self.repo.namespace().to_owned() }
    }

    /// The records that the cluster has.
    fn history(&self) -> Vec<RunRecord> {
        let cluster = cluster(self.repo.plane(), None);
        runtime().block_on(cluster.history(&self.inventory())).unwrap()
    }

    fn summaries(&self) -> Vec<Summary> {
        let cluster = cluster(self.repo.plane(), None);
        let inventory = self.inventory();
        let found = runtime().block_on(cluster.summaries(&[&inventory])).unwrap();
        assert_eq!(cluster.requests(), 1, "one LIST");
        found.get(&inventory.id()).cloned().unwrap_or_default()
    }

    /// The outcomes that both have.
    #[track_caller]
    fn outcomes(&self) -> Vec<RunOutcome> {
        let (history, log) = (self.history(), self.log());
        assert_eq!(history, log, "cluster and machine agree");
        let ids: Vec<String> = self.summaries().into_iter().map(|it| it.id).collect();
        assert_eq!(ids, history.iter().map(|it| it.id.clone()).collect::<Vec<_>>());
        history.iter().map(|it| it.outcome).collect()
    }

    /// How many requests a run sends, as its last line says.
    #[track_caller]
    fn requests(&self, args: &[&str]) -> usize {
        let output = self.run(args).exits(0);
        let last = output.stdout.lines().last().unwrap_or_default();
        let words: Vec<&str> = last.split(' ').collect();
        let at = words.iter().position(|word| word.starts_with("request"));
        words[at.unwrap_or_else(|| panic!("{output}")) - 1].parse().unwrap()
    }

    /// The Events of its inventory, as reason and message.
    fn events(&self) -> Vec<(String, String)> {
        let path = format!("/api/v1/namespaces/{}/events", self.repo.namespace());
        let events = self.repo.plane().api().get(&path).unwrap();
        let events = events["items"].as_array().unwrap().iter();
        let ours = events.filter(|it| it["source"]["component"] == "trueup");
        let text = |it: &Value, key: &str| it[key].as_str().unwrap().to_owned();
        ours.map(|it| (text(it, "reason"), text(it, "message"))).collect()
    }

    /// Lets a user do with its namespace what these rules allow, beside reading everything.
    fn allow(&self, user: &str, rules: &Value) {
        let namespace = self.repo.namespace();
        let name = format!("{namespace}-{user}");
        let subjects = json!([{ "kind": "User", "name": user, "apiGroup": RBAC }]);
        let api = self.repo.plane().api();
        let to = |kind: &str, name: &str| json!({ "kind": kind, "name": name, "apiGroup": RBAC });
        let meta = json!({ "name": name });
        let read =
            json!({ "verbs": ["get", "list", "watch"], "apiGroups": ["*"], "resources": ["*"] });
        for (path, object) in [
            ("clusterroles", json!({ "metadata": meta, "rules": [read] })),
            (
                "clusterrolebindings",
                json!({ "metadata": meta, "subjects": subjects, "roleRef": to("ClusterRole", &name) }),
            ),
        ] {
            drop(api.create(&format!("/apis/{RBAC}/v1/{path}"), &object));
        }
        let path = |kind: &str| format!("/apis/{RBAC}/v1/namespaces/{namespace}/{kind}");
        let _ = api.send(Method::DELETE, &format!("{}/{user}", path("roles")), "", None);
        let meta = json!({ "name": user });
        api.create(&path("roles"), &json!({ "metadata": meta, "rules": rules })).unwrap();
        let binding =
            json!({ "metadata": meta, "subjects": subjects, "roleRef": to("Role", user) });
        drop(api.create(&path("rolebindings"), &binding));
    }
}

const RBAC: &str = "rbac.authorization.k8s.io";

/// Where the connections of these tests live.
fn runtime() -> &'static Runtime {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().build().unwrap()
    });
    &RUNTIME
}

fn cluster(plane: &Plane, memory: Option<PathBuf>) -> Cluster {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let memory = memory.map(StateStore::new).unwrap_or_default();
    let kubeconfig = Some(plane.kubeconfig.clone());
    let access = Access { kubeconfig, concurrency: 4, memory, ..Access::default() };
    let _inside = runtime().enter();
    Cluster::prepared(&access).unwrap()
}

#[test]
fn a_round_that_changes_something_is_recorded_and_one_that_does_not_is_not() {
    let it = Recorded::new("record-all", sandbox::bare());
    it.repo.write_config("one", "canary-value-1").write("web.yaml", WEB).commit("First of all");
    it.run(&["apply"]).exits(0);
    it.repo.write("web.yaml", WEB.replace("image: ", "image: other/")).commit("Another image");
    it.run(&["apply"]).exits(0);
    it.run(&["apply"]).exits(0);
    assert_eq!(it.outcomes(), [RunOutcome::Applied; 2]);
    let log = it.log();
    let [first, second] = log.as_slice() else { panic!("{log:?}") };
    assert_eq!((first.cause, first.changed, &first.before), (Cause::Deployment, 2, &None));
    assert_eq!(first.commit.subject, "First of all");
    assert_eq!((&*first.by.login, &*first.by.verb), ("ann", "apply"));
    assert!(first.by.user.is_some(), "the server knows who it was");
    assert!(first.cluster.uid.is_some());
    assert_eq!(first.counts.get("create"), Some(&2));
    assert!(first.objects.iter().all(|it| it.outcome == "done"), "{first:?}");
    assert!(first.objects.iter().any(|it| it.origin.as_deref() == Some("web.yaml:1")));
    assert_eq!(second.before, Some(first.commit.id.clone()));
    let [image] = second.images.as_slice() else { panic!("{second:?}") };
    let after = image.after.clone().unwrap();
    assert_eq!(after, format!("other/{}", image.before.clone().unwrap()));
    let text = serde_json::to_string(&it.log()).unwrap();
    assert!(!text.contains("canary"), "no value of an object");
    assert!(first.ended >= first.started && first.phases.survey > 0.0);
}

#[test]
fn a_record_costs_two_requests() {
    let it = Recorded::new("record-cost", sandbox::bare());
    it.repo.write_config("one", "1").commit("One");
    it.run(&["apply"]).exits(0);
    let round = |value: &str| {
        it.repo.write_config("one", value).commit(value);
        it.requests(&["apply"])
    };
    // The first of them asks for what later ones remember.
    round("2");
    let recorded = round("3");
    let audit = &it.repo.plane().audit_log;
    let seen = audit.count();
    let again = round("4");
    assert_eq!(again, recorded);
    let of_record: Vec<String> = audit
        .requests_after(seen)
        .iter()
        .filter(|request| request.is_ours() && request.namespace() == it.repo.namespace())
        .filter(|request| request.name().ends_with(".history") || request.resource() == "events")
        .map(|request| format!("{} {}", request.verb, request.resource()))
        .collect();
    let mut sorted = of_record.clone();
    sorted.sort();
    assert_eq!(sorted, ["create events", "patch configmaps"]);
    let is_who = |request: &crate::support::audit_log::Request| {
        request.is_ours() && request.resource() == "selfsubjectreviews"
    };
    let reviews = audit.count_of(is_who);
    let seen = audit.count();
    it.run(&["apply"]).exits(0);
    let idle = audit.requests_after(seen);
    let is_its = |request: &&std::sync::Arc<crate::support::audit_log::Request>| {
        request.namespace() == it.repo.namespace() && request.is_write()
    };
    assert_eq!(idle.iter().filter(is_its).count(), 0, "none for a round that changes nothing");
    assert!(reviews > 0);
}

#[test]
fn drift_is_recorded_as_that() {
    let it = Recorded::new("record-drift", sandbox::bare());
    it.repo.write_config("one", "1").commit("One");
    it.run(&["apply"]).exits(0);
    it.repo.delete_config_map("one");
    it.run(&["watch", "--once", "--no-pull"]).exits(0);
    let log = it.log();
    assert_eq!(
        log.iter().map(|it| it.cause).collect::<Vec<_>>(),
        [Cause::Deployment, Cause::Drift]
    );
    assert_eq!(log[1].by.verb, "watch");
    assert_eq!(it.outcomes().len(), 2);
}

/// A ConfigMap that the server refuses.
const REFUSED: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Not-A-Name}\n";

#[test]
fn failed_and_refused_rounds_say_why() {
    let it = Recorded::new("record-refused", sandbox::bare());
    it.repo.write("one.yaml", REFUSED).commit("Refused by the server");
    it.run(&["apply"]).exits(1);
    it.repo.write("one.yaml", "kind: [").commit("Not YAML");
    it.run(&["apply"]).exits(2);
    it.repo.write_config("one", "1").commit("Good");
    it.run(&["apply"]).exits(0);
    let log = it.log();
    let outcomes: Vec<RunOutcome> = log.iter().map(|it| it.outcome).collect();
    assert_eq!(outcomes, [RunOutcome::Refused, RunOutcome::Refused, RunOutcome::Applied]);
    let why = |at: usize| log[at].reason.clone().unwrap_or_default();
    assert!(why(0).contains("Not-A-Name") && why(0).contains("one.yaml:1"), "{}", why(0));
    assert!(why(1).contains("one.yaml:1"), "{}", why(1));
    assert_eq!(log[0].changed, 0);
    assert_eq!(it.outcomes().len(), 3, "the cluster has them, too");
    let reasons: Vec<String> = it.events().into_iter().map(|(reason, _)| reason).collect();
    assert!(reasons.contains(&"Refused".to_owned()), "{reasons:?}");
}

#[test]
fn a_rollback_is_recorded_and_seen_by_kubectl_describe() {
    let it = Recorded::new("record-back", sandbox::with_controllers());
    let args = ["apply", "--on-failure", "rollback", "--timeout", "20s"];
    it.repo.write("web.yaml", WEB).commit("Good");
    it.run(&args).exits(0);
    let spec = "spec:\n      schedulerName: none\n      containers";
    let bad = WEB.replace("spec:\n      containers", spec);
    let bad = bad.replace("replicas: 2", "replicas: 3\n  progressDeadlineSeconds: 1");
    it.repo.write("web.yaml", bad).commit("Never ready");
    it.run(&args).exits(1);
    assert_eq!(it.outcomes(), [RunOutcome::Healthy, RunOutcome::RolledBack]);
    let log = it.log();
    let rollback = log[1].rollback.clone().unwrap();
    assert_eq!((rollback.to, &*rollback.outcome), (Some(log[0].commit.id.clone()), "healthy"));
    assert!(log[1].reason.as_deref().is_some_and(|why| why.contains("web")), "{:?}", log[1]);
    assert_eq!(log[0].health.as_ref().map(|it| (it.ready, it.failed)), Some((1, 0)));
    let described = it.repo.kubectl(&["describe", "configmap", &it.repo.parent()]).exits(0).stdout;
    let line = described.lines().find(|line| line.contains("RolledBack"));
    let line = line.unwrap_or_else(|| panic!("{described}"));
    assert!(line.contains("Warning") && line.contains("trueup"), "{line}");
    assert!(line.contains("Never ready") && line.contains("back to"), "{line}");
    assert!(described.lines().any(|line| line.contains("Normal") && line.contains("Healthy")));
}

#[test]
fn a_run_that_was_killed_is_recorded_by_the_next() {
    let it = Recorded::new("record-killed", sandbox::bare());
    let many: String = (0..300)
        .map(|n| format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: o{n}}}\n"))
        .collect();
    it.repo.write("all.yaml", many).commit("Many");
    let mut apply = it.trueup(&["apply", "--concurrency", "1"]).into_inner();
    let mut apply = apply.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    eventually("an object is made", || it.repo.config_map("o0").is_some());
    apply.kill().unwrap();
    apply.wait().unwrap();
    assert_eq!(it.log(), []);
    it.repo.kubectl(&["delete", "lease", &it.repo.parent(), "--ignore-not-found"]).exits(0);
    it.run(&["apply"]).exits(0);
    assert_eq!(it.outcomes(), [RunOutcome::Killed, RunOutcome::Applied]);
    let log = it.log();
    assert_eq!(log[0].commit, log[1].commit);
    assert!(log[0].objects.iter().all(|it| it.outcome == "unknown"));
    it.run(&["apply"]).exits(0);
    assert_eq!(it.log().len(), 2, "once");
    assert_eq!(it.log_folder().join("open").read_dir().unwrap().count(), 0);
}

#[test]
fn a_killed_run_is_recorded_though_the_target_is_in_sync() {
    let it = Recorded::new("record-killed-sync", sandbox::bare());
    it.repo.write("a.yaml", config("one")).commit("One");
    it.run(&["apply"]).exits(0);
    it.run(&["apply"]).exits(0);
    let last = it.log().pop().unwrap();
    for verb in [&["apply", "--yes"][..], &["watch", "--once"]] {
        let killed = RunRecord { id: record_id(jiff::Timestamp::now(), 7), ..last.clone() };
        let open = OpenRecords::new(it.log_folder().join("open"));
        drop(open.open(&killed, true).unwrap());
        let told = it.run(verb).exits(0);
        // A full round also says that all is well again.
        let log = it.log();
        let kept = log.iter().find(|record| record.id == killed.id);
        assert_eq!(kept.map(|it| it.outcome), Some(RunOutcome::Killed), "{verb:?}: {told}");
        assert_eq!(it.log_folder().join("open").read_dir().unwrap().count(), 0);
    }
    let told = it.run(&["history"]).exits(0);
    assert!(told.stdout.contains("One · ? · "), "{told}");
}

#[test]
fn a_forbidden_event_is_told_once_and_a_forbidden_record_goes_with_the_next() {
    let it = Recorded::new("record-forbidden", sandbox::bare());
    it.repo.write_config("one", "1").commit("One");
    it.run(&["apply"]).exits(0);
    let user = "record-user";
    let all = ["create", "patch", "update", "delete"];
    let leases =
        json!({ "verbs": all, "apiGroups": ["coordination.k8s.io"], "resources": ["leases"] });
    let named = json!({
        "verbs": ["create", "patch", "update", "delete"], "apiGroups": [""],
        "resources": ["configmaps"], "resourceNames": [it.repo.parent(), "one"],
    });
    it.allow(user, &json!([leases.clone(), named]));
    let apply = |value: &str| {
        it.repo.write_config("one", value).commit(value);
        eventually("the rights are known", || {
            let args = ["auth", "can-i", "patch", "configmap/one", "--as", user];
            it.repo.kubectl(&args).status == Some(0)
        });
        it.run(&["apply", "--as", user]).exits(0)
    };
    let told = apply("2").stderr;
    assert!(told.contains("warning: cannot record this run in the cluster"), "{told}");
    assert!(told.contains("no right to create Events in namespace record-forbidden"), "{told}");
    let told = apply("3").stderr;
    assert!(told.contains("cannot record this run") && !told.contains("Events"), "{told}");
    assert_eq!((it.log().len(), it.history().len()), (3, 1));
    let maps = json!({ "verbs": all, "apiGroups": [""], "resources": ["configmaps"] });
    it.allow(user, &json!([leases, maps]));
    eventually("the rights are known", || {
        let args = ["auth", "can-i", "patch", "configmap/other", "--as", user];
        it.repo.kubectl(&args).status == Some(0)
    });
    let told = apply("4").stderr;
    assert!(!told.contains("record this run"), "{told}");
    assert_eq!(it.outcomes(), [RunOutcome::Applied; 4]);
    assert_eq!(it.events().len(), 1, "of the first run");
}

#[test]
fn another_object_by_the_historys_name_is_left_alone() {
    let it = Recorded::new("record-foreign", sandbox::bare());
    let name = history_name(&it.inventory());
    let yaml =
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{a: b}}\n");
    it.repo.plane().create(it.repo.namespace(), &yaml);
    let before = it.repo.config_map(&name).unwrap();
    for value in ["1", "2"] {
        it.repo.write_config("one", value).commit(value);
        let told = it.run(&["apply"]).exits(0).stderr;
        assert!(told.contains("is not the history of this inventory"), "{told}");
    }
    assert_eq!(it.repo.config_map(&name).unwrap(), before);
    assert_eq!(it.log().len(), 2);
}

#[test]
fn a_folder_that_cannot_be_written_is_told_and_fails_nothing() {
    let it = Recorded::new("record-disk", sandbox::bare());
    it.repo.write("../state/trueup/history", "a file in the way").write_config("one", "1");
    it.repo.commit("One");
    let told = it.run(&["apply"]).exits(0).stderr;
    assert!(told.contains("warning: cannot record this run in "), "{told}");
    assert_eq!(it.history().len(), 1);
}

#[test]
fn a_target_that_is_taken_down_takes_its_history_along() {
    let it = Recorded::new("record-removed", sandbox::bare());
    it.repo.write("trueup.yaml", "targets:\n  a: {paths: [a]}\n  b: {paths: [b]}\n");
    it.repo.write("a/a.yaml", config("a")).write("b/b.yaml", config("b")).commit("Both");
    it.run(&["apply", "--all-targets", "--yes"]).exits(0);
    it.repo.write("trueup.yaml", "targets:\n  a: {paths: [a]}\n").remove("b/b.yaml");
    it.repo.commit("Without b");
    it.run(&["apply", "--removed", "b", "--yes", "--allow-delete", "ConfigMap"]).exits(0);
    let all = it.repo.list("configmap", "");
    let left: Vec<&str> =
        all.iter().map(|(name, _)| name.as_str()).filter(|name| name.contains("trueup-")).collect();
    assert_eq!(left, ["configmap/trueup-a", "configmap/trueup-a.history"]);
    let log = it.log();
    let last = log.last().unwrap();
    assert_eq!((&*last.target, last.cause), ("b", Cause::Removal));
}

fn config(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n")
}

#[test]
fn a_sandbox_of_the_runs_own_leaves_no_record() {
    let it = Recorded::new("record-own", sandbox::bare());
    it.repo.write_config("one", "1").commit("One");
    // With the cache of all, which has the programs.
    let state = it.repo.outside().join("state");
    it.repo
        .trueup(&["apply", "--sandbox", "--namespace", "default"])
        .env("XDG_STATE_HOME", state)
        .run()
        .exits(0);
    assert!(!it.log_folder().exists());
}

/// A record that takes as much room as records do.
fn record(inventory: &Inventory, number: u32, padding: usize) -> RunRecord {
    let started = jiff::Timestamp::from_second(1_700_000_000 + i64::from(number) * 60).unwrap();
    // What can't be compressed: digests of numbers.
    let text: String = (0..padding)
        .map(|at| {
            format!(
                "{:016x}",
                (u64::from(number) << 32 | at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
            )
        })
        .collect();
    let record = json!({
        "id": record_id(started, number), "target": "prod", "inventory": inventory,
        "repository": "f".repeat(40), "cluster": { "context": "c", "server": "s" },
        "commit": {
            "id": format!("{number:040x}"), "ref": "main", "subject": "s".repeat(80),
            "author": "Ann", "time": started,
        },
        "cause": "deployment",
        "by": { "login": "ann", "host": "h".repeat(60), "version": "0.1.0", "verb": "apply" },
        "started": started, "ended": started,
        "phases": { "survey": 0.1, "lock": 0.1, "apply": 0.1, "wait": 0.1, "rollback": 0.0 },
        "plan": text, "counts": { "create": 1 }, "objects": [], "images": [],
        "outcome": "applied", "changed": 1, "requests": 20,
    });
    serde_json::from_value(record).unwrap()
}

#[test]
fn a_history_stays_within_its_bounds_and_two_writers_lose_nothing() {
    let plane = sandbox::bare();
    let inventory =
        Inventory { name: "trueup-bounds".to_owned(), namespace: plane.namespace("record-bounds") };
    let folder = tempfile::tempdir().unwrap();
    let append = |cluster: &Cluster, number: u32, padding: usize, is_new: bool| {
        let records = [record(&inventory, number, padding)];
        let append = Append { inventory: &inventory, records: &records, is_new };
        let before = cluster.requests();
        let kept = runtime().block_on(cluster.append_history(append)).unwrap();
        (kept, cluster.requests() - before)
    };
    let memory = cluster(plane, Some(folder.path().join("one")));
    for number in 0..210 {
        let (kept, requests) = append(&memory, number, 1, number == 0);
        assert_eq!(requests, 1, "append {number}");
        assert!(
            kept.len() <= COUNT && kept.last().unwrap().commit.ends_with(&format!("{number:x}"))
        );
    }
    let path = format!(
        "/api/v1/namespaces/{}/configmaps/{}",
        inventory.namespace,
        history_name(&inventory)
    );
    let object = plane.api().get(&path).unwrap();
    // Far below what the API server takes: 1 MiB, and 256 KiB of annotations.
    let annotations = object["metadata"]["annotations"].to_string().len();
    let all = object.to_string().len();
    assert!(annotations < 160 << 10 && all < 700 << 10, "{annotations} of {all} bytes");
    assert_eq!(object["binaryData"].as_object().unwrap().len(), COUNT);
    assert_eq!(object["metadata"]["annotations"].as_object().unwrap().len(), COUNT);
    // Two machines, of which neither sees what the other does.
    let others = [cluster(plane, Some(folder.path().join("two"))), cluster(plane, None)];
    for number in 210..280 {
        append(&others[number as usize % 2], number, 1, false);
    }
    let records = runtime().block_on(memory.history(&inventory)).unwrap();
    assert!((COUNT..=COUNT + 32).contains(&records.len()), "{}", records.len());
    let newest: Vec<String> = (260..280).map(|number| format!("{number:040x}")).collect();
    let last = &records[records.len() - 20..];
    assert_eq!(last.iter().map(|it| it.commit.id.clone()).collect::<Vec<_>>(), newest);
    // Large ones are fewer.
    for number in 280..340 {
        append(&memory, number, 900, false);
    }
    let kept = append(&memory, 340, 1, false).0;
    let bytes: usize = kept.iter().map(|it| it.bytes).sum();
    assert!(bytes <= BYTES && bytes > BYTES / 2, "{bytes}");
    // One that is sent twice is there once.
    assert_eq!(append(&memory, 340, 1, false).0, kept);
    // It was deleted and made again meanwhile.
    plane.api().send(Method::DELETE, &path, "", None).unwrap();
    assert_eq!(append(&memory, 341, 1, false).0.len(), 1);
    // Another machine remembers the one that is gone.
    assert_eq!(append(&others[0], 342, 1, false).0.len(), 2);
}

#[test]
fn reason_that_quotes_a_secret_is_masked_wherever_it_is_kept() {
    let canary = "reason-canary !";
    let recorded = Recorded::new("record-masked", sandbox::bare());
    recorded.repo.write_config("a", "1").commit("First");
    recorded.run(&["apply"]).exits(0);
    let secret = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{key: {canary}}}\n---\n\
         apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: b, labels: {{app: {canary}}}}}\n"
    );
    recorded.repo.write("b.yaml", secret).commit("Second");
    let refused = recorded.run(&["apply"]).exits(1);
    assert!(
        refused.stderr.contains("metadata.labels") || refused.stdout.contains("metadata.labels")
    );
    let last = recorded.history().pop().unwrap();
    let reason = last.reason.clone().unwrap_or_default();
    assert!(reason.contains("labels"), "{last:?}");
    assert_eq!(recorded.log().pop().unwrap().reason, last.reason);
    let status = recorded.run(&["status", "-o", "json"]).exits(1);
    let shown: Value = serde_json::from_str(&status.stdout).unwrap();
    assert!(shown["targets"][0]["last"]["reason"].as_str().unwrap().contains("labels"), "{status}");
    let kept = recorded.repo.kubectl(&["get", "configmap,event", "-o", "yaml"]).exits(0);
    let history = recorded.run(&["history", "-o", "json"]).exits(0);
    let log = std::fs::read_dir(recorded.log_folder()).unwrap().map(|it| it.unwrap().path());
    let log = log.filter(|path| path.is_file());
    let log: String = log.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    assert!(log.contains("labels"), "{log}");
    let all = format!("{refused}{status}{kept}{history}{log}{last:?}");
    assert!(!all.contains("reason-canary"), "{all}");
}

#[test]
fn settings_that_a_watch_can_no_longer_use_leave_a_record() {
    let it = Recorded::new("record-settings", sandbox::bare());
    let settings = "targets: {shop: {paths: [shop]}}\n";
    it.repo.write("trueup.yaml", settings).write("shop/a.yaml", config("a")).commit("Good");
    let args = ["watch", "--no-pull", "--interval", "0.2"];
    let watching = Watching::running(&it.repo, it.trueup(&args));
    watching.says("1 changed");
    it.repo.write("trueup.yaml", "targets: [\n").commit("A typo");
    watching.says("trueup.yaml:");
    eventually("it is recorded", || it.log().len() == 2);
    it.repo.write("trueup.yaml", settings).commit("Mended");
    watching.says("recovered");
    assert_eq!(watching.stop(), Some(0));
    let log = it.log();
    let refused = log.iter().filter(|it| it.outcome == RunOutcome::Refused).collect::<Vec<_>>();
    let [refused] = refused.as_slice() else { panic!("{log:#?}") };
    assert_eq!((&*refused.target, &*refused.commit.subject), ("shop", "A typo"));
    assert!(refused.reason.as_deref().unwrap().starts_with("trueup.yaml:"), "{refused:?}");
}
