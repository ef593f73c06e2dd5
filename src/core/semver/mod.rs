//! Versions and ranges of versions, as `ref: {semver: …}` has them.
//!
//! The grammar is that of `github.com/Masterminds/semver/v3`, which Flux and Argo CD read as well:
//! space and comma are AND, `||` is OR, `1.2 - 1.4.5`, `x` and `*`, `~`, `^`; a bare version means
//! `=`. `fixtures/semver` holds what the library says of ranges and versions, and the tests compare.

mod parse;
mod range;
#[cfg(test)]
mod tests;
mod version;

pub use parse::RangeError;
pub use range::VersionRange;
pub use version::Version;
