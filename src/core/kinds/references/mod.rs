//! Which fields of an object name another object. The one place that knows: `check` looks whether
//! what is named is there, a [plan](crate::core::plan) makes it first.
//!
//! `uses` knows each kind's own fields, `pods` what a pod template names and how pods are found by
//! their labels.

mod pods;
mod uses;

pub use pods::Templates;
pub use uses::{made_by, of};

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
    /// It is often created by others, such as a class that came with the cluster.
    Elsewhere,
    /// The object says that it does without.
    Optional,
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
