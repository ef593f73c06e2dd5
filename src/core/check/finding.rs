//! Findings of a check: their severity, rule, position and text.

use super::validate::KeyOrValue;
use super::{places, words};
use crate::core::manifest::{Manifest, PathPart};
use crate::core::object::ObjectKey;
use crate::core::problem::{Location, Problem};
use crate::core::remedy::Remedy;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The API server refuses it, or trueup does.
    Error,
    /// It may be meant so.
    Warning,
}

/// The rule of a finding, for a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckRule {
    /// A document that can't be read, or a target.
    Unreadable,
    /// A value or key that is read as something other than it looks like.
    Surprise,
    /// A field that the kind does not have.
    UnknownField,
    /// A value of another type.
    WrongType,
    /// A field that has to be there.
    MissingField,
    /// A value that may not be.
    Value,
    /// A name, a label or a key that is not in the required form.
    Name,
    /// Fields that do not go together.
    Combination,
    /// An element of a list whose key another element has.
    DuplicateKey,
    /// An object that is declared more than once.
    Duplicate,
    /// A kind without a schema.
    NoSchema,
    /// A version of Kubernetes' own kinds that the release does not serve, or deprecates.
    ApiVersion,
    /// A name of something that is not in the set.
    Reference,
    /// An annotation about an object's turn that can't be followed.
    Order,
    /// An annotation of trueup's own that means nothing, or one that no manifest may have.
    Annotation,
    /// A record or a lock of an inventory, which no manifest may declare.
    Reserved,
    /// A Secret's key that is there twice.
    SecretKey,
    /// A file below a rendered folder that nothing reads.
    Unreferenced,
    /// A manifest that belongs to no target.
    Outside,
    /// A file that is something else than a manifest.
    NotAManifest,
    /// A field that a controller of the API server fills in.
    Controlled,
    /// A rule of a CustomResourceDefinition does not hold.
    Rule,
    /// A policy of the set does not admit it.
    Policy,
    /// A rule or a policy that can't be worked out without a server.
    NotEvaluated,
    /// An object or a value that SOPS encrypted.
    Encrypted,
    /// Variables that Flux would substitute.
    Variables,
    /// An API server refuses it.
    Refused,
}

impl CheckRule {
    /// Every rule.
    pub const ALL: [Self; 27] = [
        Self::Unreadable,
        Self::Surprise,
        Self::UnknownField,
        Self::WrongType,
        Self::MissingField,
        Self::Value,
        Self::Name,
        Self::Combination,
        Self::DuplicateKey,
        Self::Duplicate,
        Self::NoSchema,
        Self::ApiVersion,
        Self::Reference,
        Self::Order,
        Self::Annotation,
        Self::Reserved,
        Self::SecretKey,
        Self::Unreferenced,
        Self::Outside,
        Self::NotAManifest,
        Self::Controlled,
        Self::Rule,
        Self::Policy,
        Self::NotEvaluated,
        Self::Encrypted,
        Self::Variables,
        Self::Refused,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Surprise => "surprise",
            Self::UnknownField => "unknown-field",
            Self::WrongType => "wrong-type",
            Self::MissingField => "missing-field",
            Self::Value => "value",
            Self::Name => "name",
            Self::Combination => "combination",
            Self::DuplicateKey => "duplicate-key",
            Self::Duplicate => "duplicate",
            Self::NoSchema => "no-schema",
            Self::ApiVersion => "api-version",
            Self::Reference => "reference",
            Self::Order => "order",
            Self::Annotation => "annotation",
            Self::Reserved => "reserved",
            Self::SecretKey => "secret-key",
            Self::Unreferenced => "unreferenced",
            Self::Outside => "outside",
            Self::NotAManifest => "not-a-manifest",
            Self::Controlled => "controlled",
            Self::Rule => "rule",
            Self::Policy => "policy",
            Self::NotEvaluated => "not-evaluated",
            Self::Encrypted => "encrypted",
            Self::Variables => "variables",
            Self::Refused => "refused",
        }
    }

    /// The meaning, in a sentence.
    pub fn about(self) -> &'static str {
        match self {
            Self::Unreadable => "A document, or a target of trueup.yaml, can't be read.",
            Self::Surprise => "Kubernetes reads a value as something other than it looks like.",
            Self::UnknownField => "The kind's schema has no such field.",
            Self::WrongType => "A value has the wrong type.",
            Self::MissingField => "A required field is missing.",
            Self::Value => "A value is not among the allowed ones.",
            Self::Name => "A name, a label or a key does not have the required form.",
            Self::Combination => "Fields of an object exclude each other, or one needs another.",
            Self::DuplicateKey => "Two elements of a list have the same key.",
            Self::Duplicate => "An object is declared more than once.",
            Self::NoSchema => "There is no schema for the kind.",
            Self::ApiVersion => "The release does not serve the API version, or deprecates it.",
            Self::Reference => "A reference names an object that is not in the set.",
            Self::Order => "An object's place in the order can't be derived from its annotations.",
            Self::Annotation => {
                "An annotation of trueup is unknown, has an invalid value, or must not be declared."
            }
            Self::Reserved => "Records and locks of inventories can't be declared.",
            Self::Unreferenced => {
                "Files below a rendered folder are not read, as nothing refers to them."
            }
            Self::Outside => "Manifests belong to no target of trueup.yaml.",
            Self::NotAManifest => "A file beside manifests is something else.",
            Self::Controlled => "A controller of the API server fills the field in.",
            Self::SecretKey => "A Secret has a key in data and in stringData.",
            Self::Rule => "A rule of a CustomResourceDefinition does not hold.",
            Self::Policy => "A ValidatingAdmissionPolicy does not admit the object.",
            Self::NotEvaluated => "A rule or a policy can't be worked out without a server.",
            Self::Encrypted => "SOPS encrypted the object or a value of it.",
            Self::Variables => "Flux would substitute variables of the object.",
            Self::Refused => "An API server refuses the object.",
        }
    }
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// The rule.
    pub rule: CheckRule,
    /// Where it is.
    pub place: Location,
    /// The object that it is about.
    pub object: Option<ObjectKey>,
    /// The field, as the API server writes it.
    pub field: Option<String>,
    /// The message, in a phrase without a final full stop.
    pub message: String,
    /// The remedy.
    pub hint: Option<Remedy>,
    /// The object that is named and not in the set, where that is what it is about.
    pub missing: Option<Box<ObjectKey>>,
}

impl Finding {
    /// The finding for a problem of the reader.
    pub fn from_problem(problem: &Problem, level: Level, rule: CheckRule) -> Self {
        let Problem { place, message, excerpt: _, hint } = problem.clone();
        Self {
            level,
            rule,
            place,
            object: None,
            field: None,
            message,
            hint: hint.map(Remedy::Text),
            missing: None,
        }
    }

    /// A warning about a field of an object. What was rendered has no lines of its own, so there the
    /// message names what the place can't.
    pub(super) fn about(
        key: &ObjectKey,
        manifest: &Manifest,
        path: &[PathPart],
        at: KeyOrValue,
        rule: CheckRule,
        message: String,
    ) -> Self {
        let field = Some(words::field(path)).filter(|field| !field.is_empty());
        let message = match &field {
            _ if !manifest.positions.is_empty() => message,
            Some(field) => format!("{key}: {field}: {message}"),
            None => format!("{key}: {message}"),
        };
        let (place, object) = (places::of(manifest, path, at), Some(key.clone()));
        Self {
            level: Level::Warning,
            rule,
            place,
            object,
            field,
            message,
            hint: None,
            missing: None,
        }
    }
}
