//! No value of a Secret reaches a terminal, JSON, a log or an error, plain or in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::canaries::Canaries;
use crate::support::objects::config;
use crate::support::repo::Repo;
use crate::support::sandbox;

#[test]
fn no_value_of_a_secret_is_ever_printed() {
    let repo = Repo::new("secrets", sandbox::bare());
    let canaries = Canaries::new(6);
    let [text, data, later, broken, wrong, reused] = canaries.0.as_slice() else { unreachable!() };
    let secret = |text: &str, data: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: db}}\nstringData: {{text: {text}}}\ndata: {{data: {}}}\n",
            STANDARD.encode(data)
        )
    };
    repo.write("db.yaml", secret(text, data));
    // The same value where it does not belong.
    repo.write_config("leak", &format!("postgres://user:{text}@db"));
    repo.commit("Secrets");
    let see = |args: &[&str]| canaries.assert_unseen(&repo.run(args));
    see(&["diff"]);
    see(&["diff", "-o", "json"]);
    see(&["apply"]);
    let there = ["get", "secret", "db", "-o", "jsonpath={.data.text}"];
    assert_eq!(repo.kubectl(&there).stdout, STANDARD.encode(text), "it is applied all the same");

    // A change, shown as a change of masks; then drift, put back by watch.
    repo.write("db.yaml", secret(later, data)).commit("Another value");
    let diff = repo.run(&["diff"]).exits(1);
    assert!(diff.stdout.contains("‹secret 1›") && diff.stdout.contains("‹secret 2›"), "{diff}");
    canaries.assert_unseen(&diff);
    see(&["apply", "-o", "json"]);
    let patch = format!(r#"{{"stringData":{{"text":"{reused}"}}}}"#);
    repo.kubectl(&["patch", "secret", "db", "-p", &patch]).exits(0);
    see(&["diff"]);
    see(&["watch", "--once"]);

    // What the reader, and what the server, refuses.
    repo.write("broken.yaml", format!("kind: Secret\nstringData: x: {broken}\n"));
    repo.write(
        "wrong.yaml",
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: wrong}}\ndata: {{x: '%{wrong}'}}\n"
        ),
    );
    let number =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: pin}\nstringData: {pin: 918273645546372}\n";
    repo.write("number.yaml", number).commit("Wrong ones");
    for args in [&["diff"][..], &["diff", "-o", "json"], &["apply"], &["watch", "--once"]] {
        let output = repo.run(args).exits(1);
        canaries.assert_unseen(&output);
        assert!(!output.to_string().contains("918273645546372"), "{output}");
        assert!(output.to_string().contains("wrong"), "{output}");
    }
}

#[test]
fn values_masked_by_redact_rules_are_never_printed() {
    let repo = Repo::new("secrets-rules", sandbox::bare());
    let canaries = Canaries::new(3);
    let [first, second, other] = canaries.0.as_slice() else { unreachable!() };
    let rules = "targets:
  all:
    paths: [all]
    redact:
    - {kind: ConfigMap, name: set*, paths: [/data/token, /data/short]}
    - {kind: Deployment, paths: [\"/spec/template/spec/containers/[name=main]/env\"]}
  none: {paths: [none]}
";
    let settings = |token: &str, short: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings}}\ndata: {{token: {token}, short: {short}, plain: seen}}\n"
        )
    };
    let web = |value: &str| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec:\n  selector: {{matchLabels: {{a: b}}}}\n  template:\n    metadata: {{labels: {{a: b}}}}\n    spec:\n      containers:\n      - {{name: main, image: a, env: [{{name: A, value: {value}}}]}}\n"
        )
    };
    repo.write("trueup.yaml", rules).write("none/none.yaml", settings(other, "never"));
    repo.write("all/settings.yaml", settings(first, "admin")).write("all/web.yaml", web(second));
    repo.write("all/leak.yaml", config("leak", &format!("x{}", STANDARD.encode(first))));
    repo.commit("First");
    let forms = ["text", "json", "markdown", "github", "name"];
    let see = |args: &[&str]| {
        let output = repo.run(args);
        canaries.assert_unseen(&output);
        output
    };
    for form in forms {
        see(&["diff", "--target", "all", "-o", form]).exits(1);
        // Through another target, or none, it is masked as well.
        see(&["diff", "--target", "none", "-o", form]).exits(1);
        see(&["diff", "all", "-o", form]).exits(1);
    }
    let diff = see(&["diff", "--target", "all"]).exits(1);
    assert!(diff.stdout.contains("plain: seen") && !diff.stdout.contains("admin"), "{diff}");
    assert_eq!(diff.stderr, "");
    let render = see(&["render", "--target", "all"]).exits(0);
    assert!(render.stdout.contains("short: ‹secret"), "{render}");
    see(&["apply", "--target", "all", "--yes"]).exits(0);
    let there = repo.kubectl(&["get", "configmap", "settings", "-o", "jsonpath={.data.token}"]);
    assert_eq!(there.stdout, *first, "it is applied all the same");
    repo.write("all/settings.yaml", settings(other, "admin")).commit("Another value");
    let diff = see(&["diff", "--target", "all"]).exits(1);
    assert!(
        diff.stdout.contains("  -   token: ‹secret ")
            && diff.stdout.contains("  +   token: ‹secret ")
    );
    repo.write("all/settings.yaml", settings(other, "[1]")).commit("A wrong one");
    for form in forms {
        see(&["diff", "--target", "all", "-o", form]).exits(1);
    }
    let slip = rules.replace("name: set*", "name: sat*");
    repo.write("trueup.yaml", slip).commit("A slip");
    let diff = repo.run(&["diff", "--target", "all"]).exits(1);
    let warning = "warning: trueup.yaml:5:7: this rule does not match any object of the target\n";
    assert_eq!(diff.stderr, warning);
}
