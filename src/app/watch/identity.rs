//! Which cluster a watch writes to.

use std::fmt;

use crate::cluster::Cluster;

/// The cluster that a watch writes to. A kubeconfig may be changed or lost while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterIdentity {
    /// Its name for people.
    name: String,
    /// Where its API server is.
    url: String,
    /// Its identity among clusters; `None` where the user may not read that.
    uid: Option<String>,
}

impl ClusterIdentity {
    pub(super) fn of(cluster: &Cluster, uid: Option<&String>) -> Self {
        let (name, url) = (cluster.name().to_owned(), cluster.url().to_owned());
        Self { name, url, uid: uid.cloned() }
    }

    /// Whether `now`, where the kubeconfig leads now, is the same cluster. The address may change as
    /// long as the uid is the same.
    pub(super) fn is_same(&self, now: &Self) -> bool {
        match (&self.uid, &now.uid) {
            (Some(before), Some(now)) => before == now,
            _ => self.url == now.url,
        }
    }
}

impl fmt::Display for ClusterIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, url, uid } = self;
        write!(f, "{name} at {url}")?;
        match uid {
            Some(uid) => write!(f, " (uid {uid})"),
            None => Ok(()),
        }
    }
}
