//! A test file that no `mod` line names never runs, and nobody notices.

use std::fs;
use std::path::Path;

#[test]
fn every_test_file_is_a_module_of_the_binary() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let main = fs::read_to_string(folder.join("main.rs")).unwrap();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() && path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let module = path.file_stem().unwrap().to_str().unwrap();
        let named = main.lines().any(|line| line.trim() == format!("mod {module};"));
        assert!(module == "main" || named, "tests/{module} is not a `mod` of tests/main.rs");
    }
}
