//! Which fields of an object name another object. The one place that knows: `check` looks whether
//! what is named is there, a [plan](crate::core::plan) makes it first.
//!
//! `table` has the fields, `uses` looks for them in an object, and `pods` knows where pods are and how
//! they are found by their labels.

mod pods;
mod table;
#[cfg(test)]
mod tests;
mod uses;

pub use pods::{Templates, of_templates};
pub use uses::{issued, made_by, makes_claim, of};

use crate::core::manifest::PathPart;
use crate::core::object::{GroupKind, ObjectKey};

/// A name of another object, and where it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference<'v> {
    /// The other's kind.
    pub kind: GroupKind,
    /// The other's namespace; `None` for what lives in none.
    pub namespace: Option<String>,
    /// The other's name.
    pub name: &'v str,
    /// A key of its data that is wanted.
    pub key: Option<&'v str>,
    /// The field that has the name.
    pub path: Vec<PathPart<'v>>,
    /// The consequence of a missing object.
    pub bond: ReferenceKind,
}

/// The consequence of a missing object that is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceKind {
    /// Then most likely something is wrong.
    Expected,
    /// The same, and nothing waits for it: a controller may make it afterwards.
    Later,
    /// It is often created by others, such as a class that came with the cluster.
    Elsewhere,
    /// The object says that it does without.
    Optional,
    /// It is often created by others, and the order of the two does not matter.
    Apart,
}

impl Reference<'_> {
    /// Which object is meant.
    pub fn object(&self) -> ObjectKey {
        ObjectKey {
            group: self.kind.group.clone(),
            kind: self.kind.kind.clone(),
            namespace: self.namespace.clone(),
            name: self.name.to_owned(),
        }
    }
}
