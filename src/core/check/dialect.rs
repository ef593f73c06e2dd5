//! The dialects of schemas.

/// The rules that a schema is written by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Go's types: null is as good as nothing, and so is empty text for an enum.
    Release,
    /// A status in it: the server reads it and throws it away.
    Status,
    /// A structural schema.
    Custom,
    /// A part of one under anyOf and its like, which says nothing of unknown fields.
    Logic,
}
