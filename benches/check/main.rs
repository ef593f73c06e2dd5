//! How long `trueup check` and `trueup render` take for 10,000 manifests: with no answer of an
//! earlier run, and once more with the answers that the run before kept. Then whether 2,000 are
//! checked in the time that kubectl needs to start twice, and how long
//! `kubectl apply --dry-run=client` takes for the same. Prints tables; asserts nothing.
//!
//! Last, how long kubeconform takes for 10,000, and how much memory.
//!
//! ```text
//! cargo build && target/debug/trueup sandbox -- cargo bench --bench check
//! ```
//!
//! needs git. kubectl comes with the sandbox, whose API server its dry run asks for the kinds that
//! there are; where it is not on PATH, the second table is left out. The last one needs kubeconform
//! on PATH as well: `go install github.com/yannh/kubeconform/cmd/kubeconform@latest`.
//! `TRUEUP_BUILDS=before=PATH,now=PATH` measures other builds of trueup, in turns.

mod kubeconform;

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How many manifests there are to check and render.
const MANY: usize = 10_000;
/// How many there are beside kubectl.
const BESIDE_KUBECTL: usize = 2_000;
/// How often each is run, in turns; the median counts.
const ROUNDS: usize = 9;
/// The same beside kubectl. Its dry run asks the server about every object, which takes a minute: it
/// is run once.
const FEW_ROUNDS: usize = 5;

/// What is run of each build.
const VERBS: [&[&str]; 4] =
    [&["check"], &["check", "--worktree"], &["render"], &["render", "--worktree"]];

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    again_and_again(folder.path())?;
    match kubectl(&["version", "--client"]).output() {
        Ok(_) => beside_kubectl(folder.path())?,
        Err(_) => return Ok(()),
    }
    match Command::new("kubeconform").arg("-v").output() {
        Ok(_) => kubeconform::beside(folder.path()),
        Err(_) => Ok(()),
    }
}

/// Runs each verb of each build with an empty cache, and once more.
fn again_and_again(folder: &Path) -> Outcome<()> {
    let (tree, cache) = (folder.join("many"), folder.join("cache"));
    make(&tree, MANY)?;
    let builds = builds();
    let mut times: BTreeMap<(usize, usize, &str), Vec<Duration>> = BTreeMap::new();
    for _ in 0..ROUNDS {
        for (verb, args) in VERBS.iter().enumerate() {
            for (number, build) in builds.iter().enumerate() {
                if cache.exists() {
                    fs::remove_dir_all(&cache)?;
                }
                for turn in ["first run", "second run"] {
                    let mut trueup = Command::new(&build.path);
                    trueup.arg("-C").arg(&tree).args(*args).env("XDG_CACHE_HOME", &cache);
                    times.entry((verb, number, turn)).or_default().push(time(trueup)?);
                }
            }
        }
    }
    for ((verb, number, turn), times) in times {
        let (verb, name) = (VERBS[verb].join(" "), &builds[number].name);
        say(&format!("{MANY}: trueup{name} {verb}, {turn}"), times)?;
    }
    Ok(())
}

/// A build of trueup.
struct Build {
    /// Behind the program's name; empty for the one of this benchmark.
    name: String,
    path: String,
}

/// The builds that `TRUEUP_BUILDS` names, else the one of this benchmark.
fn builds() -> Vec<Build> {
    #[allow(clippy::disallowed_methods, reason = "a benchmark has no configuration")]
    let named = std::env::var("TRUEUP_BUILDS").unwrap_or_default();
    let named = named.split(',').filter_map(|build| build.split_once('='));
    let build =
        |(name, path): (&str, &str)| Build { name: format!(" ({name})"), path: path.to_owned() };
    let mut builds: Vec<Build> = named.map(build).collect();
    if builds.is_empty() {
        builds.push(Build { name: String::new(), path: env!("CARGO_BIN_EXE_trueup").to_owned() });
    }
    builds
}

fn beside_kubectl(folder: &Path) -> Outcome<()> {
    let (tree, cache) = (folder.join("few"), folder.join("no-cache"));
    make(&tree, BESIDE_KUBECTL)?;
    let (mut checks, mut starts) = (Vec::new(), Vec::new());
    for _ in 0..FEW_ROUNDS {
        let mut trueup = Command::new(env!("CARGO_BIN_EXE_trueup"));
        trueup.arg("-C").arg(&tree).args(["check", "--no-cache"]).env("XDG_CACHE_HOME", &cache);
        checks.push(time(trueup)?);
        let start = || time(kubectl(&["version", "--client"]));
        starts.push(start()? + start()?);
    }
    say(&format!("{BESIDE_KUBECTL}: trueup check --no-cache"), checks)?;
    say("kubectl version --client, twice", starts)?;
    let dry_run = vec![time(dry_run(&tree))?];
    say(&format!("{BESIDE_KUBECTL}: kubectl apply --dry-run=client"), dry_run)
}

/// A repository with so many manifests.
fn make(folder: &Path, manifests: usize) -> Outcome<()> {
    for file in 0..manifests {
        let path = folder.join(format!("team-{}", file % 20));
        fs::create_dir_all(&path)?;
        fs::write(path.join(format!("{file}.yaml")), manifest(file))?;
    }
    // Packed, as a clone is.
    for args in [
        &["init", "--quiet"][..],
        &["add", "."],
        &["commit", "--quiet", "-m", "Many"],
        &["gc", "--quiet"],
    ] {
        let _ = time(git(folder, args))?;
    }
    Ok(())
}

/// Prints the median and the least.
#[allow(clippy::disallowed_methods, reason = "a table of numbers, no answer of trueup's")]
fn say(name: &str, mut times: Vec<Duration>) -> Outcome<()> {
    times.sort();
    let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
    let (least, median) = (ms(times[0]), ms(times[times.len() / 2]));
    Ok(writeln!(std::io::stdout(), "{name:56} {median:6.0} ms, at least {least:5.0} ms")?)
}

fn kubectl(args: &[&str]) -> Command {
    let mut kubectl = Command::new("kubectl");
    kubectl.args(args);
    kubectl
}

fn dry_run(folder: &Path) -> Command {
    let mut kubectl = kubectl(&["apply", "--dry-run=client", "--recursive", "--filename"]);
    kubectl.arg(folder);
    kubectl
}

fn git(folder: &Path, args: &[&str]) -> Command {
    let mut git = Command::new("git");
    git.arg("-C").arg(folder).args(["-c", "user.name=Author"]);
    git.args(["-c", "user.email=author@example.com", "-c", "gc.auto=0"]).args(args);
    git
}

/// How long a command takes.
fn time(mut command: Command) -> Outcome<Duration> {
    let begin = Instant::now();
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{command:?}: {error}"))?;
    let elapsed = begin.elapsed();
    if !output.status.success() {
        let (said, wrong) = (output.stdout, output.stderr);
        let (said, wrong) = (String::from_utf8_lossy(&said), String::from_utf8_lossy(&wrong));
        return Err(format!("{command:?} ended with {}\n{said}{wrong}", output.status).into());
    }
    Ok(elapsed)
}

/// A Deployment, a Service or a ConfigMap of a size that is usual.
fn manifest(number: usize) -> String {
    let (kind, app) = (number % 3, number / 3);
    let mut text = String::new();
    let _ = match kind {
        0 => write!(
            text,
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-{app}\n  labels: {{app: app-{app}}}\n\
             spec:\n  replicas: 2\n  selector:\n    matchLabels: {{app: app-{app}}}\n  template:\n    metadata:\n\
             \x20     labels: {{app: app-{app}}}\n    spec:\n      containers:\n      - name: main\n\
             \x20       image: example.com/app:{app}\n        ports:\n        - {{name: http, containerPort: 8080}}\n\
             \x20       env:\n        - {{name: LEVEL, value: info}}\n\
             \x20       envFrom:\n        - configMapRef: {{name: app-{app}}}\n        resources:\n\
             \x20         limits: {{memory: 256Mi}}\n          requests: {{cpu: 100m, memory: 128Mi}}\n\
             \x20       readinessProbe:\n          httpGet: {{path: /ready, port: http}}\n          periodSeconds: 5\n"
        ),
        1 => write!(
            text,
            "apiVersion: v1\nkind: Service\nmetadata:\n  name: app-{app}\nspec:\n  selector: {{app: app-{app}}}\n\
             \x20 ports:\n  - name: http\n    port: 80\n    targetPort: http\n"
        ),
        _ => write!(
            text,
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app-{app}\ndata:\n  level: info\n  number: \"{app}\"\n"
        ),
    };
    text
}
