//! What `trueup.yaml` says reaches programs as what it is: names are names, paths stay in the
//! checkout, and values are in files.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::command::{Cmd, Output};
use crate::support::renderers;

/// A repository without a cluster, committed.
struct Repo(tempfile::TempDir);

impl Repo {
    fn new(files: &[(&str, &str)]) -> Self {
        let repo = Self(tempfile::tempdir().unwrap());
        for (path, content) in files {
            let path = repo.0.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        for args in [&["init", "--quiet"][..], &["add", "."], &["commit", "--quiet", "-m", "One"]] {
            Cmd::new("git").args(args).dir(repo.0.path()).run().exits(0);
        }
        repo
    }

    fn render(&self, helm: &str) -> Output {
        Cmd::trueup()
            .dir(self.0.path())
            .env("PATH", renderers::path(helm))
            .env("XDG_CACHE_HOME", self.0.path().join(".git"))
            .args(["render", "-o", "json"])
            .run()
    }
}

#[test]
fn invalid_value_name_is_refused_with_its_position() {
    for (options, said) in [
        (
            "jsonnet: {tla: {'a=importstr \"x\"': 1}}",
            ":22: targets.a.render.jsonnet.tla.a=importstr \"x\": not a name",
        ),
        ("jsonnet: {ext: {'b c': 1}}", ":22: targets.a.render.jsonnet.ext.b c: not a name"),
        ("jsonnet: {library: [../x]}", ":26: targets.a.render.jsonnet.library[0]: leads out"),
        ("helm: {release: '--debug'}", ":22: targets.a.render.helm.release: not a release's name"),
        ("helm: {namespace: 'a --debug'}", ":24: targets.a.render.helm.namespace: not a namespace"),
        ("helm: {values: [../../x.yaml]}", ":22: targets.a.render.helm.values[0]: leads out"),
        (
            "helm: {values: ['x,/etc/hostname']}",
            ":22: targets.a.render.helm.values[0]: Helm takes no",
        ),
        ("helm: {set: {'a,b': 1}}", ":19: targets.a.render.helm.set.a,b: not a path of a value"),
        (
            "helm: {api-versions: ['v1,x']}",
            ":28: targets.a.render.helm.api-versions[0]: not an API",
        ),
        (
            "helm: {kube-version: '1 --x'}",
            ":27: targets.a.render.helm.kube-version: not a Kubernetes",
        ),
    ] {
        let text = format!("targets:\n  a:\n    paths: [.]\n    render:\n     {options}\n");
        let output = Repo::new(&[("trueup.yaml", &text)]).render("helm4").exits(2);
        let said = format!("trueup.yaml:5{said}");
        assert!(output.stderr.contains(&said), "no {said:?} in\n{output}");
    }
}

const CHART: [(&str, &str); 3] = [
    ("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n"),
    ("web/values.yaml", "own: {kept: 1, gone: 2}\nlist: [1, {a: 2}]\n"),
    (
        "web/templates/all.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: all}\ndata:\n  values: {{ .Values | toJson | quote }}\n  \
         text: {{ .Values | toString | quote }}\n  \
         time: {{ dateInZone \"15:04\" (toDate \"2006-01-02 15:04\" \"2026-07-01 12:00\") \"Asia/Tokyo\" | quote }}\n",
    ),
];
const FILE: &str = "file: {a: 1, b: [1, 2], c: {d: text}}\nown: {more: 3}\nlong: 12345678901\n";

/// What Helm itself makes of the same values on its command line.
fn helm_itself(helm: &str, repo: &Path, set: &[(&str, Value)]) -> Value {
    let mut args = vec!["template".to_owned(), "--values=file.yaml".to_owned()];
    args.extend(set.iter().map(|(path, value)| format!("--set-json={path}={value}")));
    args.extend(["web", "./web"].map(str::to_owned));
    let program = renderers::folder().join(helm).join("helm");
    let output =
        Cmd::new(program).args(args).dir(repo).env("HOME", repo.join(".git")).run().exits(0);
    let read = trueup::core::manifest::read("all.yaml", output.stdout.as_bytes());
    read.manifests[0].object.0["data"].clone().into()
}

#[test]
fn values_come_to_what_helms_own_command_line_makes_of_them() {
    let table: &[&[(&str, Value)]] = &[
        &[("new", json!("text")), ("file.a", json!(2)), ("own.more", json!(4))],
        &[("file", json!({"e": 1}))],
        &[("file.c", json!({"e": {"f": 1}})), ("file.c.g", json!([{}]))],
        &[("own", json!(null)), ("file.a", json!(null))],
        &[("file.b[1]", json!("x")), ("file.b[3]", json!({"y": 1}))],
        &[("list[1].a", json!(3)), ("new[1][0].z", json!(1))],
        &[(r"labels.example\.com/team", json!("a,b=c.d")), (r"a\,b", json!(true))],
        &[
            ("whole", json!(9_007_199_254_740_993_u64)),
            ("most", json!(u64::MAX)),
            ("least", json!(i64::MIN)),
            ("million", json!(1_000_000)),
            ("part", json!(0.1)),
            ("one", json!(1.0)),
            ("huge", json!(1e300)),
        ],
        &[
            ("empty", json!("")),
            ("list", json!([])),
            ("map", json!({})),
            ("no", json!(false)),
            ("text", json!("no")),
            ("number", json!("0x10")),
            ("lines", json!("a\n---\nb: c\n# d\ttab\u{1}\u{85}\u{2028}\u{feff}é\u{1f600}\"'\\{{")),
            ("keys", json!({"on": 1, "1": 2, "": 3, "a b": 4, "<<": 5, "é\u{85}": 6})),
        ],
    ];
    for set in table {
        let map: serde_json::Map<String, Value> =
            set.iter().map(|(path, value)| ((*path).to_owned(), value.clone())).collect();
        // YAML takes JSON.
        let config = json!({"targets": {"a": {"paths": ["web"], "render": {"helm": {
            "release": "web", "values": ["file.yaml"], "set": map,
        }}}}});
        let config = config.to_string().replace('\u{85}', "\\u0085").replace('\u{feff}', "\\ufeff");
        let mut files = CHART.to_vec();
        files.extend([("file.yaml", FILE), ("trueup.yaml", config.as_str())]);
        let repo = Repo::new(&files);
        for helm in ["helm3", "helm4"] {
            let rendered = repo.render(helm).exits(0);
            let list: Value = serde_json::from_str(&rendered.stdout).unwrap();
            let expected = helm_itself(helm, repo.0.path(), set);
            assert_eq!(list["items"][0]["data"], expected, "{helm}: {set:?}");
        }
    }
}

#[test]
fn values_reach_jsonnet_as_they_are() {
    let texts =
        ["plain", "it's \"quoted\" = \\ %s", "lines\n|||\n", "importstr '/etc/hostname'", ""];
    let ext = json!({"t": texts[1], "n": 1.5, "l": [texts[2], null, {"a": true}], "e": texts[4]});
    let tla = json!({"t": texts[3], "big": 9_007_199_254_740_992_u64, "l": texts});
    let config = json!({"targets": {"a": {"paths": ["a.jsonnet"], "render": {"jsonnet": {
        "ext": ext, "tla": tla,
    }}}}});
    let program = "function(t, big, l) {\n  apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' },\n  data: {\n    \
         ext: std.manifestJsonEx({ [x]: std.extVar(x) for x in ['t', 'n', 'l', 'e'] }, ''),\n    \
         tla: std.manifestJsonEx({ t: t, big: big, l: l }, ''),\n  },\n}\n";
    let repo = Repo::new(&[("a.jsonnet", program), ("trueup.yaml", &config.to_string())]);
    let output = repo.render("helm4").exits(0);
    let list: Value = serde_json::from_str(&output.stdout).unwrap();
    let data = &list["items"][0]["data"];
    for (name, expected) in [("ext", ext), ("tla", tla)] {
        let back: Value = serde_json::from_str(data[name].as_str().unwrap()).unwrap();
        assert_eq!(back, expected, "{name}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn no_value_is_in_the_arguments_of_a_process() {
    let values = "helm: {set: {a: c4n4ry, 'b[0]': {c: c4n4ry}, d: 31337}}";
    let text = format!("targets:\n  a:\n    paths: [web]\n    render:\n     {values}\n");
    let repo = Repo::new(&[
        ("trueup.yaml", &text),
        ("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n"),
        ("web/order", "read ../given/values.json\n"),
    ]);
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(super::planted::planted(), folder.path().join("helm")).unwrap();
    let output = Cmd::trueup()
        .dir(repo.0.path())
        .env("PATH", folder.path())
        .env("XDG_CACHE_HOME", repo.0.path().join(".git"))
        .args(["render", "-o", "json"])
        .run()
        .exits(0);
    assert!(output.stdout.contains("--values=../given/values.json"), "{output}");
    assert!(output.stdout.contains("\"read ../given/values.json\": \"works\""), "{output}");
    assert!(!output.stdout.contains("c4n4ry") && !output.stdout.contains("31337"), "{output}");
}
