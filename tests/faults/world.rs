//! A world of its own for faults to happen in: a repository with two commits, the namespaces that
//! it is applied to, and objects there that are nobody's business.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::support::api::Api;
use crate::support::command::Cmd;
use crate::support::faults::{Fault, Faulty, Run, Seen};
use crate::support::repo::Repo;
use crate::support::sandbox::Plane;

/// Of sixty objects, the first commit has the first 45. The second takes away the first fifteen,
/// changes the next fifteen, leaves the next fifteen as they are, and adds fifteen.
const FIRST: Range<usize> = 0..45;
const SECOND: Range<usize> = 15..60;
const CHANGED: Range<usize> = 15..30;

/// What the namespaces hold: each object by its path, as it is but for what every write moves.
pub type State = BTreeMap<String, String>;

/// A repository, its cluster, and somebody in between.
pub struct World {
    pub repo: Repo<'static>,
    pub name: String,
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
        repo.write("all.yaml", commit(&name, FIRST, "a")).commit("First");
        repo.write("all.yaml", commit(&name, SECOND, "b")).commit("Second");
        plane.create(&name, STRANGERS);
        let mut world = Self {
            line: Faulty::start(plane),
            api: Api::new(plane),
            cache: tempfile::tempdir().unwrap(),
            first: State::new(),
            second: State::new(),
            undisturbed: Vec::new(),
            strangers: Vec::new(),
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
        assert_eq!(world.second.len() - both, 15, "how many are added");
        world
    }

    /// A trueup command in it.
    pub fn trueup(&self, args: &[&str]) -> Cmd {
        self.repo.trueup(args).env("XDG_CACHE_HOME", self.cache.path())
    }

    /// Runs trueup without any fault, and gives its requests.
    #[track_caller]
    pub fn undisturbed(&self, args: &[&str]) -> Vec<Seen> {
        let Run { output, seen, .. } = self.line.run(self.trueup(args), |_| None);
        let _ = output.exits(0);
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
                if !is_the_servers && !name.starts_with("stranger") {
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

    /// Whether what others have there is as it was to the last byte.
    pub fn leaves_strangers_alone(&self) -> bool {
        self.strangers() == self.strangers
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
            format!("/apis/apps/v1/namespaces/{name}/deployments"),
            format!("/apis/{name}.example/v1/namespaces/{name}/widgets"),
            format!("{}/configmaps", self.side()),
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

/// The objects of a commit as one file.
fn commit(world: &str, numbers: Range<usize>, value: &str) -> String {
    let objects = numbers.map(|n| object(world, n, if CHANGED.contains(&n) { value } else { "a" }));
    around(world, value) + &objects.collect::<String>()
}

/// What the others live in and are defined by, which is in both commits.
fn around(world: &str, value: &str) -> String {
    format!(
        "apiVersion: v1
kind: Namespace
metadata: {{name: {world}-side, labels: {{value: {value}}}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: aside, namespace: {world}-side}}
data: {{key: {value}}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: widgets.{world}.example}}
spec:
  group: {world}.example
  scope: Namespaced
  names: {{kind: Widget, plural: widgets, singular: widget}}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {{openAPIV3Schema: {{type: object, properties: {{value: {{type: string}}}}}}}}
"
    )
}

/// One of the sixty: five kinds in turn.
fn object(world: &str, n: usize, value: &str) -> String {
    let port = if value == "a" { 80 } else { 81 };
    let (api, kind, rest) = match n % 5 {
        0 => ("v1", "ConfigMap", format!("data: {{key: {value}}}")),
        1 => ("v1", "Secret", format!("stringData: {{key: {value}}}")),
        2 => ("v1", "Service", format!("spec: {{ports: [{{port: {port}}}]}}")),
        3 => (
            "apps/v1",
            "Deployment",
            format!(
                "spec: {{selector: {{matchLabels: {{app: o}}}}, template: {{metadata: {{labels: \
                 {{app: o}}}}, spec: {{containers: [{{name: o, image: 'o:{value}'}}]}}}}}}"
            ),
        ),
        _ => {
            return format!(
                "---\napiVersion: {world}.example/v1\nkind: Widget\nmetadata: {{name: o{n}}}\nvalue: {value}\n"
            );
        }
    };
    format!("---\napiVersion: {api}\nkind: {kind}\nmetadata: {{name: o{n}}}\n{rest}\n")
}
