//! When Kubernetes serves the versions of its own kinds: since which release, deprecated and removed in
//! which, and what to use instead.
//!
//! `lifecycle.txt` has a line for each, with `-` where nothing is known. The numbers are those of
//! `zz_generated.prerelease-lifecycle.go` in k8s.io/api 0.21 to 0.37, k8s.io/apiextensions-apiserver and
//! k8s.io/kube-aggregator. Where the published schemas of a release say otherwise, they count: a removal
//! may come earlier or later than planned. Kinds without numbers have those of the first and the last
//! release with a schema. Where the code names no replacement, or one that there is not, it is the same
//! kind of a stable version.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::release::Release;

/// The life of a kind in one version.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lifecycle {
    /// The first release that serves it.
    pub introduced: Option<Release>,
    /// The first release that deprecates it.
    pub deprecated: Option<Release>,
    /// The first release that no longer serves it, planned or past.
    pub removed: Option<Release>,
    replacement: Option<&'static str>,
}

/// Where a release is in the life of a kind's version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It comes with a later release.
    Future(Release),
    /// It is served, as far as is known.
    Served,
    /// It is served, and will be removed.
    Deprecated(Release),
    /// It is gone.
    Removed(Release),
}

impl Lifecycle {
    /// The life of `apiVersion/Kind`; `None` for what is not Kubernetes' own, or has always been there.
    pub fn of(api_version: &str, kind: &str) -> Option<&'static Self> {
        ALL.get(format!("{api_version}/{kind}").as_str())
    }

    /// Its stage in a release.
    pub fn stage(&self, release: Release) -> Stage {
        match *self {
            Self { removed: Some(removed), .. } if removed <= release => Stage::Removed(removed),
            Self { introduced: Some(first), .. } if first > release => Stage::Future(first),
            Self { deprecated: Some(since), .. } if since <= release => Stage::Deprecated(since),
            _ => Stage::Served,
        }
    }

    /// The `apiVersion/Kind` to use instead. One that has been replaced itself leads on to the next.
    pub fn replacement(&self) -> Option<&'static str> {
        let mut found = self.replacement?;
        // As many steps as there are lines, were they to go in a circle.
        for _ in 0..ALL.len() {
            match ALL.get(found).and_then(|next| next.replacement) {
                Some(next) => found = next,
                None => break,
            }
        }
        Some(found)
    }

    /// The end of a sentence about something else to use.
    pub fn instead(&self) -> Option<String> {
        self.replacement().map(|other| format!("use {other} instead"))
    }
}

/// A notice about a version in a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The fact.
    pub message: String,
    /// The version to use instead.
    pub hint: Option<String>,
}

/// That the release does not serve the version; `None` where that is not known.
pub fn unserved(api_version: &str, kind: &str, release: Release) -> Option<Notice> {
    let life = Lifecycle::of(api_version, kind)?;
    let when = match life.stage(release) {
        Stage::Removed(since) => format!("removed in {since}"),
        Stage::Future(since) => format!("added in {since}"),
        Stage::Deprecated(_) | Stage::Served => return None,
    };
    let message = format!("Kubernetes {release} does not serve {api_version}/{kind}: {when}");
    Some(Notice { message, hint: life.instead() })
}

/// That the release serves the version for now, or not everywhere.
pub fn aging(api_version: &str, kind: &str, release: Release) -> Option<Notice> {
    let life = Lifecycle::of(api_version, kind);
    let wanted = format!("{api_version}/{kind}");
    let stage = life.map_or(Stage::Served, |life| life.stage(release));
    let message = match (stage, life.and_then(|life| life.removed)) {
        (Stage::Deprecated(since), Some(gone)) => {
            format!("{wanted} is deprecated since Kubernetes {since}, to be removed in {gone}")
        }
        (Stage::Deprecated(since), None) => {
            format!("{wanted} is deprecated since Kubernetes {since}")
        }
        _ if is_off_by_default(api_version) => {
            format!("{wanted} is off by default in Kubernetes {release}")
        }
        _ => return None,
    };
    // An older release may not have the replacement yet.
    let hint = life.and_then(|life| {
        let (api_version, kind) = life.replacement()?.rsplit_once('/')?;
        let is_there = Lifecycle::of(api_version, kind)
            .is_none_or(|life| !matches!(life.stage(release), Stage::Future(_)));
        life.instead().filter(|_| is_there)
    });
    Some(Notice { message, hint })
}

/// The `apiVersion/Kind` of every version that the kinds in question had or have.
pub fn versions_of(is_meant: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let is = |name: &&&str| name.rsplit('/').next().is_some_and(&is_meant);
    let mut found: Vec<&str> = ALL.keys().filter(is).copied().collect();
    found.sort_unstable();
    found
}

/// Why a cluster may not serve one of Kubernetes' own kinds, as a hint; `None` for all others.
pub fn absence(api_version: &str, kind: &str) -> Option<String> {
    let life = Lifecycle::of(api_version, kind)?;
    let off = is_off_by_default(api_version);
    Some(match (life.removed, life.introduced) {
        // A removal that is only planned is no reason yet.
        (Some(removed), _) if removed <= *NEWEST => {
            let hint = format!("Kubernetes no longer serves {api_version}/{kind} since {removed}");
            life.instead().map_or(hint.clone(), |instead| format!("{hint}: {instead}"))
        }
        (_, Some(first)) if off => format!(
            "Kubernetes has {api_version}/{kind} since {first}, off by default: see `--runtime-config` of kube-apiserver"
        ),
        (_, Some(first)) => format!(
            "Kubernetes serves {api_version}/{kind} since {first}: update the cluster, or list the file in .trueupignore"
        ),
        _ => return None,
    })
}

/// Whether an API server serves the version only where it is asked to: alpha and beta versions are off
/// by default since Kubernetes 1.24 (KEP-3136), and those that were on before are removed.
pub fn is_off_by_default(api_version: &str) -> bool {
    let version = api_version.rsplit('/').next().unwrap_or_default();
    version.contains("alpha") || version.contains("beta")
}

/// The newest release that trueup knows of.
static NEWEST: LazyLock<Release> = LazyLock::new(|| {
    let newest = super::schemas::releases().next().and_then(Release::parse);
    newest.unwrap_or(Release { major: 1, minor: 0 })
});

static ALL: LazyLock<HashMap<&'static str, Lifecycle>> = LazyLock::new(|| {
    let lines = include_str!("lifecycle.txt").lines();
    let lives = lines.filter_map(|line| {
        let mut words = line.split(' ');
        let name = words.next()?;
        let mut release = || words.next().and_then(Release::parse);
        let (introduced, deprecated, removed) = (release(), release(), release());
        let replacement = words.next().filter(|word| *word != "-");
        Some((name, Lifecycle { introduced, deprecated, removed, replacement }))
    });
    lives.collect()
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::kinds::schemas::{Schemas, releases};

    fn stage(api_version: &str, kind: &str, release: &str) -> Stage {
        let life = Lifecycle::of(api_version, kind).unwrap();
        life.stage(Release::parse(release).unwrap())
    }

    fn release(text: &str) -> Release {
        Release::parse(text).unwrap()
    }

    #[test]
    fn stages_are_those_of_the_guide() {
        for (api_version, kind, at, expected) in [
            ("policy/v1beta1", "PodDisruptionBudget", "1.24", Stage::Deprecated(release("1.21"))),
            ("policy/v1beta1", "PodDisruptionBudget", "1.25", Stage::Removed(release("1.25"))),
            (
                "autoscaling/v2beta2",
                "HorizontalPodAutoscaler",
                "1.26",
                Stage::Removed(release("1.26")),
            ),
            ("resource.k8s.io/v1", "DeviceClass", "1.31", Stage::Future(release("1.34"))),
            ("resource.k8s.io/v1", "DeviceClass", "1.36", Stage::Served),
            (
                "admissionregistration.k8s.io/v1",
                "MutatingAdmissionPolicy",
                "1.35",
                Stage::Future(release("1.36")),
            ),
        ] {
            assert_eq!(stage(api_version, kind, at), expected, "{api_version} {kind} {at}");
        }
        assert!(Lifecycle::of("example.com/v1", "Thing").is_none());
    }

    #[test]
    fn a_replacement_that_was_replaced_leads_on() {
        let life = Lifecycle::of("flowcontrol.apiserver.k8s.io/v1beta1", "FlowSchema").unwrap();
        assert_eq!(life.replacement(), Some("flowcontrol.apiserver.k8s.io/v1/FlowSchema"));
    }

    #[test]
    fn the_table_agrees_with_the_schemas() {
        for name in releases() {
            let names: Vec<String> = Schemas::of(name).unwrap().names().collect();
            for (kind, life) in ALL.iter() {
                let is_there = names.iter().any(|other| other == kind);
                match life.stage(release(name)) {
                    Stage::Removed(_) | Stage::Future(_) => assert!(!is_there, "{name} {kind}"),
                    Stage::Deprecated(_) => assert!(is_there, "{name} {kind}"),
                    Stage::Served => {}
                }
            }
        }
    }

    #[test]
    fn every_line_can_be_read() {
        let lines = include_str!("lifecycle.txt").lines();
        for line in lines.clone() {
            let words: Vec<&str> = line.split(' ').collect();
            assert_eq!(words.len(), 5, "{line}");
            assert!(words[1..4].iter().all(|w| *w == "-" || Release::parse(w).is_some()), "{line}");
        }
        assert_eq!(ALL.len(), lines.count());
    }
}
