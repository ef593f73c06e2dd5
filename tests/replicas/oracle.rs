//! Two writers of one target: what the audit log of the server says.

use std::collections::BTreeMap;

use crate::support::audit_log::Request;
use crate::support::repo::Repo;

/// The target that a request writes to: its record and history are of the target's name.
fn target(request: &Request) -> Option<String> {
    let name = request.name();
    let name = name.strip_prefix("trueup-").unwrap_or(name);
    let name = name.split('.').next()?.split('-').next()?;
    name.starts_with('t').then(|| name.to_owned())
}

/// The writes of every target in their order, each with its user.
pub fn writers(repo: &Repo<'_>) -> BTreeMap<String, Vec<String>> {
    let mut writers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for request in repo.plane().audit_log.successes(repo.namespace()) {
        let Some(target) = target(&request).filter(|_| is_guarded(&request)) else { continue };
        writers.entry(target).or_default().push(request.impersonated().to_owned());
    }
    writers
}

/// Whether a request is a write of a replica that needs the lock: to a declared object, or to the record. The
/// history is written after the lock is given back, over what was read.
fn is_guarded(request: &Request) -> bool {
    let is_history = request.name().ends_with(".history");
    request.is_write() && request.is_ours() && request.resource() == "configmaps" && !is_history
}

/// Asserts that every write was made by the replica that had the lock of its target at that time.
#[track_caller]
pub fn no_two_writers(repo: &Repo<'_>) {
    let mut holders: BTreeMap<String, String> = BTreeMap::new();
    let mut writes = 0;
    for request in repo.plane().audit_log.successes(repo.namespace()) {
        let Some(target) = target(&request) else { continue };
        let user = request.impersonated().to_owned();
        let is_lock =
            request.resource() == "leases" && request.name() == format!("trueup-{target}");
        if is_lock && ["create", "update"].contains(&request.verb.as_str()) {
            holders.insert(target, user);
        } else if is_guarded(&request) && !user.is_empty() {
            writes += 1;
            assert_eq!(holders.get(&target), Some(&user), "{} {}", request.verb, request.uri);
        }
    }
    assert!(writes > 0, "the log has no write");
}
