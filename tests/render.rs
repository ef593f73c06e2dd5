//! `trueup render`, and apply of what is rendered, with kustomize, Helm 3 and 4 and Jsonnet
//! themselves.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use trueup::core::source::formats::Formats;
use trueup::core::source::programs::GuardMode;
use trueup::core::source::snapshot::{Revision, Snapshot};
use trueup::render::kubernetes::KubernetesVersion;
use trueup::render::limits::ProgramLimits;
use trueup::render::sources::{RenderSource, SourceFormat};
use trueup::render::{Rendered, Setting};

use crate::support::command::{Cmd, Output};
use crate::support::objects::config;
use crate::support::repo::Repo;
use crate::support::{renderers, sandbox};

/// A repository without a cluster.
struct Files(tempfile::TempDir);

impl Files {
    /// One with these files, committed.
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.git(&["init", "--quiet"]);
        for (path, content) in files {
            folder.write(path, content);
        }
        folder.commit()
    }

    fn write(&self, path: &str, content: &str) {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn commit(self) -> Self {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "Files"]);
        self
    }

    fn git(&self, args: &[&str]) -> Output {
        Cmd::new("git").args(args).dir(self.0.path()).run().exits(0)
    }

    /// trueup render, with the renderers at hand and a cache of its own.
    fn render(&self, args: &[&str]) -> Cmd {
        let cmd =
            Cmd::trueup().dir(self.0.path()).env("XDG_CACHE_HOME", self.0.path().join(".git"));
        renderers::with(cmd).args(["render"]).args(args)
    }

    /// Asserts that nothing is rendered, for this reason.
    #[track_caller]
    fn refused(&self, args: &[&str], reason: &str, hint: &str) {
        let output = self.render(args).run().exits(1);
        assert_eq!(output.stdout, "", "\n{output}");
        assert!(output.stderr.contains(reason), "no {reason:?} in\n{output}");
        assert!(output.stderr.contains(hint), "no {hint:?} in\n{output}");
    }
}

/// An overlay on a base outside the target's path, a chart with values, and a program with a
/// library.
fn shop() -> Vec<(&'static str, String)> {
    let text = str::to_owned;
    vec![
        (
            "trueup.yaml",
            text(
                "targets:\n  prod:\n    paths: [envs/prod, charts/cart, jobs, plain]\n    render:\n      kustomize: {}\n      \
             helm: {release: cart, values: [envs/cart.yaml], set: {size: 3}, api-versions: [example.com/v1]}\n      \
             jsonnet: {library: [lib], tla: {env: prod}, ext: {days: [1, 2]}}\n",
            ),
        ),
        ("base/kustomization.yaml", text("resources: [web.yaml]\n")),
        ("base/web.yaml", config("web", "yes")),
        ("base/unused.yaml", config("unused", "")),
        ("envs/cart.yaml", text("color: blue\n")),
        ("envs/prod/kustomization.yaml", text("resources: [../../base]\nnamePrefix: prod-\n")),
        ("charts/cart/Chart.yaml", text("apiVersion: v2\nname: basket\nversion: 1.0.0\n")),
        ("charts/cart/values.yaml", text("size: 1\ncolor: red\n")),
        (
            "charts/cart/templates/cart.yaml",
            text(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata:\n  color: {{ .Values.color }}\n  \
             size: {{ .Values.size | quote }}\n  api: {{ .Capabilities.APIVersions.Has \"example.com/v1\" | quote }}\n",
            ),
        ),
        (
            "charts/cart/templates/after.yaml",
            text(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: after, annotations: {helm.sh/hook: post-delete}}\n",
            ),
        ),
        (
            "jobs/jobs.jsonnet",
            text(
                "local k = import 'k.libsonnet';\nfunction(env) { jobs: [k.config('job-%s-%d' % [env, day]) for day in std.extVar('days')] }\n",
            ),
        ),
        (
            "lib/k.libsonnet",
            text(
                "{ config(name): { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: name } } }\n",
            ),
        ),
        ("plain/plain.yaml", config("plain", "no")),
    ]
}

#[test]
fn every_format_is_rendered_and_says_where_each_object_is_from() {
    let shop = shop();
    let shop: Vec<(&str, &str)> = shop.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let files = Files::new(&shop);
    let expected = "\
---
# charts/cart/templates/cart.yaml:1
apiVersion: v1
kind: ConfigMap
metadata:
  name: cart
data:
  api: \"true\"
  color: blue
  size: \"3\"
---
# envs/prod/kustomization.yaml:1
apiVersion: v1
kind: ConfigMap
metadata:
  name: prod-web
data:
  key: \"yes\"
---
# jobs/jobs.jsonnet:1
apiVersion: v1
kind: ConfigMap
metadata:
  name: job-prod-1
---
# jobs/jobs.jsonnet:1
apiVersion: v1
kind: ConfigMap
metadata:
  name: job-prod-2
---
# plain/plain.yaml:1
apiVersion: v1
kind: ConfigMap
metadata:
  name: plain
data:
  key: \"no\"
";
    for helm in ["helm3", "helm4"] {
        let output = files.render(&[]).env("PATH", renderers::path(helm)).run().exits(0);
        assert_eq!((output.stdout.as_str(), output.stderr.as_str()), (expected, ""), "{helm}");
    }
    // What was not committed is rendered from the work tree only.
    files.write("base/web.yaml", &config("web", "changed"));
    assert_eq!(files.render(&[]).run().exits(0).stdout, expected);
    let changed = files.render(&["--worktree"]).run().exits(0).stdout;
    assert_eq!(changed, expected.replace("key: \"yes\"", "key: changed"));
}

#[test]
fn rendered_objects_are_applied_and_pruned() {
    let repo = Repo::new("render-apply", sandbox::bare());
    for (path, text) in shop() {
        repo.write(path, text);
    }
    repo.commit("A shop");
    let apply = || renderers::with(repo.trueup(&["apply", "--yes"])).run();
    apply().exits(0);
    let names = || {
        let names = repo.config_maps().into_iter();
        names
            .filter(|name| !name.starts_with("trueup-") && name != "kube-root-ca.crt")
            .collect::<Vec<_>>()
    };
    assert_eq!(names(), ["cart", "job-prod-1", "job-prod-2", "plain", "prod-web"]);
    assert!(apply().exits(0).stderr.is_empty());

    // A folder that can't be rendered: the rest is applied, and nothing is pruned.
    repo.write("envs/prod/kustomization.yaml", "resources: [../../base]\nnamePrefix: [3]\n");
    repo.write("plain/plain.yaml", config("other", "no")).commit("A mistake");
    let broken = apply().exits(1);
    assert!(broken.stdout.contains("envs/prod/kustomization.yaml"), "{broken}");
    assert_eq!(names(), ["cart", "job-prod-1", "job-prod-2", "other", "plain", "prod-web"]);

    repo.write("envs/prod/kustomization.yaml", "resources: [../../base]\nnamePrefix: new-\n");
    repo.commit("Corrected");
    apply().exits(0);
    assert_eq!(names(), ["cart", "job-prod-1", "job-prod-2", "new-web", "other"]);
}

#[test]
fn kubectl_reads_back_the_objects_that_were_read() {
    let fixture =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/yaml/types_of_yaml_1_1.yaml");
    // kubectl takes no number for a label when it creates.
    let text = std::fs::read_to_string(fixture).unwrap();
    let text: String =
        text.split_inclusive('\n').filter(|line| !line.contains("sha: 1234e5")).collect();
    let hard = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: hard}\ndata:\n  a: \"0x1F\"\n  b: \"1_000\"\n  c: \"12:30:45\"\n  d: \"~\"\n  e: \" \"\n  f: \"\\n\\n x\\n\"\n  g: \"=\"\n  h: \"a: b #c\"\n  i: \"\\u200b\\ttab\"\n  j: \"---\\n...\\n\"\n  k: \"|2\\n\"\n  \"on\": \"off\"\n  \"1.0\": \".5\"\n";
    let files = Files::new(&[("a.yaml", &text), ("b.yaml", hard)]);
    let plane = sandbox::bare();
    let read = |yaml: &str| -> Vec<Value> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), yaml).unwrap();
        let path = file.path().to_str().unwrap();
        let args = ["create", "--dry-run=client", "--validate=false", "-o", "json", "-f", path];
        let output = plane.kubectl(args).exits(0);
        let stream = serde_json::Deserializer::from_str(&output.stdout).into_iter::<Value>();
        stream.map(Result::unwrap).collect()
    };
    let given = read(&format!("{text}\n---\n{hard}"));
    assert!(given.len() > 1);
    for format in ["yaml", "json"] {
        let rendered = files.render(&["--output", format]).run().exits(0);
        let back: Vec<Value> = match read(&rendered.stdout).as_slice() {
            [list] if list["kind"] == "List" => list["items"].as_array().unwrap().clone(),
            items => items.to_vec(),
        };
        assert_eq!(back, given, "{format}");
    }
}

#[test]
fn secrets_are_masked_unless_they_are_asked_for() {
    let files = Files::new(&[
        ("s/kustomization.yaml", "secretGenerator:\n- name: s\n  literals: [password=tr0ub4dor]\n"),
        ("c.yaml", &config("c", "tr0ub4dor")),
    ]);
    for format in ["yaml", "json"] {
        let masked = files.render(&["-o", format]).run().exits(0);
        assert!(!masked.to_string().contains("tr0ub4dor"), "{masked}");
        assert!(!masked.to_string().contains("dHIwdWI0ZG9y"), "{masked}");
        assert_eq!(masked.stdout.matches("‹secret 1›").count(), 2, "{masked}");
        let shown = files.render(&["-o", format, "--show-secrets"]).run().exits(0);
        assert!(shown.stdout.contains("dHIwdWI0ZG9y"), "{shown}");
    }
}

#[test]
fn json_is_one_list() {
    let files = Files::new(&[("a.yaml", &config("a", "1")), ("b.yaml", &config("b", "2"))]);
    let output = files.render(&["-o", "json"]).run().exits(0);
    let list: Value = serde_json::from_str(&output.stdout).unwrap();
    let item = |name: &str, value: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"key": value}});
    assert_eq!(
        list,
        json!({"apiVersion": "v1", "kind": "List", "items": [item("a", "1"), item("b", "2")]})
    );
}

#[test]
fn paths_outside_the_checkout_are_refused() {
    let leads_out = "leads out of the checkout";
    let files = Files::new(&[
        ("up/kustomization.yaml", "resources:\n- ../../elsewhere\n"),
        ("file/kustomization.yaml", "configMapGenerator:\n- name: a\n  files: [/etc/hostname]\n"),
        (
            "beside/kustomization.yaml",
            "configMapGenerator:\n- name: a\n  files: [../up/kustomization.yaml]\n",
        ),
        ("js/a.jsonnet", "{\n  a: importstr '../../../../../etc/hostname',\n}\n"),
        ("json/a.jsonnet", "import 'a.json'"),
        ("json/a.json", "importstr '/etc/hostname'"),
        ("link/kustomization.yaml", "resources: [hostname.yaml]\n"),
        ("chart/Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n"),
        ("chart/templates/a.yaml", "{{ .Files.Get \"hostname\" }}\n"),
    ]);
    for folder in ["link", "chart"] {
        let name = if folder == "link" { "hostname.yaml" } else { "hostname" };
        let link = files.0.path().join(folder).join(name);
        std::os::unix::fs::symlink("/etc/hostname", link).unwrap();
    }
    let files = files.commit();
    files.refused(
        &["up"],
        &format!("up/kustomization.yaml:2:3: ../../elsewhere {leads_out}"),
        "into the repository",
    );
    files.refused(
        &["file"],
        &format!("file/kustomization.yaml:3:11: /etc/hostname {leads_out}"),
        "into the repository",
    );
    files.refused(&["beside"], "kustomize says: ", "is not in or below");
    files.refused(
        &["js"],
        &format!("js/a.jsonnet:2:16: ../../../../../etc/hostname {leads_out}"),
        "into the repository",
    );
    files.refused(&["json"], "json/a.json:1:1: is not JSON", "correct it");
    files.refused(
        &["link"],
        "link/hostname.yaml:1:1: is a symbolic link, which is never followed",
        "commit a copy",
    );
    files.refused(
        &["chart"],
        "chart/hostname:1:1: is a symbolic link, which is never followed",
        "commit a copy",
    );
}

#[test]
fn nothing_is_fetched() {
    let files = Files::new(&[
        (
            "base/kustomization.yaml",
            "resources:\n- https://example.com/a.yaml\n- github.com/example/repo//deploy?ref=v1\n",
        ),
        ("over/kustomization.yaml", "resources: [../base]\n"),
        (
            "chart/Chart.yaml",
            "apiVersion: v2\nname: c\nversion: 1.0.0\ndependencies:\n- name: db\n  version: 1.0.0\n  repository: oci://example.com/charts\n",
        ),
    ]);
    let fetched = "is not in the checkout, and nothing is fetched while rendering";
    files.refused(
        &["over"],
        &format!("base/kustomization.yaml:2:3: https://example.com/a.yaml {fetched}"),
        "put a copy",
    );
    files.refused(
        &["over"],
        &format!("base/kustomization.yaml:3:3: github.com/example/repo//deploy?ref=v1 {fetched}"),
        "put a copy",
    );
    files.refused(
        &["chart"],
        "chart/Chart.yaml:5:3: the chart db from oci://example.com/charts is not in charts/",
        "helm dependency build",
    );
}

#[test]
fn a_dependency_in_the_chart_is_rendered_with_it() {
    let files = Files::new(&[
        (
            "chart/Chart.yaml",
            "apiVersion: v2\nname: c\nversion: 1.0.0\ndependencies:\n- name: db\n  version: 1.0.0\n  repository: oci://example.com/charts\n",
        ),
        ("chart/charts/db/Chart.yaml", "apiVersion: v2\nname: db\nversion: 1.0.0\n"),
        ("chart/charts/db/templates/db.yaml", &config("db", "1")),
    ]);
    let output = files.render(&[]).run().exits(0);
    assert!(output.stdout.starts_with("---\n# chart/charts/db/templates/db.yaml:1\n"), "{output}");
}

#[test]
fn error_of_a_failing_renderer_is_quoted() {
    let files = Files::new(&[
        ("k/kustomization.yaml", "resources: [a.yaml]\nnamePrefix: [x]\n"),
        ("k/a.yaml", &config("a", "1")),
        ("h/Chart.yaml", "apiVersion: v2\nname: h\nversion: 1.0.0\n"),
        ("h/templates/a.yaml", "a: {{ fail \"no color\" }}\n"),
        ("j/a.jsonnet", "import 'b.libsonnet'"),
        ("j/b.libsonnet", "[\n error 'no day'\n]"),
    ]);
    files.refused(&["k"], "k/kustomization.yaml:1:1: kustomize says: ", "Kustomization.namePrefix");
    files.refused(&["h"], "h/templates/a.yaml:1:7: helm says: ", "no color");
    files.refused(
        &["j"],
        "j/b.libsonnet:2:2: jsonnet says: no day",
        "      j/b.libsonnet:2:2-16  thunk from",
    );
    let output = files.render(&["j"]).run().exits(1);
    assert!(!output.stderr.contains("copy-"), "the private copy shows in\n{output}");
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let files = Files::new(&[
        ("k/kustomization.yaml", ""),
        ("h/Chart.yaml", "apiVersion: v2\nname: h\nversion: 1.0.0\n"),
        ("j/a.jsonnet", "{}"),
        ("a.yaml", &config("a", "1")),
    ]);
    let nothing = tempfile::tempdir().unwrap();
    let output = files.render(&[]).env("PATH", nothing.path()).run().exits(1);
    assert!(output.stdout.starts_with("---\n# a.yaml:1\n"), "{output}");
    for missing in [
        "neither kustomize nor kubectl is on PATH",
        "helm is not on PATH",
        "neither jsonnet nor jrsonnet is on PATH",
    ] {
        assert!(output.stderr.contains(missing), "no {missing:?} in\n{output}");
    }
}

#[test]
fn only_the_formats_that_are_named_are_rendered() {
    let files = Files::new(&[
        ("trueup.yaml", "targets:\n  a:\n    paths: [a]\n    render: plain\n"),
        ("a/Chart.yaml", &config("a", "1")),
    ]);
    let output = files.render(&[]).run().exits(0);
    assert!(output.stdout.starts_with("---\n# a/Chart.yaml:1\n"), "{output}");
    files.write("trueup.yaml", "targets:\n  a:\n    paths: [a]\n    render: {hlem: {}}\n");
    let output = files.commit().render(&[]).run().exits(2);
    let wrong = "trueup.yaml:4:13: targets.a.render: unknown key \"hlem\", did you mean \"helm\"?";
    assert!(output.stderr.contains(wrong), "no {wrong:?} in\n{output}");
}

/// What comes of a Jsonnet program within these limits.
fn run(program: &str, limits: ProgramLimits) -> Rendered {
    let cache = tempfile::tempdir().unwrap();
    let setting = Setting {
        programs: BTreeMap::new(),
        search: renderers::folder().into(),
        cache: cache.path().to_owned(),
        reuse: true,
        launcher: Ok(env!("CARGO_BIN_EXE_trueup").into()),
        limits,
        cell: GuardMode::default(),
        readable: Vec::new(),
        formats: Formats::default(),
        namespace: "default".to_owned(),
        kubernetes: KubernetesVersion::of_release("1.36"),
    };
    let path = "a.jsonnet".to_owned();
    let revision = Revision {
        commit: String::new(),
        named: String::new(),
        summary: String::new(),
        author: String::new(),
        time: "2026-01-01T00:00:00Z".parse().unwrap(),
        dirty: false,
        tracked: None,
    };
    let files = BTreeMap::from([(path.clone(), program.into())]);
    let snapshot = Snapshot { revision, files, skipped: Vec::new(), barred: Vec::new() };
    let reads = [path.clone()].into();
    let (format, file, given) = (SourceFormat::Jsonnet, path.clone(), [].into());
    let source = RenderSource { format, path, file, reads, given };
    let rendered = trueup::render::render(&setting, &[source], &snapshot);
    let left = cache.path().read_dir().unwrap().flatten();
    let copies = left.filter(|entry| entry.file_name().to_string_lossy().starts_with("copy-"));
    assert_eq!(copies.count(), 0, "a private copy was left behind");
    rendered
}

#[test]
fn a_program_that_never_ends_or_prints_without_end_is_stopped() {
    let limits = ProgramLimits { output: 1 << 20, ..ProgramLimits::default() };
    let object = "[{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }]";
    assert_eq!(run(object, limits).manifests.len(), 1);
    let much = run("std.repeat('x', 3 * 1024 * 1024)", limits);
    assert_eq!(
        much.problems[0].message,
        "jsonnet failed: it printed more than 1 MiB and was stopped"
    );
    let limits = ProgramLimits { time: Duration::from_secs(1), ..limits };
    let forever = run("local f(x) = f(x + 1) tailstrict; f(0)", limits);
    assert_eq!(
        forever.problems[0].message,
        "jsonnet failed: it took more than 1 s and was stopped"
    );
}

#[test]
fn programs_can_be_named_in_the_machines_own_file() {
    let files = Files::new(&[
        ("kustomization.yaml", "resources: [a.yaml]\nnamePrefix: our-\n"),
        ("a.yaml", &config("a", "1")),
    ]);
    let machine = tempfile::tempdir().unwrap();
    let own = machine.path().join("trueup/config.yaml");
    std::fs::create_dir(own.parent().unwrap()).unwrap();
    let render = || {
        let cmd = files.render(&["-o", "json"]).env("XDG_CONFIG_HOME", machine.path());
        // Nothing that renders is on the search path.
        cmd.env("PATH", machine.path()).run()
    };
    render().shows("render/no-kustomize").exits(1);

    let kustomize = renderers::folder().join("kustomize");
    let named = format!("programs:\n  kustomize: {}\n", kustomize.display());
    std::fs::write(&own, &named).unwrap();
    render().shows("render/json").exits(0);

    std::fs::write(&own, "programs:\n  kustomise: /opt/k\n").unwrap();
    let output = render().exits(2);
    assert!(output.stderr.contains("trueup/config.yaml:2:3: "), "{output}");
    std::fs::write(&own, "programs: {kustomize: bin/kustomize}\n").unwrap();
    render().shows("render/relative-kustomize").exits(2);
}
