//! Objects that carry the inventory's label though its record does not say that there are any: those
//! of a record that is gone. Whose they are is not known, as the label tells the name of the inventory
//! and not the repository; so nothing is done that would make them this target's, unless the operator
//! says so.

use super::{PlanContext, Reason, ReasonKind};
use crate::core::object::ObjectKey;
use crate::core::observed::{Observation, Observed, Unrecorded};
use crate::core::remedy::Remedy;

/// How many of them are named.
const NAMED: usize = 3;

/// Takes them in where the operator says that they are this target's: what the commit does not declare
/// of them is pruned as any other member.
pub(super) fn take_in(observed: &mut Observed, allowed: &PlanContext) {
    if !allowed.policy.operator.adopt {
        return;
    }
    for (key, live) in std::mem::take(&mut observed.unrecorded).objects {
        let seen = || Observation::Seen { live: Some(live), preview: None };
        observed.objects.entry(key).or_insert_with(seen);
    }
}

/// Why a desired object is refused: with it, the record would come to cover what is not known to be
/// this target's.
pub(super) fn why_not(key: &ObjectKey, unrecorded: &Unrecorded) -> Option<Reason> {
    let Unrecorded { objects, is_gone, kinds, namespaces } = unrecorded;
    let is_in_one = || key.namespace.as_ref().is_some_and(|name| namespaces.contains(name));
    if objects.is_empty() || !(*is_gone || kinds.contains(&key.group_kind()) || is_in_one()) {
        return None;
    }
    let named = objects.keys().take(NAMED).cloned().collect();
    let kind = ReasonKind::UnrecordedMembers { count: objects.len(), named, is_gone: *is_gone };
    Some(Reason::with_remedy(kind, Remedy::AdoptMembers))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::object::{GroupKind, Object};

    fn key(kind: &str, namespace: &str, name: &str) -> ObjectKey {
        ObjectKey {
            group: String::new(),
            kind: kind.to_owned(),
            namespace: Some(namespace.to_owned()),
            name: name.to_owned(),
        }
    }

    fn unrecorded(names: &[&str]) -> Unrecorded {
        let objects = names.iter().map(|name| (key("Secret", "a", name), Object::default()));
        Unrecorded { objects: objects.collect(), ..Unrecorded::default() }
    }

    #[test]
    fn only_kinds_and_namespaces_with_unrecorded_members_are_refused() {
        let one = || unrecorded(&["x"]);
        let kinds = [GroupKind::new("", "Secret")].into();
        let namespaces = ["a".to_owned()].into();
        for (unrecorded, expected) in [
            (Unrecorded { is_gone: true, ..Unrecorded::default() }, [false; 3]),
            (Unrecorded { is_gone: true, ..one() }, [true; 3]),
            (Unrecorded { kinds, ..one() }, [true, false, false]),
            (Unrecorded { namespaces, ..one() }, [false, true, false]),
        ] {
            let keys = [key("Secret", "b", "y"), key("ConfigMap", "a", "y"), key("Job", "b", "y")];
            let found = keys.map(|key| why_not(&key, &unrecorded).is_some());
            assert_eq!(found, expected, "{unrecorded:?}");
        }
    }

    #[test]
    fn unrecorded_members_are_counted_and_some_are_named() {
        let told = |names: &[&str], is_gone| {
            let unrecorded = Unrecorded {
                kinds: [GroupKind::new("", "Secret")].into(),
                is_gone,
                ..unrecorded(names)
            };
            why_not(&key("Secret", "a", "y"), &unrecorded).unwrap().to_string()
        };
        assert_eq!(
            told(&["x"], true),
            "1 object carries this inventory's label, but its record is gone: Secret a/x"
        );
        assert_eq!(
            told(&["u", "v", "w", "x", "y"], false),
            "5 objects carry this inventory's label, but its record does not name them: Secret a/u, Secret a/v, Secret a/w and 2 more"
        );
    }
}
