//! `docs/dependencies.md` says of each direct dependency why it is trusted.

use std::fs;
use std::path::Path;

#[test]
fn every_direct_dependency_is_named_on_the_page_about_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let page = fs::read_to_string(root.join("docs/dependencies.md")).unwrap();
    let named: Vec<&str> =
        page.split(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c)).collect();
    let dependencies = dependencies(&manifest);
    assert!(dependencies.len() > 30, "{dependencies:?}");
    for dependency in dependencies {
        assert!(named.contains(&dependency), "docs/dependencies.md lacks {dependency}");
    }
}

/// The names in every table of dependencies.
fn dependencies(manifest: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut is_within = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            is_within = line.ends_with("dependencies]");
        } else if is_within && let Some((name, _)) = line.split_once(" = ") {
            found.push(name.trim());
        }
    }
    // A value of several lines has lines of its own that are no names.
    found.retain(|name| !name.starts_with(['"', ' ', '#']));
    found
}
