//! Bytes of a file → [`Manifest`]s: the objects that its documents declare, and where each stands.

use crate::object::Object;

/// Where in the checkout an object is declared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

/// An object that a file declares.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The object as the file has it.
    pub object: Object,
    /// Where it is declared.
    pub origin: Origin,
}
