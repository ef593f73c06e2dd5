//! Are these manifests sound? Asked of nothing but the manifests themselves.
//!
//! [`check`] tells the story: `validate` (with `limits`) holds each object against its
//! [schema](crate::core::kinds::schemas), `validation` against the rules of the API server that no
//! schema says, and `custom_rules` against the rules of its definition. `compiled` finds expressions
//! that no API server compiles. `versions` looks for
//! versions that the release does not serve. `policies` evaluates the admission policies of the
//! set. `references` looks for names of objects that are not there, `autoscalers` for replicas that
//! are changed by others, and `turns` for objects that can't be put in order. `one_hint` leaves one
//! finding for a value that both the reader and a schema are about. `annotations` looks for invalid
//! annotations of trueup's own, and `secrets` for keys that a Secret has twice. `hidden` sees to
//! values that SOPS encrypted, and to variables of Flux. An error is what
//! the API server refuses, or trueup; a warning is what most likely means something else, or what
//! can't be decided from the manifests alone.

mod annotations;
mod autoscalers;
#[cfg(test)]
mod cel_tests;
mod compiled;
mod controllers;
mod custom_rules;
mod dialect;
mod finding;
mod hidden;
mod limits;
mod one_hint;
mod places;
mod policies;
mod references;
mod secrets;
#[cfg(test)]
mod tests;
mod turns;
mod validate;
mod validation;
mod variables;
mod versions;
mod words;

use std::cell::RefCell;
use std::collections::HashMap;
use std::num::NonZero;
use std::thread;

use crate::core::field_rules;
use crate::core::kinds::schemas::{SchemaLookup, Schemas};
use crate::core::manifest::{Manifest, PathPart};
use crate::core::mask::Mask as _;
use crate::core::object::ObjectKey;
use crate::core::parallel::in_parallel;
use crate::core::problem::{Cause, Location, Problem, Refusal};
use crate::core::redact::{Inputs, Redactor};
use crate::core::remedy::Remedy;
use crate::core::suggest::suggest;

use custom_rules::CustomRules;
use dialect::Dialect;
pub use finding::{CheckRule, Finding, Level};
use limits::Patterns;
use one_hint::Look;
use validate::{GUESSES, KeyOrValue, SchemaViolation, Validator, filled};
pub use words::field as field_name;

/// Fewer objects than this are checked faster than threads are started.
const WORTH_A_THREAD: usize = 64;

/// The objects to check.
#[derive(Clone, Copy, Debug)]
pub struct Set<'a> {
    /// The objects.
    pub manifests: &'a [Manifest],
    /// The documents that could not be read.
    pub problems: &'a [Problem],
    /// The reader's warnings.
    pub warnings: &'a [Problem],
    /// Warnings of files that are not read.
    pub unreferenced: &'a [Problem],
    /// Warnings of files that are something else than manifests.
    pub others: &'a [Problem],
    /// The namespace of namespaced objects that name none.
    pub namespace: &'a str,
    /// Fields that are left as they are in the cluster.
    pub ignore: &'a [field_rules::FieldRule],
    /// Fields that are masked as a Secret's values are.
    pub redact: &'a [field_rules::FieldRule],
    /// Secret inputs of rendering programs.
    pub inputs: &'a Inputs,
}

/// Everything that is wrong with a set of manifests, in the order of files and lines. `schemas` are
/// those of the release; the definitions of the set are added to them.
pub fn check(set: Set<'_>, schemas: Schemas) -> Vec<Finding> {
    check_by(set, schemas, &[])
}

/// The same, with admission policies, their bindings and parameters from outside the set.
pub fn check_by(set: Set<'_>, mut schemas: Schemas, admission: &[Manifest]) -> Vec<Finding> {
    let Set {
        manifests,
        problems,
        warnings,
        unreferenced,
        others,
        namespace,
        ignore,
        redact,
        inputs,
    } = set;
    manifests.iter().for_each(|manifest| schemas.define(&manifest.object));
    let keys = in_parallel(manifests, || (), |(), manifest| key(manifest, &schemas, namespace));
    let named: Vec<(&ObjectKey, &Manifest)> = keys.iter().zip(manifests).collect();

    let mut findings = Vec::new();
    for (problems, level, rule) in [
        (problems, Level::Error, CheckRule::Unreadable),
        (warnings, Level::Warning, CheckRule::Surprise),
        (unreferenced, Level::Warning, CheckRule::Unreferenced),
        (others, Level::Warning, CheckRule::NotAManifest),
    ] {
        findings.extend(problems.iter().map(|it| Finding::from_problem(it, level, rule)));
    }
    let rules = CustomRules::of(&named, &schemas);
    let Held { findings: found, looks } = one_by_one(&named, &schemas, &rules);
    findings.extend(found);
    one_hint::settle(&mut findings, looks);
    let mut unevaluated = rules.unevaluated(&named);
    unevaluated.extend(hidden::known(&named, policies::findings(&named, admission, &schemas)));
    compiled::settle(&mut findings, unevaluated);
    findings.extend(duplicates(&named));
    findings.extend(hidden::known(&named, references::lost(&named)));
    findings.extend(autoscalers::fights(&named, ignore, namespace));
    findings.extend(turns::wrong(&named, |key| {
        let is_known = schemas.is_namespaced(&key.group_kind()).is_some();
        let namespace = Some(namespace.to_owned());
        (!is_known && key.namespace.is_none()).then(|| ObjectKey { namespace, ..key.clone() })
    }));

    if !findings.is_empty() {
        let objects = manifests.iter().chain(admission).map(|manifest| &manifest.object);
        let redactor = Redactor::with_rules(objects, redact, inputs);
        for finding in &mut findings {
            let masked = |text: &str| match &finding.object {
                Some(key) => redactor.text_about(key, text),
                None => redactor.text(text),
            };
            finding.message.mask(&masked);
            finding.hint.mask(&masked);
        }
    }
    findings.sort_by(|a, b| (&a.place, a.level, &a.message).cmp(&(&b.place, b.level, &b.message)));
    findings.dedup();
    findings
}

/// The objects that there are once a set is applied: its own, and those that are made of them. What
/// others name of these is not missing.
pub fn there(set: Set<'_>, mut schemas: Schemas) -> Vec<ObjectKey> {
    let Set { manifests, namespace, .. } = set;
    manifests.iter().for_each(|manifest| schemas.define(&manifest.object));
    let keys = in_parallel(manifests, || (), |(), manifest| key(manifest, &schemas, namespace));
    let named: Vec<(&ObjectKey, &Manifest)> = keys.iter().zip(manifests).collect();
    references::there(&named)
}

/// The findings of each object by itself, with all cores at once.
fn one_by_one(
    named: &[(&ObjectKey, &Manifest)],
    schemas: &Schemas,
    rules: &CustomRules<'_>,
) -> Held {
    let part = |part: &[(&ObjectKey, &Manifest)]| -> Held {
        let patterns = Patterns::default();
        let looks = RefCell::new(Vec::new());
        let one = |&(key, manifest): &(&ObjectKey, &Manifest)| {
            hidden::looked_through(key, manifest, &|manifest| {
                let Held { mut findings, looks: seen } =
                    held(key, manifest, schemas, &patterns, &|_| true);
                looks.borrow_mut().extend(seen);
                // The server does not ask the rules of an object that its schema refuses.
                if findings.iter().all(|finding| finding.level != Level::Error) {
                    findings.extend(rules.broken(key, manifest, schemas));
                }
                let refused = validation::refused(key, manifest, schemas);
                let told = |finding: &Finding| is_misspelt(finding, &findings);
                let refused: Vec<Finding> = refused.into_iter().filter(|it| !told(it)).collect();
                findings.extend(refused);
                findings.extend(compiled::refused(key, manifest));
                findings.extend(secrets::twice(key, manifest));
                findings.extend(annotations::wrong(key, manifest));
                findings.extend(controllers::fields(key, manifest));
                findings
            })
        };
        let findings = part.iter().flat_map(one).collect();
        Held { findings, looks: looks.into_inner() }
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let share = named.len().div_ceil(threads).max(WORTH_A_THREAD);
    thread::scope(|scope| {
        let workers: Vec<_> =
            named.chunks(share).map(|chunk| scope.spawn(move || part(chunk))).collect();
        let mut all = Held::default();
        for worker in workers {
            match worker.join() {
                Ok(held) => all.add(held),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    })
}

/// A field that is missing only because its name is misspelt, as `found` says.
fn is_misspelt(missing: &Finding, found: &[Finding]) -> bool {
    fn parts(finding: &Finding) -> Option<(&str, &str)> {
        let field = finding.field.as_deref()?;
        Some(field.rsplit_once('.').unwrap_or(("", field)))
    }
    let Some((around, name)) = parts(missing) else { return false };
    missing.rule == CheckRule::MissingField
        && found
            .iter()
            .filter(|it| it.rule == CheckRule::UnknownField)
            .filter_map(parts)
            .any(|(beside, unknown)| around == beside && !suggest(unknown, [name]).is_empty())
}

/// The results of holding objects against their schemas.
#[derive(Default)]
struct Held {
    findings: Vec<Finding>,
    /// The word of the schemas on values that the reader warned of.
    looks: Vec<(Location, Look)>,
}

impl Held {
    fn add(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.looks.extend(other.looks);
    }
}

/// An object's identity, with its namespace filled in.
fn key(manifest: &Manifest, schemas: &Schemas, namespace: &str) -> ObjectKey {
    let mut key = manifest.object.key();
    match schemas.is_namespaced(&manifest.object.group_kind()) {
        Some(true) => drop(key.namespace.get_or_insert_with(|| namespace.to_owned())),
        Some(false) => key.namespace = None,
        None => {}
    }
    key
}

/// Holds one object against the schema of its kind; of its faults, it reports those that `counts`.
fn object(
    key: &ObjectKey,
    manifest: &Manifest,
    schemas: &Schemas,
    patterns: &Patterns,
    counts: &dyn Fn(&SchemaViolation<'_>) -> bool,
) -> Vec<Finding> {
    held(key, manifest, schemas, patterns, counts).findings
}

/// The same, with what the schema says of values that look like other ones.
fn held(
    key: &ObjectKey,
    manifest: &Manifest,
    schemas: &Schemas,
    patterns: &Patterns,
    counts: &dyn Fn(&SchemaViolation<'_>) -> bool,
) -> Held {
    let object = &manifest.object;
    let found = schemas.find(object);
    // A custom resource is not held against quite what is written.
    let filled = match &found {
        SchemaLookup::Custom(schema) => Some(filled(object, schema)),
        _ => None,
    };
    let mut validator = Validator {
        schemas,
        patterns,
        positions: &manifest.positions,
        is_secret: key.kind.contains("Secret"),
        path: Vec::new(),
        faults: Vec::new(),
        looks: Vec::new(),
        guesses: GUESSES,
    };
    let mut findings = Vec::new();
    match (found, &filled) {
        (SchemaLookup::Release(schema), _) => {
            validator.object(&object.0, schema);
            findings.extend(versions::aging(manifest, key, schemas));
        }
        (SchemaLookup::Custom(schema), Some(value)) => {
            validator.value(value, schema, Dialect::Custom);
            validator.metadata(object);
        }
        _ => {
            validator.metadata(object);
            let unserved = versions::unserved(manifest, key, schemas);
            findings.push(unserved.unwrap_or_else(|| unvalidated(manifest, key, schemas)));
        }
    }
    let faults = validator.faults.into_iter().filter(|fault| counts(fault));
    findings.extend(faults.map(|fault| placed(fault, manifest, key)));
    let place = |path: &[PathPart<'_>]| places::of(manifest, path, KeyOrValue::Value);
    let looks = validator.looks.into_iter().map(|(path, look)| (place(&path), look)).collect();
    Held { findings, looks }
}

/// The reason why the API server will refuse an object, as far as the schemas tell.
pub fn refusal(key: &ObjectKey, manifest: &Manifest, schemas: &Schemas) -> Option<Refusal> {
    refused(object(key, manifest, schemas, &Patterns::default(), &|_| true))
}

/// The faults for which the API server refuses even an object that is there already: fields that
/// its schema has no place for, and faults in a part that `changes`, which a path leads to. It
/// takes wrong values that stay as they are (KEP-4008).
pub fn misfit(
    key: &ObjectKey,
    manifest: &Manifest,
    schemas: &Schemas,
    changes: &dyn Fn(&[PathPart<'_>]) -> bool,
) -> Option<Refusal> {
    let counts = |fault: &SchemaViolation<'_>| match fault.rule {
        CheckRule::UnknownField | CheckRule::WrongType => true,
        CheckRule::Value | CheckRule::MissingField => changes(&fault.path),
        _ => false,
    };
    refused(object(key, manifest, schemas, &Patterns::default(), &counts))
}

fn refused(findings: Vec<Finding>) -> Option<Refusal> {
    let errors = findings.into_iter().filter(|finding| finding.level == Level::Error);
    let causes: Vec<Cause> = errors
        .map(|error| Cause {
            field: error.field.unwrap_or_default(),
            message: error.message,
            place: Some(error.place),
        })
        .collect();
    let first = causes.first()?;
    Some(Refusal { message: first.to_string(), hint: None, causes, may_pass: false })
}

fn placed(fault: SchemaViolation<'_>, manifest: &Manifest, key: &ObjectKey) -> Finding {
    let SchemaViolation { path, at, rule, message } = fault;
    let level = if rule == CheckRule::Surprise { Level::Warning } else { Level::Error };
    Finding { level, ..Finding::about(key, manifest, &path, at, rule, message) }
}

/// The warning about an object whose kind is not known.
fn unvalidated(manifest: &Manifest, key: &ObjectKey, schemas: &Schemas) -> Finding {
    let object = &manifest.object;
    let wanted = format!("{}/{}", object.api_version(), object.kind());
    let hint = match schemas.find(object) {
        SchemaLookup::OtherVersions(versions) => {
            Some(format!("this kind is served in {}", versions.join(", ")))
        }
        _ => {
            let names: Vec<String> = schemas.names().collect();
            suggest(&wanted, &names).first().map(|near| format!("did you mean {near}?"))
        }
    };
    let message = format!("no schema for {wanted}: not validated");
    let path = [PathPart::Key("kind")];
    let hint = hint.map(Remedy::Text);
    Finding {
        hint,
        ..Finding::about(key, manifest, &path, KeyOrValue::Key, CheckRule::NoSchema, message)
    }
}

/// Objects that are declared more than once.
fn duplicates(named: &[(&ObjectKey, &Manifest)]) -> Vec<Finding> {
    let mut first: HashMap<&ObjectKey, &Manifest> = HashMap::with_capacity(named.len());
    let mut findings = Vec::new();
    for &(key, manifest) in named {
        match first.get(key).map(|first| first.location()) {
            None => drop(first.insert(key, manifest)),
            Some(first) => findings.push(Finding {
                level: Level::Error,
                rule: CheckRule::Duplicate,
                place: manifest.location(),
                object: Some(key.clone()),
                field: None,
                message: format!("{key} is declared twice, here and at {first}"),
                hint: Some("delete one of the two, or list its file in .trueupignore".into()),
                missing: None,
            }),
        }
    }
    findings
}
