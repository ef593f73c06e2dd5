//! Why the plan is as it is: who changed what in the cluster, and which commit says otherwise.
//!
//! Costs no request. What the history does not tell is left out: a diff is worth more than its
//! story.

use std::collections::BTreeMap;

use super::{Survey, Target, declare};
use crate::core::attribution::{
    Attribution, Handover, UndeclaredField, attributions, handovers, undeclared,
};
use crate::core::desired::Desired;
use crate::core::diff::{Delta, FieldOrder};
use crate::core::manifest;
use crate::core::object::ObjectKey;
use crate::core::plan::{Action, Change};
use crate::core::source::snapshot::Authorship;
use crate::git::Checkout;

/// In how many files the author of a line is looked up.
const FILES: usize = 50;

/// Why the plan's changes are as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explained {
    /// Of every object that is updated, why its fields differ.
    pub fields: BTreeMap<ObjectKey, Vec<Attribution>>,
    /// Of every object that is updated, the fields that only change hands.
    pub handovers: BTreeMap<ObjectKey, Vec<Handover>>,
    /// Of every object that is created or changed, the order in which its file declares it.
    pub orders: BTreeMap<ObjectKey, FieldOrder>,
    /// Of every object that is no longer declared, which commit took it out.
    pub removed: BTreeMap<ObjectKey, Authorship>,
    /// Of every declared object, the fields that others set beside what git says; `None` where it
    /// was not asked for.
    pub undeclared: Option<BTreeMap<ObjectKey, Vec<UndeclaredField>>>,
}

/// Explains every change of the survey's plan, as far as ownership and history tell.
pub async fn explain(survey: &Survey, target: &Target, checkout: &Checkout) -> Explained {
    let orders = orders(survey);
    let mut explained = Explained {
        fields: fields(survey, &orders),
        handovers: handovers_of_updates(survey),
        orders,
        removed: BTreeMap::new(),
        undeclared: None,
    };
    if !survey.found.revision.dirty {
        name_authors(&mut explained, survey, checkout);
    }
    let gone = survey.decided.plan.changes().filter(|change| change.origin.is_none());
    let gone: Vec<&ObjectKey> = gone.map(|change| &change.key).collect();
    if !gone.is_empty()
        && let Some(before) = &survey.found.before
        && let Some(then) = target.recorded(before)
    {
        explained.removed = removed(&gone, survey, &then, checkout).await;
    }
    explained
}

/// The fields of each declared object that others set beside git.
pub fn beside_git(survey: &Survey) -> BTreeMap<ObjectKey, Vec<UndeclaredField>> {
    let found = survey
        .decided
        .plan
        .changes()
        .map(|change| (change.key.clone(), undeclared(change, survey.redactor())));
    found.filter(|(_, fields)| !fields.is_empty()).collect()
}

fn orders(survey: &Survey) -> BTreeMap<ObjectKey, FieldOrder> {
    let is_shown = |change: &&Change| {
        matches!(change.action(), Action::Create | Action::Update | Action::Replace)
    };
    let order = |change: &Change| {
        let manifest = survey.found.desired.objects.get(&change.key)?;
        Some((change.key.clone(), FieldOrder::new(manifest)))
    };
    survey.decided.plan.changes().filter(is_shown).filter_map(order).collect()
}

fn updates(survey: &Survey) -> impl Iterator<Item = &Change> {
    let is_declared = |change: &&Change| change.origin.is_some();
    survey
        .decided
        .plan
        .changes()
        .filter(is_declared)
        .filter(|change| change.action() == Action::Update)
}

fn handovers_of_updates(survey: &Survey) -> BTreeMap<ObjectKey, Vec<Handover>> {
    let handovers =
        updates(survey).map(|change| (change.key.clone(), handovers(change, survey.redactor())));
    handovers.filter(|(_, handovers)| !handovers.is_empty()).collect()
}

fn fields(
    survey: &Survey,
    orders: &BTreeMap<ObjectKey, FieldOrder>,
) -> BTreeMap<ObjectKey, Vec<Attribution>> {
    let explained = updates(survey).map(|change| {
        let order = orders.get(&change.key).cloned().unwrap_or_default();
        let delta = Delta::in_order(change, survey.redactor(), &order);
        let manifest = survey.found.desired.objects.get(&change.key);
        (change.key.clone(), attributions(change, &delta, manifest))
    });
    explained.filter(|(_, attributions)| !attributions.is_empty()).collect()
}

/// Adds who wrote the lines.
fn name_authors(explained: &mut Explained, survey: &Survey, checkout: &Checkout) {
    let mut lines: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for place in explained.fields.values().flatten().filter_map(|field| field.place.as_ref()) {
        lines.entry(place.path.clone()).or_default().push(place.line);
    }
    let authors: BTreeMap<String, BTreeMap<usize, Authorship>> = lines
        .into_iter()
        .take(FILES)
        .filter_map(|(path, lines)| {
            let authors = checkout.authors(&survey.found.revision, &path, &lines).ok()?;
            Some((path, authors))
        })
        .collect();
    for field in explained.fields.values_mut().flatten() {
        let Some(place) = &field.place else { continue };
        field.declared = authors.get(&place.path).and_then(|lines| lines.get(&place.line)).cloned();
    }
}

/// Which commit took each object out, since the `former` target, the commit that was last made true.
async fn removed(
    gone: &[&ObjectKey],
    survey: &Survey,
    former: &Target,
    checkout: &Checkout,
) -> BTreeMap<ObjectKey, Authorship> {
    let Ok(then) = declare(former, checkout).await else { return BTreeMap::new() };
    let then = Desired::new(then.manifests, &survey.found.catalog, &former.namespace);
    let since = former.rev.as_deref().unwrap_or_default();
    let by = |key: &&ObjectKey| {
        let path = &then.objects.get(*key)?.origin.path;
        let is_there = |content: &[u8]| {
            let declared = manifest::read(path, content).manifests;
            declared.iter().any(|manifest| is_declared(key, &manifest.object.key()))
        };
        let removal = checkout.removal(&survey.found.revision, since, path, &is_there).ok()??;
        Some(((*key).clone(), removal))
    };
    gone.iter().filter_map(by).collect()
}

/// Whether the declared key may be that of the object; a declaration can leave the namespace out.
fn is_declared(key: &ObjectKey, declared: &ObjectKey) -> bool {
    let ObjectKey { group, kind, namespace, name } = declared;
    (group, kind, name) == (&key.group, &key.kind, &key.name)
        && (namespace.is_none() || *namespace == key.namespace)
}
