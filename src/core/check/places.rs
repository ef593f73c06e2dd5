//! A path within an object → the place in its file.

use super::validate::KeyOrValue;
use crate::core::manifest::{Manifest, PathPart};
use crate::core::problem::Location;

/// Where the field at `path` stands; if the file doesn't have it, the innermost field around it
/// that the file has.
pub(super) fn of(manifest: &Manifest, path: &[PathPart], at: KeyOrValue) -> Location {
    let written = match at {
        KeyOrValue::Value => manifest.written_value(path),
        KeyOrValue::Key => manifest.written_key(path),
    };
    if let Some(place) = written {
        return place;
    }
    let positions = &manifest.positions;
    let origin = manifest.location();
    let whole = match at {
        KeyOrValue::Value => positions.of_value(path),
        KeyOrValue::Key => positions.of(path),
    };
    let around = || (1..path.len()).rev().find_map(|end| positions.of(&path[..end]));
    let found = if path.is_empty() { None } else { whole.or_else(around) };
    let (line, column) = found.unwrap_or((origin.line, origin.column));
    Location { line, column, ..origin }
}
