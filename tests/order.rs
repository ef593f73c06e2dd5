//! In which order a plan is carried out, on a real API server: what needs what, what is said, and
//! what a failure costs.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::support::audit_log::Request;
use crate::support::between::Between;
use crate::support::command::Output;
use crate::support::objects::{Definition, OPEN, namespace};
use crate::support::repo::Repo;
use crate::support::sandbox;

/// Asserts that each of `parts` is in what was printed.
#[track_caller]
fn has(output: &Output, parts: &[&str]) {
    for part in parts {
        assert!(output.stdout.contains(part), "no {part:?} in\n{output}");
    }
}

/// A ConfigMap with annotations.
fn config(name: &str, annotations: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  annotations:\n    {annotations}\ndata: {{key: value}}\n"
    )
}

/// A Deployment that reads the ConfigMap `settings` as a whole.
fn reader(name: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n  selector: {{matchLabels: {{app: {name}}}}}\n  \
         template:\n    metadata: {{labels: {{app: {name}}}}}\n    spec:\n      containers:\n      - name: main\n        image: web:1\n        \
         envFrom: [{{configMapRef: {{name: settings}}}}]\n"
    )
}

/// Runs `apply` with somebody in between, who holds up the writes of `slow` for a moment, and
/// returns what was written in which order.
#[track_caller]
fn applied_in_order(repo: &Repo<'_>, slow: &'static str) -> Vec<String> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&seen);
    let between = Between::start(sandbox::bare(), move |request| {
        let path = request.split(['?', ' ']).nth(1).unwrap_or_default();
        let is_write = request.starts_with("PATCH") || request.starts_with("DELETE");
        // The record of the round comes after all.
        if is_write && !request.contains("dryRun=All") && !path.ends_with(".history") {
            let name = path.rsplit('/').next().unwrap_or_default().to_owned();
            if name == slow {
                // Long enough for whoever does not wait to come first.
                thread::sleep(Duration::from_millis(300));
            }
            heard.lock().unwrap().push(name);
        }
    });
    repo.trueup(&["apply"]).env("KUBECONFIG", between.kubeconfig()).run().exits(0);
    let parent = repo.parent();
    let seen = seen.lock().unwrap();
    seen.iter().filter(|name| **name != parent).cloned().collect()
}

#[test]
fn a_namespace_a_kind_its_objects_and_a_webhook_in_one_commit() {
    let repo = Repo::new("order-birth", sandbox::bare());
    let inside = "order-birth-inside";
    repo.write(
        "definition.yaml",
        Definition::new("birth.example", "Ticket").schema(OPEN).to_string(),
    );
    repo.write(
        "ticket.yaml",
        format!("apiVersion: birth.example/v1\nkind: Ticket\nmetadata: {{name: first, namespace: {inside}}}\nseat: 3\n"),
    );
    repo.write(
        "settings.yaml",
        config("settings", "a.example/b: c")
            .replace("annotations", &format!("namespace: {inside}\n  annotations")),
    );
    repo.write(
        "web.yaml",
        reader("web")
            .replace("{name: web}\nspec", &format!("{{name: web, namespace: {inside}}}\nspec")),
    );
    repo.write("zone.yaml", namespace(inside));
    // Nobody answers behind it, so it refuses everything in the namespace once it is there.
    repo.write(
        "admission.yaml",
        format!(
            "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {{name: order-birth}}\nwebhooks:\n\
             - name: order.birth.example\n  admissionReviewVersions: [v1]\n  sideEffects: None\n  failurePolicy: Fail\n  \
             clientConfig: {{service: {{namespace: {inside}, name: nobody}}}}\n  \
             namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {inside}}}}}\n  \
             rules: [{{scope: Namespaced, apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*']}}]\n"
        ),
    );
    repo.commit("All at once");

    let names = repo.run(&["diff", "-o", "name"]).exits(1).stdout;
    let in_turn = [
        "create namespace/order-birth-inside",
        "create customresourcedefinition.apiextensions.k8s.io/tickets.birth.example",
        "create configmap/settings -n order-birth-inside",
        "create deployment.apps/web -n order-birth-inside",
        "create ticket.birth.example/first -n order-birth-inside",
        "create validatingwebhookconfiguration.admissionregistration.k8s.io/order-birth",
    ];
    assert_eq!(names.lines().collect::<Vec<_>>(), in_turn);
    has(&repo.run(&["apply"]).exits(0), &["6 objects, 6 changed"]);
    repo.run(&["diff"]).exits(0);
    // And back: were it not deleted first, it would refuse every other deletion.
    for file in ["ticket", "settings", "web", "admission"] {
        repo.remove(&format!("{file}.yaml"));
    }
    repo.commit("All away");
    has(&repo.run(&["apply"]).exits(0), &["✓ ValidatingWebhookConfiguration  order-birth"]);
}

/// Asserts which wave the JSON says that ConfigMaps are in, and which ones they wait for.
#[track_caller]
fn assert_turns(repo: &Repo<'_>, turns: &[(&str, i64, Vec<&str>)]) {
    let diff = repo.run(&["diff", "-o", "json"]).exits(1);
    let diff: serde_json::Value = serde_json::from_str(&diff.stdout).unwrap();
    let changes = diff["changes"].as_array().unwrap();
    for (name, wave, needs) in turns {
        let change = changes.iter().find(|change| change["object"]["name"] == *name).unwrap();
        let needed = change["needs"].as_array().into_iter().flatten();
        let needed: Vec<&str> = needed.filter_map(|key| key["name"].as_str()).collect();
        assert_eq!((&change["wave"], &needed), (&(*wave).into(), needs), "{change:#}");
    }
}

#[test]
fn dependencies_and_waves_are_kept_and_undone_in_reverse() {
    let repo = Repo::new("order-said", sandbox::bare());
    let on = |name: &str| {
        format!("config.kubernetes.io/depends-on: /namespaces/order-said/ConfigMap/{name}")
    };
    repo.write("a.yaml", config("a", &on("b"))).write("b.yaml", config("b", &on("c")));
    repo.write("c.yaml", config("c", "example.com/note: none"));
    repo.write("d.yaml", config("d", "trueup.dev/wave: '7'"));
    repo.write("e.yaml", config("e", "argocd.argoproj.io/sync-wave: '-1'"));
    repo.write_config("stays", "1").commit("In this order");
    let needs = [("a", 0, vec!["b"]), ("b", 0, vec!["c"]), ("d", 7, vec![]), ("e", -1, vec![])];
    assert_turns(&repo, &needs);
    let mut made = applied_in_order(&repo, "c");
    made.retain(|name| name != "stays");
    assert_eq!(made, ["e", "c", "b", "a", "d"]);

    for file in ["a", "b", "c", "d", "e"] {
        repo.remove(&format!("{file}.yaml"));
    }
    repo.commit("And back");
    assert_turns(&repo, &[("c", 0, vec!["b"]), ("b", 0, vec!["a"]), ("d", 7, vec![])]);
    assert_eq!(applied_in_order(&repo, "a"), ["d", "a", "b", "c", "e"]);
}

#[test]
fn failure_skips_only_dependents() {
    let repo = Repo::new("order-failure", sandbox::bare());
    repo.write_config("old", "1").commit("Before");
    repo.run(&["apply"]).exits(0);

    // In a namespace that is not there yet, so nobody knows before it is tried.
    let inside = "order-failure-inside";
    let placed =
        |yaml: String| yaml.replacen("{name: ", &format!("{{namespace: {inside}, name: "), 1);
    repo.write("zone.yaml", namespace(inside));
    repo.write(
        "settings.yaml",
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{namespace: {inside}, name: settings}}\ndata: {{a/b: c}}\n"),
    );
    repo.write("web.yaml", placed(reader("web")));
    repo.write(
        "scaler.yaml",
        format!(
            "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {{namespace: {inside}, name: web}}\n\
             spec: {{maxReplicas: 3, scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: web}}}}\n"
        ),
    );
    let other = reader("other").replace("settings", "others");
    repo.write("other.yaml", placed(other));
    repo.write("late.yaml", config("late", "trueup.dev/wave: '1'"));
    repo.remove("old.yaml").commit("One of them is wrong");

    let applied = repo.run(&["apply"]).exits(1);
    has(
        &applied,
        &[
            "! ConfigMap                order-failure-inside/settings  failed",
            "settings.yaml:4:8: data[a/b]: Invalid value",
            "? Deployment               order-failure-inside/web       not tried\n    needs ConfigMap order-failure-inside/settings, which failed",
            "? HorizontalPodAutoscaler  order-failure-inside/web       not tried\n    needs ConfigMap order-failure-inside/settings, which failed",
            "? ConfigMap                order-failure/late             not tried\n    ConfigMap order-failure-inside/settings of an earlier wave failed",
            "✓ Deployment               order-failure-inside/other     created",
            "? ConfigMap                order-failure/old              not tried\n    something failed, and what failed may still need it",
        ],
    );
    assert!(repo.config_map("old").is_some());
    let output = repo.run(&["apply", "-o", "json"]).exits(1);
    let json: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let steps = json["report"]["steps"].as_array().unwrap();
    let late = steps.iter().find(|step| step["object"]["name"] == "late");
    assert_eq!(late.unwrap()["outcome"], "skipped", "{output}");
}

#[test]
fn dependents_of_a_refused_object_are_not_tried() {
    let repo = Repo::new("order-refused", sandbox::bare());
    repo.write(
        "settings.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a/b: c}\n",
    );
    repo.write("web.yaml", reader("web")).write_config("other", "1").commit("A slip");
    let applied = repo.run(&["apply"]).exits(1);
    let needs = "not tried\n    needs ConfigMap order-refused/settings, which is refused";
    has(&applied, &[needs, "✓ ConfigMap   order-refused/other  created"]);
    repo.kubectl(&["get", "deployment", "web"]).exits(1);
}

#[test]
fn dependency_cycle_is_printed_and_not_written() {
    let repo = Repo::new("order-circle", sandbox::bare());
    repo.write_config("old", "1").commit("Before");
    repo.run(&["apply"]).exits(0);
    let on = |name: &str| {
        format!("config.kubernetes.io/depends-on: /namespaces/order-circle/ConfigMap/{name}")
    };
    repo.write("a.yaml", config("a", &on("b"))).write("b.yaml", config("b", &on("a")));
    repo.write("c.yaml", config("c", &on("a"))).write_config("d", "1");
    repo.write("e.yaml", config("e", "trueup.dev/wave: soon"));
    repo.write("f.yaml", config("f", &on("g")));
    repo.remove("old.yaml").commit("Round and round");

    let told = [
        "    a.yaml:6:5: dependency cycle: ConfigMap order-circle/a → ConfigMap order-circle/b → \
        ConfigMap order-circle/a\n",
        "    a.yaml:6:5: ConfigMap order-circle/a depends on ConfigMap order-circle/b\n",
        "    b.yaml:6:5: ConfigMap order-circle/b depends on ConfigMap order-circle/a\n",
        "    e.yaml:6:5: trueup.dev/wave: invalid wave \"soon\": must be an integer\n",
        "    f.yaml:6:5: config.kubernetes.io/depends-on: it depends on ConfigMap order-circle/g, which the commit does not declare\n",
    ];
    has(&repo.run(&["diff"]).exits(1), &told);
    let applied = repo.run(&["apply"]).exits(1);
    has(&applied, &told);
    has(&applied, &["needs ConfigMap order-circle/a, which is refused", "order-circle/d  created"]);
    let mut left = repo.config_maps();
    left.retain(|name| *name != repo.parent());
    assert_eq!(left, ["d", "old"], "nothing of it is there, nothing is pruned");
}

#[test]
fn a_definition_and_who_may_look_after_its_objects_outlive_them() {
    let repo = Repo::new("order-finalizer", sandbox::bare());
    repo.write_config("stays", "1");
    repo.write(
        "definition.yaml",
        Definition::new("finalizer.example", "Ticket").schema(OPEN).to_string(),
    );
    repo.write(
        "ticket.yaml",
        "apiVersion: finalizer.example/v1\nkind: Ticket\nmetadata: {name: first, finalizers: [finalizer.example/wait]}\n",
    );
    repo.write("settings.yaml", config("settings", "a.example/b: c"));
    repo.write("controller.yaml", reader("controller")).commit("A controller and its work");
    repo.run(&["apply"]).exits(0);

    for file in ["definition", "ticket", "settings", "controller"] {
        repo.remove(&format!("{file}.yaml"));
    }
    repo.commit("No longer");
    let plane = repo.plane();
    let is_look = |request: &Request| {
        let is_of_one = request.name() == "first" || request.uri.contains("metadata.name%3Dfirst");
        request.is_ours() && request.resource() == "tickets" && is_of_one
    };
    let before = plane.audit_log.count_of(is_look);
    let held = repo.run(&["apply"]).exits(1);
    // It is deleted, asked for, watched for ten seconds, and asked for once more.
    let looks = plane.audit_log.count_of(is_look) - before;
    assert!(looks <= 6, "{looks} requests about what is being deleted");
    let why =
        "Ticket order-finalizer/first is still being deleted, and may need it until it is gone";
    has(
        &held,
        &[
            "Ticket                    order-finalizer/first       being deleted, finalizers hold it",
            "… Ticket order-finalizer/first is still being deleted and waits for the finalizer",
            &format!("CustomResourceDefinition  tickets.finalizer.example   not tried\n    {why}"),
            &format!("Deployment                order-finalizer/controller  not tried\n    {why}"),
        ],
    );
    let crd =
        ["get", "crd", "tickets.finalizer.example", "-o", "jsonpath={.metadata.deletionTimestamp}"];
    assert_eq!(repo.kubectl(&crd).exits(0).stdout, "", "it is not even being deleted");
    repo.kubectl(&["get", "deployment", "controller"]).exits(0);
    // Somebody deletes what is being deleted already: the same holds.
    has(&repo.run(&["apply"]).exits(1), &[why]);

    let none = r#"{"metadata":{"finalizers":null}}"#;
    repo.kubectl(&["patch", "tickets.finalizer.example", "first", "--type=merge", "-p", none])
        .exits(0);
    repo.run(&["apply"]).exits(0);
    repo.kubectl(&crd).exits(1);
    repo.kubectl(&["get", "deployment", "controller"]).exits(1);
}

#[test]
fn a_namespace_is_not_deleted_while_it_holds_what_stays() {
    let repo = Repo::new("order-home", sandbox::bare());
    let inside = "order-home-inside";
    repo.write("zone.yaml", namespace(inside));
    let settings = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings, namespace: {inside}}}\ndata: {{key: value}}\n"
    );
    repo.write("settings.yaml", settings).commit("A namespace and what it holds");
    repo.run(&["apply"]).exits(0);

    repo.remove("zone.yaml").commit("The namespace alone");
    let applied = repo.run(&["apply", "--allow-delete", "Namespace"]).exits(1);
    has(
        &applied,
        &["it holds ConfigMap order-home-inside/settings, which the commit declares", "1 refused"],
    );
    let phase = ["get", "namespace", inside, "-o", "jsonpath={.status.phase}"];
    assert_eq!(repo.kubectl(&phase).exits(0).stdout, "Active");
}

#[test]
fn a_namespace_takes_care_of_what_finalizers_hold_in_it() {
    let repo = Repo::new("order-going", sandbox::bare());
    let inside = "order-going-inside";
    repo.write_config("stays", "1");
    repo.write("zone.yaml", namespace(inside));
    let held = format!("{{name: held, namespace: {inside}, finalizers: [order.example/wait]}}");
    repo.write("held.yaml", format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {held}\n"));
    repo.commit("A namespace and what it holds");
    repo.run(&["apply"]).exits(0);

    repo.remove("zone.yaml").remove("held.yaml").commit("Both away");
    let applied = repo.run(&["apply", "--allow-delete", "Namespace"]).exits(0);
    let going = "being deleted, finalizers hold it";
    let (held, zone) = ("order-going-inside/held", "order-going-inside     ");
    has(&applied, &[&format!("{held}  {going}"), &format!("{zone}  {going}")]);
    let at = |what: &str| applied.stdout.find(what);
    assert!(at(held) < at(zone), "{applied}");
}
