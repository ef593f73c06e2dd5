use super::*;
use crate::core::manifest::read;
use crate::core::source::formats::Formats;
use crate::render::sources::Sources;

/// The warnings of a checkout, as place and message.
#[track_caller]
fn expect(files: &[(&str, &str)], warnings: &[(&str, &str)]) {
    let paths = files.iter().map(|(path, _)| (*path).to_owned()).collect();
    let contents = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).into()));
    let shelf = FileIndex::new(paths, contents.collect());
    let all = |_: &str| true;
    let is_manifest =
        |path: &str| [".yaml", ".json", PROGRAM].iter().any(|end| path.ends_with(end));
    let found = Sources::find(&shelf, &Formats::default(), &all);
    let read = |(path, text): &(&str, &str)| read(path, text.as_bytes()).manifests;
    let manifests: Vec<Manifest> = files.iter().flat_map(read).collect();
    let found = found.unread_files(&shelf, &is_manifest).warnings(&manifests);
    let found: Vec<(&str, &str)> =
        found.iter().map(|it| (it.place.path.as_str(), it.message.as_str())).collect();
    assert_eq!(found, warnings);
}

#[test]
fn files_that_are_referred_to_are_read() {
    expect(
        &[
            ("app/base/kustomization.yaml", "resources: [web.yaml]"),
            ("app/base/web.yaml", ""),
            (
                "app/envs/prod/kustomization.yaml",
                "resources: [../../base]\npatches: [{path: patch.yaml}]\n\
                 configMapGenerator: [{name: a, files: [key=data/a.json]}]",
            ),
            ("app/envs/prod/patch.yaml", ""),
            ("app/envs/prod/data/a.json", ""),
            ("app/envs/prod/README.md", ""),
            ("plain.yaml", ""),
        ],
        &[],
    );
}

#[test]
fn file_of_a_built_folder_that_nothing_refers_to_is_named() {
    expect(
        &[
            ("app/kustomization.yaml", "resources: [a.yaml]"),
            ("app/a.yaml", ""),
            ("app/b.yaml", ""),
            ("app/more/c.yaml", ""),
            ("app/more/d.json", ""),
            ("app/more/e.yaml", ""),
        ],
        &[(
            "app/kustomization.yaml",
            "this kustomization does not refer to 4 files below its folder, which are not \
             applied: b.yaml, more/c.yaml, more/d.json, and 1 more",
        )],
    );
}

#[test]
fn nested_kustomization_that_nothing_refers_to_is_named_with_all_of_it() {
    expect(
        &[
            ("apps/kustomization.yaml", "resources: [plex/ks.yaml]"),
            ("apps/plex/ks.yaml", ""),
            ("apps/plex/app/kustomization.yaml", "resources: [a.yaml, ../data]"),
            ("apps/plex/app/a.yaml", ""),
            ("apps/plex/data/kustomization.yaml", "resources: [b.yaml]"),
            ("apps/plex/data/b.yaml", ""),
            ("apps/tls/kustomization.yaml", "kind: Component"),
        ],
        &[
            (
                "apps/plex/app/kustomization.yaml",
                "no kustomization refers to this one, so 2 files of it are not applied: a.yaml, \
                 apps/plex/data/b.yaml",
            ),
            (
                "apps/tls/kustomization.yaml",
                "no kustomization refers to this one, so it is not applied",
            ),
        ],
    );
}

#[test]
fn folder_that_flux_builds_is_told_where_flux_names_it() {
    let flux = |path: &str| {
        format!(
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n\
             metadata: {{name: a}}\nspec: {{path: {path}}}\n"
        )
    };
    let [whole, plex, data] = ["./apps", "./apps/plex/app", "apps/plex/data"].map(flux);
    let message =
        "Flux builds the folder that this names, and trueup does not, so it is not applied";
    let files = [
        ("apps/kustomization.yaml", "resources: [plex.yaml, data.yaml]"),
        ("apps/data.yaml", &data),
        ("apps/forgotten.yaml", ""),
        ("apps/other/kustomization.yaml", ""),
        ("apps/plex.yaml", &plex),
        ("apps/plex/app/kustomization.yaml", "resources: [a.yaml]"),
        ("apps/plex/app/a.yaml", ""),
        ("apps/plex/data/a.yaml", ""),
        ("apps/plex/data/more/b.yaml", ""),
        ("whole.yaml", &whole),
    ];
    expect(
        &files,
        &[
            (
                "apps/kustomization.yaml",
                "this kustomization does not refer to 1 file below its folder, which is not \
                 applied: forgotten.yaml",
            ),
            (
                "apps/other/kustomization.yaml",
                "no kustomization refers to this one, so it is not applied",
            ),
            ("apps/data.yaml", message),
            ("apps/plex.yaml", message),
        ],
    );
}

#[test]
fn charts_and_manifests_of_others_are_no_such_files() {
    expect(
        &[
            ("chart/Chart.yaml", ""),
            ("chart/templates/kustomization.yaml", ""),
            ("chart/values.yaml", ""),
            (
                "flux/kustomization.yaml",
                "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization",
            ),
            ("flux/a.yaml", ""),
        ],
        &[],
    );
}

#[test]
fn chart_below_a_kustomization_is_told_once_as_a_chart() {
    expect(
        &[
            ("app/kustomization.yaml", "resources: [a.yaml]"),
            ("app/a.yaml", ""),
            ("app/chart/Chart.yaml", "name: a"),
            ("app/chart/charts/b/Chart.yaml", "name: b"),
            ("app/chart/charts/b/templates/b.yaml", ""),
            ("app/chart/templates/a.yaml", ""),
            ("app/chart/values.yaml", ""),
        ],
        &[(
            "app/chart/Chart.yaml",
            "this chart is not applied: it is below the folder of app/kustomization.yaml, and \
             kustomize does not render it",
        )],
    );
}

#[test]
fn hint_names_what_refers_to_such_files() {
    for (files, word) in [
        (&["a.yaml"][..], "add them to its `resources`"),
        (&["a/values.yaml", "values-prod.yaml", "web.values.yml"], "values are read where"),
        (&["a.yaml", "values.yaml"], "add manifests to its `resources`, and values to"),
        (&["valuesof.yaml"], "add them to its `resources`"),
    ] {
        let files: Vec<String> = files.iter().map(|path| (*path).to_owned()).collect();
        assert!(remedy(&files).starts_with(word), "{files:?}");
    }
}

#[test]
fn file_that_a_program_imports_is_read() {
    expect(
        &[
            ("app/kustomization.yaml", "resources: [a.yaml]"),
            ("app/a.yaml", ""),
            ("app/data.json", "{}"),
            ("web.jsonnet", "import 'app/data.json'"),
        ],
        &[],
    );
}

#[test]
fn program_below_a_kustomization_is_told() {
    expect(
        &[
            ("app/kustomization.yaml", "resources: [a.yaml]"),
            ("app/a.yaml", ""),
            ("app/more/web.jsonnet", "{}"),
            ("app/other/kustomization.yaml", ""),
            ("app/other/web.jsonnet", "{}"),
        ],
        &[
            (
                "app/other/kustomization.yaml",
                "no kustomization refers to this one, so it is not applied",
            ),
            (
                "app/more/web.jsonnet",
                "this program is not applied: it is below the folder of app/kustomization.yaml, and \
                 kustomize does not render it",
            ),
        ],
    );
}
