//! Which cluster a target belongs to, and whether the one that answers is that cluster. The machine's
//! own file says so, or the target's first apply did.
//!
//! The uid of Namespace kube-system identifies a cluster. Where the user may not read it, the server's
//! address and its certificate authorities stand for it.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::field_rules::is_like;
use super::remedy::Remedy;

/// The context of `trueup sandbox`. Each is a new cluster, and nothing there is missed, so that none is
/// remembered.
pub const SANDBOX: &str = "trueup-sandbox";

/// A cluster, as far as it can be told from others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterFacts {
    /// The kubeconfig's context, or `in-cluster`.
    pub context: String,
    /// The address of its API server, without what may be secret in that.
    pub server: String,
    /// A digest of the certificate authorities that the kubeconfig has for it.
    pub authorities: Option<String>,
    /// The uid of Namespace kube-system; `None` where the user may not read it.
    pub uid: Option<String>,
}

impl ClusterFacts {
    /// Whether `now` is the same cluster. Its address may change as long as the uid is the same.
    fn is_same(&self, now: &Self) -> bool {
        match (&self.uid, &now.uid) {
            (Some(before), Some(now)) => before == now,
            _ => (&self.server, &self.authorities) == (&now.server, &now.authorities),
        }
    }

    /// Whether `now` is another cluster beyond doubt. One cluster may have several addresses, but they
    /// have one authority, so that both have to differ where no uid is known.
    pub fn is_another(&self, now: &Self) -> bool {
        match (&self.uid, &now.uid) {
            (Some(own), Some(now)) => own != now,
            _ => {
                let differs = |own: &str| now.authorities.as_deref().is_some_and(|now| now != own);
                self.server != now.server && self.authorities.as_deref().is_some_and(differs)
            }
        }
    }
}

impl fmt::Display for ClusterFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { context, server, authorities, uid } = self;
        write!(f, "context {context}, server {server}")?;
        match (uid, authorities) {
            (Some(uid), _) => write!(f, ", uid {uid}"),
            (None, Some(digest)) => {
                let start = digest.get(..12).unwrap_or(digest);
                write!(f, ", uid not readable, certificate authority sha256 {start}")
            }
            (None, None) => write!(f, ", uid not readable"),
        }
    }
}

/// The cluster of a target's first apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RememberedCluster {
    /// The cluster.
    pub cluster: ClusterFacts,
    /// When it was remembered.
    pub at: Timestamp,
}

/// The cluster that the machine's file allows for a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedCluster {
    /// The one with this uid of Namespace kube-system.
    Uid(String),
    /// Those whose server's address is like this pattern, with `*` and `?`.
    Server(String),
}

impl AllowedCluster {
    /// Reads a uid or a pattern of an address.
    ///
    /// # Errors
    ///
    /// When it is neither.
    pub fn read(text: &str) -> Result<Self, String> {
        if text.contains("://") {
            return Ok(Self::Server(text.trim_end_matches('/').to_owned()));
        }
        let lengths: Vec<usize> = text.split('-').map(str::len).collect();
        let is_uid =
            lengths == [8, 4, 4, 4, 12] && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit());
        if is_uid {
            return Ok(Self::Uid(text.to_ascii_lowercase()));
        }
        Err(format!(
            "invalid cluster {text:?}: expected the uid of Namespace kube-system, or the address of \
            a server such as https://prod.example:6443, where * is any text"
        ))
    }

    fn allows(&self, now: &ClusterFacts) -> bool {
        match self {
            Self::Uid(uid) => now.uid.as_ref() == Some(uid),
            Self::Server(pattern) => is_like(pattern, now.server.trim_end_matches('/')),
        }
    }
}

impl fmt::Display for AllowedCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uid(uid) => write!(f, "uid {uid}"),
            Self::Server(pattern) => write!(f, "server {pattern}"),
        }
    }
}

/// A rule of the machine's file, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterRule {
    /// The cluster that it allows.
    pub allowed: AllowedCluster,
    /// Its place: `/home/ops/.config/trueup/config.yaml:3:12`.
    pub place: String,
}

/// The source of the expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The machine's file.
    Rule(ClusterRule),
    /// An earlier apply of this machine.
    Remembered(RememberedCluster),
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(ClusterRule { allowed, place }) => write!(f, "{allowed}, by {place}"),
            Self::Remembered(RememberedCluster { cluster, at }) => {
                write!(f, "{cluster}, remembered on {}", at.strftime("%Y-%m-%d %H:%M UTC"))
            }
        }
    }
}

/// The cluster that answers is not the target's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "context {} leads to another cluster than target {target} belongs to; nothing was written\n  \
    expected: {expected}\n  now:      {now}",
    .now.context
)]
pub struct WrongCluster {
    /// The target's name.
    pub target: String,
    /// The cluster that it belongs to.
    pub expected: Expected,
    /// The cluster that answers.
    pub now: ClusterFacts,
}

impl WrongCluster {
    /// The remedy.
    pub fn hint(&self) -> Remedy {
        match &self.expected {
            Expected::Rule(rule) => Remedy::RightContext { rule: rule.place.clone() },
            Expected::Remembered(_) => Remedy::NewCluster { target: self.target.clone() },
        }
    }
}

impl Expected {
    /// Whether `now` is the cluster that the target belongs to.
    ///
    /// # Errors
    ///
    /// When it is another one, or can't be told from others.
    pub fn check(self, target: &str, now: ClusterFacts) -> Result<(), Box<WrongCluster>> {
        let is_right = match &self {
            Self::Rule(rule) => rule.allowed.allows(&now),
            Self::Remembered(remembered) => remembered.cluster.is_same(&now),
        };
        if is_right {
            return Ok(());
        }
        Err(Box::new(WrongCluster { target: target.to_owned(), expected: self, now }))
    }

    /// Whether `now` is known to be another cluster. An address that was remembered may be one of
    /// several of one cluster, so that it excludes none.
    pub fn excludes(&self, now: &ClusterFacts) -> bool {
        let differs = |expected: &str| now.uid.as_ref().is_some_and(|uid| uid != expected);
        match self {
            Self::Rule(ClusterRule { allowed: AllowedCluster::Uid(uid), .. }) => differs(uid),
            Self::Rule(rule) => !rule.allowed.allows(now),
            Self::Remembered(RememberedCluster { cluster, .. }) => {
                cluster.uid.as_deref().is_some_and(differs)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UID: &str = "3f2a9c4e-0000-4000-8000-00000000abcd";

    fn facts(context: &str, server: &str, uid: Option<&str>) -> ClusterFacts {
        ClusterFacts {
            context: context.to_owned(),
            server: server.to_owned(),
            authorities: Some(format!("ca of {server}")),
            uid: uid.map(str::to_owned),
        }
    }

    #[test]
    fn a_cluster_is_known_by_its_uid_and_else_by_address_and_authority() {
        let (a, b) = ("https://a:6443", "https://b:6443");
        for (before, now, is_same) in [
            (facts("x", a, Some("u1")), facts("y", b, Some("u1")), true),
            (facts("x", a, Some("u1")), facts("x", a, Some("u2")), false),
            (facts("x", a, None), facts("y", a, None), true),
            (facts("x", a, None), facts("x", b, None), false),
            (facts("x", a, Some("u1")), facts("x", a, None), true),
            (facts("x", a, Some("u1")), facts("x", b, None), false),
        ] {
            let at = Timestamp::UNIX_EPOCH;
            let expected = Expected::Remembered(RememberedCluster { cluster: before, at });
            assert_eq!(expected.check("prod", now.clone()).is_ok(), is_same, "{now}");
        }
        let other_authority = ClusterFacts { authorities: None, ..facts("x", a, None) };
        assert!(!facts("x", a, None).is_same(&other_authority));
    }

    #[test]
    fn a_cluster_is_another_one_only_where_that_is_known() {
        let (a, b) = ("https://a:6443", "https://b:6443");
        let remembered = |uid| {
            let (cluster, at) = (facts("x", a, uid), Timestamp::UNIX_EPOCH);
            Expected::Remembered(RememberedCluster { cluster, at })
        };
        let rule = |text| {
            let (allowed, place) = (AllowedCluster::read(text).unwrap(), String::new());
            Expected::Rule(ClusterRule { allowed, place })
        };
        for (expected, server, uid, excludes) in [
            (remembered(Some("u1")), b, Some("u1"), false),
            (remembered(Some("u1")), a, Some("u2"), true),
            (remembered(Some("u1")), b, None, false),
            (remembered(None), b, Some("u2"), false),
            (rule(UID), a, Some(UID), false),
            (rule(UID), a, Some("u2"), true),
            (rule(UID), a, None, false),
            (rule("https://a:*"), a, None, false),
            (rule("https://a:*"), b, None, true),
        ] {
            let now = facts("y", server, uid);
            assert_eq!(expected.excludes(&now), excludes, "{expected}: {now}");
        }
    }

    #[test]
    fn another_address_and_another_authority_make_another_cluster() {
        let a = facts("x", "https://a:6443", None);
        let b = facts("y", "https://b:6443", None);
        let none = |facts: &ClusterFacts| ClusterFacts { authorities: None, ..facts.clone() };
        for (own, now, is_another) in [
            (a.clone(), b.clone(), true),
            (a.clone(), a.clone(), false),
            (a.clone(), ClusterFacts { authorities: a.authorities.clone(), ..b.clone() }, false),
            (a.clone(), ClusterFacts { authorities: b.authorities.clone(), ..a.clone() }, false),
            (a.clone(), none(&b), false),
            (none(&a), b.clone(), false),
            (
                facts("x", "https://a:6443", Some("u1")),
                facts("y", "https://b:6443", Some("u1")),
                false,
            ),
            (
                facts("x", "https://a:6443", Some("u1")),
                facts("x", "https://a:6443", Some("u2")),
                true,
            ),
        ] {
            assert_eq!(own.is_another(&now), is_another, "{own}: {now}");
        }
    }

    #[test]
    fn machine_file_allows_a_uid_or_addresses() {
        for (rule, server, uid, is_allowed) in [
            (UID, "https://a", Some(UID), true),
            (&UID.to_uppercase(), "https://a", Some(UID), true),
            (UID, "https://a", None, false),
            (UID, "https://a", Some("other"), false),
            ("https://prod-?.example:*", "https://prod-1.example:6443/", None, true),
            ("https://prod-?.example:*", "https://test-1.example:6443", None, false),
            ("https://prod.example/", "https://prod.example/", None, true),
        ] {
            let allowed = AllowedCluster::read(rule).unwrap();
            assert_eq!(allowed.allows(&facts("x", server, uid)), is_allowed, "{rule} {server}");
        }
        for wrong in ["prod", "", "3f2a9c4e", "3f2a9c4e-0000-4000-8000-00000000abcg"] {
            assert!(AllowedCluster::read(wrong).unwrap_err().contains("expected the uid"));
        }
    }

    #[test]
    fn refusal_names_both_clusters() {
        let at = "2026-03-01T12:34:56Z".parse().unwrap();
        let before = facts("prod-admin", "https://prod:6443", Some(UID));
        let expected = Expected::Remembered(RememberedCluster { cluster: before, at });
        let refused = expected.check("prod", facts("kind", "https://127.0.0.1:1", None));
        assert_eq!(
            refused.unwrap_err().to_string(),
            "context kind leads to another cluster than target prod belongs to; nothing was written\n  \
            expected: context prod-admin, server https://prod:6443, uid 3f2a9c4e-0000-4000-8000-00000000abcd, remembered on 2026-03-01 12:34 UTC\n  \
            now:      context kind, server https://127.0.0.1:1, uid not readable, certificate authority sha256 ca of https:"
        );
    }
}
