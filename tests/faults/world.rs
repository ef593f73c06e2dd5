//! A world of its own for faults to happen in: a repository with two commits, the namespaces that
//! it is applied to, and objects there that are nobody's business.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Method;
use serde_json::{Value, json};

use trueup::core::history::LogProblem;
use trueup::local::history_log::HistoryLog;

use super::commits;
use crate::support::api::Api;
use crate::support::command::Cmd;
use crate::support::eventually::eventually;
use crate::support::faults::{Fault, Faulty, Run, Seen};
use crate::support::repo::Repo;
use crate::support::sandbox::Plane;

/// What the namespaces hold: each object by its path, as it is but for what every write moves.
pub type State = BTreeMap<String, String>;

/// A repository, its cluster, and somebody in between.
pub struct World {
    pub repo: Repo<'static>,
    pub name: String,
    pub plane: &'static Plane,
    pub line: Faulty,
    /// What undisturbed runs of the two commits come to.
    pub first: State,
    pub second: State,
    /// The requests of an undisturbed run of the second over the first.
    pub undisturbed: Vec<Seen>,
    api: Api,
    cache: tempfile::TempDir,
    strangers: Vec<Value>,
}

impl World {
    /// One in which the second commit is true.
    pub fn new(plane: &'static Plane) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("faults{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let repo = Repo::new(&name, plane);
        repo.write("all.yaml", commits::first(&name)).commit("First");
        repo.write("all.yaml", commits::second(&name)).commit("Second");
        plane.create(&name, STRANGERS);
        plane.create_namespace(&format!("{name}-other"));
        let mut world = Self {
            line: Faulty::start(plane),
            api: Api::new(plane),
            cache: tempfile::tempdir().unwrap(),
            first: State::new(),
            second: State::new(),
            undisturbed: Vec::new(),
            strangers: Vec::new(),
            plane,
            repo,
            name,
        };
        world.strangers = world.strangers();
        // Twice: the first time, nothing is remembered of earlier runs.
        for _ in 0..2 {
            world.undisturbed(&["apply", "--rev", "HEAD~1"]);
            world.first = world.state();
            // Lists from before, for those that are to be stale.
            world.line.keep_lists(true);
            world.undisturbed = world.undisturbed(&["apply"]);
            world.line.keep_lists(false);
            world.second = world.state();
        }
        assert_ne!(world.first, world.second);
        let both = world.first.keys().filter(|key| world.second.contains_key(*key)).count();
        assert_eq!(world.second.len() - both, 17, "how many are added");
        world
    }

    /// A trueup command in it.
    pub fn trueup(&self, args: &[&str]) -> Cmd {
        let cmd = self.repo.trueup(args).env("XDG_CACHE_HOME", self.cache.path());
        cmd.env("XDG_STATE_HOME", self.cache.path().join("state"))
    }

    /// Whether the cluster has each record that this machine has, once, but for those that wait here.
    pub fn records_agree(&self) -> Result<(), String> {
        const LAST: usize = 8;
        let folder = self.cache.path().join("state/trueup/history");
        let log = HistoryLog::new(folder.clone());
        let check = log.verify().map_err(|error| error.to_string())?;
        if check.faults.iter().any(|fault| fault.problem != LogProblem::Unreadable) {
            return Err(format!("the log is broken: {:?}", check.faults));
        }
        let waiting = folder.join("open").read_dir().into_iter().flatten().flatten();
        let waiting: Vec<String> = waiting
            .map(|file| file.file_name().to_string_lossy().trim_end_matches(".json").to_owned())
            .collect();
        let records = log.records().map_err(|error| error.to_string())?;
        let mut here: Vec<String> = records.into_iter().map(|record| record.id).collect();
        here.retain(|id| !waiting.contains(id));
        here.sort();
        let twice = here.windows(2).find(|two| two[0] == two[1]);
        if let Some(twice) = twice {
            return Err(format!("{} is there twice", twice[0]));
        }
        let history = self.api.get(&format!("{}.history", self.parent()))?;
        let there = history["binaryData"].as_object().into_iter().flatten();
        let mut there: Vec<String> = there.map(|(id, _)| id.clone()).collect();
        there.retain(|id| !waiting.contains(id));
        there.sort();
        let last = |ids: &[String]| ids[ids.len().saturating_sub(LAST)..].to_vec();
        match last(&here) == last(&there) {
            true => Ok(()),
            false => Err(format!("recorded here {:?}, there {:?}", last(&here), last(&there))),
        }
    }

    /// Runs trueup without any fault, and gives its requests.
    #[track_caller]
    pub fn undisturbed(&self, args: &[&str]) -> Vec<Seen> {
        let Run { output, seen, .. } = self.line.run(self.trueup(args), |_| None);
        output.exits(0);
        seen
    }

    /// Runs trueup with whatever goes wrong.
    pub fn disturbed(
        &self,
        args: &[&str],
        script: impl FnMut(&Seen) -> Option<Fault> + Send + 'static,
    ) -> Run {
        self.line.run(self.trueup(args), script)
    }

    /// Every object of its namespaces, members or not, and what it has outside them.
    pub fn state(&self) -> State {
        let mut state = State::new();
        for collection in self.collections() {
            // What is not defined has no objects.
            let list = self.api.get(&collection).unwrap_or_default();
            for item in list["items"].as_array().cloned().unwrap_or_default() {
                let name = item["metadata"]["name"].as_str().unwrap().to_owned();
                let is_the_servers = ["kube-root-ca.crt", "default"].contains(&name.as_str());
                // The record of rounds grows with each of them.
                let is_record = name.ends_with(".history");
                if !is_the_servers && !is_record && !name.starts_with("stranger") {
                    state.insert(format!("{collection}/{name}"), lasting(item));
                }
            }
        }
        for path in [self.side(), self.definition()] {
            if let Ok(object) = self.api.get(&path) {
                state.insert(path, lasting(object));
            }
        }
        state
    }

    /// The objects that are not as in a state, both ways of each; `None` where all are.
    pub fn difference(&self, wanted: &State) -> Option<String> {
        let now = self.state();
        let paths: BTreeSet<&String> = now.keys().chain(wanted.keys()).collect();
        let differs = paths.into_iter().filter(|path| now.get(*path) != wanted.get(*path));
        let differs: Vec<String> = differs
            .map(|path| {
                format!("{path}\n  now    {:?}\n  wanted {:?}", now.get(path), wanted.get(path))
            })
            .collect();
        (!differs.is_empty()).then(|| differs.join("\n"))
    }

    /// Whether what others have there is as it was to the last byte.
    pub fn leaves_strangers_alone(&self) -> bool {
        self.strangers() == self.strangers
    }

    /// Deletes an object, past whoever is in between; what it is can be done from any thread.
    pub fn deleting(&self) -> impl Fn(&str) + Send + 'static {
        let api = Api::new(self.plane);
        move |path| drop(api.send(Method::DELETE, path, "", None))
    }

    /// Takes the lock away from a run that was killed or could not give it back, so that nobody has
    /// to wait until it expires.
    pub fn unlock(&self) {
        let leases = format!("/apis/coordination.k8s.io/v1/namespaces/{}/leases", self.name);
        // There may be none.
        let path = format!("{leases}/trueup-{}", self.name);
        let _ = self.api.send(Method::DELETE, &path, "", None);
    }

    /// Lets a user of the world's own do everything, and gives what takes that away again.
    pub fn rights(&self) -> impl Fn() + Send + 'static {
        let api = Api::new(self.plane);
        let (user, json) = (self.user(), "application/json");
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": user},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
        });
        let bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
        // It may be there still.
        let _ = api.send(Method::POST, bindings, json, Some(&binding));
        let may = move |api: &Api, user: &str| {
            let attributes = json!({"verb": "patch", "resource": "configmaps", "namespace": "any"});
            let review = json!({
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SubjectAccessReview",
                "spec": {"user": user, "resourceAttributes": attributes},
            });
            let reviews = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
            api.send(Method::POST, reviews, json, Some(&review)).unwrap()["status"]["allowed"]
                == true
        };
        eventually("the rights are there", || may(&api, &user));
        move || {
            let path = format!("{bindings}/{user}");
            // It may be gone already.
            let _ = api.send(Method::DELETE, &path, "", None);
            eventually("the rights are gone", || !may(&api, &user));
        }
    }

    /// The name of the world's own user.
    pub fn user(&self) -> String {
        format!("{}-robot", self.name)
    }

    /// The path of the inventory's parent.
    pub fn parent(&self) -> String {
        format!("/api/v1/namespaces/{0}/configmaps/trueup-{0}", self.name)
    }

    fn strangers(&self) -> Vec<Value> {
        let of = |plural: &str| format!("/api/v1/namespaces/{}/{plural}", self.name);
        ["configmaps/stranger", "configmaps/stranger-2", "secrets/stranger"]
            .map(|path| self.api.get(&of(path)).unwrap())
            .to_vec()
    }

    fn collections(&self) -> Vec<String> {
        let Self { name, .. } = self;
        let core = |plural| format!("/api/v1/namespaces/{name}/{plural}");
        vec![
            core("configmaps"),
            core("secrets"),
            core("services"),
            core("serviceaccounts"),
            core("limitranges"),
            format!("/apis/apps/v1/namespaces/{name}/deployments"),
            format!("/apis/{name}.example/v1/namespaces/{name}/widgets"),
            format!("{}/configmaps", self.side()),
            format!("/api/v1/namespaces/{name}-other/configmaps"),
        ]
    }

    fn side(&self) -> String {
        format!("/api/v1/namespaces/{}-side", self.name)
    }

    fn definition(&self) -> String {
        let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        format!("{definitions}/widgets.{}.example", self.name)
    }
}

/// Objects of other people's: one with another inventory's label, and two without any.
const STRANGERS: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: stranger, labels: {applyset.kubernetes.io/part-of: applyset-other-v1}}
data: {key: mine}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: stranger-2}
data: {key: mine}
---
apiVersion: v1
kind: Secret
metadata: {name: stranger}
stringData: {key: mine}
";

/// An object without what every write moves, and what a server draws by lot.
fn lasting(mut object: Value) -> String {
    let metadata = object["metadata"].as_object_mut().unwrap();
    for field in ["uid", "resourceVersion", "creationTimestamp", "generation"] {
        metadata.remove(field);
    }
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.retain(|name, _| !name.ends_with("-at"));
    }
    if let Some(managers) = metadata.get_mut("managedFields").and_then(Value::as_array_mut) {
        managers.iter_mut().for_each(|manager| drop(manager["time"].take()));
        managers.sort_by_key(Value::to_string);
    }
    for field in ["clusterIP", "clusterIPs"] {
        if let Some(spec) = object["spec"].as_object_mut() {
            spec.remove(field);
        }
    }
    object.to_string()
}
