//! Metrics, alerts and the dashboard, as promtool and a real Prometheus read them.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::support::eventually::eventually;
use crate::support::prometheus::{Prometheus, fixtures, get, promtool};
use crate::support::repo::Repo;
use crate::support::sandbox;
use crate::support::watching::Watching;

/// The expressions of the dashboard's panels.
fn expressions() -> Vec<String> {
    let text = fs::read_to_string(fixtures().join("dashboard.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    let all = targets.map(|target| {
        let query = target["expr"].as_str().unwrap();
        query.replace("$target", ".*").replace("$__rate_interval", "1m")
    });
    all.collect()
}

/// The names of trueup's metrics in a text.
fn names(text: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
    let names = text.match_indices("trueup_").map(|(at, _)| {
        let name = &text[at..];
        name[..name.find(|c| !is_name(c)).unwrap_or(name.len())].to_owned()
    });
    names.collect()
}

#[test]
fn alerts_do_what_their_tests_say() {
    promtool(&["check", "rules", "--lint-fatal", "alerts.yaml"], "");
    promtool(&["test", "rules", "alerts_test.yaml"], "");
    // Each alert has a case in which it fires, and one in which it does not.
    let [rules, tests] = ["alerts.yaml", "alerts_test.yaml"]
        .map(|file| fs::read_to_string(fixtures().join(file)).unwrap());
    let rules: serde_yaml::Value = serde_yaml::from_str(&rules).unwrap();
    for rule in rules["groups"][0]["rules"].as_sequence().unwrap() {
        let name = rule["alert"].as_str().unwrap();
        let fires = format!("alertname: {name}\n    exp_alerts:");
        assert!(tests.contains(&fires), "{name} never fires in a test");
        assert!(tests.contains(&format!("alertname: {name}}}")), "{name} always fires in a test");
    }
}

#[test]
fn a_real_prometheus_reads_a_watch_and_answers_each_panel() {
    let repo = Repo::new("observed", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let file = repo.outside().join("trueup.prom");
    let watching =
        Watching::start(&repo, &["--listen", "0", "--metrics-file", file.to_str().unwrap()]);
    let said = || {
        watching.said().into_iter().find_map(|line| {
            line.split_once("http://127.0.0.1:")?.1.split_once('/')?.0.parse::<u16>().ok()
        })
    };
    eventually("it says where it listens", || said().is_some());
    let port = said().unwrap();
    watching.says("1 changed");
    eventually("it is ready", || get(port, "/readyz").0 == 200);
    assert_eq!(get(port, "/healthz").0, 200);
    let text = get(port, "/metrics").1;
    assert_eq!(promtool(&["check", "metrics"], &text), "");
    let written = fs::read_to_string(&file).unwrap();
    assert_eq!(promtool(&["check", "metrics"], &written), "");
    assert_eq!(names(&written), names(&text));

    let prometheus = Prometheus::start(repo.outside(), port);
    let value = |query: &str| {
        let found = prometheus.query(query);
        found.first().and_then(|it| it["value"][1].as_str()?.parse::<f64>().ok())
    };
    eventually("it was scraped", || value("trueup_target_info") == Some(1.0));
    repo.edit(&["configmap", "one"], "s/key: \"1\"/key: \"by hand\"/").exits(0);
    eventually("drift is seen", || value("increase(trueup_drifts_total[1m]) > 0").is_some());
    // The first fault of a class has an increase, too.
    repo.write("bad.yaml", "a: b: c\n").commit("Broken");
    let faults = r#"increase(trueup_failures_total{class="manifests"}[1m]) > 0"#;
    eventually("the fault is seen", || value(faults).is_some());
    for query in expressions() {
        let result = prometheus.query(&query);
        assert!(!result.is_empty(), "no data for {query}");
    }
    let rules = prometheus.rules();
    assert!(rules.len() > 5, "{rules:?}");
    assert!(rules.iter().all(|(_, health)| health == "ok"), "{rules:?}");
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn dashboard_and_alerts_know_only_metrics_that_there_are() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/logs.md");
    let documented = names(&fs::read_to_string(page).unwrap());
    let rules = fs::read_to_string(fixtures().join("alerts.yaml")).unwrap();
    let used = names(&format!("{} {rules}", expressions().join(" ")));
    assert!(used.len() > 8, "{used:?}");
    for name in used {
        let of_summary = ["_sum", "_count"].map(|end| name.trim_end_matches(end).to_owned());
        assert!(
            documented.contains(&name) || of_summary.iter().any(|it| documented.contains(it)),
            "{name}"
        );
    }
}
