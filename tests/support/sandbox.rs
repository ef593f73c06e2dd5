//! Real control planes for tests: one bare and one with controllers, each started by the first test
//! that asks, shared by all, and taken down when the test process ends, for whatever reason.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, OnceLock};
use std::thread;

use serde_json::json;

use super::api::Api;
use super::audit_log::AuditLog;
use super::command::{Cmd, Output};

/// A running control plane.
pub struct Plane {
    pub kubeconfig: PathBuf,
    /// The sandbox's own kubectl, of the release that the API server has.
    pub kubectl: PathBuf,
    pub audit_log: AuditLog,
    api: OnceLock<Api>,
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

/// A bare one that no other test talks to, taken down when it is dropped: even an idle one takes
/// memory and processor time.
#[track_caller]
pub fn own() -> Plane {
    Plane::start(&[]).unwrap_or_else(|reason| panic!("no sandbox: {reason}"))
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
                audit_log: AuditLog::new(audit_log.into()),
                api: OnceLock::new(),
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
        self.kubectl(["create", "--namespace", namespace, "--filename", path]).exits(0);
    }

    /// The API server, asked by this process.
    pub fn api(&self) -> &Api {
        self.api.get_or_init(|| Api::new(self))
    }

    /// Creates a namespace.
    #[track_caller]
    pub fn create_namespace(&self, name: &str) {
        let namespace = json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name },
        });
        self.api().create("/api/v1/namespaces", &namespace).unwrap();
    }

    /// A new namespace of the test's own, as every test shares the control plane.
    #[track_caller]
    pub fn namespace(&self, name: &str) -> String {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("{name}-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        self.create_namespace(&name);
        name
    }
}
