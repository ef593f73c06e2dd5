//! Which target of a run creates or changes which object, so that no two write the same one.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::exit::Failure;
use crate::app::Survey;
use crate::core::object::ObjectKey;
use crate::core::plan::Action;
use crate::core::problem::Location;

/// The objects that the plans of a run create or change, with the target of each.
#[derive(Default)]
pub(super) struct Claims(BTreeMap<ClaimedObject, Claim>);

/// An object of a cluster.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct ClaimedObject {
    /// The uid of the cluster, or else the context that leads there.
    cluster: String,
    key: ObjectKey,
}

struct Claim {
    target: String,
    place: Location,
}

/// Two targets declare one object of one cluster.
#[derive(Debug, thiserror::Error)]
#[error("targets {first} and {second} both declare {key}{}, at {first_place} and {second_place}", and_more(*.more))]
struct DeclaredTwice {
    key: ObjectKey,
    first: String,
    first_place: Location,
    second: String,
    second_place: Location,
    /// How many other objects both declare.
    more: usize,
}

fn and_more(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => " and one other object".to_owned(),
        count => format!(" and {count} other objects"),
    }
}

impl Claims {
    /// Notes what the plan of a target creates or changes, in the cluster of this context.
    ///
    /// # Errors
    ///
    /// When the plan of another target does the same to one of these objects. Then none is noted.
    pub(super) fn claim(
        &mut self,
        target: &str,
        context: &str,
        survey: &Survey,
    ) -> Result<(), Failure> {
        let cluster = survey.found.cluster_uid.as_deref().unwrap_or(context);
        let writes = |action| matches!(action, Action::Create | Action::Update | Action::Replace);
        let (mut claims, mut twice) = (Vec::new(), None::<DeclaredTwice>);
        for change in survey.decided.plan.changes().filter(|change| writes(change.action())) {
            let Some(place) = change.origin.as_ref().map(|origin| origin.location()) else {
                continue;
            };
            let object = ClaimedObject { cluster: cluster.to_owned(), key: change.key.clone() };
            match (self.0.get(&object).filter(|first| first.target != target), &mut twice) {
                (None, _) => claims.push((object, place)),
                (Some(_), Some(twice)) => twice.more += 1,
                (Some(first), None) => {
                    twice = Some(DeclaredTwice {
                        key: object.key,
                        first: first.target.clone(),
                        first_place: first.place.clone(),
                        second: target.to_owned(),
                        second_place: place,
                        more: 0,
                    });
                }
            }
        }
        if let Some(twice) = twice {
            let hint = "an object belongs to one target: remove it from one of these files, or \
                leave the file out with .trueupignore";
            return Err(Failure { error: twice.into(), hints: vec![hint.to_owned()] });
        }
        for (object, place) in claims {
            if let Entry::Vacant(free) = self.0.entry(object) {
                free.insert(Claim { target: target.to_owned(), place });
            }
        }
        Ok(())
    }
}

/// Whether a target failed since another one declares the same object.
pub(super) fn is_declared_twice(failure: &Failure) -> bool {
    failure.error.is::<DeclaredTwice>()
}
