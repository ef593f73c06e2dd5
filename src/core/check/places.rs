//! A path within an object → the place in its file.

use super::validate::At;
use crate::core::manifest::{Manifest, PathPart};
use crate::core::problem::Place;

/// Where the field at `path` stands; if the file doesn't have it, the innermost field around it
/// that the file has.
pub(super) fn of(manifest: &Manifest, path: &[PathPart], at: At) -> Place {
    let positions = &manifest.positions;
    let origin = manifest.origin.place();
    let whole = match at {
        At::Value => positions.of_value(path),
        At::Key => positions.of(path),
    };
    let around = || (1..path.len()).rev().find_map(|end| positions.of(&path[..end]));
    let found = if path.is_empty() { None } else { whole.or_else(around) };
    let (line, column) = found.unwrap_or((origin.line, origin.column));
    Place { line, column, ..origin }
}
