//! `trueup check`: no cluster, no credentials.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::command::{Cmd, Output};
use crate::support::{renderers, sandbox};

/// A repository that no cluster belongs to.
pub struct Checkout(tempfile::TempDir);

impl Checkout {
    pub fn new(files: &[(&str, &str)]) -> Self {
        let checkout = Self(tempfile::tempdir().unwrap());
        checkout.git(&["init", "--quiet", "--initial-branch", "main"]);
        for (path, text) in files {
            checkout.write(path, text);
        }
        checkout.commit();
        checkout
    }

    pub fn path(&self) -> PathBuf {
        self.0.path().to_owned()
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "Manifests"]);
    }

    #[track_caller]
    fn git(&self, args: &[&str]) -> Output {
        Cmd::new("git").args(args).dir(self.path()).run().exits(0)
    }

    /// Runs trueup where there is no kubeconfig.
    pub fn run(&self, args: &[&str]) -> Output {
        Cmd::trueup().dir(self.path()).env("HOME", self.path()).args(args).run()
    }
}

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app}\ndata: {key: value}\n";
const WRONG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n  lables: {a: b}\n";
const SUSPECT: &str = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a}\nflag: on\n";

/// The lines without the time that the last one ends in.
fn lines(output: &Output) -> Vec<String> {
    let mut lines: Vec<String> = output.stdout.lines().map(str::to_owned).collect();
    let last = lines.pop().unwrap();
    let (summary, seconds) = last.rsplit_once(" · ").unwrap();
    assert!(seconds.ends_with(" s"), "{last}");
    lines.push(summary.to_owned());
    lines
}

#[test]
fn sound_manifests_are_a_line_and_exit_0() {
    let checkout = Checkout::new(&[("app.yaml", MAP)]);
    checkout.run(&["check"]).shows("check/sound").exits(0);
    for version in ["1.36", "v1.36", "1.36.3"] {
        checkout.run(&["check", "--kubernetes-version", version]).exits(0);
    }
    let output = checkout.run(&["check", "--kubernetes-version", "1.5"]);
    output.shows("check/unknown-version").exits(2);
}

#[test]
fn every_release_can_be_chosen_and_removed_versions_are_errors() {
    let removed = "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: a}\n";
    let checkout = Checkout::new(&[("a.yaml", removed)]);
    for version in ["1.34", "1.35", "1.36", "1.37"] {
        let output = checkout.run(&["check", "--kubernetes-version", version]).exits(1);
        let found = "policy/v1beta1/PodDisruptionBudget: removed in 1.25";
        assert!(output.stdout.contains(found), "{}", output.stdout);
        assert!(output.stdout.contains("policy/v1/PodDisruptionBudget"), "{}", output.stdout);
        assert!(output.stdout.contains(&format!("Kubernetes {version} schemas")));
    }
}

#[test]
fn schemas_and_policies_in_the_checkout_are_no_manifests() {
    let issuer = "apiVersion: example.com/v1\nkind: Issuer\nmetadata: {name: a}\nspec: {size: 1}\n";
    // As a schema may be that is no object and looks like a part of one.
    let schema = r#"{"type": "object", "properties": {"spec": {"type": "object"}}, "data": {}}"#;
    let checkout = Checkout::new(&[
        ("app/a.yaml", issuer),
        ("app/cat/example.com/issuer_v1.json", schema),
        ("app/cat/more.yaml", MAP),
    ]);
    checkout.write("app/policies/keys.yaml", &POLICY.replace("configmaps", "secrets"));
    checkout.write("app/policies/binding.yaml", BINDING);
    checkout.commit();
    let run = |args: &[&str]| checkout.run(&[&["check", "-W"], args].concat());
    let output = run(&["app"]).exits(1);
    assert!(output.stdout.contains("app/cat/example.com/issuer_v1.json"), "{}", output.stdout);
    // A manifest in YAML beside them stays one.
    let args = ["--schemas", "app/cat", "--policy", "app/policies"];
    for paths in [&[][..], &["app"]] {
        let output = run(&[&args, paths].concat()).exits(0);
        assert!(output.stdout.contains("2 objects in 2 files"), "{}", output.stdout);
    }
    // A folder that is named is meant.
    let output = run(&["app/policies", "--policy", "app/policies"]).exits(0);
    assert!(output.stdout.contains("2 objects in 2 files"), "{}", output.stdout);
}

#[test]
fn schemas_of_custom_resources_come_from_a_folder() {
    let issuer = "apiVersion: example.com/v1\nkind: Issuer\nmetadata: {name: a}\n\
        spec: {size: big, sise: 1}\n";
    let checkout = Checkout::new(&[("a.yaml", issuer)]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let unvalidated = "no schema for example.com/v1/Issuer";
    let output = checkout.run(&["check", "--schemas", path]).exits(0);
    assert!(output.stdout.contains(unvalidated), "{}", output.stdout);

    let file = folder.path().join("example.com/issuer_v1.json");
    fs::create_dir(folder.path().join("example.com")).unwrap();
    fs::write(
        &file,
        r#"{"type": "object", "properties": {"spec": {"type": "object",
        "additionalProperties": false, "properties": {"size": {"type": "integer"}}}}}"#,
    )
    .unwrap();
    // Answers are not kept: the same command reads the new file.
    let output = checkout.run(&["check", "--schemas", path]).exits(1);
    assert!(!output.stdout.contains(unvalidated), "{}", output.stdout);
    assert!(output.stdout.contains("`size` must be an integer"), "{}", output.stdout);
    assert!(output.stdout.contains("unknown field `sise`"), "{}", output.stdout);

    fs::write(&file, r##"{"$ref": "#"}"##).unwrap();
    let output = checkout.run(&["check", "--schemas", path]).exits(2);
    assert!(output.stderr.contains("example.com/issuer_v1.json"), "{}", output.stderr);
    assert!(output.stderr.contains("leads back to itself"), "{}", output.stderr);
}

#[test]
fn errors_exit_1_and_warnings_0_unless_they_count() {
    let checkout = Checkout::new(&[("a/wrong.yaml", WRONG), ("b/suspect.yaml", SUSPECT)]);
    checkout.run(&["check"]).shows("check/errors").exits(1);
    checkout.run(&["check", "b"]).shows("check/warnings").exits(0);
    checkout.run(&["check", "b", "-W"]).exits(1);
    checkout.run(&["check", "--exit-zero"]).exits(0);
    checkout.run(&["check", "nowhere"]).shows("check/unknown-path").exits(2);
}

#[test]
fn a_commit_is_checked_and_the_work_tree_where_it_is_asked_for() {
    let checkout = Checkout::new(&[("app.yaml", MAP)]);
    checkout.write("app.yaml", WRONG);
    checkout.run(&["check"]).shows("check/uncommitted").exits(0);
    checkout.run(&["check", "--worktree"]).exits(1);
    checkout.commit();
    checkout.run(&["check"]).exits(1);
    checkout.run(&["check", "--rev", "HEAD~1"]).exits(0);
}

#[test]
fn a_document_that_cannot_be_read_is_an_error_among_the_others() {
    let checkout = Checkout::new(&[("a.yaml", "kind: [\n"), ("wrong.yaml", WRONG)]);
    checkout.run(&["check"]).shows("check/broken-document").exits(1);
}

#[test]
fn findings_are_data_for_machines() {
    let checkout = Checkout::new(&[("a,b: c%.yaml", WRONG), ("suspect.yaml", SUSPECT)]);
    let output = checkout.run(&["check", "-o", "json"]).shows("check/json").exits(1);
    let json: Value = serde_json::from_str(&output.stdout).unwrap();
    assert!(json["elapsed"].is_number(), "{json}");

    checkout.run(&["check", "-o", "github"]).shows("check/github").exits(1);

    let output = checkout.run(&["check", "-o", "sarif"]).exits(1);
    let sarif: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let result = &run["results"][0];
    let index = result["ruleIndex"].as_u64().unwrap() as usize;
    assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
    let location = &result["locations"][0]["physicalLocation"];
    assert_eq!(location["artifactLocation"]["uri"], "a%2Cb%3A%20c%25.yaml");
    assert_eq!(location["region"]["startLine"], 5);
}

#[test]
fn no_output_has_a_secrets_value() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: canary-value-1}\nstringData: {b: [canary-value-2], c: 0644}\n";
    let quoting = "apiVersion: v1\nkind: Secret\nmetadata: {name: t}\nstringData: {b: canary-value-3}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {type: canary-value-3}\n";
    let checkout = Checkout::new(&[("secret.yaml", secret), ("quoting.yaml", quoting)]);
    for format in ["text", "json", "github", "sarif"] {
        let output = checkout.run(&["check", "-o", format]).exits(1);
        let said = format!("{}{}", output.stdout, output.stderr);
        assert!(said.contains("base64") && said.contains("must be one of"), "{output}");
        assert!(!said.contains("canary-value-1") && !said.contains("canary-value-2"), "{output}");
        assert!(!said.contains("canary-value-3"), "{output}");
    }
}

#[test]
fn rendered_objects_are_checked() {
    let checkout = Checkout::new(&[
        ("app/kustomization.yaml", "resources: [map.yaml]\nnamePrefix: my-\n"),
        ("app/map.yaml", WRONG),
        ("chart/Chart.yaml", "apiVersion: v2\nname: chart\nversion: 0.1.0\n"),
        ("chart/templates/map.yaml", &format!("{MAP}immutable: no\n")),
        ("remote/kustomization.yaml", "resources: [https://example.com/base]\n"),
    ]);
    let cmd = Cmd::trueup().dir(checkout.path()).env("XDG_CACHE_HOME", checkout.path());
    let output = renderers::with(cmd).args(["check"]).run().exits(1);
    let lines = lines(&output);
    let expected = [
        "app/map.yaml:5:3  error    ConfigMap default/my-web: metadata.lables: unknown field `lables`, did you mean `labels`?",
        "chart/templates/map.yaml:1:1  warning  the output rendered from this, line 7, ConfigMap \
        app: Kubernetes reads `no` as `false`; write `false`, or `\"no\"` if you mean text",
    ];
    assert_eq!(lines[..2], expected);
    assert!(lines[2].starts_with("remote/kustomization.yaml:1:13  error    "), "{output}");
    assert_eq!(
        lines[3..],
        [
            "2 errors, 1 warning · 2 objects in 2 files · Kubernetes 1.36 schemas · charts for Kubernetes 1.36.0"
        ]
    );
}

/// What neither a schema nor a rule says: the content of a login.
#[cfg(unix)]
#[test]
fn check_in_a_sandbox_finds_more() {
    let crd = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gears.example.com}
spec:
  group: example.com
  names: {kind: Gear, plural: gears}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            x-kubernetes-validations: [{rule: 'self.min < self.max', message: min must be less than max}]
            properties: {min: {type: integer}, max: {type: integer}}
---
apiVersion: example.com/v1
kind: Gear
metadata: {name: a, namespace: born-here}
spec: {min: 2, max: 1}
";
    let label =
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app\n  labels: {a: no spaces}\n";
    let request = "apiVersion: certificates.k8s.io/v1\nkind: CertificateSigningRequest\n\
                   metadata: {name: a}\nspec:\n  request: bm9uZQ==\n  usages: [any]\n  \
                   signerName: example.com/a\n";
    let checkout = Checkout::new(&[
        ("crd.yaml", crd),
        ("label.yaml", label),
        ("request.yaml", request),
        ("wrong.yaml", WRONG),
        ("map.yaml", MAP.replace("app", "fine").as_str()),
    ]);
    let output = checkout.run(&["check"]).exits(1);
    assert_eq!(lines(&output).len(), 4, "{output}");
    sandbox::bare(); // its programs are built then
    let output = Cmd::trueup().dir(checkout.path()).args(["check", "--sandbox"]).run().exits(1);
    let lines = lines(&output);
    assert_eq!(lines.len(), 5, "{output}");
    // The server refuses all of them, and each is said once.
    assert!(lines[0].starts_with("crd.yaml:24:7  error    "), "{output}");
    assert!(lines[0].contains("min must be less than max"), "{output}");
    assert!(lines[1].starts_with("label.yaml:5:15  error    `a` must be"), "{output}");
    assert!(lines[2].starts_with("request.yaml:5:"), "{output}");
    assert!(lines[3].starts_with("wrong.yaml:5:3  error    unknown field"), "{output}");
}

/// A policy about ConfigMaps, and its binding.
const POLICY: &str = "\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: keys}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]
  validations: [{expression: \"!('key' in object.data)\", message: use another key}]
";
const BINDING: &str = "\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: keys}
spec: {policyName: keys, validationActions: [Deny]}
";

#[test]
fn policies_of_a_folder_are_evaluated() {
    let checkout = Checkout::new(&[("app/app.yaml", MAP)]);
    checkout.write("policies/sub/keys.yaml", POLICY);
    checkout.run(&["check", "app"]).exits(0);
    let output = checkout.run(&["check", "app", "--policy", "policies"]);
    let unbound = output.exits(0).stdout;
    let notice = "policies/sub/keys.yaml:3:18  warning  the policy has no";
    assert!(unbound.starts_with(notice), "{unbound}");
    checkout.write("policies/keys-binding.yaml", BINDING);
    let denied = checkout.run(&["check", "app", "--policy", "policies"]).exits(1).stdout;
    let error = "app/app.yaml:4:7  error    policy keys: use another key";
    assert!(denied.starts_with(error), "{denied}");
    // Answers with and without policies are not mixed up.
    checkout.run(&["check", "app"]).exits(0);
    let output = checkout.run(&["check", "app", "--policy", "nowhere"]).exits(2);
    assert!(output.stderr.contains("--policy: cannot read nowhere"), "{}", output.stderr);
    // A folder that does nothing is most likely the wrong one.
    checkout.write("none/README.md", "text\n");
    let output = checkout.run(&["check", "app", "--policy", "policies", "--policy", "none"]);
    let none = "--policy: no policy to evaluate in none: it has no file that ends in .yaml";
    assert!(output.exits(2).stderr.contains(none));
    checkout.write("none/a.yaml", &format!("{MAP}---\n{}", MAP.replace("app", "other")));
    let output = checkout.run(&["check", "app", "--policy", "none"]).exits(2);
    assert!(output.stderr.contains("it has 2 ConfigMaps of v1"), "{}", output.stderr);
    // It may have the parameters of a policy that is elsewhere, or among the manifests.
    let with_param =
        POLICY.replace("spec:\n", "spec:\n  paramKind: {apiVersion: v1, kind: ConfigMap}\n");
    assert_ne!(with_param, POLICY);
    checkout.write("policies/sub/keys.yaml", &with_param);
    let output = checkout.run(&["check", "app", "--policy", "policies", "--policy", "none"]);
    assert_ne!(output.status, Some(2), "{output}");
    checkout.write("app/keys.yaml", &with_param);
    checkout.commit();
    let output = checkout.run(&["check", "app", "--policy", "none"]);
    assert_ne!(output.status, Some(2), "{output}");
}
