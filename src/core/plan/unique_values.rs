//! The order in which values pass from one object to another that the cluster has only once each.
//! Whoever gives one up comes first: where it is changed, by an edge of the graph; where it is
//! deleted, in a part of the plan of its own. Where it stays taken, the object that wants it is
//! refused, and its holder is named.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::{DependencyKind, Graph};
use super::{Action, Change, Confidence, NoPreview, Reason, ReasonKind, ValueHolder};
use crate::core::desired::Desired;
use crate::core::object::ObjectKey;
use crate::core::observed::{Prerequisite, Taken};
use crate::core::problem::Cause;
use crate::core::unique_value::{self, UniqueValue};

/// A value that an object is to have once another one has given it up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreedValue {
    /// The value, and the field that is to have it.
    pub value: UniqueValue,
    /// The holder.
    pub holder: ObjectKey,
    /// How the holder comes to give it up.
    pub by: Action,
}

/// Which desired objects want what others hold.
pub(super) type AllTaken = BTreeMap<ObjectKey, Vec<Taken>>;

/// Lets those that want a value come after those that are changed so that it is free, and refuses
/// those whose value stays where it is. Says whether it refused any: then less may be deleted than
/// before, and it has to be looked again.
pub(super) fn settle(
    changes: &mut [Change],
    gone: &[Change],
    taken: &AllTaken,
    desired: &Desired,
) -> bool {
    let mut settled = Vec::new();
    for (at, change) in changes.iter().enumerate() {
        let is_made = matches!(change.action(), Action::Create | Action::Update);
        let Some(values) = taken.get(&change.key).filter(|_| is_made) else { continue };
        let around = ValueContext { changes, gone, taken, desired };
        let freed = values.iter().map(|taken| around.freed(&change.key, taken));
        settled.push((at, freed.collect::<Result<Vec<FreedValue>, Reason>>()));
    }
    let is_refused = settled.iter().any(|(_, freed)| freed.is_err());
    for (at, freed) in settled {
        let change = &mut changes[at];
        match freed {
            Ok(freed) => {
                if let Some(confidence) = change.confidence_mut() {
                    *confidence = Confidence::Local(NoPreview::Value(freed));
                }
            }
            Err(reason) => change.refuse(reason),
        }
    }
    is_refused
}

/// The context of the search for a holder that gives up its value.
struct ValueContext<'a> {
    changes: &'a [Change],
    gone: &'a [Change],
    taken: &'a AllTaken,
    desired: &'a Desired,
}

impl ValueContext<'_> {
    /// How the value gets free for `receiver`, or why it does not.
    fn freed(&self, receiver: &ObjectKey, taken: &Taken) -> Result<FreedValue, Reason> {
        let Taken { value, holder } = taken;
        let freed = |by| FreedValue { value: value.clone(), holder: holder.clone(), by };
        let rival = self.changes.iter().find(|it| {
            let wants = |taken: &Taken| taken.value.is_same(value);
            it.key < *receiver
                && matches!(it.action(), Action::Create | Action::Update)
                && self.taken.get(&it.key).is_some_and(|all| all.iter().any(wants))
        });
        if let Some(rival) = rival {
            let stays = ValueHolder::Promised { rival: rival.key.clone() };
            return Err(self.refusal(receiver, value, stays, "give one of the two another value"));
        }
        let own = self.changes.iter().find(|it| it.key == *holder);
        let leaving = self.gone.iter().find(|it| it.key == *holder);
        let holder = holder.clone();
        let (stays, hint) = match (own, leaving) {
            (Some(own), _) => {
                let after = match own.action() {
                    Action::Update => own.becomes(),
                    Action::Replace => own.send(),
                    _ => None,
                };
                let after = after.map(|after| unique_value::of(&holder, after));
                if after.is_some_and(|after| !value.is_among(&after)) {
                    return Ok(freed(own.action()));
                }
                let manifest = self.desired.objects.get(&holder);
                let declared = manifest.map(|it| unique_value::of(&holder, &it.object));
                match (declared.is_some_and(|all| value.is_among(&all)), manifest) {
                    (true, Some(manifest)) => (
                        ValueHolder::Declared { holder, place: manifest.location() },
                        "give one of the two another value",
                    ),
                    _ if own.action() == Action::Refuse => {
                        (ValueHolder::Refused { holder }, "fix that object first; this one follows")
                    }
                    _ => (
                        ValueHolder::Kept { holder },
                        "declare another value there, or choose another one here",
                    ),
                }
            }
            (None, Some(leaving)) if leaving.action() == Action::Delete => {
                return Ok(freed(Action::Delete));
            }
            (None, Some(leaving)) => {
                let why = leaving.reason.as_ref().map(|reason| reason.kind.clone());
                (
                    ValueHolder::NotDeleted { holder, why },
                    "choose another value, or allow the deletion of this object",
                )
            }
            (None, None) => (
                ValueHolder::Foreign { holder },
                "choose another value, leave it out so that the server chooses one, or remove it \
                from that object first",
            ),
        };
        Err(self.refusal(receiver, value, stays, hint))
    }

    fn refusal(
        &self,
        receiver: &ObjectKey,
        value: &UniqueValue,
        stays: ValueHolder,
        hint: &str,
    ) -> Reason {
        let (field, value) = (value.field.clone(), value.value.clone());
        let message = format!("{value} {stays}");
        let cause = Cause { field: field.clone(), message, place: None };
        let kind = ReasonKind::ValueTaken { field, value, stays };
        let manifest = self.desired.objects.get(receiver);
        let causes = manifest.map(|it| it.located(vec![cause])).unwrap_or_default();
        Reason { causes, ..Reason::with_remedy(kind, hint) }
    }
}

/// The objects that have to be deleted before this one is applied, since they hold what it is to
/// have or forbid it.
pub fn deleted_first(change: &Change) -> impl Iterator<Item = &ObjectKey> {
    let (freed, gone) = match change.confidence() {
        Confidence::Local(NoPreview::Value(freed)) => (freed.as_slice(), None),
        Confidence::Local(NoPreview::Prerequisite(Prerequisite::Applied { gone, .. })) => {
            (&[][..], Some(gone))
        }
        _ => (&[][..], None),
    };
    let freed = freed.iter().filter(|freed| freed.by == Action::Delete).map(|freed| &freed.holder);
    freed.chain(gone.into_iter().flatten())
}

/// The changes, by their places, that come after deletions: those that wait for one, and what comes
/// after these, apart from kinds that commonly do.
pub(super) fn after_deletions(changes: &[Change], graph: &Graph) -> BTreeSet<usize> {
    let waiting = (0..changes.len()).filter(|at| deleted_first(&changes[*at]).next().is_some());
    let waiting: Vec<usize> = waiting.collect();
    match waiting.is_empty() {
        true => BTreeSet::new(),
        false => reached(waiting, &graph.reversed()),
    }
}

/// The deletions, by their places, that others of the plan do not wait for: all but those of
/// `holders` and what goes before these.
pub(super) fn other_deletions(
    deletions: &[Change],
    graph: &Graph,
    holders: &BTreeSet<ObjectKey>,
) -> BTreeSet<usize> {
    if holders.is_empty() {
        return BTreeSet::new();
    }
    let held = (0..deletions.len()).filter(|at| holders.contains(&deletions[*at].key));
    let first = reached(held.collect(), graph);
    (0..deletions.len()).filter(|at| !first.contains(at)).collect()
}

/// The objects that edges lead to from these, and these.
fn reached(from: Vec<usize>, graph: &Graph) -> BTreeSet<usize> {
    let (mut seen, mut walk) = (BTreeSet::new(), from);
    while let Some(node) = walk.pop() {
        if seen.insert(node) {
            walk.extend(
                graph.needs(node).filter(|it| it.why != DependencyKind::Kind).map(|it| it.on),
            );
        }
    }
    seen.retain(|node| graph.is_object(*node));
    seen
}
