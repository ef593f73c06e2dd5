//! `check --sandbox` and `apply --sandbox` agree on every fixture that holds manifests: what one of
//! them refuses, so does the other.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::command::{Cmd, Output};
use crate::support::{renderers, sandbox};

/// Fixtures that hold no manifests of a commit.
const OTHERS: [&str; 2] = ["renderers", "screens"];

/// Namespaces that fixtures name and do not declare.
const NAMESPACES: &str = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n";

/// A checkout, and the arguments for one of its targets.
struct Case {
    checkout: tempfile::TempDir,
    args: Vec<String>,
}

impl Case {
    fn new(files: &[(PathBuf, Vec<u8>)], args: &[&str]) -> Self {
        let checkout = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = checkout.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let case = Self { checkout, args: args.iter().map(|&arg| arg.to_owned()).collect() };
        case.git(&["init", "--quiet", "--initial-branch", "main"]);
        case.git(&["add", "--all"]);
        case.git(&["commit", "--quiet", "--message", "Manifests"]);
        case
    }

    fn git(&self, args: &[&str]) {
        Cmd::new("git").args(args).dir(self.checkout.path()).run().exits(0);
    }

    fn run(&self, args: &[&str]) -> (Output, Value) {
        let home = self.checkout.path().join(".git");
        let cmd = renderers::with(Cmd::trueup().dir(self.checkout.path()));
        let cmd = cmd.env("XDG_CONFIG_HOME", home).args(args).args(["-o", "json"]);
        let output = cmd.args(&self.args).run();
        let json = serde_json::from_str(&output.stdout);
        let json = json.unwrap_or_else(|error| panic!("{error}\n{output}"));
        (output, json)
    }

    /// The objects that check has errors for, and the errors.
    fn check(&self) -> (BTreeSet<String>, Vec<Value>) {
        let (_, json) = self.run(&["check", "--sandbox"]);
        let findings = json["findings"].as_array().unwrap().iter();
        let errors: Vec<Value> =
            findings.filter(|finding| finding["level"] == "error").cloned().collect();
        let objects = errors.iter().filter(|error| !error["object"].is_null());
        (objects.map(|error| name(&error["object"])).collect(), errors)
    }

    /// The objects that apply refuses, or fails to apply.
    fn apply(&self) -> BTreeSet<String> {
        let (output, json) = self.run(&["apply", "--sandbox", "--yes"]);
        let changes = json["changes"].as_array().unwrap().iter();
        let refused = changes.filter(|change| change["action"] == "refuse");
        let steps = json["report"]["steps"].as_array().unwrap().iter();
        let failed = steps.filter(|step| step["outcome"] != "done");
        let names = refused.chain(failed).map(|it| name(&it["object"])).collect();
        let is_clean = BTreeSet::is_empty(&names);
        let has_problems = !json["problems"].as_array().unwrap().is_empty();
        assert_eq!(output.status, Some(i32::from(!is_clean || has_problems)), "{output}");
        names
    }

    #[track_caller]
    fn agrees(&self, what: &str) -> BTreeSet<String> {
        let (checked, errors) = self.check();
        let applied = self.apply();
        assert_eq!(checked, applied, "{what}: {errors:#?}");
        checked
    }
}

fn name(object: &Value) -> String {
    let text = |key: &str| object[key].as_str().unwrap_or_default().to_owned();
    format!("{} {}/{}", text("kind"), text("namespace"), text("name"))
}

/// The files below a folder, by their paths within it.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut ahead = vec![folder.to_owned()];
    while let Some(at) = ahead.pop() {
        for entry in fs::read_dir(at).unwrap().map(Result::unwrap) {
            match entry.file_type().unwrap().is_dir() {
                true => ahead.push(entry.path()),
                false => {
                    let path = entry.path().strip_prefix(folder).unwrap().to_owned();
                    found.push((path, fs::read(entry.path()).unwrap()));
                }
            }
        }
    }
    found
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "yaml")
}

/// Every fixture with manifests: a file by itself, a folder, or a repository with its targets.
fn cases() -> Vec<(String, Case)> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut entries: Vec<PathBuf> =
        fs::read_dir(fixtures).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let mut cases = Vec::new();
    for path in entries {
        let what = path.file_name().unwrap().to_string_lossy().into_owned();
        if OTHERS.contains(&what.as_str()) {
            continue;
        }
        if path.is_file() {
            if is_yaml(&path) {
                let file = (PathBuf::from("all.yaml"), fs::read(&path).unwrap());
                cases.push((what, Case::new(&[file], &[])));
            }
            continue;
        }
        let mut files = files(&path);
        let config = files.iter().find(|(path, _)| path == Path::new("trueup.yaml"));
        let Some((_, config)) = config else {
            files.retain(|(path, _)| is_yaml(path));
            // check takes a namespace that is nowhere in the commit to be there; apply can't.
            files.push((PathBuf::from("namespaces.yaml"), NAMESPACES.into()));
            cases.push((what, Case::new(&files, &[])));
            continue;
        };
        for target in yaml(config)["targets"].as_object().unwrap().keys() {
            cases.push((format!("{what} {target}"), Case::new(&files, &["--target", target])));
        }
    }
    cases
}

fn yaml(text: &[u8]) -> Value {
    let (value, _) = trueup::core::manifest::value("trueup.yaml", text).unwrap().unwrap();
    serde_json::to_value(&value).unwrap()
}

#[test]
fn check_and_apply_agree_on_every_fixture() {
    sandbox::bare(); // its programs are built then
    let mut refused = 0;
    let cases = cases();
    for (what, case) in &cases {
        refused += case.agrees(what).len();
    }
    assert!(cases.len() >= 9 && refused >= 16, "{} cases, {refused} refused", cases.len());
}

#[test]
fn a_namespace_with_only_a_name_is_accepted() {
    sandbox::bare();
    let files = [(
        PathBuf::from("shop.yaml"),
        b"apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\napiVersion: v1\nkind: \
          ConfigMap\nmetadata: {name: a, namespace: shop}\n"
            .to_vec(),
    )];
    let refused = Case::new(&files, &[]).agrees("a namespace and an object in it");
    assert_eq!(refused, BTreeSet::new());
}

/// Everything in a template of a chart has one place.
#[test]
fn a_server_error_is_told_beside_a_schema_error_of_the_same_file() {
    sandbox::bare();
    let template = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
dta: {key: value}
---
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {name: b}
spec: {request: bm9uZQ==, usages: [any], signerName: example.com/a}
";
    let chart = "apiVersion: v2\nname: web\nversion: 1.0.0\n";
    let text = |path: &str, text: &str| (PathBuf::from(path), text.as_bytes().to_vec());
    let files = [text("web/Chart.yaml", chart), text("web/templates/maps.yaml", template)];
    let case = Case::new(&files, &[]);
    let refused = case.agrees("a chart");
    assert_eq!(
        refused,
        ["CertificateSigningRequest /b", "ConfigMap default/a"].map(str::to_owned).into()
    );
    let (_, errors) = case.check();
    let rules: Vec<&Value> = errors.iter().map(|error| &error["rule"]).collect();
    assert_eq!(rules, ["refused", "unknown-field"], "{errors:#?}");
}
