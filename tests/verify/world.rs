//! A repository that declares copies of every kind of object, and the cluster that it is applied
//! to.

use http::Method;
use serde_json::{Value, json};

use super::drift::{self, graft};
use crate::support::api::Api;
use crate::support::random::Random;
use crate::support::repo::Repo;
use crate::support::sandbox::Plane;

/// What is declared, and where it runs.
pub struct World {
    repo: Repo<'static>,
    pub api: Api,
    pub objects: Vec<Declared>,
}

/// One object.
pub struct Declared {
    /// Its file in the repository.
    file: String,
    /// Its path in the API.
    pub path: String,
    /// As it is declared at first.
    first: Value,
    /// As it is declared now.
    pub now: Value,
}

impl World {
    /// Applied once, so that everything is as it is declared.
    pub fn new(name: &str, plane: &'static Plane, copies: usize) -> Self {
        let shapes = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/every-shape/");
        let definition = std::fs::read_to_string(format!("{shapes}definition.yaml")).unwrap();
        let repo = Repo::new(name, plane);
        // The definition is everybody's.
        let file = repo.outside().join("definition.yaml");
        std::fs::write(&file, &definition).unwrap();
        plane.kubectl(["apply", "-f", file.to_str().unwrap()]).exits(0);
        let established =
            ["wait", "--for", "condition=Established", "crd/shapes.shapes.example.com"];
        plane.kubectl(established).exits(0);

        let declared = std::fs::read_to_string(format!("{shapes}objects.yaml")).unwrap();
        repo.write("objects.yaml", declared).commit("Every shape");
        let list = repo.run(&["render", "--show-secrets", "-o", "json"]).exits(0).stdout;
        let list: Value = serde_json::from_str(&list).unwrap();
        repo.remove("objects.yaml");
        let mut objects = Vec::new();
        for copy in 0..copies {
            for object in list["items"].as_array().unwrap() {
                let mut first = object.clone();
                let object = format!("{}-{copy}", object["metadata"]["name"].as_str().unwrap());
                first["metadata"]["name"] = object.as_str().into();
                objects.push(Declared {
                    file: format!("{}-{object}.json", first["kind"].as_str().unwrap()),
                    path: path(&first, name),
                    now: first.clone(),
                    first,
                });
            }
        }
        let world = Self { repo, api: Api::new(plane), objects };
        world.commit();
        world.made_by_others();
        world.repo.run(&["apply", "--yes"]).exits(0);
        world
    }

    /// Some copies were there before: made with kubectl, which keeps a copy in an annotation, or
    /// by a tool that knows nothing of server-side apply.
    fn made_by_others(&self) {
        let mut files = Vec::new();
        for declared in &self.objects {
            let name = declared.now["metadata"]["name"].as_str().unwrap();
            if name.ends_with("-1") {
                files.extend(["-f", declared.file.as_str()]);
            } else if name.ends_with("-2") {
                let (folder, _) = declared.path.rsplit_once('/').unwrap();
                let path = format!("{folder}?fieldManager=helm");
                let json = "application/json";
                self.api.send(Method::POST, &path, json, Some(&declared.now)).unwrap();
            }
        }
        let kubectl = self.repo.kubectl_command(&["apply"]).args(files).dir(self.repo.path());
        kubectl.run().exits(0);
    }

    /// Changes a declaration; says how.
    pub fn redeclare(&mut self, at: usize, random: &mut Random) -> Option<String> {
        let declared = &mut self.objects[at];
        let before = declared.now.clone();
        match random.below(4) {
            // A field that is there already, with the value that it has.
            0 | 1 => {
                let live = self.api.get(&declared.path).ok()?;
                for _ in 0..=random.below(3) {
                    graft(&mut declared.now, &live, random);
                }
            }
            2 => drift::mutate(&mut declared.now, random),
            _ => declared.now = declared.first.clone(),
        }
        let now = &declared.now;
        (*now != before).then(|| format!("declared {}: {before} -> {now}", declared.file))
    }

    /// Commits what is declared.
    pub fn commit(&self) {
        for declared in &self.objects {
            self.repo.write(&declared.file, declared.now.to_string());
        }
        self.repo.commit("What is declared now");
    }

    /// What diff says.
    pub fn diff(&self, options: &[&str]) -> Value {
        let output = self.repo.run(&[&["diff", "-o", "json"], options].concat());
        assert!(matches!(output.status, Some(0 | 1)), "{output}");
        serde_json::from_str(&output.stdout).unwrap()
    }

    /// Applies; what the server refuses is declared and made as at first.
    pub fn make_true(&mut self) {
        let diff = self.diff(&[]);
        for change in diff["changes"].as_array().unwrap() {
            let (kind, name) = (&change["object"]["kind"], &change["object"]["name"]);
            let is_it = |declared: &&mut Declared| {
                declared.now["kind"] == *kind && declared.now["metadata"]["name"] == *name
            };
            let declared = self.objects.iter_mut().find(is_it).expect("an object of ours");
            if change["action"] == "refuse" {
                declared.now = declared.first.clone();
                let _ = self.api.send(Method::DELETE, &declared.path, "application/json", None);
                let release = json!({ "metadata": { "finalizers": null } });
                let merge = "application/merge-patch+json";
                let _ = self.api.send(Method::PATCH, &declared.path, merge, Some(&release));
            }
        }
        self.commit();
        let output = self.repo.run(&["apply", "--yes"]);
        assert!(matches!(output.status, Some(0 | 1)), "{output}");
    }

    /// The label that makes an object a member.
    pub fn id(&self) -> String {
        self.repo.applyset()
    }
}

/// Where the API has an object.
fn path(object: &Value, namespace: &str) -> String {
    let text = |pointer: &str| object.pointer(pointer).unwrap().as_str().unwrap();
    let (version, kind) = (text("/apiVersion"), text("/kind").to_lowercase());
    let root = if version.contains('/') { "apis" } else { "api" };
    let plural = match kind.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if kind.ends_with('s') => format!("{kind}es"),
        None => format!("{kind}s"),
    };
    format!("/{root}/{version}/namespaces/{namespace}/{plural}/{}", text("/metadata/name"))
}
