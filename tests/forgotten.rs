//! A test file that no `mod` line names never runs, and nobody notices.

use std::fs;
use std::path::Path;

#[test]
fn every_test_file_is_a_module_of_the_binary() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let main = fs::read_to_string(folder.join("main.rs")).unwrap();
    for entry in fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.trim_end_matches(".rs");
        let named = main.lines().any(|line| line.trim() == format!("mod {module};"));
        assert!(module == "main" || named, "tests/{name} is not a `mod` of tests/main.rs");
    }
}
