//! 2,000 manifests in the time that kubectl needs to start twice? Prints both, and how long
//! `kubectl apply --dry-run=client` takes for the same; asserts nothing.
//!
//! ```text
//! cargo build && target/debug/trueup sandbox -- cargo bench --bench check
//! ```
//!
//! needs git. kubectl comes with the sandbox, whose API server its dry run asks for the kinds that
//! there are.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How many manifests there are.
const MANIFESTS: usize = 2_000;
/// How often each is run, in turns; the median counts. The dry run asks the server about every
/// object, which takes a minute: it is run once.
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    for file in 0..MANIFESTS {
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
    let (mut checks, mut starts) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        checks.push(time(check(folder))?);
        let start = || time(kubectl(&["version", "--client"]));
        starts.push(start()? + start()?);
    }
    say("trueup check", checks)?;
    say("kubectl version --client, twice", starts)?;
    say("kubectl apply --dry-run=client", vec![time(dry_run(folder))?])?;
    Ok(())
}

/// Prints the median.
#[allow(clippy::disallowed_methods, reason = "a table of numbers, no answer of trueup's")]
fn say(name: &str, mut times: Vec<Duration>) -> std::io::Result<()> {
    times.sort();
    let median = times[times.len() / 2].as_secs_f64() * 1_000.0;
    writeln!(std::io::stdout(), "{name:32} {median:6.0} ms")
}

fn check(folder: &Path) -> Command {
    let mut trueup = Command::new(env!("CARGO_BIN_EXE_trueup"));
    trueup.arg("-C").arg(folder).arg("check");
    trueup
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
fn time(mut command: Command) -> Result<Duration, Box<dyn Error>> {
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
