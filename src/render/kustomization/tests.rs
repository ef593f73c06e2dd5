use super::*;

fn shelf(files: &[(&str, &str)]) -> FileIndex {
    let paths = files.iter().map(|(path, _)| (*path).to_owned()).collect();
    let contents = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).into()));
    FileIndex::new(paths, contents.collect())
}

fn refused(kustomization: &str) -> Vec<String> {
    let shelf = shelf(&[("a/b/kustomization.yaml", kustomization), ("a/c.yaml", "")]);
    let problems = closure(&shelf, "a/b").problems;
    problems.iter().map(|problem| format!("{}: {}", problem.place, problem.message)).collect()
}

#[test]
fn references_are_followed_transitively() {
    let shelf = shelf(&[
        (
            "envs/prod/kustomization.yaml",
            "resources: [../../base, ./web.yaml]\ncomponents:\n- ../../parts/tls\n",
        ),
        ("envs/prod/web.yaml", ""),
        ("base/kustomization.yml", "bases:\n- ../common\n"),
        ("common/Kustomization", "configMapGenerator: [{name: a, files: [b=c.txt]}]"),
        ("common/c.txt", ""),
        ("parts/tls/kustomization.yaml", "kind: Component"),
        ("elsewhere/kustomization.yaml", ""),
    ]);
    let closure = closure(&shelf, "envs/prod");
    assert_eq!(closure.problems, []);
    let folders: Vec<&str> = closure.folders.iter().map(String::as_str).collect();
    assert_eq!(folders, ["base", "common", "envs/prod", "parts/tls"]);
    let files: Vec<&str> = closure.files.iter().map(String::as_str).collect();
    assert_eq!(files, ["common/c.txt", "envs/prod/web.yaml"]);
}

#[test]
fn kustomizations_that_take_each_other_in_come_to_an_end() {
    let shelf = shelf(&[
        ("a/kustomization.yaml", "resources: [../b]"),
        ("b/kustomization.yaml", "resources: [../a]"),
    ]);
    assert_eq!(closure(&shelf, "a").folders.len(), 2);
}

#[test]
fn nothing_outside_the_checkout_is_taken_in() {
    let fetched = "is not in the checkout, and nothing is fetched while rendering";
    for remote in [
        "https://example.com/a.yaml",
        "github.com/example/repo//deploy?ref=v1",
        "git@github.com:example/repo.git",
        "git::https://example.com/repo",
        "ssh://git@example.com/repo",
    ] {
        assert_eq!(
            refused(&format!("resources:\n- ../c.yaml\n- {remote}\n")),
            [format!("a/b/kustomization.yaml:3:3: {remote} {fetched}")]
        );
    }
    let patch = "patches:\n- path: http://localhost/p.yaml\n";
    let wanted = format!("a/b/kustomization.yaml:2:9: http://localhost/p.yaml {fetched}");
    assert_eq!(refused(patch), [wanted]);
    let file = "secretGenerator:\n- name: s\n  files: [key=https://localhost/p]\n";
    let wanted = format!("a/b/kustomization.yaml:3:11: https://localhost/p {fetched}");
    assert_eq!(refused(file), [wanted]);
    for (path, message) in [
        ("../../../x", "../../../x leads out of the checkout"),
        ("/etc/passwd", "/etc/passwd leads out of the checkout"),
        ("../d", "../d is not there"),
    ] {
        let wanted = format!("a/b/kustomization.yaml:1:13: {message}");
        assert_eq!(refused(&format!("resources: [{path}]")), [wanted]);
    }
}

#[test]
fn another_tool_s_kustomization_is_a_manifest() {
    let read = |text: &str| Kustomization::read("k", text.as_bytes()).unwrap();
    let flux = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization";
    assert!(read(flux).is_manifest());
    // kustomize builds these.
    for text in ["", "apiVersion: ''", "apiVersion: kustomize.config.k8s.io/v1beta1", "kind: A"] {
        assert!(!read(text).is_manifest() && !read(text).is_component(), "{text}");
    }
    let component = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component";
    assert!(read(component).is_component());
}

#[test]
fn a_key_counts_in_its_own_spelling_only() {
    for (key, name) in [
        ("Resources", "resources"),
        ("RESOURCES", "resources"),
        ("re\u{17f}ources", "resources"),
        ("apiversion", "apiVersion"),
        ("configmapgenerator", "configMapGenerator"),
    ] {
        let said = format!("a/b/kustomization.yaml:1:1: kustomize reads `{key}` as `{name}`");
        assert_eq!(refused(&format!("{key}: [../../../x]")), [said]);
    }
    for (text, said) in [
        ("patches: [{Path: p.yaml}]", "1:12: kustomize reads `Path` as `path`"),
        ("openapi: {PATH: p.json}", "1:11: kustomize reads `PATH` as `path`"),
        (
            "secretGenerator:\n- name: s\n  file\u{17f}: [a]",
            "3:3: kustomize reads `file\u{17f}` as `files`",
        ),
        ("resource: [x.yaml]", "1:1: `resource` is not a field that kustomize has here"),
        ("patches: [{paths: [x]}]", "1:12: `paths` is not a field that kustomize has here"),
    ] {
        assert_eq!(refused(text), [format!("a/b/kustomization.yaml:{said}")]);
    }
}

#[test]
fn a_name_is_what_kustomize_takes_it_for() {
    // kustomize cleans a path before it looks whether its parts are there.
    for text in ["'{/../../../../x'", "\"../../../x\\n/..\""] {
        let found = refused(&format!("resources:\n- {text}\n"));
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].ends_with(" leads out of the checkout"), "{text}: {found:?}");
    }
    // A file by that name doesn't help: kustomize downloads it all the same.
    let url = "http://127.0.0.1/x.yaml";
    for list in [
        format!("resources: ['{url}']"),
        format!("configMapGenerator: [{{name: a, envs: ['{url}?a=c.env']}}]"),
        format!("configMapGenerator: [{{name: a, files: ['a={url}']}}]"),
        format!("patchesStrategicMerge: ['{url}']"),
        "crds: ['HTTP:/127.0.0.1/x.yaml']".to_owned(),
    ] {
        let paths = ["a/b/http:/127.0.0.1/x.yaml", "a/b/c.env", "a/b/HTTP:/127.0.0.1/x.yaml"];
        let file = "a/b/kustomization.yaml";
        let paths = paths.into_iter().chain([file]).map(str::to_owned).collect();
        let shelf = FileIndex::new(paths, [(file.to_owned(), list.clone().into())].into());
        let problems = closure(&shelf, "a/b").problems;
        assert_eq!(problems.len(), 1, "{list}");
        assert!(problems[0].message.ends_with("nothing is fetched while rendering"), "{list}");
    }
}

#[test]
fn a_repository_is_not_a_folder_by_that_name() {
    let folders = ["github.com/x/y", "web@v1/base", "web@v1/a/b", "a.b/c.d"];
    let paths = folders.iter().map(|folder| format!("{folder}/kustomization.yaml"));
    let contents = folders.map(|folder| format!("- {folder}\n")).concat();
    let own = "kustomization.yaml".to_owned();
    let shelf = FileIndex::new(
        paths.chain([own.clone()]).collect(),
        [(own, format!("resources:\n{contents}").into())].into(),
    );
    let problems = closure(&shelf, "").problems;
    let places: Vec<usize> = problems.iter().map(|problem| problem.place.line).collect();
    assert_eq!(places, [2, 4], "{problems:?}");
}

#[test]
fn a_nested_kustomization_is_read_whatever_it_calls_itself() {
    for (nested, said) in [
        ("apiVersion: ''\n", "b/kustomization.yaml:2:13: ../../x leads out of the checkout"),
        (
            "apiVersion: example.com/v1\n",
            "b/kustomization.yaml:1:13: kustomize builds no other version than kustomize.config.k8s.io/v1beta1",
        ),
        (
            "kind: Other\n",
            "b/kustomization.yaml:1:7: kustomize builds only the kinds Kustomization and Component",
        ),
        (
            "apiVersion: example.com/v1\napiversion: kustomize.config.k8s.io/v1beta1\n",
            "b/kustomization.yaml:2:1: kustomize reads `apiversion` as `apiVersion`",
        ),
    ] {
        let nested = format!("{nested}resources: [../../x]");
        let files =
            [("a/kustomization.yaml", "resources: [../b]"), ("b/kustomization.yaml", &nested)];
        let problems = closure(&shelf(&files), "a").problems;
        let found = problems.iter().map(|p| format!("{}: {}", p.place, p.message));
        assert!(found.into_iter().any(|found| found == said), "{said}: {problems:?}");
    }
}

#[test]
fn a_folder_has_one_kustomization_by_its_proper_name() {
    for (name, said) in [
        ("kustomization.yml", "its folder has another kustomization, a/kustomization.yaml"),
        (
            "KUSTOMIZATION.yaml",
            "kustomize would take KUSTOMIZATION.yaml for a kustomization where file names ignore case",
        ),
    ] {
        let path = format!("a/{name}");
        let problems = closure(&shelf(&[("a/kustomization.yaml", ""), (&path, "")]), "a").problems;
        assert!(problems.iter().any(|p| p.place.path == path && p.message == said), "{problems:?}");
    }
}

/// The findings for a kustomization with a transformer in its text, in a file and in a folder.
fn transformer(yaml: &str) -> [Vec<String>; 3] {
    let inline = yaml.lines().map(|line| format!("  {line}\n")).collect::<String>();
    let inline = format!("transformers:\n- |-\n{inline}");
    let said = |files: &[(&str, &str)]| {
        let problems = closure(&shelf(files), "a").problems;
        problems.iter().map(|p| format!("{}: {}", p.place, p.message)).collect()
    };
    [
        said(&[("a/kustomization.yaml", &inline)]),
        said(&[("a/kustomization.yaml", "transformers: [t.yaml]"), ("a/t.yaml", yaml)]),
        said(&[
            ("a/kustomization.yaml", "transformers: [../t]"),
            ("t/kustomization.yaml", "resources: [t.yaml]"),
            ("t/t.yaml", yaml),
        ]),
    ]
}

#[test]
fn transformer_configuration_is_checked_everywhere() {
    let head = "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: t}\n";
    for (yaml, line, column, said) in [
        (format!("{head}path: p.yaml\ntarget: {{kind: A}}"), 0, 0, ""),
        (
            format!("{head}path: http://127.0.0.1/p"),
            4,
            7,
            "http://127.0.0.1/p is not in the checkout, and nothing is fetched while rendering",
        ),
        (format!("{head}PATH: p.yaml"), 4, 1, "kustomize reads `PATH` as `path`"),
        (format!("{head}paths: p"), 4, 1, "`paths` is not a field that kustomize has here"),
        (
            "apiVersion: example.com/v1\nkind: Run\nmetadata: {name: t}".to_owned(),
            2,
            1,
            "Run of example.com/v1 is not built into kustomize, and kustomize runs no plugins here",
        ),
        (
            "apiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: t}"
                .to_owned(),
            2,
            1,
            "`HelmChartInflationGenerator` would have kustomize run Helm, and kustomize runs no other program here",
        ),
    ] {
        let places = [
            "a/kustomization.yaml:2:3".to_owned(),
            format!("a/t.yaml:{line}:{column}"),
            format!("t/t.yaml:{line}:{column}"),
        ];
        for (found, place) in transformer(&yaml).into_iter().zip(places) {
            let expected = if said.is_empty() { vec![] } else { vec![format!("{place}: {said}")] };
            assert_eq!(found, expected, "{yaml}");
        }
    }
}

#[test]
fn a_kustomization_that_makes_transformers_only_lists_files() {
    let files = [
        ("a/kustomization.yaml", "transformers: [../t]"),
        ("t/kustomization.yaml", "resources: [t.yaml]\nnamePrefix: p-"),
        ("t/t.yaml", ""),
    ];
    let problems = closure(&shelf(&files), "a").problems;
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].place.to_string(), "t/kustomization.yaml:2:1");
}

#[test]
fn a_file_that_configures_and_is_not_at_hand_is_asked_for() {
    let paths = ["a/kustomization.yaml", "a/t.yaml"].map(str::to_owned);
    let contents = [(paths[0].clone(), b"generators: [t.yaml]".to_vec())];
    let closure = closure(&FileIndex::new(paths.into(), contents.into()), "a");
    assert_eq!(closure.unread, ["a/t.yaml".to_owned()].into());
}

#[test]
fn kustomize_is_given_what_was_understood() {
    let shelf = shelf(&[
        (
            "a/kustomization.yaml",
            "x: &x {path: p.yaml}\nx: &y {path: q.yaml}\npatches: [{<<: *x}]\ngenerators:\n- |\n  # why\n  {apiVersion: builtin, kind: HashTransformer, metadata: {name: \"\\x61\"}}\n---\nresources: [x]\n",
        ),
        ("a/p.yaml", ""),
    ]);
    let given = closure(&shelf, "a").given;
    let text = String::from_utf8(given["a/kustomization.yaml"].clone()).unwrap();
    assert_eq!(
        text,
        r#"{"generators":["{\"apiVersion\":\"builtin\",\"kind\":\"HashTransformer\",\"metadata\":{\"name\":\"a\"}}"],"patches":[{"path":"p.yaml"}],"x":{"path":"q.yaml"}}"#
    );
}

#[test]
fn kustomization_file_cannot_be_its_own_input() {
    let kustomization = "configMapGenerator: [{name: a, files: [kustomization.yaml]}]";
    assert_eq!(
        refused(kustomization),
        ["a/b/kustomization.yaml:1:40: a/b/kustomization.yaml configures this build, so it \
            can't be one of its resources"]
    );
}

#[test]
fn origins_are_asked_for_beside_what_a_kustomization_asks_for_itself() {
    let asking =
        |given: &str| with_origins(given.as_bytes()).map(|text| String::from_utf8(text).unwrap());
    for (given, expected) in [
        ("{}", Some(r#"{"buildMetadata":["originAnnotations"]}"#)),
        (
            r#"{"buildMetadata":["managedByLabel"],"resources":["a"]}"#,
            Some(r#"{"buildMetadata":["managedByLabel","originAnnotations"],"resources":["a"]}"#),
        ),
        (r#"{"buildMetadata":["originAnnotations"]}"#, None),
        (r#"{"buildMetadata":"managedByLabel"}"#, None),
        ("3", None),
    ] {
        assert_eq!(asking(given).as_deref(), expected, "{given}");
    }
}
