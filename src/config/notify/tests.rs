//! Settings of `notify`, and the places of their faults.

use std::path::Path;

use super::super::machine::{Machine, MachineProbe};
use super::*;

fn read(text: &str) -> Result<NotifySettings, String> {
    let look = MachineProbe { is_file: &|_| true, exists: &|_| true };
    let machine = Machine::read(Path::new("/c/config.yaml"), text.as_bytes(), look);
    machine.map(|machine| machine.notify).map_err(|error| error.to_string())
}

#[test]
fn each_type_of_sink_is_read() {
    let text = "\
notify:
  grace: 2m
  sinks:
  - {name: hook, type: webhook, url: 'https://a.example/x', secret: 'file:/etc/trueup/key'}
  - name: ops
    type: slack
    url: file:/etc/trueup/slack
    targets: [prod, 'shop-*']
    transitions: [failed, recovered, still-failing]
    reminder: 3
    template: '{title}'
    timeout: 5s
    group_wait: 0s
  - {name: teams, type: teams, url: 'env:TEAMS_URL'}
  - {name: discord, type: discord, url: 'env:DISCORD_URL'}
  - {name: matrix, type: matrix, url: 'https://m.example', room: '!a:m.example', token: 'env:MATRIX'}
  - {name: alerts, type: alertmanager, url: 'http://alertmanager:9093'}
  - name: mail
    type: email
    server: mail.example
    user: trueup
    password: file:/etc/trueup/password
    from: trueup@shop.example
    to: [ops@shop.example]
  - {name: gh, type: github, repository: shop/deploy, token: 'env:GITHUB_TOKEN', comments: true}
  - {name: gl, type: gitlab, repository: shop/sub/deploy, token: 'env:T'}
  - {name: gt, type: gitea, url: 'https://git.example', repository: shop/deploy, token: 'env:T'}
  - {name: run, type: command, command: [/usr/local/bin/tell, -x]}
";
    let settings = read(text).unwrap();
    let sinks = settings.sinks();
    assert_eq!(sinks.len(), 11);
    let rules = settings.rules();
    assert_eq!(rules.grace, Duration::from_secs(120));
    assert_eq!(rules.reminders, BTreeSet::from([3, 10]));
    assert!(sinks[1].filter.is_about("shop-eu") && !sinks[1].filter.is_about("test"));
    assert_eq!((sinks[1].timeout, sinks[0].timeout), (Duration::from_secs(5), TIMEOUT));
    let waits: Vec<u64> = sinks.iter().map(|sink| sink.group_wait.as_secs()).collect();
    assert_eq!(waits, [0, 0, 5, 5, 5, 0, 5, 0, 0, 0, 0]);
    assert_eq!(sinks[1].kind, SinkKind::Slack(SecretSource::File("/etc/trueup/slack".into())));
    let SinkKind::Forge(forge) = &sinks[7].kind else { panic!("{:?}", sinks[7].kind) };
    assert_eq!((forge.url.clone(), forge.comments), (Address::Plain(GITHUB.to_owned()), true));
    assert_eq!(read("").unwrap(), NotifySettings::default());
}

#[test]
fn a_sink_that_cannot_be_meant_is_an_error_with_its_place() {
    let entry = |keys: &str| format!("notify:\n  sinks:\n  - name: a\n    {keys}\n");
    for (keys, expected) in [
        (
            "type: slak",
            ":4:11: notify.sinks[0].type: unknown value \"slak\", did you mean \"slack\"?",
        ),
        (
            "type: slack\n    urll: x",
            ":5:5: notify.sinks[0]: unknown key \"urll\", did you mean \"url\"?",
        ),
        ("type: slack", ":3:5: notify.sinks[0].url: it is missing"),
        (
            "type: slack\n    room: x",
            ":5:11: notify.sinks[0].room: a sink of this type does not have",
        ),
        (
            "type: slack\n    url: https://hooks.slack.com/hunter2-canary",
            ":5:10: notify.sinks[0].url: it is secret: expected file:/PATH or env:NAME",
        ),
        ("type: slack\n    url: file:slack", ":5:10: notify.sinks[0].url: it is secret"),
        (
            "type: matrix\n    url: https://m\n    room: r\n    token: hunter2-canary",
            ":7:12: notify.sinks[0].token: it is secret: expected file:/PATH or env:NAME",
        ),
        (
            "type: webhook\n    url: hunter2-canary",
            ":5:10: notify.sinks[0].url: expected https://…, file:/PATH or env:NAME",
        ),
        (
            "type: command\n    command: [tell]",
            ":5:14: notify.sinks[0].command: the program is not",
        ),
        ("type: command\n    command: []", ":5:14: notify.sinks[0].command: the program is not"),
        (
            "type: command\n    command: [/t]\n    template: '{nmae}'",
            ":6:15: notify.sinks[0].template: unknown name {nmae}; allowed here: author, commit",
        ),
        (
            "type: command\n    command: [/t]\n    transitions: [failing]",
            ":6:19: notify.sinks[0].transitions",
        ),
        (
            "type: github\n    repository: shop\n    token: env:T",
            ":5:17: notify.sinks[0].repository: invalid repository \"shop\": expected owner/name",
        ),
        (
            "type: email\n    server: m\n    from: a@b\n    to: [a@b]\n    user: a",
            ":3:5: notify.sinks[0].password: user and password go together",
        ),
        (
            "type: command\n    command: [/t]\n  - {name: a, type: command, command: [/t]}",
            ":6:12: notify.sinks[1].name: another sink has the name \"a\"",
        ),
    ] {
        let error = read(&entry(keys)).unwrap_err();
        assert!(error.starts_with(&format!("/c/config.yaml{expected}")), "{error}\n{expected}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}
