//! Objects that are only ever made, or left alone.

use crate::core::object::Object;

/// Flux's word for the same, an annotation or a label.
const SSA: &str = "kustomize.toolkit.fluxcd.io/ssa";
/// Flux's other words for an object that is left alone, an annotation or a label.
const RECONCILE: &str = "kustomize.toolkit.fluxcd.io/reconcile";

/// How an object is treated that is not simply made true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It is made where there is none, and never changed after that.
    CreateOnly,
    /// Nothing is done with it: it is neither made nor changed nor deleted.
    Ignore,
}

/// How an object is treated, and what says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Treatment {
    /// How.
    pub mode: Mode,
    /// The annotation that says so, as a person writes it.
    pub said: String,
}

impl Mode {
    /// Their names.
    pub const NAMES: [&str; 2] = ["create-only", "ignore"];

    /// The other tools' annotations that say the same.
    pub const OTHERS: [&str; 2] = [SSA, RECONCILE];

    /// The object's own mode: trueup's own annotation counts first. `None` where it has none, or an
    /// invalid one.
    pub fn treatment_of(object: &Object) -> Option<Treatment> {
        let treatment = |mode, name: &str, value: &str| {
            Some(Treatment { mode, said: format!("{name}: {value}") })
        };
        match object.annotation(super::MODE) {
            Some(text @ "create-only") => return treatment(Self::CreateOnly, super::MODE, text),
            Some(text @ "ignore") => return treatment(Self::Ignore, super::MODE, text),
            _ => {}
        }
        let words = [
            (SSA, "IfNotPresent", Self::CreateOnly),
            (SSA, "Ignore", Self::Ignore),
            (RECONCILE, "disabled", Self::Ignore),
        ];
        words.into_iter().find_map(|(name, word, mode)| {
            let values = [object.annotation(name), object.label(name)];
            let value = values.into_iter().flatten().find(|it| it.eq_ignore_ascii_case(word))?;
            treatment(mode, name, value)
        })
    }

    /// Whether nothing is to be done with an object.
    pub fn ignores(object: &Object) -> bool {
        matches!(Self::treatment_of(object), Some(Treatment { mode: Self::Ignore, .. }))
    }

    /// Whether an object is only to be made.
    pub fn only_creates(object: &Object) -> bool {
        matches!(Self::treatment_of(object), Some(Treatment { mode: Self::CreateOnly, .. }))
    }
}
