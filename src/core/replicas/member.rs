//! The Lease of a member.

use jiff::Timestamp;

use super::{DURATION, GROUP, ReplicaGroup};
use crate::core::json::json;
use crate::core::lease::{Candidate, LeaseState, lease, precise};
use crate::core::object::Object;

/// Annotation: the identity whose Lease was seen to expire, on a Lease that has no holder any more.
const EXPIRED: &str = "trueup.dev/expired";

/// The Lease of some member, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberState {
    /// Its holder, and how long it lasts.
    pub lease: LeaseState,
    /// The identity that was seen to expire.
    pub expired: Option<String>,
    /// When it was renewed by its holder's own clock: no two renewals have the same time.
    pub renewed: String,
}

impl MemberState {
    /// Reads a Lease.
    pub fn of(lease: &Object) -> Self {
        let state = LeaseState::lasting(lease, DURATION);
        let renewed = lease.0.get("spec").and_then(|spec| spec.get("renewTime")?.as_str());
        let expired = lease.annotation(EXPIRED).filter(|_| state.identity.is_none());
        Self {
            expired: expired.map(str::to_owned),
            renewed: renewed.unwrap_or_default().to_owned(),
            lease: state,
        }
    }
}

/// The Lease that says at `now` that `who` is a member. It takes the place of `before`, and is refused
/// where that has moved.
pub fn member(
    group: &ReplicaGroup,
    before: Option<&Object>,
    who: &Candidate,
    now: Timestamp,
) -> Object {
    let known = before.and_then(|lease| lease.0.get("spec")?.get("acquireTime").cloned());
    lease(
        &group.lease(who),
        before,
        json!({ "labels": { GROUP: group.name } }),
        json!({
            "holderIdentity": who.identity(),
            "leaseDurationSeconds": DURATION.as_secs(),
            "acquireTime": known.unwrap_or_else(|| precise(now).into()),
            "renewTime": precise(now),
        }),
    )
}

/// The Lease `before` of a member that was seen to expire, so that all others know, and so does the
/// member when it comes back. It is refused where the Lease has moved: then its holder lives.
pub fn expired(before: &Object) -> Object {
    let mut lease = before.clone();
    let identity = before.0.get("spec").and_then(|spec| spec.get("holderIdentity").cloned());
    lease.metadata_mut().remove("managedFields");
    lease.metadata_mut().insert("annotations".to_owned(), json!({ EXPIRED: identity }));
    lease.fields_mut().insert("spec".to_owned(), json!({}));
    lease
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::core::lease::{LeaseOwnership, LeaseWatch};

    fn who(mark: &str) -> Candidate {
        let (user, host) = ("trueup".to_owned(), "trueup-7d9f".to_owned());
        Candidate { user, host, pid: 1, mark: mark.to_owned() }
    }

    fn group() -> ReplicaGroup {
        ReplicaGroup { name: "shop".to_owned(), namespace: "infra".to_owned() }
    }

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    const NOON: &str = "2026-03-01T12:00:00Z";

    /// The Lease of a member as the server has it in its `version`th state.
    fn written(mut lease: Object, version: u32) -> Object {
        lease.metadata_mut().insert("resourceVersion".to_owned(), version.to_string().into());
        lease.metadata_mut().insert("uid".to_owned(), "u".into());
        lease
    }

    #[test]
    fn a_member_expires_by_observation() {
        let lease = written(member(&group(), None, &who("a"), at(NOON)), 1);
        assert_eq!((lease.name(), lease.namespace()), ("trueup-shop-a", Some("infra")));
        let state = MemberState::of(&lease);
        let (begin, mut watched) = (Instant::now(), LeaseWatch::default());
        let mut standing = |seconds| {
            watched.standing(&state.lease, &who("b"), begin + Duration::from_secs(seconds))
        };
        assert_eq!(standing(0), LeaseOwnership::Theirs);
        assert_eq!(standing(12), LeaseOwnership::Theirs);
        assert_eq!(standing(13), LeaseOwnership::Expired);
    }

    #[test]
    fn an_expiry_is_written_in_the_place_of_what_was_seen() {
        let before = written(member(&group(), None, &who("a"), at(NOON)), 7);
        let over = expired(&before);
        assert_eq!(over.resource_version(), Some("7"), "a renewal in between counts");
        let state = MemberState::of(&over);
        assert_eq!(state.expired, Some(who("a").identity()));
        assert_eq!(state.lease.identity, None);
        assert!(over.0["metadata"]["labels"][GROUP] == "shop", "the group still sees it");
        // A holder that is there has not expired, whatever an annotation says.
        let mut forged = before.clone();
        forged.metadata_mut().insert("annotations".to_owned(), json!({ EXPIRED: "x" }));
        assert_eq!(MemberState::of(&forged).expired, None);
    }

    #[test]
    fn renewing_keeps_the_time_it_joined() {
        let before = written(member(&group(), None, &who("a"), at(NOON)), 1);
        let now = member(&group(), Some(&before), &who("a"), at("2026-03-01T12:00:04Z"));
        assert_eq!(now.0["spec"]["acquireTime"], before.0["spec"]["acquireTime"]);
        assert_eq!(MemberState::of(&now).renewed, "2026-03-01T12:00:04.000000Z");
        assert_eq!(now.resource_version(), Some("1"));
    }
}
