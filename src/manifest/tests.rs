//! The reader as its callers see it.
