//! Which files are rendered, and which are read as they are.

use super::*;
use crate::core::source::formats::Jsonnet;

/// The sources to render, and the files that are read as manifests.
fn found(files: &[(&str, &str)], formats: &Formats, target: &str) -> (Vec<String>, Vec<String>) {
    let paths = files.iter().map(|(path, _)| (*path).to_owned()).collect();
    let contents = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).into()));
    let shelf = FileIndex::new(paths, contents.collect());
    let reaches = |path: &str| is_within(path, target);
    let found = Sources::find(&shelf, formats, &reaches);
    assert_eq!(found.problems, []);
    let sources = found.sources.iter().map(|source| source.path.clone()).collect();
    let plain = shelf.paths().filter(|path| reaches(path) && !found.take_in(path));
    (sources, plain.map(str::to_owned).collect())
}

#[track_caller]
fn expect(files: &[(&str, &str)], sources: &[&str], plain: &[&str]) {
    let (found_sources, found_plain) = found(files, &Formats::default(), "");
    assert_eq!(found_sources, sources);
    assert_eq!(found_plain, plain);
}

#[test]
fn included_bases_are_neither_rendered_nor_read() {
    expect(
        &[
            ("app/base/kustomization.yaml", "resources: [web.yaml]"),
            ("app/base/web.yaml", ""),
            ("app/envs/prod/kustomization.yaml", "resources: [../../base]"),
            ("app/envs/test/kustomization.yaml", "resources: [../../base]"),
            ("app/parts/tls/kustomization.yaml", "kind: Component"),
            ("app/parts/tls/tls.yaml", ""),
            ("plain.yaml", ""),
        ],
        &["app/envs/prod", "app/envs/test"],
        &["plain.yaml"],
    );
}

#[test]
fn everything_below_a_rendered_folder_is_its_own() {
    expect(
        &[
            ("a/kustomization.yaml", "resources: [b.yaml]"),
            ("a/b.yaml", ""),
            ("a/c/kustomization.yaml", ""),
            ("a/web/Chart.yaml", ""),
            ("a/x.jsonnet", "{}"),
            ("chart/Chart.yaml", ""),
            ("chart/charts/sub/Chart.yaml", ""),
            ("chart/templates/kustomization.yaml", ""),
            ("chart/values.yaml", ""),
            ("shared/Chart.yaml", "type: library"),
        ],
        &["a", "chart"],
        &[],
    );
}

#[test]
fn a_base_may_stand_above_what_takes_it_in() {
    expect(
        &[
            ("a/kustomization.yaml", "resources: [b.yaml]"),
            ("a/b.yaml", ""),
            ("a/envs/prod/kustomization.yaml", "resources: [../..]"),
        ],
        &["a/envs/prod"],
        &[],
    );
}

#[test]
fn of_those_that_take_each_other_in_one_is_rendered() {
    expect(
        &[
            ("a/kustomization.yaml", "resources: [../b]"),
            ("b/kustomization.yaml", "resources: [../a]"),
        ],
        &["a"],
        &[],
    );
}

#[test]
fn only_what_is_within_the_target_is_rendered() {
    let files = [
        ("base/kustomization.yaml", ""),
        ("envs/prod/kustomization.yaml", "resources: [../../base]"),
        ("envs/test/kustomization.yaml", ""),
    ];
    let (sources, plain) = found(&files, &Formats::default(), "envs/prod");
    assert_eq!((sources, plain), (vec!["envs/prod".to_owned()], vec![]));
}

#[test]
fn a_program_takes_in_what_it_imports() {
    expect(
        &[
            ("data.json", "{}"),
            ("k.libsonnet", "{}"),
            ("other.json", "{}"),
            ("web.jsonnet", "[import 'data.json', import 'k.libsonnet']"),
        ],
        &["web.jsonnet"],
        &["other.json"],
    );
}

#[test]
fn formats_that_are_not_named_are_plain() {
    let files = [("a/kustomization.yaml", ""), ("b.jsonnet", "{}"), ("c/Chart.yaml", "")];
    let jsonnet = Formats { jsonnet: Some(Jsonnet::default()), ..Formats::PLAIN };
    let (sources, plain) = found(&files, &jsonnet, "");
    assert_eq!(sources, ["b.jsonnet"]);
    assert_eq!(plain, ["a/kustomization.yaml", "c/Chart.yaml"]);
    assert_eq!(found(&files, &Formats::PLAIN, "").0, [""; 0]);
}
