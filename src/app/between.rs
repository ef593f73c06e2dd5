//! The difference between two commits of a target: what is declared by the one and not by the other. No
//! cluster is asked.

use std::collections::BTreeMap;

use super::declare::{Declared, declare};
use super::error::Error;
use super::target::Target;
use crate::core::manifest::Manifest;
use crate::core::object::{Object, ObjectKey};
use crate::core::plan::{Change, Confidence, Effect, Plan, Write};
use crate::core::redact::{Inputs, Redactor};
use crate::git::Checkout;

/// The difference between two commits.
#[derive(Debug)]
pub struct CommitsDifference {
    /// The objects that differ, as a plan that would lead from the one to the other.
    pub plan: Plan,
    /// The redactor that masks it.
    pub redactor: Redactor,
    /// How many documents of either commit could not be read.
    pub problems: usize,
}

/// The difference from `before`, or from nothing, to `after`: the same target at two commits.
///
/// # Errors
///
/// When one of them can't be read or rendered.
pub async fn commits_difference(
    before: Option<&Target>,
    after: &Target,
    checkout: &Checkout,
) -> Result<CommitsDifference, Error> {
    let old = match before {
        Some(before) => Some(declare(before, checkout).await?),
        None => None,
    };
    let new = declare(after, checkout).await?;
    let problems = new.problems.len() + old.as_ref().map_or(0, |old| old.problems.len());
    let (mut rules, mut inputs) = (after.redact.clone(), Inputs::default());
    rules.extend(before.iter().flat_map(|before| before.redact.clone()));
    let secrets: Vec<Declared> = old.iter().chain([&new]).cloned().collect();
    for declared in &secrets {
        let Inputs { secret, quoted, names } = declared.inputs.clone();
        inputs.secret.extend(secret);
        inputs.quoted.extend(quoted);
        inputs.names.extend(names);
    }
    let old = old.map(|old| old.manifests).unwrap_or_default();
    let plan = Plan::loose(changes(old, new.manifests));
    let objects = secrets.iter().flat_map(|it| &it.manifests).map(|it| &it.object);
    let redactor = Redactor::of_plan_with_rules(&plan, objects, &rules, &inputs);
    Ok(CommitsDifference { plan, redactor, problems })
}

/// The changes that lead from the one to the other, in the order of the files; what goes comes last.
fn changes(before: Vec<Manifest>, after: Vec<Manifest>) -> Vec<Change> {
    let mut old: BTreeMap<ObjectKey, Manifest> =
        before.into_iter().map(|manifest| (manifest.object.key(), manifest)).collect();
    let mut changes = Vec::new();
    for Manifest { object, origin, .. } in after {
        let key = object.key();
        let version = object.version().to_owned();
        let write = |object: Object| {
            let confidence = Confidence::Server;
            Write { send: object.clone(), becomes: object, confidence }
        };
        let effect = match old.remove(&key) {
            None => Effect::Create(write(object)),
            Some(was) if was.object == object => continue,
            Some(was) => Effect::Update { live: was.object, write: write(object) },
        };
        changes.push(Change { key, version, origin: Some(origin), effect, reason: None });
    }
    let gone = old.into_iter().map(|(key, Manifest { object, .. })| {
        let version = object.version().to_owned();
        Change { key, version, origin: None, effect: Effect::Delete { live: object }, reason: None }
    });
    changes.extend(gone);
    changes
}
