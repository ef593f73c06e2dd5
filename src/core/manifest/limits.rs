//! How much a file may ask of us, so that a hostile one costs a message and nothing else.

use super::fault::{ManifestFault, Spot};

/// A file's size in bytes.
pub(super) const FILE: usize = 64 << 20;
/// Documents with content in one file.
pub(super) const DOCUMENTS: usize = 50_000;
/// Lists and maps within one another. kubectl goes to 10,000, no API type comes near 100, and
/// whoever walks a value by recursion is safe with this many.
pub(super) const DEPTH: usize = 1_000;
/// The sum of the depths of a document's values. The parser looks at every open bracket for each
/// word within, so much that is deep would take it long.
pub(super) const EFFORT: usize = 250_000_000;
/// An object as JSON: what etcd takes in one request.
pub(super) const OBJECT: usize = 3 << 19;
/// A document as JSON, which may be a list of objects, with its aliases written out.
pub(super) const EXPANDED: usize = FILE;

pub(super) fn file_too_big() -> ManifestFault {
    ManifestFault::new(Spot::START, format!("the file is over {} MiB", FILE >> 20))
        .hint("split it into several files")
}

pub(super) fn too_many_documents(spot: Spot) -> ManifestFault {
    ManifestFault::new(spot, format!("the file has over {DOCUMENTS} documents"))
        .hint("split it into several files")
}

pub(super) fn too_deep(spot: Spot) -> ManifestFault {
    ManifestFault::new(spot, format!("lists and maps are nested more than {DEPTH} deep here"))
}

pub(super) fn too_expanded(spot: Spot) -> ManifestFault {
    ManifestFault::new(spot, format!("the document is over {} MiB", EXPANDED >> 20))
        .hint("its aliases expand too far; use fewer of them, or split the file")
}

pub(super) fn too_much_aliasing(spot: Spot) -> ManifestFault {
    ManifestFault::new(spot, "the document consists of aliases for the most part")
        .hint("Kubernetes refuses so many aliases (*name); write out what they stand for")
}

pub(super) fn object_too_big(spot: Spot) -> ManifestFault {
    ManifestFault::new(
        spot,
        "the object is over 1.5 MiB as JSON, which the API server would not store",
    )
    .hint("split it; large data belongs in a volume or an image")
}
