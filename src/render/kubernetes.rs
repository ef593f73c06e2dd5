//! The Kubernetes version that charts see where `trueup.yaml` names none. Helm's own would depend on
//! how Helm was built: a Helm 3 from `go install` says 1.20, a Helm 4 says the version of its client
//! library.

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::sources::{RenderSource, SourceFormat};
use crate::core::source::formats::{Helm, wrong_version};

/// Asks an API server for its version, as `/version` has it; `None` where it does not tell.
type AskServer = dyn Fn() -> Option<String> + Send + Sync;

/// The version of Kubernetes that charts are rendered for. Clones share what one of them finds out,
/// so that a server is asked once, and only where there is a chart.
#[derive(Clone)]
pub struct KubernetesVersion {
    /// The version where no server tells another.
    release: String,
    server: Option<Arc<AskServer>>,
    asked: Arc<OnceLock<Option<String>>>,
    used: Arc<OnceLock<String>>,
}

impl KubernetesVersion {
    /// That of a release, such as `1.36`.
    pub fn of_release(release: &str) -> Self {
        let patch = if release.split('.').count() == 2 { ".0" } else { "" };
        let release = format!("{release}{patch}");
        Self { release, server: None, asked: Arc::default(), used: Arc::default() }
    }

    /// That of a server, or of a release where the server does not tell.
    pub fn of_server(
        release: &str,
        ask: impl Fn() -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self { server: Some(Arc::new(ask)), ..Self::of_release(release) }
    }

    /// Finds out the version, if these sources need it, and notes it.
    pub(super) fn prepare(&self, options: Option<&Helm>, sources: &[RenderSource]) {
        if sources.iter().any(|source| source.format == SourceFormat::Helm) {
            let own = options.and_then(|options| options.kube_version.clone());
            let version = own.unwrap_or_else(|| self.version());
            let _ = self.used.set(version.trim_start_matches('v').to_owned());
        }
    }

    /// The version for charts that are given none.
    pub(super) fn version(&self) -> String {
        let Some(ask) = &self.server else { return self.release.clone() };
        let asked = self.asked.get_or_init(|| {
            // It becomes an argument, so it has to be one.
            ask().filter(|version| wrong_version(version).is_none())
        });
        asked.clone().unwrap_or_else(|| self.release.clone())
    }

    /// The version that charts were rendered for; `None` as long as none was.
    pub fn used(&self) -> Option<&str> {
        self.used.get().map(String::as_str)
    }
}

/// Two of the same origin are the same, whatever was found out so far.
impl PartialEq for KubernetesVersion {
    fn eq(&self, other: &Self) -> bool {
        (&self.release, self.server.is_some()) == (&other.release, other.server.is_some())
    }
}

impl Eq for KubernetesVersion {}

impl fmt::Debug for KubernetesVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = if self.server.is_some() { "server, or " } else { "" };
        write!(f, "{origin}{}", self.release)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn source(format: SourceFormat) -> RenderSource {
        let path = "a".to_owned();
        RenderSource { format, file: path.clone(), path, reads: [].into(), given: [].into() }
    }

    #[test]
    fn a_server_is_asked_once_and_only_for_a_chart() {
        static ASKED: AtomicUsize = AtomicUsize::new(0);
        let version = KubernetesVersion::of_server("1.36", || {
            ASKED.fetch_add(1, Ordering::Relaxed);
            Some("v1.34.2+k3s1".to_owned())
        });
        version.prepare(None, &[source(SourceFormat::Kustomize), source(SourceFormat::Jsonnet)]);
        assert_eq!((version.used(), ASKED.load(Ordering::Relaxed)), (None, 0));
        for _ in 0..2 {
            version.clone().prepare(None, &[source(SourceFormat::Helm)]);
            assert_eq!(version.version(), "v1.34.2+k3s1");
            assert_eq!((version.used(), ASKED.load(Ordering::Relaxed)), (Some("1.34.2+k3s1"), 1));
        }
    }

    #[test]
    fn the_own_version_of_the_setting_needs_no_server() {
        let version = KubernetesVersion::of_server("1.36", || panic!("it is asked"));
        let own = Helm { kube_version: Some("v1.30.1".to_owned()), ..Helm::default() };
        version.prepare(Some(&own), &[source(SourceFormat::Helm)]);
        assert_eq!(version.used(), Some("1.30.1"));
    }

    #[test]
    fn the_release_counts_where_a_server_tells_no_version() {
        for answer in [None, Some("latest"), Some("1.3 --post-renderer=x"), Some("")] {
            let server = KubernetesVersion::of_server("1.36", move || answer.map(str::to_owned));
            assert_eq!(server.version(), "1.36.0", "{answer:?}");
        }
    }
}
