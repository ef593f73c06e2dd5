//! Real control planes for tests: one bare and one with controllers, each started by the first test
//! that asks, shared by all, and taken down when the test process ends, for whatever reason.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::Value;

use super::command::{Cmd, Output};

/// A running control plane.
pub struct Plane {
    pub kubeconfig: PathBuf,
    /// The sandbox's own kubectl, of the release that the API server has.
    pub kubectl: PathBuf,
    pub audit_log: PathBuf,
    // Its stdin is what keeps the sandbox up: a `cat` reads from it.
    _sandbox: Child,
}

/// etcd and the API server: objects are kept, nothing happens to them. A namespace that is deleted
/// stays, and pods may be created without a service account.
#[track_caller]
pub fn bare() -> &'static Plane {
    static PLANE: LazyLock<Result<Plane, String>> = LazyLock::new(|| Plane::start(&[]));
    PLANE.as_ref().unwrap_or_else(|reason| panic!("no sandbox: {reason}"))
}

/// With controllers, scheduler and simulated nodes: things happen.
#[track_caller]
pub fn with_controllers() -> &'static Plane {
    static PLANE: LazyLock<Result<Plane, String>> =
        LazyLock::new(|| Plane::start(&["--controllers"]));
    PLANE.as_ref().unwrap_or_else(|reason| panic!("no sandbox: {reason}"))
}

/// A bare one that no other test talks to.
#[track_caller]
pub fn own() -> &'static Plane {
    let plane = Plane::start(&[]).unwrap_or_else(|reason| panic!("no sandbox: {reason}"));
    Box::leak(Box::new(plane))
}

impl Plane {
    /// A control plane of the test's own, taken down when it is dropped.
    pub fn start(options: &[&str]) -> Result<Self, String> {
        let script =
            r#"printf '%s\n' "$KUBECONFIG" "${PATH##*:}" "$TRUEUP_SANDBOX_AUDIT_LOG"; exec cat"#;
        let mut sandbox = Cmd::trueup()
            .args(["sandbox"])
            .args(options)
            .args(["--", "sh", "-c", script])
            .into_inner()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot run trueup: {error}"))?;
        let mut stderr = sandbox.stderr.take().unwrap();
        // Somebody has to read it, or a full pipe would stop the sandbox.
        let said = thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).map(|_| text)
        });
        let stdout = BufReader::new(sandbox.stdout.take().unwrap());
        let lines: Vec<String> = stdout.lines().take(3).map_while(Result::ok).collect();
        match <[String; 3]>::try_from(lines) {
            Ok([kubeconfig, bin_dir, audit_log]) => Ok(Self {
                kubeconfig: kubeconfig.into(),
                kubectl: Path::new(&bin_dir).join("kubectl"),
                audit_log: audit_log.into(),
                _sandbox: sandbox,
            }),
            Err(_) => {
                let status = sandbox.wait().map_err(|error| error.to_string())?;
                let said = said.join().unwrap().map_err(|error| error.to_string())?;
                Err(format!("`trueup sandbox` ended with {status}\n{said}"))
            }
        }
    }

    /// Any program with `KUBECONFIG` set.
    pub fn command(&self, cmd: Cmd) -> Cmd {
        cmd.env("KUBECONFIG", &self.kubeconfig)
    }

    /// kubectl, run to its end.
    #[track_caller]
    pub fn kubectl<S: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Output {
        self.command(Cmd::new(&self.kubectl)).args(args).run()
    }

    /// Creates the objects of a YAML stream with kubectl.
    #[track_caller]
    pub fn create(&self, namespace: &str, yaml: &str) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(yaml.as_bytes()).unwrap();
        let path = file.path().to_str().unwrap();
        let _ = self.kubectl(["create", "--namespace", namespace, "--filename", path]).exits(0);
    }

    /// A new namespace of the test's own, as every test shares the control plane.
    #[track_caller]
    pub fn namespace(&self, name: &str) -> String {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("{name}-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let _ = self.kubectl(["create", "namespace", &name]).exits(0);
        name
    }

    /// Every request that the API server received, as its audit log has it, oldest first. The
    /// server writes it down before it answers: what was answered is here.
    pub fn requests(&self) -> Vec<Value> {
        self.requests_after(0)
    }

    /// The requests that came after the log was `length` bytes long.
    pub fn requests_after(&self, length: usize) -> Vec<Value> {
        let log = std::fs::read_to_string(&self.audit_log).unwrap();
        let whole = log.rfind('\n').map_or("", |end| &log[..=end]);
        let events = whole[length..].lines();
        let events = events.map(|line| serde_json::from_str::<Value>(line).unwrap());
        events.filter(|event| event["stage"] == "RequestReceived").collect()
    }

    /// How long the audit log is, in bytes, up to the end of its last whole line.
    pub fn audit_length(&self) -> usize {
        let log = std::fs::read_to_string(&self.audit_log).unwrap();
        log.rfind('\n').map_or(0, |end| end + 1)
    }
}
