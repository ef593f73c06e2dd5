//! A Deployment that watches, and a CronJob that runs rounds. The account's roles come from
//! [`crate::core::rbac`].

use super::cron::{NoSchedule, schedule};
use super::{Installation, Replicas, on_one_line, quoted};

/// The form of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// A pod that watches, or several that share the targets.
    Deployment,
    /// A pod for each round.
    CronJob,
}

/// A folder of the pod's own: the checkout, what it remembers, and its caches.
const DATA: &str = "/data";
const CHECKOUT: &str = "/data/checkout";

/// The account and the workload.
///
/// # Errors
///
/// When a CronJob can't have the interval.
pub fn workload(install: &Installation, form: Workload) -> Result<String, NoSchedule> {
    let account = &install.account;
    let mut text = format!("# {} of {}\n", kind(form), on_one_line(install.title()));
    text += "# A private remote needs a credential: mount a Secret as /data/.netrc. For SSH, mount a key, name it\n";
    text +=
        "# by GIT_SSH_COMMAND, and take an image that has ssh. `trueup help service` says more.\n";
    text += &format!(
        "---\napiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {}\n  namespace: {}\n",
        quoted(&account.name),
        quoted(&account.namespace)
    );
    text += &format!("---\napiVersion: {}\nkind: {}\n", api_version(form), kind(form));
    text += &format!(
        "metadata:\n  name: {}\n  namespace: {}\n  labels: {}\nspec:\n",
        quoted(install.name()),
        quoted(&account.namespace),
        labels(install)
    );
    let interval = install.interval();
    match form {
        Workload::Deployment => {
            text += &match &install.replicas {
                None => "  # One writer: a second pod would only wait for its lock.\n  \
                         replicas: 1\n  strategy:\n    type: Recreate\n"
                    .to_owned(),
                Some(Replicas { count, .. }) => format!(
                    "  # Each pod watches its share of the targets, and takes over those of one that is gone.\n  \
                     replicas: {count}\n  \
                     # A new pod has its share before an old one gives its own back.\n  \
                     minReadySeconds: 15\n  strategy:\n    type: RollingUpdate\n    \
                     rollingUpdate: {{maxSurge: 1, maxUnavailable: 0}}\n"
                ),
            };
            text += &format!("  selector:\n    matchLabels: {}\n", labels(install));
            text += "  template:\n";
            let mut watch = install.watch(CHECKOUT, &["--interval", &interval]);
            if install.replicas.is_some() {
                watch.extend(["--listen", "0.0.0.0:9464"]);
            }
            text += &indented(&pod(install, "Always", &watch), 4);
        }
        Workload::CronJob => {
            text += &format!("  schedule: {}\n", quoted(&schedule(install.interval)?));
            text += "  concurrencyPolicy: Forbid\n  startingDeadlineSeconds: 60\n";
            text += "  successfulJobsHistoryLimit: 1\n  failedJobsHistoryLimit: 3\n";
            text += "  jobTemplate:\n    spec:\n      # The next round is the retry.\n";
            text += "      backoffLimit: 0\n      template:\n";
            let watch = install.watch(CHECKOUT, &["--once"]);
            text += &indented(&pod(install, "Never", &watch), 8);
        }
    }
    Ok(text)
}

fn kind(form: Workload) -> &'static str {
    match form {
        Workload::Deployment => "Deployment",
        Workload::CronJob => "CronJob",
    }
}

fn api_version(form: Workload) -> &'static str {
    match form {
        Workload::Deployment => "apps/v1",
        Workload::CronJob => "batch/v1",
    }
}

fn labels(install: &Installation) -> String {
    // A label's value is shorter than a name.
    let name: String = install.name().chars().take(63).collect();
    let name = name.trim_end_matches(['-', '.']);
    format!("{{app.kubernetes.io/name: trueup, app.kubernetes.io/instance: {}}}", quoted(name))
}

/// A pod template.
fn pod(install: &Installation, restart: &str, watch: &[&str]) -> String {
    let mut text = format!("metadata:\n  labels: {}\nspec:\n", labels(install));
    text += &format!("  serviceAccountName: {}\n", quoted(&install.account.name));
    text += &format!("  restartPolicy: {restart}\n");
    text += "  # A round that writes ends before it stops.\n  terminationGracePeriodSeconds: 60\n";
    text +=
        "  securityContext:\n    runAsNonRoot: true\n    runAsUser: 65532\n    runAsGroup: 65532\n";
    text += "    fsGroup: 65532\n    seccompProfile:\n      type: RuntimeDefault\n";
    if install.replicas.is_some() {
        text += "  topologySpreadConstraints:\n    - maxSkew: 1\n      topologyKey: kubernetes.io/hostname\n";
        text += "      whenUnsatisfiable: ScheduleAnyway\n";
        text += &format!("      labelSelector:\n        matchLabels: {}\n", labels(install));
    }
    text += "  initContainers:\n";
    text += &container(install, "clone", &install.pull(CHECKOUT));
    text += "  containers:\n";
    text += &container(install, "watch", watch);
    if install.replicas.is_some() {
        text += "      ports:\n        - {name: metrics, containerPort: 9464}\n";
        text += "      livenessProbe:\n        httpGet: {path: /healthz, port: metrics}\n";
        text += "        periodSeconds: 30\n";
    }
    text + "  volumes:\n    - name: data\n      emptyDir:\n        sizeLimit: 1Gi\n\
            \x20   - name: tmp\n      emptyDir:\n        sizeLimit: 1Gi\n"
}

fn container(install: &Installation, name: &str, args: &[&str]) -> String {
    let args: Vec<String> = args.iter().map(|arg| quoted(arg)).collect();
    let mut text = format!("    - name: {name}\n      image: {}\n", quoted(&install.image));
    text +=
        &format!("      command: [\"trueup\"]\n      args: [{}]\n      env:\n", args.join(", "));
    for (key, value) in [
        ("HOME", DATA.to_owned()),
        ("XDG_STATE_HOME", format!("{DATA}/state")),
        ("XDG_CACHE_HOME", format!("{DATA}/cache")),
    ] {
        text += &format!("        - name: {key}\n          value: {}\n", quoted(&value));
    }
    text += "      resources:\n        requests: {cpu: 50m, memory: 64Mi}\n";
    text += "        limits: {memory: 512Mi}\n      securityContext:\n";
    text += "        allowPrivilegeEscalation: false\n        readOnlyRootFilesystem: true\n";
    text += "        capabilities:\n          drop: [ALL]\n      volumeMounts:\n";
    text += &format!("        - name: data\n          mountPath: {DATA}\n");
    text + "        - name: tmp\n          mountPath: /tmp\n"
}

fn indented(text: &str, spaces: usize) -> String {
    let indent = " ".repeat(spaces);
    text.lines().map(|line| format!("{indent}{line}\n")).collect()
}
