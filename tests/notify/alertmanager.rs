//! A real Alertmanager: an alert fires once while a failure lasts, and is resolved when it ends.

use serde_json::Value;
use trueup::core::notify::{Address, SinkKind};

use super::{sender, sink, story};
use crate::support::eventually::eventually;
use crate::support::receiver::Receiver;
use crate::support::receivers::alertmanager;

#[test]
fn an_alert_fires_and_is_resolved() {
    let folder = tempfile::tempdir().unwrap();
    let told = Receiver::start();
    let config = format!(
        "route: {{receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s}}\n\
         receivers:\n- name: hook\n  webhook_configs: [{{url: '{}', send_resolved: true}}]\n",
        told.url("/told")
    );
    let file = folder.path().join("alertmanager.yml");
    std::fs::write(&file, config).unwrap();
    let flags = [
        format!("--config.file={}", file.display()),
        format!("--storage.path={}", folder.path().display()),
    ];
    let (_running, port) = alertmanager(&flags.each_ref().map(String::as_str));
    let url = format!("http://127.0.0.1:{port}");
    let kind = SinkKind::Alertmanager { url: Address::Plain(url), token: None };
    let alerts = || {
        let all = told
            .seen()
            .into_iter()
            .flat_map(|request| request.json()["alerts"].as_array().cloned().unwrap_or_default());
        all.collect::<Vec<Value>>()
    };
    let states = || {
        let mut states: Vec<String> =
            alerts().iter().map(|it| it["status"].as_str().unwrap().to_owned()).collect();
        states.dedup();
        states
    };
    let mut story = story();
    // The times of the story are not now.
    let now = jiff::Timestamp::now();
    for (message, seconds) in story.iter_mut().zip([60, 60, 0]) {
        message.at = now - jiff::SignedDuration::from_secs(seconds);
        message.since = now - jiff::SignedDuration::from_secs(60);
    }
    let [started, failed, recovered] = story.as_slice() else { panic!("{story:?}") };
    let sink = sink(kind);
    assert!(!sink.wants(started) && sink.wants(failed) && sink.wants(recovered));
    sender().send(&sink, failed).unwrap();
    eventually("it fires", || states() == ["firing"]);
    // At-least-once: a second time it is the same alert.
    sender().send(&sink, failed).unwrap();
    sender().send(&sink, recovered).unwrap();
    eventually("it is resolved", || states() == ["firing", "resolved"]);
    let first = &alerts()[0];
    assert_eq!(first["labels"]["alertname"], "TrueupFailing");
    assert_eq!(first["labels"]["target"], "prod");
    assert_eq!(first["annotations"]["summary"], Value::from(failed.title.clone()));
    assert_eq!(first["annotations"]["commit"], Value::from("b".repeat(40)));
}
