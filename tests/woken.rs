//! watch notices at once what others do to its objects, and asks the cluster nothing while they do
//! nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use crate::support::between::Between;
use crate::support::eventually::eventually;
use crate::support::relay::Relay;
use crate::support::repo::Repo;
use crate::support::sandbox;
use crate::support::watching::Watching;

/// A watch whose rounds are too rare to notice anything.
fn rarely(repo: &Repo<'_>, args: &[&str]) -> Watching {
    Watching::running(repo, repo.trueup(&[&["watch", "--interval", "1h"], args].concat()))
}

fn objects(count: usize) -> String {
    let object = |n| format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: o{n}}}\n");
    (0..count).map(object).collect()
}

/// The sums of the figures in a metrics file, by name.
fn figures(file: &Path) -> BTreeMap<String, f64> {
    let mut figures = BTreeMap::new();
    for line in fs::read_to_string(file).unwrap_or_default().lines() {
        let Some((name, value)) = line.rsplit_once(' ').filter(|_| !line.starts_with('#')) else {
            continue;
        };
        let name = name.split('{').next().unwrap().to_owned();
        *figures.entry(name).or_default() += value.parse::<f64>().unwrap_or_default();
    }
    figures
}

#[test]
fn quiet_rounds_of_a_thousand_objects_ask_git_once_and_the_cluster_nothing() {
    let repo = Repo::new("woken-quiet", sandbox::bare());
    repo.write("all.yaml", objects(1000)).commit("Many");
    let (between, requests) = Between::recording(sandbox::bare());
    let checkout = repo.outside().join("checkout");
    let url = format!("file://{}", repo.path().display());
    repo.run(&["-C", checkout.to_str().unwrap(), "pull", "--url", &url]).exits(0);
    let metrics = repo.outside().join("metrics");
    let args = ["-C", checkout.to_str().unwrap(), "watch", "--interval", "0.2", "--metrics-file"];
    let args = [&args[..], &[metrics.to_str().unwrap()]].concat();
    let watch = repo.trueup(&args).env("KUBECONFIG", between.kubeconfig());
    let watching = Watching::running(&repo, watch);
    watching.says("1000 changed");
    let count = || {
        let is_of_round = |line: &str| !line.contains("watch=1");
        requests.lock().unwrap().iter().filter(|it| is_of_round(&it.line)).count()
    };
    let of = |name: &str| figures(&metrics).get(name).copied().unwrap_or_default();
    let rounds = || of("trueup_rounds_total");
    eventually("rounds are quiet", || {
        let (asked, round) = (count(), rounds());
        eventually("three more rounds", || rounds() >= round + 3.0);
        count() == asked
    });
    let (asked, before) = (count(), figures(&metrics));
    let round = before["trueup_rounds_total"];
    eventually("ten more rounds", || rounds() >= round + 10.0);
    let now = figures(&metrics);
    assert_eq!(count(), asked, "the cluster is asked nothing");
    let polled = now["trueup_git_polls_total"] - before["trueup_git_polls_total"];
    let more = polled - (now["trueup_rounds_total"] - round);
    // The poll of a round that has not ended yet counts already. One that takes long has its pause after it,
    // and rounds do not wait for it.
    assert!(more <= 1.0, "git is asked once a round, and not {more} times more in ten");
    assert!(polled >= 1.0, "git is asked");

    repo.delete_config_map("o8");
    eventually("it is put back", || repo.config_map("o8").is_some());
    assert_eq!(watching.stop(), Some(0));
}

/// With rounds an hour apart, nothing but a touch begins one.
#[test]
fn a_touch_begins_a_round() {
    let repo = Repo::new("woken-drift", sandbox::bare());
    repo.write_config("one", "1").write_config("two", "2").commit("First");
    let watching = rarely(&repo, &[]);
    watching.says("2 changed");
    for round in 0..3 {
        repo.edit(&["configmap", "one"], "s/key: \"1\"/key: \"by hand\"/").exits(0);
        eventually("a value is put back", || repo.value("one") == "1");
        repo.delete_config_map("two");
        eventually("an object is made again", || repo.value("two") == "2");
        let label = "applyset.kubernetes.io/part-of-";
        repo.kubectl(&["label", "configmap", "one", label]).exits(0);
        eventually(&format!("its label is put back, {round}"), || {
            repo.members("configmap").len() == 2
        });
    }
    assert_eq!(watching.stop(), Some(0));
}

/// Each object is followed by a look that finds nothing, so that the bell has rung for 16 rounds at the end.
#[test]
fn drift_of_one_object_after_another_is_put_back_each_time() {
    let repo = Repo::new("woken-each", sandbox::bare());
    repo.write("all.yaml", objects(8)).commit("Many");
    let metrics = repo.outside().join("metrics");
    let watching = rarely(&repo, &["--metrics-file", metrics.to_str().unwrap()]);
    watching.says("8 changed");
    let rounds = || figures(&metrics).get("trueup_rounds_total").copied().unwrap_or_default();
    for n in 0..8 {
        let (name, before) = (format!("o{n}"), rounds());
        repo.delete_config_map(&name);
        eventually(&format!("{name} is put back"), || repo.config_map(&name).is_some());
        eventually("it looks at its own write", || rounds() >= before + 2.0);
    }
    assert_eq!(watching.times("gone, put back"), 8, "{:#?}", watching.said());
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn without_the_right_to_watch_rounds_look_as_before() {
    let repo = Repo::new("woken-forbidden", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let between = Between::answering(sandbox::bare(), |line| {
        let text =
            r#"{"kind":"Status","code":403,"reason":"Forbidden","message":"no watches here"}"#;
        let answer = format!(
            "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nConnection: close\r\n\
             Content-Length: {}\r\n\r\n{text}",
            text.len()
        );
        line.contains("watch=1").then_some(answer)
    });
    let watch =
        repo.trueup(&["watch", "--interval", "0.2"]).env("KUBECONFIG", between.kubeconfig());
    let watching = Watching::running(&repo, watch);
    watching.says("can't watch ConfigMap, so each round asks the cluster: no watches here");
    repo.edit(&["configmap", "one"], "s/key: \"1\"/key: \"by hand\"/").exits(0);
    eventually("it is put back", || repo.value("one") == "1");
    let rounds = repo.rounds();
    eventually("more rounds", || repo.rounds() > rounds + 3);
    assert_eq!(watching.times("can't watch"), 1, "{:#?}", watching.said());
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn where_the_cluster_cant_be_watched_its_namespaces_are() {
    let repo = Repo::new("woken-namespaced", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let between = Between::answering(sandbox::bare(), |line| {
        let is_whole = line.contains("/api/v1/configmaps?") && line.contains("applyset");
        let answer = "HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        is_whole.then(|| answer.to_owned())
    });
    let watch = repo.trueup(&["watch", "--interval", "1h"]).env("KUBECONFIG", between.kubeconfig());
    let watching = Watching::running(&repo, watch);
    watching.says("1 changed");
    for _ in 0..2 {
        repo.edit(&["configmap", "one"], "s/key: \"1\"/key: \"by hand\"/").exits(0);
        eventually("it is put back", || repo.value("one") == "1");
    }
    assert_eq!(watching.times("can't watch"), 0, "{:#?}", watching.said());
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn a_watch_that_breaks_is_begun_again() {
    let repo = Repo::new("woken-broken", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let left = Mutex::new(vec![
        "HTTP/1.1 410 Gone\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nnot json\n",
        "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    ]);
    let between = Between::answering(sandbox::bare(), move |line| {
        let is_watch = line.contains("watch=1") && line.contains("part-of");
        is_watch.then(|| left.lock().unwrap().pop()).flatten().map(str::to_owned)
    });
    let watch = repo.trueup(&["watch", "--interval", "1h"]).env("KUBECONFIG", between.kubeconfig());
    let watching = Watching::running(&repo, watch);
    watching.says("1 changed");
    for _ in 0..3 {
        repo.edit(&["configmap", "one"], "s/key: \"1\"/key: \"by hand\"/").exits(0);
        eventually("it is put back", || repo.value("one") == "1");
    }
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn an_api_server_that_is_back_begins_a_round() {
    let repo = Repo::new("woken-back", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let relay = Relay::start(sandbox::bare());
    let watch = repo.trueup(&["watch", "--interval", "1h"]).env("KUBECONFIG", relay.kubeconfig());
    let watching = Watching::running(&repo, watch);
    watching.says("1 changed");
    // The next round is an hour away, whatever became of the one before.
    relay.down(true);
    watching.signal("-USR1");
    watching.says("cannot");
    relay.down(false);
    watching.says("recovered");
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn the_plain_loop_watches_nothing() {
    let repo = Repo::new("woken-plain", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let (between, requests) = Between::recording(sandbox::bare());
    let watch = ["watch", "--interval", "0.2", "--no-watch-api"];
    let watching =
        Watching::running(&repo, repo.trueup(&watch).env("KUBECONFIG", between.kubeconfig()));
    watching.says("1 changed");
    repo.delete_config_map("one");
    eventually("it is put back", || repo.value("one") == "1");
    let watches = |it: &crate::support::between::Recorded| it.line.contains("watch=1");
    assert!(!requests.lock().unwrap().iter().any(watches));
    assert_eq!(watching.stop(), Some(0));
}
