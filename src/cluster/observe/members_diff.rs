//! Looks into the members: what is proven to stay as it is needs no request. With all cores at
//! once, as there may be thousands.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::thread;

use serde_json::value::RawValue;

use super::members::{Listed, Members};
use super::observe_object::KnownMembers;
use crate::core::annotations::Mode;
use crate::core::desired::Desired;
use crate::core::dry_run_cache::CachedNoOp;
use crate::core::health::rollout::has_former_pods;
use crate::core::health::{Health, HealthAssessor};
use crate::core::json::Value;
use crate::core::kinds::schemas::Schemas;
use crate::core::managed_fields::{no_op, takeover};
use crate::core::object::{Object, ObjectKey};
use crate::core::redact::LAST_APPLIED;

/// Fewer members than this are looked into faster than a thread is started.
const WORTH_A_THREAD: usize = 64;

/// The examined members.
#[derive(Default)]
pub(super) struct Examined {
    /// Desired, and proven to stay as they are: the little that is kept of each.
    pub(super) same: BTreeMap<ObjectKey, Object>,
    /// Those of `same` that are not proven: they say themselves that they stay as they are.
    pub(super) left: BTreeSet<ObjectKey>,
    /// All others, whole.
    pub(super) others: BTreeMap<ObjectKey, Object>,
    /// Cached answers of the server that still hold.
    pub(super) verdicts: Vec<CachedNoOp>,
    /// Those of `same` that are not ready.
    pub(super) unready: Vec<(ObjectKey, Health)>,
}

/// The inputs of the comparison.
#[derive(Clone, Copy)]
pub(super) struct Comparison<'a> {
    pub(super) desired: &'a Desired,
    /// Says which are ready.
    pub(super) assessor: &'a HealthAssessor,
    /// `None` where nothing but the server is to be believed.
    pub(super) known: Option<&'a KnownMembers>,
    /// Whether each live object is kept whole, whatever is known of it.
    pub(super) whole: bool,
}

/// Looks into every member. What came of the network is given back piece by piece, as it is read.
pub(super) fn examine(members: &mut Members, measure: Comparison<'_>) -> Examined {
    let taken: Vec<_> =
        members.lists.iter_mut().map(|list| std::mem::take(&mut list.items)).collect();
    let items = members.lists.iter().zip(taken);
    let items = items.flat_map(|(list, items)| items.into_iter().map(move |item| (list, item)));
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let mut parts: Vec<Vec<(&Listed, Box<RawValue>)>> = vec![items.collect()];
    let share = parts[0].len().div_ceil(threads).max(WORTH_A_THREAD);
    while let Some(part) = parts.last_mut().filter(|part| part.len() > share) {
        let rest = part.split_off(share);
        parts.push(rest);
    }
    let mut all = Examined::default();
    thread::scope(|scope| {
        let workers: Vec<_> =
            parts.into_iter().map(|part| scope.spawn(move || measure.part(part))).collect();
        for worker in workers {
            let part = worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            all.same.extend(part.same);
            all.left.extend(part.left);
            all.others.extend(part.others);
            all.verdicts.extend(part.verdicts);
            all.unready.extend(part.unready);
        }
    });
    all
}

impl Comparison<'_> {
    fn part(&self, items: Vec<(&Listed, Box<RawValue>)>) -> Examined {
        let mut examined = Examined::default();
        for (list, item) in items {
            let live = list.object(&item);
            drop(item);
            let key = live.key();
            let proven = self.proven(&key, &live);
            let is_left = proven.is_none() && self.is_left(&key, &live);
            match proven.or(is_left.then_some(None)) {
                Some(verdict) => {
                    examined.left.extend(is_left.then(|| key.clone()));
                    examined.verdicts.extend(verdict);
                    let health = self.assessor.health(&live);
                    if !health.is_ready() {
                        examined.unready.push((key.clone(), health));
                    }
                    // Objects that former pods may still use are for whoever deletes to decide.
                    let is_whole = self.whole
                        || self.is_settled(&key, &live)
                        || self.has_more(&key, &live)
                        || has_former_pods(&live);
                    let kept = if is_whole { live } else { outline(live) };
                    examined.same.insert(key, kept);
                }
                None => drop(examined.others.insert(key, live)),
            }
        }
        examined
    }

    /// Whether applying the desired object is known to change nothing of `live`; with it the
    /// verdict that says so, where it is one.
    fn proven(&self, key: &ObjectKey, live: &Object) -> Option<Option<CachedNoOp>> {
        let (known, manifest) = (self.known?, self.desired.objects.get(key)?);
        if live.is_terminating() || Mode::ignores(&manifest.object) {
            return None; // it does not stay, or not with us
        }
        let send = self.desired.sent(key, manifest, Some(live));
        known.is_same(&send, live)
    }

    /// Whether a desired object says itself that it stays as it is.
    fn is_left(&self, key: &ObjectKey, live: &Object) -> bool {
        let manifest = self.desired.objects.get(key).filter(|_| !live.is_terminating());
        manifest.is_some_and(|manifest| Mode::only_creates(&manifest.object))
    }

    /// Whether it is a Secret with values that are not declared, but set by others or in a copy of
    /// the whole: they have to be known wherever they stand.
    fn has_more(&self, key: &ObjectKey, live: &Object) -> bool {
        let data = |object: &Object| object.0.get("data").cloned();
        key.kind == "Secret"
            && (live.annotation(LAST_APPLIED).is_some()
                || self.desired.objects.get(key).is_none_or(|it| data(&it.object) != data(live)))
    }

    /// Whether fields of the object are ignored or left to others, so that there is more to say of
    /// it.
    fn is_settled(&self, key: &ObjectKey, live: &Object) -> bool {
        let desired = self.desired;
        desired.objects.get(key).is_some_and(|it| {
            !desired.ignored_fields(key, it).is_empty() || !desired.left(key, it, live).is_empty()
        })
    }
}

impl KnownMembers {
    /// Whether applying `send` is known to change nothing of `live`; with it the verdict that says
    /// so, where it is one.
    pub(super) fn is_same(&self, send: &Object, live: &Object) -> Option<Option<CachedNoOp>> {
        if !takeover::predecessors(live, send).is_empty() {
            return None;
        }
        // The schemas are of built-in kinds. Custom resources are left to the server: the definition
        // that is in force may not be the one that the commit has.
        if no_op::is_noop(send, live, &|path| Schemas::newest().is_atomic(send, path)) {
            return Some(None);
        }
        let verdict = CachedNoOp::new(send, live)?;
        self.verdicts.has(&verdict).then_some(Some(verdict))
    }
}

/// The part that is kept of an object that stays as it is: its identity and its owner.
fn outline(mut live: Object) -> Object {
    let kept = ["name", "namespace", "uid", "resourceVersion", "labels"];
    live.fields_mut().retain(|key, _| matches!(key.as_str(), "apiVersion" | "kind" | "metadata"));
    if let Some(Value::Object(metadata)) = live.fields_mut().get_mut("metadata") {
        metadata.retain(|key, _| kept.contains(&key.as_str()));
    }
    live
}
