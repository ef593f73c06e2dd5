//! A repository of many objects, the programs that are run on it, and the floor: raw requests.

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use http::{Method, Request};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::Outcome;

/// In how many namespaces and folders the objects are at least.
const NAMESPACES: usize = 10;
/// How many objects a namespace has at most.
const OF_NAMESPACE: usize = 250;
/// The argument with which the bench does nothing but list, before the id of what to list.
pub const LISTS_OF: &str = "lists-of";
/// How many requests the floor has in flight.
const AT_ONCE: usize = 16;

/// Objects of one name in namespaces of their own, and the repository that declares them: a quarter
/// each of Deployments, Services, ConfigMaps and Secrets.
pub struct World {
    name: String,
    folder: tempfile::TempDir,
    size: usize,
    /// How many namespaces and folders it has.
    teams: usize,
}

impl World {
    pub fn new(name: &str, size: usize) -> Outcome<Self> {
        Self::of_teams(name, size, NAMESPACES.max(size / OF_NAMESPACE))
    }

    /// A world in so many namespaces, each with a folder that is a target of its own.
    pub fn of_teams(name: &str, size: usize, teams: usize) -> Outcome<Self> {
        let folder = tempfile::Builder::new().prefix("trueup-bench-").tempdir()?;
        let world = Self { name: name.to_owned(), folder, size, teams };
        let mut config = "targets:\n".to_owned();
        for number in 0..teams {
            let team = world.path().join(format!("team-{number}"));
            fs::create_dir_all(&team)?;
            let namespace = json!({ "apiVersion": "v1", "kind": "Namespace",
                "metadata": { "name": world.namespace(number) } });
            fs::write(team.join("namespace.json"), namespace.to_string())?;
            let _ = writeln!(config, "  team-{number}:\n    paths: [team-{number}]");
        }
        for number in 0..size {
            let file = format!("team-{}/{number}.yaml", number % teams);
            fs::write(world.path().join(file), world.manifest(number, "1"))?;
        }
        // Without it, the whole checkout is one target.
        if teams > NAMESPACES.max(size / OF_NAMESPACE) {
            fs::write(world.path().join("trueup.yaml"), config)?;
        }
        world.git(&["init", "--quiet", "--initial-branch", "main"])?;
        world.commit()?;
        world.git(&["gc", "--quiet"])?;
        Ok(world)
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join(&self.name)
    }

    fn namespace(&self, number: usize) -> String {
        format!("{}-{number}", self.name)
    }

    /// Changes so many objects, each time to something else, and commits.
    pub fn change(&self, count: usize, round: usize) -> Outcome<()> {
        for number in (0..count).map(|change| change * self.size / count) {
            let file = format!("team-{}/{number}.yaml", number % self.teams);
            fs::write(self.path().join(file), self.manifest(number, &format!("changed-{round}")))?;
        }
        self.commit()
    }

    fn commit(&self) -> Outcome<()> {
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--message", "Many"])
    }

    fn git(&self, args: &[&str]) -> Outcome<()> {
        let mut git = Command::new("git");
        git.arg("-C").arg(self.path()).args(["-c", "user.name=Author", "-c", "gc.auto=0"]);
        git.args(["-c", "user.email=author@example.com"]).args(args);
        run(&mut git, &[0]).map(drop)
    }

    /// trueup on the repository.
    pub fn trueup(&self, args: &[&str]) -> Command {
        self.build(env!("CARGO_BIN_EXE_trueup"), args)
    }

    /// Another build of trueup on the repository.
    pub fn build(&self, program: &str, args: &[&str]) -> Command {
        let mut trueup = Command::new(program);
        trueup.arg("-C").arg(self.path()).args(args).args(["--namespace", "default"]);
        trueup
    }

    /// kubectl on its files.
    pub fn kubectl(&self, args: &[&str]) -> Command {
        let mut kubectl = Command::new("kubectl");
        kubectl.args(args).args(["--recursive", "--filename"]).arg(self.path());
        kubectl
    }

    /// `kubectl apply --server-side` on its files.
    pub fn kubectl_apply(&self) -> Command {
        self.kubectl(&["apply", "--server-side", "--force-conflicts"])
    }

    /// kapp on its files, where it is on PATH.
    pub fn kapp(&self, args: &[&str]) -> Option<Command> {
        let _ = Command::new("kapp").arg("version").output().ok()?;
        let mut kapp = Command::new("kapp");
        kapp.args(args).args(["--wait=false", "--app", &self.name, "--file"]).arg(self.path());
        Some(kapp)
    }

    fn manifest(&self, number: usize, value: &str) -> String {
        let namespace = self.namespace(number % self.teams);
        let mut text = String::new();
        let _ = match number % 4 {
            0 => write!(
                text,
                "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-{number}\n  namespace: {namespace}\n\
                 \x20 labels: {{app: app-{number}}}\nspec:\n  replicas: 2\n  selector:\n    matchLabels: {{app: app-{number}}}\n\
                 \x20 template:\n    metadata:\n      labels: {{app: app-{number}}}\n    spec:\n      containers:\n      - name: main\n\
                 \x20       image: example.com/app:{value}\n        ports:\n        - {{name: http, containerPort: 8080}}\n\
                 \x20       env:\n        - {{name: LEVEL, value: info}}\n        - name: PASSWORD\n          valueFrom:\n\
                 \x20           secretKeyRef: {{name: app-3, key: password}}\n        resources:\n\
                 \x20         limits: {{memory: 256Mi}}\n          requests: {{cpu: 100m, memory: 128Mi}}\n\
                 \x20       readinessProbe:\n          httpGet: {{path: /ready, port: http}}\n          periodSeconds: 5\n"
            ),
            1 => write!(
                text,
                "apiVersion: v1\nkind: Service\nmetadata:\n  name: app-{number}\n  namespace: {namespace}\n\
                 \x20 labels: {{version: \"{value}\"}}\nspec:\n  clusterIP: None\n  selector: {{app: app-{number}}}\n  ports:\n  - name: http\n    port: 80\n    targetPort: http\n"
            ),
            2 => write!(
                text,
                "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app-{number}\n  namespace: {namespace}\n\
                 data:\n  level: info\n  value: \"{value}\"\n"
            ),
            _ => write!(
                text,
                "apiVersion: v1\nkind: Secret\nmetadata:\n  name: app-{number}\n  namespace: {namespace}\n\
                 stringData:\n  password: \"of-{number}-{value}\"\n"
            ),
        };
        text
    }
}

/// How a command, or raw requests, went.
pub struct Ran {
    pub time: Duration,
    /// The most memory, in KiB; 0 where nobody looked.
    pub peak: usize,
    /// As trueup says.
    pub requests: Option<usize>,
}

/// Runs a command to its end.
pub fn run(command: &mut Command, statuses: &[i32]) -> Outcome<Ran> {
    let begin = Instant::now();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
    let mut stderr = child.stderr.take().ok_or("no stderr")?;
    let said = std::thread::spawn(move || {
        let mut said = String::new();
        let _ = stderr.read_to_string(&mut said);
        said
    });
    let mut stdout = child.stdout.take().ok_or("no stdout")?;
    let (mut answer, peak) = (String::new(), watched(&child));
    stdout.read_to_string(&mut answer)?;
    let status = child.wait()?;
    let time = begin.elapsed();
    if !status.code().is_some_and(|code| statuses.contains(&code)) {
        let said = said.join().unwrap_or_default();
        return Err(format!("{command:?} ended with {status}\n{answer}{said}").into());
    }
    let last = answer.lines().last().unwrap_or_default();
    let requests = last.split(" · ").find_map(|part| part.strip_suffix(" requests"));
    let requests = requests.and_then(|count| count.parse().ok());
    Ok(Ran { time, peak: peak.join().unwrap_or_default(), requests })
}

/// The most memory that a process has had, looked at again and again as long as it lives.
fn watched(child: &Child) -> std::thread::JoinHandle<usize> {
    let status = format!("/proc/{}/status", child.id());
    std::thread::spawn(move || {
        let mut peak = 0;
        while let Ok(text) = fs::read_to_string(&status) {
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let Some(line) = line else { break };
            let kib = line.trim().trim_end_matches(" kB").parse().unwrap_or(0);
            peak = peak.max(kib);
            std::thread::sleep(Duration::from_millis(2));
        }
        peak
    })
}

/// A plain client that does nothing but send requests and read the answers.
pub struct Floor {
    runtime: Runtime,
    client: kube::Client,
}

impl Floor {
    pub fn new() -> Outcome<Self> {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let runtime = Runtime::new()?;
        let client = runtime.block_on(kube::Client::try_default())?;
        Ok(Self { runtime, client })
    }

    /// Makes the namespaces, which is not measured.
    pub fn namespaces(&self, world: &World) -> Outcome<()> {
        for number in 0..world.teams {
            let name = world.namespace(number);
            let namespace =
                json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
            self.runtime.block_on(self.patch(&format!("/api/v1/namespaces/{name}"), &namespace))?;
        }
        Ok(())
    }

    /// Applies every object, sixteen at a time.
    pub fn patches(&self, world: &World) -> Outcome<Ran> {
        let objects = (0..world.size).map(|number| {
            let object: Value = serde_yaml::from_str(&world.manifest(number, "1"))?;
            let namespace = world.namespace(number % world.teams);
            let kind = match number % 4 {
                0 => "apis/apps/v1/namespaces/NS/deployments",
                1 => "api/v1/namespaces/NS/services",
                2 => "api/v1/namespaces/NS/configmaps",
                _ => "api/v1/namespaces/NS/secrets",
            };
            Ok((format!("/{}/app-{number}", kind.replace("NS", &namespace)), object))
        });
        let objects = objects.collect::<Outcome<Vec<_>>>()?;
        let begin = Instant::now();
        self.runtime.block_on(
            stream::iter(&objects)
                .map(|(path, object)| self.patch(path, object))
                .buffer_unordered(AT_ONCE)
                .try_collect::<Vec<_>>(),
        )?;
        Ok(Ran { time: begin.elapsed(), peak: 0, requests: Some(objects.len()) })
    }

    /// Lists the five kinds by label, all at once, as far as the answers' last byte.
    pub fn lists(&self, world: &World) -> Outcome<Ran> {
        self.lists_of(&self.id(world)?)
    }

    /// Whose objects are to be listed.
    fn id(&self, world: &World) -> Outcome<String> {
        let parent = format!("/api/v1/namespaces/default/configmaps/trueup-{}", world.name);
        let parent = Request::get(parent).body(Vec::new())?;
        let parent: Value = self.runtime.block_on(self.client.request(parent))?;
        let label = "/metadata/labels/applyset.kubernetes.io~1id";
        Ok(parent.pointer(label).and_then(Value::as_str).ok_or("no inventory")?.to_owned())
    }

    /// Lists the five kinds' members of all sets.
    pub fn lists_of_all(&self) -> Outcome<Ran> {
        self.lists_by("applyset.kubernetes.io%2Fpart-of")
    }

    /// Lists the five kinds' members of the set with this id.
    pub fn lists_of(&self, id: &str) -> Outcome<Ran> {
        self.lists_by(&format!("applyset.kubernetes.io%2Fpart-of%3D{id}"))
    }

    fn lists_by(&self, selector: &str) -> Outcome<Ran> {
        let kinds = [
            "api/v1/namespaces",
            "api/v1/services",
            "api/v1/configmaps",
            "api/v1/secrets",
            "apis/apps/v1/deployments",
        ];
        let begin = Instant::now();
        let lists = stream::iter(kinds).map(|kind| async move {
            let path = format!("/{kind}?labelSelector={selector}");
            let request = Request::get(path).body(Vec::new())?;
            Ok::<_, Box<dyn std::error::Error>>(self.client.request_text(request).await?.len())
        });
        let lists =
            self.runtime.block_on(lists.buffer_unordered(AT_ONCE).try_collect::<Vec<_>>())?;
        Ok(Ran { time: begin.elapsed(), peak: 0, requests: Some(lists.len()) })
    }

    /// The same in a process of its own, which has to start, to find the cluster and to connect, as
    /// trueup and kubectl have.
    pub fn lists_from_nothing(&self, world: &World) -> Outcome<Ran> {
        let mut itself = Command::new(std::env::current_exe()?);
        run(itself.arg(LISTS_OF).arg(self.id(world)?), &[0])
    }

    async fn patch(&self, path: &str, object: &Value) -> Outcome<()> {
        let path = format!("{path}?fieldManager=floor&force=true");
        let request = Request::builder().method(Method::PATCH).uri(path);
        let request = request.header("Content-Type", "application/apply-patch+yaml");
        let _ = self.client.request_text(request.body(serde_json::to_vec(object)?)?).await?;
        Ok(())
    }
}
