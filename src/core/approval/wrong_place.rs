//! Why an approved plan can't be carried out here: it is for something else.

use super::{ApprovedCluster, Purpose};
use crate::core::remedy::Remedy;
use crate::core::source::snapshot::short;

/// Why an approved plan can't be carried out here.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongPlace {
    /// It was made for another cluster.
    #[error("the plan is for the cluster {} ({}), but this is {name} ({uid})", .approved.name, .approved.uid)]
    OtherCluster {
        /// The cluster that it was made for.
        approved: ApprovedCluster,
        /// This one's name for people.
        name: String,
        /// This one's identity.
        uid: String,
    },
    /// The cluster's identity can't be read.
    #[error(
        "cannot tell whether this is the cluster of the plan: the uid of Namespace kube-system \
        identifies it, and can't be read"
    )]
    UnknownCluster,
    /// The checkout is of another repository.
    #[error("the plan is for the repository whose first commit is {}, which this checkout does not have", short(.repository))]
    OtherRepository {
        /// The id of the repository's first commit.
        repository: String,
        /// Whether the checkout is shallow, so that this may be the same one all the same.
        shallow: bool,
    },
    /// The commit is not here.
    #[error("the commit {commit} of the plan is not in this checkout")]
    NoCommit {
        /// The commit's full id.
        commit: String,
    },
    /// Something else was asked for than what the plan is for.
    #[error("the plan is for {what} {approved}, not {now}")]
    Contradicted {
        /// The kind of place: `target` or `namespace`.
        what: &'static str,
        /// The value in the plan.
        approved: String,
        /// The value of the arguments or the environment.
        now: String,
    },
}

impl WrongPlace {
    /// The remedy.
    pub fn hint(&self) -> Option<Remedy> {
        Some(match self {
            Self::OtherCluster { approved, .. } => {
                Remedy::ChooseCluster { name: approved.name.clone() }
            }
            Self::UnknownCluster => {
                "plan files need the right to get Namespace kube-system".into()
            }
            Self::OtherRepository { shallow: true, .. } => {
                "this checkout is shallow: fetch its whole history (git fetch --unshallow; fetch-depth: 0 in a CI checkout)".into()
            }
            Self::OtherRepository { .. } => Remedy::ChooseCheckout,
            Self::NoCommit { .. } => "fetch it: trueup pull, or git fetch".into(),
            Self::Contradicted { what, .. } => {
                Remedy::LeaveOut { what: (*what).to_owned() }
            }
        })
    }
}

impl Purpose {
    /// Whether the cluster `name` with the identity `uid` is the one that the plan is for.
    ///
    /// # Errors
    ///
    /// When it is not, or that is unknown.
    pub fn is_for(&self, name: &str, uid: Option<&str>) -> Result<(), WrongPlace> {
        let approved = &self.cluster;
        match uid {
            None => Err(WrongPlace::UnknownCluster),
            Some(uid) if uid == approved.uid => Ok(()),
            Some(uid) => Err(WrongPlace::OtherCluster {
                approved: approved.clone(),
                name: name.to_owned(),
                uid: uid.to_owned(),
            }),
        }
    }

    /// Whether `target` and `namespace`, where they are asked for at all, are those of the plan.
    ///
    /// # Errors
    ///
    /// When one is not.
    pub fn agrees(&self, target: Option<&str>, namespace: Option<&str>) -> Result<(), WrongPlace> {
        let asked = [("target", target, &self.target), ("namespace", namespace, &self.namespace)];
        let other = asked.into_iter().find_map(|(what, now, approved)| {
            let now = now.filter(|now| now != approved)?;
            let (approved, now) = (approved.clone(), now.to_owned());
            Some(WrongPlace::Contradicted { what, approved, now })
        });
        other.map_or(Ok(()), Err)
    }
}
