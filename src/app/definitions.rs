//! Holds custom resources against the definitions that the commit itself brings. What the server says
//! of them by dry run, it says by the definitions that it has so far.
//!
//! An object of a new kind is refused where its definition does not allow it. An object of a kind whose
//! definition changes is judged by what the definition becomes: where that allows what the old one does
//! not, the object waits for the definition, and the server has the last word then. Where that no longer
//! allows what is to be new of the object, it is refused at once.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::check;
use crate::core::desired::Desired;
use crate::core::json::{Map, Value};
use crate::core::kinds::catalog::{definition, is_crd};
use crate::core::kinds::schemas::{DEFAULT, Schemas};
use crate::core::managed_fields::versions;
use crate::core::manifest::{Manifest, PathPart};
use crate::core::object::{GroupKind, Object, ObjectKey};
use crate::core::observed::{Observation, Observed, Prerequisite, Preview};
use crate::core::problem::{Cause, Refusal};

/// A definition that the commit changes.
struct ChangedDefinition {
    /// The definition.
    by: ObjectKey,
    /// The versions that it has then, served or not.
    versions: BTreeSet<String>,
}

/// Puts the judgement of the commit's definitions in the place of the server's, where that went by
/// others.
pub(super) fn hold(desired: &Desired, observed: &mut Observed) {
    let changing = changing(desired, observed);
    let is_concerned = |key: &ObjectKey, observation: &Observation| {
        let Observation::Seen { preview: Some(preview), .. } = observation else { return false };
        match preview {
            Preview::Deferred(prerequisite) => matches!(prerequisite, Prerequisite::Definition(_)),
            Preview::Left | Preview::Unasked(_) => false,
            _ => changing.contains_key(&key.group_kind()),
        }
    };
    let concerned = observed.objects.iter().filter(|(key, seen)| is_concerned(key, seen));
    let concerned: Vec<ObjectKey> = concerned.map(|(key, _)| key.clone()).collect();
    if concerned.is_empty() {
        return;
    }
    let schemas = schemas(desired, observed);
    for key in concerned {
        let Some(manifest) = desired.objects.get(&key) else { continue };
        let Some(Observation::Seen { live, preview: Some(preview) }) = observed.objects.get(&key)
        else {
            continue;
        };
        let changing = changing.get(&key.group_kind());
        let judgement =
            ObjectContext { key: &key, manifest, schemas: &schemas, live: live.as_ref() };
        if let Some(preview) = judgement.of(preview, changing) {
            let live = live.clone();
            observed.objects.insert(key, Observation::Seen { live, preview: Some(preview) });
        }
    }
}

/// The definitions that are there and that the commit changes, by the kinds that they define.
fn changing(desired: &Desired, observed: &Observed) -> BTreeMap<GroupKind, ChangedDefinition> {
    let definitions = desired.objects.keys().filter(|key| is_crd(key));
    let changing = definitions.filter_map(|key| match observed.objects.get(key)? {
        Observation::Seen { live: Some(live), preview: Some(Preview::Merged(merged)) }
            if live.0.get("spec") != merged.0.get("spec") =>
        {
            let (kind, _) = definition(merged)?;
            let versions = merged.0.get("spec")?.get("versions")?.as_array()?.iter();
            let versions = versions.filter_map(|version| version["name"].as_str());
            let versions = versions.map(str::to_owned).collect();
            Some((kind, ChangedDefinition { by: key.clone(), versions }))
        }
        _ => None,
    });
    changing.collect()
}

/// The schemas of the release, and of the definitions as the commit makes them.
fn schemas(desired: &Desired, observed: &Observed) -> Schemas {
    let mut schemas = Schemas::of(DEFAULT).unwrap_or_default();
    for (key, manifest) in desired.objects.iter().filter(|(key, _)| is_crd(key)) {
        let merged = match observed.objects.get(key) {
            Some(Observation::Seen { preview: Some(Preview::Merged(merged)), .. }) => Some(merged),
            _ => None,
        };
        schemas.define(merged.unwrap_or(&manifest.object));
    }
    schemas
}

/// The context for judging an object.
struct ObjectContext<'a> {
    key: &'a ObjectKey,
    manifest: &'a Manifest,
    schemas: &'a Schemas,
    live: Option<&'a Object>,
}

impl ObjectContext<'_> {
    /// The preview to use in place of `preview`; `None` where that stands.
    fn of(&self, preview: &Preview, changing: Option<&ChangedDefinition>) -> Option<Preview> {
        let Self { key, manifest, schemas, live } = *self;
        let refusal = || check::refusal(key, manifest, schemas).map(Preview::Refused);
        let Some(changing) = changing else { return refusal() };
        match preview {
            Preview::Merged(_) if live.is_none() => refusal(),
            Preview::Same | Preview::Merged(_) => {
                let after = if let Preview::Merged(merged) = preview { Some(merged) } else { None };
                let changes = |path: &[PathPart<'_>]| {
                    live.zip(after).is_some_and(|(live, after)| changes(&live.0, &after.0, path))
                };
                let misfit = check::misfit(key, manifest, schemas, &changes);
                let is_written = matches!(preview, Preview::Merged(_));
                let left_behind = || {
                    let live = live.filter(|_| is_written)?;
                    versions::left_behind(live, &manifest.object, &changing.versions)
                };
                misfit.or_else(left_behind).map(Preview::Refused)
            }
            Preview::Refused(said) | Preview::Immutable { refusal: said, .. } => {
                if !self.may_be_lifted(said) {
                    return None;
                }
                let by = changing.by.clone();
                let deferred = || Preview::Deferred(Prerequisite::Definition(by));
                Some(refusal().unwrap_or_else(deferred))
            }
            Preview::Deferred(_) => refusal(),
            Preview::Left | Preview::Unasked(_) => None,
        }
    }

    /// Whether another definition may make a difference to a refusal: it is about fields that a
    /// definition describes, and about no rule that stays.
    fn may_be_lifted(&self, said: &Refusal) -> bool {
        let object = &self.manifest.object;
        let schema = self.schemas.custom(&self.key.group_kind(), object.version());
        let stays = |cause: &Cause| schema.is_some_and(|it| !it.rules_behind(cause).is_empty());
        let is_described = |cause: &Cause| {
            let field = cause.field.trim_start_matches('.');
            match field.split(['.', '[']).next().unwrap_or_default() {
                "metadata" => false,
                // A rule at the root speaks of the whole.
                "" => cause.message.starts_with("Invalid value: \"object\""),
                _ => true,
            }
        };
        said.causes.iter().any(is_described) && !said.causes.iter().any(stays)
    }
}

/// Whether the value that a path leads to is another one `after` than `before`. Of an element of a list
/// only the server can tell which one it was.
fn changes(before: &Map, after: &Map, path: &[PathPart<'_>]) -> bool {
    let Some((PathPart::Key(key), rest)) = path.split_first() else {
        return path.is_empty() && before != after;
    };
    match (before.get(key), after.get(key)) {
        (Some(Value::Object(before)), Some(Value::Object(after))) => changes(before, after, rest),
        (before, after) => after.is_some() && before != after && rest.is_empty(),
    }
}
