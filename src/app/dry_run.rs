//! Asks a throwaway API server about every object of a set: its namespaces and definitions are made
//! there first, so that nothing has to wait for something else.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Error;
use super::survey::api;
use crate::cluster::{Cluster, Members, ObserveOptions, RetryPolicy, WaitCondition};
use crate::core::check::{CheckRule, Finding, Level, Set, field_name};
use crate::core::desired::Desired;
use crate::core::health::HealthAssessor;
use crate::core::inventory::Inventory;
use crate::core::json::json;
use crate::core::kinds::catalog::{Catalog, Defined, definition, is_crd};
use crate::core::manifest::Manifest;
use crate::core::object::{GroupKind, Object, ObjectKey};
use crate::core::observed::{Observation, Preview};
use crate::core::problem::{Cause, Location, Refusal};
use crate::core::redact::Redactor;
use crate::local::cancel::Cancellation;

/// The inventory that nothing is in.
const INVENTORY: &str = "trueup-check";
/// The pause between looks at which kinds are served.
const PAUSE: Duration = Duration::from_millis(100);
/// How long a definition may take until its kind is served.
const PATIENCE: Duration = Duration::from_secs(30);

/// The answers of an API server.
#[derive(Debug, Default)]
pub struct DryRun {
    /// The objects that it would take.
    pub accepted: BTreeSet<ObjectKey>,
    /// Its refusals.
    pub refusals: Vec<Finding>,
    /// The refused objects whose fields have no places of their own, as of what was rendered.
    pub placeless: BTreeSet<ObjectKey>,
}

/// Asks a throwaway API server about the manifests of a set. Writes namespaces and definitions.
///
/// # Errors
///
/// When the API server does not answer.
pub async fn dry_run(set: Set<'_>, cluster: &Cluster) -> Result<DryRun, Error> {
    let Set { manifests, namespace, redact, inputs, .. } = set;
    let attempt = "ask which kinds the sandbox has";
    let mut catalog = cluster.discover().await.map_err(api(attempt))?;
    catalog.define(manifests.iter().map(|manifest| &manifest.object));
    let desired = Desired::new(manifests.to_vec(), &catalog, namespace);
    let established = prepare(&desired, &catalog, cluster).await?;

    // A kind that is established is not in discovery at once.
    let patience = RetryPolicy::of(PATIENCE, &Cancellation::default());
    let catalog = loop {
        let catalog = cluster.discover().await.map_err(api(attempt))?;
        let is_served = |(kind, defined): &(GroupKind, Defined)| {
            defined.versions.iter().all(|version| catalog.endpoint(kind, version).is_some())
        };
        if established.iter().all(is_served) || !patience.allows(PAUSE) {
            break catalog;
        }
        patience.rest(PAUSE).await;
    };
    let desired = Desired::new(manifests.to_vec(), &catalog, namespace);
    let inventory = Inventory { name: INVENTORY.to_owned(), namespace: namespace.to_owned() };
    let question = ObserveOptions {
        // Nothing is live in a sandbox.
        assessor: &HealthAssessor::default(),
        desired: &desired,
        catalog: &catalog,
        inventory: &inventory,
        record: None,
        verify: true,
        whole: false,
    };
    let observed = cluster.observe(&question, Members::default()).await;
    let objects = manifests.iter().map(|manifest| &manifest.object);
    let redactor = Redactor::with_rules(objects, redact, inputs);
    let mut rehearsal = DryRun::default();
    for (key, seen) in observed.objects {
        let refusal = match seen {
            Observation::Seen { preview: Some(Preview::Refused(refusal)), .. } => refusal,
            Observation::Seen {
                preview: Some(Preview::Deferred(_) | Preview::Unasked(_)), ..
            } => continue,
            Observation::Seen { .. } => {
                rehearsal.accepted.insert(key);
                continue;
            }
            Observation::Unknown(message) => {
                let (hint, causes) = (None, Vec::new());
                Refusal { message, hint, causes, may_pass: false }
            }
        };
        let Some(manifest) = desired.objects.get(&key) else { continue };
        if manifest.positions.is_empty() {
            rehearsal.placeless.insert(key.clone());
        }
        let findings = findings(&key, manifest, refusal);
        rehearsal.refusals.extend(findings.into_iter().map(|mut finding| {
            redactor.mask_about(&key, &mut finding.message);
            redactor.mask_about(&key, &mut finding.hint);
            finding
        }));
    }
    Ok(rehearsal)
}

impl DryRun {
    /// The refusals beside what was `found` without a server, in the order of files and lines; what
    /// is said of a field already is not said again.
    pub fn beside(self, mut found: Vec<Finding>) -> Vec<Finding> {
        let known = KnownErrors::of(&found);
        let Self { accepted: _, refusals, placeless } = self;
        found.extend(refusals.into_iter().filter(|refusal| !known.say(refusal, &placeless)));
        found.sort_by(|a, b| (&a.place, a.level).cmp(&(&b.place, b.level)));
        found
    }
}

/// The errors that were found without a server.
struct KnownErrors {
    places: BTreeSet<Location>,
    fields: BTreeSet<(ObjectKey, String)>,
    /// Errors about a key of a map: the map, and the key.
    keys: BTreeSet<(ObjectKey, String, String)>,
}

impl KnownErrors {
    fn of(found: &[Finding]) -> Self {
        let errors = || found.iter().filter(|finding| finding.level == Level::Error);
        let field = |error: &Finding| Some((error.object.clone()?, error.field.clone()?));
        // Of a label the server names the map that it is in.
        let around = |error: &Finding| {
            let field = error.field.as_ref().filter(|_| error.rule == CheckRule::Name)?;
            let (map, _) = split_last(field)?;
            Some((error.object.clone()?, map.to_owned()))
        };
        let key = |error: &Finding| {
            let (map, key) = split_last(error.field.as_ref()?)?;
            Some((error.object.clone()?, map.to_owned(), key.to_owned()))
        };
        Self {
            places: errors().map(|error| error.place.clone()).collect(),
            fields: errors().filter_map(field).chain(errors().filter_map(around)).collect(),
            keys: errors().filter_map(key).collect(),
        }
    }

    /// Whether a refusal that names a map is about a key of it that is known to be wrong: such as of
    /// resources, where the server has the key in its words alone.
    fn has_key(&self, object: &ObjectKey, field: &str, message: &str) -> bool {
        let mut keys = self.keys.iter();
        keys.any(|(of, map, key)| {
            let words =
                || message.split(|char: char| char.is_whitespace() || "`\"',:".contains(char));
            of == object && map == field && words().any(|word| word == key)
        })
    }

    /// Whether one of them says the same. A place tells only where it is the field's own: all of an
    /// object that is `placeless` stands at one place.
    fn say(&self, refusal: &Finding, placeless: &BTreeSet<ObjectKey>) -> bool {
        let Some(object) = &refusal.object else { return false };
        match &refusal.field {
            Some(field) => {
                self.fields.contains(&(object.clone(), field.clone()))
                    || self.has_key(object, field, &refusal.message)
                    || !placeless.contains(object) && self.places.contains(&refusal.place)
            }
            // One of the known errors keeps the server from reading the object.
            None => is_unread(&refusal.message) && self.fields.iter().any(|(of, _)| of == object),
        }
    }
}

/// A field's way without its last part, and that part.
fn split_last(field: &str) -> Option<(&str, &str)> {
    match field.strip_suffix(']') {
        Some(rest) => rest.rsplit_once('['),
        None => field.rsplit_once('.'),
    }
}

/// Whether the server says that it could not read an object; it names no field then
/// (k8s.io/apimachinery, `pkg/util/managedfields` and `pkg/runtime`).
fn is_unread(message: &str) -> bool {
    const WORDS: [&str; 3] =
        ["failed to create typed patch object", "failed to convert", "cannot be handled as"];
    WORDS.iter().any(|words| message.contains(words))
}

/// A server's refusal of an object: one finding for every field that it names.
fn findings(key: &ObjectKey, manifest: &Manifest, refusal: Refusal) -> Vec<Finding> {
    let Refusal { message, hint, causes, may_pass: _ } = refusal;
    let whole = Finding {
        level: Level::Error,
        rule: CheckRule::Refused,
        place: manifest.location(),
        object: Some(key.clone()),
        field: None,
        message,
        hint,
        missing: None,
    };
    if causes.is_empty() {
        return vec![whole];
    }
    // A rendered object has no lines of its own.
    let whose = if manifest.positions.is_empty() { format!("{key}: ") } else { String::new() };
    let of_field = |cause: Cause| Finding {
        place: manifest.place_of(&cause.field),
        message: format!("{whose}{cause}"),
        field: Some(in_one_spelling(manifest, &cause.field)).filter(|field| !field.is_empty()),
        ..whole.clone()
    };
    causes.into_iter().map(of_field).collect()
}

/// The name of a field as findings of the schemas have it: the server spells one in several ways.
fn in_one_spelling(manifest: &Manifest, field: &str) -> String {
    let (parts, rest) = manifest.parts_of(field);
    format!("{}{rest}", field_name(&parts)).trim_start_matches('.').to_owned()
}

/// Makes the namespaces and definitions, and returns the kinds of those that are established. What is
/// refused here is refused again when it is asked
/// about, with its reason.
async fn prepare(
    desired: &Desired,
    catalog: &Catalog,
    cluster: &Cluster,
) -> Result<Vec<(GroupKind, Defined)>, Error> {
    let mut kinds = Vec::new();
    let namespace = GroupKind::new("", "Namespace");
    if let Some(served) = catalog.preferred(&namespace) {
        for name in desired.namespaces() {
            let object = json!({
                "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name },
            });
            let object = Object::from(object.as_object().cloned().unwrap_or_default());
            let _ = cluster.apply(served, &object).await;
        }
    }
    for (key, manifest) in desired.objects.iter().filter(|(key, _)| is_crd(key)) {
        let version = manifest.object.version();
        let Some(served) = catalog.endpoint(&key.group_kind(), version) else { continue };
        if cluster.apply(&served, &manifest.object).await.is_ok() {
            let established = cluster
                .until_condition(
                    &served,
                    &WaitCondition::ESTABLISHED,
                    &key.name,
                    &RetryPolicy::of(PATIENCE, &Cancellation::default()),
                )
                .await;
            let established =
                established.map_err(api("wait for a definition to be established"))?;
            kinds.extend(established.ok().and_then(|()| definition(&manifest.object)));
        }
    }
    Ok(kinds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(rule: CheckRule, field: &str, message: &str, column: usize) -> Finding {
        Finding {
            level: Level::Error,
            rule,
            place: Location { path: "a.yaml".to_owned(), line: 6, column },
            object: Some(ObjectKey {
                group: String::new(),
                kind: "Pod".to_owned(),
                namespace: Some("default".to_owned()),
                name: "a".to_owned(),
            }),
            field: Some(field.to_owned()),
            message: message.to_owned(),
            hint: None,
            missing: None,
        }
    }

    /// Asserts how many findings there are of an error that was found without a server, and of the
    /// refusal of a field.
    #[track_caller]
    fn expect(known: &Finding, field: &str, message: &str, count: usize) {
        let refusals = vec![error(CheckRule::Refused, field, message, 37)];
        let both = DryRun { refusals, ..DryRun::default() }.beside(vec![known.clone()]);
        assert_eq!(both.len(), count, "{field}: {message}");
    }

    #[test]
    fn refusal_of_a_map_is_that_of_the_key_that_it_names() {
        let map = "spec.containers[0].resources.requests";
        let key = error(CheckRule::Value, &format!("{map}[example.com/gpu]"), "wrong", 78);
        let message = "Invalid value: \"2\": must be equal to example.com/gpu limit of 1";
        expect(&key, map, message, 1);
        let cpu = error(CheckRule::Value, "spec.requests.cpu", "wrong", 78);
        expect(&cpu, "spec.requests", "cpu: too much", 1);
        // Another fault of the map, or of another map.
        expect(&key, map, "must be equal to example.com/gpus limit of 1", 2);
        expect(&key, "spec.containers[1].resources.requests", message, 2);
        expect(&key, "spec.containers[0].resources", message, 2);
    }

    #[test]
    fn refusal_of_the_map_of_a_label_is_that_of_the_label() {
        let label = |rule| error(rule, "metadata.labels.a_b", "wrong", 78);
        expect(&label(CheckRule::Name), "metadata.labels", "must be a label", 1);
        expect(&label(CheckRule::Value), "metadata.labels", "must be a label", 2);
    }
}
