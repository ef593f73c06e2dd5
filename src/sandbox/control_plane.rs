//! Every program's flags, the files they read, and the order in which they start.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::TcpListener;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::api::Api;
use super::identity::{Identity, IssuedCertificate};
use super::keeper::{Keeper, ProgramStart};
use super::programs::{Controllers, Programs};
use super::{Error, Listener, SandboxEvent, WebhookCalls, nodes};
use crate::core::json::json;
use crate::local::offline::NO_WEBHOOKS;

/// How long a program may take to answer. It takes a few seconds; a busy machine takes more.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often to ask.
const PAUSE: Duration = Duration::from_millis(20);
/// How many ports may be snatched away between being found free and being listened on.
const PORTS: usize = 5;

/// The socket of etcd, in the sandbox's folder, which every program runs in: an absolute path may
/// be too long for a socket.
const ETCD: &str = "unix://etcd.sock:0";
const ETCD_PEERS: &str = "unix://peers.sock:0";
const ETCD_SOCKET: &str = "etcd.sock:0";

/// Says how the API server reaches others.
const EGRESS_FILE: &str = "egress.json";

/// Everything about every request but the bodies, which may hold secrets.
const AUDIT_POLICY: &str =
    r#"{"apiVersion":"audit.k8s.io/v1","kind":"Policy","rules":[{"level":"Metadata"}]}"#;

/// An API server that answers.
pub(super) struct ApiServer {
    pub(super) kubeconfig: PathBuf,
    pub(super) audit_log: PathBuf,
    api: Api,
    address: String,
    identity: Identity,
}

/// Starts etcd and the API server, and waits until they answer.
pub(super) async fn start(
    programs: &Programs,
    calls: WebhookCalls,
    keeper: &mut Keeper,
    events: Listener<'_>,
) -> Result<ApiServer, Error> {
    let identity = Identity::new()?;
    let folder = keeper.folder().to_owned();
    write_server_files(&folder, &identity)?;
    if calls == WebhookCalls::Disabled {
        write(&folder.join(EGRESS_FILE), &egress())?;
    }
    events(SandboxEvent::Starting("etcd"));
    run(keeper, "etcd", &programs.etcd, etcd_flags())?;
    let socket = folder.join(ETCD_SOCKET);
    // To connect to it by this path could be beyond what an address may hold.
    wait(keeper, "etcd", async || socket.exists()).await?;
    events(SandboxEvent::Starting("kube-apiserver"));
    let admin = identity.client("admin", Some("system:masters"))?;
    for attempt in 1.. {
        let port = free_port().map_err(Error::file("find a free port on", "127.0.0.1"))?;
        let address = format!("https://127.0.0.1:{port}");
        let api = Api::new(&address, &identity, &admin)?;
        let flags = apiserver_flags(port, programs.controllers.is_some(), calls);
        run(keeper, "kube-apiserver", &programs.kube_apiserver, flags)?;
        // The first is the server's own word; the second is made a little later, in the background.
        let answers = async || {
            api.is_ready("/readyz").await && api.is_ready("/api/v1/namespaces/default").await
        };
        match wait(keeper, "kube-apiserver", answers).await {
            Ok(()) => {
                let kubeconfig = folder.join("kubeconfig");
                write(&kubeconfig, &identity.kubeconfig(&address, &admin))?;
                let audit_log = folder.join("audit.log");
                return Ok(ApiServer { kubeconfig, audit_log, api, address, identity });
            }
            Err(Error::Died { log, .. })
                if attempt < PORTS && log.contains("address already in use") => {}
            Err(error) => return Err(error),
        }
    }
    unreachable!("the last attempt returns")
}

/// Starts what makes things happen, and waits until pods could run.
pub(super) async fn start_controllers(
    programs: &Controllers,
    server: &ApiServer,
    keeper: &mut Keeper,
    events: Listener<'_>,
) -> Result<(), Error> {
    let folder = keeper.folder().to_owned();
    let Controllers { kube_controller_manager, kube_scheduler, kwok } = programs;
    for (user, group) in [
        ("system:kube-controller-manager", None),
        ("system:kube-scheduler", None),
        ("kwok", Some("system:masters")),
    ] {
        let pair = server.identity.client(user, group)?;
        let file = folder.join(user.trim_start_matches("system:")).with_extension("kubeconfig");
        write(&file, &server.identity.kubeconfig(&server.address, &pair))?;
    }
    write(&folder.join("stages.yaml"), nodes::STAGES)?;
    for (name, program, flags) in [
        ("kube-controller-manager", kube_controller_manager, controller_manager_flags()),
        ("kube-scheduler", kube_scheduler, scheduler_flags()),
        ("kwok", kwok, kwok_flags()),
    ] {
        events(SandboxEvent::Starting(name));
        run(keeper, name, program, flags)?;
    }
    for node in nodes::nodes() {
        server.api.create("/api/v1/nodes", &node).await?;
    }
    let account = "/api/v1/namespaces/default/serviceaccounts/default";
    wait(keeper, "kube-controller-manager", async || server.api.is_ready(account).await).await?;
    wait(keeper, "kwok", async || {
        server.api.get("/api/v1/nodes").await.is_some_and(|list| nodes::are_ready(&list))
    })
    .await
}

fn run(keeper: &mut Keeper, name: &str, program: &Path, args: Vec<String>) -> Result<(), Error> {
    let folder = keeper.folder().to_owned();
    // etcd takes flags from the environment, kwok from the home folder, and Go programs would look
    // for proxies.
    let home = ["HOME", "TMPDIR"].map(|name| (name.to_owned(), Some(folder.display().to_string())));
    keeper.run(ProgramStart {
        name: name.to_owned(),
        program: program.to_owned(),
        args,
        shielded: true,
        env: home.into(),
        log: keeper.log(name),
        folder,
    })
}

/// Waits until the answer is yes; a program's end is an error at once.
async fn wait(
    keeper: &mut Keeper,
    name: &str,
    answers: impl AsyncFn() -> bool,
) -> Result<(), Error> {
    let started = Instant::now();
    let poll = async {
        while started.elapsed() < PATIENCE {
            if answers().await {
                return true;
            }
            tokio::time::sleep(PAUSE).await;
        }
        false
    };
    tokio::select! {
        ended = keeper.ended() => {
            let ended = ended?;
            Err(keeper.died(&ended))
        }
        answered = poll => match answered {
            true => Ok(()),
            false => Err(Error::NotReady {
                what: name.to_owned(),
                seconds: PATIENCE.as_secs(),
                log: keeper.tail(name),
            }),
        },
    }
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn write_server_files(folder: &Path, identity: &Identity) -> Result<(), Error> {
    let IssuedCertificate { certificate, key } = identity.server()?;
    let accounts = rcgen::KeyPair::generate()?;
    for (name, content) in [
        ("ca.crt", identity.authority().pem()),
        ("server.crt", certificate.pem()),
        ("server.key", key.serialize_pem()),
        ("accounts.key", accounts.serialize_pem()),
        ("accounts.pub", accounts.public_key_pem()),
        ("audit-policy.json", AUDIT_POLICY.to_owned()),
    ] {
        write(&folder.join(name), &content)?;
    }
    Ok(())
}

/// Writes a file that no other user can read, not even for a moment.
fn write(path: &Path, content: &str) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(content.as_bytes())).map_err(Error::file("write", path))
}

fn etcd_flags() -> Vec<String> {
    flags(&[
        "--data-dir=etcd",
        &format!("--listen-client-urls={ETCD}"),
        &format!("--advertise-client-urls={ETCD}"),
        &format!("--listen-peer-urls={ETCD_PEERS}"),
        &format!("--initial-advertise-peer-urls={ETCD_PEERS}"),
        &format!("--initial-cluster=default={ETCD_PEERS}"),
        "--unsafe-no-fsync", // nothing here is worth a disk's while
        "--log-level=warn",
    ])
}

/// Leads every connection to a host that an object names through a proxy that is not there. What
/// the API server calls by URL goes the way `controlplane`, and what it calls as a Service, as it
/// does the servers of APIServices, the way `cluster` (k8s.io/apiserver, `pkg/util/webhook`).
fn egress() -> String {
    let ways = ["controlplane", "cluster"].map(|name| {
        let connection = json!({
            "proxyProtocol": "HTTPConnect", "transport": { "uds": { "udsName": NO_WEBHOOKS } },
        });
        json!({ "name": name, "connection": connection })
    });
    json!({
        "apiVersion": "apiserver.k8s.io/v1beta1",
        "kind": "EgressSelectorConfiguration",
        "egressSelections": ways,
    })
    .to_string()
}

fn apiserver_flags(port: u16, controllers: bool, calls: WebhookCalls) -> Vec<String> {
    let mut all = flags(&[
        &format!("--etcd-servers={ETCD}"),
        "--bind-address=127.0.0.1",
        &format!("--secure-port={port}"),
        // Nothing but loopback may reach it, and loopback can't be an endpoint of a Service.
        "--advertise-address=127.0.0.1",
        "--endpoint-reconciler-type=none",
        "--cert-dir=certificates",
        "--tls-cert-file=server.crt",
        "--tls-private-key-file=server.key",
        "--client-ca-file=ca.crt",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        "--service-account-key-file=accounts.pub",
        "--service-account-signing-key-file=accounts.key",
        // Of both families: what a Service may ask for is not the sandbox's to narrow.
        "--service-cluster-ip-range=10.96.0.0/16,fd00:10:96::/112",
        "--authorization-mode=RBAC",
        "--allow-privileged=true",
        "--profiling=false",
        "--audit-policy-file=audit-policy.json",
        "--audit-log-path=audit.log",
        "--audit-log-maxsize=1000000", // in MB: one file, so that whoever counts sees all
    ]);
    if calls == WebhookCalls::Disabled {
        all.push(format!("--egress-selector-config-file={EGRESS_FILE}"));
    }
    if !controllers {
        // The account that every pod would have to name is never created.
        all.push("--disable-admission-plugins=ServiceAccount".to_owned());
    }
    all
}

fn controller_manager_flags() -> Vec<String> {
    flags(&[
        "--kubeconfig=kube-controller-manager.kubeconfig",
        "--use-service-account-credentials=true",
        "--service-account-private-key-file=accounts.key",
        "--root-ca-file=ca.crt",
        // A simulated node has no kubelet that would report again and again that it is well.
        "--node-monitor-grace-period=10000h",
        "--leader-elect=false",
        "--secure-port=0",
        "--kube-api-qps=1000",
        "--kube-api-burst=2000",
    ])
}

fn scheduler_flags() -> Vec<String> {
    flags(&[
        "--kubeconfig=kube-scheduler.kubeconfig",
        "--leader-elect=false",
        "--secure-port=0",
        "--kube-api-qps=1000",
        "--kube-api-burst=2000",
    ])
}

fn kwok_flags() -> Vec<String> {
    flags(&[
        "--kubeconfig=kwok.kubeconfig",
        "--config=stages.yaml",
        "--manage-all-nodes=true",
        "--cidr=10.244.0.1/16",
    ])
}

fn flags(flags: &[&str]) -> Vec<String> {
    flags.iter().map(|flag| (*flag).to_owned()).collect()
}
