//! Changes in the work tree that are not committed, of everything that a target is read from: its paths,
//! the files above them that settle what counts, and what rendering reads elsewhere.

use std::collections::BTreeSet;

use crate::app::{Error, Target};
use crate::config;
use crate::core::source::selection::IGNORE_FILE;
use crate::git::{Checkout, Uncommitted};
use crate::render::file_index::is_within;

/// With more paths than this, one look at the whole work tree costs less than to match each.
const FEW_PATHS: usize = 64;

/// The paths that a target is read from before anything is rendered: its own, the ignore files above
/// them, and its settings.
pub(in crate::app) fn read_paths(target: &Target) -> Vec<String> {
    let mut paths: BTreeSet<String> = target.paths.iter().cloned().collect();
    paths.extend(ignore_files_above(&target.paths));
    if target.declared.is_some() || !target.paths_at.is_empty() {
        paths.insert(config::FILE.to_owned());
    }
    without_nested(paths)
}

/// The ignore files that the folders above the target's paths may have.
pub(super) fn ignore_files_above(paths: &[String]) -> BTreeSet<String> {
    let mut above = BTreeSet::from([IGNORE_FILE.to_owned()]);
    for path in paths {
        above.extend(
            path.match_indices('/').map(|(end, _)| format!("{}/{IGNORE_FILE}", &path[..end])),
        );
    }
    above
}

/// Of what rendering reads, the part that stands elsewhere.
pub(super) fn elsewhere(target: &Target, reads: BTreeSet<String>) -> Vec<String> {
    let known = read_paths(target);
    let is_known = |path: &String| known.iter().any(|known| is_within(path, known));
    without_nested(reads.into_iter().filter(|path| !is_known(path)).collect())
}

/// The changes under the paths of the target, and where else it is read from.
pub(super) fn changes(
    target: &Target,
    checkout: &Checkout,
    elsewhere: &[String],
) -> Result<Uncommitted, Error> {
    let found = checkout.uncommitted(&read_paths(target))?;
    with_changes(found, checkout, elsewhere)
}

/// The changes that were found, and those elsewhere.
pub(super) fn with_changes(
    mut found: Uncommitted,
    checkout: &Checkout,
    elsewhere: &[String],
) -> Result<Uncommitted, Error> {
    if elsewhere.is_empty() {
        return Ok(found);
    }
    let others = match elsewhere.len() <= FEW_PATHS {
        true => checkout.uncommitted(elsewhere)?,
        false => checkout.uncommitted(&[String::new()])?.under(elsewhere),
    };
    found.join(others);
    Ok(found)
}

/// The paths without those that stand below another one.
fn without_nested(paths: BTreeSet<String>) -> Vec<String> {
    let is_nested =
        |path: &String| paths.iter().any(|above| above != path && is_within(path, above));
    paths.iter().filter(|path| !is_nested(path)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_below_others_are_left_out() {
        for (paths, expected) in [
            (&["", ".trueupignore", "a"][..], &[""][..]),
            (&["a", "a/b", "a/b/c", "ab"], &["a", "ab"]),
            (&[".trueupignore", "envs/prod"], &[".trueupignore", "envs/prod"]),
            (&[], &[]),
        ] {
            let paths = paths.iter().map(|path| (*path).to_owned()).collect();
            assert_eq!(without_nested(paths), expected);
        }
    }
}
