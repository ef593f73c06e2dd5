//! Which Kubernetes version: that of the schemas, and that of charts which are given none.

use tokio::runtime::Handle;

use crate::cluster::Cluster;
use crate::core::kinds::schemas::{DEFAULT, releases};
use crate::render::kubernetes::KubernetesVersion;

/// Reads `1.36`, `v1.36` or `1.36.3`.
///
/// # Errors
///
/// When there are no schemas of it.
pub fn release(text: &str) -> Result<&'static str, String> {
    let mut parts = text.trim_start_matches('v').split('.');
    let wanted =
        format!("{}.{}", parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    releases().find(|release| *release == wanted).ok_or_else(|| {
        format!("trueup has the schemas of {}", releases().collect::<Vec<_>>().join(", "))
    })
}

/// The version that charts see without a cluster.
pub fn of_release(release: Option<&str>) -> KubernetesVersion {
    KubernetesVersion::of_release(release.unwrap_or(DEFAULT))
}

/// The version that charts see for a cluster: its own. It is asked for it once, beside everything
/// else, and only where there is a chart that is given none.
pub fn of_cluster(cluster: &Cluster) -> KubernetesVersion {
    let cluster = cluster.clone();
    // Programs render on a thread that may wait.
    let ask = move || Handle::try_current().ok()?.block_on(cluster.version());
    KubernetesVersion::of_server(DEFAULT, ask)
}
