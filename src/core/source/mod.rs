//! Where the desired state is written: a revision's files, and which of them are manifests.

pub mod formats;
pub mod other_files;
pub mod outside;
pub mod programs;
pub mod selection;
pub mod snapshot;

/// The name of the file at the root of a checkout that declares targets.
pub const CONFIG_FILE: &str = "trueup.yaml";
