//! `diff --all-fields`: what people set by hand beside what git declares.

use serde_json::{Value, json};

use crate::support::objects::WEB;
use crate::support::repo::Repo;
use crate::support::sandbox;

#[test]
fn undeclared_fields_are_shown_with_manager_and_time() {
    let repo = Repo::new("all-fields", sandbox::bare());
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {a: correct-horse-battery}\n";
    repo.write("web.yaml", WEB).write("db.yaml", secret).commit("First");
    repo.run(&["apply"]).exits(0);
    let none = repo.run(&["diff", "--all-fields"]).exits(0);
    assert!(none.stdout.contains("nothing was set beside what git declares"), "{none}");

    repo.kubectl(&["set", "env", "deployment/web", "DEBUG=1"]).exits(0);
    repo.kubectl(&["set", "env", "deployment/web", "COPY=correct-horse-battery"]).exits(0);
    let extra = r#"{"stringData":{"extra":"staple-of-the-battery"}}"#;
    repo.kubectl(&["patch", "secret", "db", "-p", extra]).exits(0);
    let side =
        r#"{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"side:1"}]}}}}"#;
    repo.kubectl(&["patch", "deployment", "web", "-p", side]).exits(0);
    let status = r#"{"status":{"observedGeneration":1}}"#;
    let patch = ["patch", "deployment", "web", "--subresource=status", "-p", status];
    repo.kubectl(&patch).exits(0);

    let plain = repo.run(&["diff"]).exits(0);
    assert!(!plain.stdout.contains("DEBUG"), "{plain}");
    let writes = repo.writes();
    let shown = repo.run(&["diff", "--all-fields"]).exits(0);
    for line in [
        "set beside what git declares, and left by apply:\n",
        "  Deployment all-fields/web\n",
        "    spec.template.spec.containers[name=main].env[name=DEBUG].value: 1\n      kubectl-set, set ",
        "    spec.template.spec.containers[name=side].image: side:1\n      kubectl-patch, set ",
        "    spec.template.spec.containers[name=main].env[name=COPY].value: ‹secret",
        "  Secret all-fields/db\n    data.extra: ‹secret",
    ] {
        assert!(shown.stdout.contains(line), "{line}\n{shown}");
    }
    for not in ["status", "terminationMessagePath", "imagePullPolicy", "staple", "correct-horse"] {
        assert!(!shown.stdout.contains(not), "{not}\n{shown}");
    }

    let json = repo.run(&["diff", "--all-fields", "-o", "json"]).exits(0);
    let document: Value = serde_json::from_str(&json.stdout).unwrap();
    let object = document["undeclared"].as_array().unwrap();
    let web = object.iter().find(|it| it["object"]["name"] == "web").unwrap();
    let path = "spec.template.spec.containers[name=main].env[name=DEBUG].value";
    let fields = web["fields"].as_array().unwrap();
    let debug = fields.iter().find(|field| field["path"] == path).unwrap();
    assert_eq!(debug["value"], json!("1"));
    assert_eq!(debug["writers"][0]["manager"], "kubectl-set");
    assert!(debug["writers"][0]["time"].as_str().unwrap().ends_with('Z'), "{json}");
    assert!(!json.stdout.contains("correct-horse") && !json.stdout.contains("staple"), "{json}");
    assert!(!repo.run(&["diff", "-o", "json"]).exits(0).stdout.contains("undeclared"));
    assert_eq!(repo.writes(), writes);

    repo.run(&["diff", "--all-fields", "-o", "markdown"]).exits(2);
}
