//! Which Kubernetes version: that of the schemas, and that of charts which are given none.

use tokio::runtime::Handle;

use crate::cluster::Cluster;
use crate::core::kinds::schemas::{DEFAULT, releases};
use crate::core::source::formats::wrong_version;
use crate::render::kubernetes::KubernetesVersion;

/// A version that `--kubernetes-version` names.
#[derive(Clone, Debug)]
pub struct NamedVersion {
    /// The release whose schemas count.
    pub release: &'static str,
    /// All of it, with a patch, as charts see it.
    whole: String,
}

/// Reads `1.36`, `v1.36` or `1.36.3`.
///
/// # Errors
///
/// When it is not a version, or there are no schemas of it.
pub fn version(text: &str) -> Result<NamedVersion, String> {
    if let Some(fault) = wrong_version(text) {
        return Err(fault.to_owned());
    }
    let text = text.trim_start_matches('v');
    let (numbers, build) = text.split_at(text.find(['-', '+']).unwrap_or(text.len()));
    let mut parts = numbers.split('.');
    let wanted =
        format!("{}.{}", parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let release = releases().find(|release| *release == wanted).ok_or_else(|| {
        format!("trueup has the schemas of {}", releases().collect::<Vec<_>>().join(", "))
    })?;
    let whole = format!("{release}.{}{build}", parts.next().unwrap_or("0"));
    Ok(NamedVersion { release, whole })
}

/// The release whose schemas count.
pub fn release_of(version: Option<&NamedVersion>) -> &'static str {
    version.map_or(DEFAULT, |version| version.release)
}

/// The version that charts see without a cluster.
pub fn of_release(version: Option<&NamedVersion>) -> KubernetesVersion {
    KubernetesVersion::of_release(version.map_or(DEFAULT, |version| &version.whole))
}

/// The version that charts see for a cluster: its own. It is asked for it once, beside everything
/// else, and only where there is a chart that is given none.
pub fn of_cluster(cluster: &Cluster) -> KubernetesVersion {
    let cluster = cluster.clone();
    // Programs render on a thread that may wait.
    let ask = move || Handle::try_current().ok()?.block_on(cluster.version());
    KubernetesVersion::of_server(DEFAULT, ask)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patch_of_a_version_is_kept_for_charts() {
        for (text, whole) in [
            ("1.36", "1.36.0"),
            ("v1.36", "1.36.0"),
            ("1.36.3", "1.36.3"),
            ("v1.35.2+k3s1", "1.35.2+k3s1"),
            ("1.35-eks", "1.35.0-eks"),
        ] {
            let version = version(text).unwrap();
            assert_eq!(version.whole, whole);
            assert!(whole.starts_with(version.release));
            assert_eq!(of_release(Some(&version)), KubernetesVersion::of_release(whole));
        }
        assert_eq!(release_of(None), DEFAULT);
        assert_eq!(of_release(None), KubernetesVersion::of_release(DEFAULT));
        for text in ["1.5", "1.36.x", "1.36.3.4", "1.36.3 ", "", "latest", "1.36.3+a/b"] {
            assert!(version(text).is_err(), "{text}");
        }
    }
}
