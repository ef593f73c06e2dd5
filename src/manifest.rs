//! Bytes of a file → [`Manifest`]s: the objects that its documents declare, and where each stands.

use crate::object::Object;
use crate::problem::Place;

/// Where in the checkout an object is declared.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// Path from the checkout's root, with `/` between the parts.
    pub path: String,
    /// Line of the document's first key, from 1.
    pub line: usize,
    /// Column of the document's first key in characters, from 1.
    pub column: usize,
    /// Which document of the file it is, from 1.
    pub document: usize,
}

impl Origin {
    /// The place of the document's first key.
    pub fn place(&self) -> Place {
        Place { path: self.path.clone(), line: self.line, column: self.column }
    }
}

/// An object that a file declares.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Manifest {
    /// The object as the file has it.
    pub object: Object,
    /// Where it is declared.
    pub origin: Origin,
}
