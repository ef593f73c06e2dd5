//! The lock of an inventory: a Lease (`coordination.k8s.io/v1`) of the same name beside it. Who
//! holds it, and when a holder no longer counts.
//!
//! Data and rules only: [`crate::cluster`] reads and writes the Lease, [`crate::app`] says when it
//! is taken. No two clocks are compared: a Lease has expired when it was seen not to move for as
//! long as it lasts.

use std::fmt;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;

use crate::core::inventory::Inventory;
use crate::core::json::{Value, json};
use crate::core::object::Object;
use crate::core::policy::run_options::as_seconds;
use crate::core::source::snapshot;

/// How long a Lease lasts after it was renewed.
pub const DURATION: Duration = Duration::from_secs(30);
/// How often it is renewed.
pub const RENEWAL: Duration = Duration::from_secs(10);
/// The longest that another holder's Lease is believed to last, by our clock.
const LONGEST: u32 = 10;

/// Annotation: who holds it, as a person says it.
const USER: &str = "trueup.dev/user";
/// Annotation: on which machine.
const HOST: &str = "trueup.dev/host";
/// Annotation: in which process.
const PID: &str = "trueup.dev/pid";
/// Annotation: the commit that the holder makes true.
const REVISION: &str = "trueup.dev/revision";
/// Annotation: the branch or tag that led to it, where a target tracks one.
const TRACKED: &str = "trueup.dev/ref";

/// The identity of a run that wants to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The user on that machine.
    pub user: String,
    /// The machine.
    pub host: String,
    /// The process.
    pub pid: u32,
    /// The mark that distinguishes two processes that look the same, as in two containers.
    pub mark: String,
}

impl Candidate {
    /// The Lease's `holderIdentity`.
    pub fn identity(&self) -> String {
        format!("{}@{}/{}/{}", self.user, self.host, self.pid, self.mark)
    }

    /// The identity without the process: `user@host`.
    pub fn person(&self) -> String {
        format!("{}@{}", self.user, self.host)
    }
}

/// A holder of a Lease, as it is shown to a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// `user@host (pid 123)`, or the `holderIdentity` where nothing else is known.
    pub name: String,
    /// The commit that is being made true, shortened.
    pub revision: Option<String>,
    /// For how long it had been held when it was renewed last, by the holder's own clock.
    #[serde(serialize_with = "as_seconds")]
    pub held: Duration,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.revision {
            Some(revision) => write!(f, "{}, who applies {revision}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// The content of a Lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseState {
    /// The identity of its holder; `None` where it is free.
    pub identity: Option<String>,
    /// Its holder, for people.
    pub holder: Holder,
    /// The state that it is in: any write makes another.
    version: String,
    /// How long it lasts after it was renewed.
    duration: Duration,
    /// When the server last took a write, by the server's clock.
    written: Option<Timestamp>,
}

/// When a Lease was renewed, by its holder's clock.
pub fn renewed(lease: &Object) -> Option<Timestamp> {
    time(lease, "renewTime")
}

fn time(lease: &Object, key: &str) -> Option<Timestamp> {
    lease.0.get("spec")?.get(key)?.as_str()?.parse().ok()
}

impl LeaseState {
    /// Reads the Lease of a lock.
    pub fn of(lease: &Object) -> Self {
        Self::lasting(lease, DURATION)
    }

    /// Reads a Lease that lasts at least so long, whatever it says.
    pub fn lasting(lease: &Object, least: Duration) -> Self {
        let spec = |key: &str| lease.0.get("spec").and_then(|spec| spec.get(key));
        let text = |key: &str| spec(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        let identity = text("holderIdentity").map(str::to_owned);
        let noted = |key: &str| lease.annotation(key).filter(|text| !text.is_empty());
        let name = match (noted(USER), noted(HOST), noted(PID)) {
            (Some(user), Some(host), Some(pid))
                if identity
                    .as_ref()
                    .is_some_and(|it| it.starts_with(&format!("{user}@{host}/{pid}/"))) =>
            {
                format!("{user}@{host} (pid {pid})")
            }
            _ => identity.clone().unwrap_or_else(|| "an unknown holder".to_owned()),
        };
        // Any client may have written it, and it may be shown on a terminal.
        let name = plain(&name);
        let revision = noted(REVISION).filter(|it| it.bytes().all(|b| b.is_ascii_hexdigit()));
        let tracked = noted(TRACKED).map(plain);
        let revision = revision.map(|it| snapshot::shown(snapshot::short(it), tracked.as_deref()));
        let held = renewed(lease).zip(time(lease, "acquireTime"));
        let held = held.and_then(|(renewed, taken)| renewed.duration_since(taken).try_into().ok());
        let seconds = spec("leaseDurationSeconds").and_then(Value::as_u64).unwrap_or_default();
        let entries = lease.metadata().and_then(|metadata| metadata.get("managedFields"));
        let entries = entries.and_then(Value::as_array).into_iter().flatten();
        let times = entries.filter_map(|it| it.get("time")?.as_str()?.parse().ok());
        Self {
            holder: Holder { name, revision, held: held.unwrap_or_default() },
            identity,
            version: lease.resource_version().unwrap_or_default().to_owned(),
            duration: Duration::from_secs(seconds).clamp(least, least * LONGEST),
            written: times.max(),
        }
    }

    /// Whether a Lease that looked like `self` was written within `since` before it became `now`:
    /// by the server's clock alone, which counts whole seconds. True where that is unknown.
    pub fn moved_within(&self, since: Duration, now: &Self) -> bool {
        let Some((before, now)) = self.written.zip(now.written) else { return true };
        let ago = Duration::try_from(now.duration_since(before)).unwrap_or_default();
        // Two API servers' clocks may differ a little as well.
        ago <= since + Duration::from_secs(2)
    }
}

/// How a Lease stands for a run that wants to have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaseOwnership {
    /// It is free.
    Free,
    /// It is the asker's already.
    Mine,
    /// Another run holds it.
    Theirs,
    /// Whoever held it has not renewed it in time.
    Expired,
}

/// The last observation of a Lease, and since when it has not moved. Kept from one look to the
/// next.
#[derive(Clone, Debug, Default)]
pub struct LeaseWatch {
    version: String,
    since: Option<Instant>,
}

impl LeaseWatch {
    /// How a Lease stands that looks like `seen` at the time `now` of the asker's own clock.
    pub fn standing(&mut self, seen: &LeaseState, me: &Candidate, now: Instant) -> LeaseOwnership {
        match seen.identity == Some(me.identity()) {
            true => LeaseOwnership::Mine,
            false => self.observed(seen, now),
        }
    }

    /// The same for an asker who never holds it.
    pub fn observed(&mut self, seen: &LeaseState, now: Instant) -> LeaseOwnership {
        if seen.identity.is_none() {
            return LeaseOwnership::Free;
        }
        let since = match self.since {
            Some(since) if self.version == seen.version => since,
            _ => *self.since.insert(now),
        };
        self.version.clone_from(&seen.version);
        match now.duration_since(since) > seen.duration {
            true => LeaseOwnership::Expired,
            false => LeaseOwnership::Theirs,
        }
    }

    /// How long a Lease that looks like `seen` at the time `now` can last without a renewal.
    pub fn remaining(&self, seen: &LeaseState, now: Instant) -> Duration {
        let since = self.since.filter(|_| self.version == seen.version).unwrap_or(now);
        seen.duration.saturating_sub(now.duration_since(since))
    }
}

/// A text that any client may have written, for a terminal.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(100).collect()
}

/// The Lease that says that `who` holds `inventory` to make `revision` true. It takes the place of
/// `before`, and is refused where that has moved.
pub fn taken(
    inventory: &Inventory,
    before: Option<&Object>,
    who: &Candidate,
    revision: &str,
    tracked: Option<&str>,
    now: Timestamp,
) -> Object {
    let old = |key: &str| before.and_then(|lease| lease.0.get("spec")?.get(key).cloned());
    let is_mine = old("holderIdentity") == Some(who.identity().into());
    let taken = old("acquireTime").filter(|_| is_mine).unwrap_or_else(|| precise(now).into());
    let times = old("leaseTransitions").and_then(|it| it.as_u64()).unwrap_or_default();
    let times = if is_mine { times } else { times.saturating_add(1) };
    let mut annotations = json!({
        USER: who.user, HOST: who.host, PID: who.pid.to_string(), REVISION: revision,
    });
    if let Some(tracked) = tracked {
        annotations[TRACKED] = tracked.into();
    }
    lease(
        inventory,
        before,
        json!({ "annotations": annotations }),
        json!({
            "holderIdentity": who.identity(),
            "leaseDurationSeconds": DURATION.as_secs(),
            "acquireTime": taken,
            "renewTime": precise(now),
            "leaseTransitions": times,
        }),
    )
}

/// The Lease once it is released, in place of `before`. It stays, so that the next one knows when
/// it was held last.
pub fn released(inventory: &Inventory, before: &Object, now: Timestamp) -> Object {
    let times = before.0.get("spec").and_then(|spec| spec.get("leaseTransitions"));
    lease(
        inventory,
        Some(before),
        json!({ "annotations": {} }),
        json!({ "leaseTransitions": times, "renewTime": precise(now) }),
    )
}

/// A Lease with the name and namespace of `place`, in the place of `before`.
pub(super) fn lease(
    place: &Inventory,
    before: Option<&Object>,
    metadata: Value,
    spec: Value,
) -> Object {
    let mut lease = json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": metadata,
        "spec": spec,
    });
    lease["metadata"]["name"] = place.name.as_str().into();
    lease["metadata"]["namespace"] = place.namespace.as_str().into();
    if let Some(before) = before {
        lease["metadata"]["resourceVersion"] = before.resource_version().into();
        lease["metadata"]["uid"] = before.uid().into();
    }
    Object::from(lease.as_object().cloned().unwrap_or_default())
}

/// A time as `MicroTime` has it.
pub(super) fn precise(time: Timestamp) -> String {
    format!("{time:.6}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(user: &str) -> Candidate {
        Candidate { user: user.to_owned(), host: "host".to_owned(), pid: 7, mark: "a".to_owned() }
    }

    fn inventory() -> Inventory {
        Inventory { name: "trueup-shop".to_owned(), namespace: "default".to_owned() }
    }

    /// The Lease of `user` as the server has it in its `version`th state.
    fn held(user: &str, version: u32, now: &str) -> Object {
        let mut lease =
            taken(&inventory(), None, &who(user), "4f2c1a9aaaa", None, now.parse().unwrap());
        lease.metadata_mut().insert("resourceVersion".to_owned(), version.to_string().into());
        lease
    }

    const NOON: &str = "2026-03-01T12:00:00Z";

    #[test]
    fn lease_expires_by_observation_and_not_by_its_own_times() {
        let begin = Instant::now();
        let after = |seconds| begin + Duration::from_secs(seconds);
        for times in [NOON, "1999-01-01T00:00:00Z", "2099-01-01T00:00:00Z"] {
            let (mut watched, me) = (LeaseWatch::default(), who("me"));
            let mut standing = |version, seconds| {
                let seen = LeaseState::of(&held("other", version, times));
                watched.standing(&seen, &me, after(seconds))
            };
            assert_eq!(standing(1, 0), LeaseOwnership::Theirs);
            assert_eq!(standing(1, 30), LeaseOwnership::Theirs);
            assert_eq!(standing(2, 31), LeaseOwnership::Theirs, "it was renewed");
            assert_eq!(standing(2, 61), LeaseOwnership::Theirs);
            assert_eq!(standing(2, 62), LeaseOwnership::Expired);
        }
    }

    #[test]
    fn remaining_time_counts_from_the_last_renewal_that_was_seen() {
        let begin = Instant::now();
        let after = |seconds| begin + Duration::from_secs(seconds);
        let (mut watched, me) = (LeaseWatch::default(), who("me"));
        let seen = |version| LeaseState::of(&held("other", version, NOON));
        assert_eq!(watched.remaining(&seen(1), begin), DURATION, "it was not seen before");
        watched.standing(&seen(1), &me, begin);
        assert_eq!(watched.remaining(&seen(1), after(10)), DURATION - Duration::from_secs(10));
        assert_eq!(watched.remaining(&seen(2), after(10)), DURATION, "it was renewed");
        assert_eq!(watched.remaining(&seen(1), after(99)), Duration::ZERO);
    }

    #[test]
    fn lease_is_free_mine_or_theirs() {
        let (now, me) = (Instant::now(), who("me"));
        let standing =
            |lease: &Object| LeaseWatch::default().standing(&LeaseState::of(lease), &me, now);
        let other = held("other", 1, NOON);
        assert_eq!(standing(&other), LeaseOwnership::Theirs);
        assert_eq!(standing(&held("me", 1, NOON)), LeaseOwnership::Mine);
        let released = released(&inventory(), &other, NOON.parse().unwrap());
        assert_eq!(standing(&released), LeaseOwnership::Free);
        assert_eq!(released.resource_version(), Some("1"), "no other state is released");
        assert_eq!(standing(&Object::default()), LeaseOwnership::Free);
    }

    #[test]
    fn lease_holder_is_shown_by_name_or_identity() {
        let mut lease = held("other", 1, NOON);
        assert_eq!(
            LeaseState::of(&lease).holder.to_string(),
            "other@host (pid 7), who applies 4f2c1a9"
        );
        lease.fields_mut()["spec"]["holderIdentity"] = "robot".into();
        assert_eq!(LeaseState::of(&lease).holder.name, "robot");
    }

    #[test]
    fn renewing_keeps_the_time_it_was_taken_and_a_take_over_counts() {
        let mine = held("me", 1, NOON);
        let later = "2026-03-01T12:00:10Z".parse().unwrap();
        let renewed = taken(&inventory(), Some(&mine), &who("me"), "4f2c1a9", None, later);
        assert_eq!(renewed.0["spec"]["acquireTime"], mine.0["spec"]["acquireTime"]);
        assert_eq!(renewed.0["spec"]["leaseTransitions"], 1);
        assert_eq!(LeaseState::of(&renewed).holder.held, Duration::from_secs(10));
        let over = taken(&inventory(), Some(&mine), &who("you"), "8be01d3", Some("v1.4.2"), later);
        let holder = LeaseState::of(&over).holder.to_string();
        assert_eq!(holder.split_once(", ").unwrap().1, "who applies v1.4.2 (8be01d3)");
        assert_eq!(over.0["spec"]["leaseTransitions"], 2);
        assert_eq!(over.0["spec"]["acquireTime"], "2026-03-01T12:00:10.000000Z");
    }

    #[test]
    fn lease_renewal_is_judged_by_the_servers_clock() {
        let at = |time: &str| {
            let mut lease = held("other", 1, NOON);
            let entries = json!([{ "time": "2026-01-01T00:00:00Z" }, { "time": time }]);
            lease.metadata_mut().insert("managedFields".to_owned(), entries);
            LeaseState::of(&lease)
        };
        let (before, now) = (at("2026-03-01T12:00:00Z"), at("2026-03-01T12:01:00Z"));
        assert!(before.moved_within(Duration::from_secs(59), &now));
        assert!(!before.moved_within(Duration::from_secs(57), &now));
        let unknown = LeaseState::of(&held("other", 1, NOON));
        assert!(unknown.moved_within(Duration::ZERO, &now));
    }
}
