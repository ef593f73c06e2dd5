//! A test file that no `mod` line names never runs, and nobody notices.

use std::fs;
use std::path::Path;

use crate::rings::sources;

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

#[test]
fn every_nested_test_file_is_a_module_of_its_folder() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut files = 0;
    for path in sources(&folder).iter().filter(|path| path.parent() != Some(&folder)) {
        let (parent, name) = match path.file_name().is_some_and(|name| name == "mod.rs") {
            true => (path.parent().unwrap().parent().unwrap(), path.parent().unwrap().file_name()),
            false => (path.parent().unwrap(), path.file_stem()),
        };
        // What a folder holds is named by its `mod.rs`, or by the file of the same name beside it.
        let names = [parent.join("mod.rs"), parent.with_extension("rs"), parent.join("main.rs")];
        let text = names.iter().find_map(|file| fs::read_to_string(file).ok()).unwrap_or_default();
        let module = name.unwrap().to_str().unwrap();
        let is_named = text.lines().any(|line| {
            let line = line.trim().trim_start_matches("pub ").trim_start_matches("pub(crate) ");
            line == format!("mod {module};") || line == format!("mod {module} {{")
        });
        assert!(is_named, "{} is not a `mod` of its folder", path.display());
        files += 1;
    }
    assert!(files > 50, "only {files} nested files were found");
}
