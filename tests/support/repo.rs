//! A git repository to apply from, with a namespace of its own so that tests can share a server.

use std::fs;
use std::path::{Path, PathBuf};

use http::Method;
use serde_json::Value;

use super::audit_log::Request;
use super::command::{Cmd, Output};
use super::objects::config;
use super::sandbox::Plane;

/// A repository and the cluster that it is applied to.
pub struct Repo<'p> {
    folder: tempfile::TempDir,
    name: String,
    plane: &'p Plane,
}

impl<'p> Repo<'p> {
    /// An empty repository whose folder, and so whose inventory, is called `name`. The namespace of
    /// that name is where its objects go; it is made by hand, so that it is never pruned.
    pub fn new(name: &str, plane: &'p Plane) -> Self {
        // Files that say whom to trust are written in many ways, and the group must not be able to change them.
        #[cfg(unix)]
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
        let repo = Self { folder: tempfile::tempdir().unwrap(), name: name.to_owned(), plane };
        fs::create_dir(repo.path()).unwrap();
        repo.git(&["init", "--quiet", "--initial-branch", "main"]);
        plane.create_namespace(name);
        repo
    }

    /// The namespace that its objects go to.
    pub fn namespace(&self) -> &str {
        &self.name
    }

    /// The cluster that it is applied to.
    pub fn plane(&self) -> &'p Plane {
        self.plane
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join(&self.name)
    }

    /// The folder around it, for what is not to be in it.
    pub fn outside(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// Writes a ConfigMap `name` with one key into `name.yaml`.
    pub fn write_config(&self, name: &str, value: &str) -> &Self {
        self.write(&format!("{name}.yaml"), config(name, value))
    }

    /// Deletes a file.
    pub fn remove(&self, path: &str) -> &Self {
        fs::remove_file(self.path().join(path)).unwrap();
        self
    }

    /// Commits everything.
    pub fn commit(&self, message: &str) -> &Self {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self
    }

    /// Runs git in it.
    #[track_caller]
    pub fn git(&self, args: &[&str]) -> Output {
        // Two tests whose first commits were equal would share what is remembered of a repository.
        let committer = format!("{}@example.com", self.name);
        let git = Cmd::new("git").env("GIT_COMMITTER_EMAIL", committer);
        git.args(args).dir(self.path()).run().exits(0)
    }

    /// A trueup command on it, its cluster and its namespace.
    pub fn trueup(&self, args: &[&str]) -> Cmd {
        Cmd::trueup()
            .dir(self.path())
            .env("KUBECONFIG", &self.plane.kubeconfig)
            .env("TRUEUP_NAMESPACE", &self.name)
            .args(args)
    }

    /// Runs a trueup command to its end.
    #[track_caller]
    pub fn run(&self, args: &[&str]) -> Output {
        self.trueup(args).run()
    }

    /// Runs kubectl in its namespace.
    #[track_caller]
    pub fn kubectl(&self, args: &[&str]) -> Output {
        self.kubectl_command(args).run()
    }

    /// A kubectl command in its namespace, about to be run.
    pub fn kubectl_command(&self, args: &[&str]) -> Cmd {
        let kubectl = Cmd::new(&self.plane.kubectl).env("KUBECONFIG", &self.plane.kubeconfig);
        kubectl.args(["-n", &self.name]).args(args)
    }

    /// Runs `kubectl edit` with a sed command for an editor.
    #[track_caller]
    pub fn edit(&self, object: &[&str], sed: &str) -> Output {
        let editor = format!("sed -i -e '{sed}'");
        self.kubectl_command(&["edit"]).env("KUBE_EDITOR", editor).args(object).run()
    }

    /// How many write requests on its namespace the API server has had, dry runs left out.
    pub fn writes(&self) -> usize {
        self.requests(Request::is_write)
    }

    /// How many objects `o…` trueup has sent to be made.
    pub fn applied(&self) -> usize {
        self.requests(|request| {
            request.verb == "patch" && request.name().starts_with('o') && !request.is_dry_run()
        })
    }

    /// How often trueup has looked at its inventory.
    pub fn rounds(&self) -> usize {
        self.requests(|request| request.verb == "get" && request.name().starts_with("trueup-"))
    }

    fn requests(&self, is_wanted: impl Fn(&Request) -> bool) -> usize {
        let is_here = |request: &Request| request.namespace() == self.name && is_wanted(request);
        self.plane.audit_log.count_of(is_here)
    }

    /// The name of its inventory's parent, a ConfigMap.
    pub fn parent(&self) -> String {
        format!("trueup-{}", self.name)
    }

    /// The id of its inventory, as the parent says.
    pub fn applyset(&self) -> String {
        let parent = self.config_map(&self.parent()).expect("there is no inventory");
        parent["metadata"]["labels"]["applyset.kubernetes.io/id"].as_str().unwrap().to_owned()
    }

    /// The members of its inventory of some kinds, found by label and called as kubectl does.
    pub fn members(&self, kinds: &str) -> Vec<String> {
        let query = format!("labelSelector=applyset.kubernetes.io/part-of={}", self.applyset());
        let found = kinds.split(',').flat_map(|kind| self.list(kind, &query));
        found.map(|(name, _)| name).collect()
    }

    /// An object of its namespace, where it is there.
    #[track_caller]
    pub fn live(&self, kind: &str, name: &str) -> Option<Value> {
        let query = format!("fieldSelector=metadata.name={name}");
        self.list(kind, &query).pop().map(|(_, object)| object)
    }

    /// A ConfigMap of its namespace, where it is there.
    pub fn config_map(&self, name: &str) -> Option<Value> {
        self.live("configmap", name)
    }

    /// An annotation of a ConfigMap; nothing where it has none.
    pub fn annotation(&self, name: &str, annotation: &str) -> String {
        let value =
            self.config_map(name).map(|mut it| it["metadata"]["annotations"][annotation].take());
        value.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// What a ConfigMap of its namespace says under `key`; nothing where that is not there.
    pub fn value(&self, name: &str) -> String {
        let value = self.config_map(name).map(|object| object["data"]["key"].clone());
        value.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// The names of the ConfigMaps in its namespace, its inventory among them and its history not.
    pub fn config_maps(&self) -> Vec<String> {
        let names = self.list("configmap", "").into_iter().map(|(_, object)| object);
        let names = names.map(|object| object["metadata"]["name"].as_str().unwrap().to_owned());
        names.filter(|name| !name.ends_with(".history")).collect()
    }

    /// Deletes a ConfigMap of its namespace.
    #[track_caller]
    pub fn delete_config_map(&self, name: &str) {
        let path = format!("/api/v1/namespaces/{}/configmaps/{name}", self.name);
        self.plane.api().send(Method::DELETE, &path, "", None).unwrap();
    }

    /// The objects of a kind in its namespace, with the names that kubectl prints.
    #[track_caller]
    pub fn list(&self, kind: &str, query: &str) -> Vec<(String, Value)> {
        let (root, resource) = match kind.trim_end_matches('s') {
            kind @ ("configmap" | "secret" | "service" | "serviceaccount") => ("api/v1", kind),
            kind @ "persistentvolumeclaim" => ("api/v1", kind),
            "deployment" => ("apis/apps/v1", "deployment.apps"),
            "statefulset" => ("apis/apps/v1", "statefulset.apps"),
            "job" => ("apis/batch/v1", "job.batch"),
            "lease" => ("apis/coordination.k8s.io/v1", "lease.coordination.k8s.io"),
            "rolebinding" => {
                ("apis/rbac.authorization.k8s.io/v1", "rolebinding.rbac.authorization.k8s.io")
            }
            kind => panic!("add where {kind} is found"),
        };
        let plural = resource.split('.').next().unwrap();
        let path = format!("/{root}/namespaces/{}/{plural}s?{query}", self.name);
        let Value::Array(items) = self.plane.api().get(&path).unwrap()["items"].take() else {
            panic!("no list at {path}");
        };
        let named = items.into_iter().map(|object| {
            let name = object["metadata"]["name"].as_str().unwrap();
            (format!("{resource}/{name}"), object)
        });
        named.collect()
    }
}
