//! Mutated files against the manifest reader.

use trueup::core::manifest::read;
use trueup::core::problem::Problem;

use super::{fuzz, line, misplaced};
use crate::support::mutate::Mutator;

#[test]
#[ignore = "takes about a minute"]
fn manifests() {
    fuzz(100_000, Mutator::new, |bytes| {
        let reading = read("a.yaml", bytes);
        let told = reading.problems.iter().chain(&reading.warnings);
        told.filter_map(|problem| wrong(problem, bytes)).next()
    });
}

/// What is wrong with the place and the excerpt of a problem.
fn wrong(problem: &Problem, bytes: &[u8]) -> Option<String> {
    if let Some(wrong) = misplaced(&problem.place, bytes) {
        return Some(format!("{wrong}: {}", problem.message));
    }
    let (excerpt, line) = (problem.excerpt.as_deref()?, line(bytes, &problem.place)?);
    let is_utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    let is_that_line = is_utf16 || line.trim_end_matches('\r') == excerpt;
    (!is_that_line).then(|| format!("another line than {}: {excerpt:?}", problem.place))
}
