//! All that a soak is made of: the repository and its server, the control plane with a second API server,
//! the sinks, and the gates between them and the one watch.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};

use super::objects::{Id, KINDS};
use crate::support::api::Api;
use crate::support::command::Cmd;
use crate::support::eventually::eventually;
use crate::support::faults::Faulty;
use crate::support::front::Front;
use crate::support::gate::Gate;
use crate::support::http::GitServer;
use crate::support::own_file;
use crate::support::receiver::{Receiver, ok};
use crate::support::repo::Repo;
use crate::support::sandbox::Plane;
use crate::support::second_server::SecondServer;
use crate::support::tls;

/// How many objects of a kind a target has.
const OF_KIND: usize = 10;
/// How often the remote is asked and rounds are made.
pub const INTERVAL: &str = "2";
/// Changes the clock of a process that is started with it.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

/// The world of one soak.
pub struct World<'p> {
    pub repo: Repo<'p>,
    targets: usize,
    pub git: GitServer,
    pub git_gate: Gate,
    pub api_gate: Gate,
    pub server: Mutex<SecondServer>,
    /// Where the second server is, and the one of git.
    server_address: String,
    git_address: String,
    /// Whoever answers in its place at times, over TLS.
    pub faulty: Faulty,
    front: Front,
    /// One that is always there, and two that can be down.
    pub sinks: [Sink; 3],
    /// A chat, which is down when the last of them is.
    pub chat: Sink,
    /// Names the token that is good.
    tokens: Mutex<Vec<String>>,
}

/// A webhook that can be down.
pub struct Sink {
    receiver: Receiver,
    pub is_down: Arc<AtomicBool>,
    taken: Arc<Mutex<Vec<(Instant, Value)>>>,
}

impl Sink {
    fn start() -> Self {
        Self::down_with(&Arc::default())
    }

    /// One that is down when another one is.
    fn down_with(is_down: &Arc<AtomicBool>) -> Self {
        let (is_down, taken) = (Arc::clone(is_down), Arc::new(Mutex::new(Vec::new())));
        let (down, kept) = (Arc::clone(&is_down), Arc::clone(&taken));
        let receiver = Receiver::answering(move |request| {
            if down.load(Ordering::SeqCst) {
                return ("503 Service Unavailable".to_owned(), String::new());
            }
            kept.lock().unwrap().push((Instant::now(), request.json()));
            ok(&Value::Null)
        });
        Self { receiver, is_down, taken }
    }

    /// All that it took, and when.
    pub fn taken(&self) -> Vec<(Instant, Value)> {
        self.taken.lock().unwrap().clone()
    }
}

/// A target that a message in the chat is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Naming {
    pub target: String,
    pub transition: String,
    /// Empty where it is about none.
    pub commit: String,
}

impl Naming {
    /// The text of a message in the chat, behind the sign for its level.
    const TEMPLATE: &str = "/{transition}/{commit}/{target}";

    /// Those of a message.
    fn of(body: &Value) -> Vec<Self> {
        let text = body["text"].as_str().unwrap();
        let parts: Vec<&str> = text.split('/').collect();
        let [_, transition, commit, targets] = parts[..] else { panic!("{text}") };
        let naming = |target: &str| Self {
            target: target.to_owned(),
            transition: transition.to_owned(),
            commit: commit.to_owned(),
        };
        targets.split(", ").map(naming).collect()
    }
}

impl<'p> World<'p> {
    /// The targets that the messages in the chat are about, in their order.
    pub fn namings(&self) -> Vec<Naming> {
        self.chat.taken().iter().flat_map(|(_, body)| Naming::of(body)).collect()
    }

    /// One with so many targets, whose first commit is there and not applied.
    pub fn new(plane: &'p Plane, targets: usize) -> Self {
        let repo = Repo::new("soak", plane);
        let (mut server, kubeconfig) = SecondServer::new(plane, repo.outside());
        server.start();
        let ready = ["--kubeconfig", kubeconfig.to_str().unwrap(), "get", "--raw", "/readyz"];
        eventually("the second API server answers", || plane.kubectl(ready).status == Some(0));
        let config: Value =
            serde_yaml::from_str(&fs::read_to_string(&kubeconfig).unwrap()).unwrap();
        let url = config["clusters"][0]["cluster"]["server"].as_str().unwrap();
        let server_address = url.strip_prefix("https://").unwrap().to_owned();
        let faulty = Faulty::on_the_way_to(&kubeconfig, plane);
        let (tls, authority) = tls::localhost();
        let front = Front::start(tls, Some(faulty.address().to_owned()));
        let git = GitServer::http(repo.outside());
        let git_url = git.url("");
        let git_address = git_url.strip_prefix("http://").unwrap().trim_end_matches('/').to_owned();
        let sinks: [Sink; 3] = std::array::from_fn(|_| Sink::start());
        let world = Self {
            git_gate: Gate::to(&git_address),
            api_gate: Gate::to(&server_address),
            server: Mutex::new(server),
            server_address,
            git_address,
            faulty,
            front,
            chat: Sink::down_with(&sinks[2].is_down),
            sinks,
            tokens: Mutex::default(),
            targets,
            git,
            repo,
        };
        world.declare();
        world.authorize(&config, &authority);
        world.configure();
        world
    }

    /// The names of the targets.
    pub fn targets(&self) -> Vec<String> {
        (0..self.targets).map(|number| format!("t{number:02}")).collect()
    }

    /// The objects that a target has from the beginning.
    pub fn objects(target: &str) -> Vec<Id> {
        let of =
            |kind| (0..OF_KIND).map(move |number| Id { kind, name: format!("{target}-{number}") });
        KINDS.into_iter().flat_map(of).collect()
    }

    /// Writes an object into the work tree.
    pub fn write(&self, target: &str, id: &Id, number: usize) {
        self.repo.write(&Self::file(target, id), id.manifest(number));
    }

    /// The file of an object.
    pub fn file(target: &str, id: &Id) -> String {
        format!("{target}/{}-{}.yaml", id.kind.name, id.name)
    }

    fn declare(&self) {
        let mut text = "targets:\n".to_owned();
        for target in self.targets() {
            text.push_str(&format!("  {target}: {{paths: [{target}]}}\n"));
            for id in Self::objects(&target) {
                self.write(&target, &id, 0);
            }
        }
        self.repo.write("trueup.yaml", text).commit("First");
    }

    /// A kubeconfig whose plugin gives the token of a service account that may do all.
    fn authorize(&self, config: &Value, authority: &str) {
        let (api, namespace) = (self.repo.plane().api(), self.repo.namespace());
        let account = json!({
            "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "soak" },
        });
        api.create(&format!("/api/v1/namespaces/{namespace}/serviceaccounts"), &account).unwrap();
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": { "name": "soak" },
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin",
            },
            "subjects": [{ "kind": "ServiceAccount", "name": "soak", "namespace": namespace }],
        });
        let bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
        api.create(bindings, &binding).unwrap();
        self.rotate(api);
        let plugin = self.outside("plugin");
        let script = format!("#!/bin/sh\nexec cat '{}'\n", self.outside("credential").display());
        fs::write(&plugin, script).unwrap();
        Cmd::new("chmod").args(["+x", plugin.to_str().unwrap()]).run().exits(0);

        use base64::Engine as _;
        let base64 = base64::engine::general_purpose::STANDARD;
        let own = &config["clusters"][0]["cluster"]["certificate-authority-data"];
        let own = String::from_utf8(base64.decode(own.as_str().unwrap()).unwrap()).unwrap();
        let both = base64.encode(format!("{own}\n{authority}"));
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "soak",
            "clusters": [{ "name": "soak", "cluster": {
                "server": format!("https://localhost:{}", self.api_gate.port()),
                "certificate-authority-data": both,
            } }],
            "users": [{ "name": "soak", "user": { "exec": {
                "apiVersion": "client.authentication.k8s.io/v1", "command": plugin,
                "interactiveMode": "Never",
            } } }],
            "contexts": [{ "name": "soak", "context": { "cluster": "soak", "user": "soak" } }],
        });
        fs::write(self.outside("kubeconfig"), kubeconfig.to_string()).unwrap();
    }

    /// Gives out another token; the one before is worth nothing from now on.
    pub fn rotate(&self, api: &Api) {
        let namespace = self.repo.namespace();
        let secrets = format!("/api/v1/namespaces/{namespace}/secrets");
        let mut tokens = self.tokens.lock().unwrap();
        let name = format!("token-{}", tokens.len());
        let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name } });
        let secret = api.create(&secrets, &secret).unwrap();
        let request = json!({
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
            "spec": { "expirationSeconds": 86_400, "boundObjectRef": {
                "apiVersion": "v1", "kind": "Secret", "name": name, "uid": secret["metadata"]["uid"],
            } },
        });
        let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/soak/token");
        let token = api.create(&path, &request).unwrap();
        let credential = json!({
            "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
            "status": { "token": token["status"]["token"] },
        });
        let new = self.outside("credential.new");
        fs::write(&new, credential.to_string()).unwrap();
        fs::rename(new, self.outside("credential")).unwrap();
        if let Some(before) = tokens.last() {
            api.send(Method::DELETE, &format!("{secrets}/{before}"), "", None).unwrap();
        }
        tokens.push(name);
    }

    /// Names the sinks in the machine's own file.
    fn configure(&self) {
        let mut text = "notify:\n  grace: 4s\n  sinks:\n".to_owned();
        for (sink, name) in self.sinks.iter().zip(["always", "one", "other"]) {
            let url = sink.receiver.url("/");
            text.push_str(&format!("  - {{name: {name}, type: webhook, url: '{url}'}}\n"));
        }
        let url = self.outside("chat");
        own_file::write(&url, self.chat.receiver.url("/"));
        text.push_str(&format!(
            "  - {{name: chat, type: slack, url: 'file:{}', group_wait: 2s, template: '{}'}}\n",
            url.display(),
            Naming::TEMPLATE
        ));
        let folder = self.outside("settings/trueup");
        fs::create_dir_all(&folder).unwrap();
        own_file::write(&folder.join("config.yaml"), text);
        for folder in ["temporary", "state"] {
            fs::create_dir(self.outside(folder)).unwrap();
        }
    }

    /// A path beside the repository.
    pub fn outside(&self, name: &str) -> PathBuf {
        self.repo.outside().join(name)
    }

    /// A command of trueup's in the checkout.
    pub fn trueup(&self, args: &[&str]) -> Cmd {
        let checkout = self.outside("checkout");
        let cmd = self.repo.trueup(&["-C", checkout.to_str().unwrap()]).args(args);
        cmd.env("KUBECONFIG", self.outside("kubeconfig"))
            .env("XDG_CONFIG_HOME", self.outside("settings"))
            .env("XDG_STATE_HOME", self.outside("state"))
            .env("XDG_CACHE_HOME", self.outside("cache"))
            .env("TMPDIR", self.outside("temporary"))
    }

    /// Makes the checkout.
    pub fn pull(&self) {
        let url = format!("http://localhost:{}/{}", self.git_gate.port(), self.repo.namespace());
        self.trueup(&["pull", "--url", &url]).run().exits(0);
    }

    /// Starts the watch. What it says is added to the log.
    pub fn watch(&self) -> Child {
        let (metrics, status) = (self.outside("metrics.prom"), self.outside("status"));
        let watch = ["watch", "--all-targets", "--interval", INTERVAL];
        let files = ["--metrics-file", metrics.to_str().unwrap(), "--status-file"];
        let mut cmd = self.trueup(&[&watch[..], &files, &[status.to_str().unwrap()]].concat());
        if Self::jumps() {
            self.set_clock(0);
            cmd = cmd
                .env("LD_PRELOAD", FAKETIME)
                .env("FAKETIME_TIMESTAMP_FILE", self.outside("clock"))
                .env("FAKETIME_CACHE_DURATION", "1")
                .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        }
        let log = fs::OpenOptions::new().create(true).append(true).open(self.outside("log"));
        let log = log.unwrap();
        let mut command = cmd.into_inner();
        command.stdout(log.try_clone().unwrap()).stderr(log);
        command.stdin(Stdio::null()).spawn().unwrap()
    }

    /// Whether the watch's clock can be changed.
    pub fn jumps() -> bool {
        std::path::Path::new(FAKETIME).exists()
    }

    /// Sets the watch's clock so many seconds off.
    pub fn set_clock(&self, seconds: i64) {
        let new = self.outside("clock.new");
        fs::write(&new, format!("{seconds:+}\n")).unwrap();
        fs::rename(new, self.outside("clock")).unwrap();
    }

    /// Leads to the git server itself.
    pub fn open_git(&self) {
        self.git.recover();
        self.git_gate.slow(Duration::ZERO);
        self.git_gate.lead(Some(&self.git_address));
    }

    /// Leads to the API server itself.
    pub fn open_api(&self) {
        self.api_gate.lead(Some(&self.server_address));
    }

    /// Leads to whoever answers in its place.
    pub fn open_faulty_api(&self) {
        self.api_gate.lead(self.front.url.strip_prefix("https://"));
    }
}
